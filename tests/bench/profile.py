#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Sums up what the plugins counted, by kernel function.

profile.py functions COUNTS KALLSYMS READS: instructions per read and calls per
read of each function, largest first.
profile.py lines COUNTS KALLSYMS READS: cache lines that two CPUs write to at
least once in ten reads each, and the functions that do it.
"""

import bisect
import gzip
import sys
from collections import Counter, defaultdict


def symbols(path):
    """Sorted addresses, and the name of each."""
    found = {}
    with gzip.open(path, 'rt') as lines:
        for line in lines:
            words = line.split()
            module = words[3] if len(words) > 3 else ''
            found.setdefault(int(words[0], 16), words[2] + ' ' + module)
    addresses = sorted(found)
    return addresses, [found[address] for address in addresses]


class Symbols:
    def __init__(self, path):
        self.addresses, self.names = symbols(path)

    def name(self, address):
        at = bisect.bisect_right(self.addresses, address) - 1
        return self.names[at], self.addresses[at] == address


def functions(counts, table, reads):
    by_function, calls = Counter(), Counter()
    for words in counts:
        address, count = int(words[0], 16), int(words[1])
        if address < 1 << 63:
            by_function['(user space)'] += count
            continue
        name, first = table.name(address)
        by_function[name] += count
        if first:
            calls[name] += count
    total = sum(by_function.values())
    print('%10.1f instructions a read, %d reads' % (total / reads, reads))
    print('%10s %6s %6s %9s  %s' % ('a read', '%', 'sum', 'calls', 'function'))
    shown = 0
    for name, count in by_function.most_common():
        shown += count
        print('%10.1f %6.2f %6.2f %9.3f  %s' % (
            count / reads, 100 * count / total, 100 * shown / total,
            calls[name] / reads, name))


def lines(counts, table, reads):
    """READS is what each of the CPUs did."""
    on_line, writers = defaultdict(lambda: [0, 0]), defaultdict(Counter)
    for words in counts:
        each = [int(words[2]), int(words[3])]
        for cpu in 0, 1:
            on_line[words[0]][cpu] += each[cpu]
        writers[words[0]][table.name(int(words[1], 16))[0]] += sum(each)
    hot = [line for line in on_line if min(on_line[line]) * 10 >= reads]
    hot.sort(key=lambda line: -sum(on_line[line]))
    mine = sum(any('[dm_overlaybd]' in name for name in writers[line]) for line in hot)
    print('%d cache lines are written by both CPUs, %d of them by dm_overlaybd'
          % (len(hot), mine))
    print('%16s %6s %6s  %s' % ('line', 'CPU 0', 'CPU 1', 'writes a read by function'))
    for line in hot:
        print('%16s %6.2f %6.2f  %s' % (line, *(count / reads for count in on_line[line]), ', '.join(
            '%s %.2f' % (name.strip(), count / reads / 2)
            for name, count in writers[line].most_common(6))))


def main():
    what, counts, kallsyms, reads = sys.argv[1:5]
    with open(counts, encoding='ascii') as rows:
        {'functions': functions, 'lines': lines}[what](
            [row.split() for row in rows], Symbols(kallsyms), int(reads))


if __name__ == '__main__':
    main()
