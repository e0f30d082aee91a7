"""The laboratory of TLS: servers of openssl with each fault there is, and what the client, the log and the
server get to see of it."""

from harness import has, lacks, main, same, test, true
from origins import Lab, Nginx, openssl
from proxy import SERVICES, Proxy, gateway
from tlslab import APPLICATION_DATA, CA, Server, Tap, after, bundle, root
from wire import Client, Cut, request

HOST = "secure:443"
NAME = "subjectAltName=DNS:secure.test\n"
TLS12 = "-tls1_2"
LEAF = "basicConstraints=CA:FALSE\n"


def ask(lab, tap, *options):
    proxy = gateway(None, "--ca-file", lab.ca, *options, secure=tap)
    return proxy, proxy.get("/", host=HOST)


def accepted(lab, files, *options):
    tap = Tap(Server(*files, *options))
    _, answer = ask(lab, tap)
    same(answer.status, 200, f"status ({answer.reason})")
    has(answer.body, b"<HTML>", "the page of openssl")
    true(APPLICATION_DATA in tap.client, "no record with data was sent")


def check_refusal(proxy, tap, answer, status, reason):
    """The verdict, in the answer, the log and the metrics; and that no byte of the request has left."""
    same((answer.status, answer.reason), (status, reason), "status and reason")
    same(proxy.entries(1)[0]["reason"], reason, "reason logged")
    same(proxy.entries(1)[0]["status"], str(status), "status logged")
    true(APPLICATION_DATA not in tap.client, "a record with data was sent")
    if status == 502:
        same(proxy.metrics()[f'egressbox_tls_failures_total{{error="{reason}"}}'], 1, "failures counted")


def refused(lab, files, reason, *options):
    tap = Tap(Server(*files, *options))
    proxy, answer = ask(lab, tap)
    check_refusal(proxy, tap, answer, 502, reason)
    return proxy


# Dates.


@test
def an_expired_certificate_is_refused():
    lab = Lab()
    refused(lab, root(lab).server(start=-20 * 86400), "cert_expired")


@test
def an_expired_intermediate_is_refused():
    lab = Lab()
    refused(lab, root(lab).authority(start=-20 * 86400).server(), "cert_expired")


@test
def a_certificate_of_tomorrow_is_refused():
    lab = Lab()
    refused(lab, root(lab).server(start=86400), "cert_not_yet_valid")


# Names.


@test
def names_match_as_they_should():
    lab = Lab()
    for names in ("DNS:secure.test", "DNS:other.test,DNS:SECURE.test", "DNS:*.test"):
        accepted(lab, root(lab).server(f"subjectAltName={names}\n"))
    for names in ("DNS:other.test", "DNS:*.secure.test", "DNS:s*.test", "DNS:*", "DNS:*.*", "DNS:secure.test.evil"):
        refused(lab, root(lab).server(f"subjectAltName={names}\n"), "name_mismatch")


@test
def a_common_name_alone_is_no_name():
    lab = Lab()
    refused(lab, root(lab).server(LEAF), "cert_no_name")
    refused(lab, root(lab).server("subjectAltName=IP:127.0.0.1\n"), "cert_no_name")


def called_by_address(lab, names):
    server = Server(*root(lab).server(f"subjectAltName={names}\n"))
    port = f"{{name: https, port: {server.port}}}"
    manifest = SERVICES.split("---\n")[1].replace("secure.test", "127.0.0.1")
    proxy = Proxy(manifest.replace("{name: https, port: 443}", port), "--ca-file", lab.ca)
    return proxy.get("/", host=f"secure:{server.port}")


@test
def a_server_called_by_its_address_has_it_in_its_certificate():
    lab = Lab()
    answer = called_by_address(lab, "DNS:secure.test,IP:127.0.0.1")
    same(answer.status, 200, f"status ({answer.reason})")
    for names in ("IP:127.0.0.2", "DNS:127.0.0.1", "IP:::ffff:127.0.0.1"):
        answer = called_by_address(lab, names)
        same((answer.status, answer.reason), (502, "name_mismatch"), names)


# Chains.


@test
def chains_of_several_authorities_are_accepted():
    lab = Lab()
    accepted(lab, root(lab).authority().server())
    accepted(lab, root(lab).authority(name="A").authority(name="B").authority(name="C").server())


@test
def a_missing_intermediate_is_refused():
    lab = Lab()
    cert, key = root(lab).authority().issue(NAME)
    refused(lab, (cert, key), "unknown_issuer")


@test
def misordered_intermediates_are_refused():
    lab = Lab()
    inner = root(lab).authority(name="A").authority(name="B")
    cert, key = inner.issue(NAME)
    refused(lab, (bundle(lab, cert, *reversed(inner.chain)), key), "cert_bad_chain")


@test
def a_self_signed_certificate_is_refused_unless_it_is_the_one_trusted():
    lab, other = Lab(), Lab()
    cert, key = lab.issue("DNS:secure.test", self_signed=True)
    refused(other, (cert, key), "unknown_issuer")
    tap = Tap(Server(cert, key))
    same(gateway(None, "--ca-file", cert, secure=tap).get("/", host=HOST).status, 200)


@test
def an_authority_that_is_none_is_refused():
    lab = Lab()
    refused(lab, root(lab).authority(LEAF, name="No CA").server(), "cert_not_ca")
    refused(lab, root(lab).authority("keyUsage=keyCertSign\n", name="No CA either").server(), "cert_not_ca")
    usage = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign\n"
    refused(lab, root(lab).authority(usage, name="CA for lists").server(), "cert_bad_usage")


@test
def a_path_longer_than_an_authority_allows_is_refused():
    lab = Lab()
    short = CA.replace("CA:TRUE", "CA:TRUE,pathlen:0")
    accepted(lab, root(lab).authority(short).server())
    refused(lab, root(lab).authority(short, name="A").authority(name="B").server(), "cert_path_too_long")
    inner = root(lab)
    for i in range(8):
        inner = inner.authority(name=f"CA {i}")
    refused(lab, inner.server(), "cert_path_too_long")


@test
def a_chain_signed_by_another_with_the_same_name_is_refused():
    lab = Lab()
    right, wrong = root(lab).authority(), root(lab).authority()
    cert, key = right.issue(NAME)
    refused(lab, (bundle(lab, cert, wrong.cert), key), "cert_bad_signature")
    refused(lab, root(Lab()).server(), "unknown_issuer")


# Algorithms.


@test
def a_sha1_signature_is_refused():
    lab = Lab()
    refused(lab, root(lab).server(digest="sha1"), "cert_weak_signature")
    refused(lab, root(lab).authority(digest="sha1").server(), "cert_weak_signature")


@test
def the_signature_of_an_authority_that_is_trusted_does_not_count():
    lab = Lab()
    openssl(
        "req", "-x509", "-new", "-key", lab.key, "-out", lab.ca, "-subj", "/CN=Test CA", "-days", "30", "-sha1"
    )
    has(openssl("x509", "-in", lab.ca, "-noout", "-text"), "ecdsa-with-SHA1")
    accepted(lab, root(lab).server())
    cert, key = root(lab).issue(NAME)
    accepted(lab, (bundle(lab, cert, lab.ca), key))


@test
def weak_and_unknown_keys_are_refused():
    lab = Lab()
    refused(lab, root(lab).server(key="rsa:1024"), "cert_weak_key")
    refused(lab, root(lab).authority(key="rsa:1024").server(), "cert_weak_key")
    for key in ("rsa:2048", "rsa:3072", "P-384", "P-521"):
        accepted(lab, root(lab).server(key=key))
    accepted(lab, root(lab).authority(key="P-521").server(digest="sha512"))
    refused(lab, root(lab).authority(key="secp256k1").server(), "cert_unsupported")


# Purposes, critical extensions, name constraints.


@test
def a_certificate_for_another_purpose_is_refused():
    lab = Lab()
    for purposes in ("serverAuth", "critical,serverAuth", "clientAuth,serverAuth", "anyExtendedKeyUsage"):
        accepted(lab, root(lab).server(NAME + f"extendedKeyUsage={purposes}\n"))
    for purposes in ("clientAuth", "critical,clientAuth", "codeSigning,emailProtection"):
        refused(lab, root(lab).server(NAME + f"extendedKeyUsage={purposes}\n"), "cert_wrong_purpose")
    refused(lab, root(lab).authority(CA + "extendedKeyUsage=clientAuth\n").server(), "cert_wrong_purpose")
    accepted(lab, root(lab).authority(CA + "extendedKeyUsage=clientAuth,serverAuth\n").server())


@test
def a_key_that_may_sign_is_accepted():
    lab = Lab()
    accepted(lab, root(lab).server(NAME + "keyUsage=critical,digitalSignature\n"))


@test
def an_unknown_critical_extension_is_refused():
    lab = Lab()
    refused(lab, root(lab).server(NAME + "1.2.3.4=critical,ASN1:NULL\n"), "cert_bad_constraint")
    accepted(lab, root(lab).server(NAME + "1.2.3.4=ASN1:NULL\n"))
    refused(lab, root(lab).authority(CA + "1.2.3.4=critical,ASN1:NULL\n").server(), "cert_bad_constraint")


def constrained(lab, constraints):
    return root(lab).authority(CA + f"nameConstraints={constraints}\n")


@test
def name_constraints_that_permit_the_name_are_accepted():
    lab = Lab()
    for constraints in (
        "critical,permitted;DNS:secure.test",
        "permitted;DNS:test",
        "critical,permitted;DNS:.test",
        "critical,excluded;DNS:other.test",
        "critical,permitted;DNS:secure.test,excluded;IP:0.0.0.0/0.0.0.0",
        "critical,permitted;email:test",
    ):
        accepted(lab, constrained(lab, constraints).server())
    inner = constrained(lab, "critical,permitted;DNS:test").authority(name="Below it")
    accepted(lab, inner.server())


@test
def name_constraints_that_forbid_a_name_are_obeyed():
    lab = Lab()
    for constraints in (
        "critical,permitted;DNS:other.test",
        "permitted;DNS:other.test",
        "critical,permitted;DNS:cure.test",
        "critical,excluded;DNS:secure.test",
        "excluded;DNS:test",
    ):
        refused(lab, constrained(lab, constraints).server(), "cert_name_not_permitted")
    both = "subjectAltName=DNS:secure.test,DNS:other.test\n"
    refused(lab, constrained(lab, "critical,permitted;DNS:secure.test").server(both), "cert_name_not_permitted")
    address = "subjectAltName=DNS:secure.test,IP:10.1.2.3\n"
    refused(lab, constrained(lab, "critical,excluded;IP:10.0.0.0/255.0.0.0").server(address), "cert_name_not_permitted")
    inner = constrained(lab, "critical,permitted;DNS:other.test").authority(name="Below it")
    refused(lab, inner.server(), "cert_name_not_permitted")


@test
def name_constraints_that_cannot_be_judged_are_refused():
    lab = Lab()
    uri = "subjectAltName=DNS:secure.test,URI:https://secure.test/\n"
    refused(lab, constrained(lab, "critical,permitted;URI:test").server(uri), "cert_bad_constraint")
    accepted(lab, constrained(lab, "critical,permitted;URI:test").server())


# Versions and ciphers.


@test
def servers_of_other_versions_are_refused():
    lab = Lab()
    refused(lab, root(lab).server(), "tls13_only", "-tls1_3")
    for version in ("-tls1", "-tls1_1"):
        refused(lab, root(lab).server(key="rsa:2048"), "handshake_failure", version)


@test
def a_server_with_weak_ciphers_only_is_refused():
    lab = Lab()
    for cipher in ("AES128-SHA", "AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256", "DHE-RSA-AES128-GCM-SHA256"):
        files = root(lab).server(key="rsa:2048")
        refused(lab, files, "handshake_failure", TLS12, "-cipher", f"{cipher}:@SECLEVEL=0")


@test
def a_server_that_resumes_by_tickets_only_is_served():
    lab = Lab()
    server = Server(*root(lab).server(), TLS12, "-no_cache")
    tap = Tap(server)
    proxy = gateway(None, "--ca-file", lab.ca, secure=tap)
    for _ in range(3):
        same(proxy.get("/", host=HOST).status, 200)


# Client certificates.


@test
def a_server_that_insists_on_a_client_certificate_is_refused_by_name():
    lab = Lab()
    refused(lab, root(lab).server(), "client_cert_wanted", TLS12, "-Verify", "1")


@test
def a_server_that_can_do_without_a_client_certificate_is_accepted():
    lab = Lab()
    accepted(lab, root(lab).server(), TLS12, "-verify", "1")


# Renegotiation.


@test
def a_renegotiation_is_refused_and_the_request_answered_or_failed():
    """openssl's server asks for one when it reads `r`; it gives up when we refuse."""
    lab = Lab()
    server = Server(*root(lab).server(), TLS12, mode=None)
    tap = Tap(server)
    proxy = gateway(None, "--ca-file", lab.ca, secure=tap)
    client = Client(proxy).send(request("/secret", host=HOST))
    while b"secret" not in server.process.stdout.readline():
        pass
    server.process.stdin.write(b"r\n")
    server.process.stdin.flush()
    answer = client.message()
    same(answer.status, 502)
    same(proxy.entries(1)[0]["reason"], answer.reason, "reason logged")
    # The handshake's ClientHello and no other: what follows the request is an alert.
    same(tap.client[tap.client.index(APPLICATION_DATA) + 1 :][:1], [21], "the next record")


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
