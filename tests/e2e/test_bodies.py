"""Bodies: every size, both framings, both directions, and what happens when somebody stops in the middle."""

import contextlib
import hashlib
import random
import socket
import threading

from harness import folder, has, lacks, main, need, same, test, true, until, within
from wire import OK, Client, Cut, request
from origins import Nginx, Origin, responding
from proxy import curl, gateway

SIZES = [0, 1, 2, 3, 4095, 4096, 16383, 16384, 16385, 32767, 32768, 32769, 65535, 65536, 65537, 200001]
BIG = 10 << 20


def noise(size):
    return random.Random(size).randbytes(size)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def chunked(data, step):
    parts = (data[i : i + step] for i in range(0, len(data), step))
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\n\r\n"


def echo(wire):
    """Sends each body back, framed as it came."""
    while True:
        message = wire.message()
        if message.get("transfer-encoding"):
            wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(message.body, 7001))
        else:
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(message.body) + message.body)


def post(body, coding="length", step=5003):
    if coding == "length":
        return b"POST / HTTP/1.1\r\nHost: origin\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    return b"POST / HTTP/1.1\r\nHost: origin\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(body, step)


@test
def bodies_of_every_size_pass_both_ways_with_a_length():
    client = Client(gateway(Origin(echo)))
    for size in SIZES:
        body = noise(size)
        answer = client.send(post(body)).message()
        same(answer.get("content-length"), str(size))
        same(digest(answer.body), digest(body), f"digest of {size} bytes")


@test
def bodies_of_every_size_pass_both_ways_in_chunks():
    client = Client(gateway(Origin(echo)))
    for size in SIZES:
        body = noise(size)
        answer = client.send(post(body, "chunked")).message()
        same(answer.get("transfer-encoding"), "chunked")
        same(digest(answer.body), digest(body), f"digest of {size} bytes")


@test
def ten_megabytes_pass_both_ways():
    for coding in ("length", "chunked"):
        client, body = Client(gateway(Origin(echo))), noise(BIG)
        sender = threading.Thread(target=client.send, args=(post(body, coding, 60000),), daemon=True)
        sender.start()
        same(digest(client.message().body), digest(body), f"digest ({coding})")


@test
def curl_downloads_and_uploads_ten_megabytes_through_nginx():
    need("curl", "nginx")
    files = folder()
    (files / "big").write_bytes(noise(BIG))
    server = f"listen LISTEN; root {files}; location /up {{ return 200 '$content_length'; }}"
    proxy = gateway(Nginx(server))
    done = curl(proxy, "-o", files / "got", "http://origin/big")
    same(done.returncode, 0, f"curl's status ({done.stderr})")
    same(digest((files / "got").read_bytes()), digest(noise(BIG)), "digest of the download")
    same(curl(proxy, "-T", files / "big", "http://origin/up").stdout, str(BIG))


@test
def chunk_extensions_stop_here_both_ways():
    reply = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a="b"\r\nab\r\n0;last\r\n\r\n'
    origin = Origin(reply)
    client = Client(gateway(origin))
    client.send(b"POST / HTTP/1.1\r\nHost: origin\r\nTransfer-Encoding: chunked\r\n\r\n3;x=1;y\r\nabc\r\n0;z\r\n\r\n")
    same(client.message().body, b"ab")
    same(origin.requests[0].body, b"abc", "body upstream")
    lacks(origin.received(), b";", "bytes upstream")


@test
def a_get_with_a_body_arrives_with_its_body():
    origin = Origin()
    same(Client(gateway(origin)).ask("/", body=b"0123456789").status, 200)
    same((origin.requests[0].method, origin.requests[0].body), ("GET", b"0123456789"))


@test
def a_post_with_length_0_says_so_upstream():
    origin = Origin()
    same(Client(gateway(origin)).ask("/", "Content-Length: 0", method="POST").status, 200)
    same(origin.requests[0].get("content-length"), "0")


@test
def a_response_until_close_arrives_in_chunks():
    def script(wire):
        wire.message()
        wire.send(b"HTTP/1.1 200 OK\r\n\r\nabc").send(b"def")

    client = Client(gateway(Origin(script)))
    for _ in range(2):
        answer = client.ask()
        same((answer.get("transfer-encoding"), answer.body), ("chunked", b"abcdef"))


@test
def an_empty_response_until_close_is_complete():
    def script(wire):
        wire.message()
        wire.send(b"HTTP/1.1 200 OK\r\n\r\n")

    same(gateway(Origin(script)).get().body, b"")


@test
def each_piece_is_passed_on_as_it_comes():
    """The origin sends the next piece only when the client has had the last one."""
    had = threading.Semaphore(0)

    def script(wire):
        wire.message()
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for i in range(5):
            wire.send(b"2\r\n%02d\r\n" % i)
            had.acquire(timeout=5)
        wire.send(b"0\r\n\r\n")

    client = Client(gateway(Origin(script))).send(request())
    for i in range(5):
        client.through(b"%02d\r\n" % i)
        had.release()
    client.through(b"0\r\n\r\n")


@test
def both_directions_stream_at_once():
    def script(wire):
        wire.through(b"\r\n\r\n")
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n")
        for _ in range(10):
            wire.send(wire.exactly(2))
        wire.to_end()

    client = Client(gateway(Origin(script))).send(b"POST / HTTP/1.1\r\nHost: origin\r\nContent-Length: 20\r\n\r\n")
    client.send(b"00").through(b"\r\n\r\n00")
    for i in range(1, 10):
        client.send(b"%02d" % i)
        same(client.exactly(2), b"%02d" % i, "what came back")


@test
def an_early_response_reaches_a_client_that_still_sends():
    def script(wire):
        wire.through(b"\r\n\r\n")
        wire.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n")
        wire.half_close().to_end()

    client = Client(gateway(Origin(script)))
    client.send(b"POST / HTTP/1.1\r\nHost: origin\r\nContent-Length: %d\r\n\r\n" % BIG + bytes(50000))
    answer = client.message()
    same((answer.status, answer.body), (413, b"no\n"))
    same(answer.get("connection"), "close")
    true(client.half_close().is_closed(), "the connection stays open")


@test
def an_early_response_is_not_lost_behind_a_reset():
    """The origin answers and closes with bytes of the body unread, as many servers do: that is a reset."""

    def script(wire):
        wire.through(b"\r\n\r\n")
        wire.fill()
        wire.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n")
        wire.sock.recv(1, socket.MSG_PEEK)
        wire.sock.close()

    client = Client(gateway(Origin(script)))
    head = b"POST / HTTP/1.1\r\nHost: origin\r\nContent-Length: %d\r\n\r\n" % BIG
    threading.Thread(target=pour, args=(client, head + bytes(BIG)), daemon=True).start()
    answer = client.message()
    same((answer.status, answer.body), (413, b"no\n"))


def pour(client, data):
    with contextlib.suppress(OSError):
        client.send(data)


@test
def the_rest_of_a_body_is_never_taken_for_a_request():
    """An early answer, then the body goes on with what looks like a request."""
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: origin\r\n\r\n"

    def script(wire):
        wire.through(b"\r\n\r\n")
        wire.send(OK)
        wire.to_end()

    origin = Origin(script)
    client = Client(gateway(origin))
    client.send(b"POST / HTTP/1.1\r\nHost: origin\r\nContent-Length: %d\r\n\r\n" % (len(smuggled) * 2))
    same(client.message().status, 200)
    with contextlib.suppress(OSError):
        client.send(smuggled * 2).half_close()
    with contextlib.suppress(OSError):
        same(client.to_end(), b"", "what follows the answer")
    for wire in origin.wires:
        true(not wire.received.startswith(b"GET /smuggled"), "the body was sent as a request")
    same(len(origin.wires), 1, "connections upstream")


# Back-pressure.


def flood(wire, counter, piece=bytes(65536)):
    """Sends for ever, counting."""
    while True:
        wire.send(piece)
        counter[0] += len(piece)


def stalled(counter):
    """True once the counter has not moved for a while of polling."""
    history = []

    def still():
        history.append(counter[0])
        return len(history) > 40 and history[-1] == history[-40]

    until(still, "the sender is held back")
    return counter[0]


@test
def a_client_that_does_not_read_holds_the_origin_back():
    counter = [0]

    def script(wire):
        wire.message()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        flood(wire, counter)

    proxy = gateway(Origin(script))
    proxy_memory = proxy.memory()
    client = Client(proxy, receive_buffer=8192).send(request())
    first = stalled(counter)
    within(first, 1, 40 << 20, "bytes taken from the origin")
    within(proxy.memory() - proxy_memory, -(1 << 20), 600 << 10, "growth in bytes")
    client.exactly(first)
    until(lambda: counter[0] > first, "the origin may go on")


@test
def an_origin_that_does_not_read_holds_the_client_back():
    counter, go = [0], threading.Event()

    def script(wire):
        wire.through(b"\r\n\r\n")
        go.wait(10)
        wire.exactly(stop[0])
        wire.send(OK)

    stop = [0]
    proxy = gateway(Origin(script))
    memory = proxy.memory()
    client = Client(proxy).send(b"POST / HTTP/1.1\r\nHost: origin\r\nContent-Length: 1000000000\r\n\r\n")

    def send_all():
        with contextlib.suppress(OSError):
            flood(client, counter)

    threading.Thread(target=send_all, daemon=True).start()
    stop[0] = stalled(counter)
    within(stop[0], 1, 40 << 20, "bytes taken from the client")
    within(proxy.memory() - memory, -(1 << 20), 600 << 10, "growth in bytes")
    go.set()
    same(client.message().status, 200)


@test
def a_client_that_reads_slowly_gets_every_byte():
    body = noise(2 << 20)
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    client = Client(gateway(Origin(responding(reply))), receive_buffer=4096).send(request())
    same(digest(client.message().body), digest(body), "digest")


# Somebody stops in the middle.


@test
def a_client_that_goes_away_in_its_body_ends_the_upstream_request():
    ends = []

    def script(wire):
        wire.through(b"\r\n\r\n")
        ends.append(wire.to_end())

    for coding in (b"Content-Length: 100\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"):
        for leave in ("close", "half_close", "reset"):
            origin, count = Origin(script), len(ends)
            proxy = gateway(origin)
            client = Client(proxy).send(b"POST / HTTP/1.1\r\nHost: origin\r\n" + coding)
            until(lambda: b"\r\n\r\n" in origin.received(), "the request is under way")
            getattr(client, leave)()
            until(lambda: len(ends) > count, f"the origin sees the end ({coding}, {leave})")
            lacks(ends[-1], b"0\r\n\r\n", "body upstream")
            same(proxy.entries(1)[0]["reason"], "client_closed", "reason logged")


@test
def a_client_reset_while_waiting_ends_the_upstream_request():
    seen, ended = threading.Event(), threading.Event()

    def script(wire):
        wire.message()
        seen.set()
        with contextlib.suppress(OSError):
            wire.to_end()
        ended.set()

    client = Client(gateway(Origin(script))).send(request())
    true(seen.wait(5), "the request never arrived")
    client.reset()
    true(ended.wait(5), "the upstream connection stays open")


@test
def a_client_that_leaves_a_download_ends_it_and_the_connection_is_not_reused():
    ended = threading.Event()

    def script(wire):
        wire.message()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        try:
            flood(wire, [0])
        except OSError:
            ended.set()

    origin = Origin(script)
    proxy = gateway(origin)
    client = Client(proxy).send(request())
    client.exactly(100000)
    client.reset()
    true(ended.wait(5), "the download goes on")
    same(proxy.entries(1)[0]["reason"], "client_closed", "reason logged")


def cut_short(reply, reset=False):
    """The proxy in front of an origin that sends `reply` and leaves."""

    def script(wire):
        wire.message()
        wire.send(reply)
        if reset:
            wire.reset()

    return gateway(Origin(script))


@test
def a_response_cut_in_its_body_is_cut_for_the_client():
    for framing in (
        b"Content-Length: 100\r\n\r\nabc",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
    ):
        for reset in (False, True):
            proxy = cut_short(b"HTTP/1.1 200 OK\r\n" + framing, reset)
            client = Client(proxy).send(request())
            try:
                answer = client.message()
                same(answer.status, 502)
            except (Cut, ConnectionResetError):
                pass
            true(b"0\r\n\r\n" not in client.received[-5:], f"a complete chunked body for {framing}")
            has(("upstream_closed", "upstream_reset"), proxy.entries(1)[0]["reason"], "reason logged")


@test
def a_response_cut_in_its_head_is_a_502():
    for reply in (b"", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nX-A: b\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n"):
        proxy = cut_short(reply)
        client = Client(proxy).send(request())
        answer = client.message()
        if answer.status == 103:
            answer = client.message()
        same((answer.status, answer.reason), (502, "upstream_closed"), f"answer after {reply}")
        lacks(answer.raw, b"X-A", "answer")


@test
def a_chunked_response_until_a_bad_chunk_is_cut_there():
    reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\nevil\r\n0\r\n\r\n"
    client = Client(cut_short(reply)).send(request())
    try:
        same(client.message().status, 502)
    except Cut:
        pass
    lacks(bytes(client.received), b"evil", "what the client got")
    lacks(bytes(client.received), b"0\r\n\r\n", "what the client got")


main()
