# SPDX-License-Identifier: GPL-2.0
"""Images for the differential tests: what is mutated, how mutants are wrapped.

A mutant is known by its seed and number; the same ones come from the same seed.
"""

import random

from obd_builder import (build_lsmt, build_zfile, data, invalid, tar_header,
                         tar_pax, tar_ustar, text_bytes, zeroed)
from obd_mutate import mutate
from obd_reader import as_source, is_zfile


def originals():
    """Small images of all forms; the tests read thousands of them."""
    text = text_bytes(40 << 9)
    low = build_lsmt([data(0, text), zeroed(40, 9), data(60, text[:4096])],
                     100 << 9, padding='none')
    high = build_lsmt([data(5, text[512:4608]), invalid(), zeroed(20, 3),
                       data(61, text[:1536], tag=3)], 0, padding='none')
    grown = build_lsmt([data(90, text[:8192])], 120 << 9, form='sealed')
    odd = build_lsmt([data(3, text[:2048])], (30 << 9) + 77)
    images = [low, high, grown, odd, build_zfile(text + b'odd')]
    for number, inner in enumerate((low, high, grown, low, low, high)):
        images.append(build_zfile(
            inner, algo=('lz4', 'zstd')[number % 2],
            block_size=512 << number, overwrite=bool(number & 2),
            digest=number != 4, verify=int(number != 5),
            garbage=9 if number == 4 else None))
    return images


def is_compressed(image):
    return is_zfile(as_source(image))


def mutant(seed, number, images):
    """(rng, layers): mostly one, sometimes over or under one that is good."""
    rng = random.Random('%s/%d' % (seed, number))
    original = rng.choice(images)
    layers = [mutate(rng, original)]
    if rng.random() < .25:
        layers.insert(rng.randrange(2), rng.choice(images[:3]))
    return rng, layers


def repair_checksum(header):
    header[148:156] = b' ' * 8
    header[148:155] = b'%06o\0' % sum(header)


def mutate_tar(rng, image):
    """Damage in the blocks before the payload."""
    image = bytearray(image)
    end = 1536 if image[156:157] == b'x' else 512
    for _ in range(rng.choice((1, 1, 2))):
        start = 512 * rng.randrange(end // 512)
        at = start + rng.choice((rng.randrange(512), rng.randrange(20),
                                 124 + rng.randrange(12), 156,
                                 257 + rng.randrange(8)))
        image[at] = rng.choice((0, 10, 32, 48, 49, 55, 57, 61, 120,
                                rng.randrange(256)))
    if rng.random() < .8:
        for start in range(0, end, 512):
            header = image[start:start + 512]
            if header[257:262] == b'ustar':
                repair_checksum(header)
                image[start:start + 512] = header
    return bytes(image)


def wrap(rng, image):
    """In a tar, as it comes from a registry; the tar may be damaged."""
    image = rng.choice((tar_pax, tar_ustar))(image)
    if rng.random() < .1:
        image = tar_header(b'x', rng.randrange(600), rng.choice(
            (b'x', b'g', b'L', b'K', b'0'))) + image
    return mutate_tar(rng, image) if rng.random() < .5 else image
