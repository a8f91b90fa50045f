# SPDX-License-Identifier: GPL-2.0
"""A set of images and, for each, which sectors are lost to which faults below it.

The guest gets, per image NAME: the file NAME, its content NAME.ref, and variables
	NAME		kind, sectors, bytes of the image
	NAME_index	sector where its index begins
	NAME_bad	bad sectors below, NAME_lost what they cost
	NAME_cut	sectors left of a truncated image, NAME_cut_lost what that costs
	NAME_corrupt	what is lost when byte 600 of each read becomes 66
and small_index_lost, a sector (and block) whose entry of the jump table then is wrong,
which begins at byte small_index_byte of the file; the file nocrc, whose bad block only
the decompressor sees, and nocrc_lost.
"""

from faulty import lost, lost_to_corruption, open_one, words
from obd_builder import build_lsmt, build_zfile, data, random_bytes, text_bytes, zeroed
from obd_format import LSMT, SECTOR
from obd_reader import BytesSource, ZFile, is_zfile, survey
from plan_images import Output

TEXT = text_bytes(300000) + random_bytes(30000, 1) + text_bytes(123, 2)
LAYER = build_lsmt([data(0, text_bytes(100 * SECTOR, 3)), zeroed(100, 50),
                    data(203, text_bytes(333 * SECTOR, 4)),
                    data(1000, random_bytes(64 * SECTOR, 5))], 1 << 20)
IMAGES = {
    'lz4': ('zfile', build_zfile(TEXT)),
    'zstd': ('zfile', build_zfile(TEXT, algo='zstd', block_size=65536)),
    # Its jump table is too large to be kept in memory.
    'small': ('zfile', build_zfile(text_bytes(4200 * 512, 6), block_size=512)),
    'bare': ('lsmt', LAYER),
    'fused': ('lsmt', build_zfile(LAYER)),
}


def index_sector(kind, image):
    """Where the index of the file that lies on the disk begins."""
    if is_zfile(BytesSource(image)):
        return ZFile(BytesSource(image)).info.index_offset // SECTOR
    return LSMT.decode(image[-LSMT.size:]).index_offset // SECTOR


def describe(out, name, kind, image):
    out.file(name, image)
    device, _ = open_one(kind, image)
    out.variable(name + '_index', index_sector(kind, image))
    content, _ = survey(device)
    out.reference(name + '.ref', BytesSource(content))
    sectors = -(-len(image) // SECTOR)
    # One alone, two neighbours, many; all of them in the data.
    bad = [(20, 1), (sectors // 3, 2), (sectors // 2, 40)]
    cut = sectors * 2 // 3 // 8 * 8
    out.variable(name, '%s %d %d' % (kind, device.sectors, len(image)))
    out.variable(name + '_bad', words(bad))
    out.variable(name + '_lost', words(lost(kind, image, bad)))
    out.variable(name + '_cut', cut)
    cut_lost = lost(kind, image, [(cut, sectors)])
    if name == 'small':
        cut_lost = [(0, device.sectors)]    # the index is behind the cut
    out.variable(name + '_cut_lost', words(cut_lost))
    if name in ('lz4', 'zstd'):
        out.variable(name + '_corrupt', words(lost_to_corruption(image, 599, 0x42)))


def index_lost(image, position, value):
    """A block whose entry of the jump table is lost to a changed byte in each
    block of 4096 bytes, the unit in which the table is read, and its place."""
    info = ZFile(BytesSource(image)).info
    place = -(-(info.index_offset - position) // 4096) * 4096 + position
    while image[place] == value:
        place += 4096
    block = (place - info.index_offset) // 4
    return block, info.index_offset + 4 * block


def make(more=None):
    """MORE adds to the output what one test alone needs."""
    out = Output()
    for name, (kind, image) in IMAGES.items():
        describe(out, name, kind, image)
    out.variable('all', ' '.join(IMAGES))
    block, byte = index_lost(IMAGES['small'][1], 599, 0x42)
    out.variable('small_index_lost', block)     # its blocks are sectors
    out.variable('small_index_byte', byte)
    nocrc = build_zfile(TEXT, verify=0, blocks={3: b'\xff' * 40})
    out.file('nocrc', nocrc)
    out.variable('nocrc', 'zfile %d %d' % (-(-len(TEXT) // SECTOR), len(nocrc)))
    out.variable('nocrc_lost', '24 8')
    if more:
        more(out)
    out.finish()
