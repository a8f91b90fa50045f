#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A layer in ZFiles of two kinds, for the devices of 080-module.sh."""

from obd_builder import build_lsmt, build_zfile, data, paint, text_bytes
from obd_format import SECTOR
from obd_reader import BytesSource
from plan_images import Output

DEVICE = 512

out = Output()
items = [data(3, text_bytes(300 * SECTOR, 1))]
out.reference('reference', BytesSource(paint([items], DEVICE * SECTOR)))
plain = build_lsmt(items, DEVICE * SECTOR)
packed = build_zfile(plain, algo='zstd')
out.variable('layer', 'RAW %d@%d' % (len(packed), out.raw(packed)))
packed = build_zfile(plain)
out.variable('layer_lz4', 'RAW %d@%d' % (len(packed), out.raw(packed)))
packed = build_zfile(plain, block_crcs={1: 1})
out.variable('corrupt', 'RAW %d@%d' % (len(packed), out.raw(packed)))
out.variable('plain_bytes', len(plain))
out.variable('plain_sectors', len(plain) // SECTOR)
out.variable('device_sectors', DEVICE)
out.finish()
