#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The set of hostile and odd images of tests/lib/obd_hostile.py as a plan:
several per row of the format's table "Hostile or damaged input"."""

import hashlib
import os

from obd_hostile import all_cases
from obd_reader import BytesSource, open_device, survey
from plan_images import Output

out = Output()
known = {}


def place(layer):
    key = hashlib.sha256(layer.image).digest()
    if key not in known:
        known[key] = 'files/%d' % len(known)
        out.file(known[key], layer.image)
    return '{%s} %d@%d' % (known[key], layer.size, layer.start)


def padded(image):
    return image + bytes(-len(image) % 512)


def reference(case, sha256):
    """A file with what the reader sees; many cases have the same."""
    name = 'refs/' + sha256[:16]
    if os.path.exists(out.path(name)):
        return name
    device = open_device(case.kind, [(padded(layer.image), layer.start, layer.size)
                                     for layer in case.layers], case.sectors)
    content, _ = survey(device)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise SystemExit('%s: the reader has other content' % case.name)
    out.reference(name, BytesSource(content))
    return name


def expectation(case):
    good = [one for one in case.outcomes if one.kind == 'ok']
    first = case.outcomes[0]
    if len(case.outcomes) > 1:
        return 'sane ' + reference(case, good[0].sha256)
    if good:
        return 'same ' + reference(case, good[0].sha256)
    if first.kind == 'load-fail':
        return 'refuse ' + '|'.join(first.errnos)
    return 'damaged %s %s' % (reference(case, first.sha256),
                              ' '.join('%d %d' % one for one in first.bad))


for one in all_cases():
    words = ' '.join(place(layer) for layer in one.layers)
    out.case(one.name, ['%d %s %s' % (one.sectors, one.kind, words)], expectation(one))
out.finish()
