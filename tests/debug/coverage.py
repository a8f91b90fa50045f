#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What the runs kasan, faults and rt together reach of the module. Prints TAP.

tests/debug/run leaves in build/debug/gcov-RUN the module's sources as they were
built, beside them the compiler's notes for gcov, and in data.tar what the guest has
counted. All runs must have been on the sources that are here now. Then 95 % of the
lines that any of the kernels has must be reached, and each function that is not in
the file not-reached.

build/debug/coverage.txt has, per source file, how many lines and functions were
reached, and then each line that was not.
"""

import glob
import json
import os
import subprocess
import sys
import tarfile
from collections import defaultdict

RUNS = ('kasan', 'faults', 'rt')
LEAST = 95      # per cent of all lines

MODULE = 'drivers/md/dm-overlaybd/'
HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
RESULTS = os.path.join(TOP, 'build/debug')


class Unusable(Exception):
    """Why a run does not count."""


class Source:
    def __init__(self):
        self.lines = defaultdict(int)
        self.functions = {}

    def add(self, report):
        for line in report['lines']:
            self.lines[line['line_number']] += line['count']
        for function in report['functions']:
            self.functions[function['name']] = range(function['start_line'],
                                                     function['end_line'] + 1)

    def reached_functions(self):
        """{name: is it?} by the lines: a kernel that has a function inlined everywhere
        has only those, and another may have the function and not call it."""
        return {name: any(self.lines.get(number) for number in numbers)
                for name, numbers in self.functions.items()}


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def sources_of(folder):
    """C files and headers by name, without those that building in place leaves."""
    return {name: read(os.path.join(folder, name))
            for name in glob.glob('**/*.[ch]', root_dir=folder, recursive=True)
            if not name.endswith('.mod.c')}


def files_in(folder, ending):
    return glob.glob(os.path.join(folder, '**/*.' + ending), recursive=True)


def extract(archive, folder):
    """Puts the data beside the notes; the archive has them by their path in the guest."""
    with tarfile.open(archive, 'r:') as tar:
        for member in tar:
            if member.name.endswith('.gcda'):
                member.name = member.name.split(MODULE, 1)[1]
                tar.extract(member, folder)


def run_gcov(data):
    out = subprocess.run(['gcov', '--json-format', '--stdout', data], check=False,
                         cwd=os.path.dirname(data), capture_output=True, text=True)
    # Some of what it finds wrong is no error for it, but then it counts nothing.
    if out.returncode or out.stderr:
        raise Unusable('gcov: ' + out.stderr.strip())
    return [json.loads(line) for line in out.stdout.splitlines() if line.startswith('{')]


def own_name(path):
    """The file's path inside the module, or None for any other file."""
    if MODULE not in path:
        return None
    name = path.split(MODULE, 1)[1]
    return None if name.startswith('tests/') else name


def reports_of(run):
    """What gcov says of each object file that the run had."""
    folder = os.path.join(RESULTS, 'gcov-' + run)
    if not os.path.isdir(folder):
        raise Unusable('there is no %s' % os.path.relpath(folder, TOP))
    sources = sources_of(folder)
    if sources != sources_of(os.path.join(TOP, MODULE)):
        raise Unusable('the module had other sources then')
    extract(os.path.join(folder, 'data.tar'), folder)
    # Not by the notes: a build keeps those of a source that is gone.
    for name in sources:
        stem = os.path.join(folder, name.removesuffix('.c'))
        if os.path.exists(stem + '.gcno') and not os.path.exists(stem + '.gcda'):
            raise Unusable('the guest has left no data of %s' % name)
    data = files_in(folder, 'gcda')
    if not data:
        raise Unusable('nothing that the guest has run counts what it reaches')
    # Where the kernel was built may be newer sources by now, of which gcov warns.
    for notes in files_in(folder, 'gcno'):
        os.utime(notes)
    return [report for path in data for report in run_gcov(path)]


def add_run(run, sources):
    """Adds what a run has reached, or says why it cannot."""
    try:
        reports = reports_of(run)
    except (Unusable, OSError, tarfile.TarError) as error:
        return [str(error)]
    for report in reports:
        for file in report['files']:
            name = own_name(file['file'])
            if name is not None:
                sources[name].add(file)
    return []


def share(counts):
    reached = sum(1 for count in counts if count)
    return '%d/%d %.1f %%' % (reached, len(counts), 100 * reached / max(len(counts), 1))


def row(name, sources):
    return '%-22s %-18s %s' % (
        name, share([c for s in sources for c in s.lines.values()]),
        share([r for s in sources for r in s.reached_functions().values()]))


def missed(name, source):
    text = read(os.path.join(TOP, MODULE, name)).splitlines()
    return ['%s:%d: %s' % (name, number, text[number - 1].strip())
            for number, count in sorted(source.lines.items()) if not count]


def write_report(sources, runs):
    lines = ['reached by: ' + ' '.join(runs), '',
             '%-22s %-18s %s' % ('file', 'lines', 'functions')]
    lines += [row(name, [source]) for name, source in sorted(sources.items())]
    lines += [row('total', sources.values()), '', 'lines not reached:']
    for name, source in sorted(sources.items()):
        lines += missed(name, source)
    with open(os.path.join(RESULTS, 'coverage.txt'), 'w', encoding='utf-8') as file:
        print('\n'.join(lines), file=file)


def check_lines(sources):
    counts = [c for s in sources.values() for c in s.lines.values()]
    enough = 100 * sum(1 for count in counts if count) >= LEAST * len(counts)
    return [] if enough else ['reached: ' + share(counts)]


def exceptions():
    """{file:function: reason}"""
    lines = read(os.path.join(HERE, 'not-reached')).splitlines()
    return dict(line.partition(' ')[::2] for line in lines
                if line and not line.startswith('#'))


def check_functions(sources):
    """What is wrong with the functions, and what with the exceptions."""
    missing = {'%s:%s' % (name, function) for name, source in sources.items()
               for function, reached in source.reached_functions().items()
               if not reached}
    excused = exceptions()
    stale = ['is reached, or is no more: ' + name for name in excused
             if name not in missing]
    unexplained = ['has no reason: ' + name for name, reason in excused.items()
                   if not reason.strip()]
    return sorted(missing - excused.keys()), stale + unexplained


def main():
    sources = defaultdict(Source)
    problems = {run: add_run(run, sources) for run in RUNS}
    results = [('what %s has reached is known' % run, problems[run]) for run in RUNS]
    if not any(problems.values()):
        functions, entries = check_functions(sources)
        results += [
            ('at least %d %% of the lines are reached' % LEAST, check_lines(sources)),
            ('each function is reached, or is in tests/debug/not-reached', functions),
            ('tests/debug/not-reached is right', entries)]
    os.makedirs(RESULTS, exist_ok=True)
    write_report(sources, [run for run in RUNS if not problems[run]])
    print('TAP version 13\n1..%d' % len(results))
    for number, (text, wrong) in enumerate(results, 1):
        print('%sok %d - %s' % ('not ' if wrong else '', number, text))
        for problem in wrong:
            print('# ' + problem.replace('\n', '\n# '))
    print('# ' + row('total', sources.values()))
    return any(wrong for _, wrong in results)


if __name__ == '__main__':
    sys.exit(main())
