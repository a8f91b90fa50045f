#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Runs the tests of the command overlaybd and prints TAP.

Usage: suite.py ROOT [MODULE...]; a module is one of the test_*.py beside it.
"""

import importlib
import os
import shutil
import sys
import tempfile
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
# The command syncs what it writes; a thousand times that takes long on a disk.
FAST = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'lib'))

from harness import Harness  # noqa: E402


def main():
    root = os.path.abspath(sys.argv[1])
    names = sys.argv[2:] or sorted(
        name[5:-3] for name in os.listdir(HERE)
        if name.startswith('test_') and name.endswith('.py'))
    print('TAP version 13')
    harness = Harness(root)
    for name in names:
        module = importlib.import_module('test_' + name)
        harness.scratch = tempfile.mkdtemp(prefix='overlaybd-test-', dir=FAST)
        try:
            module.run(harness)
        except Exception:
            harness.check('%s: runs to its end' % name, False,
                          traceback.format_exc())
        finally:
            shutil.rmtree(harness.scratch)
    print('1..%d' % harness.number)
    return int(harness.failed)


if __name__ == '__main__':
    sys.exit(main())
