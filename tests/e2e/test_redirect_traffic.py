"""iptables-setup by what connections do: a matrix of callers, destinations, ports, interfaces and families."""

import socket
import struct
import threading

from harness import EGRESSBOX, Failed, folder, main, need, pass_time, same, test, true, until
from pod import Pod, inside, need_backend, prepare_proxy, subprocess_in
from proxy import is_instrumented

BACKENDS = ("nft", "legacy")
APP, ROOT, UID, GID = (2000, 2000), (0, 0), (1337, 2000), (2000, 77)

DEFAULT = ("-p", "15001", "-u", "1337", "-g", "77", "-z", "15006")
# caller, host, port, where it ends
DEFAULT_ROWS = [
    (APP, "192.0.2.1", 80, "proxy"),
    (APP, "192.0.2.1", 22, "proxy"),
    (APP, "198.51.100.255", 443, "proxy"),
    (ROOT, "192.0.2.1", 80, "proxy"),
    (UID, "192.0.2.1", 80, "outside"),
    (GID, "192.0.2.1", 80, "outside"),
    (UID, "192.0.2.1", 443, "outside"),
    (APP, "10.3.0.1", 80, "proxy"),
    (UID, "10.3.0.1", 80, "outside"),
    (APP, "10.1.0.1", 80, "proxy"),
    (APP, "127.0.0.1", 8080, "local"),
    (APP, "127.0.0.2", 8080, "local"),
    (APP, "127.255.255.254", 8080, "local"),
    (UID, "127.0.0.1", 8080, "local"),
    (APP, "10.1.0.2", 8080, "proxy"),
    (APP, "10.2.0.2", 8080, "proxy"),
    (UID, "10.1.0.2", 8080, "local"),
    (GID, "10.1.0.2", 8080, "local"),
    (ROOT, "10.1.0.2", 8080, "proxy"),
    (APP, "2001:db8::1", 80, "proxy"),
    (ROOT, "2001:db8::1", 443, "proxy"),
    (UID, "2001:db8::1", 80, "outside"),
    (GID, "2001:db8::1", 80, "outside"),
    (APP, "::1", 8080, "local"),
    (UID, "::1", 8080, "local"),
    (APP, "fd01::2", 8080, "proxy"),
    (UID, "fd01::2", 8080, "local"),
    (APP, "fd03::1", 80, "proxy"),
]

LISTS = (
    *("-p", "15001", "-u", "1337,1338", "-g", "77", "-z", "15006", "-c", "eth1", "-o", "22,6000-6010", "-d", "15020"),
    *("-i", "10.4.0.0/14,192.0.2.128/25,2001:db8::/33,fd05::/16,198.51.100.7,10.3.0.0/16,fd03::/32"),
    *("-x", "10.5.0.0/16,2001:db8:1::/48", "-q", "443"),
)
LISTS_ROWS = [
    # The edges of included and excluded ranges.
    (APP, "10.3.255.255", 80, "outside"),  # by eth1
    (APP, "10.4.0.0", 80, "proxy"),
    (APP, "10.4.255.255", 80, "proxy"),
    (APP, "10.5.0.0", 80, "outside"),
    (APP, "10.5.255.255", 80, "outside"),
    (APP, "10.6.0.0", 80, "proxy"),
    (APP, "10.7.255.255", 80, "proxy"),
    (APP, "10.8.0.0", 80, "outside"),
    (APP, "192.0.2.127", 80, "outside"),
    (APP, "192.0.2.128", 80, "proxy"),
    (APP, "192.0.2.255", 80, "proxy"),
    (APP, "192.0.3.0", 80, "outside"),
    (APP, "198.51.100.6", 80, "outside"),
    (APP, "198.51.100.7", 80, "proxy"),
    (APP, "198.51.100.8", 80, "outside"),
    (APP, "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", 80, "outside"),
    (APP, "2001:db8::", 80, "proxy"),
    (APP, "2001:db8:0:ffff:ffff:ffff:ffff:ffff", 80, "proxy"),
    (APP, "2001:db8:1::", 80, "outside"),
    (APP, "2001:db8:1:ffff:ffff:ffff:ffff:ffff", 80, "outside"),
    (APP, "2001:db8:2::", 80, "proxy"),
    (APP, "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff", 80, "proxy"),
    (APP, "2001:db8:8000::", 80, "outside"),
    (APP, "fd04:ffff::1", 80, "outside"),
    (APP, "fd05::1", 80, "proxy"),
    (APP, "fd06::1", 80, "outside"),
    # Ports: included ones to any address, excluded ones to none, and their edges.
    (APP, "203.0.113.1", 443, "proxy"),
    (APP, "203.0.113.1", 80, "outside"),
    (APP, "10.5.0.1", 443, "outside"),
    (APP, "10.4.0.1", 22, "outside"),
    (APP, "10.4.0.1", 5999, "proxy"),
    (APP, "10.4.0.1", 6000, "outside"),
    (APP, "10.4.0.1", 6010, "outside"),
    (APP, "10.4.0.1", 6011, "proxy"),
    (APP, "2001:db8::1", 22, "outside"),
    (APP, "2001:db8::1", 6011, "proxy"),
    (APP, "2001:db9::1", 443, "proxy"),
    # Interfaces.
    (APP, "10.3.0.1", 443, "outside"),
    (APP, "fd03::1", 443, "outside"),
    # Callers.
    (ROOT, "10.4.0.1", 80, "proxy"),
    (UID, "10.4.0.1", 80, "outside"),
    ((1338, 2000), "10.4.0.1", 80, "outside"),
    ((1339, 2000), "10.4.0.1", 80, "proxy"),
    ((1336, 2000), "10.4.0.1", 80, "proxy"),
    (GID, "10.4.0.1", 80, "outside"),
    ((2000, 76), "10.4.0.1", 80, "proxy"),
    (UID, "2001:db8::1", 443, "outside"),
    # Inside the pod.
    (APP, "127.0.0.1", 8080, "local"),
    (APP, "10.1.0.2", 8080, "proxy"),
    (UID, "10.1.0.2", 8080, "local"),
    (APP, "fd01::2", 8080, "proxy"),
    (APP, "::1", 8080, "local"),
]
# host, port, where it ends; from outside
LISTS_INBOUND = [
    ("10.1.0.2", 8080, "inbound"),
    ("10.1.0.2", 15020, "local"),
    ("10.1.0.2", 15001, "inbound"),
    ("fd01::2", 8080, "inbound"),
    ("fd01::2", 15020, "local"),
    ("10.2.0.2", 8080, "local"),  # by eth1
    ("fd02::2", 8080, "local"),
]


def shown(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def check(pod, rows, inbound=()):
    """All rows that are not so, in one go."""
    wrong = []
    for caller, host, port, place in rows:
        got = pod.connect(host, port, *caller)
        # 2001:db8:0:... is written in another way by inet_ntop; the place is what rows differ in.
        if got.split(" ")[0] != place or (place == "proxy" and not got.endswith(f":{port}")):
            wrong.append(f"{caller} to {shown(host, port)}: {got}, expected {place}")
        if place == "proxy" and ":" not in host and got != f"proxy {shown(host, port)}":
            wrong.append(f"{caller} to {shown(host, port)}: {got}")
    for host, port, place in inbound:
        got = pod.connect(host, port, namespace=pod.outside)
        if got.split(" ")[0] != place:
            wrong.append(f"from outside to {shown(host, port)}: {got}, expected {place}")
    if wrong:
        raise Failed("; ".join(wrong))


def with_backend(backend, *words):
    pod = Pod()
    need_backend(pod, backend)
    pod.setup(*words, "--backend", backend)
    return pod


def default_matrix(backend):
    check(with_backend(backend, *DEFAULT), DEFAULT_ROWS, [("10.1.0.2", 8080, "inbound"), ("fd01::2", 8080, "inbound")])


@test
def with_nft_connections_go_where_the_manual_says():
    default_matrix("nft")


@test
def with_legacy_tables_connections_go_where_the_manual_says():
    default_matrix("legacy")


@test
def with_nft_lists_hold_to_their_edges():
    check(with_backend("nft", *LISTS), LISTS_ROWS, LISTS_INBOUND)


@test
def with_legacy_tables_lists_hold_to_their_edges():
    check(with_backend("legacy", *LISTS), LISTS_ROWS, LISTS_INBOUND)


def observations(pod):
    """What each of many probes gives, with the original destination: to compare two ways to set up."""
    hosts = ["192.0.2.1", "10.4.0.0", "10.3.255.255", "10.5.255.255", "10.7.255.255", "10.8.0.0", "127.0.0.1"]
    hosts += ["127.0.0.2", "10.1.0.2", "10.2.0.2", "10.1.0.1"]
    seen = {}
    for caller in (APP, ROOT, UID):
        for host in hosts:
            for port in (80, 8080, 443) if not host.startswith("127.") else (8080, 9090):
                seen[caller, host, port] = pod.connect(host, port, *caller, timeout=0.3)
    for port in (8080, 15001):
        seen["outside", port] = pod.connect("10.1.0.2", port, namespace=pod.outside)
    return seen


@test(deadline=40)
def strict_compat_does_on_ipv4_what_the_rules_of_prepare_proxy_do():
    need("iptables")
    for cidrs in ((), ("10.4.0.0/14", "192.0.2.0/24")):
        theirs = Pod()
        prepare_proxy(theirs, 15001, 1337, cidrs)
        expected = observations(theirs)
        for backend in BACKENDS:
            words = ("-i", ",".join(cidrs)) if cidrs else ()
            ours = with_backend(backend, "-p", "15001", "-u", "1337", "--strict-compat", *words)
            got = observations(ours)
            same({k: v for k, v in got.items() if v != expected[k]}, {}, f"what differs with {backend}")


@test
def ports_alone_are_all_that_is_redirected():
    for backend in BACKENDS:
        pod = with_backend(backend, *DEFAULT, "--include-port", "80,6000-6010")
        check(
            pod,
            [
                (APP, "192.0.2.1", 80, "proxy"),
                (APP, "192.0.2.1", 79, "outside"),
                (APP, "192.0.2.1", 81, "outside"),
                (APP, "192.0.2.1", 5999, "outside"),
                (APP, "192.0.2.1", 6000, "proxy"),
                (APP, "192.0.2.1", 6010, "proxy"),
                (APP, "192.0.2.1", 6011, "outside"),
                (UID, "192.0.2.1", 80, "outside"),
                (APP, "2001:db8::1", 80, "proxy"),
                (APP, "2001:db8::1", 81, "outside"),
            ],
        )


@test
def excluding_everything_redirects_nothing_that_leaves():
    for backend in BACKENDS:
        pod = with_backend(backend, *DEFAULT, "--exclude-cidr", "0.0.0.0/0,::/0", "--inbound", "none")
        check(
            pod,
            [(APP, "192.0.2.1", 80, "outside"), (APP, "2001:db8::1", 80, "outside"), (APP, "10.1.0.2", 8080, "local")],
            [("10.1.0.2", 8080, "local")],
        )


@test
def only_included_incoming_ports_are_redirected():
    for backend in BACKENDS:
        pod = with_backend(backend, *DEFAULT, "--include-inbound-port", "8080")
        check(pod, [], [("10.1.0.2", 8080, "inbound"), ("10.1.0.2", 9090, "local"), ("fd01::2", 9090, "local")])


@test
def ipv6_off_leaves_it_alone_and_drop_refuses_what_is_new():
    for backend in BACKENDS:
        pod = with_backend(backend, *DEFAULT, "--ipv6", "off")
        check(pod, [(APP, "2001:db8::1", 80, "outside"), (APP, "192.0.2.1", 80, "proxy")])
        pod.setup(*DEFAULT, "--ipv6", "drop", "--exclude-cidr", "fd09::/16", "--backend", backend)
        check(
            pod,
            [
                (APP, "2001:db8::1", 80, "ConnectionRefusedError"),
                (UID, "2001:db8::1", 80, "outside"),
                (APP, "fd09::1", 80, "outside"),
                (APP, "::1", 8080, "local"),
                (APP, "fd01::2", 8080, "local"),
                (APP, "192.0.2.1", 80, "proxy"),
            ],
            [("fd01::2", 8080, "local"), ("10.1.0.2", 8080, "inbound")],
        )
        same(pod.send("2001:db8::1", 80), "PermissionError", "a datagram")
        same(pod.send("2001:db8::1", 80, uid=1337), "outside")


@test
def udp_is_left_alone():
    for backend in BACKENDS:
        pod = with_backend(backend, *DEFAULT)
        for host in ("192.0.2.1", "2001:db8::1"):
            same(pod.send(host, 443), "outside", host)
            same(pod.send(host, 53), "outside", host)


@test
def dns_is_captured_for_all_but_the_proxy():
    for backend in BACKENDS:
        pod = with_backend(backend, *DEFAULT, "--dns-port", "15053", "-x", "10.5.0.0/16")
        for host in ("192.0.2.53", "2001:db8::53"):
            same(pod.send(host, 53), "dns", host)
            same(pod.send(host, 53, uid=1337), "outside", host)
            same(pod.send(host, 54 - 1), "dns", host)
            same(pod.send(host, 80), "outside", host)
            same(pod.connect(host, 53).split()[0], "dns", host)
            same(pod.connect(host, 53, uid=1337).split()[0], "outside", host)
        same(pod.send("10.5.0.53", 53), "outside", "an excluded range")


@test
def quic_is_refused_where_tcp_is_redirected():
    for backend in BACKENDS:
        pod = with_backend(backend, *DEFAULT, "--block-quic", "-i", "192.0.2.0/24,2001:db8::/32")
        for host in ("192.0.2.1", "2001:db8::1"):
            same(pod.send(host, 443), "PermissionError", host)
            same(pod.send(host, 443, uid=1337), "outside", host)
            same(pod.send(host, 80), "outside", host)
        same(pod.send("198.51.100.1", 443), "outside", "a range that is not included")
        same(pod.send("2001:db9::1", 443), "outside")


@test
def a_rule_of_others_does_not_come_before_ours():
    """Docker's kind of DNAT rule, put in before and after; the proxy's own traffic still meets it."""
    need("iptables-legacy", "nft")
    for tool in ("iptables-legacy", "iptables-nft"):
        for before in (True, False):
            pod = Pod()
            rule = "-t nat -A OUTPUT -p tcp -d 192.0.2.1 --dport 80 -j DNAT --to-destination 10.1.0.2:9090".split()
            if before:
                pod.must(tool, *rule)
            pod.setup(*DEFAULT)
            if not before:
                pod.must(tool, *rule)
            same(pod.connect("192.0.2.1", 80), "proxy 192.0.2.1:80", f"{tool}, {before}")
            same(pod.connect("192.0.2.1", 80, uid=1337).split()[0], "local", f"{tool}, {before}")


def send_bare_ack(pod, host, source_port, port):
    """A segment that belongs to no connection, by a raw socket."""
    with inside(pod.here), socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as raw:
        header = struct.pack(">HHIIBBHHH", source_port, port, 1, 1, 5 << 4, 0x10, 1000, 0, 0)
        pseudo = socket.inet_aton("10.1.0.2") + socket.inet_aton(host) + struct.pack(">BBH", 0, 6, len(header))
        total = sum(struct.unpack(">16H", pseudo + header))
        total = (total & 0xFFFF) + (total >> 16)
        checksum = struct.pack(">H", ~(total + (total >> 16)) & 0xFFFF)
        raw.sendto(header[:16] + checksum + header[18:], (host, 0))


@test
def a_segment_before_the_connection_opens_no_way_around():
    """Connection tracking takes a bare ACK for a connection: rules for SYN alone would leave that one as it is."""
    need("nft")
    syn_only = """table ip syn_only {
      chain o { type nat hook output priority -101; meta skuid 1337 return
        tcp flags & (fin|syn|rst|ack) == syn tcp dport 80 redirect to :15001; }
    }"""
    for backend in (None, *BACKENDS):
        pod = Pod() if backend is None else with_backend(backend, *DEFAULT)
        pod.must("nft", "-f", "-", input="table ip quiet { chain o { type filter hook output priority 0; tcp flags rst drop; }\n}", namespace=pod.outside)
        if backend is None:
            pod.must("nft", "-f", "-", input=syn_only)
            same(pod.connect("192.0.2.1", 80), "proxy 192.0.2.1:80", "an ordinary connection")
        send_bare_ack(pod, "192.0.2.1", 40001, 80)
        with pod.socket(socket.SOCK_STREAM, "192.0.2.1", *APP, pod.here) as s:
            s.settimeout(3)
            s.bind(("", 40001))
            s.connect(("192.0.2.1", 80))
            got = s.recv(200).decode()
        # The first round shows that this way around is one.
        same(got, "outside 192.0.2.1:80" if backend is None else "proxy 192.0.2.1:80", backend)


class Caller(threading.Thread):
    """Connects without end, and counts where connections end."""

    def __init__(self, pod):
        super().__init__(daemon=True)
        self.pod, self.places, self.ends = pod, {}, False

    def run(self):
        while not self.ends:
            place = self.pod.connect("192.0.2.1", 80).split(" ")[0]
            self.places[place] = self.places.get(place, 0) + 1


def leak(backend, pods):
    """For 5 s and more, in each of the pods, somebody connects and somebody changes the rules to and fro.

    Several pods, because closing a socket of nf_tables waits for RCU after a change, and they wait together.
    """
    pods = [with_backend(backend, *DEFAULT) for _ in range(pods)]
    callers = [Caller(pod) for pod in pods]
    said = [folder() / "said" for _ in pods]
    line = f"{EGRESSBOX} iptables-setup -p 15001 -u 1337 --backend {backend} -z"
    loop = f"while {line} 15006 && {line} 15007; do :; done >$0"
    for caller in callers:
        caller.start()
    changers = [subprocess_in(pod, "sh", "-c", loop, file) for pod, file in zip(pods, said)]
    count = lambda: sum(file.read_text().count("changed=yes") for file in said)
    pass_time(5)
    until(lambda: count() >= (1000 if not is_instrumented() else 100), "enough changes", 20)
    for caller in callers:
        caller.ends = True
        caller.join()
    for changer in changers:
        same(changer.poll(), None, "the end of a process that changes rules")
        changer.terminate()
        changer.wait()
    changes = count()
    connections = sum(caller.places.get("proxy", 0) for caller in callers)
    for caller in callers:
        same(set(caller.places), {"proxy"}, f"where connections went during {changes} changes")
    print(f"  {backend}: {changes} changes, {connections} connections", flush=True)
    true(connections > 500, f"only {connections} connections")


@test(deadline=40)
def with_nft_no_connection_goes_around_the_proxy_while_rules_change():
    leak("nft", 6)


@test(deadline=40)
def with_legacy_tables_no_connection_goes_around_the_proxy_while_rules_change():
    leak("legacy", 1)


@test
def an_established_connection_survives_a_change_of_rules():
    for backend in BACKENDS:
        pod = with_backend(backend, *DEFAULT)
        with inside(pod.outside):
            listener = socket.create_server(("", 7777))
        with listener, pod.socket(socket.SOCK_STREAM, "192.0.2.1", 1337, 1337, pod.here) as client:
            client.settimeout(5)
            client.connect(("192.0.2.1", 7777))
            with listener.accept()[0] as server:
                pod.setup("-p", "15001", "-u", "4711", "--backend", backend)
                same(pod.connect("192.0.2.1", 80, uid=1337).split()[0], "proxy", "by the new rules")
                client.sendall(b"there")
                same(server.recv(10), b"there")
                server.sendall(b"back")
                same(client.recv(10), b"back")


main()
