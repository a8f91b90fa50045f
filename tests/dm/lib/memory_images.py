# SPDX-License-Identifier: GPL-2.0
"""Images whose opening takes every kind of allocation."""

from obd_builder import build_lsmt, build_zfile, data, random_bytes, text_bytes, zeroed
from obd_format import SECTOR
from obd_reader import BytesSource, survey, open_device
from plan_images import Output

TEXT = text_bytes(500000)
LAYER = build_lsmt([data(0, text_bytes(100 * SECTOR, 3)), zeroed(100, 50),
                    data(203, text_bytes(333 * SECTOR, 4)),
                    data(1000, random_bytes(64 * SECTOR, 5))], 1 << 20)
UPPER = build_lsmt([data(50, text_bytes(30 * SECTOR, 7)), zeroed(1010, 5)], 1 << 20)


def make():
    out = Output()
    for name, kind, images in (
            ('lz4', 'zfile', [build_zfile(TEXT)]),
            ('trailer', 'zfile', [build_zfile(TEXT, overwrite=False)]),
            ('zstd', 'zfile', [build_zfile(TEXT, algo='zstd', block_size=65536)]),
            ('workspace', 'zfile', [build_zfile(TEXT, algo='zstd', block_size=4096)]),
            # Its jump table is not kept in memory.
            ('small', 'zfile', [build_zfile(text_bytes(5000 * 512, 6), block_size=512)]),
            ('stack', 'lsmt', [LAYER, build_zfile(UPPER)])):
        device = open_device(kind, [(image, 0, len(image)) for image in images])
        out.reference(name + '.ref', BytesSource(survey(device)[0]))
        words = ['RAW %d@%d' % (len(image), out.raw(image)) for image in images]
        out.variable(name, '0 %d %s %s' % (device.sectors, kind, ' '.join(words)))
    out.finish()
