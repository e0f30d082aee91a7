"""A server that says what no API server should: each is a bounded error, and the gateway goes on, and learns the rest."""

import gzip
import itertools
import json

from harness import has, main, pass_time, same, test, true, until, within
from apiserver import END, OPEN, ApiServer, as_json, event, external, hang_up, listed, response, stream
from kubeserver import NOBODY, routed, routes
from origins import Origin
from proxy import Proxy, is_instrumented

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ALL = "/api/v1/namespaces/default/services"


def in_default(made):
    made["metadata"]["namespace"] = "default"
    return made


WEB = in_default(external("web", 1, "web.test"))
NEW = in_default(external("new", 99, "new.test"))


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def endless_chunks(piece):
    def send(wire):
        wire.send(HEAD)
        while True:
            wire.send(chunk(piece))

    return send


def bytes_then_hang_up(data):
    def send(wire):
        wire.send(data)
        hang_up(wire)

    return send


HUGE = b'{"type":"ADDED","object":{"metadata":{"name":"x","namespace":"default","resourceVersion":"5","labels":{"a":"'
WATCHES = {
    "cut JSON": lambda wire: stream(wire, '{"type":"ADDED","object":{"metadata":', END),
    "a wrong type of event": lambda wire: stream(wire, '{"type":7,"object":{}}', END),
    "an object that is a list": lambda wire: stream(wire, '{"type":"ADDED","object":[]}', END),
    "a list instead": lambda wire: stream(wire, json.dumps({"items": [WEB], "metadata": {"resourceVersion": "1"}}), END),
    "HTML": lambda wire: wire.send(response(200, b"<html>", kind="text/html")),
    "nothing": lambda wire: wire.send(response(200)),
    "not HTTP": bytes_then_hang_up(b"220 mail.test ESMTP\r\n"),
    "an endless head": bytes_then_hang_up(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000),
    "an endless chunk": bytes_then_hang_up(HEAD + b"fffffffff\r\n" + b" " * (6 << 20)),
    "endless blanks": endless_chunks(b" " * 65536),
    "an endless string": endless_chunks(b'"' + b"x" * 65536),
    "endless brackets": bytes_then_hang_up(HEAD + chunk(b'{"object":' * 500)),
    "a huge object": bytes_then_hang_up(HEAD + chunk(HUGE + b"x" * (6 << 20))),
    "a compressed body": lambda wire: wire.send(response(200, gzip.compress(b"{}"), "Content-Encoding: gzip")),
    "a bad chunk": bytes_then_hang_up(HEAD + b"zz\r\n{}\r\n"),
    "bad UTF-8": bytes_then_hang_up(HEAD + chunk(b'{"type":"\xff\xfe"}')),
    "an expired watch": lambda wire: stream(wire, '{"type":"ERROR","object":{"code":410,"message":"too old"}}', END),
    "a redirect": lambda wire: wire.send(response(302, b"", "Location: https://elsewhere.test/")),
    "an error": lambda wire: wire.send(response(500, b"x" * 200_000)),
}
LISTS = {
    "cut JSON": bytes_then_hang_up(HEAD + chunk(b'{"items":[{"metadata":{"name":"evil"')),
    "wrong types": lambda wire: wire.send(as_json({"metadata": {"resourceVersion": 7}, "items": "none"})),
    "no version": lambda wire: wire.send(as_json({"metadata": {}, "items": []})),
    "items that are none": lambda wire: wire.send(as_json({"metadata": {"resourceVersion": "1"}, "items": [1, 2]})),
    "an endless list": endless_chunks(b'{"items":[' + b"{" * 10),
    "an endless token": endless_chunks(b"x" * 65536),
    "a compressed body": lambda wire: wire.send(response(200, gzip.compress(b"{}"), "Content-Encoding: gzip")),
    "a huge object": bytes_then_hang_up(HEAD + chunk(b'{"items":[{"spec":"' + b"x" * (6 << 20))),
    "a length that lies": bytes_then_hang_up(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}"),
}


class Hostile(ApiServer):
    """Answers the n-th list and the n-th watch with the n-th function, and well behind the last."""

    def __init__(self, lists=(), watches=()):
        self.bad = {False: list(lists), True: list(watches)}
        self.number = {False: itertools.count(), True: itertools.count()}
        super().__init__()

    def talk(self, wire):
        while True:
            message = wire.message()
            is_watch = "watch=1" in message.target
            n = next(self.number[is_watch])
            if n < len(self.bad[is_watch]):
                self.bad[is_watch][n](wire)
            elif is_watch:
                stream(wire, json.dumps({"type": "ADDED", "object": NEW}), OPEN)
            else:
                stream(wire, *listed(10, WEB))


def follow(server):
    proxy = Proxy(None, "--kube", "--server", server.url, "--dns", NOBODY, "--log-level", "debug")
    proxy.fds_at_start += 2
    return proxy


def check(name, server):
    proxy = follow(server)
    until(lambda: sorted(routes(proxy)) == ["new:80", "web:80"], lambda: f"{name}: {proxy.stderr()}", 20)
    has(proxy.stderr(), "API server error=", f"what the log says of {name}")
    if not is_instrumented():
        within(proxy.memory("Private_Dirty"), 0, 8 << 20, f"memory after {name}")
    return proxy


def test_each(kind, answers, of):
    for name, answer in answers.items():
        def run(name=name, answer=answer):
            check(name, of(answer))

        run.__name__ = f"{kind}_{name}".replace(" ", "_").replace("-", "_").lower()
        test(run, deadline=40)


test_each("a_watch_that_brings", WATCHES, lambda answer: Hostile(watches=[answer]))
test_each("a_list_that_brings", LISTS, lambda answer: Hostile(lists=[answer]))


@test(deadline=60)
def the_routes_stay_while_the_server_says_nonsense():
    origin = Origin()
    server = Hostile(watches=[WATCHES["HTML"]] * 3 + [WATCHES["cut JSON"]] * 2)
    proxy = Proxy(None, "--kube", "--server", server.url, "--dns", NOBODY, resolve={"web.test": origin.address})
    proxy.fds_at_start += 2
    routed(proxy, "web:80")
    while len(routes(proxy)) < 2:
        same(proxy.get("/", host="web").status, 200)
        pass_time(0.05)  # of the admin port's connections there is a bounded number
    same(proxy.get("/", host="web").status, 200)
    true(proxy.metrics()["egressbox_kube_failures_total"] >= 5, "failures were counted")


main()
