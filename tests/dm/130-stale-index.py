#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Pairs of images that could be taken for each other."""

import struct

from obd_builder import build_lsmt, build_zfile, data, random_bytes, text_bytes
from obd_format import SECTOR
from obd_reader import BytesSource, ZFile
from plan_images import Output

BLOCK = 4096
out = Output()


def pair(name, kind, images, contents):
    if len(images[0]) != len(images[1]):
        raise SystemExit('%s: images differ in length' % name)
    for letter, image, content in zip('ab', images, contents):
        out.file('%s.%s' % (name, letter), image)
        out.reference('%s.%s.ref' % (name, letter), BytesSource(content))
    out.variable(name, '%s %d %d' % (kind, -(-len(contents[0]) // SECTOR), len(images[0])))


# The same blocks in another order: all lengths are the same, block by block or in
# sum, and without digests header and trailer are too.
soft, hard = text_bytes(9 * BLOCK), random_bytes(9 * BLOCK)
orders = [soft + hard, hard + soft]
pair('digest', 'zfile', [build_zfile(content) for content in orders], orders)
pair('streamed', 'zfile', [build_zfile(content, overwrite=False) for content in orders], orders)
pair('nodigest', 'zfile', [build_zfile(content, digest=False) for content in orders], orders)
# An index that is not kept in memory, whose parts, of 64 blocks each, have the same
# sums in both.
short = [text_bytes(SECTOR, seed) for seed in range(64)]
wide = [b''.join(order * 66) for order in (short, short[1::-1] + short[2:])]
pair('leaves', 'zfile', [build_zfile(content, block_size=SECTOR) for content in wide], wide)
# One part that has the right sum, but no block is empty.
index = ZFile(BytesSource(build_zfile(wide[0], block_size=SECTOR))).info.index_offset
bad = bytearray(build_zfile(wide[0], block_size=SECTOR))
sizes = struct.unpack_from('<2I', bad, index)
struct.pack_into('<2I', bad, index, sum(sizes), 0)
out.file('leaves.bad', bytes(bad))
stacks = [content + bytes(64 * SECTOR) for content in orders]
pair('lsmt', 'lsmt', [build_lsmt([data(0, content)], len(content) + 64 * SECTOR)
                      for content in orders], stacks)
moved = [bytes(SECTOR * at) + soft + bytes(SECTOR * (99 - at)) for at in (3, 70)]
pair('moved', 'lsmt', [build_lsmt([data(at, soft)], 99 * SECTOR + len(soft)) for at in (3, 70)],
     moved)
out.variable('all', 'digest streamed nodigest leaves lsmt moved')
out.finish()
