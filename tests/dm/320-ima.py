#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A bare layer and a compressed one, behind each other on one disk."""

from obd_builder import build_lsmt, build_zfile, data, text_bytes
from plan_images import Output

out = Output()
out.raw(bytes(7 * 512))
bare = build_lsmt([data(3, text_bytes(300 * 512, 1))], 512 * 512)
out.variable('bare_sectors', len(bare) // 512)
for name, image in ('bare', bare), ('packed', build_zfile(bare)):
    out.variable(name + '_bytes', len(image))
    out.variable(name + '_start', out.raw(image))
out.finish()
