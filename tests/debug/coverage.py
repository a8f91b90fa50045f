#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Sums up the gcov data of guests: coverage.py BUILD_DIR GCOV_TAR...

Prints, per source file of the module, how many lines and functions were reached,
and then each line that was not.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict

MODULE = 'drivers/md/dm-overlaybd/'
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Source:
    def __init__(self):
        self.lines = defaultdict(int)
        self.functions = defaultdict(int)


def run_gcov(data):
    out = subprocess.run(['gcov', '--json-format', '--stdout', data], check=True,
                         cwd=os.path.dirname(data), capture_output=True, text=True)
    return [json.loads(line) for line in out.stdout.splitlines() if line.startswith('{')]


def own_name(path):
    """The file's path inside the module, or None for any other file."""
    if MODULE not in path:
        return None
    name = path.split(MODULE, 1)[1]
    return None if name.startswith('tests/') else name


def collect(build, archive, sources):
    """Adds what one guest has reached."""
    with tempfile.TemporaryDirectory() as work:
        add_reports(build, archive, work, sources)


def add_reports(build, archive, work, sources):
    with tarfile.open(archive, ignore_zeros=True) as tar:
        members = [m for m in tar.getmembers() if m.name.endswith('.gcda')]
        tar.extractall(work, members)
    for member in members:
        data = os.path.join(work, member.name)
        notes = member.name.split(MODULE, 1)[1][:-len('.gcda')] + '.gcno'
        shutil.copy(os.path.join(build, MODULE, notes), os.path.dirname(data))
        for report in run_gcov(data):
            for file in report['files']:
                name = own_name(file['file'])
                if name is None:
                    continue
                for line in file['lines']:
                    sources[name].lines[line['line_number']] += line['count']
                for function in file['functions']:
                    sources[name].functions[function['name']] += function['execution_count']


def share(counts):
    reached = sum(1 for count in counts if count)
    return '%d/%d %.1f %%' % (reached, len(counts), 100 * reached / max(len(counts), 1))


def row(name, sources):
    print('%-22s %-18s %s' % (
        name, share([c for s in sources for c in s.lines.values()]),
        share([c for s in sources for c in s.functions.values()])))


def missed(name, source):
    with open(os.path.join(TOP, MODULE, name), encoding='utf-8') as file:
        text = file.read().splitlines()
    for number in sorted(n for n, count in source.lines.items() if not count):
        if number <= len(text):
            print('%s:%d: %s' % (name, number, text[number - 1].strip()))


def main():
    build, archives = sys.argv[1], sys.argv[2:]
    sources = defaultdict(Source)
    for archive in archives:
        collect(build, archive, sources)
    if not sources:
        sys.exit('coverage.py: no data in %s' % ' '.join(archives))
    print('%-22s %-18s %s' % ('file', 'lines', 'functions'))
    for name in sorted(sources):
        row(name, [sources[name]])
    row('total', sources.values())
    print('\nlines not reached:')
    for name in sorted(sources):
        missed(name, sources[name])


if __name__ == '__main__':
    main()
