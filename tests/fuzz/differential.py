# SPDX-License-Identifier: GPL-2.0
"""The command overlaybd against the independent reader of tests/lib, on mutated
images: both refuse, or both read the same. Use tests/fuzz/differential."""

import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))

from mutants import is_compressed, mutant, originals, wrap
from obd_format import LSMT, LSMT_MAGIC, SECTOR
from obd_reader import ImageError, open_image, open_payload, unwrap

OK, REFUSED = 0, 2      # exit statuses of the command
LARGE = 1 << 22         # what is larger is compared by its segments

# Where the two may differ. (who accepts, text of the one that refuses, why)
ALLOWED = (
    ('tool', 'compressed ZFile index',
     'the flag "index compressed" of a header that does not count: nothing '
     'depends on it'),
    ('python', 'more header blocks than one pax header',
     'the tool takes the tar forms with the payload at 512 or 1536 only, as '
     'the original reader knows no other'),
    ('python', 'the pax header is not exactly one block',
     'the same for a pax area of several blocks'),
    ('python', 'tar wrapper: malformed size',
     'the size field of the member is garbage, but a pax record has the size: '
     'nobody writes that'),
)


class Verdict:
    """What one of the two says: refused with a text, or what it reads."""

    def __init__(self, refusal=None, segments=None, content=None, size=0):
        self.refusal = refusal
        self.segments = segments
        self.content = content
        self.size = size


def opened(layers):
    """As the tool does: a single ZFile without a layer is its payload."""
    if len(layers) == 1:
        source, _ = unwrap(layers[0])
        if is_compressed(source):
            payload = open_payload(layers[0])
            if (payload.size < 2 * LSMT.size or LSMT_MAGIC not in (
                    payload.read(0, 24),
                    payload.read(payload.size - LSMT.size, 24))):
                return payload, False
    return open_image(layers), True


def segments_of(image):
    """[(start, end, kind, layer, moffset)] of whole sectors of the device."""
    device = image.size // SECTOR
    rows = []
    for s in image.segments():
        end = min(s.offset + s.length, device)
        if end > s.offset:
            rows.append((s.offset, end) + (('zeroed',) if s.zeroed else
                                           ('data', s.layer, s.moffset)))
    return rows


def by_python(layers):
    try:
        image, stacked = opened(layers)
        # Less than a sector is no device, and has no map.
        mapped = stacked and image.size >= SECTOR
        segments = segments_of(image) if mapped else None
        if image.size > LARGE:
            return Verdict(segments=segments, size=image.size)
        return Verdict(segments=segments, size=image.size,
                       content=image.read(0, image.size))
    except ImageError as error:
        return Verdict(str(error))


class Tool:
    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        self.problem = None

    def run(self, *arguments):
        """(status, output); any other status than the two is a problem."""
        done = subprocess.run([self.program, *arguments], capture_output=True,
                              cwd=self.folder, timeout=60)
        message = done.stderr.decode('utf-8', 'replace').strip()
        if done.returncode not in (OK, REFUSED):
            self.problem = '%s: status %d: %s' % (arguments[0], done.returncode,
                                                  message[-300:])
        return done.returncode, done.stdout if not done.returncode else message

    def segments(self, names):
        status, output = self.run('map', '--json', *names)
        if status:
            return status, output
        rows = []
        for row in json.loads(output):
            if row['kind'] != 'hole':
                rest = ((row['layer'], row['moffset'])
                        if row['kind'] == 'data' else ())
                rows.append((row['start'], row['start'] + row['length'],
                             row['kind'], *rest))
        return status, rows

    def judge(self, names, python):
        """Its verdict, as far as can be compared with Python's."""
        segments = None
        if python.segments is not None:
            status, segments = self.segments(names)
            if status:
                return Verdict(segments)
        if python.size > LARGE:
            return Verdict(segments=segments, size=python.size)
        status, content = self.run('extract', '-f', '-o', 'raw', '--threads', '1',
                                   *names)
        if status:
            return Verdict(content)
        with open(os.path.join(self.folder, 'raw'), 'rb') as file:
            content = file.read()
        return Verdict(segments=segments, size=len(content), content=content)

    def check(self, names):
        return self.run('check', '--threads', '1', *names)


def joined(rows):
    """Neighbours that continue each other as one: how they are cut is free."""
    result = []
    for row in rows:
        last = result[-1] if result else None
        if (last and last[1] == row[0] and last[2:4] == row[2:4] and
                (row[2] == 'zeroed' or
                 row[4] == last[4] + last[1] - last[0])):
            result[-1] = (last[0], row[1], *last[2:])
        else:
            result.append(row)
    return result


def is_allowed(python, tool):
    accepts = 'tool' if python.refusal else 'python'
    text = python.refusal or tool.refusal
    return any(who == accepts and words in text for who, words, _ in ALLOWED)


def difference(python, tool):
    """What the two disagree on, or None."""
    if bool(python.refusal) != bool(tool.refusal):
        if is_allowed(python, tool):
            return None
        return 'python: %s; tool: %s' % (python.refusal or 'reads it',
                                         tool.refusal or 'reads it')
    if python.refusal:
        return None
    if python.segments is not None and (
            joined(python.segments) != joined(tool.segments)):
        return 'segments differ'
    if python.content != tool.content:
        return 'content differs'
    return None


def compare(tool, layers):
    """(problem or None, was it refused?)"""
    names = []
    for number, layer in enumerate(layers):
        names.append('layer%d' % number)
        with open(os.path.join(tool.folder, names[-1]), 'wb') as out:
            out.write(layer)
    python = by_python(layers)
    tool.problem = None
    verdict = tool.judge(names, python)
    status, message = tool.check(names)
    problem = tool.problem or difference(python, verdict)
    if not problem and not status and verdict.refusal:
        problem = 'check finds nothing, but: ' + verdict.refusal
    return problem, bool(python.refusal)


def save(folder, layers):
    os.makedirs(folder, exist_ok=True)
    for number, layer in enumerate(layers):
        with open(os.path.join(folder, 'layer%d' % number), 'wb') as out:
            out.write(layer)


def run(program, seed, count, findings):
    """Prints TAP; one result per hundred images, one per difference."""
    images, results, refused, problems = originals(), 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        tool = Tool(program, folder)
        for number in range(count):
            rng, layers = mutant(seed, number, images)
            if rng.random() < .25:
                layers[-1] = wrap(rng, layers[-1])
            problem, was_refused = compare(tool, layers)
            refused += was_refused
            if problem:
                results += 1
                problems += 1
                name = '%s-%d' % (seed, number)
                print('not ok %d - image %s\n# %s' % (results, name, problem))
                save(os.path.join(findings, name), layers)
            if number % 100 == 99 or number == count - 1:
                results += 1
                print('ok %d - %d images compared' % (results, number + 1))
    # Neither accepting nor refusing everything would compare much.
    good = count / 10 < refused < count * 9 / 10
    results += 1
    print('%sok %d - %d of %d images are refused'
          % ('' if good else 'not ', results, refused, count))
    print('1..%d' % results)
    return int(problems > 0 or not good)


if __name__ == '__main__':
    sys.exit(run(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
