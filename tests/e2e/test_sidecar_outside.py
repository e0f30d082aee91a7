"""egress-proxy --transparent: connections to the outside, by what they say first."""

import ssl
import time

from harness import has, main, same, test, true, within
from origins import Lab
from proxy import SERVICES
from sidecar import App, World, curl_in, refused, sidecar_pod
from wire import OK, request

# The registered names' addresses, which the application does not choose.
PINS = {"origin.test": "198.51.100.1", "secure.test": "198.51.100.2"}
HOSTS = ("192.0.2.1", "2001:db8::1")


def client_hello(name):
    context, incoming, outgoing = ssl.create_default_context(), ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def shout(wire):
    wire.send(b"hello\n")
    wire.to_end()


@test
def a_request_for_a_registered_host_is_routed_as_by_the_gateway():
    lab = Lab()
    pod, sidecar = sidecar_pod("--ca-file", lab.ca, manifest=SERVICES, resolve=PINS)
    plain, secure = World(pod, OK, 80), World(pod, OK, 443, tls=lab.context("DNS:secure.test"))
    for host in HOSTS:
        app = App(pod, host, 80)
        same(app.send(request("/a", host="origin")).message().status, 200)
        # The same connection carries requests for others.
        same(app.send(request("/b", host="secure:443")).message().status, 200)
        app.close()
    same({*plain.asked_for(), *secure.asked_for()}, {"198.51.100.1:80", "198.51.100.2:443"})
    same(plain.requests[0].get("host"), "origin.test")
    same(plain.requests[0].get("via"), "1.1 egressbox-sidecar")
    same(sidecar.verdicts(), {"routed_http": 4})
    entry = sidecar.entries(4)[0]
    same((entry["verdict"], entry["original"], entry["status"]), ("routed_http", "192.0.2.1:80", "200"))


@test
def a_request_that_came_in_pieces_or_in_lower_case_is_a_request():
    pod, _ = sidecar_pod(manifest=SERVICES, resolve=PINS)
    World(pod, OK, 80)
    app = App(pod, HOSTS[0], 80)
    for byte in request("/a", host="origin"):
        app.send(bytes([byte]))
    same(app.message().status, 200)
    for method in ("get", "PURGE", "M-SEARCH"):
        same(App(pod, HOSTS[0], 80).send(request(host="origin", method=method)).message().status, 200, method)
    answer = App(pod, HOSTS[0], 80).send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").message()
    same((answer.status, answer.reason), (400, "host_repeated"))


@test
def a_host_that_is_not_registered_is_told_how_to_register_it():
    pod, sidecar = sidecar_pod()
    world = World(pod, OK, 80)
    done = curl_in(pod, "--resolve", "httpbin.org:80:192.0.2.1", "http://httpbin.org/headers", "-w", "%{http_code}")
    has(done.stdout, '"httpbin.org" is not registered, nothing is; to register it: echo \'{apiVersion: v1')
    has(done.stdout, "externalName: httpbin.org, ports: [{name: http, port: 80}]}}' | kubectl apply -f -")
    has(done.stdout, "404")
    line = sidecar.refusals()[0]
    for part in ("client=10.1.0.2:", "destination=192.0.2.1:80", "host=httpbin.org", "reason=unknown_host"):
        has(line, part)
    same((sidecar.verdicts(), world.wires), ({"unknown_host": 1}, []))


@test
def the_hint_can_be_applied_as_it_is_and_then_the_call_works():
    pod, sidecar = sidecar_pod()
    text = App(pod, HOSTS[0], 80).send(request(host="api.Example.com:8080")).message().body.decode()
    manifest = text.split("'")[1]
    has(text, "then call http://example:8080")
    pod2, sidecar2 = sidecar_pod(manifest=manifest, resolve={"api.example.com": "198.51.100.1"})
    World(pod2, OK, 8080)
    same(App(pod2, HOSTS[0], 8080).send(request(host="example:8080")).message().status, 200)


@test
def what_is_neither_is_reset_with_a_line():
    pod, sidecar = sidecar_pod(manifest=SERVICES, resolve=PINS)
    world = World(pod, OK, 5432)
    for data in (b"\0\0\0\x08\x04\xd2\x16\x2f", b"SSH-2.0-Some thing\r\n", b"EHLO here\r\n", b"\x16\x03\x01\0\x02\2\2"):
        true(refused(pod, HOSTS[0], 5432, data), f"{data} is reset")
    same(len([line for line in sidecar.refusals(4) if "reason=unrecognised" in line]), 4)
    same(world.wires, [])


@test
def a_silent_client_is_reset_when_its_time_is_over():
    pod, sidecar = sidecar_pod("--detect-timeout", "200ms")
    world = World(pod, shout, 3306)
    started = time.monotonic()
    true(refused(pod, HOSTS[0], 3306), "reset")
    within(time.monotonic() - started, 0.15, 8)
    has(sidecar.refusals()[0], "reason=detect_timeout")
    same(world.wires, [])


@test
def one_that_says_half_a_word_is_reset_when_its_time_is_over():
    pod, sidecar = sidecar_pod("--detect-timeout", "200ms")
    for data in (b"GE", client_hello("secure.test")[:50]):
        true(refused(pod, HOSTS[0], 80, data), "reset")
    has(sidecar.refusals(2)[1], "reason=detect_timeout")


# TLS of the client's own.


def talk_tls(pod, host, name, lab, port=443, pieces=None):
    """What the client's own verified TLS brings; None when the connection was reset."""
    app = App(pod, host, port)
    context = ssl.create_default_context(cafile=lab.ca)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)

    def exchange(call):
        while True:
            try:
                return call()
            except ssl.SSLWantReadError:
                data = outgoing.read()
                for at in range(0, len(data), pieces or len(data) or 1):
                    app.send(data[at : at + (pieces or len(data))])
                if not app.fill():
                    incoming.write_eof()
                incoming.write(app.take(len(app.received)))

    exchange(tls.do_handshake)
    tls.write(request(host=name))
    return exchange(lambda: tls.read(65536))


@test
def tls_for_a_registered_name_goes_to_that_names_address_and_is_not_opened():
    lab = Lab()
    pod, sidecar = sidecar_pod(manifest=SERVICES, resolve=PINS)
    world = World(pod, OK, 443, tls=lab.context("DNS:secure.test"))
    for host in HOSTS:
        same(talk_tls(pod, host, "secure.test", lab), OK, f"answer by way of {host}")
        same(talk_tls(pod, host, "SECURE.test", lab, pieces=7), OK, "a hello in pieces of 7")
    same(set(world.asked_for()), {"198.51.100.2:443"})
    same(sidecar.verdicts(), {"tunnelled_sni": 4})


@test
def curl_does_it_too():
    lab = Lab()
    pod, sidecar = sidecar_pod(manifest=SERVICES, resolve=PINS)
    lab.ca.chmod(0o644)
    world = World(pod, OK, 443, tls=lab.context("DNS:secure.test"))
    done = curl_in(pod, "--resolve", "secure.test:443:192.0.2.1", "--cacert", lab.ca, "https://secure.test/")
    same((done.stdout, done.stderr), ("ok", ""))
    entry = sidecar.entries(1)[0]
    same((entry["host"], entry["verdict"]), ("secure.test", "tunnelled_sni"))
    same((entry["original"], entry["address"]), ("192.0.2.1:443", "198.51.100.2:443"))
    done = curl_in(pod, "--resolve", "www.google.com:443:192.0.2.1", "https://www.google.com/")
    same(done.stdout, "")
    has(sidecar.refusals()[0], 'sni=www.google.com reason=unknown_sni')
    same(world.asked_for(), ["198.51.100.2:443"])


@test
def tls_is_refused_on_another_port_for_an_http_port_and_without_a_name():
    pod, sidecar = sidecar_pod(manifest=SERVICES, resolve=PINS)
    world = World(pod, OK, 80), World(pod, OK, 8443)
    true(refused(pod, HOSTS[0], 8443, client_hello("secure.test")), "another port")
    true(refused(pod, HOSTS[0], 80, client_hello("origin.test")), "an http port")
    true(refused(pod, HOSTS[0], 443, client_hello("192.0.2.1")), "an address has no SNI")
    same(len(sidecar.refusals(3)), 3)
    same([w.wires for w in world], [[], []])


# The policy any.


@test
def under_any_everything_else_passes_and_the_bytes_read_already_too():
    lab = Lab()
    options = "--outbound-policy", "any", "--detect-timeout", "50ms"
    pod, sidecar = sidecar_pod(*options, manifest=SERVICES, resolve=PINS)
    echoed = World(pod, lambda wire: wire.send(wire.exactly(8)), 5432)
    World(pod, shout, 3306)
    for host in HOSTS:
        same(App(pod, host, 5432).send(b"\0\0\0\x08\x04\xd2\x16\x2f").to_end(), b"\0\0\0\x08\x04\xd2\x16\x2f")
        same(App(pod, host, 3306).exactly(6), b"hello\n", "the server's first word")
    same(set(echoed.asked_for()), {"192.0.2.1:5432", "[2001:db8::1]:5432"})
    world = World(pod, OK, 443, tls=lab.context("DNS:elsewhere.test"))
    same(talk_tls(pod, HOSTS[0], "elsewhere.test", lab), OK)
    same(set(world.asked_for()), {"192.0.2.1:443"})
    same(sidecar.verdicts(), {"passed_any": 5})


@test
def under_any_http_for_others_passes_too_also_later_on_a_connection():
    pod, sidecar = sidecar_pod("--outbound-policy", "any", manifest=SERVICES, resolve=PINS)
    world = World(pod, OK, 80)
    app = App(pod, HOSTS[0], 80)
    same(app.send(request("/1", host="origin")).message().status, 200)
    same(app.send(request("/2", "X-Odd:  as it is ", host="elsewhere.test")).message().status, 200)
    same(app.send(request("/3", host="elsewhere.test", body=b"abc")).message().status, 200)
    same(set(world.asked_for()), {"198.51.100.1:80", "192.0.2.1:80"})
    same([r.target for r in world.requests], ["/1", "/2", "/3"])
    has(world.requests[1].raw, b"\r\nX-Odd:  as it is \r\n")
    same(world.requests[1].get("via"), None)
    # What breaks a rule is nobody's request: it goes where the client wanted.
    odd = b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
    same(App(pod, HOSTS[0], 80).send(odd).message().status, 200)
    same(sidecar.verdicts(), {"routed_http": 1, "passed_any": 2})


main()
