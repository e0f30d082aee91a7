"""A stand-in for a Kubernetes API server: HTTPS, Status objects, lists in pages, and all that can go wrong.

    lab = Lab()
    server = ApiServer({"/api/v1/nodes": [node, node], "/version": {"minor": "33"}}, tls=by_address(lab), token="t")
    run(EGRESSBOX, ..., "--server", server.url, "--certificate-authority", lab.ca, ...)
    same(server.paths, ["/api/v1/nodes?limit=500"])

A list is answered as pages of `?limit=` and `?continue=`, everything else as it is. Paths under TRICKS are there
on every server and do what their name says.

As a program (`apiserver.py`) it starts one server of each kind of SERVERS and prints a line `NAME PORT` for each and
`dir PATH` for the folder with ca.pem, client.pem and client.key; it ends with its standard input. That is for
tests/unit/kubeapi.
"""

import contextlib
import gzip
import itertools
import json
import re
import shutil
import ssl
import sys
import threading
import urllib.parse

from harness import scope
from origins import Lab, Origin, openssl

REASONS = {
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 410: "Expired",
    422: "Invalid", 429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable",
}  # fmt: skip


def response(status, body=b"", *fields, kind="application/json"):
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def as_json(value, status=200, *fields):
    return response(status, json.dumps(value).encode(), *fields)


def failure(code, message, *fields, **details):
    """The Status object of a refusal."""
    status = {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
        "reason": REASONS.get(code, "Unknown"), "details": details, "code": code,
    }  # fmt: skip
    return as_json(status, code, *fields)


def forbidden(path):
    """What a server with RBAC says to a service account that may not."""
    kind = path.rstrip("/").split("/")[-1]
    user = "system:serviceaccount:default:default"
    return failure(
        403,
        f'{kind} is forbidden: User "{user}" cannot list resource "{kind}" in API group "" at the cluster scope',
        kind=kind,
    )


class ApiServer(Origin):
    """`objects` maps paths to JSON values, to bytes (a whole response), or to functions of a message to either.

    `token`: what Authorization must have, or 401. `forbidden`: paths that get 403. `expire_after`: continue tokens
    are no good (410) after so many pages. `requests` are the messages received, `paths` their targets.
    """

    def __init__(self, objects=(), *, tls=None, token=None, forbidden=(), expire_after=None, address="127.0.0.1"):
        self.objects, self.token, self.forbidden = dict(objects), token, set(forbidden)
        self.expire_after, self.pages, self.counts = expire_after, 0, {}
        super().__init__(self.talk, tls=tls, address=address)
        self.url = f"{'https' if tls else 'http'}://{self.address}"

    @property
    def paths(self):
        return [message.target for message in self.requests]

    def talk(self, wire):
        for number in itertools.count(1):
            message = wire.message()
            message.number = number  # on this connection
            self.requests.append(message)
            path = message.target.split("?")[0]
            trick = TRICKS.get(re.match(r"/[a-z-]*", path).group())
            if self.token is not None and message.get("authorization") != f"Bearer {self.token}":
                wire.send(failure(401, "Unauthorized"))
            elif path in self.forbidden:
                wire.send(forbidden(path))
            elif path in self.objects:
                wire.send(self.answer(self.objects[path], message))
            elif trick:
                trick(self, wire, message, path.split("/")[2:])
            else:
                wire.send(failure(404, "the server could not find the requested resource"))

    def answer(self, value, message):
        if callable(value):
            value = value(message)
        if isinstance(value, bytes):
            return value
        return self.page(value, message) if isinstance(value, list) else as_json(value)

    def page(self, items, message):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(message.target).query)
        limit, at = int(query.get("limit", ["0"])[0]), 0
        if "continue" in query:
            at = int(query["continue"][0].removesuffix("+/="))  # what a query has to escape
        self.pages += 1
        if at and self.expire_after is not None and self.pages > self.expire_after:
            self.expire_after = None
            return failure(410, "The provided continue parameter is too old to display a consistent list result.")
        end = at + limit if limit else len(items)
        metadata = {"resourceVersion": "1"}
        if end < len(items):
            metadata |= {"continue": f"{end}+/=", "remainingItemCount": len(items) - end}
        return as_json({"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items[at:end]})


# What a path can make a server do. Each: (server, wire, message, the path's further words).


def hang_up(wire):
    """Ends without TLS's close_notify, as a killed server does."""
    raise EOFError


def end_well(wire):
    if isinstance(wire.sock, ssl.SSLSocket):
        with contextlib.suppress(OSError):
            wire.sock.settimeout(None)
            wire.sock = wire.sock.unwrap()
    raise EOFError


def do_echo(server, wire, message, words):
    wire.send(
        as_json(
            {
                "start": message.start,
                "fields": message.fields,
                "body": message.body.decode(),
                "number": message.number,
                "client": (wire.sock.getpeercert() or {}).get("subject") if server.tls else None,
            }
        )
    )


def do_status(server, wire, message, words):
    code = int(words[0])
    wire.send(forbidden("/api/v1/nodes") if code == 403 else failure(code, f"status {code} it is"))


def do_page_of_html(server, wire, message, words):
    wire.send(response(int(words[0]), b"<html>nothing to see</html>", kind="text/html"))


def do_flaky(server, wire, message, words):
    """/flaky/503/2/ID: 503 twice, then 200."""
    code, times, name = int(words[0]), int(words[1]), words[2]
    seen = server.counts[name] = server.counts.get(name, 0) + 1
    wire.send(failure(code, "try again", "Retry-After: 0") if seen <= times else as_json({"tries": seen}))


def do_wait(server, wire, message, words):
    """/wait/7: 429 that asks for 7 seconds."""
    wire.send(failure(429, "please wait", f"Retry-After: {words[0]}"))


def do_huge_refusal(server, wire, message, words):
    wire.send(response(403, b"x" * 200_000))


def do_cut(server, wire, message, words):
    wire.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"items":[')
    hang_up(wire)


def do_cut_well(server, wire, message, words):
    wire.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"items":[')
    end_well(wire)


def do_cut_chunked(server, wire, message, words):
    wire.send(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n{"items":[\r\n')
    end_well(wire)


def do_cut_head(server, wire, message, words):
    wire.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    hang_up(wire)


def do_chunked(server, wire, message, words):
    wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for piece in b'{"chunks":', b"[", b"1" * 5000, b"]}":
        wire.send(b"%x\r\n%s\r\n" % (len(piece), piece))
    wire.send(b"0\r\n\r\n")


def do_until_close(server, wire, message, words):
    wire.send(b'HTTP/1.1 200 OK\r\n\r\n{"closed":true}')
    end_well(wire)


def do_until_cut(server, wire, message, words):
    wire.send(b'HTTP/1.1 200 OK\r\n\r\n{"closed":tr')
    hang_up(wire)


def do_large(server, wire, message, words):
    wire.send(response(200, b"0123456789" * (int(words[0]) // 10)))


def do_endless(server, wire, message, words):
    wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        wire.send(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")


def do_slow(server, wire, message, words):
    wire.to_end()


def do_slow_body(server, wire, message, words):
    wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    wire.to_end()


def do_drip(server, wire, message, words):
    """A byte every 20 ms: always some progress, and never an end."""
    wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        wire.send(b"x")
        threading.Event().wait(0.02)


def do_last(server, wire, message, words):
    """A good answer on a connection that ends behind it, unannounced."""
    wire.send(as_json({"last": True}))
    end_well(wire)


def do_hang_up(server, wire, message, words):
    server.counts["hang-up"] = server.counts.get("hang-up", 0) + 1
    hang_up(wire)


def do_nonsense(server, wire, message, words):
    wire.send(b"SSH-2.0-OpenSSH_9.6\r\n")


def do_redirect(server, wire, message, words):
    wire.send(response(302, b"", "Location: https://elsewhere.test/"))


def do_interim(server, wire, message, words):
    wire.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * int(words[0]) + as_json({"after": words[0]}))


def do_nothing(server, wire, message, words):
    wire.send(b"HTTP/1.1 204 No Content\r\n\r\n")


def do_compressed(server, wire, message, words):
    wire.send(response(200, gzip.compress(b'{"items":[]}'), "Content-Encoding: gzip"))


def do_more_than_said(server, wire, message, words):
    wire.send(as_json({"more": 1}) + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL")


# Lists and watches of /api/v1/namespaces/SCENARIO/services. Each scenario: (watch or list, number of the request of
# its kind, its query) to the texts of the body, one chunk each; the last word is how it ends: END, CUT or OPEN.
END, CUT, OPEN = "end", "cut", "open"


def item(name, version):
    return {"metadata": {"name": name, "namespace": "n", "resourceVersion": str(version), "uid": f"u-{name}"}}


def event(kind, name, version):
    return json.dumps({"type": kind, "object": item(name, version)}) + "\n"


def listed(version, *items, token=""):
    return json.dumps({"metadata": {"resourceVersion": str(version), "continue": token}, "items": items}), END


def steady(is_watch, number, query):
    if not is_watch:
        more = query.get("continue") == ["t+/="]
        return listed(10, item("b", 2)) if more else listed(10, item("a", 1), token="t+/=")
    if query["resourceVersion"] == ["10"]:
        bookmark = json.dumps({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "20"}}})
        return event("ADDED", "c", 11) + event("MODIFIED", "a", 12), event("DELETED", "b", 13), bookmark, END
    return (event("ADDED", "d", 21), OPEN) if query["resourceVersion"] == ["20"] else (OPEN,)


def too_old(is_watch, number, query):
    error = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old resource version: 1 (9)"}}
    if is_watch:
        return (json.dumps(error), OPEN) if number == 1 else (OPEN,)
    return listed(10, item("a", 1)) if number == 1 else listed(30, item("b", 2))


def too_old_at_once(is_watch, number, query):
    return failure(410, "too old") if is_watch and number == 1 else too_old(is_watch, number + 1, query)


def cut_in_an_event(is_watch, number, query):
    if not is_watch:
        return listed(10, item("a", 1))
    text = event("ADDED", "c", 11)
    return (text[:40], CUT) if number == 1 else (text if query["resourceVersion"] == ["10"] else "", OPEN)


def page_expires(is_watch, number, query):
    if is_watch:
        return (OPEN,)
    if number == 2:
        return failure(410, "The provided continue parameter is too old")
    return listed(10, item("a", 1), token="t") if number == 1 else listed(12, item("b", 2))


def not_yet(is_watch, number, query):
    return forbidden("/services") if number < 3 and not is_watch else steady(is_watch, number, query)


def no_watch(is_watch, number, query):
    if is_watch and number < 4:
        return forbidden("/services")
    return (OPEN,) if is_watch else listed(10, item("a", 1))


def nonsense(is_watch, number, query):
    """What no watch should bring, one after the other."""
    wrong = (
        '{"type":"ADDED","object":7}', '{"type":"SHOUTED","object":{}}', "<html>", '{"type":"ADDED","object":{}}',
        '{"type":"ADDED","object":{"metadata":{"name":"x"}}}', "{}", "",
    )  # fmt: skip
    if not is_watch:
        return listed(10, item("a", 1))
    return (wrong[number - 1], END) if number <= len(wrong) else (event("ADDED", "c", 11), OPEN)


def external(name, version, host, port=80, protocol="http"):
    spec = {"type": "ExternalName", "externalName": host, "ports": [{"name": protocol, "port": port}]}
    return {**item(name, version), "spec": spec}


def external_names(is_watch, number, query):
    """A list with one Service that is no good, then one that is changed and one that goes."""
    if not is_watch:
        inside = {**item("inside", 3), "spec": {"type": "ClusterIP", "ports": [{"port": 80}]}}
        return listed(9, external("b", 1, "b.test"), external("bad", 2, "x" * 70), inside, external("c", 4, "c.test", 443, "https"))
    changes = ("MODIFIED", external("b", 11, "new.test")), ("DELETED", external("c", 12, "c.test"))
    return (*(json.dumps({"type": kind, "object": made}) for kind, made in changes), OPEN)


SCENARIOS = {
    f.__name__: f for f in (
        external_names, steady, too_old, too_old_at_once, cut_in_an_event, page_expires, not_yet, no_watch, nonsense,
    )
}  # fmt: skip


def take_event(message):
    """201 for an event that has all it needs, else 422."""
    made = json.loads(message.body)
    about = {"apiVersion": "v1", "kind": "Service", "name": "web", "namespace": "takes", "uid": "u-1", "resourceVersion": "7"}
    good = made["involvedObject"] == about and made["metadata"] == {"generateName": "web.", "namespace": "takes"}
    good = good and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", made["firstTimestamp"]) and made["count"] == 1
    good = good and (made["type"], made["reason"], made["source"]) == ("Warning", "NotRouted", {"component": "tester"})
    return as_json(made, 201) if good and made["message"] else failure(422, "no event")


def do_api(server, wire, message, words):
    if words[3:] == ["events"]:
        wire.send(take_event(message) if words[2] == "takes" else forbidden("/events"))
        return
    if len(words) != 4 or words[2] not in SCENARIOS:
        wire.send(failure(404, "the server could not find the requested resource"))
        return
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(message.target).query)
    is_watch = "watch" in query
    number = server.counts[words[2], is_watch] = server.counts.get((words[2], is_watch), 0) + 1
    answer = SCENARIOS[words[2]](is_watch, number, query)
    if isinstance(answer, bytes):
        wire.send(answer)
    else:
        stream(wire, *answer)


def stream(wire, *texts):
    """A chunked answer; the last word says how it ends."""
    *texts, end = texts
    wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    for text in texts:
        if text:
            wire.send(b"%x\r\n%s\r\n" % (len(text.encode()), text.encode()))
    if end == OPEN:
        wire.to_end()
    if end == CUT:
        hang_up(wire)
    wire.send(b"0\r\n\r\n")


TRICKS = {"/" + name[3:].replace("_", "-"): f for name, f in globals().items() if name.startswith("do_")}


# Certificates.


def context(lab, names, **options):
    made = lab.context(names, **options)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made


def by_name(lab, name="api.test", **options):
    return context(lab, f"DNS:{name}", **options)


def by_address(lab, *addresses, **options):
    """A certificate with addresses only, as an API server may have."""
    return context(lab, ",".join(f"IP:{a}" for a in addresses or ("127.0.0.1", "::1")), **options)


def tls13_only(lab):
    made = by_address(lab)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    return made


def tls12_only(made):
    made.maximum_version = ssl.TLSVersion.TLSv1_2
    return made


def with_clients(lab):
    """Wants a certificate of the client's, signed by the lab."""
    made = tls12_only(by_address(lab))
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_verify_locations(lab.ca)
    return made


# X(name: how the server of that name is made), of one lab.
SERVERS = {
    "plain": lambda lab: ApiServer(),
    "ssh": lambda lab: Origin(lambda wire: wire.send(b"SSH-2.0-OpenSSH_9.6\r\n").to_end()),
    "pages": lambda lab: ApiServer({"/api/v1/nodes": [{"kind": "Node", "n": n} for n in range(7)]}, expire_after=2),
    "token": lambda lab: ApiServer({"/ok": {"ok": True}}, tls=by_address(lab), token="sesame.token"),
    "name": lambda lab: ApiServer(tls=by_name(lab)),
    "ip4": lambda lab: ApiServer(tls=by_address(lab)),
    "ip4-rsa": lambda lab: ApiServer(tls=by_address(lab, key="rsa:2048")),
    "ip6": lambda lab: ApiServer(tls=by_address(lab), address="::1"),
    "ip6-only": lambda lab: ApiServer(tls=by_address(lab, "::1")),
    "other-ip": lambda lab: ApiServer(tls=by_address(lab, "127.0.0.2", "::2")),
    "text-ip": lambda lab: ApiServer(tls=context(lab, "DNS:127.0.0.1")),
    "wrong-name": lambda lab: ApiServer(tls=by_name(lab, "other.test")),
    "expired": lambda lab: ApiServer(tls=by_address(lab, start=-20 * 86400)),
    "stranger": lambda lab: ApiServer(tls=by_address(Lab("Stranger"))),
    "tls13": lambda lab: ApiServer(tls=tls13_only(lab)),
    "clients": lambda lab: ApiServer(tls=with_clients(lab)),
}


def client_files(lab):
    """client.pem and client.key, and the same with RSA keys, in the lab's folder."""
    for stem, key in ("client", "P-256"), ("client384", "P-384"), ("client-rsa", "rsa:2048"):
        cert, keyfile = lab.issue("", key=key)
        shutil.copy(cert, lab.dir / f"{stem}.pem")
        shutil.copy(keyfile, lab.dir / f"{stem}.key")
    openssl("rsa", "-in", lab.dir / "client-rsa.key", "-traditional", "-out", lab.dir / "client-rsa1.key")
    openssl("ec", "-in", lab.dir / "client.key", "-out", lab.dir / "client-sec1.key")


def serve():
    scope.open()
    try:
        lab = Lab()
        client_files(lab)
        servers = {name: make(lab) for name, make in SERVERS.items()}
        print("dir", lab.dir)
        for name, server in servers.items():
            print(name, server.port)
        print("ready", 0, flush=True)
        sys.stdin.read()
    finally:
        scope.close(False)


if __name__ == "__main__":
    serve()
