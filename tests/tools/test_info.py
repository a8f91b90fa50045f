# SPDX-License-Identifier: GPL-2.0
"""info and table: golden images, config.v1.json, the output they promise."""

import json
import os
import shlex
import subprocess

# Damage that only reading the data, or nothing at all, can reveal.
METADATA_GOOD = {'neg-z-data-mid', 'neg-znv-data-mid', 'neg-lsmt-version9',
                 'neg-lsmt-tag7', 'neg-z-trailer'}


def golden_case(t, directory, case):
    layers = [os.path.join(directory, name) for name in case['layers']]
    result = t.run('info', '--json', *layers, sanitized=True)
    if case['expect'] != 'ok' and case['name'] not in METADATA_GOOD:
        t.check('info refuses ' + case['name'], result.status == 2 and
                not result.out, result)
        return
    good = result.status == 0
    if good and case['expect'] == 'ok':
        info = result.json()
        good = (info['virtual_size'] == case['virtual_size'] and
                info.get('segments') == case.get('merged_index_count',
                                                 info.get('segments')))
        for layer, counts in zip(info['layers'],
                                 case.get('per_layer_valid_zeroed', [])):
            good = good and counts == [layer['lsmt']['segments'],
                                       layer['lsmt']['zeroed_segments']]
    t.check('info reads ' + case['name'], good, result)


def warnings(t, directory):
    def of(*names):
        return '\n'.join(t.must('info', '--json', *(
            os.path.join(directory, n) for n in names)).json()['warnings'])

    t.check('a disagreeing ZFile trailer is reported',
            'disagree' in of('x.z-trailer'))
    t.write('src', bytes(4096))
    lower, upper = '1' * 8 + '-1111-1111-1111-' + '1' * 12, 'ab' * 4
    upper += '-2222-2222-2222-' + '2' * 12
    t.must('create', 'src', '-o', 'l', '--uuid', lower)
    t.must('create', 'src', '-o', 'u', '--uuid', upper, '--parent-uuid', lower)
    t.check('a good uuid chain is not reported',
            not t.must('info', '--json', 'l', 'u').json()['warnings'])
    result = t.must('info', 'u', 'u')
    t.check('a broken uuid chain is', 'parent uuid' in result.err, result)
    result = t.must('check', 'u', 'u', sanitized=True)
    t.check('check warns of it, too, and accepts it',
            'parent uuid' in result.err and 'good' in result.out.decode(), result)
    result = t.must('check', '--json', '--quick', 'l', 'u', 'u')
    t.check('and names the layer', result.json()['good'] and
            [w[:4] for w in result.json()['warnings']] == ['u: i'], result)
    t.check('check of a good chain does not warn',
            not t.must('check', 'l', 'u').err)
    t.check('-q keeps warnings back',
            not t.must('info', '-q', 'u', 'u').err)


def schema(t):
    """The members that the manual page promises."""
    t.write('src', b'schema' * 1000)
    t.must('create', 'src', '-f', '-o', 'l', '--tar')
    info = t.must('info', '--json', 'l').json()
    t.check('info --json: members of the image', set(info) == {
        'layers', 'virtual_size', 'device_sectors', 'segments', 'extents',
        'kernel_memory', 'warnings'}, info)
    t.check('info --json: members of a layer', set(info['layers'][0]) == {
        'path', 'file_bytes', 'tar_offset', 'payload_bytes', 'zfile', 'lsmt'})
    t.check('info --json: members of a ZFile',
            set(info['layers'][0]['zfile']) == {
                'algorithm', 'block_size', 'block_crc', 'digest',
                'header_final', 'original_bytes', 'blocks', 'index_offset',
                'index_crc', 'smallest_block', 'largest_block', 'ratio',
                'header_flags', 'trailer_flags'})
    t.check('info --json: members of an LSMT layer',
            set(info['layers'][0]['lsmt']) == {
                'virtual_size', 'uuid', 'parent_uuid', 'tag', 'version',
                'header_flags', 'trailer_flags', 'index_offset',
                'index_entries', 'segments', 'zeroed_segments',
                'padding_entries', 'longest_segment_sectors', 'data_sectors',
                'zeroed_sectors', 'end_sector'})
    blocks = info['layers'][0]['zfile']['blocks']
    t.check('the kernel memory: 12 bytes an extent, a small jump table whole',
            info['kernel_memory'] == {
                'segment_index': 16, 'jump_tables': 16 + 4 * blocks,
                'total': 32 + 4 * blocks}, info['kernel_memory'])
    t.write('zeros', bytes(64 << 20))
    t.must('convert', '--from', 'raw', '--to', 'zfile', '--block-size', '512',
           'zeros', '-o', 'many-blocks')
    memory = t.must('info', '--json', 'many-blocks').json()['kernel_memory']
    # 4 bytes for every 64 of 131,072 blocks and for their end, 8 for 32,768.
    t.check('the kernel memory: of a large jump table one number of 64',
            memory['jump_tables'] == 4 * (2048 + 1) + 8 * 5, memory)
    t.must('create', 'src', '-o', 'evil', '--tag', 'a\x1b[2Jb\xff')
    text = t.must('info', 'evil').out
    t.check('control characters of a tag do not reach the terminal',
            b'\x1b' not in text and b'a?[2Jb' in text, text)


def tables(t):
    t.write('src', b'table' * 5000)
    t.must('create', 'src', '-f', '-o', 'a')
    t.must('create', 'src', '-f', '-o', 'b c', '--tar', '--plain')
    a = os.path.getsize(t.path('a'))
    b = open(t.path('b c'), 'rb').read()
    size = int(b[512:1024].split(b'=')[1].split(b'\n')[0])
    result = t.must('table', 'a', 'b c')
    t.check('table: exact lengths, sector of a tar payload, escaped blank',
            result.out.decode() == '0 49 lsmt a %d b\\ c %d@3\n' % (a, size),
            result)
    t.check('table: files are explained on stderr', 'losetup' in result.err)
    result = t.must('table', '--devices', '/dev/loop7,7:9', 'a', 'b c')
    t.check('table --devices names the devices', result.out.decode() ==
            '0 49 lsmt /dev/loop7 %d 7:9 %d@3\n' % (a, size) and
            not result.err, result)
    result = t.must('table', '--concise', '--name', 'x,y', '--uuid', 'u',
                    '--devices', '7:8', 'a')
    t.check('table --concise', result.out.decode() ==
            'x\\,y,u,,ro,0 49 lsmt 7:8 %d\n' % a, result)
    result = t.run('table', '--devices', '7:8', 'a', 'b c')
    t.check('table: too few devices', result.status == 1, result)
    directory, cases = t.golden()
    payload = [c for c in cases if c['kind'] == 'zfile' and
               c['virtual_size'] % 512 and 'tar' not in c['name']][0]
    path = os.path.join(directory, payload['layers'][0])
    words = shlex.split(t.must('table', path).out.decode())
    t.check('table: a payload is a zfile device, rounded up', words == [
        '0', str(-(-payload['virtual_size'] // 512)), 'zfile', path,
        str(os.path.getsize(path))], words)
    empty = [c for c in cases if c.get('virtual_size') == 0][0]['layers'][0]
    t.check('table: an empty ZFile is no device', t.run(
        'table', os.path.join(directory, empty)).status == 2)


def config(t, name, value):
    return t.write(name, json.dumps(value).encode())


def configs(t):
    for name in ('base', 'one/overlaybd.commit', 'one/overlaybd.sealed',
                 'two/.commit', 'three/overlaybd.sealed'):
        path = t.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        t.write('src', name.encode() * 200)
        t.must('create', 'src', '-o', path, '--tag', name)
    good = {'repoBlobUrl': '', 'lowers': [
        {'file': t.path('base')},
        {'dir': t.path('one'), 'digest': 'sha256:0', 'size': 1},
        {'file': t.path('absent'), 'dir': 'two'}, {'dir': 'three'}],
        'upper': {'data': '', 'index': ''}, 'resultFile': 'x', 'unknown': 1}
    config(t, 'config.v1.json', good)

    def tags(*arguments):
        return [layer['lsmt']['tag'] for layer in t.must(
            'info', '--json', *arguments, sanitized=True).json()['layers']]

    t.check('config.v1.json: file, overlaybd.commit, .commit, sealed',
            tags('config.v1.json') == [
                'base', 'one/overlaybd.commit', 'two/.commit',
                'three/overlaybd.sealed'])
    t.check('config.v1.json: relative names are relative to the file',
            len(tags(os.path.relpath(t.path('config.v1.json'),
                                     t.scratch))) == 4)
    t.check('a description and more layers',
            tags('config.v1.json', 'base')[-1] == 'base')
    config(t, 'accelerated', dict(good, accelerationLayer=True))
    t.check('config.v1.json: the acceleration layer is dropped',
            len(tags('accelerated')) == 3)

    def refused(text, value, words):
        config(t, 'bad', value)
        result = t.run('info', 'bad', sanitized=True)
        t.check('config.v1.json: ' + text, result.status == 2 and
                words in result.err, result)

    base = {'file': t.path('base')}
    refused('a writable upper layer is refused', dict(
        good, upper={'data': 'd', 'index': 'i'}), 'commit or seal')
    refused('a turboOCI layer is refused', {'lowers': [
        dict(base, targetFile='t')]}, 'turboOCI')
    refused('a remote layer is refused', {'lowers': [
        {'dir': t.path('nowhere'), 'digest': 'sha256:77'}]}, 'sha256:77')
    refused('a folder without a layer', {'lowers': [{'dir': t.path('out')}]},
            'no overlaybd.commit, .commit or overlaybd.sealed in')
    refused('neither file nor folder', {'lowers': [{}]}, 'is set')
    refused('256 layers are refused', {'lowers': [base] * 256}, '255')
    refused('no layers', {'lowers': []}, 'no layers')
    refused('lowers of another type', {'lowers': 'x'}, 'lowers')
    refused('an entry of another type', {'lowers': [3]}, 'object')
    refused('a file of another type', {'lowers': [{'file': 3}]}, 'file')
    refused('a NUL in a name', {'lowers': [{'file': 'a\0b'}]}, 'file')
    refused('a name that is too long', {'lowers': [{'file': 'x' * 300}]}, 'no such')
    os.symlink('loop', t.path('loop'))
    config(t, 'bad', {'lowers': [{'dir': 'loop', 'digest': 'sha256:0'}]})
    result = t.run('info', 'bad', sanitized=True)
    t.check('config.v1.json: a folder that cannot be looked into',
            result.status == 1 and 'symbolic links' in result.err, result)
    t.write('bad', b'{"lowers": [')
    result = t.run('info', 'bad', sanitized=True)
    t.check('config.v1.json: broken JSON', result.status == 2 and
            'JSON' in result.err, result)


def odd_names(t):
    """JSON is UTF-8 whatever the names of files are."""
    t.write('src', b'names' * 1000)
    for name, shown in ((b'n\xff', 'n\\xff'), ('n\u00e4'.encode(), 'n\u00e4'),
                        (b'\xed\xa0\x80', '\\xed\\xa0\\x80'),
                        (b'\xe2\x82', '\\xe2\\x82'),
                        (b'\xf0\x9f\x98\x80', '\U0001f600'),
                        (b'\xc0\xaf', '\\xc0\\xaf')):
        path = os.fsdecode(name)
        t.must('create', 'src', '-f', '-o', path)
        result = t.must('info', '--json', path, sanitized=True)
        t.check('--json with the name %s' % name, json.loads(
            result.out.decode())['layers'][0]['path'] == shown, result)


def other_tars(t):
    t.must('create', 'src', '-f', '-o', 'layer')
    for form, status, words in (('ustar', 0, ''), ('gnu', 2, '--format=ustar')):
        subprocess.run(['tar', '-C', t.scratch, '--format', form, '-cf', t.path('tar'),
                        'layer'], check=True)
        result = t.run('info', 'tar', sanitized=True)
        t.check('what tar --format=%s makes' % form, result.status == status and
                words in result.err, result)


def run(t):
    directory, cases = t.golden()
    for case in cases:
        golden_case(t, directory, case)
    warnings(t, directory)
    schema(t)
    tables(t)
    configs(t)
    odd_names(t)
    other_tars(t)
