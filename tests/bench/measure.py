"""Processes on CPUs, what they cost, and the load that is put on them."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import origins
import peers

TICK = os.sysconf("SC_CLK_TCK")
WARM_UP, PATIENCE = 0.3, 10
IDLE_CONNECTIONS = 9000
OPEN_RATE = 5000


@dataclass
class Load:
    """Requests that wrk makes: GET, or POST of `posted` bytes, answered with `size` bytes."""

    title: str
    path: str = "/0"
    size: int = 0
    host: str = "origin"
    connections: int = 64
    more: tuple = ()  # words for wrk
    posted: int = 0
    routes: int = 0  # besides those that all scenarios have
    floor: bool = False  # the relay takes part


NEW = ("-H", "Connection: close")
LOADS = {
    "S1": Load("GET, empty body, http to http", floor=True),
    "S1X": Load("the same with 500 B of request headers", more=("-H", "X-Long: " + 490 * "x"), floor=True),
    "S2": Load("GET, 1 kB", "/1000", 1000, floor=True),
    "S2b": Load("GET, 16 kB", "/16384", 16384),
    "S3": Load("GET, 100 kB", "/100000", 100000),
    "S4": Load("GET, 10 MB, 8 connections", "/10000000", 10000000, connections=8),
    "S5": Load("POST, 1 MB, 8 connections", connections=8, posted=1 << 20),
    "S6": Load("S1 with a new client connection for each request", more=NEW),
    "S7": Load("GET, empty body, http to https", host="secure:443"),
    "S8": Load("GET, 1 MB, http to https", "/1048576", 1 << 20, host="secure:443", connections=8),
    "S9ec": Load("S7 with a full handshake for each request, P-256, chain of three", host="ec:443"),
    "S9rsa": Load("S7 with a full handshake for each request, RSA-2048, chain of three", host="rsa:443"),
    "S9R": Load("S7 with a handshake for each request, sessions may be resumed", host="resumed:443"),
    "S11a": Load("S1 with 1,000 routes", host="n999", routes=1000),
    "S11b": Load("S1 with 10,000 routes", host="n9999", routes=10000),
}


def fail(text, status=1):
    print(f"bench: {text}", file=sys.stderr)
    sys.exit(status)


# ---- Processes -------------------------------------------------------------------------------------


def start(command, cpu, **more):
    command = [str(word) for word in command]
    more.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen(command, preexec_fn=lambda: os.sched_setaffinity(0, {cpu}), **more)


def wait_for(port, command, process):
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), PATIENCE).close()
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > end:
                fail(f"does not start: {' '.join(str(word) for word in command)}")
            time.sleep(0.01)


def stat(pid):
    """Parent, user ticks, system ticks: proc(5), fields 4, 14, 15; all threads are in them."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1]), int(fields[11]), int(fields[12])


def family(pid):
    """The process and its descendants: {pid: (user ticks, system ticks)}."""
    known = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            known[int(entry.name)] = stat(entry.name)
        except (FileNotFoundError, ProcessLookupError):
            continue
    found, todo = {}, [pid]
    while todo:
        one = todo.pop()
        found[one] = known[one][1:]
        todo += [child for child, (parent, *_) in known.items() if parent == one]
    return found


def cpu_seconds(pid):
    """User and system time of the family so far."""
    user, system = zip(*family(pid).values())
    return sum(user) / TICK, sum(system) / TICK


def busy_seconds(cpu):
    """What anyone has done on a CPU so far: proc(5), /proc/stat without idle, iowait, steal."""
    line = re.search(rf"^cpu{cpu} (.*)$", Path("/proc/stat").read_text(), re.MULTILINE).group(1)
    user, nice, system, _idle, _iowait, irq, softirq = (int(n) for n in line.split()[:7])
    return (user + nice + system + irq + softirq) / TICK


def resident(pid):
    """Bytes in memory."""
    return int(re.search(r"^VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE).group(1)) * 1024


# ---- Measuring -------------------------------------------------------------------------------------


class Bench:
    """Origins, and the proxies in front of them. `cpus`: the proxies' one, and that of everything else."""

    def __init__(self, folder, program, cpus):
        self.folder, self.program, self.cpus, self.pids = folder, program, cpus, {}
        self.sets = {}  # by the number of routes
        for port, command in origins.origins(folder):
            wait_for(port, command, start(command, cpus[1]))

    def proxies(self, routes=0):
        """{name: (port, command)}"""
        if routes not in self.sets:
            self.sets[routes] = peers.proxies(self.folder, self.program, 9001 + 10 * len(self.sets), routes)
        return self.sets[routes]

    def competitors(self, load):
        found = dict(self.proxies(load.routes))
        if load.floor:
            found[peers.FLOOR] = peers.floor(self.folder)
        return found

    def start_proxies(self, proxies):
        """Those that don't run yet."""
        for port, command in proxies.values():
            if port not in self.pids:
                process = start(command, self.cpus[0])
                wait_for(port, command, process)
                self.pids[port] = process.pid

    def stop_proxies(self, proxies):
        for port, _ in proxies.values():
            for pid in family(self.pids[port]):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(self.pids.pop(port), 0)

    def wrk(self, port, load, seconds):
        command = ["wrk", "-t1", f"-c{load.connections}", f"-d{seconds}s", "-H", f"Host: {load.host}", *load.more]
        if load.posted:
            script = self.folder / "post.lua"
            script.write_text(f'wrk.method, wrk.body = "POST", string.rep("x", {load.posted})\n')
            command += ["-s", script]
        return start([*command, f"http://127.0.0.1:{port}{load.path}"], self.cpus[1], stdout=subprocess.PIPE, text=True)

    def warm_up(self, port, load):
        """Looks at one answer; then makes connections and fills caches."""
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as s:
            s.sendall(f"GET {load.path} HTTP/1.1\r\nHost: {load.host}\r\n\r\n".encode())
            head, end, body = b"", b"", b""
            while not end or len(body) < load.size:
                got = s.recv(65536)
                if not got:
                    break
                head, end, body = (head + end + body + got).partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200") or len(body) != load.size:
            fail(f"{load.title}, port {port}: {len(body)} bytes of body after {head.decode(errors='replace')!r}")
        process = self.wrk(port, load, PATIENCE)
        time.sleep(WARM_UP)
        process.send_signal(signal.SIGINT)
        process.communicate()

    def spend(self, port, work):
        """What `work` costs the proxy: `work` returns the number of requests, and of errors."""
        pid, cpu = self.pids[port], self.cpus[0]
        before, all_before, began = cpu_seconds(pid), busy_seconds(cpu), time.monotonic()
        requests, errors = work()
        elapsed = time.monotonic() - began
        user, system = (b - a for a, b in zip(before, cpu_seconds(pid)))
        spent = user + system
        return {
            "cost": spent / max(requests, 1) * 1e6,
            "user": user / max(spent, 1 / TICK),
            "busy": spent / elapsed,
            "others": max(0, busy_seconds(cpu) - all_before - spent) / elapsed,
            "rate": requests / elapsed,
            "errors": errors + (requests == 0),
        }

    def load(self, port, load, seconds):
        """What `seconds` of wrk cost the proxy; `others` is what else ran on its CPU, as a share of the time."""

        def work():
            text = self.wrk(port, load, seconds).communicate()[0]
            bad = re.findall(r"Non-2xx or 3xx responses: (\d+)|\b(?:connect|read|write|timeout) (\d+)", text)
            return requests_of(text), sum(int(n) for pair in bad for n in pair if n)

        return self.spend(port, work)

    def open_load(self, port, seconds):
        """The same at a fixed rate, and latencies in microseconds."""
        found = {}

        def work():
            command = [self.folder / "clients", "open", port, "origin", OPEN_RATE, 64, seconds]
            process = start(command, self.cpus[1], stdout=subprocess.PIPE, text=True)
            words = process.communicate()[0].split()
            if process.returncode != 0:
                return 0, 1
            found.update(zip(("p50", "p99", "p999"), map(float, words[1:])))
            return int(words[0]), 0

        return self.spend(port, work) | found

    def idle(self, name, seconds):
        """
        Bytes in memory per idle client connection, and what S1 costs beside them. A process of its own each time:
        memory once taken is not always given back.
        """
        proxies = {name: self.proxies()[name]}
        port, _ = proxies[name]
        self.start_proxies(proxies)
        self.warm_up(port, LOADS["S1"])
        pids = family(self.pids[port])
        before = sum(resident(pid) for pid in pids)
        command = [self.folder / "clients", "idle", port, "origin", IDLE_CONNECTIONS]
        process = start(command, self.cpus[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if process.stdout.readline() != "idle\n":
            fail(f"{name} does not hold {IDLE_CONNECTIONS} connections")
        memory = sum(resident(pid) for pid in pids) - before
        result = self.load(port, LOADS["S1"], seconds) | {"memory": memory / IDLE_CONNECTIONS}
        process.communicate()
        self.stop_proxies(proxies)
        return result

    def first200(self, name, routes=0):
        """Milliseconds from exec to the first 200, and megabytes in memory then. Not beside start_proxies."""
        port, command = self.proxies(routes)[name]
        host = f"n{routes - 1}" if routes else "origin"
        command = [self.folder / "first200", self.cpus[0], port, host, *command]
        process = start(command, self.cpus[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = process.stdout.readline()
        if not line:
            fail(f"no 200 from {name}")
        memory = sum(resident(pid) for pid in family(process.pid) if pid != process.pid)
        process.communicate()
        return {"ms": int(line) / 1000, "memory": memory / 1e6}

    def system_calls(self, port, load):
        """{name: calls per request}, most frequent first, by strace."""
        report = self.folder / "strace"
        attach = [word for pid in family(self.pids[port]) for word in ("-p", pid)]
        tracer = start(["strace", "-c", "-f", "-o", report, *attach], self.cpus[1], stderr=subprocess.PIPE, text=True)
        tracer.stderr.readline()  # that it is attached
        requests = requests_of(self.wrk(port, load, 2).communicate()[0])
        tracer.send_signal(signal.SIGINT)
        tracer.communicate()
        # % time, seconds, usecs/call, calls, errors if any, name
        rows = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$", report.read_text(), re.MULTILINE)
        calls = {call: int(count) / requests for count, call in rows if call != "total"}
        return dict(sorted(calls.items(), key=lambda item: -item[1]))


def requests_of(text):
    """How many wrk says that it made."""
    return int(re.search(r"(\d+) requests in", text).group(1))


# ---- What is seen of it ----------------------------------------------------------------------------


def spread(values, digits=1):
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def ratios(turns, key, ours="egressbox"):
    """Ours to the best peer's, turn by turn; the best is the one with the lowest median."""
    values = {name: [turn[key] for turn in of_one] for name, of_one in turns.items() if name != peers.FLOOR}
    best = min((of_one for name, of_one in values.items() if name != "egressbox"), key=median)
    return [turn[key] / b for turn, b in zip(turns[ours], best)]
