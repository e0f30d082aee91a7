"""What the end-to-end tests share: naming, running and ending tests, and programs in them.

    @test
    def forwards_the_path_byte_for_byte():
        origin = Origin()
        proxy = gateway(origin)
        same(proxy.get("/a%2Fb").status, 200)
        same(origin.requests[0].target, "/a%2Fb")

    main()

Everything made in a test (proxy, origin, client, file) belongs to that test and is gone when it ends. After
a test that passed, each proxy must have no more descriptors than before its first request, end with status 0
on SIGTERM and have said nothing that a sanitizer says. No fixed port, no sleep: readiness is a descriptor or a
poll with a deadline. One deadline per test.

The rest is in wire.py (HTTP as bytes), origins.py (what is behind the proxy) and proxy.py (the proxy). Output as
in tests/unit/unit.h: "ok NAME", "not ok NAME: why", "skip NAME: why".
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path


HERE = Path(__file__).resolve().parent
EGRESSBOX = os.path.abspath(os.environ.get("EGRESSBOX", HERE.parent.parent / "build/egressbox"))
os.environ["PATH"] += ":/usr/sbin:/sbin"  # where nginx and dnsmasq are
CERTAINLY = 8.0  # seconds: a poll that takes longer has failed


class Failed(Exception):
    """The program under test did something wrong."""


class Skipped(Exception):
    """Something the test needs is not here."""


class Deadline(BaseException):
    """The test took too long; no Exception, so that a test which judges failures does not swallow it."""


def shown(value):
    text = repr(value)
    return text if len(text) <= 400 else f"{text[:250]} ... {text[-120:]} ({len(value)} long)"


def same(got, expected, what="value"):
    if got != expected:
        raise Failed(f"{what} is {shown(got)}, expected {shown(expected)}")


def true(condition, why):
    if not condition:
        raise Failed(why)


def within(got, low, high, what="value"):
    true(low <= got <= high, f"{what} is {got}, expected {low} to {high}")


def has(text, part, what="text"):
    true(part in text, f"{what} is {shown(text)}, without {part!r}")


def lacks(text, part, what="text"):
    true(part not in text, f"{what} is {shown(text)}, with {part!r}")


def until(condition, what, seconds=CERTAINLY):
    """Polls until `condition()` is true and returns what it gave."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"not within {seconds:g} s: {what() if callable(what) else what}")
        time.sleep(0.005)


def pass_time(seconds):
    """Only to measure what happens meanwhile, or to be slow on purpose: never to wait for something."""
    time.sleep(seconds)


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skipped(f"no {program}")


def skip(why):
    raise Skipped(why)


# The test under way: what it made, in the order in which it must go.


class Scope:
    def open(self):
        self.clients, self.origins, self.proxies, self.rest = [], [], [], contextlib.ExitStack()

    def close(self, passed):
        for thing in [*self.clients, *self.origins]:
            thing.close()
        try:
            for proxy in self.proxies:
                proxy.finish(passed)
            for origin in self.origins if passed else []:
                origin.complain()
        finally:
            for proxy in self.proxies:
                proxy.kill()
            self.rest.close()


scope = Scope()
tests = []


def test(function=None, *, deadline=15):
    """Marks a test; its name is what it asserts."""
    if function is None:
        return lambda f: test(f, deadline=deadline)
    tests.append((function, deadline))
    return function


def folder():
    """A directory that ends with the test; others may enter it, as nginx's and dnsmasq's users must."""
    path = Path(tempfile.mkdtemp(prefix="egressbox-e2e-"))
    path.chmod(0o755)
    scope.rest.callback(shutil.rmtree, path, ignore_errors=True)
    return path


def on_alarm(_signal, _frame):
    raise Deadline("the deadline passed")


def run_one(function, deadline):
    error, passed = None, False
    scope.open()
    signal.signal(signal.SIGALRM, on_alarm)
    signal.alarm(deadline)
    try:
        function()
        passed = True
    except (Exception, Deadline) as e:
        error = e
    try:
        scope.close(passed)
    except (Exception, Deadline) as e:
        error = error or e
    signal.alarm(0)
    return error


def told(error):
    """One line: what went wrong and the line of the test where it did."""
    frames = traceback.extract_tb(error.__traceback__)
    place = [f for f in frames if Path(f.filename).name.startswith("test_")] or frames
    kind = "" if isinstance(error, Failed) else f"{type(error).__name__}: "
    return f"{Path(place[-1].filename).name}:{place[-1].lineno}: {kind}{error}".replace("\n", "\\n")


def main():
    names, failed = sys.argv[1:], False
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if not os.access(EGRESSBOX, os.X_OK):
        sys.exit(f"no {EGRESSBOX}: build first, or set EGRESSBOX")
    for name in set(names) - {function.__name__ for function, _ in tests}:
        sys.exit(f"no test {name}")
    for function, deadline in tests:
        name = function.__name__
        if names and name not in names:
            continue
        error = run_one(function, deadline)
        if error is None:
            print(f"ok {name}", flush=True)
        elif isinstance(error, Skipped):
            print(f"skip {name}: {error}", flush=True)
        else:
            program = os.path.relpath(EGRESSBOX)
            print(f"not ok {name}: {told(error)}", flush=True)
            print(f"  repeat: EGRESSBOX={program} python3 {os.path.relpath(sys.argv[0])} {name}", flush=True)
            failed = True
    sys.exit(1 if failed else 0)


# Programs.


LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1


def start(*argv, last_signal=signal.SIGKILL, enter=lambda: None, **options):
    """Starts a program that gets `last_signal` when the test ends, even when it ends by a signal itself.

    `enter` runs in the child, before the program.
    """

    def in_child():
        enter()
        LIBC.prctl(PR_SET_PDEATHSIG, last_signal)

    process = subprocess.Popen([str(a) for a in argv], preexec_fn=in_child, **options)

    def stop():
        process.send_signal(last_signal)
        process.wait()

    scope.rest.callback(stop)
    return process


def run(*argv, **options):
    """Runs a program to its end: status, stdout, stderr as text."""
    options = {"stdin": subprocess.DEVNULL, "timeout": CERTAINLY, **options}
    if "input" in options:
        del options["stdin"]
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, **options)
