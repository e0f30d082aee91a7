"""Connections over TLS after the first: sessions resumed, buffers given back, and nothing used twice."""

import struct

from harness import main, same, skip, test, until, within
from origins import Lab, Nginx, Origin
from proxy import SERVICES, Proxy, gateway, is_instrumented
from tlslab import Server, Tap, root
from wire import OK, Client

HOST = "secure:443"
SECURE = SERVICES.split("---\n")[1]


def nginx(lab, *more, server="listen LISTEN ssl; keepalive_timeout 0; "):
    chain, key = root(lab).server()
    return Nginx(
        f"{server} ssl_certificate {chain}; ssl_certificate_key {key}; ssl_protocols TLSv1.2; ssl_session_tickets off;"
        f"location / {{ add_header X-Reused $ssl_session_reused; return 200 ok; }} {' '.join(more)}"
    )


def asked(proxy, count):
    """"r" for each request that came in a resumed session, "." for each other, as nginx has it."""
    client, marks = Client(proxy), ""
    for _ in range(count):
        answer = client.ask(host=HOST)
        same(answer.status, 200, f"status ({answer.reason})")
        marks += answer.get("x-reused")
    return marks


@test
def nginx_sees_its_sessions_resumed():
    lab = Lab()
    server = nginx(lab, "ssl_session_cache shared:s:1m;")
    proxy = gateway(None, "--ca-file", lab.ca, secure=server)
    same(asked(proxy, 20), "." + 19 * "r")
    metrics = proxy.metrics()
    same(metrics["egressbox_tls_handshakes_total"], 20)
    same(metrics["egressbox_tls_resumed_total"], 19)


@test
def workers_share_the_sessions():
    lab = Lab()
    server = nginx(lab, "ssl_session_cache shared:s:1m;")
    proxy = gateway(None, "--ca-file", lab.ca, secure=server, workers=4)
    marks = "".join(asked(proxy, 1) for _ in range(40))
    same(marks, "." + 39 * "r")


@test
def sessions_that_nginx_does_not_keep_are_not_asked_for():
    lab = Lab()
    server = nginx(lab, "ssl_session_cache off;")
    proxy = gateway(None, "--ca-file", lab.ca, secure=server)
    same(asked(proxy, 5), 5 * ".")
    same(proxy.metrics()["egressbox_tls_resumed_total"], 0)


@test
def sessions_that_openssl_has_forgotten_are_made_anew():
    lab = Lab()
    files = root(lab).server()
    first, second = Server(*files, "-tls1_2", "-no_ticket"), Server(*files, "-tls1_2", "-no_ticket")
    tap = Tap(first)
    proxy = gateway(None, "--ca-file", lab.ca, secure=tap)
    for server, resumed in ((first, 1), (second, 2)):
        tap.server = server
        for _ in range(2):
            same(proxy.get("/", host=HOST).status, 200)
        same(proxy.metrics()["egressbox_tls_resumed_total"], resumed)


def handshakes(data):
    """The client's randoms and key shares, in records of TLS 1.2 one after the other."""
    randoms, shares = [], []
    while data:
        size = struct.unpack(">H", data[3:5])[0]
        record, data = data[:5] + data[5 : 5 + size], data[5 + size :]
        if record[0] == 22 and record[5] == 1:
            randoms.append(record[11:43])
        elif record[0] == 22 and record[5] == 16:
            shares.append(record[10 : 10 + record[9]])
    return randoms, shares


@test(deadline=100)
def a_thousand_connections_have_a_thousand_randoms_and_keys():
    lab = Lab()
    tap = Tap(nginx(lab, "ssl_session_cache off;"))
    proxy = gateway(None, "--ca-file", lab.ca, secure=tap, workers=2)
    for _ in range(10):
        asked(proxy, 100)
    randoms, shares = handshakes(bytes(tap.client_bytes))
    same((len(randoms), len(shares)), (1000, 1000), "handshakes seen")
    same(len(set(randoms)), 1000, "distinct randoms")
    # The first four bytes are the time in TLS 1.2, and zero here: they are not what makes it distinct.
    same(len({random[4:] for random in randoms}), 1000, "distinct random parts")
    same(len(set(shares)), 1000, "distinct key shares")


@test(deadline=60)
def an_idle_connection_over_tls_holds_no_buffers():
    """What 200 connections cost that idle beside each other, to as many names, so that each has a pool too."""
    if is_instrumented():
        skip("the sanitizer's memory is not the program's")
    lab, count = Lab(), 300

    def script(wire):
        wire.sock.settimeout(None)
        while True:
            wire.message()
            wire.send(OK)

    origin = Origin(script, tls=lab.context("DNS:*.test"))
    manifest = "---\n".join(SECURE.replace("secure", f"s{i}") for i in range(count))
    pins = {f"s{i}.test": origin.address for i in range(count)}
    proxy = Proxy(manifest, "--ca-file", lab.ca, "--upstream-idle-timeout", "1m", resolve=pins)
    client, memory = Client(proxy), []
    for i in range(count):
        same(client.ask(host=f"s{i}:443").status, 200)
        if i in (99, count - 1):
            until(lambda: proxy.metrics()["egressbox_upstream_connections_idle"] == i + 1, f"{i + 1} idle connections")
            memory.append(proxy.memory("Pss"))
    each = (memory[1] - memory[0]) / (count - 100)
    print(f"# {each:.0f} bytes for each", flush=True)
    within(each, 0, 6000, "bytes for each idle connection")


main()
