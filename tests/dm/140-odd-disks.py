#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The images of faulty_images, small enough for disks in memory, and on a disk that
takes two segments in a request: there is room for them and for two more in its queue."""

from faulty_images import IMAGES, make


def on_disk(out):
    for name, (_, image) in IMAGES.items():
        out.variable(name + '_place', out.raw(image))
    with open(out.path('raw.properties'), 'w', encoding='ascii') as properties:
        properties.write('queue-size=4')


make(on_disk)
