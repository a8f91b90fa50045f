#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of the independent image reader, builder and breaker (TAP).

The golden images are those in $OBD_GOLDEN, else in tests/golden.
"""

import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile

import obd_mutate
from obd_builder import (
    build_lsmt, build_zfile, data, invalid, lz4_literals, paint, pax_record,
    random_bytes, tar_header, tar_pax, tar_ustar, text_bytes, zeroed)
from obd_codec import CODECS, CodecError, zstd_bound, lz4_bound
from obd_crc32c import BLOCK_SEED, crc32c
from obd_format import (
    INVALID_ENTRY, INVALID_OFFSET, ZFILE, pack_mapping, unpack_mapping,
    zfile_digest)
from obd_golden import check_case
from obd_hostile import (
    all_cases, layer_file, random_items, sectors_of, write_set)
from obd_reader import (
    ImageError, errno_name, open_device, open_image, open_payload, survey,
    unwrap)

HERE = os.path.dirname(os.path.abspath(__file__))
TOOL = os.path.join(HERE, 'obdimage.py')
GOLDEN = os.environ.get('OBD_GOLDEN', os.path.join(HERE, '..', 'golden'))

ITEMS = [data(3, text_bytes(2048)), zeroed(8, 5), invalid(),
         data(20, random_bytes(512 * 40)), zeroed(100, 20)]
SIZE = 64000


def refused(function, *arguments):
    try:
        function(*arguments)
    except ImageError as error:
        return errno_name(error.errno)
    return None


def shows(image, content):
    return open_image([image]).read(0, len(content) + 5) == content


# --- each test returns a list of problems ------------------------------------

def test_checksum_vectors():
    for seed, text, want in ((0, b'123456789', 0x58e3fa20),
                             (BLOCK_SEED, b'123456789', 0x3c9bd4e0),
                             (0, bytes(512), 0),
                             (BLOCK_SEED, bytes(4), 0xd5b17c5d)):
        if crc32c(seed, text) != want:
            yield 'crc32c of %r' % text[:9]
    if crc32c(0xffffffff, b'123456789') ^ 0xffffffff != 0xe3069283:
        yield 'standard CRC-32C'
    # Long input takes another path; a CRC continues over any cut.
    text = random_bytes(5000)
    for cut in (0, 1, 7, 63, 64, 100, 4999):
        if crc32c(crc32c(5, text[:cut]), text[cut:]) != crc32c(5, text):
            yield 'cut at %d' % cut
    bytewise = 5
    for i in range(len(text)):
        bytewise = crc32c(bytewise, text[i:i + 1])
    if bytewise != crc32c(5, text):
        yield 'byte by byte'


def test_mapping_vectors():
    for fields, text in (
            ((8, 16, 8, 0, 0), '08000000000040000800000000000000'),
            ((8272, 120, 8280, 1, 0), '502000000000e0015820000000008000'),
            ((134184708, 16383, 1058072, 1, 3),
             '047fff070000fcff1825100000008003')):
        packed = pack_mapping(*fields)
        words = [int.from_bytes(packed[i:i + 8], 'little') for i in (0, 8)]
        if packed.hex() != text or unpack_mapping(*words) != fields:
            yield str(fields)
    if INVALID_ENTRY.hex() != 'ffffffffffff03000000000000000000':
        yield 'INVALID'


def test_codecs():
    if (lz4_bound(4096), zstd_bound(4096)) != (4128, 4174):
        yield 'bounds of 4096'
    if (lz4_bound(65536), zstd_bound(65536)) != (65809, 65824):
        yield 'bounds of 65536'
    for number, (name, bound, compress, decompress) in CODECS.items():
        for content in (b'', b'a', bytes(4096), random_bytes(65536),
                        text_bytes(5000)):
            packed = compress(content)
            if len(packed) > bound(max(512, len(content))):
                yield '%s: larger than its bound' % name
            if decompress(packed, len(content)) != content:
                yield '%s: %d bytes' % (name, len(content))
            if len(content) > 1:
                try:
                    decompress(packed, len(content) - 1)
                    yield '%s: %d bytes overflow' % (name, len(content))
                except CodecError:
                    pass
    if CODECS[1][3](lz4_literals(ITEMS[0].content), 4096) != ITEMS[0].content:
        yield 'literals'


def test_layer_forms():
    want = paint([ITEMS], SIZE)
    for form in ('committed', 'sealed', 'sparse'):
        for padding in ('none', 'counted', 'uncounted'):
            image = build_lsmt(ITEMS, SIZE, form, padding, seed=7)
            if not shows(image, want):
                yield '%s, padding %s' % (form, padding)
    if len(build_lsmt([], SIZE)) != 8192:
        yield 'empty layer is not 8192 bytes'
    long = [zeroed(1, 40000), data(50000, bytes(range(256)) * 2 * 17000)]
    if not shows(build_lsmt(long, 70000 * 512), paint([long], 70000 * 512)):
        yield 'items longer than one entry'


def test_zfile_shapes():
    want = paint([ITEMS], SIZE)
    layer = build_lsmt(ITEMS, SIZE)
    for algo in ('lz4', 'zstd'):
        for shift in range(9, 17):
            for verify in (0, 1):
                for overwrite in (False, True):
                    image = build_zfile(layer, algo, 1 << shift, verify,
                                        overwrite)
                    if not shows(image, want):
                        yield '%s %d %d %d' % (algo, 1 << shift, verify,
                                               overwrite)
    for size in (0, 1, 511, 512, 4095, 4096, 4097, 300000):
        content = random_bytes(size, size)
        image = open_payload(build_zfile(content, block_size=65536))
        if image.size != size or image.read(0, size + 9) != content:
            yield 'payload of %d bytes' % size


def test_zfile_bytes():
    """The exact values that producers write."""
    flags = {}
    for overwrite in (False, True):
        for digest in (False, True):
            image = build_zfile(bytes(5000), overwrite=overwrite,
                                digest=digest)
            blocks = [ZFILE.decode(image[:512]), ZFILE.decode(image[-512:])]
            flags[overwrite, digest] = [block.flags for block in blocks]
            for block, raw in zip(blocks, (image[:512], image[-512:])):
                if digest and block.digest != zfile_digest(raw):
                    yield 'digest'
    if flags != {(False, False): [0x03, 0x06], (False, True): [0x13, 0x16],
                 (True, False): [0x0b, 0x06], (True, True): [0x1b, 0x16]}:
        yield str(flags)
    # All-zero blocks of 4096: 26 bytes each, CRC behind.
    image = build_zfile(bytes(8192))
    if image[512 + 60:512 + 68] != (30).to_bytes(4, 'little') * 2:
        yield 'index of all-zero blocks'
    if image[538:542] != crc32c(100007, image[512:538]).to_bytes(4, 'little'):
        yield 'block CRC'


def test_old_style():
    layer = build_lsmt(ITEMS, SIZE)
    want = paint([ITEMS], SIZE)
    for overwrite in (False, True):
        for seed in range(20):
            image = build_zfile(layer, overwrite=overwrite, digest=False,
                                garbage=seed)
            if not shows(image, want):
                yield 'garbage %d' % seed
            if not any(image[100:512]) or image[36:40] == bytes(4):
                yield 'garbage %d is none' % seed


def test_tar():
    layer = build_lsmt(ITEMS, SIZE)
    packed = build_zfile(layer)
    want = paint([ITEMS], SIZE)
    for image in (layer, packed):
        for wrap, offset in ((tar_ustar, 512), (tar_pax, 1536)):
            blob = wrap(image) + bytes(1024)
            if unwrap(blob)[1] != (offset, len(image)):
                yield '%s: payload place' % wrap.__name__
            if not shows(blob, want):
                yield wrap.__name__
    long_name = (tar_header(b'long', 700, b'L') + bytes(1024) +
                 tar_ustar(packed))
    if not shows(long_name, want):
        yield 'GNU long name'


def test_bad_tar():
    image = build_zfile(build_lsmt(ITEMS, SIZE))

    def pax(area, rest=tar_header(b'overlaybd.commit', 0) + image + bytes(999)):
        return (tar_header(b'x', len(area), b'x') +
                area.ljust(-(-len(area) // 512) * 512, b'\0') + rest)

    good = tar_ustar(image)
    for name, blob in (
            ('checksum', good[:9] + b'x' + good[10:]),
            ('GNU magic', good[:257] + b'ustar  \0' + good[265:]),
            ('unfinished', pax(b'')[:257] + b'xxtarxx' + pax(b'')[264:]),
            ('payload cut', good[:len(image)]),
            ('empty member', tar_ustar(b'') + image),
            ('headers only', tar_pax(image)[:1024]),
            ('no second header', tar_header(b'x', 0, b'x') + bytes(512) +
             image),
            ('size beyond', pax(pax_record(b'size', b'9999999'))),
            ('size 0', pax(pax_record(b'size', b'0'))),
            ('size negative', pax(pax_record(b'size', b'-5'))),
            ('size not a number', pax(pax_record(b'size', b'1e3'))),
            ('record too long', pax(b'99 size=5\n')),
            ('record too short', pax(b'2 size=5\n')),
            ('record without =', pax(b'7 size\n')),
            ('record length 0', pax(b'0 size=5\n')),
            ('record no number', pax(b'x size=5\n')),
            ('pax area beyond', tar_header(b'x', 1 << 30, b'x') + image),
            ('header loop', tar_header(b'x', 0, b'x') * 50)):
        if refused(open_image, [blob]) != 'EINVAL':
            yield name
    if not shows(pax(pax_record(b'mtime', b'1') +
                     pax_record(b'size', b'%d' % len(image))),
                 paint([ITEMS], SIZE)):
        yield 'good pax with two records'


def test_random_stacks():
    for seed in range(300):
        rng = random.Random(seed)
        stacks = [random_items(rng, rng.randrange(1, 120))
                  for _ in range(rng.randrange(1, 9))]
        size = rng.randrange(512, 70000)
        forms = [rng.choice(('committed', 'sealed')) for _ in stacks]
        image = open_image([build_lsmt(items, size, form, seed=seed)
                            for items, form in zip(stacks, forms)])
        want = paint(stacks, size)
        if image.read(0, size) != want:
            yield 'stack %d' % seed
        for _ in range(10):
            offset, length = rng.randrange(size), rng.randrange(1, 5000)
            if image.read(offset, length) != want[offset:offset + length]:
                yield 'stack %d: %d bytes at %d' % (seed, length, offset)
        ends = [s.offset + s.length for s in image.segments()]
        starts = [s.offset for s in image.segments()]
        if any(e > s for e, s in zip(ends, starts[1:])) or any(
                s.length <= 0 for s in image.segments()):
            yield 'stack %d: segments' % seed


def test_high_sectors():
    far = (1 << 41) + 5
    lower = [data(0, text_bytes(512)), data(far, text_bytes(1024, 1))]
    upper = [zeroed(far + 1, 1), data(INVALID_OFFSET - 1, text_bytes(512, 2))]
    image = open_image([build_lsmt(lower, 1 << 59),
                        build_lsmt(upper, 1 << 59)])
    if image.size != 1 << 59:
        yield 'size'
    if image.read(far * 512 - 512, 2048) != (
            bytes(512) + text_bytes(1024, 1)[:512] + bytes(1024)):
        yield 'above 2^41 sectors'
    if image.read((1 << 59) - 1024, 4096) != text_bytes(512, 2) + bytes(512):
        yield 'last sectors'


def matches(case, kind, errno, bad, sha256):
    for outcome in case.outcomes:
        if outcome.kind == kind and (
                errno in outcome.errnos if kind == 'load-fail' else
                (outcome.bad, outcome.sha256) == (bad, sha256)):
            return True
    return False


def judge(case):
    """(kind, errno, bad, sha256) as the reader sees the case."""
    layers = [(sectors_of(layer.image), layer.start, layer.size)
              for layer in case.layers]
    try:
        device = open_device(case.kind, layers, case.sectors)
    except ImageError as error:
        return 'load-fail', errno_name(error.errno), [], None
    content, bad = survey(device)
    return ('io-error' if bad else 'ok', None, bad,
            hashlib.sha256(content).hexdigest())


def test_hostile_row(row):
    def run():
        for case in CASES:
            if case.name.startswith(row):
                found = judge(case)
                if not matches(case, *found):
                    yield '%s: %s' % (case.name, found)
    return run


def test_hostile_files():
    with tempfile.TemporaryDirectory() as directory:
        write_set(directory)
        with open(os.path.join(directory, 'plan.txt')) as file:
            plan = [line.rstrip('\n').split(' ') for line in file]
        with open(os.path.join(directory, 'manifest.json')) as file:
            manifest = json.load(file)['cases']
        if not len(plan) == len(manifest) == len(CASES):
            yield 'number of cases'
        if len({line[0] for line in plan}) != len(plan):
            yield 'names are not unique'
        for case, line, record in zip(CASES, plan, manifest):
            layers = [] if line[3] == '-' else line[3].split(',')
            names = [layer.rsplit(':', 1)[0] for layer in layers]
            if line[:3] != [case.name, case.kind, str(case.sectors)]:
                yield '%s: plan' % case.name
            if names != [layer['file'] for layer in record['layers']]:
                yield '%s: manifest' % case.name
            for name, layer in zip(names, case.layers):
                with open(os.path.join(directory, name), 'rb') as file:
                    if file.read() != sectors_of(layer.image):
                        yield '%s: %s' % (case.name, name)
        total = sum(entry.stat().st_size for entry in os.scandir(directory))
        if total > 8 << 20:
            yield '%d bytes' % total


def test_mutants():
    originals = [build_zfile(layer_file(), 'zstd', 512),
                 build_zfile(layer_file(), overwrite=False), layer_file()]
    kinds = {}
    for number in range(400):
        case = obd_mutate.one_mutant('9', number, originals)
        kind = case.outcomes[0].kind
        kinds[kind] = kinds.get(kind, 0) + 1
        if number < 20 and case != obd_mutate.one_mutant('9', number,
                                                         originals):
            yield 'mutant %d is not reproducible' % number
        if kind != 'load-fail' and not matches(case, *judge(case)):
            yield 'mutant %d: two verdicts' % number
    if min(kinds.get(kind, 0)
           for kind in ('load-fail', 'ok', 'io-error')) < 10:
        yield str(kinds)


def tool(*arguments):
    done = subprocess.run([sys.executable, TOOL, *map(str, arguments)],
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_command():
    want = paint([ITEMS], SIZE)
    with tempfile.TemporaryDirectory() as directory:
        def place(name, content=None):
            path = os.path.join(directory, name)
            if content is not None:
                with open(path, 'wb') as file:
                    file.write(content)
            return path
        image = place('image', tar_pax(build_zfile(
            build_lsmt(ITEMS, SIZE, uuid='A-B', tag=b'hello'))))
        flat, sparse = place('flat'), place('sparse')
        for output, options in ((flat, []), (sparse, ['--sparse'])):
            tool('flatten', image, '-o', output, *options)
            with open(output, 'rb') as file:
                if file.read() != want:
                    yield 'flatten ' + ' '.join(options)
        digest = hashlib.sha256(want).hexdigest() + '\n'
        if tool('sha256', image) != (0, digest):
            yield 'sha256'
        piece = hashlib.sha256(want[5000:7000]).hexdigest() + '\n'
        if tool('probe', image, 5000, 2000) != (0, piece):
            yield 'probe'
        layer = hashlib.sha256(build_lsmt(ITEMS, SIZE, uuid='A-B',
                                          tag=b'hello')).hexdigest()
        if tool('sha256', '--payload', image) != (0, layer + '\n'):
            yield 'sha256 --payload'
        found = json.loads(tool('info', image, '--json')[1])
        entry = found['layers'][0]
        if (found['virtual_size'], found['segments'], entry['tar']['offset'],
                entry['zfile']['algorithm'], entry['lsmt']['uuid'],
                entry['lsmt']['user_tag'], entry['lsmt']['zeroed']) != (
                    SIZE, 4, 1536, 'lz4', 'A-B', 'hello', 2):
            yield 'info: %s' % found
        broken = place('broken', build_zfile(layer_file(), block_crcs={2: 1}))
        for path, code in ((place('none'), 1), (place('text', b'hello'), 2),
                           (broken, 3)):
            if tool('sha256', path)[0] != code:
                yield 'exit code %d' % code


def test_golden():
    code, output = tool('golden', GOLDEN)
    lines = output.splitlines()
    if code or not lines[2:]:
        yield 'exit code %d' % code
    for line in lines[2:]:
        if not line.startswith('ok '):
            yield line


def test_golden_checker():
    good, broken = layer_file(), build_zfile(layer_file(), block_crcs={0: 1})
    right = hashlib.sha256(open_image([good]).read(0, 65536)).hexdigest()
    probe = {'offset': 0, 'length': 512, 'sha256': right}
    base = {'name': 'a', 'kind': 'stack', 'layers': ['good'], 'expect': 'ok',
            'virtual_size': 65536, 'sha256': right}
    with tempfile.TemporaryDirectory() as directory:
        for name, content in (('good', good), ('broken', broken)):
            with open(os.path.join(directory, name), 'wb') as file:
                file.write(content)
        for want, changes in (
                (True, {}),
                (True, {'layers': ['broken'], 'expect': 'real-accepts'}),
                (True, {'expect': 'real-accepts', 'real_sha256': right}),
                (False, {'expect': 'real-accepts', 'real_sha256': 'x'}),
                (False, {'expect': 'refuse-or-io-error'}),
                (False, {'layers': ['broken']}), (False, {'sha256': 'x'}),
                (False, {'virtual_size': 65535}), (False, {'probes': [probe]}),
                (False, {'merged_index_count': 9})):
            if (check_case(directory, {**base, **changes}) == '') != want:
                yield str(changes)


TESTS = [
    ('CRC-32C vectors', test_checksum_vectors),
    ('segment mapping vectors', test_mapping_vectors),
    ('codecs: bounds, capacity, content', test_codecs),
    ('every form and padding of a layer reads back', test_layer_forms),
    ('every shape of a ZFile reads back', test_zfile_shapes),
    ('ZFile flags, digests, sizes as producers write them', test_zfile_bytes),
    ('old ZFiles with garbage read back', test_old_style),
    ('tar wrappers', test_tar),
    ('bad tar wrappers are refused', test_bad_tar),
    ('300 random stacks against the painter', test_random_stacks),
    ('mappings up to 2^50 sectors', test_high_sectors),
    ('hostile set: plan, manifest and files agree', test_hostile_files),
    ('mutants: reproducible, of all outcomes', test_mutants),
    ('the golden check finds differences', test_golden_checker),
    ('the command: verbs and exit codes', test_command),
]


def run_test(number, name, test):
    try:
        problems = list(test())
    except Exception as error:  # pylint: disable=broad-except
        problems = ['%s: %s' % (type(error).__name__, error)]
    print('%sok %d - %s' % ('not ' if problems else '', number, name))
    for problem in problems[:10]:
        print('# ' + problem, flush=True)
    return not problems


def main():
    tests = list(TESTS)
    for row in sorted({case.name[:4] for case in CASES}):
        tests.append(('hostile set, row %s' % row[1:3],
                      test_hostile_row(row)))
    tests.append(('golden images', test_golden))
    print('TAP version 13\n1..%d' % len(tests))
    good = [run_test(number, *test) for number, test in enumerate(tests, 1)]
    return not all(good)


CASES = all_cases()
if __name__ == '__main__':
    sys.exit(main())
