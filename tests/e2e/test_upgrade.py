"""A new process in the place of a running one, under load: nobody notices."""

import os
import signal
import socket
import subprocess
import threading

from harness import EGRESSBOX, folder, has, main, run, same, start, test, true, until
from load import Load
from origins import Origin
from proxy import gateway
from wire import OK, Client, request


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Generations:
    """Proxies that follow each other on the same ports and socket."""

    def __init__(self, origin, path=None, *options, **more):
        self.origin, self.options, self.more = origin, options, more
        self.port, self.admin_port = free_ports(2)
        self.path = path or folder() / "socket"
        self.proxies = []

    def next(self, workers=2, *options):
        proxy = gateway(
            self.origin, "--admin", f"127.0.0.1:{self.admin_port}", "--upgrade-socket", self.path, *self.options,
            *options, listen=f"127.0.0.1:{self.port}", workers=workers, **self.more,
        )  # fmt: skip
        self.proxies.append(proxy)
        return proxy


def ended(proxy):
    """The one whose place was taken ends by itself, and well."""
    same(proxy.process.wait(20), 0, "exit status")


@test
def the_next_one_takes_the_place_of_the_one_that_runs():
    for path in (None, f"@egressbox-test-{os.getpid()}"):
        line = Generations(Origin(), path)
        first = line.next()
        same(first.get().status, 200)
        second = line.next()
        ended(first)
        same((second.get().status, second.ask_admin("/readyz").status), (200, 200))
        same(len(second.entries(1)), 1, "lines that the second logged")
        third = line.next()
        ended(second)
        same(third.get().status, 200)


@test(deadline=60)
def under_load_no_request_fails():
    """More workers than before, fewer, as many; kept connections, and new ones for each request."""
    for per_connection in (1, 20):
        line = Generations(Origin(), None, "--access-log", "off")
        line.next(2)
        load = Load(line.port, clients=8, per_connection=per_connection)
        load.more()
        for workers in (4, 1, 3, 2):
            line.next(workers)
            ended(line.proxies[-2])
            load.more()
        load.end().check()


@test
def requests_under_way_end_in_the_old_one():
    release = threading.Event()

    def slow(wire):
        wire.message()
        release.wait(10)
        wire.send(OK)
        wire.to_end()

    origin = Origin(slow)
    line = Generations(origin)
    first = line.next()
    client = Client(line.port).send(request())
    until(lambda: origin.wires and origin.wires[0].received, "the request is under way")
    line.next()
    until(lambda: "taken this one's place" in first.stderr(), "the first knows")
    release.set()
    answer = client.message()
    same((answer.status, answer.get("connection")), (200, "close"))
    ended(first)


@test
def one_that_does_not_get_ready_changes_nothing():
    """It can't listen where it was told to, besides; then it is killed before it is ready."""
    line = Generations(Origin())
    first = line.next()
    done = run(
        EGRESSBOX, "egress-proxy", "-f", first.dir / "services.yaml", "--upgrade-socket", line.path,
        "--listen", f"127.0.0.1:{line.port}", "--listen", "192.0.2.1:1", "--admin", "off",
    )  # fmt: skip
    same(done.returncode, 1, f"exit status, stderr {done.stderr}")
    until(lambda: "has gone" in first.stderr(), "the first knows")
    same((first.get().status, first.ask_admin("/readyz").status), (200, 200))
    silent = socket.socket(type=socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    waiting = start(
        EGRESSBOX, "egress-proxy", "-f", first.dir / "services.yaml", "--upgrade-socket", line.path,
        "--listen", f"127.0.0.1:{line.port}", "--admin", "off", "--dns", f"127.0.0.1:{silent.getsockname()[1]}",
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until(lambda: first.stderr().count("about to take") == 2, "it asks for the sockets")
    waiting.send_signal(signal.SIGKILL)
    waiting.wait()
    until(lambda: first.stderr().count("has gone") == 2, "the first knows")
    Load(line.port, clients=2, per_connection=2).more(50)
    same(first.get().status, 200)
    second = line.next()
    ended(first)
    same(second.get().status, 200)


@test
def a_socket_that_is_left_over_is_used_again():
    line = Generations(Origin())
    first = line.next()
    first.process.kill()
    first.process.wait()
    true(line.path.exists(), "the socket is left")
    same(oct(line.path.stat().st_mode & 0o777), "0o600", "mode")
    same(line.next().get().status, 200)
    line.proxies.remove(first)


@test
def what_is_in_the_way_is_an_error():
    path = folder() / "socket"
    for bad, said in ((path.parent / "no/such/socket", "cannot listen"), ("/" + "x" * 200, "too long")):
        done = run(
            EGRESSBOX, "egress-proxy", "-f", "/dev/null", "--listen", "127.0.0.1:0", "--admin", "off",
            "--upgrade-socket", bad,
        )  # fmt: skip
        same(done.returncode, 1, f"exit status, stderr {done.stderr}")
        has(done.stderr.lower(), said, "stderr")
    other = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    other.bind(str(path))
    other.listen()
    threading.Thread(target=lambda: other.accept()[0].close(), daemon=True).start()
    done = run(
        EGRESSBOX, "egress-proxy", "-f", "/dev/null", "--listen", "127.0.0.1:0", "--admin", "off",
        "--upgrade-socket", path,
    )  # fmt: skip
    same(done.returncode, 1, f"exit status, stderr {done.stderr}")
    has(done.stderr, "gives nothing", "stderr")


main()
