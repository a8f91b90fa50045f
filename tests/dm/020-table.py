#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""One image as ZFile, bare layers and compressed layers, on the raw disk and in
files, for the tests of the table line."""

from obd_builder import build_lsmt, build_zfile, data, paint, text_bytes
from obd_format import SECTOR
from obd_reader import BytesSource
from plan_images import Output

DEVICE = 2048

out = Output()
items = [data(0, text_bytes(100 * SECTOR, 1)), data(1000, text_bytes(SECTOR, 2))], \
        [data(50, text_bytes(100 * SECTOR, 3))]
out.reference('stack', BytesSource(paint(items, DEVICE * SECTOR)))
out.reference('lower', BytesSource(paint(items[:1], DEVICE * SECTOR)))
plain = [build_lsmt(one, DEVICE * SECTOR) for one in items]
out.reference('unpacked', BytesSource(plain[0]))
zfiles = [build_zfile(plain[0]), build_zfile(plain[1], algo='zstd')]

out.variable('sectors', DEVICE)
out.variable('unpacked_sectors', len(plain[0]) // SECTOR)
for name, images in ('plain', plain), ('packed', zfiles):
    for number, image in enumerate(images):
        out.file('%s%d' % (name, number), image)
        out.variable('%s%d_bytes' % (name, number), len(image))
        out.variable('%s%d_start' % (name, number), out.raw(image))
out.finish()
