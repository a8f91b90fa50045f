# SPDX-License-Identifier: GPL-2.0
"""Makes OverlayBD images, valid by default and broken on request.

LSMT   build_lsmt(items, virtual_size, ...): items are made by data(), zeroed(),
       invalid() and raw(), in index order. paint() is the brute-force oracle
       for what a stack of such item lists contains.
ZFile  build_zfile(payload, ...): every field, index entry, block payload and
       checksum can be replaced; checksums are repaired unless they are the
       thing replaced.
tar    tar_ustar(), tar_pax().
Everything is deterministic: what looks random comes from a seed.
"""

import random
import struct
from collections import namedtuple

from obd_codec import ALGO_NUMBER, CODECS, ZSTD_MAGIC
from obd_crc32c import BLOCK_SEED, crc32c
from obd_format import (
    INVALID_ENTRY, INVALID_OFFSET, LSMT, LSMT_MAGIC, MAX_LENGTH, SECTOR,
    ZFILE, ZFILE_MAGIC, Z_DIGEST, Z_HEADER, Z_OVERWRITE, Z_SEALED, Z_TYPE,
    pack_mapping, zfile_digest)

ZERO_UUID = '00000000-0000-0000-0000-000000000000'


# --- contents --------------------------------------------------------------

def random_bytes(size, seed=0):
    return random.Random(seed).randbytes(size)


def text_bytes(size, seed=0):
    """Compressible bytes, no two sectors alike."""
    rng = random.Random(seed)
    words = [b'%x' % rng.getrandbits(rng.randrange(40, 160))
             for _ in range(32)]
    out = bytearray()
    while len(out) < size:
        out += b'%d ' % len(out) + rng.choice(words) + b' '
    return bytes(out[:size])


# --- LSMT ------------------------------------------------------------------

# kind: 'data', 'zeroed' or 'raw'; for raw, word0 and word1 say it all.
Item = namedtuple('Item', 'kind offset length content moffset tag word0 word1')


def data(offset, content, tag=0, moffset=None):
    """CONTENT (whole sectors) at sector OFFSET; with MOFFSET the bytes are
    not stored: the entry points there."""
    return Item('data', offset, len(content) // SECTOR, content, moffset, tag,
                0, 0)


def zeroed(offset, length, tag=0, moffset=None):
    """A zeroed range; MOFFSET defaults to the end of the data so far."""
    return Item('zeroed', offset, length, b'', moffset, tag, 0, 0)


def raw(word0, word1):
    """An index entry given as its two words; paint() does not see it."""
    return Item('raw', 0, 0, b'', None, 0, word0, word1)


def invalid(length=0, word1=0):
    """An entry that readers drop, wherever it stands and whatever else it
    says."""
    return raw(INVALID_OFFSET | length << 50, word1)


def _split(item):
    """An item longer than one entry can say, as several."""
    if item.kind == 'raw' or item.length <= MAX_LENGTH:
        return [item]
    parts, step = [], MAX_LENGTH - 1
    for first in range(0, item.length, step):
        length = min(step, item.length - first)
        parts.append(item._replace(
            offset=item.offset + first, length=length,
            content=item.content[first * SECTOR:(first + length) * SECTOR]))
    return parts


def _lay_out(items, rng):
    """(data area, index entries). With RNG in log order: shuffled, with
    garbage that no entry refers to."""
    stored = [i for i, item in enumerate(items)
              if item.kind == 'data' and item.moffset is None]
    if rng:
        rng.shuffle(stored)
    area, places = bytearray(), {}
    for i in stored:
        if rng:
            area += rng.randbytes(SECTOR * rng.randrange(0, 3))
        places[i] = (LSMT.size + len(area)) // SECTOR
        area += items[i].content
    entries, end = [], LSMT.size // SECTOR
    for i, item in enumerate(items):
        if item.kind == 'raw':
            entries.append(struct.pack('<QQ', item.word0, item.word1))
            continue
        moffset = item.moffset
        if moffset is None:
            moffset = places.get(i, end)
        entries.append(pack_mapping(item.offset, item.length, moffset,
                                    item.kind == 'zeroed', item.tag))
        if item.kind == 'data':
            end = moffset + item.length
    return bytes(area), entries


def _uuid_field(text):
    return text.encode().ljust(37, b'\0')


def build_lsmt(items, virtual_size, form='committed', padding=None, seed=0,
               uuid=ZERO_UUID, parent_uuid=ZERO_UUID, tag=b'', header=None,
               trailer=None):
    """One sealed layer.

    form     'committed', 'sealed' (in place: log order, garbage between,
             header not sealed) or 'sparse' (sealed in place, sparse flag)
    padding  'counted' (INVALID entries up to a multiple of 256, part of
             index_size), 'uncounted' (garbage up to 512 bytes), 'none';
             default: as the form has it
    header, trailer   field values that replace the right ones
    """
    items = [part for item in items for part in _split(item)]
    rng = None if form == 'committed' else random.Random(seed)
    area, entries = _lay_out(items, rng)
    padding = padding or ('counted' if form == 'committed' else 'uncounted')
    if padding == 'counted':
        entries += [INVALID_ENTRY] * (-len(entries) % 256)
    index = b''.join(entries)
    if padding == 'uncounted':
        index += random_bytes(-len(index) % SECTOR, seed + 1)
    common = {
        'magic': LSMT_MAGIC, 'size': 390, 'virtual_size': virtual_size,
        'uuid': _uuid_field(uuid), 'parent_uuid': _uuid_field(parent_uuid),
        'version': 1, 'sub_version': 1, 'user_tag': tag}
    sparse = 0x10 if form == 'sparse' else 0
    head = dict(common, flags=(7 if form == 'committed' else 3) | sparse)
    tail = dict(common, flags=6 | sparse, index_size=len(entries),
                index_offset=LSMT.size + len(area))
    return (LSMT.encode({**head, **(header or {})}) + area + index +
            LSMT.encode({**tail, **(trailer or {})}))


def paint(layers, size):
    """The SIZE bytes that a stack of item lists (lowest first) shows."""
    device = bytearray(size)
    for items in layers:
        for item in items:
            start = item.offset * SECTOR
            end = min(start + item.length * SECTOR, size)
            if item.kind == 'raw' or end <= start:
                continue
            content = item.content if item.kind == 'data' else bytes(
                end - start)
            device[start:end] = content[:end - start]
    return bytes(device)


# --- compressed payloads no compressor writes --------------------------------

def lz4_literals(content):
    """CONTENT as one run of LZ4 literals: the largest valid form."""
    length = len(content)
    if length < 15:
        return bytes([length << 4]) + content
    extra, rest = divmod(length - 15, 255)
    return b'\xf0' + b'\xff' * extra + bytes([rest]) + content


def zstd_skippable(content, number=0):
    return struct.pack('<II', 0x184D2A50 + number, len(content)) + content


def zstd_raw_frame(content, window=None, content_size=None, dict_id=None,
                   checksum=None, block_type=0, block_size=None, reserved=0):
    """A ZSTD frame of one uncompressed block, header fields as told.

    WINDOW is the window descriptor byte; None makes a single-segment frame.
    With BLOCK_TYPE 1 the block is a run of BLOCK_SIZE times CONTENT[0].
    """
    descriptor = (0x20 if window is None else 0) | reserved << 3
    head = b'' if window is None else bytes([window])
    if dict_id is not None:
        descriptor |= 3
        head += struct.pack('<I', dict_id)
    if content_size is not None or window is None:
        descriptor |= 0xC0
        head += struct.pack('<Q', len(content) if content_size is None
                            else content_size)
    if checksum is not None:
        descriptor |= 4
    size = len(content) if block_size is None else block_size
    block = struct.pack('<I', 1 | block_type << 1 | size << 3)[:3] + content
    return (struct.pack('<IB', ZSTD_MAGIC, descriptor) + head + block +
            (b'' if checksum is None else struct.pack('<I', checksum)))


# --- ZFile -----------------------------------------------------------------

def _unwritten(rng):
    """What a producer leaves in the bytes it does not write: zeros, or with
    RNG garbage, as files of 2021 have it."""
    if not rng:
        return {'flags': 0}
    return {'flags': rng.getrandbits(58) << 6, 'digest': rng.getrandbits(32),
            'index_offset': rng.getrandbits(64),
            'index_size': rng.getrandbits(64),
            'original_file_size': rng.getrandbits(64),
            'index_crc': rng.getrandbits(32),
            'reserved68': rng.getrandbits(32),
            'padding89': rng.randbytes(7), 'reserved': rng.randbytes(416)}


def seal_zfile_block(block):
    """BLOCK with its digest made right if flag bit 4 says that it has one."""
    if not ZFILE.decode(block).flags & Z_DIGEST:
        return block
    return ZFILE.patch(block, {'digest': zfile_digest(block)})


def _zfile_block(values, rng, overrides, repair):
    unwritten = _unwritten(rng)
    flags = values['flags'] | unwritten['flags']
    block = seal_zfile_block(ZFILE.encode({**unwritten, **values,
                                           'flags': flags}))
    block = ZFILE.patch(block, overrides)
    if repair and 'digest' not in overrides:
        block = seal_zfile_block(block)
    return block


def _index_crc(values, middle):
    """The CRC of what VALUES say is the index, in the bytes after 512."""
    start = values['index_offset'] - ZFILE.size
    end = start + 4 * values['index_size']
    return crc32c(0, middle[start:end] if 0 <= start <= end <= len(middle)
                  else b'')


def _compress(payload, algo, block_size, verify, blocks, block_crcs):
    """(bytes of all blocks, size of each)"""
    body, sizes = bytearray(), []
    for number, start in enumerate(range(0, len(payload), block_size)):
        block = blocks.get(number)
        if block is None:
            block = CODECS[algo][2](payload[start:start + block_size])
        body += block
        if verify:
            crc = block_crcs.get(number, crc32c(BLOCK_SEED, block))
            body += struct.pack('<I', crc)
        sizes.append(len(block) + (4 if verify else 0))
    return bytes(body), sizes


def build_zfile(payload, algo='lz4', block_size=4096, verify=1,
                overwrite=True, digest=True, garbage=None, blocks=None,
                block_crcs=None, edit_index=None, gap=b'', fields=None,
                header=None, trailer=None, repair=True):
    """A ZFile holding PAYLOAD.

    overwrite   the header holds the final values (flag bit 3); otherwise
                only the trailer does
    digest      flag bit 4, digests and index CRC; False is the old style
    garbage     seed of the garbage that old producers left in all they did
                not write (needs digest=False)
    blocks      {number: compressed payload, used as it is}
    block_crcs  {number: stored CRC}
    edit_index  function from the list of index entries to the one written
    gap         bytes between the last block and the index
    fields      values replaced in every block that holds the final values;
    header, trailer   in this one only. Digests and index_crc then follow
                (unless they are replaced themselves or repair is False)
    """
    number = ALGO_NUMBER[algo]
    body, sizes = _compress(payload, number, block_size, verify,
                            blocks or {}, block_crcs or {})
    sizes = edit_index(sizes) if edit_index else sizes
    middle = body + gap + struct.pack('<%dI' % len(sizes), *sizes)
    first = {'magic': ZFILE_MAGIC, 'size': 96, 'block_size': block_size,
             'algo': number, 'level': 0, 'use_dict': 0, 'dict_size': 0,
             'verify': verify,
             'flags': Z_HEADER | Z_TYPE | (Z_DIGEST if digest else 0)}
    final = dict(first, index_offset=ZFILE.size + len(body) + len(gap),
                 index_size=len(sizes), original_file_size=len(payload))
    fields = fields or {}
    if digest:
        final['index_crc'] = _index_crc(
            {**final, **fields} if repair else final, middle)
    head = dict(final, flags=first['flags'] | Z_OVERWRITE) if overwrite else first
    tail = dict(final, flags=first['flags'] & ~Z_HEADER | Z_SEALED)
    rng = None if garbage is None else random.Random(garbage)
    return (_zfile_block(head, rng, {**(fields if overwrite else {}),
                                     **(header or {})}, repair) + middle +
            _zfile_block(tail, rng, {**fields, **(trailer or {})}, repair))


# --- tar -------------------------------------------------------------------

def tar_header(name, size, typeflag=b'0', mode=b'0000444'):
    block = bytearray(512)
    block[0:len(name)] = name
    block[100:107] = mode
    block[108:115] = block[116:123] = b'0000000'
    block[124:135] = b'%011o' % size
    block[136:147] = b'%011o' % 0
    block[148:156] = b' ' * 8
    block[156:157] = typeflag
    block[257:265] = b'ustar\x0000'
    block[148:155] = b'%06o\0' % sum(block)
    return bytes(block)


def _tar_end(payload):
    return bytes(-len(payload) % 512 + 1024)


def tar_ustar(payload, name=b'overlaybd.commit'):
    """Payload at 512."""
    return tar_header(name, len(payload)) + payload + _tar_end(payload)


def pax_record(key, value):
    body = b' %s=%s\n' % (key, value)
    length = len(body) + 1
    while len(b'%d' % length) + len(body) != length:
        length += 1
    return b'%d' % length + body


def tar_pax(payload, name=b'overlaybd.commit'):
    """Payload at 1536, its size in a pax record only."""
    record = pax_record(b'size', b'%d' % len(payload))
    return (tar_header(b'overlaybd.pax', len(record), b'x') +
            record.ljust(512, b'\0') + tar_header(name, 0) + payload +
            _tar_end(payload))
