"""TLS to the upstream: what is accepted, what is refused by name, and that a refused server learns nothing."""

import contextlib
import hashlib
import random
import socket
import ssl
import threading
import warnings

from harness import EGRESSBOX, has, lacks, main, run, same, test, true, until
from wire import OK, Client, Cut, request
from origins import Lab, Origin, openssl
from proxy import NOWHERE, SERVICES, Proxy, gateway

warnings.simplefilter("ignore", DeprecationWarning)  # for the old protocol versions set on purpose
HOST = "secure:443"
TCP_CORK = 3
V = ssl.TLSVersion


def send_and_close(wire, data):
    """The data and the close_notify in one segment, so that the proxy reads both at once."""
    wire.sock.setsockopt(socket.IPPROTO_TCP, TCP_CORK, 1)  # the kernel lets go after 200 ms
    wire.send(data)
    wire.sock.settimeout(None)  # the close_notify must do: the connection itself stays open
    with contextlib.suppress(OSError):
        wire.sock.unwrap()


def secure(context, script=OK, *options, lab):
    """An origin with this context and the gateway that trusts the lab."""
    origin = Origin(script, tls=context)
    return origin, gateway(None, "--ca-file", lab.ca, *options, secure=origin)


def accepted(lab, context):
    origin, proxy = secure(context, lab=lab)
    answer = proxy.get("/secret", host=HOST)
    same((answer.status, answer.body), (200, b"ok"), f"answer ({answer.body})")
    return origin.wires[0].sock


def refused(lab, context, *reasons, script=OK):
    """502 with one of these reasons in answer and log; the origin got no byte of the request."""
    origin, proxy = secure(context, script, lab=lab)
    answer = proxy.get("/secret", host=HOST)
    same(answer.status, 502)
    has(reasons, answer.reason, "the reasons expected")
    same(proxy.entries(1)[0]["reason"], answer.reason, "reason logged")
    lacks(origin.received(), b"secret", "what the origin saw")
    if context:
        same(origin.received(), b"", "application data at the origin")


# What is accepted.


@test
def ecdsa_and_rsa_certificates_are_accepted():
    lab = Lab()
    for key in ("P-256", "P-384", "rsa:2048"):
        sock = accepted(lab, lab.context(key=key))
        same((sock.version(), sock.selected_alpn_protocol()), ("TLSv1.2", "http/1.1"), f"version and ALPN ({key})")


@test
def only_forward_secret_aead_ciphers_are_used():
    lab = Lab()
    for name in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"):
        context = lab.context()
        context.set_ciphers(name)
        same(accepted(lab, context).cipher()[0], name, "cipher")


@test
def the_server_name_is_sent_and_matched():
    lab = Lab()
    origin, proxy = secure(lab.context("DNS:other.example,DNS:secure.test"), lab=lab)
    same(proxy.get(host=HOST).status, 200)
    same(origin.server_names, ["secure.test"], "SNI")
    same(origin.requests[0].get("host"), "secure.test")
    accepted(lab, lab.context("DNS:*.test"))
    accepted(lab, lab.context("DNS:SECURE.Test"))


@test
def a_server_without_alpn_is_accepted():
    lab = Lab()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*lab.issue("DNS:secure.test"))
    same(accepted(lab, context).selected_alpn_protocol(), None, "ALPN")


@test
def a_chain_with_an_intermediate_is_accepted_and_without_it_refused():
    lab, inner = Lab(), Lab("Inner CA")
    extensions = lab.dir / "inner.ext"
    extensions.write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n")
    csr, cert = lab.dir / "inner.csr", lab.dir / "inner.pem"
    openssl("req", "-new", "-key", inner.key, "-subj", "/CN=Inner CA", "-out", csr)
    openssl(
        "x509", "-req", "-in", csr, "-CA", lab.ca, "-CAkey", lab.key, "-days", 9, "-extfile", extensions, "-out", cert
    )
    leaf, key = inner.issue("DNS:secure.test")
    chain = lab.dir / "chain.pem"
    chain.write_text(leaf.read_text() + cert.read_text())
    for file, verdict in ((chain, accepted), (leaf, lambda *a: refused(*a, "unknown_issuer"))):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file, key)
        verdict(lab, context)


# What is refused.


@test
def an_expired_certificate_is_refused():
    lab = Lab()
    refused(lab, lab.context(start=-20 * 86400), "cert_expired")


@test
def a_certificate_from_the_future_is_refused():
    lab = Lab()
    refused(lab, lab.context(start=86400), "cert_not_yet_valid")


@test
def a_certificate_for_another_name_is_refused():
    lab = Lab()
    for names in (
        "DNS:other.test",
        "DNS:secure.test.evil.example",
        "DNS:*.secure.test",
        "DNS:*.a.test",
        "DNS:xsecure.test",
    ):
        refused(lab, lab.context(names), "name_mismatch")


@test
def a_common_name_is_no_name():
    lab = Lab()
    refused(lab, lab.context(None), "cert_no_name", "name_mismatch")


@test
def an_ip_address_in_the_certificate_is_not_the_name():
    lab = Lab()
    refused(lab, lab.context("IP:127.0.0.1"), "cert_no_name", "name_mismatch")


@test
def an_unknown_issuer_is_refused():
    lab = Lab()
    refused(lab, Lab().context(), "unknown_issuer")
    refused(lab, Lab("Another CA").context(), "unknown_issuer")


@test
def a_self_signed_certificate_is_refused():
    lab = Lab()
    refused(lab, lab.context(self_signed=True), "unknown_issuer")


@test
def a_sha1_signature_is_refused():
    lab = Lab()
    refused(lab, lab.context(digest="sha1"), "cert_weak_signature")


@test
def a_short_rsa_key_is_refused():
    lab = Lab()
    refused(lab, lab.context(key="rsa:1024"), "cert_weak_key")


@test
def a_server_with_tls_1_3_only_is_named():
    lab = Lab()
    context = lab.context()
    context.minimum_version = V.TLSv1_3
    refused(lab, context, "tls13_only")


@test
def a_server_with_tls_1_1_at_most_is_refused():
    lab = Lab()
    context = lab.context(key="rsa:2048")
    context.minimum_version, context.maximum_version = V.TLSv1, V.TLSv1_1
    refused(lab, context, "tls12_refused", "handshake_failure")


@test
def a_server_without_a_common_cipher_is_a_handshake_failure():
    lab = Lab()
    for cipher in ("AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "DHE-RSA-AES128-GCM-SHA256"):
        context = lab.context(key="rsa:2048")
        context.maximum_version = V.TLSv1_2
        context.set_ciphers(cipher + ":@SECLEVEL=0")
        refused(lab, context, "handshake_failure")


@test
def a_server_that_wants_a_client_certificate_is_named():
    lab = Lab()
    context = lab.context()
    context.maximum_version, context.verify_mode = V.TLSv1_2, ssl.CERT_REQUIRED
    context.load_verify_locations(lab.ca)
    refused(lab, context, "client_cert_wanted")


@test
def a_server_without_tls_is_named():
    def script(wire):
        wire.fill()
        wire.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        wire.to_end()

    refused(Lab(), None, "not_tls", script=script)


@test
def a_server_that_closes_in_the_handshake_is_named():
    refused(Lab(), None, "handshake_closed", script=lambda wire: wire.fill())


@test
def a_server_that_never_shakes_hands_is_a_504():
    origin, proxy = secure(None, lambda wire: wire.to_end(), "--tls-timeout", "200ms", lab=Lab())
    answer = proxy.get("/secret", host=HOST)
    same((answer.status, answer.reason), (504, "tls_timeout"))
    lacks(origin.received(), b"secret", "what the origin saw")


@test
def a_failure_does_not_stop_the_next_request():
    lab = Lab()
    origin, proxy = secure(lab.context(start=-20 * 86400), lab=lab)
    client = Client(proxy)
    for _ in range(3):
        same(client.ask(host=HOST).reason, "cert_expired")
    same(len(origin.wires), 3, "connections upstream")


# Whom we trust.


@test
def the_embedded_bundle_does_not_know_the_test_ca():
    lab = Lab()
    origin = Origin(tls=lab.context())
    answer = gateway(secure=origin).get("/secret", host=HOST)
    same((answer.status, answer.reason), (502, "unknown_issuer"))
    same(origin.received(), b"", "application data at the origin")


@test
def ssl_cert_file_replaces_the_bundle():
    lab = Lab()
    origin = Origin(tls=lab.context())
    same(gateway(secure=origin, env={"SSL_CERT_FILE": str(lab.ca)}).get(host=HOST).status, 200)


@test
def ca_file_goes_before_ssl_cert_file():
    lab, other = Lab(), Lab("Another CA")
    origin = Origin(tls=lab.context())
    good = gateway(None, "--ca-file", lab.ca, secure=origin, env={"SSL_CERT_FILE": str(other.ca)})
    same(good.get(host=HOST).status, 200)
    bad = gateway(None, "--ca-file", other.ca, secure=origin, env={"SSL_CERT_FILE": str(lab.ca)})
    same(bad.get(host=HOST).reason, "unknown_issuer")


@test
def a_ca_file_without_certificates_is_an_error():
    lab = Lab()
    manifest = lab.dir / "services.yaml"
    manifest.write_text(
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: ExternalName, externalName: a.test}\n"
    )
    for file in (lab.dir / "missing.pem", lab.dir / "index", lab.key):
        done = run(EGRESSBOX, "egress-proxy", "-f", manifest, "-l", "127.0.0.1:0", "--admin", "off", "--ca-file", file)
        same(done.returncode, 2, f"exit status with {file.name}")
        has(done.stderr, file.name, "stderr")


# Bodies.


@test
def ten_megabytes_pass_both_ways_over_tls():
    lab, body = Lab(), random.Random(1).randbytes(10 << 20)

    def script(wire):
        wire.message()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        wire.to_end()

    origin, proxy = secure(lab.context(), script, lab=lab)
    client = Client(proxy)
    upload = request("/", host=HOST, method="POST", body=body)
    threading.Thread(target=client.send, args=(upload,), daemon=True).start()
    same(hashlib.sha256(client.message().body).digest(), hashlib.sha256(body).digest(), "digest of the download")
    true(origin.wires[0].received.endswith(body), "the upload differs")


@test
def the_smallest_records_are_put_together():
    lab, body = Lab(), bytes(range(256))

    def script(wire):
        wire.message()
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 256\r\n\r\n" + body:
            wire.send(bytes([byte]))
        wire.to_end()

    _, proxy = secure(lab.context(), script, lab=lab)
    same(proxy.get(host=HOST).body, body)


@test
def connections_are_reused_over_tls():
    lab = Lab()
    origin, proxy = secure(lab.context(), lab=lab)
    for _ in range(20):
        same(proxy.get(host=HOST).status, 200)
    same(len(origin.wires), 1, "handshakes")


@test
def a_connection_verified_for_one_name_never_serves_another():
    """Two names of one address, and a certificate for one of them."""
    lab = Lab()
    origin = Origin(tls=lab.context("DNS:secure.test"))
    other = SERVICES.split("---\n")[1].replace("name: secure}", "name: other}").replace("secure.test", "other.test")
    pins = {"secure.test": origin.address, "other.test": origin.address, "origin.test": NOWHERE}
    client = Client(Proxy(SERVICES + "---\n" + other, "--ca-file", lab.ca, resolve=pins))
    for host, reason in ((HOST, None), ("other:443", "name_mismatch"), (HOST, None)):
        same(client.ask(host=host).reason, reason, f"reason for {host}")
    same(origin.server_names, ["secure.test", "other.test"], "names asked for")


@test
def a_pooled_connection_ended_by_close_notify_is_not_used():
    lab = Lab()

    def script(wire):
        wire.message()
        send_and_close(wire, OK)

    origin, proxy = secure(lab.context(), script, "--upstream-idle-timeout", "1m", lab=lab)
    client = Client(proxy)
    for _ in range(3):
        same(client.ask(host=HOST, method="POST").status, 200)
        until(lambda: proxy.fds() == proxy.fds_at_start + 1, "the proxy has seen the close")
    same(len(origin.wires), 3, "handshakes")


def until_close(clean):
    lab = Lab()

    def script(wire):
        wire.message()
        answer = b"HTTP/1.1 200 OK\r\n\r\nall of it"
        send_and_close(wire, answer) if clean else wire.send(answer)

    return secure(lab.context(), script, lab=lab)[1]


@test
def a_response_until_close_is_complete_with_close_notify():
    same(until_close(True).get(host=HOST).body, b"all of it")


@test
def a_response_until_close_is_cut_without_close_notify():
    proxy = until_close(False)
    client = Client(proxy).send(request(host=HOST))
    try:
        same(client.message().status, 502)
    except Cut:
        pass
    lacks(bytes(client.received), b"0\r\n\r\n", "what the client got")
    true(proxy.entries(1)[0]["reason"] != "ok", "the log says ok")


@test
def an_upgraded_connection_runs_over_tls():
    lab = Lab()

    def script(wire):
        wire.message()
        wire.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
        while wire.fill():
            wire.send(wire.rest())
            wire.at = len(wire.received)

    _, proxy = secure(lab.context(), script, lab=lab)
    client = Client(proxy)
    same(client.ask("/", "Connection: upgrade", "Upgrade: echo", host=HOST).status, 101)
    for size in (1, 2, 16384, 16385, 200000):
        text = random.Random(size).randbytes(size)
        threading.Thread(target=client.send, args=(text,), daemon=True).start()
        same(client.exactly(size) == text, True, f"{size} bytes came back")


main()
