"""TLS that stops: servers that stall or go away at each step of the handshake, and bodies that are cut off."""

from harness import has, lacks, main, same, test, true
from origins import Lab, Nginx
from proxy import gateway
from tlslab import APPLICATION_DATA, TLS12, Server, Tap, after, ask, check_refusal, root
from wire import Client, Cut, request

HOST = "secure:443"


# Time.


@test(deadline=60)
def a_server_that_stalls_at_any_step_of_the_handshake_is_a_504():
    """ServerHello, Certificate, ServerKeyExchange, ServerHelloDone, ChangeCipherSpec, Finished."""
    lab = Lab()
    server = Server(*root(lab).server(), TLS12, "-no_ticket")
    for count in range(6):
        for how in ("stall", "half"):
            tap = Tap(server, after(count, how))
            proxy, answer = ask(lab, tap, "--tls-timeout", "300ms")
            check_refusal(proxy, tap, answer, 504, "tls_timeout")
            same(len(tap.server_types), count + 1, "records of the server")


@test(deadline=60)
def a_server_that_goes_away_at_any_step_of_the_handshake_is_a_502():
    lab = Lab()
    server = Server(*root(lab).server(), TLS12, "-no_ticket")
    for count in range(6):
        for how in ("close", "reset"):
            tap = Tap(server, after(count, how))
            proxy, answer = ask(lab, tap)
            check_refusal(proxy, tap, answer, 502, "handshake_closed")


# Truncation. A reset may overtake what was sent before it.
REASONS = {"close": ("truncated",), "reset": ("truncated", "upstream_reset")}


@test
def a_page_of_openssl_is_whole_with_its_close_notify():
    lab = Lab()
    tap = Tap(Server(*root(lab).server(), TLS12))
    proxy, answer = ask(lab, tap)
    has(answer.body, b"</HTML>", "the end of the page")
    same(proxy.entries(1)[0]["reason"], "ok")


@test
def a_page_of_openssl_is_cut_without_its_close_notify():
    """The last record, an alert, is kept back: all of the page came, but nothing says that it is all."""
    lab = Lab()
    for how in ("close", "reset"):
        tap = Tap(Server(*root(lab).server(), TLS12), lambda types: how if types[-1] == 21 else None)
        proxy = gateway(None, "--ca-file", lab.ca, secure=tap)
        client = Client(proxy).send(request("/", host=HOST))
        try:
            same(client.message().status, 502)
        except (Cut, ConnectionResetError):
            pass
        lacks(bytes(client.received), b"\r\n0\r\n\r\n", "what the client got")
        has(REASONS[how], proxy.entries(1)[0]["reason"], "the reasons")


def paged(lab, *more):
    """nginx with a page of several records."""
    chain, key = root(lab).server()
    (lab.dir / "page.html").write_text("".join(f"line {i} of a page\n" for i in range(20000)))
    return Nginx(
        f"listen LISTEN ssl; ssl_certificate {chain}; ssl_certificate_key {key}; ssl_protocols TLSv1.2; root {lab.dir};"
        f"ssl_session_tickets off; {' '.join(more)}"
    )


def check_cut(lab, nginx, *lines):
    """Whole the first time; then without the last record of data."""
    whole = Tap(nginx)
    answer = gateway(None, "--ca-file", lab.ca, secure=whole).get("/page.html", *lines, host=HOST)
    count = whole.server_types.count(APPLICATION_DATA)
    true(count > 2, f"{count} records of data")
    for how in ("close", "reset"):
        cut = Tap(nginx, lambda types: how if types.count(APPLICATION_DATA) == count else None)
        proxy = gateway(None, "--ca-file", lab.ca, secure=cut)
        client = Client(proxy).send(request("/page.html", *lines, host=HOST))
        try:
            client.message()
            true(False, "the body is whole")
        except (Cut, ConnectionResetError):
            pass
        lacks(bytes(client.received), b"\r\n0\r\n\r\n", "what the client got")
        has(REASONS[how], proxy.entries(1)[0]["reason"], "the reasons")
    return answer


@test
def a_chunked_body_of_nginx_is_cut_without_its_end():
    """nginx compresses a page, so it sends it in chunks; the record with the last chunk is kept back."""
    lab = Lab()
    gzip = "gzip on; gzip_types text/html; gzip_min_length 1; gzip_proxied any;"
    answer = check_cut(lab, paged(lab, gzip), "Accept-Encoding: gzip")
    same(answer.get("transfer-encoding"), "chunked")


@test
def a_body_of_nginx_with_a_length_is_cut_without_its_end():
    lab = Lab()
    answer = check_cut(lab, paged(lab))
    same(answer.get("content-length"), str((lab.dir / "page.html").stat().st_size))


@test
def a_body_with_a_length_is_whole_without_a_close_notify():
    """Its length says that it is; only the next request needs another connection."""
    lab = Lab()
    tap = Tap(paged(lab, "keepalive_timeout 0;"), lambda types: "close" if types[-1] == 21 else None)
    proxy = gateway(None, "--ca-file", lab.ca, secure=tap)
    client = Client(proxy)
    for _ in range(2):
        same(len(client.ask("/page.html", host=HOST).body), (lab.dir / "page.html").stat().st_size)
    same({entry["reason"] for entry in proxy.entries(2)}, {"ok"}, "reasons logged")
    same(tap.connections, 2, "connections")


main()
