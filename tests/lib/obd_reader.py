# SPDX-License-Identifier: GPL-2.0
"""A strict reader of OverlayBD images: tar wrapper, ZFile, LSMT, stacks.

It accepts exactly what the device-mapper targets are meant to accept and
raises ImageError for the rest. Everything is a source: an object with `size`
(bytes) and `read(offset, length)`.
"""

import errno
import itertools
import os
import struct
from bisect import bisect_right
from collections import OrderedDict, namedtuple

from obd_codec import CODECS, CodecError
from obd_crc32c import BLOCK_SEED, crc32c
from obd_format import (
    INVALID_OFFSET, L_HEADER, L_SEALED, L_TYPE, LSMT, LSMT_MAGIC, SECTOR,
    ZFILE, ZFILE_MAGIC, Z_DIGEST, Z_HEADER, Z_INDEX_COMPRESSED, Z_OVERWRITE,
    Z_SEALED, Z_TYPE, unpack_mapping, zfile_digest)

MAX_LAYERS = 255
MAX_ZFILE_ENTRIES = 1_000_000_000
MAX_LSMT_ENTRIES = 1_000_000
MAX_MERGED_ENTRIES = 128_000_000
MAX_VIRTUAL_SIZE = 1 << 59
MAX_FILE_SIZE = (1 << 63) - 1
MAX_PAX_AREA = 1 << 20


def errno_name(number):
    # The table of names knows 95 by its other name.
    return ('EOPNOTSUPP' if number == errno.EOPNOTSUPP
            else errno.errorcode[number])


class ImageError(Exception):
    """kind: 'refused' (breaks a rule) or 'corrupt' (checksum, decoder).

    errno: what a table load is expected to fail with; EIO when a read failed.
    """

    def __init__(self, kind, number, text):
        super().__init__('%s: %s (%s)' % (kind, text, errno_name(number)))
        self.kind = kind
        self.errno = number


def refuse(text, number=errno.EINVAL):
    raise ImageError('refused', number, text)


def require(condition, text, number=errno.EINVAL):
    if not condition:
        refuse(text, number)


# --- sources ---------------------------------------------------------------

class BytesSource:
    def __init__(self, data):
        self.data = data
        self.size = len(data)

    def read(self, offset, length):
        return bytes(self.data[offset:offset + length])


class FileSource:
    """A file or a block device."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size = os.lseek(self.fd, 0, os.SEEK_END)

    def __del__(self):
        if hasattr(self, 'fd'):
            os.close(self.fd)

    def read(self, offset, length):
        data = os.pread(self.fd, length, offset)
        if len(data) != length:
            raise ImageError('corrupt', errno.EIO, 'short read')
        return data


class Window:
    """A byte range of another source."""

    def __init__(self, source, start, size):
        require(start + size <= source.size, 'beyond the end of the device')
        self.source, self.start, self.size = source, start, size

    def read(self, offset, length):
        return self.source.read(self.start + offset, length)


def as_source(item):
    if hasattr(item, 'read') and hasattr(item, 'size'):
        return item
    if isinstance(item, (bytes, bytearray, memoryview)):
        return BytesSource(item)
    return FileSource(item)


# --- tar -------------------------------------------------------------------

def is_tar_header(block):
    if len(block) < 512 or block[257:262] != b'ustar' or block[263:265] != b'00':
        return False
    blank = block[:148] + b' ' * 8 + block[156:512]
    unsigned = sum(blank)
    signed = unsigned - 256 * sum(byte > 127 for byte in blank)
    return _octal(block[148:156]) in (unsigned, signed)


def _octal(field):
    digits = field.split(b'\0')[0].strip()
    if digits and not digits.strip(b'01234567'):
        return int(digits, 8)
    return None


def pax_size(area):
    """The value of the last `size` record of a pax area, or None."""
    size = None
    while area and area[0] != 0:
        text, space, _ = area.partition(b' ')
        require(space and text.isdigit() and len(text) < 10, 'bad pax record')
        length = int(text)
        record = area[len(text) + 1:length]
        require(len(text) + 1 < length <= len(area) and record[-1:] == b'\n'
                and b'=' in record, 'bad pax record')
        key, _, value = record[:-1].partition(b'=')
        if key == b'size':
            require(value.isdigit() and len(value) < 20, 'bad pax size')
            size = int(value)
        area = area[length:]
    return size


def find_tar_payload(source):
    """(offset, length) of the payload, or None when this is not a tar."""
    if source.size < 512 or not is_tar_header(source.read(0, 512)):
        return None
    position, size = 0, None
    while True:
        require(position + 512 <= source.size, 'tar ends in its headers')
        header = source.read(position, 512)
        require(is_tar_header(header), 'bad tar header')
        octal = _octal(header[124:136])
        position += 512
        if header[156:157] not in b'xgLK':
            break
        require(octal is not None and octal <= MAX_PAX_AREA
                and position + octal <= source.size, 'bad tar header size')
        if header[156:157] in b'xg':
            size = pax_size(source.read(position, octal)) or size
        position += -(-octal // 512) * 512
    length = size or octal
    require(length, 'empty tar member')
    require(position + length <= source.size, 'tar payload beyond the end')
    return position, length


# --- ZFile -----------------------------------------------------------------

def is_zfile(source):
    if source.size < ZFILE.size:
        return False
    head = ZFILE.decode(source.read(0, ZFILE.size))
    return head.magic == ZFILE_MAGIC and bool(head.flags & Z_HEADER)


def _checked_zfile_block(block):
    fields = ZFILE.decode(block)
    if fields.flags & Z_DIGEST:
        if fields.digest != zfile_digest(block):
            raise ImageError('corrupt', errno.EUCLEAN, 'ZFile digest')
        # Without a digest the flag may be garbage: the index is then plain.
        require(not fields.flags & Z_INDEX_COMPRESSED,
                'compressed ZFile index', errno.EOPNOTSUPP)
    return fields


def _zfile_info(source):
    """The block that counts: the header, or the trailer it points to."""
    require(source.size >= 2 * ZFILE.size, 'too short for a ZFile')
    require(is_zfile(source), 'not a ZFile')
    header = _checked_zfile_block(source.read(0, ZFILE.size))
    if header.flags & Z_OVERWRITE:
        return header
    require(header.flags & Z_TYPE, 'ZFile header is not of a data file')
    block = source.read(source.size - ZFILE.size, ZFILE.size)
    trailer = ZFILE.decode(block)
    require(trailer.magic == ZFILE_MAGIC, 'ZFile trailer magic')
    require(trailer.flags & (Z_HEADER | Z_TYPE | Z_SEALED)
            == Z_TYPE | Z_SEALED, 'ZFile trailer flags')
    return _checked_zfile_block(block)


def _check_zfile_info(info, file_size):
    require(info.algo in CODECS, 'ZFile algorithm', errno.EOPNOTSUPP)
    require(info.use_dict == 0 and info.dict_size == 0, 'ZFile dictionary',
            errno.EOPNOTSUPP)
    require(512 <= info.block_size <= 65536
            and info.block_size & (info.block_size - 1) == 0,
            'ZFile block size')
    require(info.original_file_size <= MAX_FILE_SIZE, 'ZFile original size')
    require(info.index_size <= MAX_ZFILE_ENTRIES, 'too many ZFile blocks',
            errno.EFBIG)
    require(info.index_size
            == -(-info.original_file_size // info.block_size),
            'ZFile block count')
    require(info.index_offset >= ZFILE.size, 'ZFile index offset')
    require(info.index_offset + 4 * info.index_size
            <= file_size - ZFILE.size, 'ZFile index beyond the trailer')


class ZFile:
    """The uncompressed content of a ZFile, as a source."""

    CACHED_BLOCKS = 16

    def __init__(self, source):
        self.source = source
        self.info = _zfile_info(source)
        _check_zfile_info(self.info, source.size)
        self.size = self.info.original_file_size
        self.block_size = self.info.block_size
        self.crc_size = 4 if self.info.verify else 0
        _, bound, _, self._decompress = CODECS[self.info.algo]
        self.starts = self._read_index(bound(self.block_size) + self.crc_size)
        self._cache = OrderedDict()

    def _read_index(self, largest):
        info = self.info
        raw = self.source.read(info.index_offset, 4 * info.index_size)
        if info.flags & Z_DIGEST and crc32c(0, raw) != info.index_crc:
            raise ImageError('corrupt', errno.EUCLEAN, 'ZFile index CRC')
        sizes = struct.unpack('<%dI' % info.index_size, raw)
        if sizes:
            require(min(sizes) > self.crc_size, 'ZFile block too small')
            require(max(sizes) <= largest, 'ZFile block too large')
        starts = list(itertools.accumulate(sizes, initial=ZFILE.size))
        require(starts[-1] <= info.index_offset, 'ZFile blocks pass the index')
        return starts

    def _load(self, number):
        start, end = self.starts[number], self.starts[number + 1]
        raw = self.source.read(start, end - start)
        payload = raw[:len(raw) - self.crc_size]
        if self.crc_size and crc32c(BLOCK_SEED, payload) != int.from_bytes(
                raw[-4:], 'little'):
            raise ImageError('corrupt', errno.EIO, 'CRC of block %d' % number)
        want = min(self.block_size, self.size - number * self.block_size)
        try:
            data = self._decompress(payload, want)
        except CodecError as error:
            raise ImageError('corrupt', errno.EIO,
                             'block %d: %s' % (number, error)) from None
        if len(data) != want:
            raise ImageError('corrupt', errno.EIO,
                             'block %d: %d bytes instead of %d'
                             % (number, len(data), want))
        return data

    def block(self, number):
        data = self._cache.get(number)
        if data is None:
            data = self._cache[number] = self._load(number)
            if len(self._cache) > self.CACHED_BLOCKS:
                self._cache.popitem(last=False)
        return data

    def read(self, offset, length):
        """Bytes [offset, offset+length), cut at the end of the content."""
        end = min(offset + length, self.size)
        pieces = []
        while offset < end:
            number, skip = divmod(offset, self.block_size)
            pieces.append(self.block(number)[skip:skip + end - offset])
            offset += len(pieces[-1])
        return b''.join(pieces)


# --- LSMT ------------------------------------------------------------------

Entry = namedtuple('Entry', 'offset length moffset zeroed')


class Lsmt:
    """One sealed layer: `entries` sorted, plus `source` for their data."""

    def __init__(self, source):
        self.source = source
        require(source.size >= 2 * LSMT.size, 'too short for an LSMT layer')
        self.header = LSMT.decode(source.read(0, LSMT.size))
        require(self.header.magic == LSMT_MAGIC, 'LSMT magic')
        require(self.header.flags & (L_HEADER | L_TYPE) == L_HEADER | L_TYPE,
                'LSMT header flags')
        trailer_offset = source.size - LSMT.size
        self.trailer = LSMT.decode(source.read(trailer_offset, LSMT.size))
        self._check_trailer(trailer_offset)
        self.virtual_size = self.trailer.virtual_size
        self.entries = self._read_entries()

    def _check_trailer(self, trailer_offset):
        trailer = self.trailer
        require(trailer.magic == LSMT_MAGIC, 'LSMT trailer magic')
        require(trailer.flags & (L_HEADER | L_TYPE | L_SEALED)
                == L_TYPE | L_SEALED, 'LSMT trailer flags: not sealed')
        require(trailer.index_size <= MAX_LSMT_ENTRIES,
                'too many LSMT entries', errno.EFBIG)
        require(trailer.index_offset >= LSMT.size
                and trailer.index_offset % SECTOR == 0, 'LSMT index offset')
        require(trailer.index_offset + 16 * trailer.index_size
                <= trailer_offset, 'LSMT index beyond the trailer')
        require(trailer.virtual_size <= MAX_VIRTUAL_SIZE, 'LSMT virtual size')

    def _read_entries(self):
        trailer = self.trailer
        raw = self.source.read(trailer.index_offset, 16 * trailer.index_size)
        data_end = trailer.index_offset // SECTOR
        entries, position = [], 0
        for words in struct.iter_unpack('<QQ', raw):
            offset, length, moffset, zeroed, _ = unpack_mapping(*words)
            if offset == INVALID_OFFSET:
                continue
            require(length > 0, 'LSMT entry of length 0')
            require(offset >= position, 'LSMT entries out of order')
            if not zeroed:
                require(moffset >= LSMT.size // SECTOR
                        and moffset + length <= data_end,
                        'LSMT entry outside the data')
            position = offset + length
            entries.append(Entry(offset, length, moffset, bool(zeroed)))
        return entries


# --- stacks ----------------------------------------------------------------

Segment = namedtuple('Segment', 'offset length moffset zeroed layer')


def _clip(entry, start, end, layer):
    """[the part of ENTRY inside [start, end) as a segment of LAYER], or []."""
    first = max(entry.offset, start)
    last = min(entry.offset + entry.length, end)
    if first >= last:
        return []
    moffset = entry.moffset + (0 if entry.zeroed else first - entry.offset)
    return [Segment(first, last - first, moffset, entry.zeroed, layer)]


def _fill_gaps(upper, lower, layer):
    """UPPER's segments, and in the gaps between them what LOWER has there."""
    result, here, i = [], 0, 0
    for segment in upper + [None]:
        end = segment.offset if segment else 1 << 63
        while i < len(lower) and lower[i].offset < end:
            result += _clip(lower[i], here, end, layer)
            if lower[i].offset + lower[i].length > end:
                break
            i += 1
        if segment:
            result.append(segment)
            here = segment.offset + segment.length
    return result


def merge(layers):
    """Segments of the stack LAYERS (lowest first), sorted, holes left out."""
    merged = []
    for number in reversed(range(len(layers))):
        merged = _fill_gaps(merged, layers[number].entries, number)
        require(len(merged) <= MAX_MERGED_ENTRIES, 'too many segments',
                errno.EFBIG)
    return merged


def stack_virtual_size(layers):
    for layer in reversed(layers):
        if layer.virtual_size:
            return layer.virtual_size
    return refuse('virtual size 0 in all layers')


class Image:
    """A stack of layers as one source of `size` bytes."""

    def __init__(self, layers):
        require(1 <= len(layers) <= MAX_LAYERS, '%d layers' % len(layers))
        self.layers = layers
        self.size = stack_virtual_size(layers)
        self._segments = merge(layers)
        self._starts = [segment.offset for segment in self._segments]

    def segments(self):
        """Mapped ranges in sectors, not clipped to the virtual size."""
        return self._segments

    def read(self, offset, length):
        """Bytes [offset, offset+length), cut at the end of the image."""
        end = min(offset + length, self.size)
        pieces, here = [], offset
        number = max(0, bisect_right(self._starts, offset // SECTOR) - 1)
        for segment in itertools.islice(self._segments, number, None):
            start = max(here, segment.offset * SECTOR)
            if start >= end:
                break
            stop = min(end, (segment.offset + segment.length) * SECTOR)
            if stop <= start:
                continue
            pieces += [bytes(start - here),
                       self._read_segment(segment, start, stop - start)]
            here = stop
        pieces.append(bytes(max(0, end - here)))
        return b''.join(pieces)

    def _read_segment(self, segment, offset, length):
        if segment.zeroed:
            return bytes(length)
        skip = offset - segment.offset * SECTOR
        return self.layers[segment.layer].source.read(
            segment.moffset * SECTOR + skip, length)


# --- entry points ----------------------------------------------------------

def unwrap(item):
    """(payload source without tar, tar (offset, length) or None)"""
    source = as_source(item)
    tar = find_tar_payload(source)
    return (Window(source, *tar) if tar else source), tar


def open_payload(item):
    """Any ZFile, tar or not, as a source of its uncompressed content."""
    return ZFile(unwrap(item)[0])


def open_layer(source):
    return Lsmt(ZFile(source) if is_zfile(source) else source)


def open_image(items):
    """An image from paths, bytes or sources, lowest layer first."""
    require(1 <= len(items) <= MAX_LAYERS, '%d layers' % len(items))
    return Image([open_layer(unwrap(item)[0]) for item in items])


class Device:
    """What a target shows: `sectors` of 512 bytes."""

    def __init__(self, content, sectors):
        self.content, self.sectors = content, sectors

    def read_sectors(self, first, count):
        size = self.content.size
        start, length = first * SECTOR, count * SECTOR
        have = max(0, min(length, size - start))
        return self.content.read(start, have).ljust(length, b'\0')


def open_device(kind, layers, sectors=None):
    """A target as its table line describes it: no tar, explicit ranges.

    KIND is 'zfile' or 'lsmt', LAYERS a list of (item, start sector, bytes),
    SECTORS the table's length (default: all of it).
    """
    sources = []
    for item, start, size in layers:
        require(start < 1 << 55 and size < 1 << 63, 'layer range')
        sources.append(Window(as_source(item), start * SECTOR, size))
    if kind == 'zfile':
        require(len(sources) == 1, 'zfile takes one device')
        content = ZFile(sources[0])
        available = -(-content.size // SECTOR)
    else:
        require(1 <= len(sources) <= MAX_LAYERS, '%d layers' % len(sources))
        content = Image([open_layer(source) for source in sources])
        available = content.size // SECTOR
    require(available > 0, 'empty image')
    require(sectors is None or sectors <= available,
            'table longer than the image')
    return Device(content, sectors or available)


def survey(device, chunk=128):
    """(content with unreadable sectors as zeros, [(first, count)] of those)"""
    pieces, bad = [], []
    for first in range(0, device.sectors, chunk):
        count = min(chunk, device.sectors - first)
        try:
            pieces.append(device.read_sectors(first, count))
            continue
        except ImageError:
            pass
        for sector in range(first, first + count):
            try:
                pieces.append(device.read_sectors(sector, 1))
            except ImageError:
                pieces.append(bytes(SECTOR))
                if bad and sum(bad[-1]) == sector:
                    bad[-1] = (bad[-1][0], bad[-1][1] + 1)
                else:
                    bad.append((sector, 1))
    return b''.join(pieces), bad
