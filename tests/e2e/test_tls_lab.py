"""The laboratory of TLS: servers of openssl with each fault there is, and what the client, the log and the
server get to see of it."""

from harness import has, main, same, test
from origins import Lab, openssl
from proxy import SERVICES, Proxy, gateway
from tlslab import APPLICATION_DATA, CA, TLS12, Server, Tap, accepted, bundle, refused, root
from wire import Client, request

HOST = "secure:443"
NAME = "subjectAltName=DNS:secure.test\n"
LEAF = "basicConstraints=CA:FALSE\n"


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
    for key in ("rsa:2048", "P-384", "P-521"):
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


main()
