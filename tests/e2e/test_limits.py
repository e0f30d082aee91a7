"""Time, memory, descriptors: nobody can take more than their share."""

import contextlib
import os
import resource
import socket
import threading
import time

from harness import has, lacks, main, pass_time, same, skip, test, true, until, within
from wire import Client, Cut, request
from origins import Origin, responding
from proxy import gateway, is_instrumented

SILENT = responding()  # a script: takes the connection and says nothing


# Time.


@test
def a_head_that_takes_too_long_is_a_408():
    origin = Origin()
    client = Client(gateway(origin, "--header-timeout", "300ms")).send(b"GET / HTTP/1.1\r\nHost: ori")
    answer = client.message()
    same((answer.status, answer.reason), (408, "header_timeout"))
    true(client.is_closed(), "the connection stays open")
    same(origin.received(), b"", "what reached the origin")


@test
def a_head_that_comes_in_drops_is_a_408_all_the_same():
    client, began = Client(gateway(Origin(), "--header-timeout", "300ms")), time.monotonic()
    client.sock.settimeout(0.01)
    with contextlib.suppress(OSError):
        client.send(b"GET / HTTP/1.1\r\nX: ")
        while time.monotonic() - began < 5:
            client.send(b"x")
            with contextlib.suppress(TimeoutError):
                if client.fill():
                    break
    within(time.monotonic() - began, 0.25, 3, "seconds until the answer")
    has(bytes(client.received), b"HTTP/1.1 408", "answer")


@test
def a_connection_that_says_nothing_is_closed_without_a_word():
    client = Client(gateway(Origin(), "--header-timeout", "150ms", "--idle-timeout", "150ms"))
    same(client.to_end(), b"", "what came")


@test
def an_idle_client_connection_is_closed_without_a_word():
    client = Client(gateway(Origin(), "--idle-timeout", "200ms"))
    same(client.ask().status, 200)
    same(client.to_end(), b"", "what came after the answer")


@test
def an_origin_that_does_not_answer_is_a_504():
    proxy = gateway(Origin(SILENT), "--response-timeout", "200ms")
    answer = proxy.get()
    same((answer.status, answer.reason), (504, "response_timeout"))
    same(proxy.entries(1)[0]["reason"], "response_timeout", "reason logged")


@test
def an_origin_that_only_says_103_is_a_504_too():
    def script(wire):
        wire.message()
        wire.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        wire.to_end()

    client = Client(gateway(Origin(script), "--response-timeout", "200ms")).send(request())
    same([client.message().status for _ in range(2)], [103, 504])


@test
def an_origin_that_stops_in_its_body_is_cut_off():
    def script(wire):
        wire.message()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        wire.to_end()

    proxy = gateway(Origin(script), "--stream-timeout", "200ms")
    try:
        same(proxy.get().status, 504)
    except Cut:
        pass
    same(proxy.entries(1)[0]["reason"], "upstream_timeout", "reason logged")


@test
def a_client_that_stops_in_its_body_is_cut_off():
    origin = Origin()
    proxy = gateway(origin, "--stream-timeout", "200ms")
    client = Client(proxy).send(b"POST / HTTP/1.1\r\nHost: origin\r\nContent-Length: 10\r\n\r\nabc")
    with contextlib.suppress(EOFError):
        same(client.message().status, 408)
    same(proxy.entries(1)[0]["reason"], "client_timeout", "reason logged")
    same(origin.requests, [], "complete requests upstream")


@test
def progress_keeps_a_slow_body_alive():
    """Ten pieces, each within the timeout, together far beyond it."""

    def script(wire):
        wire.message()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        for _ in range(10):
            pass_time(0.1)
            wire.send(b"x")
        wire.to_end()

    same(gateway(Origin(script), "--stream-timeout", "400ms", "--response-timeout", "400ms").get().body, b"x" * 10)


@test
def connecting_that_takes_too_long_is_a_504():
    """A listener whose queue is full drops what else comes."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port, queued = full.getsockname()[1], []
        for _ in range(4):
            queued.append(socket.socket())
            queued[-1].setblocking(False)
            queued[-1].connect_ex(("127.0.0.1", port))
        origin = Origin()
        origin.address = f"127.0.0.1:{port}"
        answer = gateway(origin, "--connect-timeout", "300ms").get()
        same((answer.status, answer.reason), (504, "connect_timeout"))
        for s in queued:
            s.close()


@test
def a_refused_connection_is_a_502():
    origin = Origin()
    proxy = gateway(origin)
    origin.close()
    answer = proxy.get()
    same((answer.status, answer.reason), (502, "connect_refused"))


@test
def a_client_may_go_on_after_a_failure_of_the_upstream():
    origin = Origin()
    proxy = gateway(origin)
    origin.close()
    client = Client(proxy)
    for _ in range(3):
        same(client.ask().status, 502)


# Sizes.


@test
def heads_up_to_16_kib_and_100_fields_pass_and_larger_ones_are_431():
    origin = Origin()
    proxy = gateway(origin)
    few = "GET / HTTP/1.1\r\nHost: origin\r\nX: \r\n\r\n"
    for extra, status in ((16000 - len(few), 200), (16384 - len(few), 200), (16385 - len(few), 431), (200000, 431)):
        client = Client(proxy)
        with contextlib.suppress(OSError):
            client.send(few.replace("X: ", "X: " + "x" * extra).encode())
        same(client.message().status, status, f"status for {len(few) + extra} bytes")
    for count, status in ((99, 200), (100, 431)):
        same(proxy.get("/", *(f"X-{i}: y" for i in range(count))).status, status, f"status for {count} fields and Host")
    same(len(origin.requests), 3, "requests upstream")


@test
def targets_beyond_8_kib_are_414():
    proxy = gateway(Origin())
    for size, status in ((8192, 200), (8193, 414), (15000, 414)):
        same(proxy.get("/" + "x" * (size - 1)).status, status, f"status for {size} bytes")


@test
def a_response_head_of_15_kib_passes():
    reply = b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 15000 + b"\r\nContent-Length: 2\r\n\r\nok"
    answer = gateway(Origin(reply)).get()
    same((answer.status, len(answer.get("x-long"))), (200, 15000))


@test
def a_response_head_that_is_too_large_is_a_502():
    for head in (
        b"X-Long: " + b"x" * 20000 + b"\r\n",
        b"".join(b"X-%d: y\r\n" % i for i in range(200)),
        b"X: y\r\n" * 5000,
    ):
        reply = b"HTTP/1.1 200 OK\r\n" + head + b"Content-Length: 0\r\n\r\n"
        answer = gateway(Origin(responding(reply))).get()
        same(answer.status, 502)
        lacks(answer.names(), "x-long", "answer's fields")


# Memory.


@test
def one_worker_starts_within_2_mib():
    if is_instrumented():
        skip("memory of an instrumented build says nothing")
    within(gateway(Origin()).memory("Rss"), 0, 2 << 20, "resident bytes")


@test(deadline=25)
def a_thousand_idle_connections_cost_less_than_1_kib_each():
    if is_instrumented():
        skip("memory of an instrumented build says nothing")
    need_descriptors(2200)
    proxy = gateway(Origin())
    warm = [Client(proxy) for _ in range(20)]
    for client in warm:
        client.ask()
    before = proxy.memory("Private_Dirty")
    clients = [Client(proxy) for _ in range(1000)]
    for client in clients:
        same(client.ask().status, 200)
    within((proxy.memory("Private_Dirty") - before) / 1000, 0, 1024, "bytes per idle connection")
    same(clients[0].ask().status, 200, "status on the oldest connection")


def need_descriptors(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count:
        skip(f"no more than {hard} descriptors")
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


@test
def memory_does_not_grow_with_the_number_of_requests():
    if is_instrumented():
        skip("memory of an instrumented build says nothing")
    proxy = gateway(Origin(), "--access-log", "off")
    client = Client(proxy)

    def ask(count):
        for _ in range(count):
            client.ask()
            client.ask(host="nobody")

    ask(100)
    before = proxy.memory("Private_Dirty")
    ask(1000)
    within(proxy.memory("Private_Dirty") - before, -(1 << 20), 64 << 10, "growth in bytes")


# Descriptors and processor.


@test
def running_out_of_descriptors_is_survived():
    limit = 60
    proxy = gateway(Origin(), enter=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
    clients = [Client(proxy) for _ in range(limit * 2)]
    for client in clients:
        with contextlib.suppress(OSError):
            client.send(request())
    used = cpu_seconds(proxy)
    pass_time(0.3)
    within(cpu_seconds(proxy) - used, 0, 0.15, "processor seconds in 0.3 s")
    for client in clients:
        client.close()
    until(lambda: proxy.fds() < limit // 2, "descriptors are free again")
    same(proxy.get().status, 200)


def cpu_seconds(proxy):
    fields = open(f"/proc/{proxy.process.pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@test
def waiting_costs_no_processor_time():
    """Every kind of waiting at once: idle, half-sent, half-closed, held back, tunnelled."""

    def script(wire):
        target = wire.message().target
        if target == "/flood":
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
            while True:
                wire.send(bytes(65536))
        if target == "/tunnel":
            wire.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
        if target == "/half":
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").half_close()
        wire.to_end()
        held.wait(5)

    held = threading.Event()
    proxy = gateway(Origin(script))
    clients = [Client(proxy, receive_buffer=4096) for _ in range(7)]
    clients[1].send(b"GET / HT")
    clients[2].send(request("/silent")).half_close()
    clients[3].send(request("/flood"))
    clients[4].ask("/tunnel", "Connection: upgrade", "Upgrade: x")
    clients[4].half_close()
    clients[5].send(b"POST /up HTTP/1.1\r\nHost: origin\r\nContent-Length: 100\r\n\r\nabc")
    clients[6].send(request("/silent") * 30)
    until(lambda: proxy.fds() >= proxy.fds_at_start + 11, "all of them are under way")
    pass_time(0.3)
    used = cpu_seconds(proxy)
    pass_time(0.5)
    within(cpu_seconds(proxy) - used, 0, 0.05, "processor seconds in 0.5 s")


main()
