"""Names to addresses: dnsmasq for what is usual, a server of our own for what is not."""

import contextlib
import ctypes
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time

from harness import LIBC, folder, has, main, need, same, skip, start, test, until, within
from nameserver import A, CNAME, Stub, address_record, name_of, packet_with, question, record, reply_to, wire_name
from wire import Client, request
from origins import Origin
from proxy import Proxy, service

CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 4096, 0x4000, 1 << 18
ANSWER_A = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na"
ANSWER_B = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nb"


def query(name, kind=1):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack("!6H", 7, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", kind, 1)


def answers(port):
    """Something that speaks DNS is on this port of loopback."""
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        s.settimeout(0.05)
        s.connect(("127.0.0.1", port))
        with contextlib.suppress(OSError):
            s.send(query("ready.test"))
            return s.recv(512)


def free_udp_port():
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Dnsmasq:
    """Answers for `test` and nothing else; `hosts` is a dictionary of name -> addresses, TTL 1."""

    def __init__(self, hosts, *options):
        need("dnsmasq")
        self.hosts = folder() / "hosts"
        self.write(hosts)
        for _ in range(10):
            self.port = free_udp_port()
            self.process = start(
                "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
                "--local=/test/",
                f"--addn-hosts={self.hosts}", "--local-ttl=1", f"--port={self.port}", "--listen-address=127.0.0.1",
                "--bind-interfaces", "--pid-file=", "--user=", *options, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            until(lambda: self.process.poll() is not None or answers(self.port), "dnsmasq answers")
            if self.process.poll() is None:
                return
        skip("dnsmasq does not start here")

    def write(self, hosts):
        lines = [f"{address} {name}\n" for name, addresses in hosts.items() for address in addresses.split()]
        self.hosts.write_text("".join(lines))
        self.hosts.chmod(0o644)

    def change(self, hosts):
        self.write(hosts)
        self.process.send_signal(signal.SIGHUP)


def pair():
    """Two origins on one port of two addresses, answering a and b."""
    for _ in range(10):
        a = Origin(ANSWER_A, address="127.0.0.2")
        with contextlib.suppress(OSError):
            return a, Origin(ANSWER_B, address="127.0.0.3", port=a.port)
    skip("no port is free on two addresses")


def named(external, port, *servers, more=(), options=()):
    """A proxy with one Service for the name, asking these servers."""
    dns = [word for s in servers for word in ("--dns", f"127.0.0.1:{getattr(s, 'port', s)}")]
    return Proxy(service("origin", external, port) + "".join(more), *dns, *options)


def ask(proxy, port, host="origin"):
    return proxy.get(host=f"{host}:{port}")


def asked_ok(external, hosts, *options, address="127.0.0.1"):
    origin = Origin(address=address)
    proxy = named(external, origin.port, Dnsmasq(hosts, *options))
    answer = ask(proxy, origin.port)
    same((answer.status, answer.body), (200, b"ok"), f"answer ({answer.body})")
    expected = origin.address
    same(proxy.entries(1)[0]["address"], expected, "address logged")
    return proxy


@test
def an_a_record_is_used():
    asked_ok("one.test", {"one.test": "127.0.0.1"})


@test
def an_aaaa_record_is_used():
    asked_ok("six.test", {"six.test": "::1"}, address="::1")


@test
def a_cname_is_followed():
    asked_ok("alias.test", {"real.test": "127.0.0.1"}, "--cname=alias.test,other.test,real.test")


@test
def the_case_of_the_name_does_not_matter():
    asked_ok("one.test", {"ONE.test": "127.0.0.1"})


@test
def the_next_address_is_tried_when_the_first_refuses():
    asked_ok("two.test", {"two.test": "127.0.0.9 127.0.0.8 127.0.0.1"})


@test
def the_other_family_is_tried_when_one_refuses():
    asked_ok("both.test", {"both.test": "::1 127.0.0.1"})


@test
def an_answer_too_large_for_udp_is_asked_again_over_tcp():
    origin = Origin(address="0.0.0.0")
    addresses = " ".join(f"127.0.9.{i}" for i in range(1, 201))
    same(ask(named("many.test", origin.port, Dnsmasq({"many.test": addresses})), origin.port).status, 200)


@test
def a_change_takes_effect_after_the_ttl():
    a, _ = pair()
    dns = Dnsmasq({"moving.test": "127.0.0.2"})
    proxy = named("moving.test", a.port, dns)
    same(ask(proxy, a.port).body, b"a")
    dns.change({"moving.test": "127.0.0.3"})
    until(lambda: ask(proxy, a.port).body == b"b", "the new address is used")


@test
def a_name_that_does_not_exist_is_a_503():
    answer = ask(named("nowhere.test", 80, Dnsmasq({})), 80)
    same((answer.status, answer.reason), (503, "dns_nxdomain"))
    has(answer.body, b"nowhere.test")


@test
def a_name_without_address_is_a_503():
    answer = ask(named("text.test", 80, Dnsmasq({}, "--txt-record=text.test,hello")), 80)
    same((answer.status, answer.reason), (503, "dns_nodata"))


@test
def a_server_that_fails_is_a_503():
    proxy = named("one.test", 80, Stub(lambda packet: [reply_to(packet, code=2)]))
    answer = ask(proxy, 80)
    same((answer.status, answer.reason), (503, "dns_servfail"))
    same(proxy.entries(1)[0]["reason"], "dns_servfail", "reason logged")


@test
def a_server_that_is_silent_is_a_503():
    answer = ask(named("one.test", 80, Stub(lambda packet: [])), 80)
    same((answer.status, answer.reason), (503, "dns_timeout"))


@test
def a_server_that_is_down_is_a_503():
    answer = ask(named("one.test", 80, free_udp_port()), 80)
    same(answer.status, 503)
    has(("dns_timeout", "dns_servfail"), answer.reason, "reasons expected")


@test
def the_second_server_is_asked_when_the_first_is_silent_or_down():
    for first in (Stub(lambda packet: []), free_udp_port()):
        origin = Origin()
        good = Stub(lambda packet: [reply_to(packet, "127.0.0.1")])
        same(ask(named("one.test", origin.port, first, good), origin.port).status, 200)


@test
def a_slow_server_does_not_delay_other_requests():
    """The name server answers for slow.test only when told to; other.test is pinned."""
    go, origin = threading.Event(), Origin()

    def reply(packet):
        go.wait(5)
        return [reply_to(packet, "127.0.0.1")]

    proxy = named(
        "slow.test", origin.port, Stub(reply), more=[service("other", "other.test", 80)],
        options=("--resolve", f"other.test={origin.address}"),
    )  # fmt: skip
    waiting = Client(proxy).send(request(host=f"origin:{origin.port}"))
    before = time.monotonic()
    for _ in range(20):
        same(ask(proxy, 80, "other").status, 200)
    within(time.monotonic() - before, 0, 0.5, "seconds for 20 other requests")
    go.set()
    same(waiting.message().status, 200)


@test
def a_pinned_name_is_never_asked_for():
    origin, stub = Origin(), Stub(lambda packet: [])
    proxy = named("pinned.test", origin.port, stub, options=("--resolve", f"PINNED.test={origin.address}"))
    same(ask(proxy, origin.port).status, 200)
    same(stub.queries, [], "queries")


@test
def a_pin_may_have_several_addresses_with_and_without_port():
    origin = Origin()
    pin = f"pinned.test=127.0.0.9:{origin.port},127.0.0.1"
    proxy = named("pinned.test", origin.port, options=("--resolve", pin))
    same(ask(proxy, origin.port).status, 200)


@test
def a_pin_may_be_an_ipv6_address():
    origin = Origin(address="::1")
    proxy = named("pinned.test", origin.port, options=("--resolve", f"pinned.test={origin.address}"))
    same(ask(proxy, origin.port).status, 200)


@test
def names_are_absolute():
    """No search list is applied: only the name itself is asked for."""
    stub = Stub(lambda packet: [reply_to(packet, code=3)])
    same(ask(named("a.test", 80, stub), 80).reason, "dns_nxdomain")
    for packet in stub.queries:
        same(question(packet)[0][:-4].lower(), b"\x01a\x04test\0", "name asked for")


@test
def an_external_name_with_a_trailing_dot_is_the_name_without():
    origin = Origin()
    proxy = named("a.test.", origin.port, options=("--resolve", f"a.test={origin.address}"))
    same(ask(proxy, origin.port).status, 200)
    same(origin.requests[0].get("host"), f"a.test:{origin.port}")


@test
def an_address_as_external_name_needs_no_server():
    origin, stub = Origin(), Stub(lambda packet: [])
    same(ask(named("127.0.0.1", origin.port, stub), origin.port).status, 200)
    same(stub.queries, [], "queries")


@test
def a_forged_answer_is_ignored():
    """Wrong id, wrong question, then the right one."""
    a, _ = pair()

    def reply(packet):
        wrong = bytes([packet[0] ^ 1, packet[1]])
        other = re.sub(rb"(?i)\x03one", b"\x03two", packet)  # the case of letters may be random
        return [
            reply_to(packet, "127.0.0.3", ident=wrong),
            reply_to(other, "127.0.0.3"),
            b"",
            packet[:5],
            reply_to(packet, "127.0.0.2"),
        ]

    same(ask(named("one.test", a.port, Stub(reply)), a.port).body, b"a")


@test
def names_stay_usable_while_the_server_is_down():
    origin, alive = Origin(), [True]
    stub = Stub(lambda packet: [reply_to(packet, "127.0.0.1", ttl=1)] if alive[0] else [])
    proxy = named("one.test", origin.port, stub)
    same(ask(proxy, origin.port).status, 200)
    alive[0], count = False, len(stub.queries)
    until(lambda: len(stub.queries) > count, "the name is asked for again")
    same(ask(proxy, origin.port).status, 200)


@test
def one_name_is_asked_for_once_however_many_wait():
    origin, go = Origin(), threading.Event()

    def reply(packet):
        go.wait(5)
        return [reply_to(packet, "127.0.0.1")]

    stub = Stub(reply)
    proxy = named("one.test", origin.port, stub)
    clients = [Client(proxy).send(request(host=f"origin:{origin.port}")) for _ in range(50)]
    until(lambda: stub.queries, "the name is asked for")
    go.set()
    same([c.message().status for c in clients], [200] * 50)
    within(len(stub.queries), 1, 4, "queries (A and AAAA, once more at most)")


def aliases(*names):
    """CNAME records: each name is an alias of the next."""
    return [record(CNAME, wire_name(b), 60, wire_name(a)) for a, b in zip(names, names[1:])]


@test
def aliases_in_a_circle_are_a_503():
    names = ("one.test", "two.test", "three.test", "one.test")
    stub = Stub(lambda packet: [packet_with(packet, aliases(*names))])
    same(ask(named("one.test", 80, stub), 80).reason, "dns_servfail")


@test
def aliases_are_followed_in_whatever_order_they_stand():
    origin = Origin()

    def reply(packet):
        kind, last = address_record("127.0.0.1", 60, wire_name("four.test"))
        found = [last] * (kind == question(packet)[1])
        return [packet_with(packet, [*found, *reversed(aliases("one.test", "two.test", "three.test", "four.test"))])]

    same(ask(named("one.test", origin.port, Stub(reply)), origin.port).status, 200)


@test
def two_hundred_addresses_are_no_trouble_and_stay_the_same_few():
    """In another order each time: were all of them new to us each time, none would be remembered or reused."""
    origin = Origin(address="0.0.0.0")
    addresses = [f"127.0.9.{i}" for i in range(1, 201)]

    def reply(packet):
        addresses.append(addresses.pop(0))
        return [reply_to(packet, *addresses, ttl=1)]

    stub = Stub(reply)
    proxy = named("many.test", origin.port, stub)
    for _ in range(100):
        same(ask(proxy, origin.port).status, 200)
    first = proxy.ask_admin("/routes").body
    until(lambda: len(stub.queries) >= 6, "the name is asked for again")
    same(sorted(first.replace(b",", b"").split()), sorted(proxy.ask_admin("/routes").body.replace(b",", b"").split()))
    same(first.count(b"127.0.9."), 32, "addresses kept")


@test
def an_nxdomain_or_two_do_not_end_a_name_that_was_good():
    origin, script = Origin(), ["good"]

    def reply(packet):
        if script[0] == "good":
            return [reply_to(packet, "127.0.0.1", ttl=1)]
        return [reply_to(packet, code=3)]

    stub = Stub(reply)
    proxy = named("one.test", origin.port, stub)
    same(ask(proxy, origin.port).status, 200)
    script[0], count = "gone", len(stub.queries)
    until(lambda: len(stub.queries) >= count + 4, "it is said twice that there is no such name")
    same(ask(proxy, origin.port).status, 200, "status after that")
    has(proxy.ask_admin("/routes").body, b"one.test ok (stale) dns", "/routes")
    until(lambda: ask(proxy, origin.port).reason == "dns_nxdomain", "the name is given up in the end")
    script[0] = "good"
    until(lambda: ask(proxy, origin.port).status == 200, "and comes back")


@test
def a_name_that_does_not_exist_is_asked_for_at_a_bounded_rate():
    stub = Stub(lambda packet: [reply_to(packet, code=3)])
    client = Client(named("nowhere.test", 80, stub))
    began = time.monotonic()
    while time.monotonic() < began + 2.5:
        same(client.ask(host="origin:80").reason, "dns_nxdomain")
    within(len(stub.queries), 4, 2 + 2 * (time.monotonic() - began), "questions, A and AAAA once a second")


@test
def the_ttl_is_kept_within_bounds():
    """A TTL of 0 is a second: not a question for each request."""
    origin, stub = Origin(), Stub(lambda packet: [reply_to(packet, "127.0.0.1", ttl=0)])
    client = Client(named("one.test", origin.port, stub))
    began = time.monotonic()
    while time.monotonic() < began + 2.5:
        same(client.ask(host=f"origin:{origin.port}").status, 200)
    within(len(stub.queries), 4, 4 + 2.6 * (time.monotonic() - began), "questions")
    endless = named("one.test", origin.port, Stub(lambda packet: [reply_to(packet, "127.0.0.1", ttl=2**31 - 1)]))
    same(ask(endless, origin.port).status, 200)
    has(endless.ask_admin("/routes").body, b"one.test ok dns ttl 300: 127.0.0.1", "/routes")


@test
def the_next_server_is_asked_when_one_fails_or_talks_nonsense():
    origin = Origin()
    good = Stub(lambda packet: [reply_to(packet, "127.0.0.1")])
    for bad in (
        lambda packet: [reply_to(packet, code=2)],
        lambda packet: [reply_to(packet, code=5)],
        lambda packet: [packet_with(packet, aliases("one.test", "one.test"))],
        lambda packet: [packet_with(packet, [record(A, b"xyz", 60)])],
        lambda packet: [packet[:2] + b"\x83\x80" + packet[4:]],  # truncated, and nobody there over TCP
    ):
        same(ask(named("one.test", origin.port, Stub(bad), good), origin.port).status, 200)


def with_files(**files):
    """For `enter`: a mount namespace in which these files of /etc are others."""
    if os.geteuid() != 0:
        skip("needs root for a mount namespace")
    here = folder()
    for name, text in files.items():
        (here / name).write_text(text)

    def enter():
        if LIBC.unshare(CLONE_NEWNS) != 0 or LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        for name in files:
            target = f"/etc/{name.replace('_', '.')}".encode()
            if LIBC.mount(str(here / name).encode(), target, None, MS_BIND, None) != 0:
                raise OSError(ctypes.get_errno(), "mount")

    return enter


@test
def the_hosts_file_comes_before_the_servers():
    origin, stub = Origin(), Stub(lambda packet: [])
    enter = with_files(hosts="127.0.0.9 other.test\n127.0.0.1 One.Test alias.test # here\n")
    manifest = service("origin", "one.test", origin.port) + service("alias", "alias.test", origin.port)
    proxy = Proxy(manifest, "--dns", f"127.0.0.1:{stub.port}", enter=enter)
    same([ask(proxy, origin.port, h).status for h in ("origin", "alias")], [200, 200])
    same(stub.queries, [], "queries")
    has(proxy.ask_admin("/routes").body, b"one.test ok hosts ttl 0: 127.0.0.1\n", "/routes")


@test
def resolv_conf_says_whom_to_ask_and_how_often():
    """Three servers nobody answers at, two rounds: six questions of each type, and no search domains."""
    enter = with_files(
        resolv_conf="search wrong.test\nnameserver 127.0.0.61\nnameserver 127.0.0.62\nnameserver 127.0.0.63\n"
        "options ndots:5 timeout:1 attempts:2 rotate\n"
    )
    listeners = {}
    for last in (61, 62, 63):
        s = listeners[last] = socket.socket(type=socket.SOCK_DGRAM)
        try:
            s.bind((f"127.0.0.{last}", 53))
        except OSError:
            skip("port 53 of loopback is taken")
        s.setblocking(False)
    proxy = Proxy(service("origin", "one.test", 80), enter=enter)
    same(ask(proxy, 80).reason, "dns_timeout")
    asked = []
    for last, s in listeners.items():
        with s, contextlib.suppress(BlockingIOError):
            while True:
                asked.append((last, name_of(s.recv(512))))
    same({name for _, name in asked}, {"one.test"}, "names asked for")
    same({last for last, _ in asked}, {61, 62, 63}, "servers asked")
    within(len(asked), 8, 14, "questions within five seconds")


main()
