"""The page under load: thousands at once, and a gateway that goes and comes back."""

import contextlib
import resource
import selectors
import signal
import threading
import time

from harness import main, pass_time, same, scope, test, true, until
from proxy import is_instrumented
from walkload import HOST, PORT, client, end, memory, world_of
from wire import OK, request


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
    """Asks without end, each request under a name of its own; `.answers` are (name, status), 0 for a broken connection."""

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
    until(lambda: all_got(503, callers, marks), lambda: f"503 without a gateway: {tails(callers)}")
    marks = [len(c.answers) for c in callers]
    gateway.start()
    begin = time.monotonic()
    until(lambda: all_got(200, callers, marks), lambda: f"200 with the gateway: {tails(callers)}")
    print(f"  all were served again {time.monotonic() - begin:.2f} s after the gateway was ready", flush=True)
    for caller in callers:
        caller.stop()
    judge(callers, ledger.had)
    end(world)


def all_got(status, callers, marks):
    return all(caller.since(mark, status) for caller, mark in zip(callers, marks))


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


main()
