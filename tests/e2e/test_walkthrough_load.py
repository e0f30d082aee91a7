"""The page under load and fault: application, sidecar, gateway and outside, all of them real, one of them ill."""

import contextlib
import os
import resource
import selectors
import signal
import socket
import threading
import time

from harness import CERTAINLY, Failed, has, main, pass_time, same, scope, test, true, until, within
from proxy import PAGE, is_instrumented
from walk import OUTSIDE, WAYS, World
from wire import OK, Cut, Wire, request

PORT = 8000
SERVICE = f"""apiVersion: v1
kind: Service
metadata: {{name: load}}
spec: {{type: ExternalName, externalName: httpbin.org, ports: [{{name: http, port: {PORT}}}]}}
"""
MIB = 1 << 20
HOST = f"load:{PORT}"
BUSY = 40  # seconds: the deadline of a test that moves much


def world_of(way, script=None, more=()):
    """The page's world with one Service more, `load`, whose origin does what `script` says."""
    world = World()
    world.register(PAGE.read_text() + "---\n" + SERVICE)
    if script:
        world.load = world.origin(script, "httpbin.org", PORT)
    world.start_way(way, *more)
    return world


def client(world, receive_buffer=None):
    return Wire(world.connect(OUTSIDE["httpbin.org"][world.family], PORT, receive_buffer=receive_buffer))


def memory(world):
    return sum(container.memory() for container in world.running())


def end(world):
    """Nothing is left open, and the ends are good ones."""
    world.settle()
    world.finish()


class Crowd:
    """An origin for thousands of connections in one thread: it answers none of them before `count` have asked."""

    def __init__(self, world, count):
        self.count, self.waiting, self.peak = count, [], 0
        self.listener = world.origin_socket("httpbin.org", PORT)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.is_over = False
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        scope.rest.callback(self.close)

    def serve(self):
        while not self.is_over:
            for key, _ in self.selector.select(0.1):
                if key.fileobj is self.listener:
                    self.selector.register(self.listener.accept()[0], selectors.EVENT_READ)
                else:
                    self.hear(key.fileobj)

    def hear(self, s):
        data = b""
        with contextlib.suppress(ConnectionError):
            data = s.recv(65536)
        if not data:
            self.selector.unregister(s)
            s.close()
            return
        self.waiting.append(s)
        self.peak = max(self.peak, len(self.waiting))
        if len(self.waiting) == self.count:
            for asker in self.waiting:
                asker.sendall(OK)
            self.waiting = []

    def close(self):
        self.is_over = True
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()


def a_round(world, count):
    clients = []
    for _ in range(count):
        clients.append(client(world))
        clients[-1].sock.settimeout(60)
        clients[-1].send(request("/", host=HOST))
    for wire in clients:
        same(wire.message().status, 200)
    held = memory(world)
    for wire in clients:
        wire.close()
    world.settle()
    return held


def holds_two_thousand(way):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = 2000 if hard >= 3 * 2000 else hard // 3 - 100
    # Time enough for a machine that does other things; nothing is kept for long.
    world = world_of(way, more=("--response-timeout", "60s", "--upstream-idle-timeout", "500ms"))
    crowd = Crowd(world, count)
    before = memory(world)
    held = a_round(world, count)
    same(crowd.peak, count, "requests that waited at once")
    print(f"  {way}: {count} at once; {(held - before) / count:.0f} B each", flush=True)
    # The pools have room for them all now: fewer take no more, unless something is lost each time.
    crowd.count, filled = count // 10, memory(world)
    for _ in range(10):
        a_round(world, crowd.count)
    grown = memory(world) - filled
    true(is_instrumented() or grown < 100 * count, f"{grown} bytes more after as many connections again")
    end(world)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@test(deadline=120)
def two_thousand_requests_wait_at_once_by_the_gateway():
    holds_two_thousand("gateway")


@test(deadline=120)
def two_thousand_requests_wait_at_once_by_the_sidecar_alone():
    holds_two_thousand("alone")


# The gateway goes and comes back.


class Ledger:
    """An origin's script that remembers which bodies it has had and has answered for."""

    def __init__(self):
        self.lock, self.had = threading.Lock(), []

    def __call__(self, wire):
        while True:
            message = wire.message()
            with self.lock:
                self.had.append(message.body or message.target.encode())
            wire.send(OK)


class Caller(threading.Thread):
    """Asks without end, each request under a name of its own; `.answers` are (name, status), 0 for a connection that broke."""

    def __init__(self, world, number, method):
        super().__init__(daemon=True)
        self.world, self.number, self.method = world, number, method
        self.answers, self.is_over, self.wire = [], False, None
        scope.rest.callback(self.stop)

    def stop(self):
        self.is_over = True
        self.join()
        if self.wire:
            self.wire.close()

    def run(self):
        while not self.is_over:
            name = f"{self.method}-{self.number}-{len(self.answers)}"
            self.answers.append((name, self.ask(name)))
            pass_time(0.002)  # several of them, in a process that has one CPU at a time

    def ask(self, name):
        body = name.encode() if self.method == "POST" else b""
        target = "/" if body else f"/{name}"
        try:
            if self.wire is None or self.wire.ended:
                self.wire = client(self.world)
            self.wire.send(request(target, host=HOST, method=self.method, body=body))
            answer = self.wire.message()
            if answer.get("connection") == "close":
                self.wire.close()
                self.wire = None
            return answer.status
        except (OSError, EOFError):
            self.wire = None
            return 0

    def since(self, mark, status):
        return [name for name, got in self.answers[mark:] if got == status]


@test(deadline=60)
def a_gateway_that_is_killed_and_comes_back_loses_nothing_acknowledged():
    ledger = Ledger()
    world = world_of("gateway", ledger)
    gateway = world.containers[0]
    callers = [Caller(world, i, method) for i in range(4) for method in ("GET", "POST")]
    for caller in callers:
        caller.start()
    until(lambda: all(len(c.since(0, 200)) > 50 for c in callers), "all are answered")
    gateway.stop(signal.SIGKILL)
    marks = [len(c.answers) for c in callers]
    until(lambda: all(c.since(m, 503) for c, m in zip(callers, marks)), lambda: f"503 without a gateway: {tails(callers)}")
    marks = [len(c.answers) for c in callers]
    gateway.start()
    begin = time.monotonic()
    until(lambda: all(c.since(m, 200) for c, m in zip(callers, marks)), lambda: f"200 with the gateway: {tails(callers)}")
    print(f"  all were served again {time.monotonic() - begin:.2f} s after the gateway was ready", flush=True)
    for caller in callers:
        caller.stop()
    judge(callers, ledger.had)
    end(world)


def tails(callers):
    return [(c.method, c.answers[-3:]) for c in callers]


def judge(callers, had):
    """What was acknowledged has arrived; what is not safe has arrived once at most; nothing broke without an answer."""
    answers = [pair for caller in callers for pair in caller.answers]
    counts = {status: sum(got == status for _, got in answers) for status in {got for _, got in answers}}
    print(f"  {counts}", flush=True)
    same(set(counts) - {200, 502, 503}, set(), f"other statuses in {counts}")
    arrived = {}
    for name in had:
        name = name.decode().lstrip("/")
        arrived[name] = arrived.get(name, 0) + 1
    lost = [name for name, got in answers if got == 200 and name not in arrived]
    same(lost, [], "acknowledged, and never arrived")
    twice = [name for name, count in arrived.items() if count > 1 and name.startswith("POST")]
    same(twice, [], "not safe, and sent twice")


# Names.


def goes_on_without_dns(way):
    world = world_of(way, Ledger())
    resolved = ("--resolve", f"{HOST}:{OUTSIDE['httpbin.org'][0]}", f"http://{HOST}/")
    same(world.curl(*resolved).stdout, "ok")
    world.dns.kill()
    world.dns.wait()
    # Their time to live is 1 s: this is five lives. A minute of the page's clusters, with 30 s, is two.
    until_then = time.monotonic() + 5
    while time.monotonic() < until_then:
        same(world.curl(*resolved).stdout, "ok", "the answer without DNS")
        pass_time(0.1)
    world.start_dns()
    same(world.curl(f"http://{HOST}/").stdout, "ok", "the answer with DNS")
    end(world)


@test(deadline=40)
def known_names_work_while_dns_is_gone():
    for way in WAYS:
        goes_on_without_dns(way)


# Resets.


def reset_at(stage):
    """An origin's script that resets the connection there."""

    def script(wire):
        if stage == "before the request":
            return wire.reset()
        wire.through(b"\r\n\r\n")
        if stage == "behind the head":
            return wire.reset()
        wire.exactly(10)
        if stage == "in the request's body":
            return wire.reset()
        wire.exactly(90)
        if stage == "before the answer":
            return wire.reset()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        if stage == "behind the answer's head":
            return wire.reset()
        wire.send(b"x" * 50)
        # Not before it is out: a reset throws away what is in the buffers.
        pass_time(0.05)
        return wire.reset()

    return script


STAGES = ["before the request", "behind the head", "in the request's body", "before the answer"]
STAGES += ["behind the answer's head", "in the answer's body"]


def tells_a_reset(world, stage):
    """A status that is not 200, or an answer that is visibly cut."""
    wire = client(world)
    try:
        wire.send(request("/", host=HOST, method="POST", body=b"b" * 100))
        answer = wire.message()
    except (Cut, ConnectionError):
        return
    finally:
        wire.close()
    same(answer.status // 100, 5, f"status after a reset {stage}")


@test(deadline=60)
def a_reset_at_any_stage_is_never_taken_for_an_answer():
    for way in WAYS:
        world = world_of(way)
        for stage in STAGES:
            origin = world.origin(reset_at(stage), "httpbin.org", PORT)
            for _ in range(10):
                tells_a_reset(world, stage)
            true(origin.wires, f"nothing arrived for a reset {stage}")
            origin.close()
        origin = world.origin(OK, "httpbin.org", PORT)
        wire = client(world)
        wire.send(request("/", host=HOST))
        same(wire.message().status, 200, "afterwards")
        wire.close()
        origin.close()
        end(world)


# Slow ones.

SIZE = 48 * MIB


def bounded(world, before, what):
    if not is_instrumented():
        within(memory(world) - before, -64 * MIB, 4 * MIB, f"memory with {what}")


def bears_a_slow_reader(way):
    def script(wire):
        wire.message()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
        wire.send(b"d" * SIZE)
        sent.set()
        wire.to_end()

    sent = threading.Event()
    world = world_of(way, script)
    before = memory(world)
    wire = client(world, receive_buffer=4096)
    wire.send(request("/", host=HOST))
    wire.through(b"\r\n\r\n")
    pass_time(0.5)
    true(not sent.is_set(), "all went out to a client that reads nothing")
    bounded(world, before, "a client that reads nothing")
    same(len(wire.exactly(SIZE)), SIZE)
    bounded(world, before, "a client that has read all")
    wire.close()
    world.load.close()
    end(world)


def bears_a_slow_origin(way):
    def script(wire):
        wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.through(b"\r\n\r\n")
        go.wait(CERTAINLY)
        wire.exactly(SIZE)
        wire.send(OK)
        wire.to_end()

    go = threading.Event()
    world = world_of(way, script)
    before = memory(world)
    wire = client(world)
    head = f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {SIZE}\r\n\r\n".encode()
    sender = threading.Thread(target=wire.send, args=(head + b"u" * SIZE,), daemon=True)
    sender.start()
    pass_time(0.5)
    true(sender.is_alive(), "all went out to an origin that reads nothing")
    bounded(world, before, "an origin that reads nothing")
    go.set()
    sender.join(CERTAINLY)
    same(wire.message().status, 200)
    bounded(world, before, "an origin that has read all")
    wire.close()
    world.load.close()
    end(world)


def bears_slow_writers(way):
    """A byte at a time, both ways."""

    def script(wire):
        message = wire.message()
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(message.body) + message.body:
            wire.send(bytes([byte]))
            pass_time(0.001)
        wire.to_end()

    world = world_of(way, script)
    wire = client(world)
    body = bytes(range(100, 200))
    for byte in request("/", host=HOST, method="POST", body=body):
        wire.send(bytes([byte]))
        pass_time(0.001)
    same(wire.message().body, body)
    wire.close()
    world.load.close()
    end(world)


@test(deadline=60)
def a_slow_reader_or_writer_on_either_side_takes_no_memory():
    for way in WAYS:
        bears_a_slow_reader(way)
        bears_a_slow_origin(way)
        bears_slow_writers(way)


main()
