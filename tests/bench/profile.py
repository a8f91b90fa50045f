#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Sums up profile-plugin's counts by kernel function.

profile.py COUNTS KALLSYMS READS [TOP]: instructions per read and calls per
read of each function, largest first.
"""

import bisect
import gzip
import sys
from collections import Counter


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


def main():
    counts, kallsyms, reads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    top = int(sys.argv[4]) if len(sys.argv) > 4 else 60
    addresses, names = symbols(kallsyms)
    by_function, calls = Counter(), Counter()
    with open(counts, encoding='ascii') as lines:
        for line in lines:
            address, count = int(line.split()[0], 16), int(line.split()[1])
            if address < 1 << 63:
                by_function['(user space)'] += count
                continue
            at = bisect.bisect_right(addresses, address) - 1
            by_function[names[at]] += count
            if addresses[at] == address:
                calls[names[at]] += count
    total = sum(by_function.values())
    print('%10.1f instructions a read, %d reads' % (total / reads, reads))
    print('%10s %6s %6s %9s  %s' % ('a read', '%', 'sum', 'calls', 'function'))
    shown = 0
    for name, count in by_function.most_common(top):
        shown += count
        print('%10.1f %6.2f %6.2f %9.3f  %s' % (
            count / reads, 100 * count / total, 100 * shown / total,
            calls[name] / reads, name))


if __name__ == '__main__':
    main()
