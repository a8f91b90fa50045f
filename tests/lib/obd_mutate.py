# SPDX-License-Identifier: GPL-2.0
"""Structure-aware random damage to images, for differential fuzzing.

write_mutants(seed, count, outdir, images) writes the same files as the
hostile set (see obd_hostile.py), where the expected outcome is what the
reader here says: `load-fail ANY`, since a mutant often breaks several rules
at once, or the exact content and failing sectors. Same arguments, same
mutants; mutant number n does not depend on how many are asked for.
"""

import random
import struct

from obd_builder import build_zfile, seal_zfile_block
from obd_codec import CODECS
from obd_crc32c import BLOCK_SEED, crc32c
from obd_format import (
    INVALID_OFFSET, LSMT, MAX_LENGTH, MOFFSET_MASK, OFFSET_MASK, SECTOR,
    ZFILE, Z_DIGEST, Z_OVERWRITE, pack_mapping, unpack_mapping)
from obd_hostile import Case, Layer, Outcome, load_fail, ok, write_cases
from obd_reader import (
    ImageError, ZFile, is_zfile, as_source, open_device, survey, unwrap)

MAX_SECTORS = 4096


def interesting(rng, value, bits):
    """A value that may hurt a field of BITS bits that held VALUE."""
    choices = [0, 1, value - 1, value + 1, value * 2, value // 2, 511, 512,
               4095, 4096, 65535, 65536, 65537, 1 << 31, (1 << 32) - 1,
               value + (1 << 32), 1 << (bits - 1), -1, -value,
               value ^ 1 << rng.randrange(bits), rng.getrandbits(bits),
               value + rng.randrange(-64, 65), value + 512, value - 512]
    return rng.choice(choices) & (1 << bits) - 1


def mutate_field(rng, image, start, layout):
    """One field of the block at START; weight on the fields with meaning."""
    names = [name for name in layout.fields
             if layout.fields[name][1] in ('<B', '<I', '<Q')]
    offset, code = layout.fields[rng.choice(names)]
    value = struct.unpack_from(code, image, start + offset)[0]
    bits = struct.calcsize(code) * 8
    struct.pack_into(code, image, start + offset,
                     interesting(rng, value, bits))


def flip_bytes(rng, image, start, end):
    for _ in range(rng.choice((1, 1, 2, 8))):
        image[rng.randrange(start, end)] ^= rng.choice(
            (1, 0x80, 0xff, rng.randrange(1, 256)))


def resize(rng, image):
    step = rng.choice((1, 4, 16, 100, 512, 4096))
    if rng.random() < .6:
        del image[max(0, len(image) - step):]
    else:
        image += rng.randbytes(step)


# --- LSMT ------------------------------------------------------------------

def mutate_entry(rng, image, at):
    offset, length, moffset, zero, tag = unpack_mapping(
        *struct.unpack_from('<QQ', image, at))
    what = rng.randrange(6)
    if what == 0:
        offset = interesting(rng, offset, 50) & OFFSET_MASK
    elif what == 1:
        length = interesting(rng, length, 14) & MAX_LENGTH
    elif what == 2:
        moffset = interesting(rng, moffset, 55) & MOFFSET_MASK
    elif what == 3:
        zero = not zero
    elif what == 4:
        tag = rng.randrange(256)
    else:
        offset = INVALID_OFFSET
    image[at:at + 16] = pack_mapping(offset, length, moffset, zero, tag)


def mutate_lsmt(rng, image):
    image = bytearray(image)
    tail = len(image) - LSMT.size
    trailer = LSMT.decode(image[tail:])
    start = trailer.index_offset
    count = (tail - start) // 16
    for _ in range(rng.choice((1, 1, 2, 3))):
        what = rng.randrange(8)
        at = start + 16 * rng.randrange(max(1, min(count, 64)))
        other = start + 16 * rng.randrange(max(1, min(count, 64)))
        if what <= 2 and count > 0:
            mutate_entry(rng, image, at)
        elif what == 3 and count > 0:
            image[at:at + 16], image[other:other + 16] = (
                image[other:other + 16], image[at:at + 16])
        elif what == 4 and count > 0:
            image[at:at + 16] = image[other:other + 16]
        elif what == 5:
            flip_bytes(rng, image, 0, len(image))
        else:
            mutate_field(rng, image, rng.choice((0, tail, tail)), LSMT)
    if rng.random() < .1:
        resize(rng, image)
    return bytes(image)


# --- ZFile -----------------------------------------------------------------

def mutate_block(rng, image, start, end, crc_size):
    """Damage inside one compressed block, its CRC repaired most times."""
    last = end - crc_size
    if rng.random() < .3:
        image[start:last] = rng.randbytes(last - start)
    else:
        flip_bytes(rng, image, start, last)
    if crc_size and rng.random() < .8:
        struct.pack_into('<I', image, last,
                         crc32c(BLOCK_SEED, image[start:last]))


def mutate_index(rng, image, at, count):
    one, two = (at + 4 * rng.randrange(count) for _ in range(2))
    if rng.random() < .3:
        image[one:one + 4], image[two:two + 4] = (image[two:two + 4],
                                                  image[one:one + 4])
        return
    value = struct.unpack_from('<I', image, one)[0]
    struct.pack_into('<I', image, one, interesting(rng, value, 32))


def repair_zfile(image):
    """Right index CRC and digest in each block that says it has them."""
    for start in (0, len(image) - ZFILE.size):
        block = image[start:start + ZFILE.size]
        fields = ZFILE.decode(block)
        size = 4 * fields.index_size
        if not fields.flags & Z_DIGEST:
            continue
        if fields.index_offset + size <= len(image):
            index = image[fields.index_offset:fields.index_offset + size]
            block = ZFILE.patch(block, {'index_crc': crc32c(0, index)})
        image[start:start + ZFILE.size] = seal_zfile_block(block)


def mutate_zfile(rng, image):
    good = ZFile(as_source(image))
    count = len(good.starts) - 1
    image = bytearray(image)
    for _ in range(rng.choice((1, 1, 2, 3))):
        what = rng.randrange(6)
        if what <= 1:
            uses_header = good.info.flags & Z_OVERWRITE
            start = (0 if uses_header and rng.random() < .8
                     else len(image) - ZFILE.size)
            mutate_field(rng, image, start, ZFILE)
        elif what == 2 and count:
            mutate_index(rng, image, good.info.index_offset, count)
        elif what <= 4 and count:
            block = rng.randrange(count)
            mutate_block(rng, image, good.starts[block],
                         good.starts[block + 1], good.crc_size)
        else:
            flip_bytes(rng, image, 0, len(image))
    if rng.random() < .8:
        repair_zfile(image)
    if rng.random() < .1:
        resize(rng, image)
    return bytes(image)


def recompress(rng, image, payload):
    """PAYLOAD in a ZFile like IMAGE, sometimes of another shape."""
    info = ZFile(as_source(image)).info
    algo = CODECS[info.algo][0]
    block_size = info.block_size
    if rng.random() < .3:
        algo = rng.choice(('lz4', 'zstd'))
        block_size = 1 << rng.randrange(9, 17)
    return build_zfile(payload, algo=algo, block_size=block_size,
                       verify=info.verify,
                       overwrite=bool(info.flags & Z_OVERWRITE),
                       digest=bool(info.flags & Z_DIGEST))


# --- mutants -----------------------------------------------------------------

def mutate(rng, image):
    source = as_source(image)
    if not is_zfile(source):
        return mutate_lsmt(rng, image)
    if rng.random() < .4:
        zfile = ZFile(source)
        payload = mutate_lsmt(rng, zfile.read(0, zfile.size))
        return recompress(rng, image, payload)
    return mutate_zfile(rng, image)


def judge(kind, images, sectors):
    """(table length, outcome) by the reader."""
    layers = [(image + bytes(-len(image) % SECTOR), 0, len(image))
              for image in images]
    try:
        device = open_device(kind, layers)
    except ImageError:
        return sectors, load_fail('ANY')
    device.sectors = min(device.sectors, MAX_SECTORS)
    content, bad = survey(device)
    good = ok(content)
    return device.sectors, (Outcome('io-error', (), bad, good.sha256)
                            if bad else good)


def one_mutant(seed, number, originals):
    rng = random.Random('%s/%d' % (seed, number))
    original = rng.choice(originals)
    image = mutate(rng, original)
    kind, images = 'lsmt', [image]
    if is_zfile(as_source(original)) and rng.random() < .3:
        kind = 'zfile'
    elif rng.random() < .2:
        images = rng.choice(([original, image], [image, original]))
    sectors, outcome = judge(kind, images, 8)
    return Case('m%s-%05d' % (seed, number), kind, sectors,
                [Layer(i, len(i), 0) for i in images], (outcome,))


def write_mutants(seed, count, outdir, images):
    originals = []
    for item in images:
        source, _ = unwrap(item)
        originals.append(source.read(0, source.size))
    write_cases([one_mutant(seed, number, originals)
                 for number in range(count)], outdir)
