"""Processes on CPUs, what they cost, and the load that is put on them."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import peers

TICK = os.sysconf("SC_CLK_TCK")
CONNECTIONS, WARM_UP, PATIENCE = 64, 0.3, 10
# Host, path, bytes of the body
LOADS = {
    "S1": ("origin", "/0", 0),
    "S2": ("origin", "/1000", 1000),
    "S3": ("origin", "/100000", 100000),
    "S7": ("secure:443", "/0", 0),
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
        self.folder, self.cpus, self.pids = folder, cpus, {}
        self.proxies = peers.proxies(folder, program)
        for port, command in peers.origins(folder):
            wait_for(port, command, start(command, cpus[1]))

    def start_proxies(self):
        for name, (port, command) in self.proxies.items():
            process = start(command, self.cpus[0])
            wait_for(port, command, process)
            self.pids[name] = process.pid

    def wrk(self, name, load, seconds):
        host, path, _ = LOADS[load]
        url = f"http://127.0.0.1:{self.proxies[name][0]}{path}"
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-H", f"Host: {host}", url]
        return start(command, self.cpus[1], stdout=subprocess.PIPE, text=True)

    def warm_up(self, name, load):
        """Looks at one answer; then makes connections and fills caches."""
        host, path, size = LOADS[load]
        with socket.create_connection(("127.0.0.1", self.proxies[name][0]), PATIENCE) as s:
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            head, _, body = b"".join(iter(lambda: s.recv(65536), b"")).partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200") or len(body) != size:
            fail(f"{load} through {name}: {len(body)} bytes of body after {head.decode(errors='replace')!r}")
        process = self.wrk(name, load, PATIENCE)
        time.sleep(WARM_UP)
        process.send_signal(signal.SIGINT)
        process.communicate()

    def load(self, name, load, seconds):
        """What `seconds` of wrk cost the proxy; `others` is what else ran on its CPU, as a share of the time."""
        before, all_before, began = cpu_seconds(self.pids[name]), busy_seconds(self.cpus[0]), time.monotonic()
        text = self.wrk(name, load, seconds).communicate()[0]
        elapsed = time.monotonic() - began
        user, system = (b - a for a, b in zip(before, cpu_seconds(self.pids[name])))
        spent = user + system
        requests = int(re.search(r"(\d+) requests in", text).group(1))
        bad = re.findall(r"Non-2xx or 3xx responses: (\d+)|\b(?:connect|read|write|timeout) (\d+)", text)
        return {
            "cost": spent / max(requests, 1) * 1e6,
            "user": user / max(spent, 1 / TICK),
            "busy": spent / elapsed,
            "others": max(0, busy_seconds(self.cpus[0]) - all_before - spent) / elapsed,
            "rate": requests / elapsed,
            "errors": sum(int(n) for pair in bad for n in pair if n) + (requests == 0),
        }

    def first200(self, name):
        """Milliseconds from exec to the first 200, and megabytes in memory then. Not beside start_proxies."""
        port, command = self.proxies[name]
        command = [self.folder / "first200", self.cpus[0], port, "origin", *command]
        process = start(command, self.cpus[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = process.stdout.readline()
        if not line:
            fail(f"no 200 from {name}")
        memory = sum(resident(pid) for pid in family(process.pid) if pid != process.pid)
        process.communicate()
        return {"ms": int(line) / 1000, "memory": memory / 1e6}

    def system_calls(self, name, load):
        """{name: calls per request}, most frequent first, by strace."""
        report = self.folder / "strace"
        attach = [word for pid in family(self.pids[name]) for word in ("-p", pid)]
        tracer = start(["strace", "-c", "-f", "-o", report, *attach], self.cpus[1], stderr=subprocess.PIPE, text=True)
        tracer.stderr.readline()  # that it is attached
        text = self.wrk(name, load, 2).communicate()[0]
        tracer.send_signal(signal.SIGINT)
        tracer.communicate()
        requests = int(re.search(r"(\d+) requests in", text).group(1))
        # % time, seconds, usecs/call, calls, errors if any, name
        rows = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$", report.read_text(), re.MULTILINE)
        calls = {call: int(count) / requests for count, call in rows if call != "total"}
        return dict(sorted(calls.items(), key=lambda item: -item[1]))
