"""The end of a proxy under load: nobody who was let in goes without an answer."""

import signal
import threading

from harness import has, main, same, test, true, until
from load import Load
from origins import Origin
from proxy import gateway
from wire import OK, Client, request

BIG = b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + b"x" * 50000


def ends(proxy):
    same(proxy.process.wait(20), 0, "exit status")


@test
def readiness_fails_at_once_and_serving_goes_on_for_the_delay():
    proxy = gateway(Origin(), "--drain-delay", "1500ms")
    client = Client(proxy)
    same((client.ask().status, proxy.ask_admin("/readyz").status), (200, 200))
    proxy.process.terminate()
    until(lambda: proxy.ask_admin("/readyz").status == 503, "it is not ready")
    same(proxy.ask_admin("/healthz").status, 200, "status of /healthz")
    for asker in (client, Client(proxy)):
        answer = asker.ask()
        same((answer.status, answer.get("connection")), (200, None))
    until(lambda: client.ask().get("connection") == "close", "the delay is over")
    has(proxy.stderr(), "no new connections", "stderr")
    ends(proxy)


@test
def sigint_and_a_second_signal_wait_for_no_delay():
    for first, second in ((signal.SIGINT, None), (signal.SIGTERM, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT)):
        proxy = gateway(Origin(), "--drain-delay", "20s")
        proxy.get()
        proxy.process.send_signal(first)
        if second:
            until(lambda: "stopping" in proxy.stderr(), "the first was heard")
            proxy.process.send_signal(second)
        ends(proxy)


@test(deadline=60)
def under_load_no_request_fails():
    """Kept connections and new ones; with and without a delay; small answers and some that take a while."""
    for delay, per_connection, answer, workers in (
        ("1s", 50, OK, 2), ("0", 50, OK, 2), ("0", 1, OK, 2), ("0", 3, BIG, 1), ("300ms", 1, BIG, 2),
    ):  # fmt: skip
        proxy = gateway(Origin(answer), "--drain-delay", delay, "--access-log", "off", workers=workers)
        load = Load(proxy.port, clients=8, per_connection=per_connection, stop_when_refused=True)
        load.more(300)
        before = load.answered
        proxy.process.terminate()
        ends(proxy)
        load.wait()
        true(delay == "0" or load.answered - before > 100, "nothing was served during the delay")


@test
def who_is_connected_and_has_not_asked_yet_gets_an_answer():
    proxy = gateway(Origin())
    proxy.get()
    client = Client(proxy)
    proxy.process.terminate()
    until(lambda: "no new connections" in proxy.stderr(), "it stops")
    same(client.ask().get("connection"), "close", "Connection")
    ends(proxy)


@test
def a_body_under_way_arrives_whole():
    go = threading.Event()

    def script(wire):
        wire.message()
        wire.send(BIG[:1000])
        go.wait(10)
        wire.send(BIG[1000:])
        wire.to_end()

    origin = Origin(script)
    proxy = gateway(origin)
    client = Client(proxy).send(request())
    client.through(b"\r\n\r\n")
    proxy.process.terminate()
    until(lambda: "no new connections" in proxy.stderr(), "it stops")
    go.set()
    same(len(client.exactly(50000)), 50000)
    ends(proxy)


@test
def the_deadline_holds_for_the_delay_and_the_rest_together():
    origin = Origin(lambda wire: wire.to_end())
    proxy = gateway(origin, "--drain-delay", "200ms", "--shutdown-timeout", "400ms")
    Client(proxy).send(request())
    until(lambda: origin.wires and origin.wires[0].received, "the request is under way")
    proxy.process.terminate()
    ends(proxy)
    has(proxy.stderr(), "shutdown took too long", "stderr")


main()
