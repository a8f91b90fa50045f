# SPDX-License-Identifier: GPL-2.0
"""Hostile and odd images: one small image per way to be wrong, plus the
neighbours that are just right (field at its limit, one beyond).

write_set(OUTDIR) writes the device files, plan.txt and manifest.json.

plan.txt has one line per case, fields separated by one space:

    NAME KIND SECTORS LAYERS OUTCOME [or OUTCOME]...

    NAME     rNN-...: NN is the row of the table "Hostile or damaged input" of
             the format description that the case belongs to
    KIND     zfile or lsmt: the target to load
    SECTORS  the table's length
    LAYERS   FILE:BYTES@START[,...], lowest first, "-" for none. Every FILE is
             a device of its own, its length a multiple of 512; BYTES and START
             go into the table line as they are
    OUTCOME  load-fail ERRNO[|ERRNO]...   the table is refused ("ANY": with
                                          whatever errno)
             ok SHA256                    all SECTORS read well and have that
                                          sum
             io-error FIRST COUNT [FIRST COUNT]... SHA256
                                          exactly these sectors fail with EIO;
                                          SHA256 is of the whole with the
                                          failing sectors taken as zeros

Several outcomes stand where the format leaves a choice. manifest.json says
the same as a list of objects.

Not in the set, since no small file can show them: more than 128,000,000
merged segments; rows about the device below, about memory and about tools.
"""

import hashlib
import json
import os
import random
import struct
from collections import namedtuple

from obd_builder import (
    build_lsmt, build_zfile, data, invalid, lz4_literals, paint, random_bytes,
    raw, text_bytes, zeroed, zstd_raw_frame, zstd_skippable)
from obd_codec import lz4_bound, lz4_compress, zstd_bound, zstd_compress
from obd_format import (
    INVALID_ENTRY, INVALID_OFFSET, LSMT, LSMT_MAGIC, MOFFSET_MASK, SECTOR,
    ZFILE, pack_mapping)

BLOCK = 4096
VSIZE = 65536
DATA_END = 35   # sectors: 8 of header, 27 of data
ITEMS = [data(0, text_bytes(8 * SECTOR, 1)),       # moffset 8: block 1
         data(10, text_bytes(9 * SECTOR, 2)),      # moffset 16: block 2, 3
         zeroed(30, 6),
         data(40, text_bytes(10 * SECTOR, 3))]     # moffset 25: block 3, 4

Outcome = namedtuple('Outcome', 'kind errnos bad sha256')
Layer = namedtuple('Layer', 'image size start')
Case = namedtuple('Case', 'name kind sectors layers outcomes')


def layer_file(items=None, virtual_size=VSIZE, **options):
    options.setdefault('padding', 'uncounted')
    return build_lsmt(ITEMS if items is None else items, virtual_size,
                      **options)


# The payload of all ZFiles here is this layer, so that what breaks a ZFile can
# be loaded as a layer too. 6 blocks, the last half full.
PAYLOAD = layer_file()
LAST = len(PAYLOAD) // BLOCK


def load_fail(*errnos):
    return Outcome('load-fail', errnos, [], None)


def sectors_of(content):
    return content + bytes(-len(content) % SECTOR)


def ok(content):
    return Outcome('ok', (), [],
                   hashlib.sha256(sectors_of(content)).hexdigest())


def io_error(content, *bad):
    content = bytearray(sectors_of(content))
    for first, count in bad:
        content[first * SECTOR:(first + count) * SECTOR] = bytes(
            count * SECTOR)
    return Outcome('io-error', (), list(bad),
                   hashlib.sha256(content).hexdigest())


def bad_block(number, content=PAYLOAD, block_size=BLOCK):
    """The outcome when this block of a ZFile cannot be read."""
    first = number * block_size // SECTOR
    end = min(len(sectors_of(content)) // SECTOR,
              first + block_size // SECTOR)
    return io_error(content, (first, end - first))


EINVAL = load_fail('EINVAL')
EUCLEAN = load_fail('EUCLEAN')
EOPNOTSUPP = load_fail('EOPNOTSUPP')
COUNT = load_fail('EINVAL', 'EFBIG')
UNREADABLE = load_fail('EIO', 'EUCLEAN')
GOOD_PAYLOAD = ok(PAYLOAD)
GOOD_LAYER = ok(paint([ITEMS], VSIZE))


class Set:
    """Collects the cases of one row after the other."""

    def __init__(self):
        self.cases = []
        self.row = 0

    def add(self, name, kind, sectors, layers, *outcomes):
        name = 'r%02d-%s' % (self.row, name)
        self.cases.append(Case(name, kind, sectors, layers, outcomes))

    def zfile(self, name, image, *outcomes, size=None, start=0, sectors=None,
              content=PAYLOAD, fused=True):
        """A zfile target; what it must refuse is refused as a layer too."""
        layers = [Layer(image, len(image) if size is None else size, start)]
        own = -(-len(content) // SECTOR)
        self.add(name, 'zfile', sectors or own, layers, *outcomes)
        if fused and all(o.kind == 'load-fail' for o in outcomes):
            self.add(name + '-fused', 'lsmt', VSIZE // SECTOR, layers,
                     *outcomes)

    def lsmt(self, name, images, *outcomes, sizes=None, starts=None,
             sectors=VSIZE // SECTOR):
        images = images if isinstance(images, list) else [images]
        sizes = sizes or [len(image) for image in images]
        starts = starts or [0] * len(images)
        self.add(name, 'lsmt', sectors,
                 [Layer(*layer) for layer in zip(images, sizes, starts)],
                 *outcomes)

    def stack(self, name, stacks, virtual_sizes, size, **options):
        """A good stack of item lists, showing SIZE bytes."""
        self.lsmt(name, [layer_file(items, vsize, **options) for items, vsize
                         in zip(stacks, virtual_sizes)],
                  ok(paint(stacks, size // SECTOR * SECTOR)),
                  sectors=size // SECTOR)


def zf(**options):
    return build_zfile(PAYLOAD, **options)


def trailer_only(**options):
    return build_zfile(PAYLOAD, overwrite=False, **options)


def edit(position, value):
    """An index editor that replaces one entry."""
    def apply(sizes):
        sizes = list(sizes)
        sizes[position] = value if isinstance(value, int) else value(
            sizes[position])
        return sizes
    return apply


def flip(image, offset, mask=1):
    image = bytearray(image)
    image[offset] ^= mask
    return bytes(image)


# --- rows 1-5: lengths, magic, flags, digests --------------------------------

def row01_lengths(s):
    whole, tail = zf(), trailer_only()
    s.zfile('good', whole, GOOD_PAYLOAD)
    s.zfile('good-trailer-only', tail, GOOD_PAYLOAD)
    s.lsmt('good-layer', PAYLOAD, GOOD_LAYER)
    s.lsmt('good-fused', whole, GOOD_LAYER)
    s.zfile('good-start', bytes(3 * SECTOR) + whole, GOOD_PAYLOAD,
            start=3, size=len(whole))
    s.lsmt('good-layer-start', bytes(5 * SECTOR) + PAYLOAD, GOOD_LAYER,
           starts=[5], sizes=[len(PAYLOAD)])
    for size in (0, 1, 511, 512, 1023, 1024, len(whole) - 512,
                 len(whole) - 1):
        s.zfile('zfile-bytes-%d' % size, whole, EINVAL, size=size)
    device = len(sectors_of(tail))
    for name, size in (('minus-512', len(tail) - 512),
                       ('minus-1', len(tail) - 1), ('plus-1', len(tail) + 1),
                       ('beyond-device', device + 1),
                       ('beyond-device-512', device + 512),
                       ('2e63', 1 << 63), ('max', (1 << 64) - 1)):
        s.zfile('trailer-only-bytes-' + name, tail, EINVAL, size=size)
    s.zfile('bytes-2e64', whole, load_fail('EINVAL', 'ERANGE'), size=1 << 64)
    # The header decides: what follows the ZFile is not looked at.
    s.zfile('header-bytes-plus-512', whole + bytes(512), GOOD_PAYLOAD)
    for size in (0, 1, 4095, 4096, 8191, 8192, len(PAYLOAD) - 512,
                 len(PAYLOAD) - 1, len(PAYLOAD) + 512, 1 << 63,
                 (1 << 64) - 1):
        s.lsmt('lsmt-bytes-%d' % size, PAYLOAD, EINVAL, sizes=[size])
    s.lsmt('lsmt-bytes-padded', PAYLOAD + bytes(512), EINVAL)
    for start in (1, 1000, 1 << 54, (1 << 55) - 1, 1 << 55, 1 << 63):
        s.lsmt('lsmt-start-%d' % start, PAYLOAD, EINVAL, starts=[start])
        s.zfile('zfile-start-%d' % start, whole, EINVAL, start=start,
                fused=False)


def row02_magic(s):
    for offset in (0, 5, 7, 8, 23):
        s.zfile('zfile-header-magic-%d' % offset, flip(zf(), offset), EINVAL)
        image = trailer_only()
        s.zfile('zfile-trailer-magic-%d' % offset,
                flip(image, len(image) - 512 + offset), EINVAL)
        s.lsmt('lsmt-header-magic-%d' % offset, flip(PAYLOAD, offset), EINVAL)
        s.lsmt('lsmt-trailer-magic-%d' % offset,
               flip(PAYLOAD, len(PAYLOAD) - 4096 + offset), EINVAL)
    s.zfile('zfile-header-not-header', zf(header={'flags': 0x1a}), EINVAL)
    s.zfile('zfile-header-not-data', trailer_only(header={'flags': 0x11}),
            EINVAL)
    s.zfile('zfile-header-not-data-overwritten', zf(header={'flags': 0x19}),
            GOOD_PAYLOAD, EINVAL)
    for name, flags in (('header', 0x17), ('not-data', 0x14),
                        ('not-sealed', 0x12), ('none', 0x10)):
        s.zfile('zfile-trailer-' + name,
                trailer_only(trailer={'flags': flags}), EINVAL)
    s.zfile('zfile-trailer-overwrite-bit',
            trailer_only(trailer={'flags': 0x1e}), GOOD_PAYLOAD)
    for name, flags in (('header-not-header', 6), ('header-not-data', 5),
                        ('header-none', 0)):
        s.lsmt('lsmt-' + name, layer_file(header={'flags': flags}), EINVAL)
    for name, flags in (('header', 7), ('not-data', 4), ('not-sealed', 2),
                        ('none', 0)):
        s.lsmt('lsmt-trailer-' + name, layer_file(trailer={'flags': flags}),
               EINVAL)
    s.lsmt('lsmt-header-not-sealed', layer_file(header={'flags': 3}),
           GOOD_LAYER)
    s.lsmt('lsmt-all-other-flags',
           layer_file(header={'flags': 0xfffffffb},
                      trailer={'flags': 0xfffffffe}), GOOD_LAYER)
    for version, sub_version, size in (0, 0, 0), (255, 255, 0xffffffff):
        fields = {'version': version, 'sub_version': sub_version, 'size': size}
        s.lsmt('lsmt-version-%d' % version, layer_file(header=fields, trailer=fields),
               GOOD_LAYER)
    s.lsmt('lsmt-reserved', layer_file(
        header={'reserved': random_bytes(3706), 'from': 9, 'to': 3},
        trailer={'reserved': random_bytes(3706, 1), 'from': 9, 'to': 3}),
        GOOD_LAYER)
    s.lsmt('lsmt-header-fields-ignored', layer_file(
        header={'index_offset': 1, 'index_size': (1 << 64) - 1,
                'virtual_size': 7}), GOOD_LAYER)
    s.lsmt('two-headers', PAYLOAD[:4096] + PAYLOAD[:4096], EINVAL)
    s.lsmt('zfile-in-zfile', build_zfile(zf()), EINVAL)
    s.zfile('lsmt-as-zfile', PAYLOAD, EINVAL, fused=False)


def row03_digests(s):
    for offset in (24, 28, 31, 39, 64, 68, 77, 79, 80, 89, 96, 511):
        s.zfile('header-byte-%d' % offset, flip(zf(), offset, 0x80), EUCLEAN)
        image = trailer_only()
        s.zfile('trailer-byte-%d' % offset,
                flip(image, len(image) - 512 + offset, 0x80), EUCLEAN)
    s.zfile('unused-header-byte', flip(trailer_only(), 300), EUCLEAN)
    s.zfile('unused-trailer-byte', flip(zf(), len(zf()) - 10), GOOD_PAYLOAD)
    for name, value in (('zero', 0), ('ones', 0xffffffff)):
        s.zfile('header-digest-' + name, zf(header={'digest': value}),
                EUCLEAN)
        s.zfile('index-crc-' + name, zf(fields={'index_crc': value}), EUCLEAN)
        s.zfile('index-crc-%s-trailer-only' % name,
                trailer_only(fields={'index_crc': value}), EUCLEAN)
    image = zf()
    index = ZFILE.decode(image[:512]).index_offset
    swapped = (image[:index] + image[index + 4:index + 8] +
               image[index:index + 4] + image[index + 8:])
    s.zfile('index-entries-swapped', swapped, EUCLEAN)


def row04_no_digest(s):
    s.zfile('bit-4-cleared', zf(fields={'digest': 0x12345678, 'index_crc': 9},
                                header={'flags': 0x0b}), GOOD_PAYLOAD)
    s.zfile('bit-4-cleared-bad-entry', zf(digest=False,
                                          edit_index=edit(2, 0)), EINVAL)
    s.zfile('bit-4-cleared-bad-count', zf(digest=False,
                                          fields={'index_size': 5}), EINVAL)
    s.zfile('bit-4-cleared-entries-shifted',
            zf(digest=False, edit_index=lambda n: n[:1] + [n[1] - 1, n[2] + 1]
               + n[3:]), io_error(PAYLOAD, (8, 16)))
    for name, make in (('header', zf), ('trailer-only', trailer_only)):
        s.zfile('old-%s-clean' % name, make(digest=False), GOOD_PAYLOAD)
        for seed in range(3):
            s.zfile('old-%s-garbage-%d' % (name, seed),
                    make(digest=False, garbage=seed), GOOD_PAYLOAD)


def row05_disagreement(s):
    image = zf()
    s.zfile('trailer-other-size',
            zf(trailer={'original_file_size': 4096, 'index_size': 1}),
            GOOD_PAYLOAD)
    s.zfile('trailer-other-algo', zf(trailer={'algo': 2}), GOOD_PAYLOAD)
    s.zfile('trailer-zeros', image[:-512] + bytes(512), GOOD_PAYLOAD)
    s.zfile('trailer-random', image[:-512] + random_bytes(512), GOOD_PAYLOAD)
    s.zfile('header-other-block-size',
            trailer_only(header={'block_size': 0, 'algo': 77}), GOOD_PAYLOAD)


# --- rows 6-11: fields of the ZFile ------------------------------------------

def row06_algorithm(s):
    for algo in (0, 3, 127, 255):
        s.zfile('algo-%d' % algo, zf(fields={'algo': algo}), EOPNOTSUPP)
        s.zfile('algo-%d-trailer-only' % algo,
                trailer_only(fields={'algo': algo}), EOPNOTSUPP)
    everything = (0, len(PAYLOAD) // SECTOR)
    s.zfile('lz4-called-zstd', zf(fields={'algo': 2}),
            io_error(PAYLOAD, everything))
    s.zfile('zstd-called-lz4', zf(algo='zstd', fields={'algo': 1}),
            io_error(PAYLOAD, everything))
    s.lsmt('lz4-called-zstd-fused', zf(fields={'algo': 2}), UNREADABLE)
    s.zfile('level-ignored', zf(fields={'level': 255}), GOOD_PAYLOAD)
    for value in (0, 0xffffffff):
        s.zfile('size-field-%d' % value, zf(fields={'size': value}), GOOD_PAYLOAD)
    for value in (2, 255):
        s.zfile('verify-%d' % value, zf(fields={'verify': value}), GOOD_PAYLOAD)
    # All that nothing is said about, at its largest; digests are right.
    unused = {'reserved68': 0xffffffff, 'level': 255, 'padding79': 255,
              'reserved80': 0xffffffff, 'padding89': b'\xff' * 7,
              'reserved': b'\xff' * 416, 'size': 0xffffffff}
    more_flags = (1 << 64) - (1 << 6)
    s.zfile('unused-fields', zf(header=dict(unused, flags=0x1b | more_flags)),
            GOOD_PAYLOAD)
    s.zfile('unused-fields-trailer-only', trailer_only(
        header=dict(unused, flags=0x13 | more_flags),
        trailer=dict(unused, flags=0x16 | more_flags)), GOOD_PAYLOAD)


def row07_block_size(s):
    s.zfile('block-size-0', zf(fields={'block_size': 0}), EINVAL)
    s.row = 8
    for size in (513, 3000, 4095, 4097, 6000, 65535):
        s.zfile('block-size-%d' % size, zf(fields={
            'block_size': size, 'index_size': -(-len(PAYLOAD) // size)}),
            EINVAL)
    s.row = 9
    for size in (1, 256, 511, 65537, 131072, 1 << 20, 1 << 31,
                 0xffffffff):
        s.zfile('block-size-%d' % size, zf(fields={
            'block_size': size, 'index_size': -(-len(PAYLOAD) // size)}),
            EINVAL)
    s.zfile('block-size-131072-real', build_zfile(PAYLOAD, block_size=131072),
            EINVAL)
    s.zfile('block-size-256-real', build_zfile(PAYLOAD, block_size=256),
            EINVAL)
    for shift in range(9, 17):
        for algo in ('lz4', 'zstd'):
            s.zfile('block-size-%d-%s' % (1 << shift, algo),
                    zf(algo=algo, block_size=1 << shift), GOOD_PAYLOAD)
    s.lsmt('block-size-512-fused', zf(block_size=512), GOOD_LAYER)
    s.lsmt('block-size-65536-fused', zf(block_size=65536), GOOD_LAYER)


def row10_dictionary(s):
    for value in (1, 255):
        s.zfile('use-dict-%d' % value, zf(fields={'use_dict': value}),
                EOPNOTSUPP)
    for value in (1, 16, 0xffffffff):
        s.zfile('dict-size-%d' % value, zf(fields={'dict_size': value}),
                EOPNOTSUPP)
        s.zfile('dict-size-%d-trailer-only' % value,
                trailer_only(fields={'dict_size': value}), EOPNOTSUPP)


def row11_compressed_index(s):
    s.zfile('bit-5', zf(header={'flags': 0x3b}), EOPNOTSUPP)
    s.zfile('bit-5-trailer', trailer_only(trailer={'flags': 0x36}),
            EOPNOTSUPP)
    s.zfile('bit-5-unused-header', trailer_only(header={'flags': 0x33}),
            EOPNOTSUPP, GOOD_PAYLOAD)
    s.zfile('bit-5-without-digest', zf(digest=False,
                                       header={'flags': 0x2b}), GOOD_PAYLOAD)
    s.zfile('bit-5-without-digest-trailer',
            trailer_only(digest=False, trailer={'flags': 0x26}), GOOD_PAYLOAD)


# --- rows 12-22: counts, offsets, index entries --------------------------------

def row12_counts(s):
    for name, count in (('2e62', 1 << 62), ('2e62-plus', (1 << 62) + 6),
                        ('2e63', 1 << 63), ('2e32', 1 << 32),
                        ('2e32-plus', (1 << 32) + 6),
                        ('max', (1 << 64) - 1)):
        s.zfile('zfile-count-' + name, zf(fields={'index_size': count}),
                COUNT)
        s.zfile('zfile-count-%s-trailer-only' % name,
                trailer_only(digest=False, fields={'index_size': count}),
                COUNT)
    for name, count in (('2e60', 1 << 60), ('2e60-plus', (1 << 60) + 4),
                        ('2e32-plus', (1 << 32) + 4), ('2e63', 1 << 63),
                        ('max', (1 << 64) - 1)):
        s.lsmt('lsmt-count-' + name, layer_file(trailer={'index_size': count}),
               COUNT)


def many_entries(count):
    """A layer of COUNT INVALID entries, in a ZFile of a few KiB."""
    values = {'magic': LSMT_MAGIC, 'size': 390, 'virtual_size': VSIZE,
              'index_offset': 4096, 'index_size': count}
    return build_zfile(LSMT.encode(dict(values, flags=7)) +
                       INVALID_ENTRY * count +
                       LSMT.encode(dict(values, flags=6)),
                       algo='zstd', block_size=65536)


def row13_huge_counts(s):
    limit = 1_000_000_000
    for name, count, outcome in (('limit', limit, EINVAL),
                                 ('beyond', limit + 1, COUNT)):
        fields = {'index_size': count, 'original_file_size': count * BLOCK}
        s.zfile('zfile-count-' + name, zf(fields=fields), outcome)
    s.lsmt('lsmt-count-limit', layer_file(trailer={'index_size': 1000000}),
           EINVAL)
    s.lsmt('lsmt-count-beyond', layer_file(trailer={'index_size': 1000001}),
           COUNT)
    s.lsmt('lsmt-million-invalid', many_entries(1_000_000), ok(bytes(VSIZE)))
    s.lsmt('lsmt-million-and-one', many_entries(1_000_001),
           load_fail('EFBIG'))


def row14_block_count(s):
    for count in (0, 1, LAST, LAST + 2):
        s.zfile('count-%d' % count, zf(fields={'index_size': count}), EINVAL)
    for name, size in (('one-block-more', LAST * BLOCK + BLOCK + 1),
                       ('one-block-less', LAST * BLOCK)):
        s.zfile('size-' + name, zf(fields={'original_file_size': size}),
                EINVAL)


def row15_original_size(s):
    s.zfile('empty', build_zfile(b''), EINVAL)
    s.zfile('empty-trailer-only', build_zfile(b'', overwrite=False), EINVAL)
    s.zfile('size-0', zf(fields={'original_file_size': 0}), EINVAL)
    s.zfile('size-0-count-0',
            zf(fields={'original_file_size': 0, 'index_size': 0}), EINVAL)
    for name, size in (('2e63-1', (1 << 63) - 1), ('2e63', 1 << 63),
                       ('max', (1 << 64) - 1), ('max-4095', (1 << 64) - 4095),
                       ('max-4096', (1 << 64) - 4096)):
        s.zfile('size-' + name, zf(fields={'original_file_size': size}),
                EINVAL)
        s.zfile('size-%s-wrapped' % name,
                zf(fields={'original_file_size': size, 'index_size':
                           ((size + 4095) & (1 << 64) - 1) // 4096}), COUNT)


def row16_index_offset(s):
    image = zf()
    entries = 4 * (LAST + 1)
    index = len(image) - 512 - entries
    for name, value in (('0', 0), ('511', 511), ('512', 512), ('513', 513),
                        ('one-early', index - 1), ('entry-early', index - 4),
                        ('one-late', index + 1), ('trailer', index + entries),
                        ('file-size', len(image)), ('beyond', len(image) + 1),
                        ('2e63', 1 << 63), ('max', (1 << 64) - 1),
                        ('wraps', (1 << 64) - entries),
                        ('wraps-more', (1 << 64) - 4)):
        s.zfile('offset-' + name, zf(fields={'index_offset': value}), EINVAL)
        s.zfile('offset-%s-trailer-only' % name,
                trailer_only(fields={'index_offset': value}), EINVAL)
    for size in (1, 2, 3, 4, 512, 5000):
        s.zfile('gap-%d' % size, zf(gap=random_bytes(size)), GOOD_PAYLOAD)
    s.lsmt('gap-1-fused', trailer_only(gap=b'x'), GOOD_LAYER)


def row17_small_entries(s):
    for where in (0, 2, LAST):
        for value in (0, 1, 3, 4):
            s.zfile('entry-%d-is-%d' % (where, value),
                    zf(edit_index=edit(where, value)), EINVAL)
        s.zfile('entry-%d-is-0-no-crc' % where,
                zf(verify=0, edit_index=edit(where, 0)), EINVAL)
        s.zfile('payload-%d-of-1' % where, zf(blocks={where: b'\x10'}),
                bad_block(where))
        s.zfile('payload-%d-of-1-no-crc' % where,
                zf(verify=0, blocks={where: b'\0'}), bad_block(where))
    s.zfile('verify-cleared', zf(verify=1, fields={'verify': 0}),
            io_error(PAYLOAD, (0, len(PAYLOAD) // SECTOR)))


def row18_large_entries(s):
    for algo, bound in (('lz4', lz4_bound), ('zstd', zstd_bound)):
        for verify in (0, 1):
            for where in (0, LAST):
                name = '%s-verify-%d-block-%d' % (algo, verify, where)
                most = bound(BLOCK)
                options = {'algo': algo, 'verify': verify}
                s.zfile('at-bound-' + name,
                        zf(blocks={where: b'\xff' * most}, **options),
                        bad_block(where))
                s.zfile('above-bound-' + name,
                        zf(blocks={where: b'\xff' * (most + 1)}, **options),
                        EINVAL)
    for value in (0x7fffffff, 0x80000000, 0xffffffff):
        s.zfile('entry-%#x' % value, zf(edit_index=edit(1, value)), EINVAL)
    for size, bound in ((512, 530), (65536, 65809)):
        payload = text_bytes(2 * size, 5)
        s.zfile('block-%d-at-bound' % size,
                build_zfile(payload, block_size=size,
                            blocks={1: b'\xff' * bound}),
                bad_block(1, payload, size), content=payload)
        s.zfile('block-%d-above-bound' % size,
                build_zfile(payload, block_size=size,
                            blocks={1: b'\xff' * (bound + 1)}),
                EINVAL, content=payload)
    literals = lz4_literals(PAYLOAD[BLOCK:2 * BLOCK])
    s.zfile('grown-block', zf(blocks={1: literals}), GOOD_PAYLOAD)
    s.row = 19
    s.zfile('entry-plus-65536', zf(edit_index=edit(1, lambda n: n + 65536)),
            EINVAL)
    payload = random_bytes(2 * 65536 + 700, 6)
    for algo in ('lz4', 'zstd'):
        s.zfile('entries-above-65535-' + algo,
                build_zfile(payload, algo=algo, block_size=65536),
                ok(payload), content=payload)


def row20_sum(s):
    for where in (0, LAST):
        s.zfile('entry-%d-plus-1' % where,
                zf(edit_index=edit(where, lambda n: n + 1)), EINVAL)
    s.zfile('entry-0-minus-1', zf(edit_index=edit(0, lambda n: n - 1)),
            io_error(PAYLOAD, (0, len(PAYLOAD) // SECTOR)))
    s.zfile('last-minus-1', zf(edit_index=edit(LAST, lambda n: n - 1)),
            bad_block(LAST))
    s.zfile('all-at-bound', zf(edit_index=lambda n: [
        lz4_bound(BLOCK) + 4] * len(n)), EINVAL)


def row22_unreadable_metadata(s):
    for name, block in (('header', 0), ('index', 4), ('trailer', LAST)):
        s.lsmt('crc-of-%s-block' % name, zf(block_crcs={block: 0}),
               UNREADABLE)
        s.lsmt('malformed-%s-block' % name, zf(blocks={block: b'\xff' * 40}),
               UNREADABLE)


# --- rows 23-30: blocks ------------------------------------------------------

def row23_block_crc(s):
    for block in range(LAST + 1):
        s.zfile('crc-%d' % block, zf(block_crcs={block: 0}), bad_block(block))
    s.zfile('crc-without-bit-4', zf(digest=False, block_crcs={2: 1}),
            bad_block(2))
    content = paint([ITEMS], VSIZE)
    s.lsmt('crc-fused-block-1', zf(block_crcs={1: 0}),
           io_error(content, (0, 8)))
    s.lsmt('crc-fused-block-2', zf(block_crcs={2: 0}),
           io_error(content, (10, 8)))
    s.lsmt('crc-fused-block-3', zf(block_crcs={3: 0}),
           io_error(content, (18, 1), (40, 7)))
    upper = layer_file([data(12, text_bytes(2 * SECTOR, 9))])
    s.lsmt('crc-below-an-upper-layer', [zf(block_crcs={2: 0}), upper],
           io_error(paint([ITEMS, [data(12, text_bytes(2 * SECTOR, 9))]],
                          VSIZE), (10, 2), (14, 4)))
    changed = bytearray(PAYLOAD)
    changed[5000] ^= 0xff
    s.zfile('changed-literal-without-crc',
            zf(verify=0, blocks={1: lz4_literals(bytes(changed[4096:8192]))}),
            ok(bytes(changed)))


MALFORMED_LZ4 = {
    'offset-before-start': b'\x1f\x41\x09\x00' + b'\xff' * 15 + b'\x00',
    'literals-beyond-input': b'\xf0\xff\xff\xff\x00' + b'abc',
    'literals-beyond-output': b'\xf0' + b'\xff' * 16 + b'\x02' + b'a' * 4097,
    'match-beyond-output': b'\x1f\x41\x01\x00' + b'\xff' * 30 +
                           b'\x00\x50zzzzz',
    'ends-in-offset': b'\x1f\x41\x01',
    'ends-in-length': b'\x1f\x41\x01\x00\xff\xff',
    'ends-in-match': b'\x1f\x41\x01\x00' + b'\xff' * 15 + b'\xf5',
    'no-last-literals': b'\x1f\x41\x01\x00' + b'\xff' * 15 + b'\xfd\x00',
    'all-ff': b'\xff' * 64,
    'all-00': b'\x00' * 64,
    'random': random_bytes(900, 7),
}


def row24_malformed_lz4(s):
    for name, block in MALFORMED_LZ4.items():
        for where in (0, 2, LAST):
            s.zfile('%s-%d' % (name, where), zf(blocks={where: block}),
                    bad_block(where))
        s.zfile(name + '-no-crc', zf(verify=0, blocks={2: block}),
                bad_block(2))
        s.lsmt(name + '-fused', zf(blocks={2: block}),
               io_error(paint([ITEMS], VSIZE), (10, 8)))
    good = lz4_compress(PAYLOAD[2 * BLOCK:3 * BLOCK])
    s.zfile('truncated', zf(blocks={2: good[:-1]}), bad_block(2))
    s.zfile('one-byte-more', zf(blocks={2: good + b'\0'}), bad_block(2))
    # Offset 0 has no meaning; decoders make zeros of it, or refuse it.
    # 1 literal, match of 4 + 15 + 16*255 - 10 = 4090, 5 literals
    block = b'\x1fA\0\0' + b'\xff' * 15 + b'\xf6' + b'\x50zzzzz'
    zeros = (PAYLOAD[:2 * BLOCK] + b'A' + bytes(4090) + b'zzzzz' +
             PAYLOAD[3 * BLOCK:])
    s.zfile('offset-0', zf(blocks={2: block}), ok(zeros), bad_block(2))


def row25_wrong_length(s):
    for algo, compress in (('lz4', lz4_compress), ('zstd', zstd_compress)):
        for where in (0, 2):
            whole = PAYLOAD[where * BLOCK:(where + 1) * BLOCK]
            for name, content in (('empty', b''), ('one', whole[:1]),
                                  ('short-512', whole[:-512]),
                                  ('short-1', whole[:-1]),
                                  ('long-1', whole + b'x'),
                                  ('long-512', whole + bytes(512)),
                                  ('double', whole * 2)):
                s.zfile('%s-%s-%d' % (algo, name, where),
                        zf(algo=algo, blocks={where: compress(content)}),
                        bad_block(where))
    s.row = 28
    tail = PAYLOAD[LAST * BLOCK:]
    for algo, compress in (('lz4', lz4_compress), ('zstd', zstd_compress)):
        for name, content in (('short', tail[:-1]), ('long', tail + b'x'),
                              ('full', tail.ljust(BLOCK, b'\xee'))):
            s.zfile('%s-last-%s' % (algo, name),
                    zf(algo=algo, blocks={LAST: compress(content)}),
                    bad_block(LAST))
    s.zfile('whole-blocks-only', build_zfile(PAYLOAD[:5 * BLOCK]),
            ok(PAYLOAD[:5 * BLOCK]), content=PAYLOAD[:5 * BLOCK])


def row26_zstd(s):
    whole = PAYLOAD[2 * BLOCK:3 * BLOCK]
    either = (GOOD_PAYLOAD, bad_block(2))
    head, tail = zstd_compress(whole[:1000]), zstd_compress(whole[1000:])
    good = zstd_compress(whole)
    for name, block in (
            ('unknown-size', zstd_compress(whole, content_size=False)),
            ('checksum', zstd_compress(whole, checksum=True)),
            ('window-1k', zstd_raw_frame(whole[:1024], window=0) +
             zstd_compress(whole[1024:])),
            ('window-128m', zstd_raw_frame(whole, window=17 << 3)),
            ('window-2g', zstd_raw_frame(whole, window=21 << 3,
                                         content_size=BLOCK)),
            ('two-frames', head + tail),
            ('empty-frame-first', zstd_compress(b'') + good),
            ('empty-frame-last', good + zstd_compress(b'')),
            ('skippable-first', zstd_skippable(b'hello') + good),
            ('skippable-last', good + zstd_skippable(b'', 15))):
        s.zfile(name, zf(algo='zstd', blocks={2: block}), *either)
    for name, block in (
            ('window-too-large', zstd_raw_frame(whole, window=22 << 3)),
            ('window-largest', zstd_raw_frame(whole, window=0xff)),
            ('only-skippable', zstd_skippable(whole[:64])),
            ('skippable-lies', struct.pack('<II', 0x184D2A50, 1 << 31) + good),
            ('dictionary-id', zstd_raw_frame(whole, dict_id=77)),
            ('size-larger', zstd_raw_frame(whole, content_size=BLOCK + 1)),
            ('size-smaller', zstd_raw_frame(whole, content_size=BLOCK - 1)),
            ('size-0', zstd_raw_frame(whole, content_size=0)),
            ('size-2e40', zstd_raw_frame(whole, content_size=1 << 40)),
            ('size-max', zstd_raw_frame(whole, content_size=(1 << 64) - 3)),
            ('checksum-wrong', zstd_raw_frame(whole, checksum=1)),
            ('reserved-bit', zstd_raw_frame(whole, reserved=1)),
            ('block-type-3', zstd_raw_frame(whole, block_type=3)),
            ('block-too-long', zstd_raw_frame(whole, block_size=BLOCK + 1)),
            ('run-too-long', zstd_raw_frame(b'a', block_type=1,
                                            block_size=BLOCK + 1,
                                            content_size=BLOCK)),
            ('run-131072', zstd_raw_frame(b'a', window=56, block_type=1,
                                          block_size=131072)),
            ('trailing-byte', good + b'\0'),
            ('trailing-frame', good + zstd_compress(b'x')),
            ('truncated', good[:-1]), ('magic-only', good[:4]),
            ('wrong-magic', b'\x27' + good[1:]), ('magicless', good[4:]),
            ('lz4', lz4_compress(whole)), ('random', random_bytes(900, 8))):
        s.zfile(name, zf(algo='zstd', blocks={2: block}), bad_block(2))
        s.zfile(name + '-no-crc', zf(algo='zstd', verify=0,
                                     blocks={2: block}), bad_block(2))
    run = bytes([77]) * BLOCK
    content = PAYLOAD[:2 * BLOCK] + run + PAYLOAD[3 * BLOCK:]
    s.zfile('run-exact', zf(algo='zstd', blocks={2: zstd_raw_frame(
        b'M', block_type=1, block_size=BLOCK, content_size=BLOCK)}),
        ok(content))
    s.row = 27
    for algo in ('lz4', 'zstd'):
        zeros = bytes(16 * 65536)
        s.zfile('zeros-' + algo,
                build_zfile(zeros, algo=algo, block_size=65536), ok(zeros),
                content=zeros)


def row29_odd_sizes(s):
    for size in (1, 511, 512, 513, 4095, 4096, 4097, 8191):
        content = random_bytes(size, size)
        for algo in ('lz4', 'zstd'):
            s.zfile('size-%d-%s' % (size, algo),
                    build_zfile(content, algo=algo), ok(content),
                    content=content)
    odd = layer_file(padding='none')
    s.lsmt('lsmt-size-not-512', odd, GOOD_LAYER, EINVAL)
    s.lsmt('lsmt-size-not-512-fused', build_zfile(odd), GOOD_LAYER, EINVAL)


# --- rows 31-45: the LSMT layer and the stack ----------------------------------

def row31_index_place(s):
    end = len(PAYLOAD) - 4096
    for name, value in (('0', 0), ('512', 512), ('3584', 3584),
                        ('4095', 4095), ('4096', 4096), ('4097', 4097),
                        ('plus-1', DATA_END * SECTOR + 1),
                        ('plus-16', DATA_END * SECTOR + 16),
                        ('trailer', end), ('file-size', len(PAYLOAD)),
                        ('beyond', len(PAYLOAD) + 512), ('2e63', 1 << 63),
                        ('wraps', (1 << 64) - 512)):
        s.lsmt('offset-' + name, layer_file(trailer={'index_offset': value}),
               EINVAL)
    index = DATA_END * SECTOR
    for step in (1, 16, 256, 512):
        image = (PAYLOAD[:index] + bytes(step) + PAYLOAD[index:end] +
                 layer_file(trailer={'index_offset': index + step})[end:])
        s.lsmt('index-moved-%d' % step, image,
               GOOD_LAYER if step == 512 else EINVAL)
    s.lsmt('count-beyond-trailer', layer_file(trailer={'index_size': 33}),
           EINVAL)
    zeros = [zeroed(i, 1) for i in range(32)]
    s.lsmt('index-fills-its-space', layer_file(zeros), ok(bytes(VSIZE)))
    s.lsmt('index-one-short', layer_file(zeros, trailer={'index_size': 33}),
           EINVAL)
    for name, value in (('below-4096', 3584), ('unaligned', 4112),
                        ('beyond', 4096 + 512)):
        s.lsmt('empty-offset-' + name,
               layer_file([], trailer={'index_offset': value}), EINVAL)
    s.lsmt('unused-space-after-index', layer_file(padding='none')[:-4096] +
           bytes(8192 - 64) + layer_file()[-4096:], GOOD_LAYER)


def row32_order(s):
    a, b = data(4, text_bytes(4096, 4)), data(12, text_bytes(4096, 5))
    for name, items in (
            ('swapped', [b, a]), ('same', [a, a]),
            ('overlap-1', [a, b._replace(offset=11)]),
            ('inside', [a._replace(offset=0), zeroed(2, 1)]),
            ('overlap-behind-invalid', [a, invalid(), b._replace(offset=11)]),
            ('zeroed-overlap', [zeroed(0, 9), zeroed(8, 1)]),
            ('last-swapped', [zeroed(0, 1), zeroed(3, 1), zeroed(2, 1)]),
            ('wrapped-order', [zeroed(INVALID_OFFSET - 1, 16383),
                               zeroed(0, 1)])):
        s.lsmt(name, layer_file(items), EINVAL)
    s.stack('touching', [[a._replace(offset=4), b._replace(offset=12)]],
            [VSIZE], VSIZE)


def row33_length_0(s):
    for name, place in (('first', 0), ('middle', 2), ('last', 4)):
        for kind, word1 in (('data', 8), ('zeroed', 1 << 55)):
            offset = [0, 8, 30, 36, 60][place]
            items = list(ITEMS)
            items.insert(place, raw(offset, word1))
            s.lsmt('%s-%s' % (name, kind), layer_file(items), EINVAL)


def row34_invalid(s):
    for place in range(len(ITEMS) + 1):
        items = list(ITEMS)
        items[place:place] = [invalid(), invalid()]
        s.lsmt('at-%d' % place, layer_file(items), GOOD_LAYER)
    odd = [invalid(16383, (1 << 64) - 1), invalid(1, 0), invalid(0, 7)]
    mixed = [entry for pair in zip(ITEMS, odd + [invalid()]) for entry in pair]
    s.lsmt('with-other-fields', layer_file(mixed), GOOD_LAYER)
    s.lsmt('only-invalid', layer_file([invalid()] * 20), ok(bytes(VSIZE)))
    for padding in ('none', 'counted', 'uncounted'):
        s.lsmt('padding-' + padding, layer_file(
            ITEMS + [zeroed(100 + i, 1) for i in range(28)], padding=padding),
            GOOD_LAYER)


def row35_beyond(s):
    tail = data(120, text_bytes(16 * SECTOR, 11))
    s.stack('crosses-end', [[tail]], [VSIZE], VSIZE)
    s.stack('behind-end', [ITEMS + [data(128, text_bytes(512))]], [VSIZE],
            VSIZE)
    s.stack('longest', [[zeroed(0, 16383), data(16383, text_bytes(512))]],
            [16384 * SECTOR], 16384 * SECTOR)
    for name, entry in (
            ('zeroed-past-2e50', zeroed(INVALID_OFFSET - 1, 16383)),
            ('data-past-2e50', data(INVALID_OFFSET - 1, b'', moffset=8)
             ._replace(length=2)),
            ('last-sector', zeroed(INVALID_OFFSET - 1, 1))):
        s.lsmt(name, layer_file(ITEMS + [entry]), GOOD_LAYER)
    s.lsmt('past-2e50-below', [layer_file([zeroed(INVALID_OFFSET - 1, 16383)]),
                               PAYLOAD], GOOD_LAYER)


def row36_moffset(s):
    def mapped(moffset, length=1):
        return layer_file([ITEMS[0], data(60, b'', moffset=moffset)
                           ._replace(length=length)])
    # Data are 8 sectors at 8, the index is at 16.
    for name, moffset, length in (
            ('0', 0, 1), ('7', 7, 1), ('7-long', 7, 8),
            ('index', 16, 1), ('one-beyond', 15, 2), ('far', 1 << 40, 1),
            ('largest', MOFFSET_MASK, 1), ('longest', 8, 16383),
            ('wraps-32', (1 << 32) + 8, 1)):
        s.lsmt(name, mapped(moffset, length), EINVAL)
    content = ITEMS[0].content
    for name, moffset, length in (('first', 8, 1), ('last', 15, 1),
                                  ('all', 8, 8)):
        shown = content[(moffset - 8) * SECTOR:][:length * SECTOR]
        s.lsmt(name, mapped(moffset, length),
               ok(paint([[ITEMS[0], data(60, shown)]], VSIZE)))
    s.row = 37
    for name, moffset in (('0', 0), ('7', 7), ('index', DATA_END),
                          ('beyond', DATA_END + 1), ('far', 1 << 54),
                          ('largest', MOFFSET_MASK)):
        items = [item._replace(moffset=moffset) if item.kind == 'zeroed'
                 else item for item in ITEMS]
        s.lsmt('zeroed-' + name, layer_file(items), GOOD_LAYER)


def row38_tags(s):
    for tag in (1, 7, 254, 255):
        s.lsmt('tag-%d' % tag, layer_file(
            [item._replace(tag=tag) for item in ITEMS]), GOOD_LAYER)
    upper = [data(4, text_bytes(4096, 12), tag=9), zeroed(14, 2, tag=200)]
    s.stack('tags-in-a-stack', [ITEMS, upper], [VSIZE, VSIZE], VSIZE)


def row39_shared_data(s):
    sector = text_bytes(512, 13)
    items = [data(0, sector)] + [data(2 * i, sector, moffset=8)
                                 for i in range(1, 500)]
    s.stack('shared-data', [items], [1 << 19], 1 << 19)
    prefix = paint([ITEMS], 1 << 20)
    for name, size in (('2e40', 1 << 40), ('2e59', 1 << 59),
                       ('2e59-1', (1 << 59) - 1)):
        s.lsmt('virtual-' + name, layer_file(virtual_size=size), ok(prefix),
               sectors=2048)


def row40_virtual_size(s):
    s.lsmt('0', layer_file(virtual_size=0), EINVAL)
    s.lsmt('0-in-all', [layer_file(virtual_size=0)] * 3, EINVAL)
    for size in (1, 511):
        s.lsmt(str(size), layer_file(virtual_size=size), EINVAL, sectors=1)
    for size in (512, 513, 1023, 1024, 20000):
        s.stack(str(size), [ITEMS], [size], size)
    for name, size in (('2e59-plus-1', (1 << 59) + 1),
                       ('2e59-plus-512', (1 << 59) + 512),
                       ('2e63', 1 << 63), ('max', (1 << 64) - 1),
                       ('wraps-to-0', (1 << 64) - 511)):
        s.lsmt(name, layer_file(virtual_size=size), COUNT)
    s.lsmt('table-too-long', PAYLOAD, EINVAL, sectors=VSIZE // SECTOR + 1)
    s.lsmt('table-too-long-odd', layer_file(virtual_size=VSIZE + 511), EINVAL,
           sectors=VSIZE // SECTOR + 1)
    s.lsmt('table-shorter', PAYLOAD, ok(paint([ITEMS], 4096)), sectors=8)
    s.zfile('zfile-table-too-long', zf(), EINVAL, fused=False,
            sectors=len(PAYLOAD) // SECTOR + 1)
    s.zfile('zfile-table-shorter', zf(), ok(PAYLOAD[:512]), sectors=1)


def row41_sizes_differ(s):
    upper = [data(100, text_bytes(512 * 60, 14))]
    for name, sizes, size in (
            ('grow', (VSIZE, 2 * VSIZE), 2 * VSIZE),
            ('shrink', (VSIZE, VSIZE // 2), VSIZE // 2),
            ('zero-top', (VSIZE, 0), VSIZE),
            ('zero-bottom', (0, VSIZE), VSIZE)):
        s.stack(name, [ITEMS, upper], sizes, size)
    s.stack('zero-two-on-top', [ITEMS, upper, []], (VSIZE, 0, 0), VSIZE)
    s.lsmt('shrink-table-too-long', [PAYLOAD, layer_file([], VSIZE // 2)],
           EINVAL)


def row42_layer_count(s):
    s.lsmt('0', [], EINVAL)
    s.lsmt('256', [PAYLOAD] * 256, EINVAL)
    s.lsmt('300', [PAYLOAD] * 300, EINVAL)
    kinds = [[data(2 * i, text_bytes(512 * 3, 20 + i)), zeroed(60 + i, 2)]
             for i in range(3)]
    for count in (1, 2, 254, 255):
        stacks = [kinds[i % 3] for i in range(count)]
        s.stack(str(count), stacks, [VSIZE] * count, VSIZE)


def random_items(rng, size):
    items, here = [], rng.randrange(8)
    while here < size:
        length = rng.randrange(1, 9)
        items.append(zeroed(here, length) if rng.random() < .3 else
                     data(here, rng.randbytes(4) * (length * SECTOR // 4)))
        here += length + rng.choice((0, 0, 1, 3, 20))
    return items


def row43_interleaving(s):
    rng = random.Random(43)
    combs = [[zeroed(i, 1) if layer % 3 == 2 else
              data(i, bytes([layer + 1]) * SECTOR)
              for i in range(layer, 256, 8)] for layer in range(8)]
    s.stack('combs', combs, [1 << 17] * 8, 1 << 17)
    s.stack('combs-reversed', combs[::-1], [1 << 17] * 8, 1 << 17)
    stairs = [[data(i, bytes([i + 1]) * (SECTOR * (24 - i)))]
              for i in range(12)]
    s.stack('stairs', stairs, [VSIZE] * 12, VSIZE)
    for number in range(4):
        stacks = [random_items(rng, 100) for _ in range(5)]
        s.stack('random-%d' % number, stacks, [50000] * 5, 50000)


def row44_empty(s):
    empty = layer_file([])
    s.lsmt('alone', empty, ok(bytes(VSIZE)))
    s.lsmt('alone-fused', build_zfile(empty), ok(bytes(VSIZE)))
    for name, stacks in (('top', [ITEMS, []]), ('bottom', [[], ITEMS]),
                         ('between', [ITEMS, [], [data(1, bytes(512))]])):
        s.stack(name, stacks, [VSIZE] * len(stacks), VSIZE)


def row45_writable(s):
    s.lsmt('index-file', layer_file(header={'flags': 1, 'index_offset': 4096},
                                    trailer={'flags': 0}), EINVAL)
    s.lsmt('unsealed-data', PAYLOAD[:-4096], EINVAL)
    s.lsmt('sparse-writable', layer_file(header={'flags': 0x13})[:4096] +
           bytes(8192), EINVAL)
    s.lsmt('unsealed-on-top', [PAYLOAD, PAYLOAD[:-4096]], EINVAL)
    s.lsmt('bad-in-the-middle', [PAYLOAD, flip(PAYLOAD, 3), PAYLOAD], EINVAL)
    s.lsmt('header-only', PAYLOAD[:4096], EINVAL)
    target = [data(0, text_bytes(4096, 15)),
              raw(*struct.unpack('<QQ', pack_mapping(20, 8, 5000, tag=1)))]
    s.lsmt('data-in-another-file', layer_file(target, padding='none'), EINVAL)
    for form in ('sealed', 'sparse'):
        s.lsmt(form + '-in-place', layer_file(form=form), GOOD_LAYER)


def row47_identity(s):
    one, two = 'A' * 8 + '-1111-2222-3333-' + 'B' * 12, 'not a uuid'
    cycle = [layer_file(ITEMS, uuid=a, parent_uuid=b)
             for a, b in ((one, two), (two, one), (one, one))]
    s.lsmt('cyclic-parents', cycle, GOOD_LAYER)
    s.lsmt('same-layer-twice', [PAYLOAD, PAYLOAD], GOOD_LAYER)
    s.lsmt('text-fields', layer_file(
        header={'uuid': b'\xff' * 37, 'user_tag': b'%s%n' * 64},
        trailer={'uuid': b'\xff' * 37, 'user_tag': b'\x80' * 256}),
        GOOD_LAYER)


ROWS = {
    1: row01_lengths, 2: row02_magic, 3: row03_digests, 4: row04_no_digest,
    5: row05_disagreement, 6: row06_algorithm, 7: row07_block_size,
    10: row10_dictionary, 11: row11_compressed_index, 12: row12_counts,
    13: row13_huge_counts, 14: row14_block_count, 15: row15_original_size,
    16: row16_index_offset, 17: row17_small_entries, 18: row18_large_entries,
    20: row20_sum, 22: row22_unreadable_metadata, 23: row23_block_crc,
    24: row24_malformed_lz4, 25: row25_wrong_length, 26: row26_zstd,
    29: row29_odd_sizes, 31: row31_index_place, 32: row32_order,
    33: row33_length_0, 34: row34_invalid, 35: row35_beyond, 36: row36_moffset,
    38: row38_tags, 39: row39_shared_data, 40: row40_virtual_size,
    41: row41_sizes_differ, 42: row42_layer_count, 43: row43_interleaving,
    44: row44_empty, 45: row45_writable, 47: row47_identity,
}


def all_cases():
    collected = Set()
    for row, collect in ROWS.items():
        collected.row = row
        collect(collected)
    return collected.cases


# --- writing -----------------------------------------------------------------

def outcome_text(outcome):
    if outcome.kind == 'load-fail':
        return 'load-fail ' + '|'.join(outcome.errnos)
    numbers = ['%d %d' % pair for pair in outcome.bad]
    return ' '.join([outcome.kind] + numbers + [outcome.sha256])


def plan_line(case, names):
    layers = ','.join('%s:%d@%d' % (name, layer.size, layer.start)
                      for name, layer in zip(names, case.layers)) or '-'
    return ' '.join([case.name, case.kind, str(case.sectors), layers,
                     ' or '.join(map(outcome_text, case.outcomes))])


def write_cases(cases, outdir):
    """Device files (equal ones once), plan.txt, manifest.json."""
    os.makedirs(outdir, exist_ok=True)
    known, lines, manifest = {}, [], []
    for case in cases:
        names = []
        for number, layer in enumerate(case.layers):
            key = hashlib.sha256(layer.image).digest()
            if key not in known:
                known[key] = '%s.%d' % (case.name, number)
                with open(os.path.join(outdir, known[key]), 'wb') as out:
                    out.write(sectors_of(layer.image))
            names.append(known[key])
        lines.append(plan_line(case, names))
        manifest.append({
            'name': case.name, 'kind': case.kind, 'sectors': case.sectors,
            'layers': [{'file': name, 'bytes': layer.size,
                        'start': layer.start}
                       for name, layer in zip(names, case.layers)],
            'outcomes': [outcome._asdict() for outcome in case.outcomes]})
    with open(os.path.join(outdir, 'plan.txt'), 'w') as out:
        out.write('\n'.join(lines) + '\n')
    with open(os.path.join(outdir, 'manifest.json'), 'w') as out:
        json.dump({'cases': manifest}, out)


def write_set(outdir):
    cases = all_cases()
    write_cases(cases, outdir)
    return len(cases)
