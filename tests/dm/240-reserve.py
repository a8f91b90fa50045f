#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""ZFiles of large blocks that hardly compress: reading one takes as much memory. One
block is corrupt, and a bad sector is to cost another one. And one whose blocks are of
very different size on disk."""

from faulty import lost, words
from obd_builder import build_zfile, random_bytes, text_bytes
from obd_format import SECTOR
from obd_reader import BytesSource, ZFile
from plan_images import Output

BLOCK = 65536
CORRUPT = 7
CONTENT = random_bytes(10 * BLOCK) + text_bytes(3 * BLOCK) + random_bytes(4321, 1)

out = Output()
out.reference('ref', BytesSource(CONTENT))
for algo in 'lz4', 'zstd':
    image = build_zfile(CONTENT, algo=algo, block_size=BLOCK, block_crcs={CORRUPT: 1})
    sectors = -(-len(image) // SECTOR)
    bad = sectors // 4
    gone = lost('zfile', image, [(bad, 1)])
    assert len(gone) == 2 and all(count == BLOCK // SECTOR for _, count in gone)
    start = out.raw(image)
    out.variable(algo + '_below', '0 %d linear RAW %d\n%d 1 error\n%d %d linear RAW %d' % (
        bad, start, bad, bad + 1, sectors - bad - 1, start + bad + 1))
    sectors = -(-len(CONTENT) // SECTOR)
    out.variable(algo, '0 %d zfile /dev/mapper/below %d' % (sectors, len(image)))
    out.variable(algo + '_alone', '0 %d zfile RAW %d@%d' % (sectors, len(image), start))
    out.variable(algo + '_lost', words(gone))
# What does not compress takes more than 64 KiB for 64 KiB.
FINE = random_bytes(32 * 65536, 2)
image = build_zfile(FINE)
start = out.raw(image)
out.variable('fine', '0 %d zfile RAW %d@%d' % (len(FINE) // SECTOR, len(image), start))
out.variable('fine_sectors', len(FINE) // SECTOR)
out.reference('fine.ref', BytesSource(FINE))
# So many that not all of the jump table is kept. The first is small, the second is not.
many = bytes(BLOCK) + random_bytes(BLOCK, 3) + bytes(4095 * BLOCK)
image = build_zfile(many, block_size=BLOCK)
out.file('many', image)
out.variable('many', '%d zfile /dev/ram0 %d' % (len(many) // SECTOR, len(image)))
out.variable('many_index', ZFile(BytesSource(image)).info.index_offset)
out.finish()
