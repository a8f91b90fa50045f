#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""One image per way in which an image can be damaged or hostile.

Who must be refused gets the errno and the reason that the kernel log must
show; the first image for each reason is loaded 100 times more and must leave
nothing behind. Whose table loads gets what the independent reader says: the
content and exactly the sectors that must give I/O errors.
"""

from obd_builder import (build_lsmt, build_zfile, data, invalid, lz4_literals,
                         random_bytes, raw, text_bytes, zeroed, zstd_raw_frame,
                         zstd_skippable)
from obd_codec import lz4_compress, zstd_compress
from obd_format import (L_HEADER, L_SEALED, L_TYPE, SECTOR,
                        Z_DIGEST, Z_HEADER, Z_INDEX_COMPRESSED, Z_OVERWRITE,
                        Z_SEALED, Z_TYPE)
from obd_hostile import many_entries
from obd_reader import BytesSource, open_device, survey
from plan_images import Output

PAYLOAD = text_bytes(40960 + 700)
SECTORS = -(-len(PAYLOAD) // SECTOR)
VIRTUAL = 1 << 20
GOOD_Z = build_zfile(PAYLOAD)
ITEMS = [data(0, text_bytes(8 * SECTOR, 1)), zeroed(8, 8),
         data(100, text_bytes(33 * SECTOR, 2)), data(2000, text_bytes(SECTOR, 3))]
GOOD_L = build_lsmt(ITEMS, VIRTUAL)

NO_ZFILE = 'EINVAL Not a ZFile: bad magic in the header'
BAD_TRAILER = 'EINVAL Bad magic in the ZFile trailer (wrong length?)'
PACKED_INDEX = 'EOPNOTSUPP Compressed ZFile indexes are not supported'
NO_LAYER = 'EINVAL Not an LSMT layer: bad magic in the header'
NO_TRAILER = 'EINVAL No LSMT trailer: wrong length, or a writable layer'

out = Output()
reasons = set()


def is_ok(name, kind, images, sectors, good=True):
    """What the independent reader sees; GOOD says if it should be readable."""
    device = open_device(kind, [(image, 0, len(image)) for image in images], sectors)
    content, bad = survey(device)
    reference = 'refs/%d' % len(out.plan)
    out.reference(reference, BytesSource(content))
    expect = 'same ' + reference
    if bad:
        expect = 'damaged %s %s' % (reference, ' '.join('%d %d' % one for one in bad))
    if bool(bad) == good:
        raise SystemExit('%s: the reader finds bad sectors: %s' % (name, bad))
    words = ' '.join(out.on_raw(image) for image in images)
    out.case(name, ['%d %s %s' % (sectors, kind, words)], expect)


def is_refused(name, kind, images, sectors, error, repeat=True):
    words = ' '.join(out.on_raw(image) for image in images)
    again = 100 if repeat and (kind, error) not in reasons else 0
    reasons.add((kind, error))
    out.case(name, ['%d %s %s' % (sectors, kind, words)], 'refuse ' + error, again)


# --- ZFile, at load ----------------------------------------------------------

def in_both_targets(name, image, error):
    """What is no ZFile at all is a bare layer to the target lsmt."""
    is_refused('zfile, ' + name, 'zfile', [image], SECTORS, error)
    if error != NO_ZFILE:
        is_refused('layer, ' + name, 'lsmt', [image], SECTORS, error, repeat=False)


def zfile(name, error, **options):
    """A ZFile with the options of the builder, in each of its two forms."""
    for overwrite in True, False:
        form = 'final header' if overwrite else 'trailer only'
        image = build_zfile(PAYLOAD, overwrite=overwrite, **options)
        in_both_targets('%s: %s' % (form, name), image, error)


def zfile_part(name, error, part, **values):
    """Fields of the header (final) or of the trailer alone (not final)."""
    image = build_zfile(PAYLOAD, overwrite=part == 'header', **{part: values})
    in_both_targets('%s: %s' % (part, name), image, error)


def zfile_load():
    index_at = 512 + sum(len(lz4_compress(PAYLOAD[i:i + 4096])) + 4
                         for i in range(0, len(PAYLOAD), 4096))
    blocks = -(-len(PAYLOAD) // 4096)
    trailer_at = index_at + 4 * blocks
    final = Z_HEADER | Z_TYPE | Z_OVERWRITE | Z_DIGEST
    sealed = Z_TYPE | Z_SEALED | Z_DIGEST
    bad_magic = b'ZFile' + bytes(19)

    for size in 1, 511, 512:
        is_refused('zfile: %d bytes long' % size, 'zfile', [GOOD_Z[:size]], 1,
                   'EINVAL Layer is too short')
    is_refused('zfile: all zeros', 'zfile', [bytes(8192)], 1, NO_ZFILE)
    is_refused('zfile: an LSMT layer', 'zfile', [GOOD_L], 1, NO_ZFILE)
    zfile_part('magic', NO_ZFILE, 'header', magic=bad_magic)
    zfile_part('not a header', NO_ZFILE, 'header', flags=final & ~Z_HEADER)
    is_refused('zfile, trailer only: the header is not of a data file', 'zfile',
               [build_zfile(PAYLOAD, overwrite=False,
                            header={'flags': Z_HEADER | Z_DIGEST})], SECTORS,
               'EINVAL ZFile header is not of a data file')
    zfile_part('magic', BAD_TRAILER, 'trailer',
               magic=bad_magic)
    zfile_part('is a header', 'EINVAL ZFile trailer says it is a header', 'trailer',
               flags=sealed | Z_HEADER)
    zfile_part('not a data file', 'EINVAL ZFile trailer is not of a data file',
               'trailer', flags=sealed & ~Z_TYPE)
    zfile_part('not sealed', 'EINVAL ZFile is not sealed', 'trailer',
               flags=sealed & ~Z_SEALED)
    for part in 'header', 'trailer':
        zfile_part('digest', 'EUCLEAN ZFile %s digest mismatch' % part, part,
                   digest=0x12345678)
    is_refused('zfile: cut by 100 bytes', 'zfile',
               [build_zfile(PAYLOAD, overwrite=False)[:-100]], SECTORS,
               BAD_TRAILER)

    for algo in 0, 3, 255:
        zfile('algorithm %d' % algo, 'EOPNOTSUPP Unknown ZFile compression algorithm',
              fields={'algo': algo})
    for size in 0, 1, 256, 3000, 6000, 131072, 1 << 31, (1 << 32) - 1:
        zfile('block size %d' % size,
              'EINVAL ZFile block size is not a power of two from 512 to 65536',
              fields={'block_size': size})
    zfile('dictionary size', 'EOPNOTSUPP ZFile dictionaries are not supported',
          fields={'dict_size': 1})
    zfile('uses a dictionary', 'EOPNOTSUPP ZFile dictionaries are not supported',
          fields={'use_dict': 1})
    zfile_part('compressed index', PACKED_INDEX, 'header',
               flags=final | Z_INDEX_COMPRESSED)
    zfile_part('compressed index', PACKED_INDEX, 'trailer',
               flags=sealed | Z_INDEX_COMPRESSED)

    for count in 10**9 + 1, 1 << 62, (1 << 64) - 1:
        zfile('%d blocks' % count, 'EFBIG ZFile has too many blocks',
              fields={'index_size': count})
    for count in 0, blocks - 1, blocks + 1, 10**9:
        zfile('%d blocks instead of %d' % (count, blocks),
              'EINVAL ZFile index does not match the content size',
              fields={'index_size': count})
    zfile('content size 0', 'EINVAL ZFile index does not match the content size',
          fields={'original_file_size': 0})
    for size in 1 << 63, (1 << 64) - 1:
        zfile('content size %d' % size, 'EINVAL ZFile content size is out of range',
              fields={'original_file_size': size})
    is_refused('zfile: empty', 'zfile', [build_zfile(b'')], 1, 'EINVAL ZFile is empty')

    for offset in 0, 511, trailer_at + 1, 1 << 63, (1 << 64) - 4:
        zfile('index at %d' % offset, 'EINVAL ZFile index lies outside the file',
              fields={'index_offset': offset})
    for offset in index_at + 1, trailer_at:
        zfile('index at %d runs into the trailer at %d' % (offset, trailer_at),
              'EINVAL ZFile index runs into the trailer', fields={'index_offset': offset})
    zfile('index checksum', 'EUCLEAN ZFile index checksum mismatch',
          fields={'index_crc': 0x12345678})

    impossible = 'EINVAL ZFile index gives a block an impossible size'
    for size in 0, 1, 4, 4128 + 5, 65536, (1 << 32) - 1:
        zfile('block of %d bytes' % size, impossible,
              edit_index=lambda sizes, size=size: sizes[:5] + [size] + sizes[6:])
    zfile('block of 0 bytes, no CRCs', impossible, verify=0,
          edit_index=lambda sizes: sizes[:-1] + [0])
    zfile('block of 4129 bytes, no CRCs', impossible, verify=0,
          edit_index=lambda sizes: [4129] + sizes[1:])
    zfile('blocks reach beyond the index', 'EINVAL ZFile blocks run into the index',
          edit_index=lambda sizes: sizes[:-1] + [sizes[-1] + 1])
    zfile('all blocks of the largest size', 'EINVAL ZFile blocks run into the index',
          edit_index=lambda sizes: [4132] * len(sizes))


# --- ZFile, odd but right ------------------------------------------------------

def zfile_fine():
    for seed in 1, 2, 3:
        is_ok('zfile: garbage of 2021, %d' % seed, 'zfile',
              [build_zfile(PAYLOAD, overwrite=False, digest=False, garbage=seed)],
              SECTORS)
    is_ok('zfile: no digests', 'zfile', [build_zfile(PAYLOAD, digest=False)], SECTORS)
    is_ok('zfile: bit 5 without digests', 'zfile',
          [build_zfile(PAYLOAD, digest=False, header={
              'flags': Z_HEADER | Z_TYPE | Z_OVERWRITE | Z_INDEX_COMPRESSED})], SECTORS)
    is_ok('zfile: final header, not of a data file', 'zfile',
          [build_zfile(PAYLOAD, header={
              'flags': Z_HEADER | Z_OVERWRITE | Z_DIGEST})], SECTORS)
    is_ok('zfile: a gap before the index', 'zfile',
          [build_zfile(PAYLOAD, gap=b'gap of 13 by.')], SECTORS)
    is_ok('zfile: final header, broken trailer', 'zfile',
          [build_zfile(PAYLOAD, trailer={'magic': bytes(24)})], SECTORS)
    for size in 512, 1024, 2048, 65536:
        for algo in 'lz4', 'zstd':
            is_ok('zfile: %s, blocks of %d' % (algo, size), 'zfile',
                  [build_zfile(PAYLOAD, algo=algo, block_size=size)], SECTORS)
            grown = random_bytes(3 * size + 77, size)
            is_ok('zfile: %s, incompressible blocks of %d' % (algo, size), 'zfile',
                  [build_zfile(grown, algo=algo, block_size=size)],
                  -(-len(grown) // SECTOR))
    for size in 1, 511, 512, 513, 4095, 4096, 4097:
        is_ok('zfile: %d bytes' % size, 'zfile', [build_zfile(PAYLOAD[:size])],
              -(-size // SECTOR))
    block = PAYLOAD[:4096]
    is_ok('zfile: LZ4 block of literals only', 'zfile',
          [build_zfile(PAYLOAD, blocks={0: lz4_literals(block)})], SECTORS)


# --- ZFile, at I/O -------------------------------------------------------------

def damaged(name, **options):
    for verify in 1, 0:
        is_ok('zfile, %s: %s' % ('CRCs' if verify else 'no CRCs', name), 'zfile',
              [build_zfile(PAYLOAD, verify=verify, **options)], SECTORS, good=False)


def zfile_io():
    last = len(PAYLOAD) // 4096
    tail = PAYLOAD[last * 4096:]
    is_ok('zfile: CRC of a block', 'zfile',
          [build_zfile(PAYLOAD, block_crcs={0: 1, 3: 2, 4: 3, last: 4})], SECTORS,
          good=False)
    for number in 0, 5, last:
        block = PAYLOAD[number * 4096:(number + 1) * 4096]
        damaged('LZ4 garbage in block %d' % number, blocks={number: b'\xff' * 40})
        damaged('LZ4 block %d cut' % number, blocks={number: lz4_compress(block)[:-3]})
        damaged('LZ4 block %d decodes to less' % number,
                blocks={number: lz4_compress(block[:-1])})
        damaged('LZ4 block %d decodes to more' % number,
                blocks={number: lz4_compress(block + b'x')})
        damaged('LZ4 block %d with an offset before its start' % number,
                blocks={number: b'\x10a\xff\xff' + lz4_literals(block[:64])})
        damaged('ZSTD in the LZ4 block %d' % number, blocks={number: zstd_compress(block)})
        damaged('ZSTD garbage in block %d' % number, algo='zstd',
                blocks={number: b'\xff' * 40})
        damaged('ZSTD block %d cut' % number, algo='zstd',
                blocks={number: zstd_compress(block)[:-3]})
        damaged('ZSTD block %d decodes to less' % number, algo='zstd',
                blocks={number: zstd_compress(block[:-1])})
        damaged('ZSTD block %d decodes to more' % number, algo='zstd',
                blocks={number: zstd_compress(block + b'x')})
        damaged('ZSTD block %d is a skippable frame' % number, algo='zstd',
                blocks={number: zstd_skippable(b'nothing')})
        damaged('ZSTD block %d asks for a dictionary' % number, algo='zstd',
                blocks={number: zstd_raw_frame(block, dict_id=77)})
        damaged('ZSTD block %d is a run of 1 MiB' % number, algo='zstd',
                blocks={number: zstd_raw_frame(b'a', window=0x50, block_type=1,
                                               block_size=1 << 20)})
        damaged('ZSTD block %d with the reserved bit' % number, algo='zstd',
                blocks={number: zstd_raw_frame(block, reserved=1)})
        damaged('ZSTD block %d promises another size' % number, algo='zstd',
                blocks={number: zstd_raw_frame(block, content_size=len(block) + 1)})
    damaged('LZ4 short last block decodes to a full one',
            blocks={last: lz4_compress(tail + bytes(4096 - len(tail)))})


# --- LSMT ----------------------------------------------------------------------

def lsmt(name, error, items=None, size=VIRTUAL, sectors=2048, **options):
    """A layer with the options of the builder, bare and inside a ZFile."""
    image = build_lsmt(ITEMS if items is None else items, size, **options)
    is_refused('lsmt: ' + name, 'lsmt', [image], sectors, error)
    is_refused('lsmt in a ZFile: ' + name, 'lsmt', [build_zfile(image)], sectors, error)


def lsmt_load():
    index_at = 4096 + 42 * SECTOR
    trailer_at = index_at + 4096
    bad_magic = b'LSMT' + bytes(20)

    is_refused('lsmt: 1000 bytes', 'lsmt', [GOOD_L[:1000]], 1, 'EINVAL Layer is too short')
    is_refused('lsmt: 4096 bytes', 'lsmt', [GOOD_L[:4096]], 1,
               'EINVAL Too short for an LSMT layer')
    is_refused('lsmt: a ZFile of 4096 bytes', 'lsmt', [build_zfile(GOOD_L[:4096])], 1,
               'EINVAL Too short for an LSMT layer')
    is_refused('lsmt: random bytes', 'lsmt', [random_bytes(20000)], 1,
               NO_LAYER)
    is_refused('lsmt: a ZFile of text', 'lsmt', [GOOD_Z], 1, NO_LAYER)
    is_refused('lsmt: a ZFile in a ZFile', 'lsmt', [build_zfile(build_zfile(GOOD_L))], 1,
               NO_LAYER)
    is_refused('lsmt: an empty ZFile', 'lsmt', [build_zfile(b'')], 1,
               'EINVAL ZFile is empty')
    lsmt('magic in the header', NO_LAYER, header={'magic': bad_magic})
    lsmt('header is a trailer', 'EINVAL LSMT header says it is a trailer',
         header={'flags': L_TYPE | L_SEALED})
    lsmt('index file of a writable layer',
         'EINVAL LSMT file is the index of a writable layer', header={'flags': L_HEADER})
    lsmt('magic in the trailer', NO_TRAILER, trailer={'magic': bad_magic})
    lsmt('trailer is a header', 'EINVAL LSMT trailer says it is a header',
         trailer={'flags': L_HEADER | L_TYPE | L_SEALED})
    lsmt('trailer is of an index file', 'EINVAL LSMT trailer is not of a data file',
         trailer={'flags': L_SEALED})
    lsmt('not sealed', 'EINVAL LSMT layer is not sealed', trailer={'flags': L_TYPE})
    is_refused('lsmt: cut by 512 bytes', 'lsmt', [GOOD_L[:-512]], 2048,
               NO_TRAILER)

    for count in 1000001, 1 << 32, 1 << 60, (1 << 64) - 1:
        lsmt('%d segments' % count, 'EFBIG LSMT layer has too many segments',
             trailer={'index_size': count})
    for offset in 0, 3584, trailer_at + 512, 1 << 63, (1 << 64) - 512:
        lsmt('index at %d' % offset, 'EINVAL LSMT index lies outside the file',
             trailer={'index_offset': offset})
    lsmt('index not at a sector', 'EINVAL LSMT index is not aligned to a sector',
         trailer={'index_offset': index_at - 16})
    for count in 257, 1000000:
        lsmt('%d segments where 256 have room' % count,
             'EINVAL LSMT index runs into the trailer', trailer={'index_size': count})
    lsmt('virtual size beyond 2^59', 'EINVAL LSMT virtual size is out of range',
         size=(1 << 59) + 1)
    for size in 0, 511:
        lsmt('virtual size %d' % size, 'EINVAL No layer has a virtual size', size=size,
             sectors=1)

    million = many_entries(1_000_000)
    words = ' '.join([out.on_raw(million)] * 17)
    out.case('lsmt: 17 layers of a million segments', ['2048 lsmt ' + words],
             'refuse EFBIG Too many segments in all layers together')

    sector = text_bytes(SECTOR)
    order = 'EINVAL LSMT segments overlap or are out of order'
    lsmt('segments out of order', order, items=[data(8, sector), data(0, sector)])
    lsmt('segments overlap by a sector', order,
         items=[data(0, sector * 8), data(7, sector)])
    lsmt('the same segment twice', order, items=[data(0, sector), data(0, sector)])
    lsmt('zeroed and data overlap', order, items=[zeroed(0, 9), data(8, sector)])
    lsmt('out of order around an invalid entry', order,
         items=[data(8, sector), invalid(), data(0, sector)])
    lsmt('out of order, far into the index', order,
         items=[zeroed(2 * i, 1) for i in range(9000)] + [data(17998, sector)])
    lsmt('segment of length 0', 'EINVAL LSMT segment has no length',
         items=[data(0, sector), raw(4, 8)])
    lsmt('segment of the header', 'EINVAL LSMT segment points into the header',
         items=[data(0, sector, moffset=7)])
    beyond = 'EINVAL LSMT segment points beyond the data'
    lsmt('segment of the index', beyond, items=[data(0, sector), data(8, sector, moffset=9)])
    lsmt('segment ends beyond the data', beyond, items=[data(0, sector * 2, moffset=8)])
    lsmt('segment far beyond the data', beyond,
         items=[data(0, sector, moffset=(1 << 55) - 1)])


def lsmt_fine():
    sector = [text_bytes(SECTOR, seed) for seed in range(8)]
    head = data(0, sector[0])

    def fine(name, *layers, size=VIRTUAL, **options):
        images = [build_lsmt(items, size, **options) for items in layers]
        is_ok('lsmt: ' + name, 'lsmt', images, size // SECTOR)

    for form in 'committed', 'sealed', 'sparse':
        for padding in 'counted', 'uncounted':
            fine('%s, padding %s' % (form, padding), ITEMS, form=form, padding=padding)
    fine('invalid entries anywhere',
         [invalid(), head, invalid(5, 77), data(9, sector[1]), invalid(16383)])
    fine('tags on disk', [data(i, sector[i], tag=i * 30) for i in range(8)])
    fine('zeroed with a wild moffset', [head, zeroed(1, 5, moffset=(1 << 55) - 1)])
    fine('segments share data', [head] + [data(i, sector[0], moffset=8) for i in (3, 5, 9)])
    fine('segment across the end', [data(2047, sector[0] + sector[1])])
    fine('segment far beyond the end', [head, data((1 << 50) - 3, sector[2])])
    fine('garbage after 256 entries', [head], trailer={'version': 9, 'sub_version': 3})
    fine('no segment at all', [])
    fine('virtual size not of whole sectors', [head, data(1, sector[1])], size=1000)
    fine('longest segment', [data(0, text_bytes(16383 * SECTOR))], size=16384 * SECTOR)
    fine('zeroed hides the layer below', [data(0, b''.join(sector))], [zeroed(2, 3)])
    is_ok('lsmt: sizes differ, the topmost counts', 'lsmt',
          [build_lsmt([data(0, sector[0]), data(2040, sector[1])], VIRTUAL),
           build_lsmt([data(3, sector[2])], 5 * SECTOR), build_lsmt([], 0)], 5)
    is_ok('lsmt: grown', 'lsmt',
          [build_lsmt([head], 5 * SECTOR), build_lsmt([data(900, sector[2])], VIRTUAL)],
          2048)


def lsmt_io():
    """Damaged blocks in the data of a compressed layer."""
    payload = build_lsmt([data(0, text_bytes(64 * SECTOR))] + [zeroed(64, 8)], VIRTUAL)
    is_ok('lsmt: damaged blocks of a compressed layer', 'lsmt',
          [build_zfile(payload, block_crcs={2: 0, 5: 0})], 2048, good=False)
    upper = build_lsmt([data(10, text_bytes(20 * SECTOR, 5))], VIRTUAL)
    is_ok('lsmt: damaged blocks, partly hidden', 'lsmt',
          [build_zfile(payload, block_crcs={2: 0, 5: 0}), upper], 2048, good=False)
    is_refused('lsmt: damaged block that holds the index', 'lsmt',
               [build_zfile(payload, block_crcs={9: 0})], 2048,
               'EUCLEAN Cannot read LSMT index')
    is_refused('lsmt: damaged block that holds the header', 'lsmt',
               [build_zfile(payload, block_crcs={0: 0})], 2048,
               'EUCLEAN Cannot read LSMT header')
    is_refused('lsmt: damaged block that holds the trailer', 'lsmt',
               [build_zfile(payload, block_crcs={len(payload) // 4096 - 1: 0})], 2048,
               'EUCLEAN Cannot read LSMT trailer')


zfile_load()
zfile_fine()
zfile_io()
lsmt_load()
lsmt_fine()
lsmt_io()
out.finish()
