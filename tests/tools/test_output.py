# SPDX-License-Identifier: GPL-2.0
"""Outputs: signals at bad moments or switched off, an output that is an input,
standard files that are closed. (Interruptions in general are in test_limits.)"""

import os
import resource
import signal
import subprocess

from test_devices import loop, usable

MIB = 1 << 20
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def read(t, name):
    with open(t.path(name), 'rb') as file:
        return file.read()


def ignored(t):
    """What the caller has switched off, as nohup does, stays so."""
    environment = t.preload('no-tmpfile')
    for number in SIGNALS:
        process = subprocess.Popen(
            [t.program, 'create', '-', '-f', '-o', t.path('out/x')],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
            preexec_fn=lambda n=number: signal.signal(n, signal.SIG_IGN))
        process.stdin.write(bytes(4 * MIB))
        process.stdin.flush()
        # The pipe is empty again: it reads, and so has begun its output.
        for _ in range(3):
            process.send_signal(number)
            process.stdin.write(bytes(MIB))
            process.stdin.flush()
        _, err = process.communicate()
        t.check('an ignored %s does not end it' % number.name,
                process.returncode == 0 and os.listdir(t.path('out')) == ['x'],
                (process.returncode, err))
    os.unlink(t.path('out/x'))


def bad_moments(t):
    """A signal between the making of a file and the next instruction."""
    for text, place, libraries, option in (
            ('a temporary file is made', 'mkostemp',
             ('no-tmpfile', 'signal-in'), '-v'),
            ('a file gets its name', 'linkat', ('signal-in',), '-f')):
        environment = dict(t.preload(*libraries), OBD_SIGNAL_IN=place)
        t.write('out/x', b'old')
        result = t.run('create', 'src', '-f', option, '-o', 'out/x',
                       env=environment)
        left = os.listdir(t.path('out'))
        t.check('a signal when %s leaves nothing' % text,
                result.status == -signal.SIGTERM and left == ['x'],
                '%s\n%s' % (result, left))
    os.unlink(t.path('out/x'))


def too_large(t):
    """ulimit -f: an error as others, not a signal that leaves a file."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))

    for text, environment in (('', None), (', temporary name',
                                           t.preload('no-tmpfile'))):
        result = t.run('create', 'large', '--plain', '-o', 'out/x',
                       preexec_fn=limit, env=environment)
        t.check('a file that may not become that large%s' % text,
                result.status == 3 and 'too large' in result.err and
                not os.listdir(t.path('out')), result)


def no_file(t):
    """Outputs that are no file of their own."""
    t.write('target', b'old')
    os.symlink('target', t.path('link to target'))
    os.symlink('nowhere', t.path('dangling'))
    for name in 'link to target', 'dangling':
        result = t.run('create', 'src', '-f', '-o', name, sanitized=True)
        t.check('-f onto a symbolic link: %s' % name, result.status == 1 and
                'symbolic link' in result.err and os.path.islink(t.path(name)) and
                read(t, 'target') == b'old', result)
    for verb in (['create', 'src'], ['commit', '--base', 'src', 'src2'],
                 ['merge', 'layer', 'layer2'], ['convert', 'layer']):
        result = t.run(*verb, '-o', '-', sanitized=True)
        t.check('%s to standard output' % verb[0], result.status == 1 and
                'standard output' in result.err and not result.out and
                not os.path.exists(t.path('-')), result)
    t.check('convert --to raw to standard output', t.must(
        'convert', '--to', 'raw', 'layer', '-o', '-').out.startswith(
            read(t, 'src')))


def inputs(t):
    os.link(t.path('layer'), t.path('link'))
    t.write('config.v1.json', b'{"lowers": [{"file": "layer"}]}')
    for text, command in {
            'create': ['create', 'src', '-o', 'src'],
            'create -': ['create', '-', '-o', 'src'],
            'commit, the old': ['commit', '--base', 'src', 'src2', '-o', 'src'],
            'commit, the new': ['commit', '--base', 'src2', 'src', '-o', 'src'],
            'convert': ['convert', 'layer', '-o', 'layer'],
            'convert, by its path': ['convert', 'layer', '-o',
                                     t.path('layer')],
            'convert, by another link': ['convert', 'layer', '-o', 'link'],
            'convert --from raw': ['convert', '--from', 'raw', 'src', '-o',
                                   'src'],
            'convert --to raw': ['convert', '--to', 'raw', 'layer', '-o',
                                 'layer'],
            'merge': ['merge', 'layer2', 'layer', '-o', 'layer2'],
            'merge of others': ['merge', '--layers', '1-1', 'layer2', 'layer',
                                '-o', 'layer2'],
            'extract': ['extract', 'layer', '-o', 'layer'],
            'extract of a part': ['extract', 'layer,%d' % os.path.getsize(
                t.path('layer')), '-o', 'layer'],
            'extract of a description': ['extract', 'config.v1.json', '-o',
                                         'config.v1.json'],
            'extract of what it lists': ['extract', 'config.v1.json', '-o',
                                         'layer']}.items():
        before = {n: read(t, n) for n in ('src', 'src2', 'layer', 'layer2')}
        options = {}
        if text == 'create -':
            options['stdin'] = open(t.path('src'), 'rb')
        result = t.run(*command, '-f', sanitized=True, **options)
        after = {n: read(t, n) for n in before}
        t.check('not onto what is read: ' + text, result.status == 1 and
                'being read' in result.err and before == after, result)
    if not usable(t):
        t.check('devices that are read # SKIP no loop devices here', True)
        return
    t.must('create', 'src', '-o', 'padded', '--tar')
    with loop(t.path('padded')) as device:
        for text, source, target in (
                ('the same device', device, device),
                ('the file behind it', device, 'padded'),
                ('a device of the file', 'padded', device)):
            before = read(t, 'padded')
            result = t.run('extract', source, '-f', '-o', target,
                           sanitized=True)
            t.check('not onto what is read: ' + text, result.status == 1 and
                    'being read' in result.err and
                    before == read(t, 'padded'), result)


def closed(t):
    """A file that is opened does not become a standard one."""
    want = read(t, 'layer')
    for fds in ((0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2)):
        def close(fds=fds):
            for fd in fds:
                os.close(fd)

        process = subprocess.run(
            [t.program, 'create', 'odd', '-o', 'out/x'], cwd=t.scratch,
            stdin=subprocess.DEVNULL, preexec_fn=close,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        t.check('create with %s closed' % (fds,), process.returncode == 0 and
                read(t, 'out/x') == read(t, 'odd.layer'), process)
        os.unlink(t.path('out/x'))
        process = subprocess.run(
            [t.program, 'check', 'layer'], cwd=t.scratch,
            stdin=subprocess.DEVNULL, preexec_fn=close,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        t.check('check with %s closed' % (fds,),
                process.returncode == (3 if 1 in fds else 0), process)
    t.check('the image is as it was', read(t, 'layer') == want)
    process = subprocess.run(
        [t.program, 'create', '-', '-o', 'out/x'], cwd=t.scratch,
        preexec_fn=lambda: os.close(0), stderr=subprocess.PIPE)
    t.check('create - without standard input', process.returncode in (1, 3) and
            process.stderr and not os.listdir(t.path('out')), process)
    process = subprocess.run(
        [t.program, 'extract', 'layer', '-o', '-'], cwd=t.scratch,
        preexec_fn=lambda: os.close(1), stderr=subprocess.PIPE)
    t.check('extract -o - without standard output',
            process.returncode == 3 and process.stderr, process)


def run(t):
    os.mkdir(t.path('out'))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    t.write('src', b'output' * 4096)
    t.write('src2', b'input!' * 4096)
    # Its last sector is incomplete, and that makes create print something.
    t.write('odd', b'odd' * 4097)
    t.write('large', b'large' * (MIB // 2))
    t.must('create', 'src', '-o', 'layer')
    t.must('create', 'src2', '-o', 'layer2')
    t.must('create', 'odd', '-o', 'odd.layer')
    ignored(t)
    bad_moments(t)
    too_large(t)
    no_file(t)
    inputs(t)
    closed(t)
