# SPDX-License-Identifier: GPL-2.0
"""Block devices as source, image and output, on loop devices (root only)."""

import os
import random
import subprocess
from contextlib import contextmanager

from harness import sha256_image, sha256_file

MIB = 1 << 20


@contextmanager
def loop(path, *options):
    device = subprocess.run(['losetup', '-f', '--show', *options, path],
                            check=True, stdout=subprocess.PIPE).stdout
    device = device.decode().strip()
    try:
        yield device
    finally:
        subprocess.run(['losetup', '-d', device], check=True)


def usable(t):
    if os.geteuid():
        return False
    probe = t.write('probe', bytes(MIB))
    try:
        with loop(probe):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def images(t):
    data = random.Random(15).randbytes(MIB + 512)
    t.write('src', data)
    t.must('create', 'src', '-o', 'l')
    t.must('create', 'src', '-o', 'l.tar', '--tar')
    t.must('create', 'src', '-o', 'l.plain', '--plain')
    for name in ('l', 'l.tar', 'l.plain'):
        bytes_there = os.path.getsize(t.path(name))
        exact = t.must('info', '--json', name).json()['layers'][0][
            'payload_bytes']
        # Only a final ZFile header and tar say where they end.
        padding = 0 if name == 'l.plain' else 3 * MIB
        os.truncate(t.path(name), bytes_there + padding +
                    -(bytes_there + padding) % 512)
        with loop(t.path(name), '-r') as device:
            info = t.must('info', '--json', device, sanitized=True).json()
            t.check('%s on a longer device: its exact length' % name,
                    info['layers'][0]['payload_bytes'] == exact, info)
            line = t.must('table', device)
            start = '@3' if name == 'l.tar' else ''
            t.check('%s on a device: a table line without remarks' % name,
                    line.out.decode() == '0 2049 lsmt %s %d%s\n' % (
                        device, exact, start) and not line.err, line)
            t.check('%s on a device: extract' % name, t.must(
                'extract', device, '-o', '-').out == data)


def outputs(t):
    with loop(t.write('target', bytes(2 * MIB))) as device:
        result = t.run('extract', 'l.tar', '-o', device)
        t.check('extract to a device needs -f', result.status == 1 and
                '-f' in result.err, result)
        t.must('extract', 'l.tar', '-f', '-o', device, sanitized=True)
    with open(t.path('target'), 'rb') as file:
        t.check('extract -f to a device',
                file.read(MIB + 512) == open(t.path('src'), 'rb').read())
    with loop(t.write('target', bytes(MIB))) as device:
        result = t.run('extract', 'l.tar', '-f', '-o', device, sanitized=True)
        t.check('extract to a device that is too small', result.status == 1 and
                'needed' in result.err, result)


def mounted(t):
    """A device with a writable file system on it is not read by itself."""
    os.mkdir(t.path('mnt'))
    t.write('fs', bytes(4 * MIB))
    subprocess.run(['mkfs.ext4', '-q', '-O', '^has_journal', t.path('fs')],
                   check=True)
    with loop(t.path('fs')) as device:
        t.must('create', device, '-o', 'quiet')
        t.check('create from a device', sha256_image(t.path('quiet')) ==
                sha256_file(t.path('fs')))
        for options, status in (('rw', 1), ('ro', 0)):
            subprocess.run(['mount', '-o', options, device, t.path('mnt')],
                           check=True)
            try:
                result = t.run('create', device, '-f', '-o', 'forced')
                t.check('create -f from a device mounted ' + options,
                        result.status == 0, result)
                os.unlink(t.path('forced'))
                result = t.run('create', device, '-o', 'unforced',
                               sanitized=True)
                t.check('create from a device mounted ' + options,
                        result.status == status, result)
                result = t.run('extract', 'l.tar', '-f', '-o', device)
                t.check('extract to a device mounted ' + options,
                        result.status == 1, result)
            finally:
                subprocess.run(['umount', t.path('mnt')], check=True)


def partition(t):
    """Nor is a disk with such a partition."""
    with open(t.path('fs'), 'rb') as file:
        content = file.read()
    t.write('disk', bytes(MIB) + content + bytes(MIB))
    with loop(t.path('disk'), '-P') as device:
        # The kernel need not know any kind of partition table for that.
        subprocess.run(['addpart', device, '1', str(MIB // 512),
                        str(len(content) // 512)], check=True)
        for options, status in (('rw', 1), ('ro', 0)):
            subprocess.run(['mount', '-o', options, device + 'p1',
                            t.path('mnt')], check=True)
            try:
                result = t.run('create', device, '-f', '-o', 'whole',
                               sanitized=True)
                t.check('create -f from a disk with a partition mounted %s' %
                        options, result.status == 0, result)
                os.unlink(t.path('whole'))
                result = t.run('create', device, '-o', 'whole',
                               sanitized=True)
                t.check('create from a disk with a partition mounted %s' %
                        options, result.status == status and
                        ('mounted' in result.err) == bool(status), result)
            finally:
                subprocess.run(['umount', t.path('mnt')], check=True)
        t.must('create', device, '-f', '-o', 'whole')


def run(t):
    if not usable(t):
        t.check('block devices # SKIP no loop devices for this user', True)
        return
    images(t)
    outputs(t)
    mounted(t)
    partition(t)
