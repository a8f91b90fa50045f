# SPDX-License-Identifier: GPL-2.0
"""A plan (see tests/dm/plan.c) of mutated images, with what the independent
reader says of each: refused, or its content and the sectors that must fail."""

import hashlib

from mutants import is_compressed, mutant, originals
from obd_codec import ALGO_NUMBER, CODECS
from obd_reader import SECTOR, BytesSource, ImageError, open_device, survey
from plan_images import Output

# Of larger devices only this much is shown.
SECTORS = 256

REFUSALS = 'EINVAL|EUCLEAN|EOPNOTSUPP|EFBIG|EIO'

ZSTD = ALGO_NUMBER['zstd']


class Plan:
    def __init__(self, seed):
        self.seed = seed
        self.doubtful = False
        self.decompress = CODECS[ZSTD][3]
        CODECS[ZSTD] = *CODECS[ZSTD][:3], self.decompress_zstd
        self.out = Output()
        self.images = originals()
        self.places = {}
        self.seen = set()

    def decompress_zstd(self, frame, capacity):
        """Of a damaged frame libzstd accepts on a CPU with BMI2 what it refuses on
        others, as the kernel does: nobody can say what must come of it."""
        content = self.decompress(frame, capacity)
        if CODECS[ZSTD][2](content) != frame:
            self.doubtful = True
        return content

    def words(self, layer):
        """A layer on the raw disk, as the table says it; equal ones once."""
        key = hashlib.sha256(layer).digest()
        if key not in self.places:
            self.places[key] = self.out.on_raw(layer)
        return self.places[key]

    def expectation(self, number, device):
        content, bad = survey(device)
        reference = 'refs/%d' % number
        self.out.reference(reference, BytesSource(content))
        if self.doubtful:
            return 'sane ' + reference
        if not bad:
            return 'same ' + reference
        return 'damaged %s %s' % (reference,
                                  ' '.join('%d %d' % one for one in bad))

    def judge(self, number, kind, layers):
        """(sectors, expectation)"""
        padded = [(layer + bytes(-len(layer) % SECTOR), 0, len(layer))
                  for layer in layers]
        try:
            device = open_device(kind, padded)
        except ImageError:
            return 8, 'refuse ' + REFUSALS
        device.sectors = min(device.sectors, SECTORS)
        return device.sectors, self.expectation(number, device)

    def add(self, number):
        """One case; False if there is one like it, or nothing to load."""
        rng, layers = mutant(self.seed, number, self.images)
        kind = 'lsmt'
        if is_compressed(layers[-1]) and rng.random() < .35:
            kind, layers = 'zfile', layers[-1:]
        key = (kind, *map(bytes, layers))
        if key in self.seen or not all(layers):
            return False
        self.seen.add(key)
        self.doubtful = False
        sectors, expect = self.judge(number, kind, layers)
        self.out.case('%s/%d' % (self.seed, number),
                      ['%d %s %s' % (sectors, kind,
                                     ' '.join(map(self.words, layers)))], expect)
        return True


def write(seed, first, count):
    """COUNT distinct mutants from number FIRST on, to the folder in argv[1]."""
    plan, number = Plan(seed), first
    while count:
        count -= plan.add(number)
        number += 1
    plan.out.finish()
