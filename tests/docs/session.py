#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The commands that a document shows, and whether they do what it says.

    session.py script DOCUMENT PROMPT   a shell script that runs those of a prompt
    session.py check DOCUMENT PROMPT OUTPUT
                                        judge what the script printed; prints TAP
                                        result lines without numbers

A command is a line of a literal block that begins with the prompt "$" (any user)
or "#" (root), and the lines after it while they end with a backslash. What
follows up to the next prompt is its output: if the document shows any, the real
one has to look alike. Numbers may differ, and a line "..." stands for any lines.
"""

import re
import shlex
import sys

BEGIN = "#=begin"
END = "#=end"
FENCE = re.compile(r"^```(\w*)$")


class Command:
    def __init__(self, line, text):
        self.line = line
        self.text = text
        self.output = []


def markdown_blocks(lines):
    """The fenced blocks of consoles: lists of (line number, text)."""
    block = None
    for number, line in enumerate(lines, 1):
        fence = FENCE.match(line)
        if not fence:
            if block is not None:
                block.append((number, line))
        elif block is not None:
            yield block
            block = None
        elif fence[1] == "console":
            block = []
        else:
            # Not a console: swallow it up to its end.
            block = None if fence[1] == "" else []


def literal_blocks(lines):
    """The blocks after "::", likewise, without their indentation."""
    block, indent = None, 0
    for number, line in enumerate(lines, 1):
        if block is None:
            if line.endswith("::"):
                block = []
            continue
        if not line.strip():
            continue
        depth = len(line) - len(line.lstrip())
        if not depth:
            yield block
            block = [] if line.endswith("::") else None
            continue
        if not block:
            indent = depth
        block.append((number, line[indent:]))
    if block:
        yield block


def commands(document):
    """All (prompt, Command), in order."""
    with open(document) as file:
        lines = file.read().splitlines()
    blocks = markdown_blocks if document.endswith(".md") else literal_blocks
    for block in blocks(lines):
        current = None
        for number, text in block:
            if text[:2] in ("$ ", "# "):
                current = Command(number, text[2:])
                yield text[0], current
            elif current and current.text.endswith("\\"):
                current.text += "\n" + text
            elif current:
                current.output.append(text)


def script(document, prompt):
    """All run in one shell, like those of a reader who types them in."""
    for _, command in selected(document, prompt):
        print("echo '%s' %d" % (BEGIN, command.line))
        print("eval %s </dev/null" % shlex.quote(command.text))
        print("status=$?; echo; echo '%s' %d $status" % (END, command.line))


def selected(document, prompt):
    return [(p, c) for p, c in commands(document) if p == prompt]


def results(path):
    """line -> (status, lines of output)"""
    found, output = {}, []
    with open(path, errors="replace") as file:
        for line in file.read().splitlines():
            line = line.rstrip("\r")
            words = line.split()
            if words[:1] == [BEGIN]:
                output = []
            elif words[:1] == [END]:
                found[int(words[1])] = (int(words[2]), output)
            else:
                output.append(line)
    return found


def shape(line):
    """A line with its numbers and white space evened out."""
    return re.sub(r"\d+(\.\d+)?", "N", " ".join(line.split()))


def looks_like(shown, real):
    pattern = ""
    for line in shown:
        pattern += r"(.*\n)*" if line.strip() == "..." else re.escape(shape(line)) + r"\n"
    text = "".join(shape(line) + "\n" for line in real if line.strip())
    return re.fullmatch(pattern, text) is not None


def check(document, prompt, output):
    found = results(output)
    for _, command in selected(document, prompt):
        status, real = found.get(command.line, (None, []))
        text = "%s:%d: %s" % (document.split("/")[-1], command.line,
                              command.text.replace("\\\n", "").replace("#", r"\#"))
        good = status == 0 and (not command.output or
                                looks_like(command.output, real))
        print("%s - %s" % ("ok" if good else "not ok", text))
        if good:
            continue
        print("# status: %s" % ("not reached" if status is None else status))
        for title, lines in (("shown:", command.output), ("real:", real[-40:])):
            print("# " + title)
            for line in lines:
                print("#   " + line)


def main(arguments):
    if arguments[0] == "script":
        script(*arguments[1:])
    else:
        check(*arguments[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
