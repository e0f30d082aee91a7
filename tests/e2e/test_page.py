"""The two Services of the page, byte for byte, and its two curl calls."""

from harness import has, lacks, main, need, same, test, true
from wire import Client
from origins import Lab, Nginx, Origin
from proxy import PAGE, Proxy, curl

HTTPBIN = """listen LISTEN; default_type application/json;
    location / { return 200 '{"Host": "$http_host", "Via": "$http_via"}'; }"""
GOOGLE = (
    "listen LISTEN ssl; ssl_certificate %s; ssl_certificate_key %s; ssl_protocols TLSv1.2;"
    "location / { return 200 'host=$http_host sni=$ssl_server_name tls=$ssl_protocol'; }"
)


def page():
    """nginx as both origins and the gateway in front of them."""
    need("curl")
    lab = Lab()
    origins = Nginx(HTTPBIN, GOOGLE % lab.issue("DNS:www.google.com"))
    pins = {n: f"127.0.0.1:{p}" for n, p in zip(("httpbin.org", "www.google.com"), origins.ports)}
    return origins, Proxy(PAGE.read_text(), "--ca-file", lab.ca, resolve=pins)


def raw_page(*options, **more):
    """The same with one raw origin for both names, of which only the plain one is called."""
    origin = Origin()
    pins = {"httpbin.org": origin.address, "www.google.com": origin.address}
    return origin, Proxy(PAGE.read_text(), *options, resolve=pins, **more)


@test
def curl_externalbin_headers_arrives_as_httpbin_org():
    origins, proxy = page()
    done = curl(proxy, "http://externalbin/headers")
    same(done.stdout, '{"Host": "httpbin.org", "Via": "1.1 egressbox"}', "the answer")
    same(done.stderr, "", "what curl says")
    same(origins.seen(1), ["GET httpbin.org /headers sni=- tls=- via=1.1 egressbox"], "what nginx saw")


@test
def curl_securegoogle_443_arrives_over_verified_tls():
    origins, proxy = page()
    done = curl(proxy, "http://securegoogle:443")
    same(done.stdout, "host=www.google.com sni=www.google.com tls=TLSv1.2", "the answer")
    same(origins.seen(1), ["GET www.google.com / sni=www.google.com tls=TLSv1.2 via=1.1 egressbox"], "what nginx saw")


@test
def both_calls_are_in_the_access_log_with_their_manifest_line():
    origins, proxy = page()
    curl(proxy, "http://externalbin/headers", "http://securegoogle:443")
    plain, secure = proxy.entries(2)
    same(plain["host"], "externalbin")
    same(plain["path"], "/headers")
    same(plain["route"], "default/externalbin:80")
    same(plain["upstream"], "http://httpbin.org:80")
    same(plain["address"], f"127.0.0.1:{origins.ports[0]}")
    same(secure["host"], "securegoogle:443")
    same(secure["route"], "default/securegoogle:443")
    same(secure["upstream"], "https://www.google.com:443")
    for line in (plain, secure):
        same((line["status"], line["reason"], line["reused"]), ("200", "ok", "0"))
        has(line["source"], "services.yaml:")


@test
def every_form_of_the_name_is_routed():
    origin, proxy = raw_page()
    client, count = Client(proxy), 0
    for name in (
        "externalbin",
        "externalbin.default",
        "externalbin.default.svc",
        "externalbin.default.svc.cluster.local",
    ):
        for dot in ("", "."):
            for port in ("", ":80"):
                for host in (name + dot + port, (name + dot + port).upper()):
                    answer = client.ask("/headers", host=host)
                    same(answer.status, 200, f"status for {host}")
                    count += 1
                    same(origin.requests[-1].get("host"), "httpbin.org", f"Host upstream for {host}")
    same(len(origin.requests), count)


@test
def names_that_only_look_alike_are_not_routed():
    origin, proxy = raw_page()
    for host in (
        "httpbin.org", "externalbin.other", "externalbin.default.sv", "externalbin.default.svc.cluster", "xexternalbin",
        "externalbin.default.svc.cluster.local.x", "externalbin..", ".externalbin", "externalbi", "127.0.0.1", "[::1]",
    ):  # fmt: skip
        answer = proxy.get(host=host)
        true(answer.status in (400, 404), f"status for {host} is {answer.status}")
    same(origin.received(), b"", "what reached the origin")


@test
def services_without_namespace_belong_to_the_one_given():
    for options, env in ((("--namespace", "shop"), {}), ((), {"POD_NAMESPACE": "shop"})):
        _, proxy = raw_page(*options, env=env)
        for host, status in (("externalbin", 200), ("externalbin.shop.svc", 200), ("externalbin.default", 404)):
            same(proxy.get(host=host).status, status, f"status for {host}")


@test
def the_bare_name_is_for_the_namespace_given_only():
    manifest = PAGE.read_text().replace("metadata:\n", "metadata:\n namespace: shop\n")
    origin = Origin()
    for options, status in (((), 404), (("--namespace", "shop"), 200), (("--namespace", "other"), 404)):
        proxy = Proxy(manifest, *options, resolve={"httpbin.org": origin.address})
        same(proxy.get(host="externalbin").status, status, f"status with {options}")
        same(proxy.get(host="externalbin.shop").status, 200, f"status of the longer name with {options}")


@test
def the_cluster_domain_can_be_another():
    origin, proxy = raw_page("--cluster-domain", "corp.example")
    same(proxy.get(host="externalbin.default.svc.corp.example").status, 200)
    same(proxy.get(host="externalbin.default.svc.cluster.local").status, 404)


@test
def an_unknown_host_is_told_in_one_line():
    origin, proxy = raw_page()
    answer = proxy.get(host="nowhere.example")
    same(answer.status, 404)
    same(answer.reason, "unknown_host", "x-egressbox-error")
    true(answer.get("content-type").startswith("text/plain"), "the answer is no text/plain")
    has(answer.body, b"nowhere.example")
    true(answer.body.endswith(b"\n") and answer.body.count(b"\n") == 1, f"not one line: {answer.body}")


@test
def a_known_name_with_the_wrong_port_is_told_the_right_one():
    origin, proxy = raw_page()
    answer = proxy.get(host="securegoogle")
    same(answer.status, 404)
    same(answer.reason, "unknown_port", "x-egressbox-error")
    has(answer.body, b"securegoogle has port 443 only: use http://securegoogle:443")
    same(proxy.get(host="externalbin:443").status, 404)
    same(proxy.get(host="externalbin:8080").reason, "unknown_port", "x-egressbox-error")
    same(origin.received(), b"", "what reached the origin")


@test
def the_body_of_a_404_never_carries_markup_or_control_bytes():
    _, proxy = raw_page()
    answer = proxy.get(host="a\xffb")
    same(answer.status // 100, 4, "class of status")
    true(all(32 <= byte < 127 or byte == 10 for byte in answer.body), f"raw bytes in {answer.body}")


@test
def path_and_query_pass_byte_for_byte():
    origin, proxy = raw_page()
    client = Client(proxy)
    for target in (
        "/",
        "/a//b/../c/./d",
        "/%2e%2E/%00?q=%20&&==",
        "/?",
        "/a?b?c/d",
        "/;p=1,2",
        "/~!$&'()*+,-._:@|{}\"<>^`\\[]",
    ):
        same(client.ask(target, host="externalbin").status, 200, f"status for {target}")
        same(origin.requests[-1].target, target, "target upstream")


@test
def a_target_of_8000_bytes_passes():
    origin, proxy = raw_page()
    target = "/" + "x" * 7999
    same(proxy.get(target, host="externalbin").status, 200)
    same(origin.requests[0].target, target, "target upstream")


@test
def each_port_of_a_service_is_routed_by_itself():
    """One raw origin takes both protocols: it looks at the first byte for a TLS handshake."""
    lab = Lab()
    context = lab.context("DNS:both.test")

    def script(wire):
        first = wire.sock.recv(1, 2)  # MSG_PEEK
        if first == b"\x16":
            wire.sock = context.wrap_socket(wire.sock, server_side=True)
        host = wire.message().get("host").encode()
        answer = (b"tls " if first == b"\x16" else b"plain ") + host
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))

    origin = Origin(script)
    ports = (
        "{name: http, port: 80}, {name: http-alt, port: 8080}, {name: https, port: 443}, {name: https-b, port: 8443}"
    )
    manifest = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: both}\n"
        f"spec: {{type: ExternalName, externalName: both.test, ports: [{ports}]}}\n"
    )
    proxy = Proxy(manifest, "--ca-file", lab.ca, resolve={"both.test": origin.address})
    for host, answer in {
        "both": b"plain both.test", "both:8080": b"plain both.test:8080",
        "both:443": b"tls both.test", "both:8443": b"tls both.test:8443",
    }.items():  # fmt: skip
        same(proxy.get(host=host).body, answer, f"answer for {host}")


@test
def a_tls_client_hello_on_the_plain_port_is_refused_by_name():
    origin, proxy = raw_page()
    done = curl(proxy, "-k", "https://securegoogle:443/")
    true(done.returncode != 0, "curl made a TLS connection to the plain port")
    line = proxy.lines(1)[0]
    has(line, "securegoogle", "access log")
    has(line, "tls", "access log")
    same(origin.received(), b"", "what reached the origin")


@test
def the_access_log_says_one_line_per_request():
    _, proxy = raw_page()
    client = Client(proxy)
    for i in range(5):
        client.ask(f"/{i}", host="externalbin")
    same([e["path"] for e in proxy.entries(5)], ["/0", "/1", "/2", "/3", "/4"], "paths logged")
    lacks(proxy.stderr(), "error", "stderr")


main()
