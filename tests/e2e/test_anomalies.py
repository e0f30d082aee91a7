"""The anomaly corpus against the running proxy, both directions: tests/data/anomalies, whose index.txt say
what each file is and what must become of it.
"""

import contextlib

from harness import HERE, Failed, main, pass_time, same, test
from wire import OK, Client, Cut, request
from origins import Origin
from proxy import Proxy

CORPUS = HERE.parent / "data/anomalies"
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: a}
spec: {type: ExternalName, externalName: a.test, ports: [{name: http, port: 80}]}
"""
GOOD = request("/good", host="a")
BATCH = 200  # connections at once


class Case:
    def __init__(self, direction, line):
        self.name, statuses, *columns = line.split(None, 4)
        self.reach = columns[0] if direction == "requests" else None
        self.outcomes = [tuple(a.split(",")) for a in statuses.split("|")]
        self.raw = (CORPUS / direction / f"{self.name}.raw").read_bytes()

    def __repr__(self):
        return self.name


def cases(direction):
    lines = (CORPUS / direction / "index.txt").read_text().splitlines()
    return [Case(direction, line) for line in lines if line and line[0] != "#"]


def serving(script):
    origin = Origin(script)
    return origin, Proxy(SERVICE, resolve={"a.test": origin.address})


def all_right(wrong):
    """Fails with every case that went wrong, the first ones in full."""
    if wrong:
        raise Failed(f"{len(wrong)} wrong: " + "; ".join(wrong[:12]))


def batches(things):
    return (things[i : i + BATCH] for i in range(0, len(things), BATCH))


# Requests.


def statuses(client, outcomes):
    """The statuses of all answers until the proxy closes. Where an outcome allows an end without an
    error, the client half-closes to bring it about; after an error the proxy must do so by itself.
    """
    seen = []
    with contextlib.suppress(Cut):
        while True:
            if tuple(seen) in outcomes and not (seen and seen[-1] >= "400"):
                with contextlib.suppress(OSError):  # the proxy may have closed it already
                    client.half_close()
            try:
                seen.append(str(client.message().status))
            except ConnectionResetError:
                # What a client sends behind its own "Connection: close" may meet a closed connection.
                if tuple(seen) not in outcomes:
                    raise
                break
    if client.rest():
        seen.append(f"and {client.rest()!r}")
    return tuple(seen)


def judged(client, case, before=()):
    """Complaints about what the client got."""
    outcomes = [before + o for o in case.outcomes]
    try:
        got = statuses(client, outcomes)
    except (Failed, OSError) as e:
        return [f"{case}: {e}"]
    return [] if got in outcomes else [f"{case}: answers {','.join(got)}"]


def reached(case, count):
    """May this many whole requests have reached the origin?"""
    return count == (int(case.reach) if case.reach.isdigit() else 0) or (count == 0 and ("400",) in case.outcomes)


@test
def a_refused_request_in_one_piece_is_answered_once_and_reaches_nobody():
    origin, proxy = serving(OK)
    wrong = []
    for case in cases("requests"):
        bytes_before, requests_before = len(origin.received()), len(origin.requests)
        client = Client(proxy).send(case.raw)
        wrong += judged(client, case)
        client.close()
        if not case.reach.isdigit() and len(origin.received()) != bytes_before:
            wrong.append(f"{case}: upstream got {origin.received()[bytes_before:]!r}")
        if not reached(case, len(origin.requests) - requests_before):
            wrong.append(f"{case}: upstream got {len(origin.requests) - requests_before} requests")
    all_right(wrong)


@test
def a_refused_request_behind_a_good_one_changes_nothing_for_that_one():
    origin, proxy = serving(OK)
    wrong = []
    for case in cases("requests"):
        bytes_before, requests_before = len(origin.received()), len(origin.requests)
        client = Client(proxy).send(GOOD + case.raw)
        wrong += judged(client, case, before=("200",))
        client.close()
        got = origin.received()[bytes_before:]
        if not case.reach.isdigit() and (got.count(b"HTTP/1.1\r\n") != 1 or not got.startswith(b"GET /good ")):
            wrong.append(f"{case}: upstream got {got!r}")
        if not reached(case, len(origin.requests) - requests_before - 1):
            wrong.append(f"{case}: upstream got {len(origin.requests) - requests_before} requests")
    all_right(wrong)


@test
def a_refused_request_in_single_bytes_gets_the_same_verdict():
    for kind in ("none", "incomplete", "whole"):
        origin, proxy = serving(OK)
        chosen = of_kind(kind)
        clients = [Client(proxy) for _ in chosen]
        for i in range(max(len(c.raw) for c in chosen)):
            for client, case in zip(clients, chosen):
                with contextlib.suppress(OSError):  # it may have been refused already
                    client.send(case.raw[i : i + 1])
        all_right([w for client, case in zip(clients, chosen) for w in judged(client, case)])
        check_upstream(kind, origin, chosen)


@test(deadline=60)
def a_refused_request_split_at_any_byte_gets_the_same_verdict():
    for kind in ("none", "incomplete", "whole"):
        origin, proxy = serving(OK)
        splits = [(case, at) for case in of_kind(kind) for at in range(1, len(case.raw))]
        for batch in batches(splits):
            clients = [Client(proxy).send(case.raw[:at]) for case, at in batch]
            for client, (case, at) in zip(clients, batch):
                with contextlib.suppress(OSError):
                    client.send(case.raw[at:])
            all_right([f"at {at}: {w}" for client, (case, at) in zip(clients, batch) for w in judged(client, case)])
            for client in clients:
                client.close()
        check_upstream(kind, origin, [case for case, _ in splits])


def of_kind(kind):
    return [c for c in cases("requests") if c.reach == kind or (c.reach.isdigit() and kind == "whole")]


def check_upstream(kind, origin, chosen):
    """What the origin saw of all these together."""
    if kind == "none":
        same(origin.received(), b"", "what reached the origin")
    elif kind == "incomplete":
        same([r.raw for r in origin.requests], [], "whole requests that reached the origin")
    else:
        most = sum(int(c.reach) for c in chosen)
        least = sum(int(c.reach) for c in chosen if ("400",) not in c.outcomes)
        if not least <= len(origin.requests) <= most:
            raise Failed(f"{len(origin.requests)} requests reached the origin, expected {least} to {most}")


# Responses.


def malicious(corpus):
    """A script that answers `/NAME` with that file and leaves; `?bytes` in single bytes, `?N` in two pieces."""
    raws = {case.name: case.raw for case in corpus}

    def script(wire):
        while True:
            name, _, how = wire.message().target[1:].partition("?")
            if name == "good":
                wire.send(OK)
                continue
            raw = raws[name]
            if how == "bytes":
                pieces = [raw[i : i + 1] for i in range(len(raw))]
            else:
                pieces = [raw[: int(how)], raw[int(how) :]] if how else [raw]
            for piece in pieces:
                wire.send(piece)
                if how:
                    pass_time(0.0005)
            return

    return script


def outcome(client):
    """What the client saw, in the index's words; our own answers are 502 only with our mark."""
    try:
        answer = client.message()
    except (Cut, ConnectionResetError):
        return "cut" if client.received.startswith(b"HTTP/1.1 200 ") else f"end after {bytes(client.received)!r}"
    if answer.status == 502:
        return "502" if answer.reason and answer.all("x-evil") == [] else f"502 with {answer.raw!r}"
    return str(answer.status)


def verdict(client, case):
    try:
        got = outcome(client)
    except (Failed, OSError) as e:
        got = str(e)
    if (got,) not in case.outcomes:
        return [f"{case}: client got {got} {bytes(client.received[:500])!r}"]
    if got == "cut" and client.received.endswith(b"\r\n0\r\n\r\n"):
        return [f"{case}: the cut body ends as if complete"]
    return []


@test
def a_malicious_response_in_one_piece_is_502_or_visibly_cut():
    corpus = cases("responses")
    _, proxy = serving(malicious(corpus))
    wrong = []
    for case in corpus:
        client = Client(proxy).send(request(f"/{case}", host="a"))
        wrong += verdict(client, case)
    all_right(wrong)


@test
def after_a_malicious_response_the_next_request_gets_its_own_answer():
    corpus = cases("responses")
    _, proxy = serving(malicious(corpus))
    wrong = []
    for case in corpus:
        client = Client(proxy).send(request(f"/{case}", host="a") + GOOD)
        outcome(client)
        with contextlib.suppress(OSError, EOFError):
            answer = client.message()
            if (answer.status, answer.body) != (200, b"ok"):
                wrong.append(f"{case}: then {answer.raw!r}")
        if proxy.get("/good", host="a").body != b"ok":
            wrong.append(f"{case}: another client is not served")
    all_right(wrong)


@test
def a_malicious_response_in_single_bytes_gets_the_same_verdict():
    corpus = cases("responses")
    _, proxy = serving(malicious(corpus))
    clients = [Client(proxy).send(request(f"/{case}?bytes", host="a")) for case in corpus]
    all_right([w for client, case in zip(clients, corpus) for w in verdict(client, case)])


@test(deadline=60)
def a_malicious_response_split_at_any_byte_gets_the_same_verdict():
    corpus = cases("responses")
    _, proxy = serving(malicious(corpus))
    for batch in batches([(case, at) for case in corpus for at in range(1, len(case.raw))]):
        clients = [Client(proxy).send(request(f"/{case}?{at}", host="a")) for case, at in batch]
        all_right([f"at {at}: {w}" for client, (case, at) in zip(clients, batch) for w in verdict(client, case)])
        for client in clients:
            client.close()


main()
