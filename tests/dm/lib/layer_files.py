# SPDX-License-Identifier: GPL-2.0
"""Layers as the command overlaybd gets them: files with the lengths they have."""

from obd_builder import build_lsmt, build_zfile, data, paint, random_bytes, tar_pax
from obd_format import SECTOR

DEVICE = 1024 * SECTOR


def write(out, name, content):
    with open(out.path('files/' + name), 'wb') as file:
        file.write(content)


def stack(out, count):
    """Layers of all forms, most with odd lengths: (names, what they show)."""
    contents = [[data(number * 8, random_bytes(8 * SECTOR, number)),
                 data(1000, bytes([number]) * SECTOR)] for number in range(count)]
    names = []
    for number, items in enumerate(contents):
        content = build_lsmt(items, DEVICE)
        if number % 4:
            content = build_zfile(content, algo=('lz4', 'zstd')[number % 2])
        if number % 4 == 3:
            content = tar_pax(content)
        names.append('stack.%d' % number)
        write(out, names[-1], content)
    return names, paint(contents, DEVICE)
