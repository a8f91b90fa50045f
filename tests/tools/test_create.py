# SPDX-License-Identifier: GPL-2.0
"""create and commit: the independent reader gets back what went in."""

import hashlib
import os
import random

from harness import sectors_of, sha256_image
from obd_codec import lz4_compress
from obd_reader import open_image, open_payload

KIB = 1024
BLOCK_SIZES = ('512', '4096', '4K', '64K')
FORMS = ((), ('--plain',), ('--tar',), ('--plain', '--tar'))


def contents():
    source = random.Random(1)
    text = b''.join(b'line %d of a text that compresses\n' % i
                    for i in range(9000))
    return {
        'zeros': bytes(300 * KIB),
        'random': source.randbytes(200 * KIB + 512),
        'text': text,
        'one byte': b'x',
        'odd': text[:70001] + source.randbytes(333),
        'sector': source.randbytes(512),
    }


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def matrix(t):
    for name, data in contents().items():
        source = t.write('src', data)
        want = sha256(sectors_of(data))
        for algorithm in ('lz4', 'zstd'):
            for form in FORMS:
                if '--plain' in form:
                    sizes = () if algorithm == 'zstd' else ('4096',)
                else:
                    sizes = BLOCK_SIZES
                for size in sizes:
                    t.must('create', source, '-f', '-o', 'out', '--algorithm',
                           algorithm, '--block-size', size, *form)
                    t.check('create %s: %s, %s-byte blocks %s' % (
                        name, algorithm, size, ' '.join(form)),
                            sha256_image(t.path('out')) == want)


def sparse_file(t, name, size, pieces):
    """A file with holes: [(offset, data)]."""
    with open(t.path(name), 'wb') as file:
        file.truncate(size)
        for offset, data in pieces:
            file.seek(offset)
            file.write(data)
    return t.path(name)


def holes(t):
    noise = random.Random(2).randbytes(8 * KIB)
    path = sparse_file(t, 'sparse', 3 << 40, [
        (64 * KIB, noise), (2 << 40, noise), ((3 << 40) - 4096, noise[:4096])])
    t.must('create', path, '-o', 'sparse.obd')
    image = open_image([t.path('sparse.obd')])
    t.check('holes of a 3 TiB file are holes of the layer', [
        (s.offset, s.length) for s in image.segments()] == [
            (128, 16), (1 << 32, 16), (3 * (1 << 31) - 8, 8)],
            image.segments())
    t.check('data beyond 2 TiB is there',
            image.read(2 << 40, len(noise)) == noise and
            image.size == 3 << 40)
    info = t.must('info', '--json', 'sparse.obd').json()
    t.check('info knows the holes', info['layers'][0]['lsmt'][
        'data_sectors'] == 40 and info['virtual_size'] == 3 << 40, info)

    data = noise + bytes(64 * KIB) + noise
    t.write('zeros', data)
    t.must('create', 'zeros', '-o', 'detected', '--zero-detect')
    image = open_image([t.path('detected')])
    t.check('--zero-detect stores no zeros', len(image.segments()) == 2 and
            sha256_image(t.path('detected')) == sha256(data))


def pipes(t):
    data = random.Random(3).randbytes(777 * KIB)
    t.must('create', '-', '-o', 'piped', input=data)
    with open(t.write('src', data), 'rb') as file:
        t.must('create', '-', '-o', 'redirected', stdin=file)
    t.must('create', 'src', '-o', 'named')
    t.check('a pipe, a redirected file and a named file give the same layer',
            len({open(t.path(n), 'rb').read()
                 for n in ('piped', 'redirected', 'named')}) == 1)


def long_runs(t):
    data = random.Random(4).randbytes(20 << 20)
    t.write('long', data)
    t.must('create', 'long', '-o', 'long.obd')
    lengths = [s.length for s in
               open_image([t.path('long.obd')]).layers[0].entries]
    t.check('mappings are at most 16382 sectors long',
            max(lengths) <= 16382 and sum(lengths) == len(data) // 512 and
            sha256_image(t.path('long.obd')) == sha256(data), lengths)


def fragments(t):
    for count in (255, 256, 257):
        path = sparse_file(t, 'frag', count * 8 * KIB, [
            (i * 8 * KIB, b'%04096d' % i) for i in range(count)])
        t.must('create', path, '-f', '-o', 'frag.obd')
        lsmt = t.must('info', '--json', 'frag.obd').json()['layers'][0]['lsmt']
        t.check('%d segments are padded to whole units of 256' % count,
                lsmt['segments'] == count and
                lsmt['index_entries'] == -(-count // 256) * 256 and
                sha256_image(t.path('frag.obd')) ==
                sha256(open(path, 'rb').read()), lsmt)


def large_index(t):
    """An index that does not fit the memory meant for it."""
    data = b''.join(b'%015d\n' % i for i in range(36 << 16))
    t.write('src', data)
    t.must('create', 'src', '-f', '-o', 'i', '--block-size', '512')
    image = open_image([t.path('i')])
    t.check('an index of 70,000 blocks', all(
        image.read(at, 65536) == data[at:at + 65536]
        for at in range(0, len(data), 4 << 20)) and
        t.run('check', 'i').status == 0)


def labels(t):
    t.write('src', b'label' * 999)
    t.must('create', 'src', '-o', 'l', '--uuid',
           'abcdef01-2345-6789-abcd-ef0123456789', '--parent-uuid',
           '11111111-2222-3333-4444-555555555555', '--tag', 'T' * 256,
           '--virtual-size', '1M')
    trailer = open_image([t.path('l')]).layers[0].trailer
    t.check('uuid, parent uuid and tag are written',
            trailer.uuid == b'ABCDEF01-2345-6789-ABCD-EF0123456789\0' and
            trailer.parent_uuid ==
            b'11111111-2222-3333-4444-555555555555\0' and
            trailer.user_tag == b'T' * 256, trailer)
    t.check('--virtual-size enlarges the device', sha256_image(t.path('l')) ==
            sha256((b'label' * 999).ljust(1 << 20, b'\0')))
    t.must('create', 'src', '-o', 'n', '--no-crc')
    info = t.must('info', '--json', 'n').json()
    t.check('--no-crc leaves the block CRC out, and info warns',
            not info['layers'][0]['zfile']['block_crc'] and
            len(info['warnings']) == 1 and
            sha256_image(t.path('n')) == sha256(sectors_of(b'label' * 999)))
    t.write('empty', b'')
    t.must('create', 'empty', '-o', 'e', '--virtual-size', '8K')
    t.check('an empty file and a size give a layer without segments',
            sha256_image(t.path('e')) == sha256(bytes(8 * KIB)) and
            not open_image([t.path('e')]).segments())


def reproducible(t):
    t.write('src', os.urandom(1 << 20) + b'abc' * (1 << 20))
    for algorithm in ('lz4', 'zstd'):
        outputs = set()
        for threads in (1, 2, 7, 2):
            t.must('create', 'src', '-f', '-o', 'r', '--algorithm', algorithm,
                   '--threads', threads)
            with open(t.path('r'), 'rb') as file:
                outputs.add(file.read())
        t.check('%s: the same bytes with 1, 2 and 7 threads' % algorithm,
                len(outputs) == 1)


def payloads(path):
    """The compressed blocks of a ZFile."""
    zfile = open_payload(path)
    return [zfile.source.read(start, end - start)[:-zfile.crc_size]
            for start, end in zip(zfile.starts, zfile.starts[1:])]


def lz4_matches(block):
    """The lengths of all matches of an LZ4 block."""
    def length(at, value):
        while value >= 15 and block[at] == 255:
            value, at = value + 255, at + 1
        return (at + 1, value + block[at]) if value >= 15 else (at, value)
    at = 0
    while at < len(block):
        token = block[at]
        at, literals = length(at + 1, token >> 4)
        at += literals
        if at < len(block):
            at, match = length(at + 2, token & 15)
            yield match + 4


def match_lengths(t):
    """By default LZ4 is chosen such that it is quick to decompress."""
    with open('/bin/bash', 'rb') as file:
        data = file.read(1 << 20)
    t.write('src', data)
    to_zfile = ('convert', '--from', 'raw', '--to', 'zfile', 'src', '-f', '-o')
    for size in (4096, 65536):
        t.must(*to_zfile, 'z1', '--level', '1', '--block-size', size)
        t.must(*to_zfile, 'z0', '--block-size', size)
        plain, quick = payloads(t.path('z1')), payloads(t.path('z0'))
        t.check('--level 1 is what LZ4 makes of each block of %d bytes' % size,
                plain == [lz4_compress(data[at:at + size])
                          for at in range(0, len(data), size)])
        many, few = ([match for block in blocks for match in lz4_matches(block)]
                     for blocks in (plain, quick))
        t.check('no level: a fifth fewer matches, next to none of four bytes',
                len(few) < 0.8 * len(many) and
                few.count(4) < 0.01 * len(few),
                (len(many), len(few), few.count(4)))
        t.check('and hardly more bytes', sum(map(len, quick)) <
                1.05 * sum(map(len, plain)))
        t.check('which the reader understands', open_payload(
            t.path('z0')).read(0, len(data)) == data)


def tar_form(t):
    """Byte for byte what overlaybd's own tools put around a layer."""
    golden = next(data for data in t.golden_layers()
                  if data.startswith(b'overlaybd.pax'))
    t.write('src', b'tar' * 90001)
    t.must('create', 'src', '-o', 'plain')
    t.must('create', 'src', '-o', 'tar', '--tar')
    plain = open(t.path('plain'), 'rb').read()
    tar = open(t.path('tar'), 'rb').read()
    size = b'%d' % len(plain)
    t.check('tar wrapper: one pax record, one member, two zero blocks',
            tar[512:1024] == (b'%d size=%s\n' % (len(size) + 9, size)).ljust(
                512, b'\0') and tar[1536:1536 + len(plain)] == plain and
            not any(tar[1536 + len(plain):]) and
            len(tar) == 1536 + len(plain) + -len(plain) % 512 + 1024)
    t.check('tar wrapper: the member header is the one of the real tools',
            tar[1024:1536] == golden[1024:1536])


def change(source, data):
    """Data with some ranges of any size overwritten."""
    new = bytearray(data)
    for _ in range(12):
        at = source.randrange(len(new))
        length = min(source.choice((1, 100, 512, 5000, 20000)), len(new) - at)
        new[at:at + length] = source.randbytes(length)
    return bytes(new)


def commits(t):
    source = random.Random(5)
    base = bytearray(source.randbytes(1 << 20))
    base[200000:400000] = bytes(200000)
    base = bytes(base)
    t.write('old', base)
    t.must('create', 'old', '-o', 'old.obd')
    cases = {
        'equal': base,
        'changed': change(source, base),
        'larger': base + source.randbytes(70000) + bytes(9000),
        'smaller': base[:600123],
        'all zeros': bytes(len(base)),
        'one byte': b'?',
    }
    for name, new in cases.items():
        t.write('new', new)
        for extra in ((), ('--zero-detect',), ('--plain',)):
            t.must('commit', '--base', 'old', 'new', '-f', '-o', 'd', *extra)
            t.check('commit %s %s' % (name, ' '.join(extra)),
                    sha256_image(t.path('old.obd'), t.path('d')) ==
                    sha256(sectors_of(new)))
    t.write('new', base)
    t.must('commit', '--base', 'old', 'new', '-f', '-o', 'd')
    t.check('no difference gives no segments',
            not open_image([t.path('d')]).layers[0].entries)


def commit_holes(t):
    noise = random.Random(6).randbytes(64 * KIB)
    sparse_file(t, 'o', 1 << 20, [(0, noise), (128 * KIB, noise)])
    sparse_file(t, 'n', 2 << 20, [(128 * KIB, noise), (1 << 20, noise)])
    t.must('create', 'o', '-o', 'o.obd')
    t.must('commit', '--base', 'o', 'n', '-o', 'dh')
    layer = open_image([t.path('dh')]).layers[0]
    t.check('a hole over data is a zeroed segment, nothing else is stored',
            [(e.offset, e.length, bool(e.zeroed)) for e in layer.entries] ==
            [(0, 128, True), (2048, 128, False)], layer.entries)
    t.check('and the stack of both is the new image',
            sha256_image(t.path('o.obd'), t.path('dh')) ==
            sha256(open(t.path('n'), 'rb').read()))
    sparse_file(t, 'huge', 3 << 40, [(5 << 20, noise)])
    sparse_file(t, 'huge2', 3 << 40, [(5 << 20, noise), (2 << 40, noise)])
    t.must('commit', '--base', 'huge', 'huge2', '-o', 'h')
    t.check('two 3 TiB files are compared by their data only',
            [(e.offset, e.length) for e in
             open_image([t.path('h')]).layers[0].entries] == [(1 << 32, 128)])


def run(t):
    matrix(t)
    holes(t)
    pipes(t)
    long_runs(t)
    fragments(t)
    large_index(t)
    labels(t)
    reproducible(t)
    match_lengths(t)
    tar_form(t)
    commits(t)
    commit_holes(t)
