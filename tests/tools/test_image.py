# SPDX-License-Identifier: GPL-2.0
"""check, extract, map, diff, merge and convert, on our own and golden images."""

import hashlib
import os
import random

from harness import sha256_file, sha256_image, sha256_payload
from obd_reader import open_image

KIB = 1024


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def is_right(path, case):
    """Does a raw file have the content the manifest tells?"""
    if os.path.getsize(path) != case['virtual_size']:
        return False
    if case['sha256']:
        return sha256_file(path) == case['sha256']
    with open(path, 'rb') as file:
        for probe in case['probes']:
            file.seek(probe['offset'])
            if sha256(file.read(probe['length'])) != probe['sha256']:
                return False
    return True


def golden_good(t, case, layers):
    name = case['name']
    result = t.run('check', '--json', *layers, sanitized=True)
    t.check('check accepts ' + name, result.status == 0 and
            result.json()['good'] and not result.json()['error'], result)
    result = t.run('extract', *layers, '-f', '-o', 'raw')
    t.check('extract gives the content of ' + name,
            result.status == 0 and is_right(t.path('raw'), case), result)
    if case['kind'] == 'zfile':
        result = t.run('convert', '--to', 'zfile', '--algorithm', 'zstd',
                       *layers, '-f', '-o', 'other', sanitized=True)
        good = result.status == 0 and sha256_payload(
            t.path('other')) == case['sha256']
    else:
        result = t.run('convert', '--algorithm', 'zstd', '--tar', *layers,
                       '-f', '-o', 'other', sanitized=True)
        good = result.status == 0 and (
            sha256_image(t.path('other')) == case['sha256']
            if case['sha256'] else
            t.run('extract', 'other', '-f', '-o', 'raw').status == 0 and
            is_right(t.path('raw'), case))
    t.check('convert recompresses ' + name, good, result)


# Damage that check reports although the real reader does not look there.
STRICT = {'neg-z-trailer', 'neg-zt-trlreserved'}


def golden_bad(t, case, layers):
    name = case['name']
    accepted = (0, 2) if case['expect'] == 'real-accepts' else (2,)
    result = t.run('check', *layers, sanitized=True)
    t.check('check judges ' + name, result.status in accepted and (
        result.status == 2) >= (name in STRICT) and
            (not result.status or result.err), result)
    for verb in ('extract', 'convert'):
        result = t.run(verb, *layers, '-o', 'bad', sanitized=True)
        made = os.path.exists(t.path('bad'))
        good = result.status in accepted and made == (result.status == 0)
        if good and made and verb == 'extract':
            good = sha256_file(t.path('bad')) == case['real_sha256']
        # A copy of the compressed bytes' content carries damage along.
        if verb == 'convert' and made:
            good = good and sha256_image(t.path('bad')) == case['real_sha256']
        if made:
            os.unlink(t.path('bad'))
        t.check('%s judges %s' % (verb, name), good, result)


def golden(t):
    directory, cases = t.golden()
    for case in cases:
        layers = [os.path.join(directory, name) for name in case['layers']]
        (golden_good if case['expect'] == 'ok' else golden_bad)(
            t, case, layers)


def random_stack(t, count, size=1 << 20):
    """Layers of random writes and discards; returns the flattened bytes."""
    source = random.Random(11)
    data = bytearray(size)
    for number in range(count):
        old = bytes(data)
        holes = []
        for _ in range(12):
            at = source.randrange(size // 512) * 512
            length = min(source.randrange(1, 80) * 512, size - at)
            if source.random() < 0.3:
                start, end = -(-at // 4096) * 4096, (at + length) // 4096 * 4096
                if end > start:
                    data[start:end] = bytes(end - start)
                    holes.append((start, end))
            else:
                data[at:at + length] = source.randbytes(length)
                holes = [h for h in holes if h[1] <= at or
                         h[0] >= at + length]
        t.write('old', old)
        with open(t.path('new'), 'wb') as file:
            file.truncate(size)
            at = 0
            for start, end in sorted(holes) + [(size, size)]:
                if start > at:
                    file.seek(at)
                    file.write(data[at:start])
                at = max(at, end)
        t.must('commit', '--base', 'old', 'new', '-o', 'r%d' % number,
               '--uuid', '%08x-0000-0000-0000-000000000000' % (number + 1),
               '--parent-uuid', '%08x-0000-0000-0000-000000000000' % number,
               '--tag', 'layer %d' % number,
               *((), ('--plain',), ('--tar', '--block-size', '16K'),
                 ('--algorithm', 'zstd'))[number % 4])
    return bytes(data)


def merges(t):
    data = random_stack(t, 9)
    layers = ['r%d' % i for i in range(9)]
    paths = [t.path(name) for name in layers]
    want = sha256(data)
    t.check('nine random layers are what they should be',
            sha256_image(*paths) == want)
    t.must('merge', *layers, '-o', 'all')
    t.check('merge of all layers', sha256_image(t.path('all')) == want)
    trailer = open_image([t.path('all')]).layers[0].trailer
    t.check('merge takes uuid and tag of the top, parent uuid of the bottom',
            trailer.uuid.startswith(b'00000009') and
            trailer.parent_uuid.startswith(b'00000000') and
            trailer.user_tag.startswith(b'layer 8\0'), trailer)
    for first, last in ((0, 3), (2, 6), (5, 8), (4, 4)):
        t.must('merge', '--layers', '%d-%d' % (first, last), *layers,
               '-f', '-o', 'part')
        t.check('layers %d-%d merged stand where they stood' % (first, last),
                sha256_image(*paths[:first], t.path('part'),
                             *paths[last + 1:]) == want)
        merged = open_image([t.path('part')]).layers[0]
        zeroed = sum(bool(e.zeroed) for e in merged.entries)
        t.check('and keep zeroed segments', zeroed > 0 or first == last)
    outputs = set()
    for threads in (1, 3):
        t.must('merge', *layers, '-f', '-o', 'm', '--threads', threads)
        outputs.add(read(t.path('m')))
    t.check('merge: the same bytes with any number of threads',
            len(outputs) == 1)
    result = t.run('merge', '--layers', '3-9', *layers, '-o', 'x')
    t.check('merge of a layer that is not there', result.status == 1, result)
    extracts(t, layers, data)
    maps(t, layers)
    diffs(t, layers, data)
    converts(t, layers, data)


def extracts(t, layers, data):
    for threads in (1, 2, 5):
        t.must('extract', *layers, '-f', '-o', 'e', '--threads', threads)
        t.check('extract with %d threads' % threads,
                read(t.path('e')) == data)
    t.check('extract to standard output',
            t.must('extract', *layers, '-o', '-').out == data)
    t.must('extract', '--layer', '3', *layers, '-f', '-o', 'e')
    t.check('extract --layer is that layer alone',
            sha256_file(t.path('e')) == sha256_image(t.path('r3')))
    t.check('extract --layer beyond the top',
            t.run('extract', '--layer', '9', *layers, '-o', 'x').status == 1)
    noise = random.Random(12).randbytes(8 * KIB)
    t.write('s', noise + bytes(1 << 22) + noise)
    t.must('create', 's', '-o', 's.obd')
    t.must('extract', 's.obd', '-o', 's.raw')
    t.check('zeros in the data are holes of the raw file',
            os.stat(t.path('s.raw')).st_blocks * 512 < 256 * KIB and
            read(t.path('s.raw')) == read(t.path('s')))


def maps(t, layers):
    image = open_image([t.path(name) for name in layers])
    want, at = [], 0
    for s in image.segments():
        if s.offset > at:
            want.append((at, s.offset - at, 'hole', None, None))
        want.append((s.offset, s.length, 'zeroed' if s.zeroed else 'data',
                     s.layer, None if s.zeroed else s.moffset))
        at = s.offset + s.length
    if at < image.size // 512:
        want.append((at, image.size // 512 - at, 'hole', None, None))
    rows = t.must('map', '--json', *layers, sanitized=True).json()
    t.check('map --json is what the independent reader merges', [
        (r['start'], r['length'], r['kind'], r.get('layer'), r.get('moffset'))
        for r in rows] == want, rows[:5])
    text = t.must('map', *layers).out.decode().splitlines()[1:]
    t.check('map prints the same', [tuple(line.split()[:3])
                                    for line in text] ==
            [(str(w[0]), str(w[1]), w[2]) for w in want])


def differences(a, b):
    """[(start, length)] in sectors of 512 bytes, as bytes."""
    result = []
    for at in range(0, max(len(a), len(b)), 512):
        if a[at:at + 512] != b[at:at + 512]:
            if result and sum(result[-1]) == at:
                result[-1][1] += 512
            else:
                result.append([at, 512])
    return result


def diffs(t, layers, data):
    t.must('extract', *layers[:5], '-f', '-o', 'five')
    want = differences(read(t.path('five')), data)
    for threads in (1, 4):
        rows = t.must('diff', '--json', '--threads', threads, *layers[:5],
                      '--', *layers, sanitized=True).json()
        t.check('diff of 5 and 9 layers, %d threads' % threads,
                [[r['start'], r['length']] for r in rows] == want, rows[:5])
    text = t.must('diff', *layers[:5], '--', *layers).out.decode()
    t.check('diff prints the same', text == ''.join(
        '%d %d\n' % tuple(w) for w in want))
    t.check('diff of the same is empty',
            not t.must('diff', 'all', '--', *layers).out and
            t.must('diff', '--json', 'all', 'all').json() == [])
    t.write('src', data + b'more')
    t.must('create', 'src', '-f', '-o', 'longer')
    t.check('diff: what one has more differs',
            t.must('diff', 'all', 'longer').out == b'%d 512\n' % len(data))
    for words in ([], ['all'], ['all', '--'], ['--', 'all', '--']):
        t.check('diff of %s' % words, t.run('diff', *words).status == 1)


def converts(t, layers, data):
    want = sha256(data)
    for arguments in (['--plain'], ['--tar'], ['--tar', '--plain'],
                      ['--algorithm', 'zstd', '--level', '19'],
                      ['--level', '9', '--block-size', '64K']):
        t.must('convert', *arguments, *layers, '-f', '-o', 'c')
        t.check('convert a stack %s' % ' '.join(arguments),
                sha256_image(t.path('c')) == want)
    t.must('convert', '--to', 'zfile', *layers, '-f', '-o', 'c')
    t.check('convert a stack to a ZFile', sha256_payload(t.path('c')) == want)
    t.must('convert', '--to', 'raw', 'c', '-f', '-o', 'raw')
    t.check('and that to raw', read(t.path('raw')) == data)
    t.must('convert', 'c', '-f', '-o', 'd')
    t.check('and that to a layer', sha256_image(t.path('d')) == want)
    t.must('convert', '--from', 'raw', 'raw', '-f', '-o', 'd')
    t.must('create', 'raw', '-f', '-o', 'e')
    t.check('convert --from raw is create', read(t.path('d')) ==
            read(t.path('e')))
    t.must('convert', '--from', 'raw', '--to', 'zfile', 'raw', '-f', '-o', 'd')
    t.check('convert a raw file to a ZFile',
            sha256_payload(t.path('d')) == want)
    t.must('convert', 'r0', '--plain', '-f', '-o', 'c')
    t.must('convert', 'c', '-f', '-o', 'd')
    t.check('a layer unpacked and packed again is the same layer',
            read(t.path('d')) == read(t.path('r0')))
    t.must('convert', 'r0', '--tag', 'new', '-f', '-o', 'c')
    layer = open_image([t.path('c')]).layers[0]
    t.check('convert gives a new label and keeps the others',
            layer.trailer.user_tag.startswith(b'new\0') and
            layer.trailer.uuid.startswith(b'00000001') and
            sha256_image(t.path('c')) == sha256_image(t.path('r0')))
    for arguments in (['--to', 'qcow2'], ['--from', 'qcow2'],
                      ['--to', 'raw', '--tag', 'x'],
                      ['--to', 'zfile', '--plain'], ['--zero-detect']):
        t.check('usage: convert %s' % ' '.join(arguments),
                t.run('convert', *arguments, 'r0', '-o', 'x').status == 1)


def checks(t):
    """A changed byte anywhere in a ZFile with CRCs is found, and where."""
    source = random.Random(13)
    t.write('src', source.randbytes(20000) + b'check' * 5000)
    t.must('create', 'src', '-f', '-o', 'l')
    data = read(t.path('l'))
    missed = []
    for at in range(0, len(data), 331):
        damaged = bytearray(data)
        damaged[at] ^= 0x40
        t.write('damaged', damaged)
        result = t.run('check', 'damaged')
        where = [int(word.strip(':')) for word in result.err.split()
                 if word.strip(':').isdigit()]
        # At or before the byte, never behind it; 'not a ZFile' has no place.
        if result.status != 2 or (where and where[0] > at and at >= 512):
            missed.append((at, str(result)))
    t.check('check finds a changed byte anywhere and names a place',
            not missed, missed[:2])
    damaged = bytearray(data)
    damaged[600] ^= 1
    t.write('damaged', damaged)
    result = t.run('check', '--json', 'damaged')
    t.check('check --json of a damaged layer', result.status == 2 and
            not result.json()['good'] and
            'at byte 512: ZFile block 0' in result.json()['error'], result)
    t.check('members of check --json', set(t.must(
        'check', '--json', 'l').json()) == {
            'good', 'error', 'layers', 'segments', 'blocks', 'bytes',
            'warnings'})
    result = t.run('check', '-q', 'damaged')
    t.check('check -q prints nothing', result.status == 2 and
            not result.out and not result.err, result)
    middle = len(data) // 2
    damaged = bytearray(data)
    damaged[middle] ^= 1
    t.write('damaged', damaged)
    t.check('check --quick leaves data out, check does not',
            t.run('check', '--quick', 'damaged').status == 0 and
            t.run('check', 'damaged').status == 2)
    errors = {t.run('check', '--threads', n, 'damaged').err
              for n in (1, 2, 8)}
    t.check('check names the same block with any number of threads',
            len(errors) == 1, errors)


def old_files(t):
    """Before there were digests, unused bytes were garbage."""
    t.write('src', b'old' * 4000)
    t.must('create', 'src', '-f', '-o', 'o')
    data = bytearray(read(t.path('o')))
    for at in (0, len(data) - 512):
        data[at + 32] &= ~0x10
        data[at + 33:at + 40] = os.urandom(7)
        data[at + 28:at + 32] = os.urandom(4)
        data[at + 64:at + 72] = os.urandom(8)
        data[at + 89:at + 512] = os.urandom(423)
    t.write('o', data)
    result = t.run('check', 'o', sanitized=True)
    t.check('check accepts garbage in unused bytes of old files',
            result.status == 0, result)
    data[len(data) - 512 + 72] ^= 3
    t.write('o', data)
    t.check('but no trailer with another block size',
            t.run('check', 'o').status == 2)


def run(t):
    golden(t)
    old_files(t)
    merges(t)
    checks(t)
