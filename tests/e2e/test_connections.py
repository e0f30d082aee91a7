"""Connections: persistence, pipelining, the pool behind us, half-closes, upgrades."""

import threading

from harness import has, lacks, main, same, test, true, until
from wire import OK, Client, request
from origins import Origin, responding
from proxy import SERVICES, Proxy, gateway


def numbered(wire):
    """Answers with the target, to see that answers belong to their requests."""
    while True:
        text = wire.message().target.encode()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))


@test
def one_to_twenty_pipelined_requests_are_answered_in_order():
    proxy = gateway(Origin(numbered))
    for count in range(1, 21):
        client = Client(proxy).send(b"".join(request(f"/{i}") for i in range(count)))
        same([client.message().body for _ in range(count)], [b"/%d" % i for i in range(count)], f"{count} answers")


@test
def a_thousand_pipelined_requests_are_answered_in_order():
    client = Client(gateway(Origin(numbered)))
    sender = threading.Thread(target=client.send, args=(b"".join(request(f"/{i}") for i in range(1000)),), daemon=True)
    sender.start()
    same([client.message().body for _ in range(1000)], [b"/%d" % i for i in range(1000)])


@test
def pipelined_bodies_are_not_swallowed():
    origin = Origin()
    client = Client(gateway(origin))
    client.send(
        b"".join(
            request(f"/{i}", "Content-Length: 0" if i % 2 else "X-A: b", method="POST", body=b"" if i % 2 else b"b" * i)
            for i in range(10)
        )
    )
    for _ in range(10):
        same(client.message().status, 200)
    same(
        [(r.target, len(r.body)) for r in origin.requests],
        [(f"/{i}", 0 if i % 2 else i) for i in range(10)],
        "requests upstream",
    )


@test
def pipelined_requests_for_different_services_go_their_ways():
    one, other = Origin(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none"), Origin(numbered)
    manifest = (
        SERVICES
        + "---\n"
        + SERVICES.split("---\n")[0].replace("name: origin}", "name: other}").replace("origin.test", "other.test")
    )
    proxy = Proxy(manifest, resolve={"origin.test": one.address, "other.test": other.address})
    client = Client(proxy).send(
        request("/a") + request("/b", host="other") + request("/c") + request(host="nobody") + request("/d")
    )
    same([client.message().body for _ in range(3)], [b"one", b"/b", b"one"])
    same(client.message().status, 404)
    same(client.message().body, b"one")


@test
def a_404_does_not_end_the_connection():
    client = Client(gateway(Origin()))
    for host, status in (("nobody", 404), ("origin", 200), ("origin:81", 404), ("origin", 200)):
        same(client.ask(host=host).status, status)


@test
def a_404_for_head_has_no_body():
    client = Client(gateway(Origin())).send(request(host="nobody", method="HEAD") + request())
    answer = client.message(no_body=True)
    same(answer.status, 404)
    true(int(answer.get("content-length")) > 0, "no length")
    same(client.message().body, b"ok", "the next answer")


@test
def a_refusal_arrives_although_the_client_still_sends():
    """The rest is read and dropped for a while: closing at once would be a reset that eats the answer."""
    for first, status in (
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (request(host="nobody", method="POST", body=b"x" * 200000), 404),
    ):
        proxy = gateway()
        for _ in range(10):
            client = Client(proxy).send(first + b"y" * 100000)
            same(client.message().status, status)


@test
def the_body_of_an_unroutable_request_is_not_taken_for_a_request():
    origin = Origin()
    client = Client(gateway(origin)).send(
        request(host="nobody", method="POST", body=request("/smuggled")) + request("/next")
    )
    same(client.message().status, 404)
    try:
        same(client.message().body, b"ok")
    except (EOFError, ConnectionResetError):
        pass
    true("/smuggled" not in [r.target for r in origin.requests], "the body was served as a request")


@test
def connection_close_is_honoured_and_said():
    origin = Origin()
    client = Client(gateway(origin)).send(request("/1", "Connection: close") + request("/2"))
    same(client.message().get("connection"), "close")
    true(client.is_closed(), "something follows the answer")
    same([r.target for r in origin.requests], ["/1"], "requests upstream")


@test
def the_clients_close_does_not_close_the_upstream_connection():
    origin = Origin()
    proxy = gateway(origin)
    for _ in range(5):
        proxy.get("/", "Connection: close")
    same(len(origin.wires), 1, "connections upstream")
    lacks([v.lower() for v in origin.requests[0].all("connection")], "close", "Connection upstream")


@test
def upstream_connections_are_reused():
    origin = Origin()
    proxy = gateway(origin)
    for _ in range(20):
        same(proxy.get().status, 200)
    same(len(origin.wires), 1, "connections upstream")
    same([e["reused"] for e in proxy.entries(20)], ["0"] + ["1"] * 19, "reused")


@test
def requests_at_once_get_a_connection_each():
    barrier = threading.Barrier(5)

    def script(wire):
        wire.message()
        barrier.wait(5)
        wire.send(OK)
        wire.to_end()

    origin = Origin(script)
    proxy = gateway(origin)
    clients = [Client(proxy).send(request()) for _ in range(5)]
    same([c.message().status for c in clients], [200] * 5)
    same(len(origin.wires), 5, "connections upstream")


@test
def an_upstream_that_says_close_is_not_reused():
    origin = Origin(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
    client = Client(gateway(origin))
    for _ in range(3):
        answer = client.ask()
        same((answer.status, answer.get("connection")), (200, None), "status and Connection for the client")
    same(len(origin.wires), 3, "connections upstream")


@test
def a_pooled_connection_that_the_origin_closed_is_not_used():
    origin = Origin(lambda wire: (wire.message(), wire.send(OK)))
    proxy = gateway(origin, "--upstream-idle-timeout", "1m")
    client = Client(proxy)
    for _ in range(5):
        same(client.ask(method="POST").status, 200)
        until(lambda: proxy.fds() == proxy.fds_at_start + 1, "the proxy has seen the close")
    same(len(origin.wires), 5, "connections upstream")


@test
def a_pooled_connection_is_closed_after_its_idle_time():
    origin = Origin()
    proxy = gateway(origin, "--upstream-idle-timeout", "100ms")
    client = Client(proxy)
    client.ask()
    until(lambda: proxy.fds() == proxy.fds_at_start + 1, "the idle connection is closed")
    same(client.ask().status, 200)
    same(len(origin.wires), 2, "connections upstream")


def dies_when_reused(wire):
    wire.message()
    wire.send(OK)
    wire.through(b"\r\n\r\n")


@test
def a_get_on_a_pooled_connection_that_dies_unanswered_is_tried_once_more():
    origin = Origin(dies_when_reused)
    client = Client(gateway(origin))
    for _ in range(5):
        same(client.ask().status, 200)
    same(len(origin.wires), 5, "connections upstream")


@test
def a_post_on_a_pooled_connection_that_dies_unanswered_is_never_repeated():
    origin = Origin(dies_when_reused)
    client = Client(gateway(origin))
    same(client.ask().status, 200)
    answer = client.ask("/once", method="POST", body=b"pay")
    same((answer.status, answer.reason), (502, "upstream_closed"))
    same(origin.received().count(b"POST /once"), 1, "times the POST was sent")


@test
def bytes_behind_a_response_are_never_a_response():
    """In the same segment, and later on the idle connection."""
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    for at_once in (True, False):
        go = threading.Event()

        def script(wire, at_once=at_once, go=go):
            wire.message()
            wire.send(OK + evil if at_once else OK)
            if not at_once:
                go.wait(5)
                wire.send(evil)
            wire.to_end()

        origin = Origin(script)
        proxy = gateway(origin, "--upstream-idle-timeout", "1m")
        client = Client(proxy)
        same(client.ask().body, b"ok", f"the first answer (all at once: {at_once})")
        go.set()
        until(lambda: proxy.fds() == proxy.fds_at_start + 1, "the connection is dropped")
        same(client.ask().body, b"ok", "the second answer")
        same(len(origin.wires), 2, "connections upstream")


@test
def bytes_behind_a_bodyless_response_are_dropped():
    for reply in (
        b"HTTP/1.1 204 No Content\r\n\r\nevil",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil",
    ):
        origin = Origin(responding(reply))
        client = Client(gateway(origin))
        client.ask()
        client.ask()
        lacks(bytes(client.received), b"evil", "what the client got")
        same(len(origin.wires), 2, "connections upstream")


@test
def a_client_that_half_closes_behind_its_request_is_answered():
    half_closed = threading.Event()

    def script(wire):
        wire.message()
        half_closed.wait(5)
        wire.send(OK)

    client = Client(gateway(Origin(script))).send(request()).half_close()
    half_closed.set()
    same(client.message().body, b"ok")
    true(client.is_closed(), "the connection stays open")


@test
def pipelined_requests_before_a_half_close_are_all_answered():
    client = Client(gateway(Origin(numbered))).send(b"".join(request(f"/{i}") for i in range(5))).half_close()
    same([client.message().body for _ in range(5)], [b"/%d" % i for i in range(5)])
    true(client.is_closed(), "the connection stays open")


@test
def many_clients_at_once_get_their_own_answers():
    proxy = gateway(Origin(numbered), workers=2)
    clients = [Client(proxy) for _ in range(100)]
    for turn in range(3):
        for i, client in enumerate(clients):
            client.send(request(f"/{turn}-{i}"))
        same([c.message().body.decode() for c in clients], [f"/{turn}-{i}" for i in range(100)])


# Upgrade.

UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==")
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def shout(wire):
    """Accepts the upgrade, sends back what comes, and says bye at the end."""
    head = wire.message()
    has((head.get("upgrade") or "").lower(), "websocket", "Upgrade upstream")
    has((head.get("connection") or "").lower(), "upgrade", "Connection upstream")
    wire.send(SWITCH + b"hi")
    while wire.fill():
        wire.send(wire.rest().upper())
        wire.at = len(wire.received)
    wire.send(b"bye")


def upgraded(script, *options):
    origin = Origin(script)
    proxy = gateway(origin, *options)
    client = Client(proxy)
    return origin, proxy, client, client.ask("/chat", *UPGRADE)


@test
def an_upgraded_connection_carries_raw_bytes_both_ways():
    _, proxy, client, answer = upgraded(shout)
    same((answer.status, answer.get("upgrade"), answer.get("connection").lower()), (101, "websocket", "upgrade"))
    same(client.exactly(2), b"hi")
    for text in (b"\x00\xff\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"q" * 300000):
        threading.Thread(target=client.send, args=(text,), daemon=True).start()
        same(client.exactly(len(text)), text.upper())
    client.half_close()
    same(client.to_end(), b"bye", "what comes after our half-close")
    same(proxy.entries(1)[0]["status"], "101")


@test
def bytes_sent_behind_the_upgrade_request_reach_the_tunnel():
    client = Client(gateway(Origin(shout))).send(request("/chat", *UPGRADE) + b"early")
    same(client.message().status, 101)
    same(client.exactly(7), b"hiEARLY")


@test
def the_origin_may_half_close_first():
    heard = []

    def script(wire):
        wire.message()
        wire.send(SWITCH).half_close()
        heard.append(wire.to_end())

    _, _, client, answer = upgraded(script)
    same(answer.status, 101)
    true(client.is_closed(), "the half-close does not arrive")
    client.send(b"still here").half_close()
    until(lambda: heard, "the origin sees the end")
    same(heard, [b"still here"], "what the origin heard")


@test
def a_refused_upgrade_is_an_ordinary_answer():
    _, _, client, answer = upgraded(responding(OK, OK))
    same((answer.status, answer.body), (200, b"ok"))
    same(client.ask().body, b"ok", "the next answer")


@test
def a_switch_to_a_protocol_not_offered_is_a_502():
    _, _, client, answer = upgraded(responding(SWITCH.replace(b"websocket", b"gopher")))
    same(answer.status, 502)
    lacks(bytes(client.received), b"gopher", "what the client got")


@test
def h2c_is_never_offered_upstream():
    origin = Origin()
    gateway(origin).get("/", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
    for name in ("upgrade", "http2-settings"):
        lacks(origin.requests[0].names(), name, "fields upstream")


@test
def an_upgrade_from_1_0_is_ignored():
    origin = Origin()
    Client(gateway(origin)).send(
        b"GET / HTTP/1.0\r\nHost: origin\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    ).message()
    lacks(origin.requests[0].names(), "upgrade", "fields upstream")


@test
def an_idle_tunnel_ends_after_its_timeout():
    _, proxy, client, answer = upgraded(shout, "--tunnel-timeout", "150ms")
    same(answer.status, 101)
    same(client.to_end(), b"hi", "what the tunnel carried")
    same(proxy.entries(1)[0]["reason"], "tunnel_timeout")


def stray_behind_the_first_answer():
    """Its first connection answers once and then nonsense, as a body where none may be looks to us."""
    connections = []

    def script(wire):
        connections.append(wire)
        wire.message()
        wire.send(OK)
        wire.message()
        wire.send(b"hello" if len(connections) == 1 else OK)

    return Origin(script)


@test
def bytes_that_nobody_asked_for_do_not_answer_the_next_request():
    client = Client(gateway(stray_behind_the_first_answer()))
    for _ in range(2):
        same(client.ask().status, 200)


@test
def but_what_may_not_be_repeated_is_a_502():
    client = Client(gateway(stray_behind_the_first_answer()))
    same(client.ask().status, 200)
    answer = client.ask(method="POST")
    same((answer.status, answer.reason), (502, "version_invalid"))


main()
