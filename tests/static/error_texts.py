#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Every error text of the module is asserted by a test, and its errno too.

Usage: error_texts.py [TOP]

Error texts are the reasons for a refused table (what the sources assign to an
"error", hand to refuse() or put into a struct dm_arg) and what the log says of a
block that cannot be read. An assertion is the whole text in a test of tests/dm or
in a KUnit suite, right behind its errno: 'EINVAL ZFile is empty' in Python,
EINVAL "ZFile is empty" in shell, -EINVAL, .error = "ZFile is empty" in C. Where
the source says which errno goes with the text, it must be that one.

What only a failing allocation can reach is in the list of reasons at the end of
tests/dm/210-memory-fails.sh, whose errno memfail.c asserts.

Prints what is missing; the exit status is 1 if anything is.
"""

import glob
import os
import re
import sys

MODULE = 'drivers/md/dm-overlaybd'
ALLOCATIONS = 'tests/dm/210-memory-fails.sh'
ALLOCATING = ('Cannot allocate', 'Cannot create')
READ_ERRNO = 'EIO'      # of any block that cannot be read

LITERAL = r'"((?:[^"\\]|\\.)*)"'
COMMENT = re.compile(r'/\*.*?\*/|' + LITERAL, re.S)
# Where a source names an error text: up to the end of the statement.
PLACES = {
    'assigned': re.compile(r'\berror\s*=(?!=)([^;]*);(\s*(?:\w+\(.*?\);\s*)?return\b[^;]*;)?'),
    'refused': re.compile(r'\brefuse\(([^;]*);()'),
    'argument': re.compile(r'\bstruct dm_arg\b[^;]*?=([^;]*);()'),
    'block': re.compile(r'\bzfile_report_corrupt\(([^;{]*);()'),
}
# A sentence in quotes that is none of those.
NO_ERROR = re.compile(r'MODULE_\w+\($|DM(?:ERR|EMIT)\w*\($|#include $')
SENTENCE = re.compile(r'[A-Z][a-z]+(?: [^"%]+)+$')


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def without_comments(source):
    return COMMENT.sub(lambda found: found[0] if found[1] is not None else ' ', source)


def joined(code):
    """Adjacent string literals as one."""
    return re.sub(r'"\s*"', '', code)


def errno_in(code):
    found = set(re.findall(r'-(E[A-Z]+)\b', code))
    return found.pop() if len(found) == 1 else None


def texts_of(path):
    """{error text: errno, or None where it depends} of one source."""
    source = joined(without_comments(read(path)))
    texts = {}
    for kind, place in PLACES.items():
        for found in place.finditer(source):
            errno = errno_in(found[1] + (found[2] or ''))
            literals = re.findall(LITERAL, found[1])
            if kind == 'assigned' and len(literals) > 1:
                errno = None
            for text in literals:
                if ' ' in text:
                    texts[text] = READ_ERRNO if kind == 'block' else errno
    return texts


def unknown_texts(path, known):
    """Sentences that are no error text by any of the rules above."""
    source = joined(without_comments(read(path)))
    for found in re.finditer(LITERAL, source):
        before = source[:found.start()].rpartition('\n')[2].lstrip()
        if (SENTENCE.match(found[1]) and found[1] not in known
                and not NO_ERROR.search(before) and 'DM_NAME' not in before):
            yield found[1]


def assertions(top):
    """All tests as one text, one notation for all languages."""
    whole = []
    for pattern in ('tests/dm/*.sh', 'tests/dm/*.py', MODULE + '/tests/*.[ch]'):
        for path in sorted(glob.glob(os.path.join(top, pattern))):
            if path.endswith(ALLOCATIONS):
                continue
            code = read(path)
            if path.endswith(('.c', '.h')):
                code = joined(without_comments(code))
                code = re.sub(r',\s*(?:\.error = )?"', ' "', code)
            whole.append(re.sub(r'\\\n\s*', '', code))
    return '\n'.join(whole)


def is_asserted(text, errno, tests):
    errno = r'(?:\w+\|)*%s(?:\|\w+)*' % (errno or 'E[A-Z]+')
    return re.search(r'\b%s[ "\']+%s[\'"]' % (errno, re.escape(text)), tests)


def is_allocation(text, reasons):
    return text.startswith(ALLOCATING) and text in reasons


def main(top):
    paths = sorted(glob.glob(os.path.join(top, MODULE, '*.[ch]')))
    texts = {}
    for path in paths:
        texts.update(texts_of(path))
    if not texts:
        sys.exit('no error text found at all')
    tests = assertions(top)
    reasons = read(os.path.join(top, ALLOCATIONS)).splitlines()
    missing = ['no test asserts: %s "%s"' % (errno or 'E...', text)
               for text, errno in sorted(texts.items())
               if not is_allocation(text, reasons) and not is_asserted(text, errno, tests)]
    missing += ['%s: is this an error text? "%s"' % (os.path.relpath(path, top), text)
                for path in paths for text in unknown_texts(path, texts)]
    print('\n'.join(missing), end='\n' if missing else '')
    return 1 if missing else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else '.'))
