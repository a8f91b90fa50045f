#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A stack of 14 layers, a config.v1.json with the lowest four, a bare layer."""

import hashlib
import json

from layer_files import stack, write
from obd_builder import build_lsmt, data, random_bytes
from obd_format import SECTOR
from obd_reader import open_image
from obd_golden import sha256_of
from plan_images import Output

out = Output()
names, shown = stack(out, 14)
assert sha256_of(open_image([out.path('files/' + name) for name in names])) == \
    hashlib.sha256(shown).hexdigest()
write(out, 'config.v1.json', json.dumps(
    {'lowers': [{'file': name} for name in names[:4]]}).encode())
write(out, 'config-digest', sha256_of(open_image(
    [out.path('files/' + name) for name in names[:4]])).encode() + b'\n')
plain = build_lsmt([data(0, random_bytes(128 * SECTOR, 99))], 4096 * SECTOR)
assert len(plain) % 4096 == 0
write(out, 'plain', plain)
