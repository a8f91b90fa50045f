#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""coverage.py adds up two builds of a small module, and fails where it has to.

Prints what is wrong; the exit status is 1 if anything is.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MODULE = 'drivers/md/dm-overlaybd'

SOURCES = {
    # One build has it inlined, so that gcov knows its lines only; the other does not
    # call it.
    'unit.h': '''static inline int twice(int n)
{
	return 2 * n;
}
''',
    # So long that what is reached only here and there is less than 5 %.
    'unit.c': '''#include "unit.h"
int work(int n)
{
	if (n > 5) {
%s	}
	return twice(n);
}
int more(int n)
{
	return work(n) + 1;
}
#ifdef MODULE
int leave(int n)
{
	return n + 1;
}
#endif
''' % (99 * '\t\tn ^= n << 3;\n'),
    'tests/unit_kunit.c': '''int suite(int n)
{
	return n > 5 ? n : 7;
}
''',
}
MAIN = '''
#include <stdlib.h>
int work(int n), more(int n), leave(int n), suite(int n);
int main(int argc, char **argv)
{
	int n = atoi(argv[2]);

	switch (argv[1][0]) {
	case 'w': return !work(n);
	case 'm': return !more(n);
#ifdef MODULE
	case 'l': return !leave(n);
#else
	case 's': return !suite(n);
#endif
	}
	return 1;
}
'''
BUILDS = {
    'built-in': (['-O2'], ['unit.c', 'tests/unit_kunit.c']),
    'module': (['-O0', '-DMODULE'], ['unit.c']),
}
RUNS = {
    'kasan': ('built-in', ['work 9', 'suite 1']),
    'faults': ('built-in', ['more 1']),
    'rt': ('module', ['leave 1']),
}
NOT_REACHED = 'tests/debug/not-reached'
DATA = 'build/debug/gcov-'


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def files(folder, ending):
    return [os.path.join(path, name) for path, _, names in os.walk(folder)
            for name in names if name.endswith(ending)]


def compile_all(top, build):
    """The program, and the notes as the build of a kernel leaves them."""
    options, sources = BUILDS[build]
    folder = os.path.join(top, build)
    shutil.rmtree(folder, ignore_errors=True)
    write(os.path.join(folder, 'main.c'), MAIN)
    os.makedirs(os.path.join(folder, MODULE, 'tests'))
    objects = [os.path.join(MODULE, source[:-1] + 'o') for source in sources]
    for source, output in zip(sources, objects):
        subprocess.run(['gcc', '--coverage', *options, '-c', '-o', output,
                        os.path.join(top, MODULE, source)], check=True, cwd=folder)
    subprocess.run(['gcc', *options, '-c', 'main.c'], check=True, cwd=folder)
    subprocess.run(['gcc', '--coverage', '-o', 'program', 'main.o', *objects],
                   check=True, cwd=folder)


def run_guest(top, run, *calls):
    """Leaves what tests/debug/run does."""
    folder, data = os.path.join(top, RUNS[run][0]), os.path.join(top, DATA + run)
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(os.path.join(top, MODULE), data)
    shutil.copytree(os.path.join(folder, MODULE), data, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns('*.o'))
    for call in calls:
        subprocess.run(['./program', *call.split()], check=True, cwd=folder)
    with tarfile.open(os.path.join(data, 'data.tar'), 'w') as tar:
        for path in files(folder, '.gcda'):
            tar.add(path)
            os.remove(path)
    os.truncate(os.path.join(data, 'data.tar'), 1 << 20)


def prepare(top):
    for name, text in SOURCES.items():
        write(os.path.join(top, MODULE, name), text)
    write(os.path.join(top, NOT_REACHED), '# FILE:FUNCTION REASON\n')
    shutil.copy(os.path.join(HERE, 'coverage.py'), os.path.join(top, 'tests/debug'))
    for build in BUILDS:
        compile_all(top, build)
    for run, (_, calls) in RUNS.items():
        run_guest(top, run, *calls)


def other_notes(top):
    compile_all(top, 'module')
    shutil.copy(os.path.join(top, 'module', MODULE, 'unit.gcno'),
                os.path.join(top, DATA + 'rt'))


def without_kunit_data(top):
    path = os.path.join(top, DATA + 'kasan/data.tar')
    with tarfile.open(path) as old, tarfile.open(path + '.new', 'w') as new:
        for member in old:
            if 'kunit' not in member.name:
                new.addfile(member, old.extractfile(member))
    os.replace(path + '.new', path)


def no_leave(top):
    run_guest(top, 'rt', 'more 1')


def cut(top):
    path = os.path.join(top, DATA + 'rt/data.tar')
    with tarfile.open(path) as tar:
        member = tar.getmembers()[-1]
    os.truncate(path, member.offset_data + member.size // 2)


def emptied(top):
    path = os.path.join(top, DATA + 'rt/data.tar')
    os.truncate(path, 0)
    os.truncate(path, 1 << 20)


def wrote(name, text):
    return lambda top: write(os.path.join(top, name), text)


def removed(name):
    return lambda top: os.remove(os.path.join(top, name))


# What happens, and what coverage.py has to say of it, or None if it is right.
CASES = [
    ('all is well', [], None),
    ('a function is not reached', [no_leave], 'unit.c:leave'),
    ('that has a reason',
     [no_leave, wrote(NOT_REACHED, 'unit.c:leave it never ends\n')], None),
    ('that has an empty reason', [no_leave, wrote(NOT_REACHED, 'unit.c:leave \n')],
     'has no reason: unit.c:leave'),
    ('one with a reason is reached', [wrote(NOT_REACHED, 'unit.c:leave it never ends\n')],
     'is reached, or is no more: unit.c:leave'),
    ('one with a reason does not exist', [wrote(NOT_REACHED, 'unit.c:left it has\n')],
     'is reached, or is no more: unit.c:left'),
    ('many lines are not reached', [lambda top: run_guest(top, 'kasan', 'suite 1')],
     'not ok 4'),
    ('a run was not', [lambda top: shutil.rmtree(os.path.join(top, DATA + 'faults'))],
     'there is no build/debug/gcov-faults'),
    ('no archive', [removed(DATA + 'faults/data.tar')], 'No such file'),
    ('an archive of nothing', [emptied], 'the guest has left no data of unit.c'),
    ('a kernel without gcov', [emptied, removed(DATA + 'rt/unit.gcno')],
     'nothing that the guest has run counts'),
    ('an archive that ends too soon', [cut], 'unexpected end of data'),
    ('no data of one file', [without_kunit_data],
     'the guest has left no data of tests/unit_kunit.c'),
    ('no notes of one file', [removed(DATA + 'rt/unit.gcno')], 'cannot open notes file'),
    ('notes of another build', [other_notes], 'stamp mismatch'),
    ('old notes of a source that is gone', [wrote(DATA + 'rt/gone.gcno', 'x')], None),
    ('notes that are older than the sources',
     [lambda top: os.utime(os.path.join(top, DATA + 'rt/unit.gcno'), (1, 1))], None),
    ('a source has changed', [wrote(MODULE + '/unit.h', SOURCES['unit.h'] + '\n')],
     'the module had other sources then'),
    ('a source is new', [wrote(MODULE + '/new.c', '')],
     'the module had other sources then'),
    ('what make module leaves', [wrote(MODULE + '/unit.mod.c', '')], None),
]
REPORT = (r'^unit\.c +(\d+)/\1 100\.0 % +3/3 100\.0 %$', r'^unit\.h .* 1/1 100\.0 %$',
          r'^total .* 4/4 100\.0 %$', r'^unit\.h:1: static inline int twice\(int n\)$')


def what_is_wrong(top, complaint):
    """With what coverage.py says of this tree."""
    out = subprocess.run([os.path.join(top, 'tests/debug/coverage.py')], text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    failed = complaint and '\nnot ok ' in out.stdout and complaint in out.stdout
    if out.returncode == 0 and complaint is None or out.returncode == 1 and failed:
        return []
    return [out.stdout, 'exit status %d, wanted: %s' % (out.returncode, complaint)]


def main():
    problems = []
    with tempfile.TemporaryDirectory() as work:
        # It has to be in one place: the builds know where they were made.
        top, saved = os.path.join(work, 'top'), os.path.join(work, 'saved')
        prepare(top)
        shutil.copytree(top, saved)
        for text, changes, complaint in CASES:
            shutil.rmtree(top)
            shutil.copytree(saved, top)
            for change in changes:
                change(top)
            problems += [text + ': ' + p for p in what_is_wrong(top, complaint)]
            if not changes:
                report = read(os.path.join(top, 'build/debug/coverage.txt'))
                problems += ['no %s in %s' % (line, report) for line in REPORT
                             if not re.search(line, report, re.M)]
    print('\n'.join(problems), end='\n' if problems else '')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
