# SPDX-License-Identifier: GPL-2.0
"""Usage: kernel_plan.py SEED COUNT BATCH

Print the numbers of COUNT mutants, no two of which are the same image, BATCH of
them on a line.

write() makes a plan (see tests/dm/plan.c) of such a line, with what the independent
reader says of each image: refused, or its content and the sectors that must fail."""

import hashlib
import itertools
import sys

from mutants import is_compressed, mutant, originals
from obd_codec import ALGO_NUMBER, CODECS
from obd_reader import SECTOR, BytesSource, ImageError, open_device, survey
from plan_images import Output

# Of larger devices only this much is shown.
SECTORS = 256

REFUSALS = 'EINVAL|EUCLEAN|EOPNOTSUPP|EFBIG|EIO'

ZSTD = ALGO_NUMBER['zstd']


def chosen(seed, number, images):
    """(target, layers) of a mutant."""
    rng, layers = mutant(seed, number, images)
    if is_compressed(layers[-1]) and rng.random() < .35:
        return 'zfile', layers[-1:]
    return 'lsmt', layers


def name_of(layers):
    """The same for the same image, whatever reads it; in 64 bits."""
    digest = hashlib.sha256()
    for layer in layers:
        digest.update(b'%d ' % len(layer) + layer)
    return digest.hexdigest()[:16]


def distinct(seed):
    """The numbers of all mutants that can be loaded, differ from what was there
    before them, and from each other."""
    images = originals()
    seen = set()
    for number in itertools.count():
        _, layers = chosen(seed, number, images)
        name = name_of(layers)
        if name in seen or not all(layers) or all(map(images.__contains__, layers)):
            continue
        seen.add(name)
        yield number


class Plan:
    def __init__(self, seed):
        self.seed = seed
        self.doubtful = False
        self.decompress = CODECS[ZSTD][3]
        CODECS[ZSTD] = *CODECS[ZSTD][:3], self.decompress_zstd
        self.out = Output()
        self.images = originals()
        self.places = {}

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
        kind, layers = chosen(self.seed, number, self.images)
        self.doubtful = False
        sectors, expect = self.judge(number, kind, layers)
        self.out.case('%s/%d %s' % (self.seed, number, name_of(layers)),
                      ['%d %s %s' % (sectors, kind,
                                     ' '.join(map(self.words, layers)))], expect)


def write(seed, numbers):
    """These mutants, to the folder in argv[1]."""
    plan = Plan(seed)
    for number in numbers:
        plan.add(number)
    plan.out.finish()


def main(seed, count, batch):
    numbers = map(str, itertools.islice(distinct(seed), count))
    while line := ' '.join(itertools.islice(numbers, batch)):
        print(line)


if __name__ == '__main__':
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
