"""What kube-inject writes, taken by a real API server; what cidr-describe learns of one.

The server is 1.20, which knows no native sidecars: the sidecar is a container among the others here.
"""

import json
import subprocess

from harness import EGRESSBOX, HERE, folder, has, lacks, main, run, same, test, true
from kubeserver import SERVICE_RANGE, the_cluster

WORDS = ("--sidecar", "container", "--setVersionString", "7", "-n", "default", "--includeIPRanges=10.4.0.0/14,10.7.240.0/20")
TEMPLATE = """metadata: {labels: {app: it}, annotations: {note: kept}}
    spec:
      containers:
      - name: app
        image: app:1
        ports: [{containerPort: 8080, name: http}]
        env: [{name: A, value: "1"}]
      volumes: [{name: data, emptyDir: {}}]"""
APPS = "apiVersion: apps/v1\nkind: %s\nmetadata: {name: it}\nspec:\n  selector: {matchLabels: {app: it}}\n%s  template:\n    " + TEMPLATE
JOB = TEMPLATE.replace("spec:\n", "spec:\n      restartPolicy: Never\n")
WORKLOADS = {
    "deployments": APPS % ("Deployment", ""),
    "daemonsets": APPS % ("DaemonSet", ""),
    "replicasets": APPS % ("ReplicaSet", ""),
    "statefulsets": APPS % ("StatefulSet", "  serviceName: it\n"),
    "replicationcontrollers": "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: it}\nspec:\n  template:\n    " + TEMPLATE,
    "jobs": "apiVersion: batch/v1\nkind: Job\nmetadata: {name: it}\nspec:\n  template:\n    " + JOB,
    "cronjobs": 'apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: it}\nspec:\n  schedule: "* * * * *"\n'
                "  jobTemplate:\n    spec:\n      template:\n        " + JOB.replace("\n", "\n    "),
    "pods": "apiVersion: v1\nkind: Pod\nmetadata: {name: it, labels: {app: it}}\nspec:\n  containers: [{name: app, image: app:1}]",
}  # fmt: skip
PATHS = {
    ("v1", "Pod"): "pods", ("v1", "ReplicationController"): "replicationcontrollers", ("batch/v1", "Job"): "jobs",
    ("batch/v1beta1", "CronJob"): "cronjobs", ("v1", "Service"): "services", ("v1", "ConfigMap"): "configmaps",
    **{("apps/v1", k): k.lower() + "s" for k in ("Deployment", "DaemonSet", "ReplicaSet", "StatefulSet")},
}  # fmt: skip


def inject(text, *words):
    done = run(EGRESSBOX, "kube-inject", "-f", "-", *WORDS, *words, input=text)
    return done.stdout if done.returncode == 0 else None


def documents(text):
    import yaml

    class Loader(yaml.SafeLoader):
        """Dates are text, as to Kubernetes."""

    Loader.yaml_implicit_resolvers = {
        k: [(tag, regexp) for tag, regexp in v if tag != "tag:yaml.org,2002:timestamp"]
        for k, v in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    found = []
    for one in yaml.load_all(text, Loader):
        found += one["items"] if isinstance(one, dict) and isinstance(one.get("items"), list) else [one]
    return [one for one in found if isinstance(one, dict)]


def missing(expected, got, path=""):
    """What of `expected` is not the same in `got`, where the server may have added to mappings."""
    if isinstance(expected, dict) and isinstance(got, dict):
        return [m for k, v in expected.items() for m in missing(v, got.get(k), f"{path}.{k}")]
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        return [m for n, (a, b) in enumerate(zip(expected, got)) for m in missing(a, b, f"{path}[{n}]")]
    return [] if expected == got or (expected in ({}, None) and got in ({}, None)) else [f"{path}: {expected} is {got}"]


def path_of(made, resource, name=""):
    group = made["apiVersion"]
    return f"/{'api' if group == 'v1' else 'apis'}/{group}/namespaces/default/{resource}{name}"


@test(deadline=120)
def each_kind_is_applied_and_reads_back_as_it_was_injected():
    cluster = the_cluster()
    for resource, text in WORKLOADS.items():
        injected = inject(text)
        true(injected and injected != text, f"{resource} is injected")
        cluster.kubectl("apply", "--dry-run=server", "-f", "-", input=injected)
        cluster.kubectl("apply", "-f", "-", input=injected)
        made = documents(injected)[0]
        got = cluster.ok("GET", path_of(made, resource, "/it"))
        same(missing(made, got), [], resource)
        # Injected again it stays as it is, also as the server prints it.
        printed = cluster.kubectl("get", resource, "it", "-o", "yaml")
        same(inject(printed), printed, f"{resource} as the server prints it")
        cluster.ok("DELETE", path_of(made, resource, "/it"))


def is_taken(cluster, made):
    """Whether the server would make it: status and answer. None when it does not know the kind."""
    resource = PATHS.get((made.get("apiVersion"), made.get("kind")))
    if resource is None or not isinstance(made.get("metadata"), dict):
        return None
    made = {**made, "metadata": {**made["metadata"], "namespace": "default"}}
    made["metadata"].setdefault("name", "it")
    return cluster.ask("POST", path_of(made, resource) + "?dryRun=All", made)


@test(deadline=170)
def whatever_the_server_takes_of_the_golden_inputs_it_takes_injected():
    cluster = the_cluster()
    seen, count = set(), 0
    for case in sorted((HERE.parent / "golden/kube-inject").iterdir()):
        for path in sorted(case.glob("*.yaml")) + sorted(case.glob("*.json")) + sorted(case.glob("stdin")):
            try:
                text = path.read_bytes().decode()
                before = documents(text)
                after = documents(inject(text) or "")
            except Exception:  # the case is about text that is no manifest
                continue
            if len(before) != len(after):
                continue
            for old, new in zip(before, after):
                if old == new:
                    continue
                taken = is_taken(cluster, old)
                if taken is None or taken[0] != 201:
                    continue
                status, answer = is_taken(cluster, new)
                same(status, 201, f"{case.name}/{path.name}: {answer if status != 201 else ''} status")
                same(missing(new["spec"], answer["spec"]), [], f"{case.name}/{path.name}")
                seen.add(old["kind"])
                count += 1
    print(f"  {count} objects of {len(seen)} kinds: {' '.join(sorted(seen))}", flush=True)
    true(count >= 20 and len(seen) >= 2, f"{count} objects, {seen}")


# cidr-describe.


def describe(cluster, *words):
    done = run(EGRESSBOX, "cidr-describe", "--server", cluster.url, "--certificate-authority", cluster.ca,
               "--token-file", cluster.token, *words)  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def add_nodes(cluster):
    for n in range(3):
        cluster.ask("POST", "/api/v1/nodes", {"metadata": {"name": f"n{n}"}, "spec": {"podCIDR": f"10.4.{n}.0/24", "podCIDRs": [f"10.4.{n}.0/24"]}})


@test(deadline=60)
def nodes_say_where_pods_are_and_the_servers_own_pod_where_services_are():
    cluster = the_cluster()
    add_nodes(cluster)
    same(describe(cluster, "--pods", "--guess", "narrow")[:2], (0, "clusterIpv4Cidr: 10.4.0.0/22\n"))
    same(describe(cluster, "--pods", "-o", "list")[:2], (0, "10.4.0.0/23\n10.4.2.0/24\n"))
    pod = {"metadata": {"name": "kube-apiserver-n0", "labels": {"component": "kube-apiserver"}}, "spec": {"containers": [
        {"name": "a", "image": "a", "command": ["kube-apiserver", f"--service-cluster-ip-range={SERVICE_RANGE}"]}]}}  # fmt: skip
    cluster.ok("POST", "/api/v1/namespaces/kube-system/pods", pod)
    same(describe(cluster, "--services", "-o", "comma")[:2], (0, f"{SERVICE_RANGE}\n"))
    cluster.ok("DELETE", "/api/v1/namespaces/kube-system/pods/kube-apiserver-n0?gracePeriodSeconds=0")


@test(deadline=60)
def a_probe_makes_nothing_and_believes_no_server_that_takes_every_address():
    """1.20 allocates nothing in a dry run, so it takes addresses outside of its range as well."""
    cluster = the_cluster()
    status, out, err = describe(cluster, "--services", "--probe")
    same((status, out), (1, ""))
    has(err, "service range", "the message")
    same(cluster.services(), [])


@test(deadline=60)
def a_kubeconfig_and_what_kubeadm_keeps():
    cluster = the_cluster()
    text = "kind: ClusterConfiguration\nnetworking:\n  podSubnet: 10.4.0.0/14\n  serviceSubnet: 10.7.240.0/20\n"
    path = "/api/v1/namespaces/kube-system/configmaps"
    cluster.ok("POST", path, {"metadata": {"name": "kubeadm-config"}, "data": {"ClusterConfiguration": text}})
    done = run(EGRESSBOX, "cidr-describe", "--kubeconfig", cluster.kubeconfig)
    same((done.returncode, done.stdout), (0, "clusterIpv4Cidr: 10.4.0.0/14\nservicesIpv4Cidr: 10.7.240.0/20\n"))
    done = run(EGRESSBOX, "cidr-describe", "--kubeconfig", cluster.kubeconfig, "--context", "admin", "-o", "flag")
    same(done.stdout, "--includeIPRanges=10.4.0.0/14,10.7.240.0/20\n")
    cluster.ok("DELETE", path + "/kubeadm-config")


@test(deadline=60)
def without_rights_it_names_what_is_missing_and_its_role_is_enough():
    cluster = the_cluster()
    add_nodes(cluster)
    status, _, err = describe(cluster, "--token-file", cluster.gateway, "--guess", "narrow")
    same(status, 1)
    has(err, "not allowed", "the message")
    import yaml

    roles = list(yaml.safe_load_all(run(EGRESSBOX, "cidr-describe", "--print-rbac").stdout))
    base = "/apis/rbac.authorization.k8s.io/v1"
    for role in roles:
        scope = ""
        if role["kind"] == "Role":
            scope = f"/namespaces/{role['metadata']['namespace']}"
            cluster.ask("POST", "/api/v1/namespaces", {"metadata": {"name": role["metadata"]["namespace"]}})
        kind = role["kind"].lower()
        cluster.ok("POST", f"{base}{scope}/{kind}s", role)
        cluster.ok("POST", f"{base}{scope}/{kind}bindings", {
            "metadata": {"name": "cidr"}, "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "gateway"}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role["kind"], "name": role["metadata"]["name"]},
        })  # fmt: skip
    status, out, err = describe(cluster, "--token-file", cluster.gateway, "--pods", "--guess", "narrow")
    same((status, out), (0, "clusterIpv4Cidr: 10.4.0.0/22\n"))
    lacks(err, "/nodes", "the message")


main()
