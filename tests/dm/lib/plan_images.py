# SPDX-License-Identifier: GPL-2.0
"""What the NNN-name.py generators share: image files padded for loop devices,
a raw disk that holds many of them, sparse reference files, the plan for
plan.c, and variables for the test's shell script."""

import hashlib
import os
import sys

SECTOR = 512
CHUNK = 1 << 20


def write_sparse(path, source):
    """Copies a source (see obd_reader); returns its sha256."""
    digest = hashlib.sha256()
    with open(path, 'wb') as out:
        for offset in range(0, source.size, CHUNK):
            piece = source.read(offset, min(CHUNK, source.size - offset))
            digest.update(piece)
            for at in range(0, len(piece), 4096):
                block = piece[at:at + 4096]
                if block.strip(b'\0'):
                    out.seek(offset + at)
                    out.write(block)
        out.truncate(source.size)
    return digest.hexdigest()


class Output:
    """The folder that the guest sees as $IMAGES."""

    def __init__(self, outdir=None):
        self.outdir = outdir or sys.argv[1]
        self.raw_data = bytearray()
        self.plan = []
        self.variables = []

    def path(self, name):
        full = os.path.join(self.outdir, name)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        return full

    def file(self, name, data, start=0):
        """A file for a loop device; returns its words in a plan's table."""
        with open(self.path(name), 'wb') as out:
            out.write(data)
            # The loop device would cut a partial sector off.
            out.write(bytes(-len(data) % SECTOR))
        return '{%s} %d%s' % (name, len(data), '@%d' % start if start else '')

    def raw(self, data):
        """Appends to the raw disk; returns the start sector."""
        start = len(self.raw_data) // SECTOR
        self.raw_data += data + bytes(-len(data) % SECTOR)
        return start

    def on_raw(self, data):
        """The same, as words in a plan's table."""
        return '{RAW} %d@%d' % (len(data), self.raw(data))

    def reference(self, name, source):
        """A reference file with a source's content; returns the sha256."""
        return write_sparse(self.path(name), source)

    def case(self, name, devices, expect, again=0):
        """DEVICES: "SECTORS TARGET PARAMETERS" each; see plan.c."""
        self.plan.append('case ' + name)
        if again:
            self.plan.append('again %d' % again)
        self.plan += ['dev ' + device for device in devices]
        self.plan.append('expect ' + expect)

    def variable(self, name, value):
        self.variables.append("%s='%s'" % (name, value))

    def finish(self):
        for name, lines in ('plan', self.plan), ('vars', self.variables):
            if lines:
                with open(self.path(name), 'w', encoding='ascii') as out:
                    out.write('\n'.join(lines) + '\n')
        if self.raw_data:
            with open(self.path('raw.img'), 'wb') as out:
                out.write(self.raw_data)
