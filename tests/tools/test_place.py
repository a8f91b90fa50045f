# SPDX-License-Identifier: GPL-2.0
"""FILE,BYTES[@START] as a layer, and names of files that are hard to print."""

import json
import os
import random

import obd_builder
from harness import sha256_image, sha256_file, sha256_payload

SECTOR = 512


def read(t, name):
    with open(t.path(name), 'rb') as file:
        return file.read()


def pack(t, name, parts):
    """Layers one after the other, with other bytes between; IMAGE arguments."""
    source = random.Random(17)
    data, places = source.randbytes(3 * SECTOR), []
    for part in parts:
        part = read(t, part)
        places.append('%s,%d@%d' % (name, len(part), len(data) // SECTOR))
        data += part
        data += source.randbytes(-len(data) % SECTOR + 2 * SECTOR)
    t.write(name, data)
    return places


def everywhere(t):
    """Every verb that takes an image gives what it gives for whole files."""
    parts = ['plain', 'unfinished', 'lz4']
    places = pack(t, 'disk', parts)
    want = sha256_image(*map(t.path, parts))

    def same(text, *arguments):
        one, two = (t.must(*arguments, *images, sanitized=True)
                    for images in (parts, places))
        t.check('%s of parts is that of files' % text, one.out == two.out,
                '%s\n%s' % (one, two))

    same('check', 'check')
    same('map', 'map')
    same('map --json', 'map', '--json')
    same('extract', 'extract', '-o', '-')
    same('extract --layer', 'extract', '--layer', '1', '-o', '-')
    for verb in ('merge', 'convert'):
        t.must(verb, *places, '-f', '-o', 'out', sanitized=True)
        t.check('%s of parts' % verb, sha256_image(t.path('out')) == want)
    t.must('convert', '--to', 'raw', *places, '-f', '-o', 'out')
    t.check('convert of parts to raw', sha256_file(t.path('out')) == want)
    t.must('convert', places[2], '-f', '-o', 'out')
    t.check('convert of one part keeps it',
            read(t, 'out') == read(t, 'lz4'))
    t.check('diff of parts and files', not t.must(
        'diff', *places, '--', *parts, sanitized=True).out)
    line = t.must('table', *places, sanitized=True).out.decode()
    t.check('table of parts', line == '0 200 lsmt %s\n' % ' '.join(
        place.replace(',', ' ') for place in places), line)
    result = t.must('open', '--dry-run', '--json', 'x', *places,
                    sanitized=True).json()
    t.check('open of parts', result['table'] == ' '.join(
        'LAYER%d %s' % (i, place.split(',')[1])
        for i, place in enumerate(places)), result)
    info = t.must('info', '--json', *places, sanitized=True).json()
    t.check('info of parts', [
        '%s,%d@%d' % (layer['path'], layer['payload_bytes'],
                      layer['part_offset'] // SECTOR)
        for layer in info['layers']] == places, info)
    t.check('info of a part, for people',
            b'  part:          %d bytes at ' % os.path.getsize(t.path('lz4')) in
            t.must('info', places[2]).out)


def lengths(t):
    """Where nothing says where a layer ends, the length does."""
    for name in ('plain', 'unfinished'):
        data = read(t, name)
        t.write('longer', data + bytes(5 * SECTOR))
        result = t.run('check', 'longer', sanitized=True)
        t.check('%s in a longer file is refused' % name, result.status == 2,
                result)
        t.must('check', 'longer,%d' % len(data), sanitized=True)
        t.check('%s in a longer file, with its length' % name, t.must(
            'extract', 'longer,%d' % len(data), '-o', '-').out ==
            read(t, 'src'))
        result = t.run('check', 'longer,%d' % (len(data) - 1), sanitized=True)
        t.check('%s with a wrong length is refused' % name,
                result.status == 2, result)
    t.must('convert', '--from', 'raw', 'src', '--to', 'zfile', '-o', 'payload')
    place = pack(t, 'disk', ['payload'])[0]
    t.must('convert', '--to', 'zfile', place, '-f', '-o', 'out')
    t.check('a part that holds no layer', sha256_payload(t.path('out')) ==
            sha256_file(t.path('src')))
    t.must('create', 'src', '--tar', '-o', 'tar')
    bytes_in = t.must('info', '--json', 'tar').json()['layers'][0][
        'payload_bytes']
    t.check('what is in a tar blob', t.must(
        'extract', 'tar,%d@3' % bytes_in, '-o', '-').out == read(t, 'src'))
    result = t.run('info', 'tar,%d' % os.path.getsize(t.path('tar')),
                   sanitized=True)
    t.check('a part is no tar blob', result.status == 2 and
            'tar blob' in result.err, result)


def wrong(t):
    size = os.path.getsize(t.path('plain'))
    for part, words in {
            '': 'not a length', '@': 'not a length', 'x': 'not a length',
            '0': 'not a length', '-5': 'not a length', '+5': 'not a length',
            ' 5': 'not a length', '5 ': 'not a length', '4K': 'not a length',
            '0x10': 'not a length', '@3': 'not a length',
            '9223372036854775808': 'not a length',
            '99999999999999999999': 'not a length',
            '5@': 'number of a sector', '5@x': 'number of a sector',
            '5@-1': 'number of a sector', '5@1@2': 'number of a sector',
            '5@18014398509481984': 'number of a sector',
            '9223372036854775807@18014398509481983': 'there are no',
            '%d' % (size + 1): 'there are no',
            '%d@1' % size: 'there are no',
            '1@%d' % (size // SECTOR): 'there are no',
            '1@%d' % (size // SECTOR + 1): 'there are no'}.items():
        result = t.run('info', 'plain,' + part, sanitized=True)
        t.check('the part %r' % part, result.status == 1 and
                words in result.err and not result.out, result)
    for name in ('nowhere,5', 'nowhere,5@1', 'nowhere,x'):
        result = t.run('info', name, sanitized=True)
        t.check('a part of nothing, %s' % name, result.status == 1 and
                'cannot open %s: No such file' % name in result.err, result)
    result = t.run('info', 'plain,1', sanitized=True)
    t.check('one byte', result.status == 2, result)
    for name in (t.scratch + ',5', '/dev/null,5'):
        result = t.run('info', name, sanitized=True)
        t.check('a part of no file, %s' % name[-8:], result.status == 1 and
                ('is a directory' in result.err or
                 'neither a file' in result.err), result)


def names(t):
    """A file of that name is meant before a part of another."""
    t.write('plain,5', read(t, 'lz4'))
    t.check('a file with a comma and a number in its name', t.must(
        'info', '--json', 'plain,5').json()['layers'][0]['payload_bytes'] ==
        os.path.getsize(t.path('lz4')))
    t.check('a part of such a file', t.must(
        'info', '--json', 'plain,5,%d@0' % os.path.getsize(t.path('lz4'))
        ).json()['layers'][0]['path'] == 'plain,5')
    os.unlink(t.path('plain,5'))
    place = 'plain,%d' % os.path.getsize(t.path('plain'))
    t.write('config.v1.json', json.dumps(
        {'lowers': [{'file': place}]}).encode())
    result = t.run('info', 'config.v1.json', sanitized=True)
    t.check('not in a config.v1.json', result.status == 2 and
            place in result.err, result)
    result = t.run('info', 'config.v1.json,20', sanitized=True)
    t.check('no part is a config.v1.json', result.status == 2 and
            'neither a ZFile' in result.err, result)


def printable(t):
    evil = 'a\nb\x1b[2J\rc\x7f\té'
    shown = 'a\\nb\\x1b[2J\\x0dc\\x7f\\x09é'
    t.write(evil, b'no layer' * 1000)
    for verb in ('info', 'check', 'map', 'table'):
        result = t.run(verb, evil, sanitized=True)
        t.check('%s: a message with a strange name is one line' % verb,
                result.status == 2 and shown in result.err and
                result.err.count('\n') == 1, result)
    error = t.run('check', '--json', evil).json()['error']
    t.check('JSON has the name as it is', error.startswith(evil + ':'), error)
    t.write(evil, read(t, 'lz4'))
    for command in (['info', evil], ['open', '--dry-run', 'x', evil]):
        result = t.must(*command, sanitized=True)
        t.check('%s: the name is in one line' % command[0],
                b'layer 0: ' + shown.encode() in result.out, result)
    result = t.run('table', evil, sanitized=True)
    t.check('table: no newline in a name', result.status == 1 and
            'newline' in result.err and not result.out, result)
    result = t.run('table', '--devices', 'x\ny', 'lz4', sanitized=True)
    t.check('table --devices: no newline in a name', result.status == 1 and
            'newline' in result.err and not result.out, result)
    result = t.must('table', '--devices', 'a b\tc\rd\x0be\x0cf\\', 'lz4',
                    sanitized=True)
    t.check('table: blanks of all kinds are escaped', result.out.startswith(
        b'0 200 lsmt a\\ b\\\tc\\\rd\\\x0be\\\x0cf\\\\ '), result)
    result = t.must('table', '--concise', '--name', 'n', '--devices', 'a,b',
                    'lz4', 'lz4', sanitized=True)
    t.check('table --concise: commas are no parts', result.out.startswith(
        b'n,,,ro,0 200 lsmt a '), result)


def run(t):
    data = random.Random(18).randbytes(80 * SECTOR) + bytes(120 * SECTOR)
    t.write('src', data)
    t.must('create', 'src', '--plain', '-o', 'plain')
    t.must('create', 'src', '-o', 'lz4')
    t.write('unfinished', obd_builder.build_zfile(read(t, 'plain'),
                                                  overwrite=False))
    lengths(t)
    everywhere(t)
    wrong(t)
    names(t)
    printable(t)
