# SPDX-License-Identifier: GPL-2.0
"""make install, the manual page, the completion."""

import os
import re
import subprocess


def output(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)


def installs(t, tools):
    result = output('make', '-s', '-C', tools, 'install',
                    'DESTDIR=' + t.path('dest'), 'prefix=/usr')
    found = sorted(os.path.relpath(os.path.join(top, name), t.path('dest'))
                   for top, _, names in os.walk(t.path('dest'))
                   for name in names)
    t.check('make install with DESTDIR and prefix', not result.returncode and
            found == ['usr/sbin/overlaybd',
                      'usr/share/bash-completion/completions/overlaybd',
                      'usr/share/man/man8/overlaybd.8'],
            '%s\n%s' % (found, result.stdout))
    version = output(t.path('dest/usr/sbin/overlaybd'), '--version')
    t.check('what was installed runs', version.returncode == 0)


def missing_headers(t, tools):
    result = output('make', '-C', tools, 'BUILD=' + t.path('nothing'),
                    'PROGRAM=' + t.path('nothing/overlaybd'),
                    'CC=gcc -nostdinc')
    t.check('make names the packages of missing headers', result.returncode and
            b'apt-get install liblz4-dev libzstd-dev uuid-dev libjson-c-dev'
            in result.stdout, result.stdout.decode())


def verbs_of(t):
    text = t.must('--help').out.decode()
    return re.findall(r'^  ([a-z]+) ', text.split('Options:')[0], re.M)


def options_of(t, verb):
    return set(re.findall(r'^ +(?:-[a-z], )?(--[a-z-]+)', t.must(
        verb, '--help').out.decode(), re.M))


def manual(t, tools):
    page = os.path.join(tools, 'overlaybd.8')
    result = subprocess.run(
        ['man', '--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', page],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env=dict(os.environ, MANROFFSEQ='', LC_ALL='C.UTF-8'))
    t.check('the manual page has no warnings', result.returncode == 0 and
            not result.stderr, result.stderr.decode())
    with open(page) as file:
        text = file.read().replace('\\-', '-')
    for verb in verbs_of(t):
        missing = [o for o in options_of(t, verb) if o not in text]
        t.check('the manual page knows %s and its options' % verb,
                '.SS %s\n' % verb in text and not missing, missing)


COMPLETE = '''
. "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_overlaybd overlaybd "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
'''


def completion(t, tools):
    script = os.path.join(tools, 'completion', 'overlaybd')

    def complete(*words):
        result = output('bash', '-c', COMPLETE, 'bash', script, 'overlaybd',
                        *words, cwd=t.scratch)
        return set(result.stdout.decode().split())

    t.check('completion of verbs', complete('') == set(verbs_of(t)))
    for verb in verbs_of(t):
        want = options_of(t, verb)
        t.check('completion of the options of ' + verb,
                complete(verb, '--') == want,
                complete(verb, '--') ^ want)
    t.check('completion of values',
            complete('create', '--algorithm', 'z') == {'zstd'} and
            complete('convert', '--to', '') == {'layer', 'zfile', 'raw'})
    # Names of devices are no shell code, and may have blanks.
    os.mkdir(t.path('bin'))
    with open(t.path('bin/overlaybd'), 'w') as file:
        file.write('#!/bin/sh\ncat <<"END"\n$(touch ran)\n  layer\nwith blank\n'
                   'other\nEND\n')
    os.chmod(t.path('bin/overlaybd'), 0o755)
    here = dict(os.environ, PATH=t.path('bin') + ':' + os.environ['PATH'])

    def devices(word):
        result = output('bash', '-c', COMPLETE, 'bash', script, 'overlaybd', 'close',
                        word, cwd=t.scratch, env=here)
        return result.stdout.decode().splitlines()

    t.check('completion of devices', devices('') == [
        r'\$\(touch\ ran\)', r'with\ blank', 'other'], devices(''))
    t.check('completion of a part of a name', devices('wi') == [r'with\ blank'] and
            devices(r'with\ b') == [r'with\ blank'] and devices('oth') == ['other'])
    t.check('completion runs nothing', not os.path.exists(t.path('ran')))
    t.write('some-layer', b'')
    t.check('completion of files', complete('info', 'some') == {'some-layer'})


def run(t):
    tools = os.path.join(t.root, 'tools', 'overlaybd')
    installs(t, tools)
    missing_headers(t, tools)
    manual(t, tools)
    completion(t, tools)
