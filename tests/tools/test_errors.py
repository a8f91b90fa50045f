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
    # As far as an image is looked at, which is all before anything is made.
    'open': ['open', '--dry-run', 'x', 'IMAGE'],
}
WRITERS = {
    'create': ['create', 'SRC', '-o', 'OUT'],
    'commit': ['commit', '--base', 'BASE', 'SRC', '-o', 'OUT'],
    'extract': READERS['extract'],
    'merge': READERS['merge'],
    'convert': READERS['convert'],
}
PRINTERS = {
    'info': READERS['info'],
    'info --json': ['info', '--json', 'IMAGE'],
    'table': READERS['table'],
    'check': READERS['check'],
    'check --json': ['check', '--json', 'IMAGE'],
    'map': READERS['map'],
    'map --json': ['map', '--json', 'IMAGE'],
    'diff': ['diff', 'IMAGE', 'layer.other'],
    'diff --json': ['diff', '--json', 'IMAGE', 'layer.other'],
    'extract -o -': ['extract', 'IMAGE', '-o', '-'],
    'open --dry-run': READERS['open'],
    'open --dry-run --json': ['open', '--dry-run', '--json', 'x', 'IMAGE'],
    '--help': ['--help'],
    'create --help': ['create', '--help'],
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
            'no base': ['commit', 'src', '-o', 'out/x'],
            'close of nothing': ['close', 'overlaybd-test-nothing'],
            'status of nothing': ['status', 'overlaybd-test-nothing'],
            'status of all, too many words': ['status', 'a', 'b']}.items():
        fails(t, 'usage: ' + text, 1, command)
    for option, value in (
            ('--algorithm', 'lzo'), ('--block-size', '3000'),
            ('--block-size', '128K'), ('--block-size', '4X'),
            ('--block-size', ''), ('--block-size', '-4096'),
            ('--threads', '0'), ('--threads', '65'), ('--level', '13'),
            ('--level', '0'), ('--uuid', 'x'), ('--parent-uuid', '1-2'),
            ('--tag', 'T' * 257), ('--virtual-size', '1000'),
            ('--virtual-size', '0'), ('--virtual-size', '512'),
            ('--virtual-size', '99999999999T'),
            ('--virtual-size', '524289T')):
        fails(t, 'usage: create %s %.9s' % (option, value), 1,
              ['create', 'src', '-o', 'out/x', option, value])
    fails(t, 'usage: --plain and --level', 1,
          ['create', 'src', '-o', 'out/x', '--plain', '--level', '3'])
    for text, options in {
            'zeros left out of a ZFile': ['--to', 'zfile', '--zero-detect'],
            'a raw file with a level': ['--to', 'raw', '--level', '1'],
            'a raw file without CRC': ['--to', 'raw', '--no-crc']}.items():
        fails(t, 'usage: ' + text, 1, ['convert', '--from', 'raw', 'src', '-o', 'out/x',
                                       *options])
    t.check('--version', t.must('--version').out.startswith(b'overlaybd '))
    for verb in ['--help'] + [[v, '--help'] for v in (
            *READERS, *WRITERS, 'close', 'status')]:
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
    for name in ('absent', 'directory', 'fifo', '/dev/null'):
        fails(t, 'commit on %s' % name, 1, fill(
            WRITERS['commit'], BASE=name, SRC='src', OUT='out/x'))
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


def short_sources(t):
    """What is read as raw may be of any length but none."""
    t.write('empty', b'')
    t.write('byte', b'x')
    for verb in ('create', 'commit'):
        command = fill(WRITERS[verb], BASE='empty', OUT='out/x')
        fails(t, verb + ' of an empty file', 1, fill(command, SRC='empty'))
        for text, source, options, want in (
                ('one byte', 'byte', (), b'x' + bytes(511)),
                ('an empty file, with a size', 'empty',
                 ('--virtual-size', '1M'), bytes(1 << 20))):
            result = t.run(*fill(command, SRC=source), *options,
                           sanitized=True)
            t.check('%s of %s' % (verb, text), result.status == 0 and t.must(
                'extract', 'out/x', '-o', '-', sanitized=True).out == want,
                    result)
            os.unlink(t.path('out/x'))
    t.must('commit', '--base', 'src', 'empty', '--virtual-size', '1M', '-o',
           'out/x', sanitized=True)
    t.check('commit of an empty file on a longer one', t.must(
        'extract', 'layer', 'out/x', '-o', '-').out == bytes(1 << 20))
    os.unlink(t.path('out/x'))


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
            for verb in ('info', 'check', 'extract', 'convert', 'map', 'open'):
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
        for form in ('raw', 'zfile'):
            result = t.run('convert', '--to', form, 'noise.obd', '-o',
                           'small/x', sanitized=True)
            t.check('convert --to %s to a full disk' % form,
                    result.status == 3 and 'No space' in result.err and
                    not os.listdir(t.path('small')), result)
        result = t.run('create', '-', '-o', 'small/x', sanitized=True,
                       input=open(t.path('noise'), 'rb').read())
        t.check('create of a pipe to a full disk', result.status == 3 and
                'No space' in result.err and not os.listdir(t.path('small')),
                result)
    finally:
        subprocess.run(['umount', t.path('small')], check=True)


def full_output(t):
    """Nothing printed is lost without a word."""
    for verb, command in PRINTERS.items():
        with open('/dev/full', 'wb') as full:
            result = t.run(*fill(command, IMAGE='layer'), sanitized=True,
                           stdout=full)
        t.check('%s to a full disk' % verb, result.status == 3 and
                'No space' in result.err, result)


def huge(t):
    """3 TiB of which little is there: quick, right, small."""
    size, last = 3 << 40, (3 << 40) - 4096
    for name, words in (('huge', (b'first', b'last')),
                        ('huge2', (b'first', b'LAST'))):
        with open(t.path(name), 'wb') as file:
            file.truncate(size)
            for at, word in zip((0, last), words):
                file.seek(at)
                file.write(word)
    t.must('create', 'huge', '-o', 'h0', sanitized=True)
    t.must('commit', '--base', 'huge', 'huge2', '-o', 'h1', sanitized=True)
    stack = ['h0', 'h1']
    info = t.must('info', '--json', *stack, sanitized=True).json()
    t.check('3 TiB: info', info['virtual_size'] == size and
            info['device_sectors'] == size // 512, info)
    t.check('3 TiB: check', b'good: 2 layers' in t.must(
        'check', *stack, sanitized=True).out)
    rows = t.must('map', '--json', *stack, sanitized=True).json()
    t.check('3 TiB: map', [(r['kind'], r['start'], r['length'], r.get('layer'))
                           for r in rows] == [
        ('data', 0, 8, 0), ('hole', 8, last // 512 - 8, None),
        ('data', last // 512, 8, 1)], rows)
    t.check('3 TiB: diff', t.must('diff', 'h0', '--', *stack, sanitized=True
                                  ).out == b'%d 512\n' % last)
    t.check('3 TiB: table', t.must('table', *stack, sanitized=True).out
            .startswith(b'0 %d lsmt h0 ' % (size // 512)))
    t.check('3 TiB: open', t.must('open', '--dry-run', '--json', 'x', *stack,
                                  sanitized=True).json()['sectors'] ==
            size // 512)
    for verb in ('merge', 'convert'):
        t.must(verb, *stack, '-f', '-o', 'h2', sanitized=True)
        t.check('3 TiB: ' + verb, not t.must('diff', 'h2', '--', *stack).out)
    t.must('extract', *stack, '-o', 'raw', sanitized=True)
    with open(t.path('raw'), 'rb') as file:
        first = file.read(4096)
        file.seek(last)
        rest = file.read()
    t.check('3 TiB: extract', os.stat(t.path('raw')).st_size == size and
            os.stat(t.path('raw')).st_blocks < 1000 and
            first == b'first'.ljust(4096, b'\0') and
            rest == b'LAST'.ljust(4096, b'\0'))
    for words in (stack, ['--from', 'raw', 'huge']):
        fails(t, '3 TiB: no ZFile has so many blocks', 1, [
            'convert', '--to', 'zfile', '--block-size', '512', *words, '-o',
            'out/x'])
    result = t.run('extract', *stack, '-o', '-', sanitized=True,
                   stdout=open('/dev/full', 'wb'))
    t.check('3 TiB: extract to a full disk', result.status == 3, result)


def run(t):
    os.mkdir(t.path('out'))
    source = random.Random(10)
    t.write('src', source.randbytes(4000) + b'text' * 1500)
    t.write('BASE', b'something else')
    t.must('create', 'src', '-o', 'layer')
    t.must('create', 'BASE', '-o', 'layer.other')
    t.must('create', 'src', '-o', 'layer.plain', '--plain')
    t.must('create', 'src', '-o', 'layer.tar', '--tar', '--algorithm', 'zstd')
    usage(t)
    environment(t)
    unreadable(t)
    short_sources(t)
    truncated(t)
    garbage(t)
    mutated(t)
    full_disk(t)
    full_output(t)
    huge(t)
