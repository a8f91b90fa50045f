#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Images with indexes so large that reading or merging them can be interrupted."""

from obd_builder import build_lsmt, build_zfile, zeroed
from plan_images import Output

out = Output()
zfile = build_zfile(bytes(60000 * 512), block_size=512)
lsmt = build_lsmt([zeroed(2 * i, 1) for i in range(20000)], 40000 * 512)
for name, kind, image, sectors in ('zfile', 'zfile', zfile, 60000), ('lsmt', 'lsmt', lsmt, 40000):
    out.file(name, image)
    out.variable(name, '0 %d %s LOWER %d' % (sectors, kind, len(image)))
# Two combs whose teeth alternate.
for number in 0, 1:
    image = build_lsmt([zeroed(4 * i + 2 * number, 1) for i in range(150000)], 600000 * 512)
    out.file('comb%d' % number, image)
out.variable('combs', '0 600000 lsmt LOOP0 %d LOOP1 %d' % (len(image), len(image)))
out.finish()
