#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Images that are read in many ways: block sizes from 512 to 64 KiB, data that
grows when compressed, segments of odd sizes, an image end within a sector."""

import random

from obd_builder import (build_lsmt, build_zfile, data, paint, random_bytes,
                         text_bytes, zeroed)
from obd_format import SECTOR
from obd_reader import BytesSource
from plan_images import Output

SIZE = 300 * 1024 + 333
DEVICE = 700

out = Output()
rng = random.Random(30)

mixed = (text_bytes(100000, 1) + random_bytes(80000, 2) + bytes(50000) +
         text_bytes(SIZE - 230000, 3))
out.reference('mixed', BytesSource(mixed))


def items(seed, longest):
    found, position = [], rng.randrange(9)
    while position < DEVICE:
        length = rng.randrange(1, longest)
        kind = rng.randrange(5)
        if kind:
            make = random_bytes if kind == 1 else text_bytes
            found.append(data(position, make(length * SECTOR, seed + position)))
        else:
            found.append(zeroed(position, length))
        position += length + rng.choice((0, 0, 1, 7, 40))
    return found


small, large = items(100, 8), items(200, 90)
out.reference('stack', BytesSource(paint([large, small], DEVICE * SECTOR)))
lower = build_lsmt(large, DEVICE * SECTOR, form='sealed')
upper = build_lsmt(small, DEVICE * SECTOR)

sectors = -(-SIZE // SECTOR)
for name, options in (('lz4-4k', {}), ('lz4-512', {'block_size': 512}),
                      ('lz4-64k', {'block_size': 65536}), ('zstd-4k', {'algo': 'zstd'}),
                      ('zstd-64k-nocrc', {'algo': 'zstd', 'block_size': 65536, 'verify': 0})):
    image = build_zfile(mixed, **options)
    out.variable('zfile_' + name.replace('-', '_'), '0 %d zfile RAW %d@%d'
                 % (sectors, len(image), out.raw(image)))

out.variable('lsmt_plain', '0 %d lsmt RAW %d@%d RAW %d@%d' % (
    DEVICE, len(lower), out.raw(lower), len(upper), out.raw(upper)))
packed = build_zfile(lower, block_size=16384), build_zfile(upper, algo='zstd')
starts = [out.raw(image) for image in packed]
out.variable('lsmt_fused', '0 %d lsmt RAW %d@%d RAW %d@%d' % (
    DEVICE, len(packed[0]), starts[0], len(packed[1]), starts[1]))
for number, (image, plain) in enumerate(zip(packed, (lower, upper))):
    out.variable('below_%d' % number, '0 %d zfile RAW %d@%d' % (
        len(plain) // SECTOR, len(image), starts[number]))
out.variable('lsmt_stacked', '0 %d lsmt /dev/mapper/below-0 %d /dev/mapper/below-1 %d'
             % (DEVICE, len(lower), len(upper)))

# Longer than a segment can say: LONG sectors of data, and as many zeroed ones.
LONG = 18000
numbers = b''.join(number.to_bytes(4, 'little') * (SECTOR // 4) for number in range(LONG))
out.reference('long', BytesSource(numbers + bytes(len(numbers))))
image = build_lsmt([data(0, numbers), zeroed(LONG, LONG)], 2 * len(numbers))
out.variable('long', '0 %d lsmt RAW %d@%d' % (2 * LONG, len(image), out.raw(image)))
image = build_zfile(numbers + bytes(len(numbers)), algo='zstd', block_size=65536)
out.variable('long_zfile', '0 %d zfile RAW %d@%d' % (2 * LONG, len(image), out.raw(image)))
out.finish()
