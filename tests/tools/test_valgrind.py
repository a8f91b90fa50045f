# SPDX-License-Identifier: GPL-2.0
"""Every verb on every kind of input once, for valgrind: it looks into the
libraries too, which the sanitizers do not. What comes out is right or not is not
asked here: the other tests do that."""

import os
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor

import obd_builder
from test_errors import PRINTERS, READERS, WRITERS, fill

JOBS = 2


class Batch:
    """Commands to be run side by side, each with an output of its own."""

    def __init__(self, t):
        self.t = t
        self.commands = []

    def add(self, text, statuses, command, **options):
        output = 'out/%d' % len(self.commands)
        self.commands.append((text, statuses, fill(command, OUT=output),
                              output, options))

    def one(self, command):
        text, statuses, words, output, options = command
        result = self.t.run(*words, sanitized=True, **options)
        return (text, result, result.status in statuses,
                os.path.exists(self.t.path(output)))

    def run(self):
        with ThreadPoolExecutor(JOBS) as pool:
            for text, result, good, made in pool.map(self.one, self.commands):
                left = made and result.status != 0
                self.t.check('valgrind: ' + text, good and not left, result)


def sources(t):
    source = random.Random(19)
    data = source.randbytes(20000) + b'valgrind' * 9000 + bytes(30000)
    t.write('src', data)
    t.write('BASE', data[:5000] + source.randbytes(300) + data[5300:])
    for name, options in (
            ('lz4', ()), ('plain', ['--plain']),
            ('zstd.tar', ['--tar', '--algorithm', 'zstd']),
            ('no-crc', ['--no-crc', '--block-size', '64K', '--tag', 'T'])):
        t.must('create', 'src', '-o', name, *options)
    t.must('create', 'BASE', '-o', 'layer')
    t.must('create', 'BASE', '-o', 'layer.other')
    t.must('commit', '--base', 'src', 'BASE', '-o', 'change')
    t.must('convert', '--from', 'raw', 'src', '--to', 'zfile', '-o', 'payload')
    with open(t.path('lz4'), 'rb') as file:
        content = file.read()
    with open(t.path('plain'), 'rb') as file:
        t.write('unfinished', obd_builder.build_zfile(file.read(),
                                                      overwrite=False))
    t.write('large', bytes(1024) + content + bytes(5000))
    t.write('config.v1.json', b'{"lowers": [{"file": "lz4"}, '
            b'{"dir": "nowhere", "file": "change"}], "upper": {}}')
    return content


def good(t, batch):
    part = 'large,%d@2' % os.path.getsize(t.path('lz4'))
    for name in ('lz4', 'plain', 'zstd.tar', 'no-crc', 'payload', 'unfinished',
                 'config.v1.json', part):
        for verb, command in READERS.items():
            # A payload has no segments and cannot be one of several layers.
            statuses = (0, 1, 2) if name == 'payload' else (0,)
            batch.add('%s of %s' % (verb, name), statuses,
                      fill(command, IMAGE=name))
    for verb, command in PRINTERS.items():
        batch.add(verb, (0,), fill(command, IMAGE='lz4'))
        full = open('/dev/full', 'wb')
        batch.add('%s to a full disk' % verb, (3,), fill(command, IMAGE='lz4'),
                  stdout=full)
    stack = ['lz4', 'zstd.tar', 'change', part]
    for command in (
            ['info'], ['check'], ['check', '--quick'], ['map'], ['table'],
            ['table', '--concise', '--devices', 'a,b,c,d'],
            ['extract', '-o', 'OUT'], ['extract', '--layer', '2', '-o', 'OUT'],
            ['merge', '-o', 'OUT'], ['merge', '--layers', '1-3', '-o', 'OUT'],
            ['convert', '-o', 'OUT'], ['convert', '--to', 'raw', '-o', 'OUT'],
            ['convert', '--to', 'zfile', '-o', 'OUT'],
            ['open', '--dry-run', '--stacked', 'x'],
            ['open', '--dry-run', '--stacked', '--json', 'x']):
        batch.add('%s of a stack' % ' '.join(command), (0,), command + stack)
    batch.add('diff of stacks', (0,), ['diff', *stack, '--', *stack[:3]])


def writers(t, batch):
    for options in ([], ['--threads', '1'], ['--plain'], ['--tar'],
                    ['--level', '1'], ['--level', '9'],
                    ['--algorithm', 'zstd', '--level', '19'],
                    ['--block-size', '512'], ['--block-size', '64K'],
                    ['--zero-detect', '--no-crc'],
                    ['--uuid', '12345678-1234-1234-1234-123456789abc',
                     '--virtual-size', '1G']):
        for verb in ('create', 'commit'):
            batch.add('%s %s' % (verb, ' '.join(options)), (0,),
                      fill(WRITERS[verb], SRC='src') + options)
    with open(t.path('src'), 'rb') as file:
        data = file.read()
    batch.add('create of a pipe', (0,), ['create', '-', '-o', 'OUT'],
              input=data)
    batch.add('create of an empty pipe', (1,), ['create', '-', '-o', 'OUT'],
              input=b'')


def bad(t, batch, content):
    source = random.Random(20)
    os.mkfifo(t.path('fifo'))
    os.mkdir(t.path('directory'))
    damaged = bytearray(content)
    damaged[600] ^= 1
    digest = bytearray(content)
    digest[40] ^= 1
    index = bytearray(content)
    index[-520] ^= 1
    for name, data in {
            'empty': b'', 'byte': b'x', 'random': source.randbytes(9000),
            'short': content[:100], 'cut': content[:len(content) // 2],
            'cut-end': content[:-1], 'damaged': damaged, 'digest': digest,
            'index': index, 'json': b'{"lowers": [{"file": 3}]}'}.items():
        t.write(name, bytes(data))
        for verb, command in READERS.items():
            # What reads no data does not see damage there.
            statuses = (0, 2) if name == 'damaged' else (2,)
            batch.add('%s of %s' % (verb, name), statuses,
                      fill(command, IMAGE=name))
    for name in ('absent', 'directory', 'fifo', 'lz4,0', 'lz4,9@9999999'):
        for verb, command in READERS.items():
            batch.add('%s of %s' % (verb, name), (1,),
                      fill(command, IMAGE=name))
    for name in ('absent', 'directory', 'fifo'):
        for verb in ('create', 'commit'):
            batch.add('%s of %s' % (verb, name), (1,),
                      fill(WRITERS[verb], SRC=name))
    for verb, command in WRITERS.items():
        for output in ('directory', 'absent/x', 'src'):
            batch.add('%s onto %s' % (verb, output), (1,), fill(
                command, IMAGE='lz4', SRC='src', OUT=output))
    for words in ([], ['frobnicate'], ['create'], ['create', 'src'],
                  ['create', 'src', '-o', 'OUT', '--level', '99'],
                  ['info', '--frobnicate'], ['close'], ['close', 'nothing'],
                  ['status', 'nothing'], ['diff', 'lz4']):
        batch.add('usage: ' + ' '.join(words), (1,), words)


def golden(t, batch):
    directory, cases = t.golden()
    for case in cases:
        batch.add('check of ' + case['name'],
                  (0,) if case['expect'] == 'ok' else (0, 2),
                  ['check', *(os.path.join(directory, name)
                              for name in case['layers'])])


def notices(t):
    """It would be silent, too, if it did not look at all."""
    t.write('leak.c', b'#include <stdlib.h>\n'
            b'int main(void) { volatile char *p = malloc(1); return p[1]; }\n')
    subprocess.run(['gcc', '-O0', '-o', t.path('leak'), t.path('leak.c')],
                   check=True)
    program, t.program = t.program, t.path('leak')
    result = t.run(sanitized=True)
    t.program = program
    t.check('valgrind notices what is wrong', result.status == 99, result)


def run(t):
    os.mkdir(t.path('out'))
    content = sources(t)
    batch = Batch(t)
    good(t, batch)
    writers(t, batch)
    bad(t, batch, content)
    golden(t, batch)
    notices(t)
    batch.run()
