# SPDX-License-Identifier: GPL-2.0
"""What can go wrong: a message, the right exit status, nothing left behind.

Everything here runs with the sanitizers on.
"""

import os
import random
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

# How each verb takes an image; OUT is where it would write, BASE exists.
READERS = {
    'info': ['info', 'IMAGE'],
    'table': ['table', 'IMAGE'],
    'check': ['check', 'IMAGE'],
    'map': ['map', 'IMAGE'],
    'diff': ['diff', 'IMAGE', 'layer'],
    'extract': ['extract', 'IMAGE', '-o', 'OUT'],
    'merge': ['merge', 'IMAGE', 'layer', '-o', 'OUT'],
    'convert': ['convert', 'IMAGE', '-o', 'OUT'],
}
WRITERS = {
    'create': ['create', 'SRC', '-o', 'OUT'],
    'commit': ['commit', '--base', 'BASE', 'SRC', '-o', 'OUT'],
    'extract': READERS['extract'],
    'merge': READERS['merge'],
    'convert': READERS['convert'],
}


def fill(command, **words):
    return [words.get(word, word) for word in command]


def left_behind(t):
    """Files in the directory for outputs."""
    return os.listdir(t.path('out'))


def fails(t, text, status, command, **options):
    result = t.run(*command, sanitized=True, **options)
    statuses = status if isinstance(status, tuple) else (status,)
    t.check(text, result.status in statuses and result.err and
            not left_behind(t), '%s\nleft behind: %s' % (
                result, left_behind(t)))


def usage(t):
    for text, command in {
            'no verb': [], 'an unknown verb': ['frobnicate'],
            'an unknown option': ['info', '--frobnicate', 'src'],
            'no image': ['info'], 'no source': ['create', '-o', 'out/x'],
            'no output': ['create', 'src'],
            'two sources': ['create', 'src', 'src', '-o', 'out/x'],
            'no base': ['commit', 'src', '-o', 'out/x']}.items():
        fails(t, 'usage: ' + text, 1, command)
    for option, value in (
            ('--algorithm', 'lzo'), ('--block-size', '3000'),
            ('--block-size', '128K'), ('--block-size', '4X'),
            ('--block-size', ''), ('--block-size', '-4096'),
            ('--threads', '0'), ('--threads', '65'), ('--level', '13'),
            ('--level', '0'), ('--uuid', 'x'), ('--parent-uuid', '1-2'),
            ('--tag', 'T' * 257), ('--virtual-size', '1000'),
            ('--virtual-size', '0'), ('--virtual-size', '512'),
            ('--virtual-size', '99999999999T')):
        fails(t, 'usage: create %s %.9s' % (option, value), 1,
              ['create', 'src', '-o', 'out/x', option, value])
    fails(t, 'usage: --plain and --level', 1,
          ['create', 'src', '-o', 'out/x', '--plain', '--level', '3'])
    t.check('--version', t.must('--version').out.startswith(b'overlaybd '))
    for verb in ['--help'] + [[v, '--help'] for v in (*READERS, *WRITERS)]:
        verb = [verb] if isinstance(verb, str) else verb
        t.check('%s prints the usage' % ' '.join(verb),
                t.must(*verb, sanitized=True).out.startswith(b'Usage: '))


def environment(t):
    os.mkfifo(t.path('fifo'))
    os.mkdir(t.path('directory'))
    everything = {**READERS, **WRITERS}
    for verb, command in everything.items():
        for name in ('absent', 'directory', 'fifo', '/dev/null'):
            fails(t, '%s of %s' % (verb, name), 1,
                  fill(command, IMAGE=name, SRC=name, OUT='out/x'))
    for verb, command in WRITERS.items():
        fails(t, '%s into a missing directory' % verb, 1,
              fill(command, IMAGE='layer.plain', SRC='src', OUT='absent/x'))
        fails(t, '%s onto a directory' % verb, 1,
              fill(command, IMAGE='layer', SRC='src', OUT='directory'))
        t.write('precious', b'precious')
        fails(t, '%s does not overwrite' % verb, 1,
              fill(command, IMAGE='layer', SRC='src', OUT='precious'))
        good = open(t.path('precious'), 'rb').read() == b'precious'
        t.check('%s leaves what is there' % verb, good)
        result = t.run(*fill(command, IMAGE='layer', SRC='src',
                             OUT='precious'), '-f', sanitized=True)
        t.check('%s -f overwrites' % verb, result.status == 0 and
                open(t.path('precious'), 'rb').read() != b'precious', result)


def unreadable(t):
    """Permission is refused to an ordinary user only."""
    if os.geteuid():
        os.chmod(t.write('secret', b'x'), 0)
        for verb, command in {**READERS, **WRITERS}.items():
            fails(t, '%s without permission' % verb, 1, fill(
                command, IMAGE='secret', SRC='secret', OUT='out/x'))
        return
    os.chmod(t.scratch, 0o755)
    os.chmod(t.write('secret', b'x'), 0)
    for verb, command in {**READERS, **WRITERS}.items():
        shutil.copy(t.program, t.path('overlaybd'))
        process = subprocess.run(
            [t.path('overlaybd')] + fill(command, IMAGE='secret', SRC='secret',
                                         OUT='out/x'),
            cwd=t.scratch, user='nobody', group='nogroup', extra_groups=[],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        t.check('%s without permission' % verb, process.returncode == 1 and
                b'Permission denied' in process.stderr, process)


def truncated(t):
    """An image cut off anywhere is refused, by every verb."""
    for form in ('layer', 'layer.plain', 'layer.tar'):
        data = open(t.path(form), 'rb').read()
        end = len(data) - (1024 if form == 'layer.tar' else 0)
        sizes = range(0, end, 512)
        for size in sizes:
            t.write('cut%d' % size, data[:size])
        for verb, command in READERS.items():
            with ThreadPoolExecutor() as pool:
                results = pool.map(lambda size: t.run(
                    *fill(command, IMAGE='cut%d' % size, OUT='out/x'),
                    sanitized=True), sizes)
                bad = [r for r in results if r.status != 2 or not r.err]
            t.check('%s of %s truncated every 512 bytes' % (verb, form),
                    not bad and not left_behind(t),
                    '\n'.join(map(str, bad[:3])))


def garbage(t):
    source = random.Random(7)
    for size in (1, 511, 512, 4096, 100000):
        t.write('garbage', source.randbytes(size))
        for verb, command in READERS.items():
            fails(t, '%s of %d random bytes' % (verb, size), 2,
                  fill(command, IMAGE='garbage', OUT='out/x'))


def mutated(t):
    """Bytes changed in the metadata: refused or read, never worse."""
    source = random.Random(8)
    for form in ('layer', 'layer.plain', 'layer.tar'):
        data = open(t.path(form), 'rb').read()
        bad = []
        for _ in range(25):
            damaged = bytearray(data)
            for _ in range(source.choice((1, 1, 4))):
                at = source.choice((source.randrange(len(data)),
                                    source.randrange(600),
                                    len(data) - 1 - source.randrange(600)))
                damaged[at] = source.randrange(256)
            t.write('mutant', damaged)
            for verb in ('info', 'check', 'extract', 'convert', 'map'):
                command = READERS[verb]
                result = t.run(*fill(command, IMAGE='mutant', OUT='out/x'),
                               sanitized=True)
                if result.status not in (0, 2):
                    bad.append(result)
                for name in left_behind(t):
                    os.unlink(t.path('out/' + name))
        t.check('%s with bytes changed at random' % form, not bad,
                '\n'.join(map(str, bad[:3])))


def full_disk(t):
    if os.geteuid():
        t.check('a full disk # SKIP mounting a tmpfs needs root', True)
        return
    os.mkdir(t.path('small'))
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs',
                    t.path('small')], check=True)
    try:
        t.write('noise', random.Random(9).randbytes(1 << 20))
        t.must('create', 'noise', '-o', 'noise.obd')
        for verb, command in WRITERS.items():
            result = t.run(*fill(command, IMAGE='noise.obd', SRC='noise',
                                 OUT='small/x'), sanitized=True)
            t.check('%s to a full disk' % verb, result.status == 3 and
                    'No space' in result.err and
                    not os.listdir(t.path('small')), result)
        with open('/dev/full', 'wb') as full:
            result = t.run('info', 'layer', sanitized=True, stdout=full)
        t.check('info to a full disk', result.status == 3, result)
    finally:
        subprocess.run(['umount', t.path('small')], check=True)


def run(t):
    os.mkdir(t.path('out'))
    source = random.Random(10)
    t.write('src', source.randbytes(4000) + b'text' * 1500)
    t.write('BASE', b'something else')
    t.must('create', 'src', '-o', 'layer')
    t.must('create', 'src', '-o', 'layer.plain', '--plain')
    t.must('create', 'src', '-o', 'layer.tar', '--tar', '--algorithm', 'zstd')
    usage(t)
    environment(t)
    unreadable(t)
    truncated(t)
    garbage(t)
    mutated(t)
    full_disk(t)
