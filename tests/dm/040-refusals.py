#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Table lines that must be refused, each with its own reason; images are good.

All of them are loaded 100 times more and must leave nothing behind.
"""

from obd_builder import build_lsmt, build_zfile, data, text_bytes
from obd_format import SECTOR
from plan_images import Output

PAYLOAD = text_bytes(40960 + 700)
SECTORS = -(-len(PAYLOAD) // SECTOR)
AGAIN = 100

out = Output()
zfile = build_zfile(PAYLOAD)
trailer_only = build_zfile(PAYLOAD, overwrite=False)
layer = build_lsmt([data(0, text_bytes(8 * SECTOR))], 1 << 20)
Z, T, L = out.raw(zfile), out.raw(trailer_only), out.raw(layer)
GOOD_Z = '{RAW} %d@%d' % (len(zfile), Z)
GOOD_L = '{RAW} %d@%d' % (len(layer), L)


def refused(target, line, error, sectors=8):
    shown = line.replace('{RAW}', 'DEV').replace('{', '').replace('}', '')
    out.case('%d sectors, "%s %s"' % (sectors, target, shown[:80].strip()),
             ['%d %s %s' % (sectors, target, line)], 'refuse ' + error, AGAIN)


LENGTH = 'EINVAL Invalid layer length, expected <bytes>[@<start sector>]'
MISSING = 'EINVAL A layer needs a device and a length'
SHORT = 'EINVAL Device is shorter than the layer'
NO_ZFILE = 'EINVAL Not a ZFile: bad magic in the header'
NO_LAYER = 'EINVAL Not an LSMT layer: bad magic in the header'
NO_TRAILER = 'EINVAL No LSMT trailer: wrong length, or a writable layer'

for name, good, wrong in (('zfile', GOOD_Z, Z), ('lsmt', GOOD_L, L)):
    size = len(zfile) if name == 'zfile' else len(layer)
    refused(name, '{RAW}', MISSING)
    for text in ('abc', '-1', '+%d' % size, '0', '0@%d' % wrong, '0x2000', '%dk' % size,
                 '%d@' % size, '@%d' % wrong, '%d@x' % size, '%d@-1' % size,
                 '%d@%d@0' % (size, wrong), '%d@@%d' % (size, wrong),
                 '%d@%d' % (2**64 + size, wrong), '%d@%d' % (size, 2**64 + wrong)):
        refused(name, '{RAW} ' + text, LENGTH)
    for text in ('1000000000@%d' % wrong, '%d@%d' % (2**63 - 1, wrong),
                 '%d@%d' % (2**64 - 1, wrong), '%d@%d' % (size, 2**40),
                 '%d@%d' % (size, 2**55), '%d@%d' % (size, 2**64 - 1)):
        refused(name, '{RAW} ' + text, SHORT)
    refused(name, '{file} %d' % (16384 + 1), SHORT)
    refused(name, '/dev/there-is-none %d' % size, 'ENOENT Device lookup failed')
    refused(name, '/dev/null %d' % size, 'ENOTBLK Device lookup failed')
    refused(name, '250:77 %d' % size, 'ENXIO|ENODEV Device lookup failed')
    refused(name, good + ' 1', 'EINVAL Invalid number of optional arguments')
    refused(name, good + ' 4294967296', 'EINVAL Invalid number of optional arguments')
    refused(name, good + ' 1 unknown', 'EINVAL Unrecognized optional argument')
    refused(name, good + ' 0 more', 'EINVAL Unexpected words at the end of the table line')
    refused(name, good + ' 0 0', 'EINVAL Unexpected words at the end of the table line')

refused('zfile', '', MISSING)
refused('zfile', GOOD_Z + ' ' + GOOD_Z, 'EINVAL Invalid number of optional arguments')
refused('zfile', GOOD_Z + ' -1', 'EINVAL Invalid number of optional arguments')
refused('lsmt', '', 'EINVAL At least one layer is needed')
refused('lsmt', '0', 'EINVAL At least one layer is needed')
refused('lsmt', '%d@%d' % (len(layer), L), MISSING)
refused('lsmt', GOOD_L + ' {RAW}', MISSING)
refused('lsmt', GOOD_L + ' {RAW} 0', LENGTH)
refused('lsmt', GOOD_L + ' /dev/there-is-none 8192', 'ENOENT Device lookup failed')
refused('lsmt', ' '.join([GOOD_L] * 256), 'EINVAL More than 255 layers')
refused('lsmt', ' '.join([GOOD_L] * 400), 'EINVAL More than 255 layers')
refused('lsmt', ' '.join([GOOD_L] * 254 + ['{RAW} 99999999']), SHORT)
refused('zfile', GOOD_L, NO_ZFILE)

refused('zfile', GOOD_Z, 'EINVAL Table is longer than the content of the ZFile', SECTORS + 1)
refused('zfile', GOOD_Z, 'EINVAL Table is longer than the content of the ZFile', 2**40)
refused('lsmt', GOOD_L, 'EINVAL Table is longer than the image', 2049)
refused('lsmt', GOOD_L, 'EINVAL Table is longer than the image', 2**40)

for wrong in -512, -4, -1, 1, 511, 512:
    refused('zfile', '{RAW} %d@%d' % (len(trailer_only) + wrong, T),
            'EINVAL Bad magic in the ZFile trailer (wrong length?)')
for wrong in -4, -1:
    refused('zfile', '{RAW} %d@%d' % (len(zfile) + wrong, Z),
            'EINVAL ZFile index runs into the trailer')
refused('zfile', '{RAW} %d@%d' % (len(zfile) - 512, Z),
        'EINVAL ZFile index lies outside the file')
for wrong in -4096, -512, -1, 1, 512:
    refused('lsmt', '{RAW} %d@%d' % (len(layer) + wrong, L), NO_TRAILER)
refused('zfile', '{RAW} %d@%d' % (len(zfile), Z + 1), NO_ZFILE)
refused('lsmt', '{RAW} %d@%d' % (len(layer), L + 1), NO_LAYER)

out.file('file', bytes(16384))
out.raw(bytes(8192))
out.finish()
