"""What a real API server does to the routes when it, its etcd, its connection, or our rights go away and come back."""

import os
import signal
import socket
import subprocess
import threading
import time

from harness import EGRESSBOX, folder, has, lacks, main, run, same, test, true, until, within
from kubeserver import SERVICES, free_ports, is_ready, ready, routed, routes, service, the_cluster, watching
from load import Load
from origins import Origin
from proxy import is_instrumented
from wire import Client

RECOVERS = 40  # seconds: the longest wait between two tries is 15


class Relay:
    """Bytes to the API server and back, while `is_open`, until it is cut: `cut_after` bytes of the next answers, or now."""

    def __init__(self, port):
        self.to, self.cut_after, self.pairs, self.count = port, None, [], 0
        self.is_open = threading.Event()
        self.is_open.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                ours, _ = self.listener.accept()
                theirs = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                continue
            self.count += 1
            self.pairs.append((ours, theirs))
            threading.Thread(target=self.pump, args=(ours, theirs, False), daemon=True).start()
            threading.Thread(target=self.pump, args=(theirs, ours, True), daemon=True).start()

    def pump(self, source, sink, is_answer):
        try:
            while data := source.recv(65536):
                self.is_open.wait()
                if is_answer and self.cut_after is not None:
                    data, self.cut_after = data[: self.cut_after], self.cut_after - len(data)
                    sink.sendall(data)
                    if self.cut_after <= 0:
                        self.cut_after = None
                        break
                else:
                    sink.sendall(data)
        except OSError:
            pass
        for sock in (source, sink):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        for pair in self.pairs:
            for sock in pair:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.pairs.clear()


def watched_web(cluster, *options, **more):
    """A proxy with the Service `web` that is called without end."""
    origin = Origin()
    cluster.create(service("origin", "web.test"))
    proxy = ready(watching(cluster, *options, resolve={"web.test": origin.address}, **more))
    routed(proxy, "origin:80")
    return proxy, Load(proxy.port, clients=1, pause=0.002)


@test(deadline=120)
def a_connection_cut_in_the_middle_of_an_event_loses_nothing():
    cluster = the_cluster()
    relay = Relay(cluster.port)
    proxy, traffic = watched_web(cluster, url=relay.url)
    expected = ["origin:80"]
    for n, bytes_left in enumerate((1, 40, 200, 350, 500)):
        relay.cut_after = bytes_left
        cluster.create(service(f"n{n}", "n.test"))
        expected.append(f"n{n}:80")
        routed(proxy, *expected)
    true(relay.count > 5, f"{relay.count} connections")
    same(proxy.metrics()["egressbox_kube_lists_total"], 1, "lists: a watch goes on where it was")
    relay.cut()
    cluster.remove("n0")
    expected.remove("n0:80")
    routed(proxy, *expected)
    traffic.end().check()


@test(deadline=150)
def the_server_is_killed_and_started_again():
    cluster = the_cluster()
    proxy, traffic = watched_web(cluster)
    cluster.create(service("gone", "gone.test"))
    routed(proxy, "origin:80", "gone:80")
    cluster.kill("kube-apiserver")
    until(lambda: proxy.metrics()["egressbox_kube_watch_open"] == 0, "the watch is over")
    same(is_ready(proxy), True, "ready while the server is away")
    same(sorted(routes(proxy)), ["gone:80", "origin:80"])
    late = watching(cluster)
    cluster.start("kube-apiserver")
    cluster.wait()
    cluster.remove("gone")
    cluster.create(service("new", "new.test"))
    until(lambda: sorted(routes(proxy)) == ["new:80", "origin:80"], lambda: proxy.stderr(), RECOVERS)
    ready(late, RECOVERS)
    routed(late, "new:80", "origin:80")
    traffic.end().check()


@test(deadline=120)
def etcd_stands_still_for_a_while():
    cluster = the_cluster()
    proxy, traffic = watched_web(cluster)
    cluster.signal("etcd", signal.SIGSTOP)
    late = watching(cluster)  # has no list for as long
    time.sleep(3)
    same(sorted(routes(proxy)), ["origin:80"])
    same(is_ready(proxy), True)
    same(is_ready(late), False)
    cluster.signal("etcd", signal.SIGCONT)
    cluster.wait()
    cluster.create(service("new", "new.test"))
    until(lambda: sorted(routes(proxy)) == ["new:80", "origin:80"], lambda: proxy.stderr(), RECOVERS)
    ready(late, RECOVERS)
    routed(late, "new:80", "origin:80")
    traffic.end().check()


@test(deadline=150)
def the_token_is_changed_and_the_old_one_refused():
    cluster = the_cluster()
    cluster.allow(run(EGRESSBOX, "egress-proxy", "--print-rbac").stdout, "default")
    token = folder() / "token"
    token.write_text("gateway-token\n")
    proxy, traffic = watched_web(cluster, token=token)
    tokens = cluster.dir / "tokens.csv"
    before = tokens.read_text()
    tokens.write_text(before.replace("gateway-token", "nobodys-token"))
    cluster.kill("kube-apiserver")
    cluster.start("kube-apiserver")
    cluster.wait()
    until(lambda: "401 for GET" in proxy.stderr() or "Unauthorized" in proxy.stderr(), lambda: proxy.stderr(), RECOVERS)
    same(sorted(routes(proxy)), ["origin:80"])
    # As the kubelet does it: a new file in place of the old one.
    new = token.with_suffix(".new")
    new.write_text("rotated-token\n")
    os.rename(new, token)
    cluster.create(service("new", "new.test"))
    until(lambda: sorted(routes(proxy)) == ["new:80", "origin:80"], lambda: proxy.stderr(), RECOVERS)
    traffic.end().check()
    tokens.write_text(before)
    cluster.kill("kube-apiserver")
    cluster.start("kube-apiserver")
    cluster.wait()
    cluster.forbid("default")


@test(deadline=120)
def the_role_is_taken_away_and_given_back():
    cluster = the_cluster()
    role = run(EGRESSBOX, "egress-proxy", "--print-rbac").stdout
    cluster.allow(role, "default")
    relay = Relay(cluster.port)
    proxy, traffic = watched_web(cluster, token=cluster.gateway, url=relay.url)
    cluster.forbid("default")
    relay.cut()  # a watch that is open goes on
    until(lambda: "not allowed to watch services in namespace default" in proxy.stderr(), lambda: proxy.stderr())
    cluster.create(service("new", "new.test"))
    same((is_ready(proxy), sorted(routes(proxy))), (True, ["origin:80"]))
    cluster.allow(role, "default")
    until(lambda: sorted(routes(proxy)) == ["new:80", "origin:80"], lambda: proxy.stderr(), RECOVERS)
    traffic.end().check()
    cluster.forbid("default")


@test(deadline=120)
def a_new_process_takes_nobody_before_it_has_the_list():
    cluster = the_cluster()
    origin, relay = Origin(), Relay(cluster.port)
    cluster.create(service("origin", "web.test"))
    port, admin = free_ports(2)
    options = "--upgrade-socket", folder() / "socket", "--admin", f"127.0.0.1:{admin}", "--access-log", "off"
    more = {"resolve": {"web.test": origin.address}, "listen": f"127.0.0.1:{port}"}
    first = ready(watching(cluster, *options, **more))
    until(lambda: first.get("/", host="origin").status == 200, "the first serves")
    load = Load(port, clients=4, per_connection=3, pause=0.002)
    load.more()
    relay.is_open.clear()
    threading.Timer(2, relay.is_open.set).start()  # so long the server says nothing to the second
    second = watching(cluster, *options, url=relay.url, **more)
    same(first.process.wait(30), 0, "exit status")
    load.more()
    load.end().check()
    same(sorted(routes(second)), ["origin:80"])


def flood(cluster, count, seconds):
    """Creates `count` Services as fast as the server takes them, then changes 50 a second."""

    def work(part):
        connection = cluster.connect()
        for n in range(part, count, 4):
            cluster.create(service(f"s{n}", "web.test", 1024 + n % 60000), "flood", connection)
        connection.close()

    workers = [threading.Thread(target=work, args=(part,)) for part in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    connection, begin = cluster.connect(), time.monotonic()
    for n in range(50 * seconds):
        name = f"s{n * 7 % count}"
        path = f"/api/v1/namespaces/flood/services/{name}"
        if n % 5 == 4:
            cluster.ask("DELETE", path, None, connection)
        else:
            patch = {"spec": {"externalName": f"n{n % 3}.test"}}
            if cluster.ask("PATCH", path, patch, connection)[0] == 404:
                cluster.create(service(name, "web.test", 1024 + n % 60000), "flood", connection)
        time.sleep(max(0, begin + n / 50 - time.monotonic()))
    connection.close()


def as_routes(services):
    """HOST -> (UPSTREAM, SOURCE), as /routes should have it."""
    table = {}
    for one in services:
        meta, spec = one["metadata"], one["spec"]
        host = meta["name"] + ("" if meta["namespace"] == "default" else f".{meta['namespace']}")
        for port in spec["ports"]:
            upstream = f"{spec['externalName']}:{port['port']}"
            table[f"{host}:{port['port']}"] = (upstream, f"{meta['namespace']}/{meta['name']}@{meta['resourceVersion']}")
    return table


@test(deadline=170)
def thousands_at_once_and_fifty_changes_a_second():
    """$EGRESSBOX_FLOOD: seconds of changes, 60 for the whole of it."""
    cluster = the_cluster()
    count = 500 if is_instrumented() else 5000
    cluster.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "flood"}})
    proxy, traffic = watched_web(cluster, "-A")
    flood(cluster, count, int(os.environ.get("EGRESSBOX_FLOOD", 5)))
    expected = as_routes(cluster.services())
    until(lambda: routes(proxy) == expected, "the table is the server's", 20)
    traffic.end().check()
    if is_instrumented():
        return
    # A second flood of changes finds no more memory in use than the first.
    memory = proxy.memory()
    connection = cluster.connect()
    for n in range(1000):
        name = f"s{n * 3 % count}"
        cluster.ask("PATCH", f"/api/v1/namespaces/flood/services/{name}", {"metadata": {"labels": {"n": str(n)}}}, connection)
    connection.close()
    expected = as_routes(cluster.services())
    until(lambda: routes(proxy) == expected, "the table is the server's", 20)
    within(proxy.memory(), 0, memory + (2 << 20), "memory after more changes")


main()
