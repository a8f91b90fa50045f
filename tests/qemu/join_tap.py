#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Joins the TAP of all tests in the guest into one stream, as it comes.

tests/qemu/init marks where each test begins and ends ("#begin NAME", "#end
NAME STATUS SECONDS"), what the rig itself checked ("#rig ok TEXT") and that
the guest reached its end ("#done"). Exits with 1 if anything failed.
"""

import re
import sys

RESULT = re.compile(r'(#rig )?(not )?ok\b *\d* *(?:- *)?(.*)')


class Joiner:
    def __init__(self):
        self.count = self.failed = 0
        self.test = 'start'
        self.planned = self.ran = None
        self.complain = True
        self.complete = False

    def result(self, good, text):
        self.count += 1
        self.failed += not good
        print('%sok %d - %s' % ('' if good else 'not ', self.count, text), flush=True)

    def begin(self, name):
        self.test = name
        self.planned, self.ran, self.complain = None, 0, True

    def end(self, status, seconds):
        if self.planned != self.ran:
            self.result(False, '%s: planned %s tests, ran %d'
                        % (self.test, self.planned, self.ran))
        if status != '0' and self.complain:
            self.result(False, '%s: exit status %s' % (self.test, status))
        print('# %s took %s s' % (self.test, seconds), flush=True)

    def line(self, line):
        words = line.split()
        match = RESULT.match(line)
        if not words:
            return
        if words[0] == '#begin':
            self.begin(words[1])
        elif words[0] == '#end':
            self.end(words[2], words[3])
        elif words[0] == '#done':
            self.complete = True
        elif match:
            rig, bad, text = match.groups()
            if not rig:
                self.ran += 1
                self.complain &= not bad
            self.result(not bad, '%s: %s' % (self.test, text))
        elif line.startswith('1..0 '):
            self.result(True, self.test + line[4:])
            self.planned = 0
        elif re.match(r'1\.\.\d+$', line):
            self.planned = int(line[3:])
        elif line.startswith('Bail out!'):
            self.result(False, '%s: %s' % (self.test, line))
            self.complain = False
        else:
            print(line if line.startswith('#') else '# ' + line, flush=True)

    def finish(self):
        if not self.complete:
            self.result(False, 'the guest did not reach its end (in %s)' % self.test)
        print('1..%d' % self.count)
        print('# %d passed, %d failed' % (self.count - self.failed, self.failed))
        return self.failed > 0


def main():
    joiner = Joiner()
    print('TAP version 13', flush=True)
    for line in iter(sys.stdin.buffer.readline, b''):
        joiner.line(line.decode('utf-8', 'replace').rstrip('\r\n'))
    return joiner.finish()


if __name__ == '__main__':
    sys.exit(main())
