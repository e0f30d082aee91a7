"""egress-proxy --transparent with many connections, and with slow ones."""

import os
import resource
import selectors
import shutil
import socket
import threading

from harness import EGRESSBOX, folder, main, run, same, skip, test, true, until, within
from pod import PROXY, Pod, enter, inside
from proxy import Proxy, is_instrumented
from sidecar import UID, App, Sidecar, World, become, sidecar_pod
from wire import Client, request

MANY = 2000


class Echo:
    """A server outside with one thread for all its connections."""

    def __init__(self, pod, port):
        self.selector, self.count = selectors.DefaultSelector(), 0
        with inside(pod.outside):
            self.listener = socket.create_server(("0.0.0.0", port), backlog=4096)
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.listener:
                    s, _ = self.listener.accept()
                    self.count += 1
                    self.selector.register(s, selectors.EVENT_READ)
                    continue
                data = key.fileobj.recv(65536)
                if data:
                    key.fileobj.sendall(data)
                else:
                    self.selector.unregister(key.fileobj)
                    key.fileobj.close()


def raise_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 3 * MANY:
        skip(f"only {hard} descriptors here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def open_many(pod, port):
    apps = []
    for _ in range(MANY):
        s = pod.socket(socket.SOCK_STREAM, "10.3.0.1", 2000, 2000, pod.here)
        s.settimeout(10)
        s.connect(("10.3.0.1", port))
        apps.append(s)
    return apps


@test(deadline=90)
def two_thousand_connections_at_once_leave_nothing_behind():
    raise_limit()
    pod, sidecar = sidecar_pod("--access-log", "off", workers=2)
    Echo(pod, 7)
    before = None
    for _ in range(2):
        apps = open_many(pod, 7)
        for i, s in enumerate(apps):
            s.sendall(b"%8d" % i)
        for i, s in enumerate(apps):
            same(s.recv(8, socket.MSG_WAITALL), b"%8d" % i)
        same(sidecar.metrics()["egressbox_relays_open"], MANY)
        for s in apps:
            s.close()
        until(lambda: sidecar.metrics()["egressbox_relays_open"] == 0, "all are gone")
        until(lambda: sidecar.fds() <= sidecar.fds_at_start, "descriptors are back")
        if before is not None and not is_instrumented():
            true(sidecar.memory() <= before + (256 << 10), f"memory grows: {before} to {sidecar.memory()}")
        before = sidecar.memory()
    same(sidecar.verdicts(), {"passed_internal": 2 * MANY})


@test(deadline=60)
def an_idle_relay_takes_few_bytes():
    if is_instrumented():
        skip("a sanitizer's memory says nothing")
    raise_limit()
    pod, sidecar = sidecar_pod("--access-log", "off")
    Echo(pod, 7)
    before = sidecar.memory()
    apps = open_many(pod, 7)
    for s in apps:
        s.sendall(b"x")
    for s in apps:
        same(s.recv(1), b"x")
    each = (sidecar.memory() - before) / MANY
    within(each, 0, 700, "bytes for each idle relay")
    for s in apps:
        s.close()


def slow(pod, sidecar, reader, writer):
    """Writes until nothing goes any more; then reads all of it. Returns how much that was and the memory it took."""
    memory = sidecar.memory()
    writer.settimeout(0.5)
    sent, block = 0, bytes(range(256)) * 1024
    try:
        while sent < 1 << 30:
            sent += writer.send(block[sent % 256 :])
    except TimeoutError:
        pass
    grown = sidecar.memory() - memory
    writer.settimeout(10)
    writer.shutdown(socket.SHUT_WR)
    got = 0
    while data := reader.recv(1 << 20):
        true(data[0] == got % 256, "bytes in order")
        got += len(data)
    same(got, sent, "bytes that arrived")
    return grown


@test(deadline=60)
def a_slow_reader_on_either_side_costs_a_bounded_amount_of_memory():
    pod, sidecar = sidecar_pod()
    world = World(pod, lambda wire: threading.Event().wait(30), 80)
    app = App(pod, "10.3.0.1", 80)
    until(lambda: world.wires, "the server has it")
    server = world.wires[0]
    for reader, writer in ((server.sock, app.sock), (app.sock, server.sock)):
        grown = slow(pod, sidecar, reader, writer)
        true(is_instrumented() or grown < 1 << 20, f"{grown} bytes more")


@test
def a_slow_writer_is_passed_on_byte_by_byte():
    pod, _ = sidecar_pod()
    world = World(pod, lambda wire: wire.send(wire.exactly(20)[::-1]), 80)
    app = App(pod, "10.3.0.1", 80)
    for i in range(20):
        app.send(bytes([i]))
        until(lambda: world.wires and len(world.wires[0].received) == i + 1, "each arrives at once")
    same(app.to_end(), bytes(range(19, -1, -1)))


@test(deadline=40)
def large_transfers_both_ways_arrive_whole_and_by_splice():
    pod, sidecar = sidecar_pod()
    size, block = 64 << 20, bytes(range(256)) * 4096

    def write(sock):
        for _ in range(size // len(block)):
            sock.sendall(block)
        sock.shutdown(socket.SHUT_WR)

    def read(sock, what):
        got = bytearray()
        while data := sock.recv(1 << 20):
            got += data
        same(bytes(got) == block * (size // len(block)), True, what)

    def script(wire):
        sender = threading.Thread(target=write, args=(wire.sock,))
        sender.start()
        read(wire.sock, "what came up")
        sender.join()

    World(pod, script, 80)
    app = App(pod, "10.3.0.1", 80)
    sender = threading.Thread(target=write, args=(app.sock,))
    sender.start()
    read(app.sock, "what came down")
    sender.join()
    metrics = until(lambda: (m := sidecar.metrics())["egressbox_relays_open"] == 0 and m, "it is over")
    same(metrics["egressbox_relay_bytes_total"], 2 * size)
    true(metrics["egressbox_relay_spliced_bytes_total"] > size, "most of it was spliced")


@test(deadline=40)
def beyond_its_descriptors_it_resets_and_goes_on():
    pod = Pod(serve=False)
    Echo(pod, 7)
    sidecar = Sidecar(pod, prefix=("prlimit", "--nofile=300:300"))
    pod.setup("-p", str(PROXY), "-u", str(UID))
    apps, failed = [], 0
    for _ in range(200):
        try:
            app = App(pod, "10.3.0.1", 7)
            apps.append(app.send(b"x"))
            app.exactly(1)
        except (ConnectionResetError, BrokenPipeError):
            failed += 1
    true(20 < failed < 190, f"{failed} of 200 were reset")
    for app in apps:
        app.close()
    until(lambda: sidecar.metrics()["egressbox_relays_open"] == 0, "all are gone")
    same(App(pod, "10.3.0.1", 7).send(b"y").exactly(1), b"y")


@test
def on_sigterm_relays_go_on_until_the_timeout_and_drain_waits_for_them():
    pod, sidecar = sidecar_pod("--shutdown-timeout", "1500ms")
    World(pod, lambda wire: wire.send(wire.exactly(1)) and wire.to_end(), 80)
    app = App(pod, "10.3.0.1", 80)
    words = "egress-proxy", "--drain", "300ms", "--admin", sidecar.admin
    done = run(EGRESSBOX, *words, preexec_fn=lambda: enter(pod.here))
    same((done.returncode, "clients still have 1 open" in done.stderr), (1, True))
    sidecar.process.terminate()
    until(lambda: "stopping" in sidecar.stderr(), "it stops")
    same(app.send(b"x").exactly(1), b"x")
    true(app.is_closed(), "cut off in the end")
    same(sidecar.process.wait(8), 0, "exit status")


# What kube-inject writes, and where it is run.


def scratch(root):
    """In the child: an empty root directory for a user without rights."""
    os.chroot(root)
    os.chdir("/")
    become(UID)


@test
def with_kube_injects_arguments_in_an_empty_root_as_uid_1337_it_works():
    if b"ld-linux" in open(EGRESSBOX, "rb").read(4096):
        skip("this build is not static")
    pod, root = Pod(serve=False), folder()
    shutil.copy(EGRESSBOX, root)
    options = ["--transparent", "15001", "--admin", "*:15000", "--cluster-cidr", "10.3.0.0/16,fd03::/32"]
    options += ["--gateway", "10.3.0.9:8080", "--outbound-policy", "registered"]
    options += ["--namespace", "prod", "--log-level", "info"]

    class Injected(Proxy):
        def ask_admin(self, target):
            with inside(pod.here):
                return Client(self.admin).ask(target, "Connection: close", host="localhost")

    def in_child():
        enter(pod.here)
        scratch(root)

    sidecar = Injected(None, *options, listen=None, enter=in_child, program="/" + os.path.basename(EGRESSBOX))
    pod.setup("-p", "15001", "-u", "1337", "--inbound", "none")
    same((sidecar.ports, sidecar.admin), ([15001], 15000))
    World(pod, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfound", 8080)
    World(pod, lambda wire: wire.send(b"hello"), 81)
    for host in ("192.0.2.1", "2001:db8::1"):
        same(App(pod, host, 80).send(request(host="externalbin")).message().body, b"found")
    for host in ("10.3.0.1", "fd03::1"):
        same(App(pod, host, 81).to_end(), b"hello")
    with inside(pod.outside):
        probe = socket.create_connection(("10.1.0.2", 15000), 8)
    probe.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    true(probe.recv(100).startswith(b"HTTP/1.1 200"), "the kubelet's probe")
    probe.close()


main()
