"""cidr-describe asks an API server: whom it believes, what it goes on to ask, and what it says when it may not."""

import base64
import json
import os
import time
from ipaddress import ip_address, ip_network

import apiserver
from apiserver import ApiServer, by_address, by_name, tls13_only, with_clients
from harness import EGRESSBOX, folder, has, lacks, main, need, pass_time, run, same, test, within
from origins import Lab

SERVICE_CIDRS = "/apis/networking.k8s.io/v1/servicecidrs"
NODES = "/api/v1/nodes"
KUBEADM = "/api/v1/namespaces/kube-system/configmaps/kubeadm-config"
PAGE = "clusterIpv4Cidr: 10.4.0.0/14\nservicesIpv4Cidr: 10.7.240.0/20\n"


def service_cidr(*cidrs):
    return {"kind": "ServiceCIDR", "metadata": {"name": "x"}, "spec": {"cidrs": list(cidrs)}}


def node(cidr):
    return {"kind": "Node", "metadata": {"name": "n"}, "spec": {"podCIDR": cidr, "podCIDRs": [cidr]}}


def config_map(**data):
    return {"kind": "ConfigMap", "apiVersion": "v1", "data": data}


def kubeadm(pods, services):
    text = f"kind: ClusterConfiguration\nnetworking:\n  podSubnet: {pods}\n  serviceSubnet: {services}\n"
    return config_map(ClusterConfiguration=text)


CLUSTER = {SERVICE_CIDRS: [service_cidr("10.7.240.0/20")], KUBEADM: kubeadm("10.4.0.0/14", "10.0.0.0/24")}


def describe(*words, env=None):
    done = run(EGRESSBOX, "cidr-describe", *words, env=env or {})
    return done.returncode, done.stdout, done.stderr


def ask(server, lab, *words):
    return describe("--server", server.url, "--certificate-authority", lab.ca, *words)


@test
def asks_a_server_whose_certificate_has_only_its_address():
    lab = Lab()
    server = ApiServer(CLUSTER, tls=by_address(lab))
    same(ask(server, lab), (0, PAGE, ""))


@test
def asks_plain_http_of_kubectl_proxy():
    same(describe("--server", ApiServer(CLUSTER).url, "-o", "flag"),
         (0, "--includeIPRanges=10.4.0.0/14,10.7.240.0/20\n", ""))


@test
def sends_the_token():
    lab = Lab()
    server = ApiServer(CLUSTER, tls=by_address(lab), token="sesame")
    token = folder() / "token"
    token.write_text("sesame\n")
    same(ask(server, lab, "--token-file", token), (0, PAGE, ""))


@test
def goes_no_further_than_each_role_needs():
    server = ApiServer(CLUSTER)
    describe("--server", server.url)
    lacks("\n".join(server.paths), NODES, "paths")
    lacks("\n".join(server.paths), "projectcalico", "paths")
    same(server.paths[0], SERVICE_CIDRS + "?limit=500")
    server = ApiServer(CLUSTER)
    same(describe("--server", server.url, "--services")[1], "servicesIpv4Cidr: 10.7.240.0/20\n")
    same(server.paths, [SERVICE_CIDRS + "?limit=500"])


@test
def reads_all_pages():
    nodes = [node(f"10.9.{n}.0/24") for n in range(256)] * 5
    server = ApiServer({SERVICE_CIDRS: [service_cidr("10.96.0.0/12")], NODES: nodes})
    status, out, err = describe("--server", server.url)
    same((status, out), (0, "clusterIpv4Cidr: 10.9.0.0/16\nservicesIpv4Cidr: 10.96.0.0/12\n"))
    has(err, "slices of the nodes")
    same(len([path for path in server.paths if path.startswith(NODES)]), 3, "pages")


@test
def begins_again_when_pages_expire():
    nodes = [node(f"10.9.{n % 256}.0/24") for n in range(1200)]
    server = ApiServer({SERVICE_CIDRS: [service_cidr("10.96.0.0/12")], NODES: nodes}, expire_after=2)
    same(describe("--server", server.url)[:2], (0, "clusterIpv4Cidr: 10.9.0.0/16\nservicesIpv4Cidr: 10.96.0.0/12\n"))
    has(server.paths, NODES, "paths")


@test
def climbs_down_when_little_is_said():
    server = ApiServer({
        "/api/v1/namespaces/default/services/kubernetes": {"kind": "Service", "metadata": {"name": "kubernetes"},
                                                           "spec": {"clusterIP": "10.43.0.1"}},
        "/api/v1/namespaces/kube-system/pods": [
            {"kind": "Pod", "spec": {"containers": [{"command": ["kube-controller-manager", "--cluster-cidr=10.42.0.0/16"]}]}}],
    })  # fmt: skip
    same(describe("--server", server.url), (0, "clusterIpv4Cidr: 10.42.0.0/16\nservicesIpv4Cidr: 10.43.0.0/16\n", ""))


@test
def believes_cilium_before_kubeadm():
    cilium = "/api/v1/namespaces/kube-system/configmaps/cilium-config"
    server = ApiServer({**CLUSTER, cilium: config_map(**{"cluster-pool-ipv4-cidr": "10.200.0.0/16"})})
    same(describe("--server", server.url, "--pods")[1], "clusterIpv4Cidr: 10.200.0.0/16\n")


@test
def asks_openshift():
    network = {"kind": "Network", "status": {"clusterNetwork": [{"cidr": "10.128.0.0/14", "hostPrefix": 23}],
                                             "serviceNetwork": ["172.30.0.0/16"]}}
    server = ApiServer({"/apis/config.openshift.io/v1/networks/cluster": network})
    same(describe("--server", server.url)[1], "clusterIpv4Cidr: 10.128.0.0/14\nservicesIpv4Cidr: 172.30.0.0/16\n")


@test
def probes_only_when_asked():
    services = "/api/v1/namespaces/default/services"
    message = "the provided IP (192.0.2.1) is not in the valid range. The range of valid IPs is 10.7.240.0/20"
    server = ApiServer({KUBEADM: kubeadm("10.4.0.0/14", '""'), services: apiserver.failure(422, message)})
    same(describe("--server", server.url)[0], 1)
    lacks("\n".join(server.paths), "dryRun", "paths")
    same(describe("--server", server.url, "--probe"), (0, PAGE, ""))
    has("\n".join(server.paths), services + "?dryRun=All", "paths")


@test
def measures_by_dry_runs_where_the_message_is_silent():
    def answer(message):
        spec = json.loads(message.body)["spec"]
        if spec["ipFamilies"] != ["IPv4"]:
            return apiserver.failure(422, "IPv6 is not configured on this cluster")
        address = spec.get("clusterIP", "10.7.240.0")
        if ip_address(address) not in ip_network("10.7.240.0/20"):
            return apiserver.failure(422, f"failed to allocate IP {address}: provided IP is not in the valid range")
        return {"kind": "Service", "spec": {"clusterIP": address}}

    server = ApiServer({KUBEADM: kubeadm("10.4.0.0/14", '""'), "/api/v1/namespaces/default/services": answer})
    same(describe("--server", server.url, "--probe"), (0, PAGE, ""))
    within(len([path for path in server.paths if "dryRun=All" in path]), 2, 24, "dry runs")


@test
def says_what_is_not_allowed_and_what_would_allow_it():
    server = ApiServer(CLUSTER, forbidden=[SERVICE_CIDRS, KUBEADM, NODES])
    status, out, err = describe("--server", server.url)
    same((status, out), (1, ""))
    has(err, f"not allowed: {SERVICE_CIDRS}, and more (--print-rbac prints what allows it)")


@test
def a_refused_token_ends_it():
    lab = Lab()
    status, out, err = ask(ApiServer(CLUSTER, tls=by_address(lab), token="other"), lab)
    same((status, out), (1, ""))
    has(err, "401")


@test
def refuses_certificates_that_are_not_right():
    lab = Lab()
    for context in (by_name(lab, "other.test"), by_address(lab, "127.0.0.2"), by_address(lab, start=-20 * 86400),
                    by_address(Lab("Stranger"))):
        server = ApiServer(CLUSTER, tls=context)
        status, out, _ = ask(server, lab)
        same((status, out, server.requests), (1, "", []))


@test
def says_what_to_pipe_when_the_server_wants_tls_13():
    lab = Lab()
    status, out, err = ask(ApiServer(CLUSTER, tls=tls13_only(lab)), lab)
    same((status, out), (1, ""))
    has(err, "kubectl get --raw")


@test(deadline=40)
def a_body_that_is_cut_off_is_no_answer():
    body = b'{"kind":"List","items":[{"kind":"ServiceCIDR","spec":{"cidrs":["10.7.240.0/20"]}}'
    whole = apiserver.response(200, body)
    status, out, err = describe("--server", ApiServer({SERVICE_CIDRS: whole}).url)
    same((status, out), (1, ""))
    has(err, f"{SERVICE_CIDRS}:1:")


@test
def a_slow_server_is_not_waited_for_without_end():
    server = ApiServer({SERVICE_CIDRS: lambda _: pass_time(2) or b""})
    start = time.monotonic()
    status, out, err = describe("--server", server.url, "--timeout", "300ms")
    same((status, out), (1, ""))
    within(time.monotonic() - start, 0.2, 1.8, "seconds")
    has(err, server.url)


def kubeconfig(server, lab, user, **cluster):
    path = folder() / "config"
    authority = base64.b64encode(lab.ca.read_bytes()).decode()
    path.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": server.url, "certificate-authority-data": authority, **cluster}}],
        "users": [{"name": "u", "user": user}],
    }))  # fmt: skip
    return path


@test
def asks_as_a_kubeconfig_says():
    lab = Lab()
    server = ApiServer(CLUSTER, tls=by_name(lab, "api.test"), token="t")
    config = kubeconfig(server, lab, {"token": "t"}, **{"tls-server-name": "api.test"})
    same(describe("--kubeconfig", config), (0, PAGE, ""))
    same(describe("--context", "c", env={"KUBECONFIG": str(config)}), (0, PAGE, ""), "$KUBECONFIG")


@test
def shows_a_clients_certificate():
    lab = Lab()
    cert, key = lab.issue("")
    server = ApiServer(CLUSTER, tls=with_clients(lab))
    config = kubeconfig(server, lab, {"client-certificate": str(cert), "client-key": str(key)})
    same(describe("--kubeconfig", config), (0, PAGE, ""))


@test
def says_what_to_pipe_instead_of_a_plugin():
    lab = Lab()
    config = kubeconfig(ApiServer(CLUSTER, tls=by_address(lab)), lab, {"exec": {"command": "gke-gcloud-auth-plugin"}})
    status, out, err = describe("--kubeconfig", config)
    same((status, out), (2, ""))
    has(err, "kubectl get nodes,servicecidrs -o json | cidr-describe")


@test
def asks_as_a_pods_service_account():
    lab, token = Lab(), folder() / "token"
    token.write_text("t")
    server = ApiServer(CLUSTER, tls=by_address(lab), token="t")
    env = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT_HTTPS": str(server.port)}
    files = ("--token-file", token, "--certificate-authority", lab.ca)
    same(describe("--in-cluster", *files, env=env), (0, PAGE, ""))


@test
def a_pod_without_rights_goes_by_its_environment():
    status, out, err = describe("--in-cluster", "--services", env={"KUBERNETES_SERVICE_HOST": "10.43.0.1"})
    same((status, out), (0, "servicesIpv4Cidr: 10.43.0.0/16\n"))
    has(err, "cidr-describe: warning: ")
    env = {"KUBERNETES_SERVICE_HOST": "10.96.0.1"}
    status, out, err = describe("--in-cluster", "--services", env=env)
    same((status, out), (1, ""))
    has(err, "has a length from /12 to /")
    same(describe("--in-cluster", "--services", "--guess", "wide", env=env)[:2], (0, "servicesIpv4Cidr: 10.96.0.0/12\n"))


@test
def a_pod_without_rights_knows_the_addresses_of_its_namespaces_services():
    env = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "SHOP_SERVICE_HOST": "10.99.3.4", "SHOP_SERVICE_PORT": "80"}
    same(describe("--in-cluster", "--services", "--guess", "narrow", env=env)[:2], (0, "servicesIpv4Cidr: 10.96.0.0/14\n"))


@test
def asks_for_addresses_only_for_a_guess():
    services = [{"kind": "Service", "metadata": {"name": "s"}, "spec": {"clusterIP": "10.99.3.4"}}]
    pods = [{"kind": "Pod", "spec": {"hostNetwork": True}, "status": {"podIP": "192.168.0.2"}},
            {"kind": "Pod", "spec": {}, "status": {"podIP": "10.42.1.9"}}]
    server = ApiServer({"/api/v1/services": services, "/api/v1/pods": pods})
    status, out, err = describe("--server", server.url)
    same((status, out), (1, ""))
    lacks("\n".join(server.paths), "/api/v1/services?", "paths")
    same(describe("--server", server.url, "--guess", "wide")[:2],
         (0, "clusterIpv4Cidr: 10.42.0.0/16\nservicesIpv4Cidr: 10.96.0.0/12\n"))


SLEEP = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - {name: c, image: i}\n"


@test
def kube_inject_takes_the_flag_as_it_is_and_pasted():
    cluster, pod = folder() / "cluster.yaml", folder() / "pod.yaml"
    cluster.write_text(PAGE)
    pod.write_text(SLEEP)
    flag = describe("-f", cluster, "-o", "flag")[1].strip()
    same(flag, "--includeIPRanges=10.4.0.0/14,10.7.240.0/20")
    injected = run(EGRESSBOX, "kube-inject", "-f", pod, flag)
    same(injected.returncode, 0, injected.stderr)
    has(injected.stdout, "10.4.0.0/14,10.7.240.0/20")
    same(run(EGRESSBOX, "kube-inject", "-f", pod, f"--includeIPRanges={flag}").stdout, injected.stdout, "pasted")


@test(deadline=60)
def takes_what_gcloud_prints_of_a_cluster():
    need("gcloud")
    cluster = {"name": "c", "clusterIpv4Cidr": "10.4.0.0/14", "servicesIpv4Cidr": "10.7.240.0/20",
               "privateClusterConfig": {"masterIpv4CidrBlock": "172.16.0.0/28"}}
    server = ApiServer({"/v1/projects/p/locations/z/clusters/c": cluster})
    home, token = folder(), folder() / "token"
    token.write_text("t")
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "CLOUDSDK_CONFIG": str(home), "CLOUDSDK_CORE_PROJECT": "p",
           "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(token), "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
           "CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER": server.url + "/"}  # fmt: skip
    said = run("gcloud", "container", "clusters", "describe", "c", "--zone=z", env=env, timeout=50)
    same(said.returncode, 0, said.stderr)
    whole = folder() / "cluster.yaml"
    whole.write_text(said.stdout)
    same(describe("-f", whole), (0, PAGE, ""))


@test
def prints_roles_that_kubectl_takes():
    status, out, _ = describe("--print-rbac")
    same(status, 0)
    for part in ("kind: ClusterRole\n", "kind: Role\n", "servicecidrs", "nodes", "ippools", "kubeadm-config"):
        has(out, part)
    lacks(out, "secrets")
    lacks(out, "watch")


main()
