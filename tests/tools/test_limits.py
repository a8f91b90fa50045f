# SPDX-License-Identifier: GPL-2.0
"""Interruption, memory, speed per core."""

import os
import random
import resource
import select
import signal
import subprocess
import time

from test_speed import MIB, Measured, one_core, program_bytes


def interruptible():
    """A background job, which a caller may be, ignores SIGINT, below nohup SIGHUP."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def interrupted(t, text, number, environment):
    """Stop a create that waits for more of its standard input."""
    process = subprocess.Popen(
        [t.program, 'create', '-', '-o', t.path('out/x')],
        stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
        preexec_fn=interruptible)
    process.stdin.write(bytes(4 * MIB))
    process.stdin.flush()
    time.sleep(0.2)
    process.send_signal(number)
    process.communicate()
    t.check('%s while reading leaves nothing%s' % (number.name, text),
            process.returncode == -number and not os.listdir(t.path('out')),
            (process.returncode, os.listdir(t.path('out'))))


def interrupted_late(t, text, environment):
    """Stop a create that is busy compressing, at several moments."""
    left, statuses = [], set()
    for delay in (0.02, 0.05, 0.1):
        process = subprocess.Popen(
            [t.program, 'create', t.path('noise'), '-o', t.path('out/x'),
             '--algorithm', 'zstd', '--level', '22', '--threads', '1'],
            stderr=subprocess.PIPE, env=environment,
            preexec_fn=interruptible)
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        process.communicate()
        statuses.add(process.returncode)
        left += os.listdir(t.path('out'))
    t.check('SIGINT while compressing leaves nothing' + text,
            statuses == {-signal.SIGINT} and not left, (statuses, left))


def interruptions(t):
    t.write('noise', random.Random(14).randbytes(96 * MIB))
    # As on a file system that cannot make nameless files.
    named = t.preload('no-tmpfile')
    for text, environment in (('', dict(os.environ)),
                              (', with a temporary name', named)):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            interrupted(t, text, number, environment)
        interrupted_late(t, text, environment)
    t.write('src', b'named' * 10000)
    t.must('create', 'src', '-o', 'nameless')
    t.must('create', 'src', '-o', 'out/x', env=named)
    want = open(t.path('nameless'), 'rb').read()
    t.check('the same file where there are no nameless files',
            open(t.path('out/x'), 'rb').read() == want and
            os.listdir(t.path('out')) == ['x'] and
            os.stat(t.path('out/x')).st_mode ==
            os.stat(t.path('nameless')).st_mode)
    result = t.run('create', 'src', '-o', 'out/x', env=named)
    t.check('no overwriting there', result.status == 1, result)
    t.write('out/x', b'old')
    t.must('create', 'src', '-f', '-o', 'out/x', env=named)
    t.check('-f there', open(t.path('out/x'), 'rb').read() == want and
            os.listdir(t.path('out')) == ['x'])


def progress(t):
    """A bar appears after a second, and only on a terminal."""
    for quiet, wanted in (((), True), (('-q',), False)):
        ours, theirs = os.openpty()
        process = subprocess.Popen(
            [t.program, *quiet, 'create', t.path('noise'), '-f', '-o',
             t.path('p'), '--algorithm', 'zstd', '--level', '22',
             '--threads', '1'], stderr=theirs)
        time.sleep(2)
        busy = process.poll() is None
        process.kill()
        process.wait()
        text = os.read(ours, 4096) if select.select([ours], [], [], 0)[0] \
            else b''
        os.close(theirs)
        os.close(ours)
        t.check('a progress bar on a terminal%s' % (
            '' if wanted else ', not with -q'),
                busy and (b'%' in text and b'MiB/s' in text) == wanted,
                (busy, text))


def memory(t):
    """What a large image takes: all of it data, one of it sparse."""
    with open(t.path('big'), 'wb') as file:
        piece = program_bytes(16 * MIB)
        for _ in range(32):
            file.write(piece)
        file.truncate(8 << 40)
    for text, arguments in {
            'create': ('create', t.path('big'), '-f', '-o', t.path('b')),
            'create with 64 threads': (
                'create', t.path('big'), '-f', '-o', t.path('b'), '--threads',
                '64'),
            'commit': ('commit', '--base', t.path('src'), t.path('big'), '-f',
                       '-o', t.path('m')),
            'info': ('info', t.path('b')),
            'map': ('map', t.path('b')),
            'open': ('open', '--dry-run', 'x', t.path('b')),
            'check': ('check', t.path('b')),
            'convert': ('convert', t.path('b'), '--block-size', '64K', '-f',
                        '-o', t.path('m')),
            'extract': ('extract', t.path('b'), '-f', '-o', t.path('e')),
            'merge': ('merge', t.path('b'), '-f', '-o', t.path('m')),
            'diff': ('diff', t.path('b'), t.path('m'))}.items():
        kib = Measured(t, t.program, *arguments).kib
        t.check('%s of an 8 TiB image with 512 MiB of data: below 64 MiB' %
                text, kib < 64 * 1024, '%d KiB' % kib)
    for name in ('big', 'b', 'e', 'm'):
        os.unlink(t.path(name))


def run(t):
    os.mkdir(t.path('out'))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    interruptions(t)
    progress(t)
    memory(t)
    one_core(t, 3)
