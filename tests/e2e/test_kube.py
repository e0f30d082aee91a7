"""Services of a real API server become routes, as long as they are there: kube-apiserver and etcd, kubectl, curl."""

import json
import threading

import yaml

from harness import EGRESSBOX, folder, has, lacks, main, need, run, same, test, true, until
from kubeserver import NOBODY, SERVICES, is_ready, kubectl, ready, routed, routes, service, the_cluster, watching
from origins import Lab, Nginx, Origin
from proxy import PAGE, Proxy, curl, gateway
from wire import Client

HTTPBIN = "listen LISTEN; location / { return 200 'httpbin host=$http_host'; }"
GOOGLE = (
    "listen LISTEN ssl; ssl_certificate %s; ssl_certificate_key %s; ssl_protocols TLSv1.2;"
    "location / { return 200 'google host=$http_host'; }"
)


def egress_proxy(*words):
    done = run(EGRESSBOX, "egress-proxy", *words)
    return done.returncode, done.stdout, done.stderr


def answered(proxy, body, *urls):
    until(lambda: curl(proxy, "--fail", *urls).stdout == body, lambda: f"{body}, but {curl(proxy, *urls)}")


def refused(proxy, host):
    until(lambda: proxy.get("/", host=host).status == 404, f"{host} is refused")


@test(deadline=60)
def the_page_by_kubectl_and_gone_again():
    need("curl")
    cluster = the_cluster()
    lab = Lab()
    origins = Nginx(HTTPBIN, GOOGLE % lab.issue("DNS:www.google.com"))
    pins = {n: f"127.0.0.1:{p}" for n, p in zip(("httpbin.org", "www.google.com"), origins.ports)}
    proxy = ready(watching(cluster, "--ca-file", lab.ca, resolve=pins))
    same(routes(proxy), {})
    kubectl(cluster, "create", "-f", "-", input=PAGE.read_text())
    answered(proxy, "httpbin host=httpbin.org", "http://externalbin/headers")
    answered(proxy, "google host=www.google.com", "http://securegoogle:443")
    kubectl(cluster, "delete", "service", "externalbin", "securegoogle")
    refused(proxy, "externalbin")
    refused(proxy, "securegoogle:443")


@test(deadline=60)
def a_patch_changes_where_requests_go():
    cluster = the_cluster()
    one, two = Origin(), Origin()
    proxy = ready(watching(cluster, resolve={"one.test": one.address, "two.test": two.address}))
    cluster.create(service("web", "one.test"))
    until(lambda: proxy.get("/", host="web").status == 200, "the first is called")
    kubectl(cluster, "patch", "service", "web", "--type=merge", "-p", '{"spec":{"externalName":"two.test"}}')
    until(lambda: proxy.get("/", host="web").status == 200 and two.requests, "the second is called")
    same(two.requests[-1].get("Host"), "two.test")


@test(deadline=60)
def a_request_under_way_is_finished_when_its_service_goes():
    cluster = the_cluster()
    may_answer = threading.Event()

    def answer_late(wire):
        wire.message()
        wires.append(wire)
        may_answer.wait(30)
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")

    wires, origin = [], Origin(script=answer_late)
    proxy = ready(watching(cluster, resolve={"web.test": origin.address}))
    cluster.create(service("web", "web.test"))
    routed(proxy, "web:80")
    client = Client(proxy)
    client.send(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n")
    until(lambda: wires, "the origin has the request")
    cluster.remove("web")
    routed(proxy)
    same(proxy.get("/", host="web").status, 404)
    may_answer.set()
    same(client.message().body, b"late")


@test(deadline=60)
def the_source_of_a_route_is_the_version_of_its_service():
    cluster = the_cluster()
    proxy = ready(watching(cluster))
    made = cluster.create(service("web", "web.test", 8080))
    routed(proxy, "web:8080")
    version = made["metadata"]["resourceVersion"]
    same(routes(proxy)["web:8080"], ("web.test:8080", f"default/web@{version}"))
    made = cluster.ok("PATCH", f"{SERVICES}/web", {"metadata": {"labels": {"a": "b"}}})
    newer = f"default/web@{made['metadata']['resourceVersion']}"
    until(lambda: routes(proxy)["web:8080"][1] == newer, "the newer version is the source")
    line = json.loads(proxy.ask_admin("/routes?format=json").body.splitlines()[0])
    same((line["source"], line["upstream"], line["namespace"]), (newer, "web.test:8080", "default"))


@test(deadline=60)
def services_of_other_types_route_nothing():
    cluster = the_cluster()
    proxy = ready(watching(cluster))
    cluster.create({"metadata": {"name": "inside"}, "spec": {"ports": [{"port": 80}], "selector": {"a": "b"}}})
    cluster.create(service("web", "web.test"))
    routed(proxy, "web:80")
    # One that stops being an external name.
    cluster.ok("PATCH", f"{SERVICES}/web", {"spec": {"type": "ClusterIP", "externalName": None}})
    routed(proxy)


@test(deadline=60)
def one_namespace_or_all():
    cluster = the_cluster()
    cluster.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "other"}})
    cluster.create(service("web", "web.test"))
    cluster.create(service("web", "other.test"), namespace="other")
    routed(ready(watching(cluster)), "web:80")
    routed(ready(watching(cluster, "-n", "other")), "web:80")
    same(routes(ready(watching(cluster, "-n", "other")))["web:80"][0], "other.test:80")
    routed(ready(watching(cluster, "-A")), "web:80", "web.other:80")


@test(deadline=60)
def only_services_with_the_labels():
    cluster = the_cluster()
    proxy = ready(watching(cluster, "--selector", "egress in (yes, maybe),team!=red"))
    cluster.create(service("web", "web.test", labels={"egress": "yes"}))
    cluster.create(service("red", "red.test", labels={"egress": "yes", "team": "red"}))
    cluster.create(service("none", "none.test"))
    routed(proxy, "web:80")
    cluster.ok("PATCH", f"{SERVICES}/web", {"metadata": {"labels": {"egress": "no"}}})
    cluster.ok("PATCH", f"{SERVICES}/none", {"metadata": {"labels": {"egress": "maybe"}}})
    routed(proxy, "none:80")


@test(deadline=60)
def files_and_the_api_together_and_the_file_wins():
    cluster = the_cluster()
    manifest = json.dumps(service("web", "file.test"))
    proxy = ready(watching(cluster, manifest=manifest))
    routed(proxy, "web:80")
    made = cluster.create(service("web", "api.test"))
    cluster.create(service("more", "more.test"))
    routed(proxy, "web:80", "more:80")
    same(routes(proxy)["web:80"][0], "file.test:80")
    version = made["metadata"]["resourceVersion"]
    has(proxy.stderr(), f"a file has this service as well, and wins source=default/web@{version}", "the log")
    same(proxy.stderr().count("and wins"), 1, "times that it was said")
    same(proxy.metrics()["egressbox_kube_services_shadowed"], 1)
    # What the file no longer has is the API's.
    (proxy.dir / "services.yaml").write_text(json.dumps(service("third", "file.test")))
    routed(proxy, "third:80", "web:80", "more:80")
    same(routes(proxy)["web:80"][0], "api.test:80")


@test(deadline=60)
def a_service_that_is_no_good_changes_nothing_else():
    cluster = the_cluster()
    proxy = ready(watching(cluster))
    cluster.create(service("good", "good.test"))
    bad = cluster.create(service("bad", "x" * 70 + ".test"))  # a label of over 63 bytes, which the server takes
    cluster.create(service("later", "later.test"))
    routed(proxy, "good:80", "later:80")
    source = f"default/bad@{bad['metadata']['resourceVersion']}"
    until(lambda: source in proxy.stderr(), "the log has it")
    has(proxy.stderr(), "error service source=" + source, "the log")
    has(proxy.stderr(), "spec.externalName: ", "the log")
    metrics = proxy.metrics()
    same((metrics["egressbox_kube_services"], metrics["egressbox_kube_services_invalid"]), (3, 1))
    path = "/api/v1/namespaces/default/events?fieldSelector=involvedObject.name=bad"
    event = until(lambda: cluster.ok("GET", path)["items"], "an event")[0]
    same((event["type"], event["reason"], event["source"]["component"]), ("Warning", "NotRouted", "egress-proxy"))
    same(event["involvedObject"]["uid"], bad["metadata"]["uid"])
    has(event["message"], "is no DNS name", "the event")
    lacks(event["message"], "default/bad@", "the event")
    cluster.ok("PATCH", f"{SERVICES}/bad", {"spec": {"externalName": "bad.test"}})
    routed(proxy, "good:80", "later:80", "bad:80")
    same(proxy.metrics()["egressbox_kube_services_invalid"], 0)


@test(deadline=60)
def annotations_count_but_for_those_that_name_files():
    """Whoever may create a Service must not thereby use what is mounted into the proxy."""
    cluster, lab = the_cluster(), Lab()
    origin = Origin(tls=lab.context("DNS:other.test"))
    proxy = ready(watching(cluster, "--ca-file", lab.ca, resolve={"web.test": origin.address}))
    cluster.create(service("sni", "web.test", 443, "https", annotations={"egressbox.io/tls-sni": "other.test"}))
    cluster.create(service("plain", "web.test", 443, "https"))
    cluster.create(service("files", "web.test", 443, "https", annotations={"egressbox.io/tls-ca-file": str(lab.ca)}))
    routed(proxy, "sni:443", "plain:443")
    same([proxy.get(host=f"{name}:443").status for name in ("sni", "plain", "files")], [200, 502, 404], "statuses")
    same(proxy.metrics()["egressbox_kube_services_invalid"], 1)
    has(proxy.stderr(), "only in manifests given by -f", "the log")


@test(deadline=60)
def rights_that_print_rbac_names_are_enough():
    cluster = the_cluster()
    status, role, _ = egress_proxy("--print-rbac", "-n", "default")
    same(status, 0)
    cluster.forbid()
    cluster.allow(role, "default")
    proxy = ready(watching(cluster, token=cluster.gateway))
    cluster.create(service("web", "web.test"))
    cluster.create(service("bad", "x" * 70 + ".test"))
    routed(proxy, "web:80")
    until(lambda: proxy.metrics()["egressbox_kube_warnings_total"] == 1, "an event was written")
    cluster.forbid("default")
    cluster.allow(egress_proxy("--print-rbac", "-A")[1])
    routed(ready(watching(cluster, "-A", token=cluster.gateway)), "web:80")
    cluster.forbid()


@test(deadline=60)
def the_printed_gateway_has_the_rights_that_it_takes():
    """Its account, role and binding are put into the server; a proxy with its arguments goes by the account's token."""
    cluster = the_cluster()
    status, text, _ = egress_proxy("--print-manifest", "--kube")
    made = {document["kind"]: document for document in yaml.safe_load_all(text)}
    same((status, "ConfigMap" in made), (0, False))
    token = folder() / "token"
    token.write_text(cluster.admit(made))
    pod = made["Deployment"]["spec"]["template"]["spec"]
    same(pod["containers"][0]["args"], ["--kube", "--listen", "8080", "--admin", "*:15000"])
    same((pod["serviceAccountName"], pod.get("volumes")), ("egress-gateway", None))
    proxy = ready(watching(cluster, token=token))
    cluster.create(service("web", "web.test"))
    routed(proxy, "web:80")


@test(deadline=60)
def without_events_it_works_as_well():
    cluster = the_cluster()
    role = egress_proxy("--print-rbac", "-n", "default")[1]
    cluster.allow(role[: role.index("# To tell")], "default")
    proxy = ready(watching(cluster, token=cluster.gateway))
    cluster.create(service("bad", "x" * 70 + ".test"))
    cluster.create(service("web", "web.test"))
    routed(proxy, "web:80")
    until(lambda: "no event was written" in proxy.stderr(), "the log says so")
    has(proxy.stderr(), 'cannot create resource', "the log")
    cluster.forbid("default")


@test(deadline=60)
def a_missing_right_is_named():
    cluster = the_cluster()
    cluster.forbid()
    cluster.forbid("default")
    proxy = watching(cluster, "-A", token=cluster.gateway)
    until(lambda: "not allowed to list services in all namespaces" in proxy.stderr(), lambda: proxy.stderr())
    has(proxy.stderr(), "cannot list resource", "the server's own words")
    same(is_ready(proxy), False)
    has(proxy.ask_admin("/readyz").body, b"waiting for the first list of services", "/readyz")
    role = egress_proxy("--print-rbac", "-n", "default")[1]
    cluster.allow(role.replace(", watch", ""), "default")
    proxy = watching(cluster, token=cluster.gateway)
    until(lambda: "not allowed to watch services in namespace default" in proxy.stderr(), lambda: proxy.stderr())
    cluster.forbid("default")


@test(deadline=60)
def a_kubeconfig_says_whom_to_ask_and_who_asks():
    cluster = the_cluster()
    cluster.create(service("web", "web.test"))
    cert, key = cluster.lab.issue("DNS:client.test")  # of CN secure.test
    config = json.loads(cluster.kubeconfig.read_text())
    config["users"] += [
        {"name": "cert", "user": {"client-certificate": str(cert), "client-key": str(key)}},
        {"name": "plugin", "user": {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "login"}}},
    ]  # fmt: skip
    config["contexts"] += [{"name": n, "context": {"cluster": "it", "user": n}} for n in ("cert", "plugin")]
    path = folder() / "kubeconfig"
    path.write_text(json.dumps(config))
    proxy = Proxy(None, "--kube", "--kubeconfig", path, "--dns", NOBODY)
    proxy.fds_at_start += 2
    routed(ready(proxy), "web:80")
    # The server knows the user of the certificate, and says that he may not.
    proxy = Proxy(None, "--kube", "--kubeconfig", path, "--context", "cert")
    proxy.fds_at_start += 2
    until(lambda: "secure.test" in proxy.stderr() and "cannot list" in proxy.stderr(), lambda: proxy.stderr())
    status, _, err = egress_proxy("--kube", "--kubeconfig", path, "--context", "plugin")
    same(status, 2)
    has(err, "exec", "the message")
    has(err, "kubectl get services -o json | egress-proxy -f -", "the message")


@test(deadline=60)
def a_service_account_in_its_pod():
    """The token of a service account, as the kubelet would have put it there."""
    cluster = the_cluster()
    cluster.ask("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "egress"}})
    path = "/api/v1/namespaces/default/serviceaccounts/egress/token"
    made = cluster.ok("POST", path, {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}})
    token = folder() / "token"
    token.write_text(made["status"]["token"])
    env = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(cluster.port)}
    files = "--token-file", token, "--certificate-authority", cluster.ca
    proxy = Proxy(None, "--kube", *files, "--dns", NOBODY, env=env)
    proxy.fds_at_start += 2
    until(lambda: "system:serviceaccount:default:egress" in proxy.stderr(), lambda: proxy.stderr())
    cluster.allow(egress_proxy("--print-rbac", "-n", "default")[1], "default")
    path = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings/egress-proxy"
    cluster.ok("PATCH", path, {"subjects": [{"kind": "ServiceAccount", "name": "egress", "namespace": "default"}]})
    cluster.create(service("web", "web.test"))
    ready(proxy, 40)
    routed(proxy, "web:80")
    cluster.forbid("default")


@test
def says_what_is_wrong_with_the_options():
    for words, message in (
        (["--kube"], "KUBERNETES_SERVICE_HOST is not set"),
        (["--kube", "--server", "10.0.0.1"], "expected"),
        (["-A", "-f", "x.yaml"], "only with --kube"),
        (["--kube", "--check"], "no manifests"),
    ):
        status, _, err = egress_proxy(*words)
        same(status, 2, str(words))
        has(err, message, str(words))


main()
