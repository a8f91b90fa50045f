#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""ZFiles of several block sizes and layers of both kinds, for 070-limits.sh."""

from obd_builder import build_lsmt, build_zfile, data, text_bytes
from obd_format import SECTOR
from plan_images import Output

BYTES = 8 << 20

out = Output()
content = text_bytes(BYTES, 1)
plain = build_lsmt([data(0, content[:1 << 20])], BYTES)


def place(name, image):
    out.variable(name, 'RAW %d@%d' % (len(image), out.raw(image)))


for block in 512, 4096, 65536:
    place('zfile_%d' % block, build_zfile(content, block_size=block))
place('layer_plain', plain)
place('layer_packed', build_zfile(plain, block_size=16384))
out.variable('sectors', BYTES // SECTOR)
out.finish()
