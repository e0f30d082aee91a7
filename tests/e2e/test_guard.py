"""Where no connection is made to, whatever a name leads to."""

import ipaddress
import json
from pathlib import Path

from harness import EGRESSBOX, has, main, run, same, skip, test, true, until
from nameserver import CNAME, Stub, address_record, name_of, packet_with, question, record, reply_to, wire_name
from origins import Origin
from pod import Pod, enter, inside
from proxy import SERVICES, Proxy, service
from wire import Client

# What is denied unless allowed, and why.
DENIED = {
    "127.0.0.1": "denied_loopback",
    "127.255.255.254": "denied_loopback",
    "169.254.169.254": "denied_link_local",
    "0.0.0.0": "denied_unspecified",
    "224.0.0.1": "denied_multicast",
    "255.255.255.255": "denied_multicast",
    "100.100.100.200": "denied_metadata",
    "168.63.129.16": "denied_metadata",
}
DENIED_V6 = {
    "::1": "denied_loopback",
    "::": "denied_unspecified",
    "fe80::1": "denied_link_local",
    "ff02::1": "denied_multicast",
    "fd00:ec2::254": "denied_metadata",
}
PRIVATE = (
    "10.0.0.1", "100.64.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.0.2.1", "198.18.0.1", "240.0.0.1",
)  # fmt: skip
PRIVATE_V6 = ("fc00::1", "fdff::1", "fec0::1", "2001:db8::1", "100::1")


def forms(address):
    """An IPv4 address in each form that IPv6 has for it."""
    number = int(ipaddress.IPv4Address(address))
    high, low = number >> 16, number & 0xFFFF
    return {
        "mapped": f"::ffff:{address}",
        "compatible": f"::{address}",
        "translated": f"::ffff:0:{high:x}:{low:x}",
        "nat64": f"64:ff9b::{high:x}:{low:x}",
        "nat64 of its own": f"64:ff9b:1::{high:x}:{low:x}",
        "6to4": f"2002:{high:x}:{low:x}::1",
        "teredo": f"2001:0:808:808::{high ^ 0xFFFF:x}:{low ^ 0xFFFF:x}",
        "isatap": f"2a00:1450::5efe:{high:x}:{low:x}",
    }


class Zone(Stub):
    """Answers for names by what `names` has: an address, or one behind an alias ("alias ADDRESS")."""

    def __init__(self, names):
        self.names = names
        super().__init__(self.answer)

    def answer(self, packet):
        word, _, address = self.names.get(name_of(packet), "").rpartition(" ")
        if not address:
            return [packet_with(packet, [])]
        kind, found = address_record(address, 60)
        if word == "alias":
            kind, found = address_record(address, 60, wire_name("real.test"))
            aliased = [record(CNAME, wire_name("real.test"), 60)]
            return [packet_with(packet, aliased + [found] * (kind == question(packet)[1]))]
        return [packet_with(packet, [found] * (kind == question(packet)[1]))]


def expect_denied(rows, *options):
    """`rows` are (answer of the name server, reason); nothing is allowed."""
    names = {f"n{i}.test": answer for i, (answer, _) in enumerate(rows)}
    stub = Zone(names)
    manifest = "".join(service(name.partition(".")[0], name, 80) for name in names)
    proxy = Proxy(manifest, "--dns", f"127.0.0.1:{stub.port}", *options, allowed=None)
    client = Client(proxy)
    for i, (answer, reason) in enumerate(rows):
        got = client.ask(host=f"n{i}")
        same((got.status, got.reason), (403, reason), f"answer for {answer}")
    same(proxy.metrics()["egressbox_upstream_connections_total"], 0, "connections begun")
    return proxy


def rows_of(v4, v6, reason):
    for address in v4:
        yield address, reason(address)
        yield f"alias {address}", reason(address)
        for form in forms(address).values():
            yield form, reason(address)
    for address in v6:
        yield address, reason(address)
        yield f"alias {address}", reason(address)


@test
def what_is_denied_is_so_as_a_aaaa_and_cname_and_in_each_form_of_ipv6():
    both = {**DENIED, **DENIED_V6}
    expect_denied(list(rows_of(DENIED, DENIED_V6, both.get)))


@test
def private_ranges_are_denied_by_one_flag():
    expect_denied(list(rows_of(PRIVATE, PRIVATE_V6, lambda _: "denied_private")), "--deny-private")


@test
def listed_ranges_are_denied_in_each_form():
    rows = list(rows_of(["10.1.2.3"], ["2001:db8::7"], lambda _: "denied_by_list"))
    expect_denied(rows, "--deny-upstream", "10.0.0.0/8,192.0.2.0/24", "--deny-upstream", "2001:db8::/32")


@test
def an_address_as_external_name_is_judged_as_well():
    proxy = Proxy(service("a", "127.0.0.1", 80) + service("b", "169.254.169.254", 80), allowed=None)
    same([proxy.get(host=h).reason for h in "ab"], ["denied_loopback", "denied_link_local"])


@test
def what_the_hosts_file_says_is_judged_as_well():
    if "localhost" not in Path("/etc/hosts").read_text():
        skip("/etc/hosts does not know localhost")
    same(Proxy(service("a", "localhost", 80), allowed=None).get(host="a").reason, "denied_loopback")


@test
def a_denial_is_told_in_answer_log_metrics_and_routes():
    proxy = expect_denied([("169.254.169.254", "denied_link_local"), ("::1", "denied_loopback")])
    answer = proxy.get(host="n0")
    for part in (b"denied_link_local", b"n0.test", b"services.yaml:"):
        has(answer.body, part, "answer")
    same([e["reason"] for e in proxy.entries(3)], ["denied_link_local", "denied_loopback", "denied_link_local"])
    has([e["address"] for e in proxy.entries(3)], "169.254.169.254:80", "addresses logged")
    metrics = proxy.metrics()
    same(metrics['egressbox_addresses_denied_total{why="denied_link_local"}'], 2)
    same(metrics['egressbox_requests_total{reason="address_denied"}'], 3)
    warning = next(line for line in proxy.stderr().splitlines() if "address denied" in line)
    for part in ("name=n0.test", "address=169.254.169.254:80", "why=denied_link_local", "services.yaml:"):
        has(warning, part, "warning")
    text = proxy.ask_admin("/routes").body.decode()
    has(text, "n0.test ok dns ttl 60: 169.254.169.254 (denied_link_local)\n", "/routes")
    rows = [json.loads(line) for line in proxy.ask_admin("/routes?format=json").body.decode().splitlines()]
    addresses = [r["addresses"] for r in rows if r.get("name") == "n1.test"]
    same(addresses, [[{"address": "::1", "resting_ms": 0, "verdict": "denied_loopback"}]], "addresses in JSON")


@test
def warnings_are_few_however_many_requests_are_denied():
    proxy = expect_denied([("127.0.0.1", "denied_loopback")])
    for _ in range(100):
        same(proxy.get(host="n0").status, 403)
    true(proxy.stderr().count("address denied") < 20, "too many warnings")


@test
def an_allowed_range_is_connected_to_and_its_neighbours_are_not():
    origin = Origin(address="127.0.0.2")
    stub = Zone({"a.test": "127.0.0.2", "b.test": "127.0.0.3", "c.test": "::ffff:127.0.0.2"})
    manifest = "".join(service(n, f"{n}.test", origin.port) for n in "abc")
    proxy = Proxy(manifest, "--dns", f"127.0.0.1:{stub.port}", "--deny-private", allowed="127.0.0.2/32")
    answers = [proxy.get(host=f"{n}:{origin.port}") for n in "abc"]
    same([(a.status, a.reason) for a in answers], [(200, None), (403, "denied_loopback"), (200, None)])


@test
def an_address_that_is_denied_does_not_keep_others_from_being_used():
    origin = Origin(address="127.0.0.2")
    stub = Stub(lambda packet: [reply_to(packet, "169.254.169.254", "127.0.0.2", "::1")])
    proxy = Proxy(service("a", "a.test", origin.port), "--dns", f"127.0.0.1:{stub.port}", allowed="127.0.0.2")
    for _ in range(4):
        same(proxy.get("/", "Connection: close", host=f"a:{origin.port}").status, 200)


@test
def a_name_that_is_rebound_is_judged_again():
    """First an address that may be connected to, then, with a TTL of a second, others."""
    good, evil = Origin(address="127.0.0.2"), None
    evil = Origin(address="127.0.0.3", port=good.port)
    now = ["127.0.0.2"]
    stub = Stub(lambda packet: [reply_to(packet, *now, ttl=1)])
    proxy = Proxy(service("a", "a.test", good.port), "--dns", f"127.0.0.1:{stub.port}", allowed="127.0.0.2")
    same(proxy.get(host=f"a:{good.port}").status, 200)
    for address, reason in (("127.0.0.3", "denied_loopback"), ("::ffff:127.0.0.3", "denied_loopback")):
        now[0] = address
        until(lambda: proxy.get(host=f"a:{good.port}").reason == reason, f"{address} is denied")
        now[0] = "127.0.0.2"
        until(lambda: proxy.get(host=f"a:{good.port}").status == 200, "the good address is used again")
    same(len(evil.wires), 0, "connections to where the name was rebound")


@test
def addresses_given_by_resolve_are_the_operators_word():
    origin = Origin()
    proxy = Proxy(SERVICES, "--deny-private", allowed=None, resolve={"origin.test": origin.address})
    same(proxy.get().status, 200)


@test
def our_own_listeners_are_denied_even_where_their_range_is_allowed():
    pod = Pod(serve=False)
    addresses = {"v4": "10.1.0.2", "v6": "fd01::2", "lo": "127.0.0.1", "mapped": "::ffff:10.2.0.2", "other": "10.1.0.1"}
    with inside(pod.here):
        stub = Zone({f"{n}.test": a for n, a in addresses.items()})
        manifest = "".join(service(n, f"{n}.test", 8080) for n in addresses)
        proxy = Proxy(
            manifest, "--dns", f"127.0.0.1:{stub.port}", "--no-via", listen="8080", allowed="0.0.0.0/0,::/0",
            enter=lambda: enter(pod.here),
        )  # fmt: skip
        got = {n: Client(8080).ask(host=f"{n}:8080").reason for n in addresses}
    other = got.pop("other")
    same(got, dict.fromkeys(got, "denied_own_listener"), "reasons")
    same(other, "connect_refused", "reason for another machine's port")


@test
def ranges_that_are_none_are_refused_at_the_start():
    for option, value, said in (
        ("--deny-upstream", "10.0.0.1/8", 'has bits behind its prefix: is 10.0.0.0/8 meant?'),
        ("--allow-upstream", "10.0.0.0/8,example.com", '"example.com" is no range'),
        ("--allow-upstream", "::ffff:10.0.0.0/104", "write IPv4 addresses as such"),
    ):
        done = run(EGRESSBOX, "egress-proxy", "-f", "/dev/null", option, value)
        same((done.returncode, done.stdout), (2, ""), f"{option} {value}: status and output")
        has(done.stderr, f"{option}: ", "complaint")
        has(done.stderr, said, "complaint")


main()
