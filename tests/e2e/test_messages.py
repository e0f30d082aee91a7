"""What becomes of a message on its way: methods, versions, interim responses, targets, fields."""

import re

from harness import has, lacks, main, need, same, test, true, until, within
from wire import OK, Client, request
from origins import Nginx, Origin, responding
from proxy import curl, gateway

HOP_BY_HOP = ["connection", "proxy-connection", "keep-alive", "te", "transfer-encoding", "upgrade"]


# Methods.


@test
def every_method_but_trace_and_connect_is_forwarded():
    origin = Origin()
    client = Client(gateway(origin))
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "M-SEARCH", "get", "X" * 32):
        same(client.ask("/m", method=method).status, 200, f"status for {method}")
        same(origin.requests[-1].start, f"{method} /m HTTP/1.1", "request line upstream")


@test
def trace_and_connect_are_refused():
    origin = Origin()
    proxy = gateway(origin)
    for line in ("TRACE / HTTP/1.1", "CONNECT origin:80 HTTP/1.1"):
        answer = Client(proxy).send(f"{line}\r\nHost: origin:80\r\n\r\n".encode()).message()
        true(answer.status in (400, 405, 501), f"status for {line} is {answer.status}")
    same(origin.received(), b"", "what reached the origin")


@test
def head_keeps_the_length_and_has_no_body():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n"
    client = Client(gateway(Origin(responding(head, OK))))
    answer = client.ask(method="HEAD")
    same(answer.get("content-length"), "1234")
    same(client.ask().body, b"ok", "the next answer on the connection")


@test
def head_of_a_chunked_resource_leaves_the_connection_usable():
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    origin = Origin(responding(head, OK))
    client = Client(gateway(origin))
    same(client.ask(method="HEAD").status, 200)
    same(client.ask().body, b"ok", "the next answer on the connection")


@test
def a_204_has_neither_body_nor_framing():
    for framing in (b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n", b""):
        client = Client(gateway(Origin(responding(b"HTTP/1.1 204 No Content\r\n" + framing + b"\r\n", OK))))
        answer = client.ask()
        same(answer.status, 204)
        lacks(answer.names(), "content-length", "fields")
        lacks(answer.names(), "transfer-encoding", "fields")
        same(client.ask().body, b"ok", "the next answer on the connection")


@test
def a_304_keeps_its_fields_and_has_no_body():
    answer304 = b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 99\r\n\r\n'
    client = Client(gateway(Origin(responding(answer304, OK))))
    answer = client.ask()
    same((answer.status, answer.get("etag"), answer.get("content-length")), (304, '"x"', "99"))
    same(client.ask().body, b"ok", "the next answer on the connection")


# HTTP/1.0.


@test
def a_1_0_client_gets_its_answer_and_the_end():
    origin = Origin()
    client = Client(gateway(origin)).send(b"GET /old HTTP/1.0\r\nHost: origin\r\n\r\n")
    answer = client.message()
    same((answer.status, answer.body), (200, b"ok"))
    true(client.is_closed(), "the connection stays open")
    same(origin.requests[0].start, "GET /old HTTP/1.1", "request line upstream")


@test
def a_1_0_client_that_asks_for_keep_alive_is_told_what_it_gets():
    client = Client(gateway(Origin()))
    client.send(b"GET / HTTP/1.0\r\nHost: origin\r\nConnection: keep-alive\r\n\r\n")
    answer = client.message()
    same(answer.body, b"ok")
    if (answer.get("connection") or "").lower() == "keep-alive":
        same(client.send(b"GET / HTTP/1.0\r\nHost: origin\r\n\r\n").message().body, b"ok", "second answer")
    true(client.is_closed(), "the connection stays open")


@test
def a_1_0_client_never_sees_chunks_or_interim_responses():
    script = responding(
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    client = Client(gateway(Origin(script))).send(b"GET / HTTP/1.0\r\nHost: origin\r\n\r\n")
    answer = client.message()
    same((answer.status, answer.body), (200, b"abcde"))
    lacks(answer.names(), "transfer-encoding", "fields")


@test
def a_1_0_upstream_is_understood():
    def script(wire):
        wire.message()
        wire.send(b"HTTP/1.0 200 OK\r\n\r\nuntil the end")

    origin = Origin(script)
    client = Client(gateway(origin))
    same(client.ask().body, b"until the end")
    same(client.ask().body, b"until the end", "the second answer")
    same(len(origin.wires), 2, "connections upstream")


# Interim responses and Expect.


@test
def expect_100_continue_is_forwarded_and_the_body_waits_for_it():
    def script(wire):
        head = wire.through(b"\r\n\r\n")
        has(head.lower(), b"expect: 100-continue", "head upstream")
        same(wire.rest(), b"", "body before the 100")
        wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + wire.exactly(4))
        wire.to_end()

    client = Client(gateway(Origin(script)))
    client.send(b"POST / HTTP/1.1\r\nHost: origin\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
    same(client.message().status, 100)
    same(client.send(b"body").message().body, b"body")


@test
def curl_with_expect_uploads_through_nginx():
    need("curl", "nginx")
    proxy = gateway(Nginx("listen LISTEN; location / { return 200 'got $content_length $http_host'; }"))
    done = curl(proxy, "-H", "Expect: 100-continue", "-d", "x" * 5000, "http://origin/")
    same(done.stdout, "got 5000 origin.test")


@test
def a_final_status_instead_of_100_is_passed_on_at_once():
    for first in (b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n", OK):

        def script(wire, answer=first):
            wire.through(b"\r\n\r\n")
            wire.send(answer)
            wire.to_end()

        client = Client(gateway(Origin(script)))
        client.send(b"PUT / HTTP/1.1\r\nHost: origin\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        same(client.message().start.encode(), first.split(b"\r\n")[0], "the status line")


@test
def an_unknown_expectation_is_417():
    origin = Origin()
    answer = gateway(origin).get("/", "Expect: tea")
    same(answer.status, 417)
    same(origin.received(), b"", "what reached the origin")


@test
def several_interim_responses_arrive_in_order():
    interim = b"HTTP/1.1 102 Processing\r\n\r\n" + b"".join(
        b"HTTP/1.1 103 Early Hints\r\nLink: </%d>\r\n\r\n" % i for i in range(3)
    )
    client = Client(gateway(Origin(responding(interim + OK, OK)))).send(request())
    answers = [client.message() for _ in range(5)]
    same([a.status for a in answers], [102, 103, 103, 103, 200], "statuses")
    same([a.get("link") for a in answers[1:4]], ["</0>", "</1>", "</2>"], "their fields")
    same(client.ask().body, b"ok", "the next answer")


@test
def an_endless_row_of_interim_responses_is_cut():
    def script(wire):
        wire.message()
        for _ in range(100000):
            wire.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")

    client, count = Client(gateway(Origin(script))).send(request()), 0
    try:
        while client.message().status == 103:
            count += 1
    except EOFError:
        pass
    within(count, 0, 1000, "interim responses passed on")


@test
def a_101_that_nobody_asked_for_is_a_502():
    answer = gateway(
        Origin(responding(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"))
    ).get()
    same(answer.status, 502)


# Targets.


@test
def absolute_form_is_routed_by_its_authority():
    origin = Origin()
    client = Client(gateway(origin))
    for host in ("origin", "ORIGIN", "origin:80"):
        same(client.ask(f"http://{host}/a?b", host=host).status, 200)
        same(
            (origin.requests[-1].target, origin.requests[-1].get("host")),
            ("/a?b", "origin.test"),
            "target and Host upstream",
        )
    same(client.ask("http://origin", host="origin").status, 200)
    same(origin.requests[-1].target, "/", "target upstream")
    same(client.ask("http://origin?q", host="origin").status, 200)
    same(origin.requests[-1].target, "/?q", "target upstream")


@test
def absolute_form_that_disagrees_with_host_is_refused():
    origin = Origin()
    same(gateway(origin).get("http://origin/", host="secure").status, 400)
    same(origin.received(), b"", "what reached the origin")


@test
def options_asterisk_passes_in_both_forms():
    origin = Origin()
    client = Client(gateway(origin))
    for target in ("*", "http://origin"):
        same(client.ask(target, method="OPTIONS").status, 200)
        same(origin.requests[-1].start, "OPTIONS * HTTP/1.1", "request line upstream")


@test
def max_forwards_of_options_counts_down_and_stops_here_at_0():
    origin = Origin()
    client = Client(gateway(origin))
    same(client.ask("*", "Max-Forwards: 3", method="OPTIONS").status, 200)
    same(origin.requests[0].get("max-forwards"), "2")
    answer = client.ask("*", "Max-Forwards: 0", method="OPTIONS")
    true(answer.status in (200, 204), f"status for Max-Forwards: 0 is {answer.status}")
    same(len(origin.requests), 1, "requests upstream")


@test
def a_request_that_was_here_before_is_a_508():
    origin = Origin()
    answer = gateway(origin).get("/", "Via: 1.1 somebody, 1.1 egressbox")
    same((answer.status, answer.reason), (508, "loop"))
    same(origin.received(), b"", "what reached the origin")


# Fields.


@test
def end_to_end_fields_keep_order_case_and_bytes():
    fields = [
        ("X-b", "2"),
        ("x-A", "1"),
        ("X-b", "3"),
        ("Cookie", 'a="b"; c'),
        ("X-High", "\x85admin\xa0"),
        ("X-Empty", ""),
    ]
    reply = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-Z: \xff\r\nset-cookie: b=2, c\r\nContent-Length: 0\r\n\r\n"
    origin = Origin(reply)
    answer = gateway(origin).get("/", *(f"{n}: {v}" for n, v in fields))
    seen = [f for f in origin.requests[0].fields if f[0].lower() not in ("host", "via", *HOP_BY_HOP)]
    same(seen, fields, "fields upstream")
    same(
        [f for f in answer.fields if f[0].lower() in ("set-cookie", "x-z")],
        [("Set-Cookie", "a=1"), ("X-Z", "\xff"), ("set-cookie", "b=2, c")],
    )


@test
def hop_by_hop_and_nominated_fields_stop_here_both_ways():
    reply = (
        b"HTTP/1.1 200 OK\r\nConnection: X-Mine, close\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\n"
        b"Proxy-Connection: close\r\nX-Stays: 1\r\nContent-Length: 0\r\n\r\n"
    )
    origin = Origin(reply)
    answer = gateway(origin).get(
        "/", "Connection: X-Own , ,x-other", "Connection: Keep-Alive", "x-own: 1", "X-Other: 2", "Keep-Alive: 5",
        "Proxy-Connection: keep-alive", "TE: gzip", "Upgrade: foo", "X-Stays: 1",
    )  # fmt: skip
    names = origin.requests[0].names()
    for name in ("x-own", "x-other", "proxy-connection", "keep-alive", "te", "upgrade"):
        lacks(names, name, "fields upstream")
    has(names, "x-stays", "fields upstream")
    for name in ("x-mine", "keep-alive", "proxy-connection"):
        lacks(answer.names(), name, "fields to the client")
    has(answer.names(), "x-stays", "fields to the client")


@test
def connection_cannot_nominate_what_the_message_needs():
    origin = Origin()
    lines = ("Connection: Host, Content-Length, Authorization, Cookie", "Authorization: Basic eA==", "Cookie: a=b")
    same(gateway(origin).get("/", *lines).status, 200)
    names = origin.requests[0].names()
    for name in ("host", "authorization", "cookie"):
        has(names, name, "fields upstream")


@test
def te_trailers_is_all_that_remains_of_te():
    origin = Origin()
    gateway(origin).get("/", "TE: gzip;q=0.5, trailers", "Connection: TE")
    te = origin.requests[0].get("te")
    same(te, "trailers")
    has(origin.requests[0].get("connection").lower(), "te", "Connection upstream")


@test
def internal_fields_are_removed_unless_asked_to_stay():
    internal = ("X-Envoy-Attempt-Count", "x-istio-attributes", "X-B3-TraceId", "x-b3-sampled", "x-envoy-")
    public = ("X-Request-Id", "X-Envoyage", "X-B3", "traceparent", "X-Forwarded-For")
    for options, stay in (((), False), (("--keep-internal-headers",), True)):
        origin = Origin()
        gateway(origin, *options).get("/", *(f"{name}: 1" for name in internal + public))
        names = origin.requests[0].names()
        for name in public:
            has(names, name.lower(), "fields upstream")
        for name in internal:
            same(name.lower() in names, stay, f"{name} upstream")


@test
def via_is_added_behind_the_ones_that_came():
    origin = Origin()
    proxy = gateway(origin)
    proxy.get()
    same(origin.requests[0].all("via"), ["1.1 egressbox"])
    proxy.get("/", "Via: 1.0 fred")
    same(", ".join(origin.requests[1].all("via")), "1.0 fred, 1.1 egressbox")
    Client(proxy).send(b"GET / HTTP/1.0\r\nHost: origin\r\n\r\n").message()
    same(origin.requests[2].all("via"), ["1.0 egressbox"], "Via for a 1.0 client")


@test
def no_via_adds_none():
    origin = Origin()
    answer = gateway(origin, "--no-via").get()
    lacks(origin.requests[0].names(), "via", "fields upstream")
    lacks(answer.names(), "via", "fields to the client")


@test
def responses_carry_no_via_and_no_mark_of_ours():
    answer = gateway(Origin()).get()
    lacks(answer.names(), "via", "fields to the client")
    lacks(answer.names(), "x-egressbox-error", "fields to the client")
    lacks(answer.names(), "server", "fields to the client")


@test
def a_date_is_added_only_where_there_is_none():
    dated = b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n"
    client = Client(gateway(Origin(responding(dated, OK))))
    same(client.ask().get("date"), "Sun, 06 Nov 1994 08:49:37 GMT")
    pattern = r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
    true(re.fullmatch(pattern, client.ask().get("date") or ""), "no well-formed Date was added")


@test
def nginx_compresses_only_without_via():
    need("curl", "nginx")
    server = "listen LISTEN; gzip on; gzip_min_length 1; default_type text/html; location / { return 200 '%s'; }" % (
        "a" * 2000
    )
    for options, coding in (((), None), (("--no-via",), "gzip")):
        answer = gateway(Nginx(server), *options).get("/", "Accept-Encoding: gzip")
        same(answer.get("content-encoding"), coding, f"Content-Encoding with {options}")


@test
def trailers_pass_only_to_those_who_said_te_trailers():
    reply = b"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 7\r\n\r\n"
    client = Client(gateway(Origin(reply)))
    answer = client.ask("/", "TE: trailers", "Connection: TE")
    same((answer.body, answer.trailers), (b"ab", [("X-Sum", "7")]), "with TE: trailers")
    answer = client.ask("/")
    same((answer.body, answer.trailers), (b"ab", []), "without")
    lacks(answer.names(), "x-sum", "fields to the client")


@test
def trailers_never_carry_framing_or_routing():
    reply = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n"
        b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\nHost: x\r\nSet-Cookie: a=b\r\nX-Sum: 7\r\n\r\n"
    )
    answer = Client(gateway(Origin(reply))).ask("/", "TE: trailers", "Connection: TE")
    same(answer.trailers, [("X-Sum", "7")], "trailers")


@test
def request_trailers_are_never_merged_into_the_head():
    origin = Origin()
    client = Client(gateway(origin))
    client.send(
        b"POST / HTTP/1.1\r\nHost: origin\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2\r\nab\r\n0\r\nX-Sum: 7\r\nContent-Length: 3\r\n\r\n"
    )
    same(client.message().status, 200)
    until(lambda: origin.requests, "the request arrives")
    lacks(origin.requests[0].names(), "x-sum", "fields upstream")
    same(origin.requests[0].body, b"ab")
    lacks([n.lower() for n, _ in origin.requests[0].trailers], "content-length", "trailers upstream")


@test
def folded_response_fields_are_unfolded():
    answer = gateway(Origin(b"HTTP/1.1 200 OK\r\nX-Folded: a\r\n  b\r\nContent-Length: 0\r\n\r\n")).get()
    true(re.fullmatch("a +b", answer.get("x-folded")), f"X-Folded is {answer.get('x-folded')!r}")


main()
