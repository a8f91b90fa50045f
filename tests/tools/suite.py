#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Runs the tests of the command overlaybd and prints TAP.

Usage: suite.py ROOT [MODULE...]; a module is one of the test_*.py beside it.
Several modules run at a time, each in a process of its own.
"""

import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
# The command syncs what it writes; a thousand times that takes long on a disk.
FAST = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'lib'))

from harness import Harness  # noqa: E402

RESULT = re.compile(r'^(not ok|ok) \d+ - ', re.M)

# The longest first.
MODULES = ['errors', 'image', 'limits', 'create', 'info', 'devices', 'open', 'place',
           'output', 'install']


def run_module(root, name):
    harness = Harness(root)
    harness.scratch = tempfile.mkdtemp(prefix='overlaybd-test-', dir=FAST)
    try:
        importlib.import_module('test_' + name).run(harness)
    except Exception:
        harness.check('%s: runs to its end' % name, False,
                      traceback.format_exc())
    finally:
        shutil.rmtree(harness.scratch)
    print('1..%d' % harness.number)
    return int(harness.failed)


def run_process(root, name):
    process = subprocess.run(
        [sys.executable, os.path.abspath(__file__), root, name],
        stdout=subprocess.PIPE, universal_newlines=True)
    text = process.stdout
    if process.returncode > 1 or '\n1..' not in '\n' + text:
        text += 'not ok 0 - %s: ends with status %d\n' % (
            name, process.returncode)
    return re.sub(r'^1\.\.\d+\n', '', text, flags=re.M)


def main():
    root = os.path.abspath(sys.argv[1])
    names = sys.argv[2:] or MODULES
    if len(names) == 1:
        return run_module(root, names[0])
    print('TAP version 13')
    number, failed = 0, False
    with ThreadPoolExecutor(max(2, os.cpu_count())) as pool:
        for text in pool.map(lambda name: run_process(root, name), names):
            for line in text.splitlines():
                if RESULT.match(line):
                    number += 1
                    failed |= line.startswith('not')
                    line = RESULT.sub(r'\1 %d - ' % number, line)
                print(line, flush=True)
    print('1..%d' % number)
    return int(failed)


if __name__ == '__main__':
    sys.exit(main())
