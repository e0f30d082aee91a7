"""Which of a name's addresses is connected to: families, addresses that fail or answer nothing."""

import json
import threading
import time

from harness import main, same, test, true, until, within
from nameserver import Stub, reply_to
from origins import Lab, Origin
from pod import Pod, enter, inside
from proxy import Proxy, service
from wire import Client

CLOSE = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
# What is sent to these gets lost: nobody is on the other side of the pod's second link.
LOST_V6, LOST_V4 = "fd02::99", "10.2.0.99"


class Net:
    """A pod of its own: origins, proxy and clients are all inside."""

    def __init__(self):
        self.pod = Pod(serve=False)
        # Neighbours that don't exist are known to be there, or the kernel would say so after a while.
        for address in (LOST_V6, LOST_V4):
            self.pod.must("ip", "neigh", "add", address, "lladdr", "02:00:00:00:00:99", "dev", "eth1", "nud", "permanent")

    def origin(self, *args, **options):
        with inside(self.pod.here):
            return Origin(*args, **options)

    def proxy(self, addresses, port, *options, names=("a",)):
        """A proxy whose Services' names all have these addresses."""
        pins = {f"{n}.test": ",".join(f"[{a}]" if ":" in a else a for a in addresses) for n in names}
        manifest = "".join(service(n, f"{n}.test", port) for n in names)
        with inside(self.pod.here):
            return Proxy(manifest, *options, resolve=pins, enter=lambda: enter(self.pod.here))

    def timed(self, proxy, port, host="a"):
        """The answer, and the seconds it took."""
        with inside(self.pod.here):
            client = Client(proxy)
            before = time.monotonic()
            answer = client.ask(host=f"{host}:{port}")
            return answer, time.monotonic() - before

    def metrics(self, proxy):
        with inside(self.pod.here):
            return proxy.metrics()


def both(net, script=CLOSE):
    """An origin on one port of each family's address of the pod."""
    v6 = net.origin(script, address="fd01::2")
    return v6, net.origin(script, address="10.1.0.2", port=v6.port)


@test
def ipv6_is_preferred():
    net = Net()
    v6, _ = both(net)
    proxy = net.proxy(["10.1.0.2", "fd01::2"], v6.port)
    for _ in range(5):
        same(net.timed(proxy, v6.port)[0].status, 200)
    within(len(v6.wires), 4, 5, "connections over IPv6")


@test
def ipv6_that_leads_nowhere_delays_one_request_and_then_none():
    net = Net()
    origin = net.origin(CLOSE, address="10.1.0.2")
    proxy = net.proxy([LOST_V6, "10.1.0.2"], origin.port, names=("a", "b"))
    answer, seconds = net.timed(proxy, origin.port)
    same(answer.status, 200)
    true(seconds >= 0.24, f"IPv6 was given {seconds:.3f} s, expected a quarter")
    begun = net.metrics(proxy)["egressbox_upstream_connections_total"]
    same(begun, 2, "connections begun for the first request")
    # Not by the clock: no connection to it is begun, so nothing can be waited for.
    for host in "ab" * 10:
        same(net.timed(proxy, origin.port, host)[0].status, 200)
    more = net.metrics(proxy)["egressbox_upstream_connections_total"] - begun
    within(more, 20, 22, "connections begun for 20 more")


@test
def ipv4_that_leads_nowhere_is_no_worse():
    net = Net()
    origin = net.origin(CLOSE, address="fd01::2")
    proxy = net.proxy([LOST_V4, "fd01::2"], origin.port)
    for _ in range(5):
        same(net.timed(proxy, origin.port)[0].status, 200)
    within(net.metrics(proxy)["egressbox_upstream_connections_total"], 5, 6, "connections begun")


@test
def one_of_three_addresses_that_leads_nowhere_costs_once():
    net = Net()
    a = net.origin(CLOSE, address="10.1.0.2")
    b = net.origin(CLOSE, address="10.2.0.2", port=a.port)
    proxy = net.proxy(["10.1.0.2", LOST_V4, "10.2.0.2"], a.port)
    for _ in range(30):
        same(net.timed(proxy, a.port)[0].status, 200)
    # After its rest it is tried beside another one.
    within(net.metrics(proxy)["egressbox_upstream_connections_total"], 31, 40, "connections begun")
    true(len(a.wires) >= 10 and len(b.wires) >= 10, f"{len(a.wires)} and {len(b.wires)} connections to the others")


@test
def addresses_that_refuse_are_rested_and_come_back():
    net = Net()
    a = net.origin(CLOSE, address="10.1.0.2")
    proxy = net.proxy(["10.1.0.2", "10.2.0.2"], a.port)
    for _ in range(20):
        same(net.timed(proxy, a.port)[0].status, 200)
    metrics = net.metrics(proxy)
    within(metrics["egressbox_address_failures_total"], 1, 8, "failures")
    within(metrics["egressbox_upstream_connections_total"], 21, 28, "connections begun")
    with inside(net.pod.here):
        rows = proxy.ask_admin("/routes?format=json").body.decode().splitlines()
    resting = {a["address"]: a["resting_ms"] for a in json.loads(rows[-1])["addresses"]}
    true(resting["10.2.0.2"] > 0 and resting["10.1.0.2"] == 0, f"rests: {resting}")
    b = net.origin(CLOSE, address="10.2.0.2", port=a.port)
    until(lambda: net.timed(proxy, a.port)[0].status == 200 and len(b.wires) > 3, "the other address is used again")


@test
def when_all_addresses_fail_all_are_tried_each_time():
    net = Net()
    proxy = net.proxy(["10.1.0.2", "10.2.0.2", "fd01::2"], 8081)
    for count in (3, 6, 9):
        answer, _ = net.timed(proxy, 8081)
        same((answer.status, answer.reason), (502, "connect_refused"))
        same(net.metrics(proxy)["egressbox_upstream_connections_total"], count, "connections begun")
    origin = net.origin(CLOSE, address="10.2.0.2", port=8081)
    same(net.timed(proxy, 8081)[0].status, 200, "status once one is there")
    same(len(origin.wires), 1, "connections to it")


@test
def addresses_that_all_lead_nowhere_are_a_504_after_one_timeout():
    net = Net()
    proxy = net.proxy([LOST_V6, LOST_V4], 80, "--connect-timeout", "700ms")
    answer, seconds = net.timed(proxy, 80)
    same((answer.status, answer.reason), (504, "connect_timeout"))
    within(seconds, 0.65, 5, "seconds until the 504")


@test
def a_peer_that_hangs_up_in_the_handshake_makes_way_for_the_next_address():
    """No byte of a request has been sent, so this is safe whatever the request is."""
    net, lab = Net(), Lab()
    good = net.origin(CLOSE, tls=lab.context("DNS:a.test"), address="10.1.0.2")
    bad = net.origin(lambda wire: wire.fill(), address="10.2.0.2", port=good.port)
    manifest = service("a", "a.test", good.port).replace("name: http", "name: https")
    with inside(net.pod.here):
        proxy = Proxy(
            manifest, "--ca-file", lab.ca, resolve={"a.test": "10.1.0.2,10.2.0.2"}, enter=lambda: enter(net.pod.here),
        )  # fmt: skip
        for _ in range(4):
            same(Client(proxy).ask(host=f"a:{good.port}", method="POST", body=b"once").status, 200)
    true(bad.wires, "the one that hangs up was never tried")
    same(good.received().count(b"POST"), 4, "requests")


@test
def no_request_fails_while_addresses_come_and_go():
    """TTL 1, and with each answer another of two addresses, under load."""
    net = Net()
    a = net.origin(CLOSE, address="10.1.0.2")
    b = net.origin(CLOSE, address="10.2.0.2", port=a.port)
    turn = [0]

    def reply(packet):
        turn[0] += 1
        return [reply_to(packet, "10.1.0.2" if turn[0] // 2 % 2 else "10.2.0.2", ttl=1)]

    with inside(net.pod.here):
        stub = Stub(reply)
        proxy = Proxy(
            service("a", "a.test", a.port), "--dns", f"127.0.0.1:{stub.port}", workers=2,
            enter=lambda: enter(net.pod.here),
        )  # fmt: skip
        clients = [Client(proxy) for _ in range(8)]
    failures, answered, stop = [], [0], time.monotonic() + 5

    def play(client):
        while time.monotonic() < stop:
            answer = client.ask(host=f"a:{a.port}")
            answered[0] += 1
            if answer.status != 200:
                failures.append(answer.start)

    threads = [threading.Thread(target=play, args=(c,), daemon=True) for c in clients]
    began, queries = time.monotonic(), len(stub.queries)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same(failures[:3], [], f"failures of {answered[0]}")
    true(a.wires and b.wires, "both addresses are used")
    # A and AAAA, each asked for again after 0.8 s at the earliest.
    within((len(stub.queries) - queries) / (time.monotonic() - began), 1, 2.6, "questions per second")


main()
