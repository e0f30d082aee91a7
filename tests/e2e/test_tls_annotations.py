"""What a Service says about TLS with its external host, by annotations, before nginx and openssl's server."""

import signal

from harness import EGRESSBOX, folder, has, lacks, main, run, same, test, true, until
from origins import Lab, Nginx
from proxy import Proxy
from tlslab import APPLICATION_DATA, CA, Server, Tap, root
from wire import Client

OURS = "egressbox.io/tls-"
HOST = "one:443"


def service(name, host="secure.test", **annotations):
    lines = "".join(f'    {OURS}{key.replace("_", "-")}: "{value}"\n' for key, value in annotations.items())
    return (
        f"apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\n"
        + (f"  annotations:\n{lines}" if lines else "")
        + f"spec: {{type: ExternalName, externalName: {host}, ports: [{{name: https, port: 443}}]}}\n---\n"
    )


def gateway(server, *services, hosts=("secure.test",), lab=None):
    options = ("--ca-file", lab.ca) if lab else ()
    return Proxy("".join(services), *options, resolve={host: server.address for host in hosts})


def nginx(lab, *more, names="DNS:secure.test"):
    chain, key = root(lab).server(f"subjectAltName={names}\n")
    return Nginx(
        f"listen LISTEN ssl; ssl_certificate {chain}; ssl_certificate_key {key}; ssl_protocols TLSv1.2;"
        f"{' '.join(more)} location / {{ return 200 '$ssl_server_name $ssl_client_s_dn'; }}"
    )


def asked(proxy, host=HOST):
    answer = proxy.get("/", host=host)
    return answer.body.decode() if answer.status == 200 else answer.reason


def client_of(lab, name="the gateway"):
    return root(lab).issue("basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n", name=name)


# Whom we trust.


@test
def a_ca_file_of_a_service_is_trusted_for_it_alone():
    lab, other = Lab(), Lab("Other CA")
    server = nginx(lab)
    proxy = gateway(server, service("one", ca_file=lab.ca), service("two"), lab=other)
    same(asked(proxy), "secure.test ")
    same(asked(proxy, "two:443"), "unknown_issuer")
    same(asked(proxy), "secure.test ")
    proxy = gateway(server, service("one", ca_file=other.ca), service("two"), lab=lab)
    same(asked(proxy), "unknown_issuer")
    same(asked(proxy, "two:443"), "secure.test ")


@test
def another_name_is_asked_for_and_verified():
    lab = Lab()
    proxy = gateway(nginx(lab, names="DNS:inner.test"), service("one", sni="inner.test"), service("two"), lab=lab)
    same(asked(proxy), "inner.test ")
    same(asked(proxy, "two:443"), "name_mismatch")


@test
def any_of_the_names_will_do_and_no_other():
    lab = Lab()
    for names, verdict in (
        ("other.test, inner.test", "secure.test "),
        ("10.1.2.3", "secure.test "),
        ("secure.test", "name_mismatch"),
        ("a.test,10.1.2.4", "name_mismatch"),
    ):
        server = nginx(lab, names="DNS:inner.test,IP:10.1.2.3")
        same(asked(gateway(server, service("one", names=names), lab=lab)), verdict, names)


# Without verification.


@test
def a_host_that_is_not_verified_is_told_at_the_load_in_the_log_and_in_the_metrics():
    lab = Lab()
    for server in (nginx(Lab(), names="DNS:wrong.test"), Server(*root(lab).server(start=-20 * 86400), "-tls1_2")):
        proxy = gateway(server, service("one", verify="false"), service("two"), lab=lab)
        has(proxy.stderr(), f"services.yaml:6:30: metadata.annotations.{OURS}verify: the host is NOT verified")
        for _ in range(2):
            same(proxy.get("/", host=HOST).status, 200)
        has(("name_mismatch", "cert_expired"), asked(proxy, "two:443"), "verdicts on the other Service")
        has(proxy.stderr(), "warn TLS without verification")
        same(proxy.stderr().count("TLS without verification"), 1, "times that the log tells")
        metrics = proxy.metrics()
        true(metrics["egressbox_tls_unverified_total"] >= 1, "no handshake is counted as unverified")
        same(metrics["egressbox_tls_unverified_total"], metrics["egressbox_tls_handshakes_total"])


# Who we are.


@test
def nginx_that_wants_a_client_certificate_gets_that_of_the_service():
    lab, clients = Lab(), Lab("Clients")
    server = nginx(lab, f"ssl_verify_client on; ssl_client_certificate {clients.ca};")
    (cert, key), (cert2, key2) = client_of(clients), client_of(clients, "another")
    proxy = gateway(
        server,
        service("one", cert_file=cert, key_file=key),
        service("two", cert_file=cert2, key_file=key2),
        service("three"),
        lab=lab,
    )
    client = Client(proxy)
    for _ in range(3):
        for name, subject in (("one", "CN=the gateway"), ("two", "CN=another")):
            same(client.ask(host=f"{name}:443").body.decode(), f"secure.test {subject}")
        same(client.ask(host="three:443").status, 400, "status without a certificate")


@test
def a_client_certificate_goes_with_its_issuers():
    lab, clients = Lab(), Lab("Clients")
    server = nginx(lab, f"ssl_verify_client on; ssl_verify_depth 3; ssl_client_certificate {clients.ca};")
    inner = root(clients).authority(CA, name="Inner")
    cert, key = inner.server("extendedKeyUsage=clientAuth\n", name="below", key="rsa:2048")
    same(asked(gateway(server, service("one", cert_file=cert, key_file=key), lab=lab)), "secure.test CN=below")


@test
def a_client_certificate_that_openssl_refuses_is_named():
    lab, clients = Lab(), Lab("Clients")
    tap = Tap(Server(*root(lab).server(), "-tls1_2", "-Verify", "1", "-verify_return_error", "-CAfile", lab.ca))
    cert, key = client_of(clients)
    proxy = gateway(tap, service("one", cert_file=cert, key_file=key), lab=lab)
    answer = proxy.get("/", host=HOST)
    same((answer.status, answer.reason), (502, "alert_certificate"))
    true(APPLICATION_DATA not in tap.client, "a record with data was sent")


# What is not shared.


@test
def connections_and_sessions_of_one_identity_never_serve_another():
    """One address and one name, called in five ways, over and over: each sees its own verdict only."""
    lab, clients = Lab(), Lab("Clients")
    server = nginx(
        lab,
        f"ssl_verify_client optional; ssl_client_certificate {clients.ca}; ssl_session_cache shared:s:1m;",
    )
    cert, key = client_of(clients)
    ways = {
        "plain": ({}, "secure.test "),
        "mutual": ({"cert_file": cert, "key_file": key}, "secure.test CN=the gateway"),
        "distrusting": ({"ca_file": clients.ca}, "unknown_issuer"),
        "picky": ({"names": "other.test"}, "name_mismatch"),
        "careless": ({"verify": "false", "names": "other.test"}, "secure.test "),
    }
    proxy = gateway(server, *(service(name, **said) for name, (said, _) in ways.items()), lab=lab)
    for _ in range(4):
        for name, (_, verdict) in ways.items():
            same(asked(proxy, f"{name}:443"), verdict, name)


@test
def files_that_were_replaced_are_read_again_at_sighup():
    """A certificate that was renewed is used, and one that is bad changes nothing."""
    lab, clients = Lab(), Lab("Clients")
    server = nginx(lab, f"ssl_verify_client on; ssl_client_certificate {clients.ca};")
    cert, key = lab.dir / "tls.crt", lab.dir / "tls.key"

    def put(name):
        for source, file in zip(client_of(clients, name), (cert, key)):
            file.write_bytes(source.read_bytes())

    put("first")
    proxy = gateway(server, service("one", cert_file=cert, key_file=key), lab=lab)
    same(asked(proxy), "secure.test CN=first")
    put("second")
    proxy.process.send_signal(signal.SIGHUP)
    until(lambda: asked(proxy) == "secure.test CN=second", "the second certificate is used")
    cert.write_text("nothing")
    proxy.process.send_signal(signal.SIGHUP)
    until(lambda: "tls-cert-file: certificate: no certificate" in proxy.stderr(), "the log tells of the bad file")
    same(asked(proxy), "secure.test CN=second")


# What is wrong with the annotations.


def complaints(*services):
    manifest = folder() / "services.yaml"
    manifest.write_text("".join(services))
    done = run(EGRESSBOX, "egress-proxy", "-f", manifest, "--check")
    return done.returncode, done.stderr


@test
def a_bad_annotation_is_an_error_at_its_place():
    lab = Lab()
    cert, key = client_of(lab)
    for annotations, expected in (
        ({"ca_file": "/nowhere.pem"}, f"{OURS}ca-file: /nowhere.pem: cannot be opened: No such file"),
        ({"ca_file": key}, f"{key}: no certificate in it"),
        ({"cert_file": cert, "key_file": lab.key}, f"{OURS}cert-file: the key is not that of the first certificate"),
        ({"cert_file": cert}, f"{OURS}cert-file: needs {OURS}key-file as well"),
        ({"min_version": "1.3"}, f'{OURS}min-version: "1.3": TLS 1.2 is the newest that is spoken'),
        ({"verify": "off"}, f'{OURS}verify: "off": expected true or false'),
        ({"verfy": "true"}, f'"{OURS}verfy" is not known'),
    ):
        status, said = complaints(service("one", **annotations))
        same(status, 2, f"exit status with {annotations}")
        has(said, "services.yaml:6:", "the place")
        has(said, expected, "what is said")
    status, said = complaints(service("one", ca_file=lab.ca, min_version="1.2", verify="true"))
    same((status, said.count("error")), (0, 0), said)
    lacks(said, "warning", "what is said")


main()
