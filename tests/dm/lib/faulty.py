# SPDX-License-Identifier: GPL-2.0
"""What a target must give when the device under it fails in known places."""

from obd_format import SECTOR
from obd_reader import BytesSource, ImageError, ZFile, open_device, survey


class FaultySource(BytesSource):
    """A device on which the sectors in BAD, (first, count) each, fail."""

    bad = ()

    def read(self, offset, length):
        first, end = offset // SECTOR, -(-(offset + length) // SECTOR)
        if any(first < start + count and end > start for start, count in self.bad):
            raise ImageError('corrupt', 5, 'bad sector')
        return super().read(offset, length)


def zfiles_of(content):
    if isinstance(content, ZFile):
        return [content]
    sources = [layer.source for layer in getattr(content, 'layers', ())]
    return [source for source in sources if isinstance(source, ZFile)]


def open_one(kind, image, sectors=None):
    """(the device, the source below it) of an image alone on its device."""
    source = FaultySource(image)
    return open_device(kind, [(source, 0, len(image))], sectors), source


def lost(kind, image, bad):
    """Ranges of sectors that cannot be read when those in BAD fail below."""
    device, source = open_one(kind, image)
    for zfile in zfiles_of(device.content):
        zfile._cache.clear()
    source.bad = bad
    return survey(device)[1]


def lost_to_corruption(image, position, value):
    """Of a ZFile read sector by sector: ranges lost when the byte at POSITION
    of each read of the device below becomes VALUE."""
    zfile = ZFile(BytesSource(image))
    sectors, unit = -(-zfile.size // SECTOR), zfile.block_size // SECTOR
    ranges = []
    for number, (start, end) in enumerate(zip(zfile.starts, zfile.starts[1:])):
        place = start // SECTOR * SECTOR + position
        if start <= place < end and image[place] != value:
            first = number * unit
            ranges.append((first, min(unit, sectors - first)))
    return ranges


def words(ranges):
    return ' '.join('%d %d' % one for one in ranges)
