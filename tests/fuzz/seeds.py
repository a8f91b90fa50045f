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

GOLDEN = os.path.join(HERE, '..', 'golden')
LARGEST = 48 << 10
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


def pack_image(layers):
    return bytes([len(layers) - 1]) + b''.join(
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


LOWER = {'file': '/ab', 'dir': '/layer', 'digest': 'sha256:1', 'size': 8192}
CONFIGS = (
    {'lowers': [LOWER, {'dir': 'abc'}, {'dir': '/abcd'}], 'upper': {}},
    {'lowers': [LOWER, LOWER], 'accelerationLayer': True, 'resultFile': ''},
    {'lowers': [{'file': 'odd', 'digest': 'sha256:2'}], 'repoBlobUrl': 'http'},
    {'lowers': [LOWER], 'upper': {'data': 'a', 'index': 'b', 'target': '',
                                  'gzipIndex': ''}},
    {'lowers': [dict(LOWER, targetFile='t', targetDigest='d')]},
    {'lowers': []}, {'lowers': [3]}, {'lowers': [{}] * 3}, {'upper': 3}, [],
    {'upper': {'data': 3}, 'lowers': [LOWER]}, {'lowers': [{'gzipIndex': []}]},
    {'lowers': [LOWER] * 256}, {'lowers': [{'file': 'a\0b'}]},
)


def main(outdir):
    for name, layers in [*golden_images(), *built_images()]:
        write(outdir, 'image', name, pack_image(layers))
        for number, layer in enumerate(layers):
            packed = pack_format(layer)
            if packed:
                write(outdir, 'format', '%s.%d' % (name, number), packed)
    for number, config in enumerate(CONFIGS):
        write(outdir, 'text', 'config-%d' % number,
              b'\1\0\0' + json.dumps(config).encode())
    for name, tar in ('pax', tar_pax(bytes(700))), ('ustar', tar_ustar(b'x')):
        write(outdir, 'text', name, b'\2\0\0' + bytes(5) + tar)
    for target in 'segments', 'jump-table':
        for number in range(8):
            write(outdir, target, str(number),
                  text_bytes(40 * (number + 1), number)[:200])


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
