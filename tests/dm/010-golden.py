#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Turns the golden images and their manifest into a plan for the guest.

Each stack is opened twice: "fused", the lsmt target directly on all layers,
which lie one behind the other on one disk; and "stacked", each ZFile a device
of its own made from a file of its own. The content comes from the independent
reader in tests/lib and is checked against the manifest's sha256 here, so that
the guest only has to compare.
"""

import hashlib
import json
import os
import re
import sys

from obd_format import SECTOR, ZFILE, Z_OVERWRITE
from obd_reader import (BytesSource, Window, find_tar_payload, is_zfile,
                        open_image, open_payload)
from plan_images import Output

GOLDEN = os.environ['OBD_GOLDEN']
UNKNOWN_SIZE = 1 << 20


def golden(name):
    return os.path.join(GOLDEN, name)


class Layer:
    """A golden file: where its payload lies, and what its ZFile claims."""

    def __init__(self, name, out):
        with open(golden(name), 'rb') as image:
            data = image.read()
        source = BytesSource(data)
        offset, size = find_tar_payload(source) or (0, source.size)
        payload = Window(source, offset, size)
        start = offset // SECTOR
        self.zfile = is_zfile(payload)
        self.unpacked = self._claimed_size(payload) if self.zfile else 0
        out.file('files/' + name, data)
        self.on_file = '{files/%s} %d%s' % (name, size, '@%d' % start if start else '')
        self.on_raw = '{RAW} %d@%d' % (size, out.raw(data) + start)

    @staticmethod
    def _claimed_size(payload):
        info = ZFILE.decode(payload.read(0, ZFILE.size))
        if not info.flags & Z_OVERWRITE:
            end = payload.size - ZFILE.size
            info = ZFILE.decode(payload.read(end, ZFILE.size))
        # Of a damaged trailer: any number, the ZFile is refused anyway.
        return info.original_file_size % (1 << 40)


class Generator:
    def __init__(self):
        self.out = Output()
        with open(golden('MANIFEST.json'), encoding='utf-8') as manifest:
            self.manifest = json.load(manifest)
        names = {name for case in self.manifest['cases'] for name in case['layers']}
        self.layers = {name: Layer(name, self.out) for name in sorted(names)}

    def reference(self, sha256, opener):
        """A file with this content, made once by what OPENER() returns."""
        name = 'refs/' + sha256[:16]
        if not os.path.exists(self.out.path(name)):
            got = self.out.reference(name, opener())
            if got != sha256:
                sys.exit('%s: our reader has sha256 %s' % (sha256, got))
        return name

    def probes(self, case):
        image = open_image([golden(name) for name in case['layers']])
        name = 'refs/' + case['name']
        words, at = [name], 0
        with open(self.out.path(name), 'wb') as out:
            for probe in case['probes']:
                data = image.read(probe['offset'], probe['length'])
                if hashlib.sha256(data).hexdigest() != probe['sha256']:
                    sys.exit('%s: our reader differs at %d'
                             % (case['name'], probe['offset']))
                out.write(data)
                words += [str(probe['offset']), str(len(data)), str(at)]
                at += len(data)
        return ' '.join(words)

    def undamaged(self, case):
        """Size and reference of the file that a damaged file was made from."""
        made_by = self.manifest['files'][case['layers'][-1]]['made_by']
        match = re.match(r'derived by byte edit from (\S+):', made_by)
        original = match[1] if match else case.get('derived')
        for other in self.manifest['cases']:
            if other['layers'] == [original] and other['expect'] == 'ok':
                return other['virtual_size'], self.reference(
                    other['sha256'], lambda: open_image([golden(original)]))
        return UNKNOWN_SIZE, '-'

    def expectation(self, case):
        """(virtual size, what the guest must see)"""
        files = [golden(name) for name in case['layers']]
        if case['expect'] == 'ok':
            size = case['virtual_size']
            if size == 0:
                return SECTOR, 'refuse EINVAL'
            if case.get('probes'):
                return size, 'probes ' + self.probes(case)
            opener = ((lambda: open_payload(files[0])) if case['kind'] == 'zfile'
                      else (lambda: open_image(files)))
            return size, 'same ' + self.reference(case['sha256'], opener)
        size, reference = self.undamaged(case)
        if case['expect'] == 'refuse-or-io-error':
            return size, 'fail ' + reference
        if not case['real_same_content_as_undamaged']:
            reference = '-'
        return size, 'sane ' + reference

    def add_zfile(self, case, size, expect):
        layer = self.layers[case['layers'][0]]
        sectors = -(-size // SECTOR)
        for form, place in ('file', layer.on_file), ('raw', layer.on_raw):
            self.out.case('%s, %s' % (case['name'], form),
                          ['%d zfile %s' % (sectors, place)], expect)

    def add_stack(self, case, size, expect):
        layers = [self.layers[name] for name in case['layers']]
        sectors = size // SECTOR
        fused = ' '.join(layer.on_raw for layer in layers)
        self.out.case(case['name'] + ', fused',
                      ['%d lsmt %s' % (sectors, fused)], expect)
        devices, words = [], []
        for layer in layers:
            if layer.zfile:
                words.append('{#%d} %d' % (len(devices), layer.unpacked))
                devices.append('%d zfile %s' % (max(1, -(-layer.unpacked // SECTOR)),
                                                layer.on_file))
            else:
                words.append(layer.on_file)
        devices.append('%d lsmt %s' % (sectors, ' '.join(words)))
        self.out.case(case['name'] + ', stacked', devices, expect)

    def run(self):
        for case in self.manifest['cases']:
            size, expect = self.expectation(case)
            if case['kind'] == 'zfile':
                self.add_zfile(case, size, expect)
            else:
                self.add_stack(case, size, expect)
        self.out.finish()


if __name__ == '__main__':
    Generator().run()
