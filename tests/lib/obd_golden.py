# SPDX-License-Identifier: GPL-2.0
"""Checks the reader against a set of golden images and its MANIFEST.json."""

import hashlib
import json
import os

from obd_reader import ImageError, open_image, open_payload

CHUNK = 1 << 20


def sha256_of(content):
    digest = hashlib.sha256()
    for offset in range(0, content.size, CHUNK):
        digest.update(content.read(offset, CHUNK))
    return digest.hexdigest()


def open_case(directory, case):
    paths = [os.path.join(directory, name) for name in case['layers']]
    return open_payload(paths[0]) if case['kind'] == 'zfile' else open_image(
        paths)


def differences(content, case):
    """What an opened good image has that the manifest says otherwise."""
    if content.size != case['virtual_size']:
        yield 'size %d, not %d' % (content.size, case['virtual_size'])
    for probe in case.get('probes', []):
        piece = content.read(probe['offset'], probe['length'])
        if hashlib.sha256(piece).hexdigest() != probe['sha256']:
            yield 'probe at %d differs' % probe['offset']
    if case['sha256'] and sha256_of(content) != case['sha256']:
        yield 'content differs'
    if 'merged_index_count' in case:
        if len(content.segments()) != case['merged_index_count']:
            yield '%d segments, not %d' % (len(content.segments()),
                                           case['merged_index_count'])


def check_case(directory, case):
    """'' when the case behaves as the manifest says, else what is wrong."""
    good = case['expect'] == 'ok'
    try:
        content = open_case(directory, case)
        if good:
            return '; '.join(differences(content, case))
        digest = sha256_of(content)
    except ImageError as error:
        return str(error) if good else ''
    if case['expect'] == 'real-accepts' and digest == case['real_sha256']:
        return ''
    return 'accepted'


def check_set(directory):
    """[(name, problem or '')] of all cases."""
    with open(os.path.join(directory, 'MANIFEST.json')) as file:
        cases = json.load(file)['cases']
    return [(case['name'], check_case(directory, case)) for case in cases]
