#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The images of faulty_images on one disk, and for both sizes of its sectors what
bad ones cost.

Of each image NAME there is NAME_place, its first 512-byte sector on the disk, and
NAME_medium_SIZE and NAME_medium_lost_SIZE: the first and the number of bad sectors
of SIZE bytes, counted from the image, and what they cost. odd_place is where another
"bare" is, which does not begin at the start of 4096 bytes."""

from faulty import lost, words
from faulty_images import IMAGES, make
from obd_format import SECTOR

# Where the first image begins; all do at the start of sectors of 4096 bytes.
PLACE = 16


def medium(out, name, kind, image, unit):
    """A few bad sectors in the data, together as large as some blocks."""
    first = len(image) // 2 // unit
    count = 2 if unit > SECTOR else 5
    per = unit // SECTOR
    out.variable('%s_medium_%d' % (name, unit), '%d %d' % (first, count))
    out.variable('%s_medium_lost_%d' % (name, unit),
                 words(lost(kind, image, [(first * per, count * per)])))


def scsi(out):
    disk = bytearray(PLACE * SECTOR)
    for name, (kind, image) in IMAGES.items():
        out.variable(name + '_place', len(disk) // SECTOR)
        disk += image + bytes(-len(image) % 4096)
        for unit in 512, 4096:
            medium(out, name, kind, image, unit)
    disk += bytes(SECTOR)
    out.variable('odd_place', len(disk) // SECTOR)
    disk += IMAGES['bare'][1]
    out.file('disk', bytes(disk))


make(scsi)
