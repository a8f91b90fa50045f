# SPDX-License-Identifier: GPL-2.0
"""Where the bytes are: the ZFile and LSMT blocks and the segment mapping.

Layouts only, no rules: the reader and the builder (which must be able to
break every rule) share these tables and nothing else.
"""

import struct
from types import SimpleNamespace

from obd_crc32c import crc32c

SECTOR = 512


class Layout:
    """A fixed block of named little-endian fields at fixed offsets."""

    def __init__(self, size, fields):
        self.size = size
        self.fields = {name: (offset, '<' + code)
                       for name, (offset, code) in fields.items()}

    def decode(self, block):
        return SimpleNamespace(**{
            name: struct.unpack_from(code, block, offset)[0]
            for name, (offset, code) in self.fields.items()})

    def patch(self, block, values):
        """BLOCK with the given fields replaced."""
        block = bytearray(block)
        for name, value in values.items():
            offset, code = self.fields[name]
            struct.pack_into(code, block, offset, value)
        return bytes(block)

    def encode(self, values):
        return self.patch(bytes(self.size), values)


ZFILE_MAGIC = bytes.fromhex('5a46696c65000100'
                            '74756a692e79796640416c6962616261')
ZFILE = Layout(512, {
    'magic': (0, '24s'), 'size': (24, 'I'), 'digest': (28, 'I'),
    'flags': (32, 'Q'), 'index_offset': (40, 'Q'), 'index_size': (48, 'Q'),
    'original_file_size': (56, 'Q'), 'index_crc': (64, 'I'),
    'reserved68': (68, 'I'), 'block_size': (72, 'I'), 'algo': (76, 'B'),
    'level': (77, 'B'), 'use_dict': (78, 'B'), 'padding79': (79, 'B'),
    'reserved80': (80, 'I'), 'dict_size': (84, 'I'), 'verify': (88, 'B'),
    'padding89': (89, '7s'), 'reserved': (96, '416s'),
})
Z_HEADER, Z_TYPE, Z_SEALED, Z_OVERWRITE, Z_DIGEST, Z_INDEX_COMPRESSED = (
    1 << bit for bit in range(6))

LSMT_MAGIC = bytes.fromhex('4c534d5400010200'
                           '657e63d29444084ca2d2c8ec4fcfae8a')
LSMT = Layout(4096, {
    'magic': (0, '24s'), 'size': (24, 'I'), 'flags': (28, 'I'),
    'index_offset': (32, 'Q'), 'index_size': (40, 'Q'),
    'virtual_size': (48, 'Q'), 'uuid': (56, '37s'),
    'parent_uuid': (93, '37s'), 'from': (130, 'B'), 'to': (131, 'B'),
    'version': (132, 'B'), 'sub_version': (133, 'B'),
    'user_tag': (134, '256s'), 'reserved': (390, '3706s'),
})
L_HEADER, L_TYPE, L_SEALED = (1 << bit for bit in range(3))

OFFSET_MASK = (1 << 50) - 1
INVALID_OFFSET = OFFSET_MASK
MOFFSET_MASK = (1 << 55) - 1
MAX_LENGTH = (1 << 14) - 1
INVALID_ENTRY = struct.pack('<QQ', INVALID_OFFSET, 0)


def pack_mapping(offset, length, moffset, zeroed=0, tag=0):
    return struct.pack('<QQ', offset | length << 50,
                       moffset | (1 << 55 if zeroed else 0) | tag << 56)


def unpack_mapping(word0, word1):
    """(offset, length, moffset, zeroed, tag)"""
    return (word0 & OFFSET_MASK, word0 >> 50, word1 & MOFFSET_MASK,
            word1 >> 55 & 1, word1 >> 56)


def zfile_digest(block):
    return crc32c(0, ZFILE.patch(block, {'digest': 0}))
