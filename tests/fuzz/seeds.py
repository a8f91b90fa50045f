#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: seeds.py OUTDIR

Write what fuzzing begins with, a folder per target: the golden images and a few
small ones that the builder of tests/lib makes, packed as the targets want them.
"""

import json
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))

from obd_builder import (build_lsmt, build_zfile, data, invalid, tar_pax,
                         tar_ustar, text_bytes, zeroed)
from obd_codec import ALGO_NUMBER
from obd_hostile import all_cases
from obd_reader import ImageError, ZFile, is_zfile, unwrap

GOLDEN = os.path.join(HERE, '..', 'golden')
LARGEST = 48 << 10
MAX_LAYERS = 4
ON_DEVICES = 0x80
LSMT_INPUT = 64     # bytes of an LSMT header that fuzz-format takes


def write(outdir, target, name, content):
    folder = os.path.join(outdir, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), 'wb') as out:
        out.write(content)


def golden_images():
    """(name, [content of each layer]) of those that are small and here."""
    with open(os.path.join(GOLDEN, 'MANIFEST.json')) as file:
        cases = json.load(file)['cases']
    for case in cases:
        paths = [os.path.join(GOLDEN, name) for name in case['layers']]
        if not all(map(os.path.exists, paths)):
            continue
        layers = [open(path, 'rb').read() for path in paths]
        if sum(map(len, layers)) <= LARGEST:
            yield case['name'], layers


def built_images():
    text = text_bytes(24 << 9)
    low = build_lsmt([data(0, text), zeroed(40, 9), data(60, text[:1024])],
                     64 << 9, padding='none')
    high = build_lsmt([data(5, text[512:2048]), invalid(), zeroed(9, 3),
                       data(61, text[:512], tag=3)], 0, padding='none')
    yield 'stack', [low, high]
    for algo in 'lz4', 'zstd':
        for overwrite in False, True:
            small = build_zfile(low, algo=algo, block_size=1024,
                                overwrite=overwrite)
            name = '%s-%d' % (algo, overwrite)
            yield name, [small]
            yield name + '-stack', [small, build_zfile(high, algo=algo)]
            yield name + '-pax', [tar_pax(small)]
            yield name + '-old', [build_zfile(low, algo=algo, digest=False,
                                              garbage=None if overwrite else 7,
                                              verify=overwrite,
                                              overwrite=overwrite)]
    yield 'ustar', [tar_ustar(high), low]
    yield 'payload', [build_zfile(text + b'odd')]
    yield 'gzip', [b'\x1f\x8b\x08' + text[:600]]
    yield 'gnu', [tar_ustar(low).replace(b'ustar\x0000', b'ustar  \0', 1)]


def hostile_images():
    """Each field at its limits and one beyond."""
    for case in all_cases():
        layers = [layer.image[:layer.size] for layer in case.layers]
        if 1 <= len(layers) <= MAX_LAYERS and sum(map(len, layers)) <= LARGEST:
            yield case.name, layers


def pack_image(layers, options=0):
    return bytes([len(layers) - 1 | options]) + b''.join(
        struct.pack('<I', len(layer)) + layer for layer in layers)


def pack_format(layer):
    """A layer as fuzz-format takes it, or None."""
    length = struct.pack('<Q', len(layer))
    if layer.startswith(b'ZFile') and len(layer) >= 1024:
        start = struct.unpack_from('<Q', layer, len(layer) - 512 + 40)[0]
        return (b'\0' + length + layer[:512] + layer[-512:] +
                layer[start:start + 512])
    if layer.startswith(b'LSMT') and len(layer) >= 8192:
        start = struct.unpack_from('<Q', layer, len(layer) - 4096 + 32)[0]
        return (b'\1' + length + layer[:LSMT_INPUT] +
                layer[-4096:][:LSMT_INPUT] + layer[start:start + 512])
    return None


def frames(layer):
    """(algorithm, length of the content, frame) of each block."""
    try:
        source, _ = unwrap(layer)
        zfile = ZFile(source) if is_zfile(source) else None
    except ImageError:
        return
    for i, start in enumerate(zfile.starts[:-1] if zfile else ()):
        end = zfile.starts[i + 1] - zfile.crc_size
        yield (zfile.info.algo,
               min(zfile.block_size, zfile.size - i * zfile.block_size),
               source.read(start, end - start))


def pack_frame(i, algorithm, content_bytes, frame):
    """A frame for fuzz-codec; what else is done with it differs with I."""
    return (bytes([(algorithm == ALGO_NUMBER['zstd']) | i % 16 << 1]) +
            number(content_bytes - 1, 2) + frame)


def number(value, size):
    return value.to_bytes(size, 'little')


def pack_table(blocks, entry, steps, shift=7, options=0x8f):
    """A jump table for fuzz-jump-table: BLOCKS entries all alike; STEPS are
    done on it. Of the options, 0x8f: large, without gap, right CRCs."""
    return (bytes([0, 0, options, shift]) + number(blocks, 3) + bytes(7) +
            number(entry, 3) + bytes(4) + b''.join(steps))


def find(block, count):
    return b'\1' + number(block, 3) + bytes([count - 1])


def change(block, value):
    return b'\3' + number(block, 3) + number(value, 4)


def shift_sizes(block, by):
    return b'\6' + number(block, 3) + number(by, 3)


HEAL, BREAK, FORGET = b'\7\1', b'\7\2', b'\7\3'
COLD, FIND_NOW = b'\4', b'\0' + bytes(4)
TABLES = {
    # The last leaf, the last group, sums of more than 32 bits.
    'far': pack_table(69999, 65800, [find(0, 130), find(69900, 99),
                                     find(32700, 200), find(65530, 20)]),
    'small': pack_table(100, 9, [find(0, 100), change(3, 77), find(50, 9)]),
    # A size that leads behind the index, or back; both are not used.
    'outside': pack_table(69999, 60, [change(69990, 1 << 31), find(69992, 5)]),
    'shifted': pack_table(69999, 60, [shift_sizes(7, 65000), find(6, 3)]),
    'healed': pack_table(69999, 60, [HEAL, change(9, 61), find(0, 30)]),
    'lost': pack_table(69999, 60, [BREAK, change(9, 61), find(0, 30)]),
    'forgotten': pack_table(69999, 60, [HEAL, change(9, 61), FORGET, find(0, 30)]),
    'uncached': pack_table(100, 9, [FORGET, find(0, 9)], options=0xbf),
    'cold': pack_table(69999, 60, [COLD, FIND_NOW, find(0, 1), FIND_NOW]),
}

# Two layers: a long segment and one over it, both beyond the largest device.
BEYOND = b'\6\1\xff\7\0\0' + b'\1\x1f\x3f' + b'\1\x1f\x0a'

LOWER = {'file': '/ab', 'dir': '/layer', 'digest': 'sha256:1', 'size': 8192}
CONFIGS = (
    {'lowers': [LOWER, {'dir': 'abc'}, {'dir': '/abcd'}], 'upper': {}},
    {'lowers': [LOWER, LOWER], 'accelerationLayer': True, 'resultFile': ''},
    {'lowers': [{'file': 'odd', 'digest': 'sha256:2'}], 'repoBlobUrl': 'http'},
    {'lowers': [LOWER], 'upper': {'data': 'a', 'index': 'b', 'target': '',
                                  'gzipIndex': ''}},
    {'lowers': [dict(LOWER, targetFile='t', targetDigest='d')]},
    {'lowers': [{'dir': '/empty'}]}, {'lowers': [{'dir': '/locked'}]},
    {'lowers': []}, {'lowers': [3]}, {'lowers': [{}] * 3}, {'upper': 3}, [],
    {'upper': {'data': 3}, 'lowers': [LOWER]}, {'lowers': [{'gzipIndex': []}]},
    {'lowers': [{'file': 'ab'}] * 255}, {'lowers': [{'file': 'ab'}] * 256}, {'lowers': [{'file': 'a\0b'}]},
)


def main(outdir):
    blocks = {}
    for name, layers in [*golden_images(), *built_images(), *hostile_images()]:
        write(outdir, 'image', name, pack_image(layers))
        for i, layer in enumerate(layers):
            packed = pack_format(layer)
            if packed:
                write(outdir, 'format', '%s.%d' % (name, i), packed)
            blocks.update((frame, name) for frame in frames(layer))
    for name, layers in built_images():
        write(outdir, 'image', name + '-on-longer-devices', pack_image(
            [layer + bytes(3 << 9) for layer in layers], ON_DEVICES))
        write(outdir, 'image', name + '-on-shorter-devices', pack_image(
            [layer[:-9] for layer in layers], ON_DEVICES))
    for i, (frame, name) in enumerate(blocks.items()):
        write(outdir, 'codec', '%s.%d' % (name, i), pack_frame(i, *frame))
    for i, config in enumerate(CONFIGS):
        write(outdir, 'text', 'config-%d' % i,
              b'\1\0\0' + json.dumps(config, separators=(',', ':')).encode())
    pax = tar_pax(bytes(700))
    for name, tar in (('pax', pax), ('ustar', tar_ustar(b'x')),
                      ('short', pax[:1536 + 699]), ('exact', pax[:1536 + 700]),
                      ('record', pax.replace(b'12 size=700', b'15 size=700'))):
        write(outdir, 'text', name, b'\2\0\0' + bytes(5) + tar)
    write(outdir, 'text', 'large', b'\5\0\0{"lowers":[]}')
    for name, table in TABLES.items():
        write(outdir, 'jump-table', name, table)
    write(outdir, 'segments', 'beyond', BEYOND)
    for i in range(8):
        write(outdir, 'segments', str(i), text_bytes(200, i))


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
