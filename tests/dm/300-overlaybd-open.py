#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Images for `overlaybd open`: the golden ones and 14 layers of all forms, all
with the lengths they have. "cases" says what each must read like:

    ok SHA256 SECTORS NAME FILE...
    refused - - NAME FILE...
"""

import hashlib
import json
import os

from layer_files import stack, write
from obd_format import SECTOR
from obd_golden import sha256_of
from obd_reader import ImageError, open_image, open_payload
from plan_images import Output

GOLDEN = os.environ['OBD_GOLDEN']
# What is larger than that is opened, not read.
LARGEST = 1 << 20
# Reading is what other tests are about: all forms, but the small ones.
LARGEST_FILES = 64 << 10

out = Output()
cases = []


class Padded:
    """A source with its last sector completed."""

    def __init__(self, source, size):
        self.source, self.size = source, size

    def read(self, offset, length):
        length = max(0, min(length, self.size - offset))
        have = max(0, min(length, self.source.size - offset))
        return self.source.read(offset, have).ljust(length, b'\0')


def add(name, files, payload=False):
    paths = [out.path('files/' + file) for file in files]
    if payload:
        source = open_payload(paths[0])
        size = -(-source.size // SECTOR) * SECTOR
    else:
        source = open_image(paths)
        size = source.size // SECTOR * SECTOR
    if not size:
        cases.append('refused - - %s %s' % (name, ' '.join(files)))
        return
    digest = sha256_of(Padded(source, size)) if size <= LARGEST else '-'
    cases.append('ok %s %d %s %s' % (digest, size // SECTOR, name, ' '.join(files)))


def golden():
    with open(os.path.join(GOLDEN, 'MANIFEST.json'), encoding='utf-8') as manifest:
        manifest = json.load(manifest)
    names = sorted({name for case in manifest['cases'] for name in case['layers']})
    for name in names:
        with open(os.path.join(GOLDEN, name), 'rb') as file:
            write(out, name, file.read())
    for case in manifest['cases']:
        size = sum(os.path.getsize(out.path('files/' + name)) for name in case['layers'])
        if case['expect'] == 'ok' and size <= LARGEST_FILES:
            add(case['name'], case['layers'], case['kind'] == 'zfile')
    # Wrong to the last byte of their metadata; damaged data only reading shows.
    for case in manifest['cases']:
        if case['expect'] != 'refuse-or-io-error' or case['kind'] == 'zfile':
            continue
        try:
            open_image([out.path('files/' + name) for name in case['layers']])
        except ImageError:
            cases.append('refused - - %s %s' % (case['name'], ' '.join(case['layers'])))


golden()
layers, shown = stack(out, 14)
add('14-layers', layers)
assert hashlib.sha256(shown).hexdigest() in cases[-1]
add('7-layers', layers[:7])
with open(out.path('cases'), 'w', encoding='ascii') as file:
    file.write('\n'.join(cases) + '\n')
