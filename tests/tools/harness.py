# SPDX-License-Identifier: GPL-2.0
"""What the tests of the command have in common."""

import hashlib
import json
import os
import subprocess

from obd_golden import sha256_of
from obd_reader import open_image, open_payload

# With OBD_VALGRIND set it takes the place of the sanitizers.
VALGRIND = ['valgrind', '-q', '--error-exitcode=99', '--leak-check=full',
            '--errors-for-leak-kinds=definite']
SANITIZER = ('AddressSanitizer', 'runtime error:', 'LeakSanitizer')


class Result:
    """What a run of the command gave."""

    def __init__(self, arguments, process):
        self.arguments = arguments
        self.status = process.returncode
        self.out = process.stdout
        self.err = process.stderr.decode(errors='replace')

    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return 'overlaybd %s\nexit status %d\n%s%s' % (
            ' '.join(self.arguments), self.status,
            self.out[:2000].decode(errors='replace'), self.err)


class Harness:
    """Counts results, runs the command, knows where things are."""

    def __init__(self, root):
        self.root = root
        self.program = os.path.join(root, 'tools', 'overlaybd', 'overlaybd')
        self.sanitized = os.path.join(root, 'build', 'tools-san', 'overlaybd')
        self.scratch = None
        self.number = 0
        self.failed = False

    def check(self, text, good, details=''):
        self.number += 1
        if not good:
            self.failed = True
            for line in str(details).splitlines():
                print('# ' + line)
        print('%sok %d - %s' % ('' if good else 'not ', self.number, text),
              flush=True)
        return good

    def path(self, name):
        return os.path.join(self.scratch, name)

    def write(self, name, data):
        with open(self.path(name), 'wb') as file:
            file.write(data)
        return self.path(name)

    def run(self, *arguments, sanitized=False, **options):
        """Run the command; a report of a sanitizer is never a pass."""
        program = [self.program]
        if sanitized and 'OBD_VALGRIND' in os.environ:
            program = VALGRIND + program
        elif sanitized:
            program = [self.sanitized]
        arguments = [str(a) for a in arguments]
        options.setdefault('stdin', subprocess.DEVNULL)
        if 'input' in options:
            del options['stdin']
        options.setdefault('stdout', subprocess.PIPE)
        process = subprocess.run(program + arguments, timeout=120,
                                 stderr=subprocess.PIPE, cwd=self.scratch,
                                 **options)
        if process.stdout is None:
            process.stdout = b''
        result = Result(arguments, process)
        if any(word in result.err for word in SANITIZER):
            result.status = 'sanitizer report'
        return result

    def must(self, *arguments, **options):
        result = self.run(*arguments, **options)
        if result.status != 0:
            raise AssertionError(str(result))
        return result

    def preload(self, *names):
        """An environment with libraries from C files beside this one."""
        here = os.path.dirname(os.path.abspath(__file__))
        libraries = []
        for name in names:
            libraries.append(self.path(name + '.so'))
            subprocess.run(
                ['gcc', '-O2', '-Wall', '-Werror', '-shared', '-fPIC', '-o',
                 libraries[-1], os.path.join(here, name + '.c')], check=True)
        return dict(os.environ, LD_PRELOAD=':'.join(libraries))

    def golden(self):
        """The golden images: (directory, cases)."""
        for directory in (os.environ.get('OBD_GOLDEN'),
                          os.path.join(self.root, '..', 'shared', 'golden'),
                          os.path.join(self.root, 'tests', 'golden')):
            if directory and os.path.exists(
                    os.path.join(directory, 'MANIFEST.json')):
                with open(os.path.join(directory, 'MANIFEST.json')) as file:
                    return directory, json.load(file)['cases']
        raise AssertionError('no golden images: set OBD_GOLDEN')

    def golden_layers(self):
        """The bytes of every golden layer."""
        directory, cases = self.golden()
        for name in sorted({n for case in cases for n in case['layers']}):
            with open(os.path.join(directory, name), 'rb') as file:
                yield file.read()


def sha256_file(path):
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        for piece in iter(lambda: file.read(1 << 20), b''):
            digest.update(piece)
    return digest.hexdigest()


def sha256_image(*paths):
    """What the independent reader makes of layers."""
    return sha256_of(open_image(list(paths)))


def sha256_payload(path):
    return sha256_of(open_payload(path))


def sectors_of(data):
    """What a device of the data shows: its last sector is completed."""
    return data + bytes(-len(data) % 512)
