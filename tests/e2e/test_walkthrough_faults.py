"""The page with one of its parts ill: the names, the outside, whoever reads or writes."""

import socket
import threading
import time

from harness import CERTAINLY, main, pass_time, same, test, true, within
from proxy import is_instrumented
from walk import OUTSIDE, WAYS
from walkload import HOST, MIB, PORT, client, end, memory, world_of
from wire import OK, Cut, request


# Names.


def goes_on_without_dns(way):
    world = world_of(way, OK)
    resolved = ("--resolve", f"{HOST}:{OUTSIDE['httpbin.org'][0]}", f"http://{HOST}/")
    same(world.curl(*resolved).stdout, "ok")
    world.dns.kill()
    world.dns.wait()
    # Their time to live is 1 s: this is five lives. A minute of the page's clusters, with 30 s, is two.
    until_then = time.monotonic() + 5
    while time.monotonic() < until_then:
        same(world.curl(*resolved).stdout, "ok", "the answer without DNS")
        pass_time(0.1)
    world.start_dns()
    same(world.curl(f"http://{HOST}/").stdout, "ok", "the answer with DNS")
    end(world)


@test(deadline=60)
def known_names_work_while_dns_is_gone():
    for way in WAYS:
        goes_on_without_dns(way)


# Resets.


def reset_at(stage):
    """An origin's script that resets the connection there."""

    def script(wire):
        if stage == "before the request":
            return wire.reset()
        wire.through(b"\r\n\r\n")
        if stage == "behind the head":
            return wire.reset()
        wire.exactly(10)
        if stage == "in the request's body":
            return wire.reset()
        wire.exactly(90)
        if stage == "before the answer":
            return wire.reset()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        if stage == "behind the answer's head":
            return wire.reset()
        wire.send(b"x" * 50)
        # Not before it is out: a reset throws away what is in the buffers.
        pass_time(0.05)
        return wire.reset()

    return script


STAGES = ["before the request", "behind the head", "in the request's body", "before the answer"]
STAGES += ["behind the answer's head", "in the answer's body"]


def tells_a_reset(world, stage):
    """A status that is not 200, or an answer that is visibly cut."""
    wire = client(world)
    try:
        wire.send(request("/", host=HOST, method="POST", body=b"b" * 100))
        answer = wire.message()
    except (Cut, ConnectionError):
        return
    finally:
        wire.close()
    same(answer.status // 100, 5, f"status after a reset {stage}")


@test(deadline=60)
def a_reset_at_any_stage_is_never_taken_for_an_answer():
    for way in WAYS:
        world = world_of(way)
        for stage in STAGES:
            origin = world.origin(reset_at(stage), "httpbin.org", PORT)
            for _ in range(10):
                tells_a_reset(world, stage)
            true(origin.wires, f"nothing arrived for a reset {stage}")
            origin.close()
        origin = world.origin(OK, "httpbin.org", PORT)
        wire = client(world)
        wire.send(request("/", host=HOST))
        same(wire.message().status, 200, "afterwards")
        wire.close()
        origin.close()
        end(world)


# Slow ones.

SIZE = 48 * MIB  # more than the buffers of the kernel on all the way


def bounded(world, before, what):
    if not is_instrumented():
        within(memory(world) - before, -64 * MIB, 4 * MIB, f"memory with {what}")


def bears_a_slow_reader(way):
    def script(wire):
        wire.message()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
        for _ in range(SIZE // MIB):
            wire.send(b"d" * MIB)
        sent.set()
        wire.to_end()

    sent = threading.Event()
    world = world_of(way, script)
    before = memory(world)
    wire = client(world, receive_buffer=65536)
    wire.send(request("/", host=HOST))
    wire.through(b"\r\n\r\n")
    pass_time(0.5)
    true(not sent.is_set(), "all went out to a client that reads nothing")
    bounded(world, before, "a client that reads nothing")
    same(len(wire.exactly(SIZE)), SIZE)
    bounded(world, before, "a client that has read all")
    wire.close()
    world.load.close()
    end(world)


def bears_a_slow_origin(way):
    def script(wire):
        wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        wire.through(b"\r\n\r\n")
        go.wait(CERTAINLY)
        wire.exactly(SIZE)
        wire.send(OK)
        wire.to_end()

    go = threading.Event()
    world = world_of(way, script)
    before = memory(world)
    wire = client(world)
    wire.send(f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {SIZE}\r\n\r\n".encode())
    # A piece at a time: each has its own deadline.
    sender = threading.Thread(target=lambda: [wire.send(b"u" * MIB) for _ in range(SIZE // MIB)], daemon=True)
    sender.start()
    pass_time(0.5)
    true(sender.is_alive(), "all went out to an origin that reads nothing")
    bounded(world, before, "an origin that reads nothing")
    go.set()
    sender.join()
    same(wire.message().status, 200)
    bounded(world, before, "an origin that has read all")
    wire.close()
    world.load.close()
    end(world)


def bears_slow_writers(way):
    """A byte at a time, both ways."""

    def script(wire):
        message = wire.message()
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(message.body) + message.body:
            wire.send(bytes([byte]))
            pass_time(0.001)
        wire.to_end()

    world = world_of(way, script)
    wire = client(world)
    body = bytes(range(100, 200))
    for byte in request("/", host=HOST, method="POST", body=body):
        wire.send(bytes([byte]))
        pass_time(0.001)
    same(wire.message().body, body)
    wire.close()
    world.load.close()
    end(world)


@test(deadline=60)
def a_slow_reader_takes_no_memory():
    for way in WAYS:
        bears_a_slow_reader(way)


@test(deadline=60)
def an_origin_that_reads_slowly_takes_no_memory():
    for way in WAYS:
        bears_a_slow_origin(way)


@test(deadline=60)
def slow_writers_are_heard_to_the_end():
    for way in WAYS:
        bears_slow_writers(way)


main()
