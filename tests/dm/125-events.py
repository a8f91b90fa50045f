#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Images with one corrupt block each, and where that block is; and one without."""

from obd_builder import build_lsmt, build_zfile, data, text_bytes
from obd_codec import zstd_compress
from obd_format import SECTOR
from obd_reader import BytesSource, ZFile, open_device, survey
from plan_images import Output

BLOCK = 4096
BAD = 7
out = Output()


def image(name, kind, content, sectors, **options):
    """The variables are: kind, sectors, bytes; NAME_byte: where in the file the bad
    block begins; NAME_lost: the first sector it costs, and how many."""
    file = build_zfile(content, **options)
    device = open_device(kind, [(BytesSource(file), 0, len(file))], sectors)
    _, bad = survey(device)
    if len(bad) != 1:
        raise SystemExit('%s: %d ranges are lost' % (name, len(bad)))
    out.file(name, bytes(16 * SECTOR) + file)
    out.variable(name, '%s %d %d' % (kind, sectors, len(file)))
    out.variable(name + '_byte', ZFile(BytesSource(file)).starts[BAD])
    out.variable(name + '_lost', '%d %d' % bad[0])


TEXT = text_bytes(20 * BLOCK)
image('crc', 'zfile', TEXT, 160, block_crcs={BAD: 1})
image('lz4', 'zfile', TEXT, 160, blocks={BAD: b'\xff' * 99}, verify=0)
# The first 4096 bytes of the layer are its header.
image('lsmt', 'lsmt', build_lsmt([data(50, TEXT)], 300 * SECTOR), 300, block_crcs={BAD: 1})
# Its jump table is too large to be kept in memory.
content = text_bytes(4200 * SECTOR, 3)
wide = build_zfile(content, block_size=SECTOR)
out.file('wide', bytes(16 * SECTOR) + wide)
out.variable('wide', 'zfile %d %d' % (len(content) // SECTOR, len(wide)))
# A layer below "lsmt", whose bad block hides it.
other = build_zfile(build_lsmt([data(0, text_bytes(90 * SECTOR, 2))], 300 * SECTOR))
out.file('other', bytes(3 * SECTOR) + other)
out.variable('other_bytes', len(other))
# Blocks with a checksum of what they contain, which the decompressor looks at again;
# and not larger than a page, so that it writes to the pages of who reads.
summed = text_bytes(16 * BLOCK, 1)
file = build_zfile(summed, algo='zstd', blocks={
    i: zstd_compress(summed[i * BLOCK:][:BLOCK], checksum=True) for i in range(16)})
out.file('summed', bytes(16 * SECTOR) + file)
out.variable('summed', 'zfile %d %d' % (len(summed) // SECTOR, len(file)))
out.reference('summed.ref', BytesSource(summed))
out.finish()
