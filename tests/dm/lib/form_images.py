# SPDX-License-Identifier: GPL-2.0
"""The same content in several forms, and stacks that share layers."""

from obd_builder import build_lsmt, build_zfile, data, random_bytes, text_bytes
from obd_format import SECTOR
from obd_reader import BytesSource, open_device, survey
from plan_images import Output

SECTORS = 2048


def make():
    out = Output()

    def placed(image):
        return image, out.raw(image)

    def table(name, kind, *images):
        words = ['RAW %d@%d' % (len(image), place) for image, place in images]
        out.variable(name, '0 %d %s %s' % (SECTORS, kind, ' '.join(words)))

    content = (text_bytes(600 * SECTOR) + random_bytes(300 * SECTOR, 1) +
               bytes(148 * SECTOR) + text_bytes(1000 * SECTOR, 2))
    out.reference('ref', BytesSource(content))
    bare = placed(build_lsmt([data(0, content)], SECTORS * SECTOR))
    table('lz4', 'zfile', placed(build_zfile(content)))
    table('zstd', 'zfile', placed(build_zfile(content, algo='zstd', block_size=65536)))
    table('small', 'zfile', placed(build_zfile(content + text_bytes(2200 * SECTOR),
                                               block_size=512)))
    table('bare', 'lsmt', bare)
    table('fused', 'lsmt', placed(build_zfile(build_lsmt(
        [data(at, content[at * SECTOR:(at + 99) * SECTOR]) for at in range(0, 1980, 99)] +
        [data(1980, content[1980 * SECTOR:])], SECTORS * SECTOR))))

    base = placed(build_zfile(build_lsmt([data(0, content)], SECTORS * SECTOR)))
    for number in range(4):
        upper = placed(build_zfile(build_lsmt(
            [data(100 * number, random_bytes(50 * SECTOR, 10 + number))], SECTORS * SECTOR)))
        table('shared%d' % number, 'lsmt', base, upper)
        device = open_device('lsmt', [(image, 0, len(image)) for image, _ in (base, upper)])
        out.reference('shared%d.ref' % number, BytesSource(survey(device)[0]))
    out.variable('forms', 'lz4 zstd small bare fused')
    out.finish()
