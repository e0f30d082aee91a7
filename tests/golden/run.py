#!/usr/bin/env python3
"""Golden tests: what the program prints, to the byte.

usage: tests/golden/run.py [WORD]...        (a WORD selects the cases whose name contains it)

A case is a directory APPLET/CASE/ with

  cmd               the arguments, on one line, with the quotes of a shell
  stdin             standard input; empty when there is none
  env               NAME=VALUE lines: the whole environment; empty when there is none
  expected.out      standard output and standard error; empty when there is none
  expected.err
  expected.status   the exit status
  expected.files/   files that are there afterwards, new ones and those with another content

and whatever files the arguments name. The program is $EGRESSBOX, build/egressbox by default, and runs in a copy
of the directory, in which nothing but what is in expected.files/ may have changed afterwards. What is expected is
written by hand, from what the program should do: nothing here writes it from what it does.
"""
import difflib
import glob
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
TIMEOUT_S = 20
FILES = {"cmd", "stdin", "env", "expected.out", "expected.err", "expected.status", "expected.files"}


def read(path):
    """The bytes of a file, none when it is not there."""
    try:
        with open(path, "rb") as f:
            return f.read()
    except FileNotFoundError:
        return b""


def lines(text):
    """Lines for people: what isn't UTF-8 or has no line end is shown, not guessed at."""
    shown = text.decode(errors="backslashreplace").splitlines()
    if text and not text.endswith(b"\n"):
        shown[-1] += "  [no line end]"
    return shown


def differences(what, expected, actual):
    if expected == actual:
        return []
    return list(difflib.unified_diff(lines(expected), lines(actual), f"expected {what}", f"actual {what}",
                                     lineterm=""))


def sanitized(environment):
    """With what a build with sanitizers needs to be told."""
    kept = {name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
    return {**kept, **environment}


def tree(directory):
    """{path: content} of the files below a directory."""
    found = {}
    for folder, _, names in os.walk(directory):
        for path in (os.path.join(folder, name) for name in names):
            found[os.path.relpath(path, directory)] = read(path)
    return found


def changes(directory, copy):
    """What is wrong with the files that the program has left."""
    expected, actual = {**tree(directory), **tree(directory + "/expected.files")}, tree(copy)
    wrong = []
    for path in sorted({*expected, *actual}):
        if path not in actual or path not in expected:
            wrong.append(f"{path} is {'gone' if path in expected else 'new'}")
        else:
            wrong += differences(path, expected[path], actual[path])
    return wrong


def run_case(program, directory):
    """What is wrong with the case, as lines; none when it is as expected."""
    with tempfile.TemporaryDirectory(prefix="golden-") as folder:
        copy = os.path.join(folder, "case")
        shutil.copytree(directory, copy, symlinks=True)
        return run_in_copy(program, directory, copy)


def run_in_copy(program, directory, copy):
    environment = dict(line.split("=", 1) for line in read(directory + "/env").decode().splitlines())
    expected_status = read(directory + "/expected.status").decode().strip()
    if not expected_status.isdigit():
        return ["expected.status is missing"]
    odd = [f for f in os.listdir(directory) if f.startswith("expected.") and f not in FILES]
    if odd:
        return [f"{odd[0]} is none of a case's files"]
    command = [program] + shlex.split(read(directory + "/cmd").decode())
    try:
        done = subprocess.run(command, cwd=copy, env=sanitized(environment), timeout=TIMEOUT_S,
                              input=read(directory + "/stdin"), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
    except subprocess.TimeoutExpired:
        return [f"not done after {TIMEOUT_S} s"]
    wrong = differences("output", read(directory + "/expected.out"), done.stdout)
    wrong += differences("errors", read(directory + "/expected.err"), done.stderr)
    wrong += changes(directory, copy)
    if done.returncode != int(expected_status):
        wrong.insert(0, f"exit status {done.returncode}, expected {expected_status}")
    return wrong


def main():
    program = os.path.abspath(os.environ.get("EGRESSBOX", os.path.join(TOP, "build/egressbox")))
    words = sys.argv[1:]
    found = failed = 0
    for path in sorted(glob.glob(os.path.join(HERE, "*/*/cmd"))):
        directory = os.path.dirname(path)
        name = "golden/" + os.path.relpath(directory, HERE)
        if words and not any(word in name for word in words):
            continue
        found += 1
        wrong = run_case(program, directory)
        if not wrong:
            print(f"ok {name}")
            continue
        failed += 1
        print(f"not ok {name}: {wrong[0]}")
        for line in wrong[1:]:
            print("  " + line)
        print(f"  again: tests/golden/run.py {name}")
    if found == 0:
        print("not ok golden: no such case")
    return 1 if failed or found == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
