# SPDX-License-Identifier: GPL-2.0
"""open, close and status as far as they go without device-mapper: what is wrong
with arguments and images, and what --dry-run says. tests/dm/3*.sh have the rest."""

import os
import random

KEYS = ['layers', 'name', 'path', 'sectors', 'table', 'target', 'uuid']


def refuses(t, text, status, message, *arguments):
    result = t.run(*arguments, sanitized=True)
    t.check(text, result.status == status and message in result.err and
            not result.out, result)


def arguments(t):
    refuses(t, 'open without an image', 1, 'NAME IMAGE', 'open', 'x')
    refuses(t, 'open of a file that is not there', 1, 'nowhere', 'open', 'x',
            'nowhere')
    for name in ('', '.', '..', 'control', 'a/b', '/dev/mapper/'):
        refuses(t, 'the name %r' % name, 1, 'cannot be the name', 'open',
                '--dry-run', name, 'plain')
    refuses(t, 'a name of 128 characters', 1, 'at most 127', 'open',
            '--dry-run', 'n' * 128, 'plain')
    refuses(t, 'a name of 32 characters that count four', 1, 'at most 127', 'open',
            '--dry-run', ' ' * 32, 'plain')
    t.check('a name of 31 of them', t.run(
        'open', '--dry-run', ' ' * 31, 'plain').status == 0)
    refuses(t, 'a name that is too long with -layer1', 1, 'at most 127', 'open',
            '--dry-run', '--stacked', 'n' * 121, 'plain', 'odd')
    refuses(t, 'an empty uuid', 1, '--uuid', 'open', '--dry-run', '--uuid', '',
            'x', 'plain')
    refuses(t, 'a uuid that is too long', 1, '--uuid', 'open', '--dry-run',
            '--uuid', 'u' * 113, 'x', 'plain')
    refuses(t, 'a uuid of characters that count four', 1, '--uuid', 'open',
            '--dry-run', '--uuid', '$' * 29, 'x', 'plain')
    result = t.must('open', '--dry-run', 'a\nb\x1b', 'plain', sanitized=True)
    t.check('a name with control characters is printed in one line',
            result.out.splitlines()[-1].startswith(b'device a\\nb\\x1b: '),
            result)
    refuses(t, 'close without a name', 1, 'NAME', 'close')
    refuses(t, 'close of two', 1, 'too many', 'close', 'a', 'b')
    refuses(t, 'status of two', 1, 'too many', 'status', 'a', 'b')
    refuses(t, 'status of a path', 1, "it has a '/'", 'status', './a')


def images(t):
    """What the kernel would refuse is refused before, with a reason."""
    t.write('raw', b'x' * 8192)
    refuses(t, 'an image that is none', 2, 'neither a ZFile nor an LSMT layer',
            'open', 'x', 'raw')
    with open(t.path('plain'), 'rb') as file:
        data = bytearray(file.read())
    # Where the first segment has its data: seen when the index is read.
    data[-8192 + 12] ^= 0xff
    t.write('broken', data)
    refuses(t, 'a broken index', 2, 'broken', 'open', '--dry-run', 'x', 'plain',
            'broken')


def planned(t):
    result = t.must('open', '--dry-run', 'x', 'plain', 'odd', 'tar',
                    sanitized=True)
    size = {name: os.path.getsize(t.path(name))
            for name in ('plain', 'odd', 'even')}
    t.check('--dry-run', result.out.decode() == (
        'layer 0: plain, on a loop device\n'
        'layer 1: odd, on a loop device, its last sector completed\n'
        'layer 2: tar, on a loop device\n'
        'device x: 0 100 lsmt LAYER0 %d LAYER1 %d LAYER2 %d@3\n' % (
            size['plain'], size['odd'], size['odd'])), result)
    result = t.must('open', '--dry-run', '--stacked', 'x', 'plain', 'odd',
                    sanitized=True).out.decode().splitlines()
    content = t.must('info', '--json', 'odd').json()['layers'][0]['zfile'][
        'original_bytes']
    t.check('--dry-run --stacked', result[2:] == [
        'device x-layer1: 0 %d zfile LAYER1 %d' % (
            content // 512, size['odd']),
        'device x: 0 100 lsmt LAYER0 %d x-layer1 %d' % (
            size['plain'], content)], result)
    plan = t.must('open', '--dry-run', '--json', '--uuid', 'u:1', 'x', 'odd',
                  'even', sanitized=True).json()
    t.check('--dry-run --json', sorted(plan) == KEYS and plan['path'] is None and
            plan['uuid'] == 'OVERLAYBD-IMAGE-u:1' and plan['sectors'] == 100 and
            plan['layers'] == [
                {'path': 'odd', 'bytes': size['odd'], 'loop': True,
                 'completed': True},
                {'path': 'even', 'bytes': size['even'], 'loop': True,
                 'completed': False}], plan)
    one, two = (t.must('open', '--dry-run', '--json', 'x', 'odd').json()['uuid']
                for _ in range(2))
    t.check('uuids are not the same by chance', one != two, one)
    result = t.must('open', '--dry-run', 'x', 'payload', sanitized=True)
    t.check('a ZFile without a layer is a zfile device',
            b'device x: 0 3 zfile LAYER0 ' in result.out, result)


def run(t):
    data = random.Random(16).randbytes(100 * 512)
    t.write('src', data)
    t.must('create', 'src', '--plain', '-o', 'plain')
    t.must('create', 'src', '-o', 'odd')
    t.must('create', 'src', '--tar', '-o', 'tar')
    t.write('short', data[:1025])
    t.must('convert', '--from', 'raw', 'short', '--to', 'zfile', '-o', 'payload')
    assert os.path.getsize(t.path('odd')) % 512
    t.must('create', 'src', '--plain', '-o', 'even')
    arguments(t)
    images(t)
    planned(t)
