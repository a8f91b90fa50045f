#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A file system with a program and an image, in a layer of a stack of targets.
The jump table of the lower one is too large to stay in memory."""

import os
import shutil
import subprocess
import tempfile

from obd_builder import build_lsmt, build_zfile, data, random_bytes, text_bytes
from obd_format import SECTOR
from obd_hostile import many_entries
from obd_reader import BytesSource
from plan_images import Output

MIB = 1 << 20
out = Output()


def file_system(files, size):
    """An ext4 image with these files."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as place:
        for name, content in files.items():
            with open(os.path.join(folder, name), 'wb') as file:
                file.write(content)
            os.chmod(os.path.join(folder, name), 0o755)
        image = os.path.join(place, 'image')
        subprocess.run(['mke2fs', '-q', '-t', 'ext4', '-O', '^has_journal', '-d', folder,
                        image, '%dk' % (size >> 10)], check=True)
        with open(image, 'rb') as file:
            return file.read()


def layer(content):
    sectors = len(content) // SECTOR
    step = 2000
    return build_lsmt([data(at, content[at * SECTOR:(at + step) * SECTOR])
                       for at in range(0, sectors, step)], len(content))


inner = text_bytes(6 * MIB) + random_bytes(2 * MIB, 1)
out.reference('inner.ref', BytesSource(inner))
inner_image = build_zfile(inner, algo='zstd', block_size=65536)
with open(shutil.which('busybox'), 'rb') as file:
    busybox = file.read()
outer = file_system({'inner.z': inner_image + bytes(-len(inner_image) % SECTOR),
                     'busybox': busybox}, 12 * MIB)
out.reference('outer.ref', BytesSource(outer))
lower = layer(outer)
zfile = build_zfile(lower, block_size=2048)
out.raw(zfile)
out.variable('below', '0 %d zfile RAW %d' % (-(-len(lower) // SECTOR), len(zfile)))
out.variable('outer', '0 %d lsmt /dev/mapper/below %d' % (len(outer) // SECTOR, len(lower)))
out.variable('inner', '0 %d zfile LOOP %d' % (len(inner) // SECTOR, len(inner_image)))
# Little on disk, sixteen megabytes a layer while it is loaded.
million = many_entries(1_000_000)
out.variable('million', 'RAW %d@%d' % (len(million), out.raw(million)))
out.finish()
