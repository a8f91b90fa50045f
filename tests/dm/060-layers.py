#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Stacks of 1 to 256 layers that differ in what they hide of each other."""

import random

from obd_builder import build_lsmt, build_zfile, data, paint, random_bytes, zeroed
from obd_format import SECTOR
from obd_reader import BytesSource
from plan_images import Output

DEVICE = 4096
COUNTS = 1, 2, 3, 16, 17, 127, 128, 254, 255
SEED = 20

out = Output()
rng = random.Random(SEED)


def make_items(number):
    """Some segments of its own, one sector that every layer has."""
    items, position = [], rng.randrange(8)
    while position < DEVICE - 600:
        length = rng.randrange(1, 24)
        if rng.randrange(4):
            items.append(data(position, random_bytes(length * SECTOR, position + number)))
        else:
            items.append(zeroed(position, length))
        position += length + rng.randrange(1, 1200)
    return items + [data(DEVICE - 9, bytes([number]) * SECTOR)]


contents = [make_items(number) for number in range(255)]
plain = [build_lsmt(items, DEVICE * SECTOR) for items in contents]
images = [build_zfile(image, algo=('lz4', 'zstd')[number % 2]) if number % 3 == 1 else image
          for number, image in enumerate(plain)]
fused = [out.on_raw(image) for image in images]


def stacked(count):
    devices, words = [], []
    for number in range(count):
        if images[number] is plain[number]:
            words.append(fused[number])
        else:
            words.append('{#%d} %d' % (len(devices), len(plain[number])))
            devices.append('%d zfile %s' % (len(plain[number]) // SECTOR, fused[number]))
    return devices + ['%d lsmt %s' % (DEVICE, ' '.join(words))]


for count in COUNTS:
    reference = 'refs/%d' % count
    out.reference(reference, BytesSource(paint(contents[:count], DEVICE * SECTOR)))
    out.case('%d layers, fused' % count,
             ['%d lsmt %s' % (DEVICE, ' '.join(fused[:count]))], 'same ' + reference)
    out.case('%d layers, stacked' % count, stacked(count), 'same ' + reference)
out.case('256 layers', ['%d lsmt %s' % (DEVICE, ' '.join(fused + fused[:1]))],
         'refuse EINVAL More than 255 layers')

out.reference('refs/same', BytesSource(paint([contents[1]], DEVICE * SECTOR)))
for count in 2, 255:
    out.case('the same layer %d times' % count,
             ['%d lsmt %s' % (DEVICE, ' '.join(fused[1:2] * count))], 'same refs/same')
out.reference('refs/twice', BytesSource(paint(
    [contents[1], contents[4], contents[1]], DEVICE * SECTOR)))
out.case('a layer below and above another one',
         ['%d lsmt %s %s %s' % (DEVICE, fused[1], fused[4], fused[1])], 'same refs/twice')
zfile = '%d zfile %s' % (len(plain[1]) // SECTOR, fused[1])
out.case('the same layer through two zfile devices', [
    zfile, zfile, '%d lsmt {#0} %d {#1} %d' % (DEVICE, len(plain[1]), len(plain[1]))],
         'same refs/same')
out.finish()
