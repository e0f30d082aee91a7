"""What `egress-proxy --print-manifest` prints is what a cluster takes, and what the program takes."""

import json
import subprocess

import yaml

from harness import EGRESSBOX, has, lacks, main, need, run, same, test, true, until
from injector import inject
from proxy import PAGE
from walk import GATEWAY_POD, World

KINDS = ["ConfigMap", "ServiceAccount", "Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler"]


def printed(*options, env=None):
    done = run(EGRESSBOX, "egress-proxy", "--print-manifest", *options, env=env or {})
    same((done.returncode, done.stderr), (0, ""))
    return done.stdout


def objects(*options, **more):
    return {d["kind"]: d for d in yaml.safe_load_all(printed(*options, **more))}


def seconds(text):
    return int(text.removesuffix("s"))


@test
def there_is_one_of_each_kind_and_no_role():
    made = objects()
    same(list(made), KINDS)
    same({d["metadata"]["namespace"] for d in made.values()}, {"default"})
    same({d["metadata"]["name"] for k, d in made.items() if k != "ConfigMap"}, {"egress-gateway"})
    same(made["ServiceAccount"]["automountServiceAccountToken"], False)


@test
def the_config_map_is_the_pages_two_services_byte_for_byte():
    config = objects()["ConfigMap"]
    same(config["metadata"]["name"], "egress-services")
    same(config["data"], {"services.yaml": PAGE.read_text()})


@test
def namespace_and_image_are_the_ones_that_kube_inject_would_take():
    pod = b"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: b}]}\n"
    for options, env in (
        ((), {}),
        (("--image", "a.example/b:1"), {}),
        (("--hub", "registry:5000/x", "--tag", "2"), {}),
        ((), {"EGRESSBOX_HUB": "hub", "EGRESSBOX_TAG": "7"}),
    ):
        theirs = yaml.safe_load(inject("-f", "-", *options, text=pod, env=env))["spec"]["initContainers"][0]["image"]
        ours = objects(*options, env=env)["Deployment"]["spec"]["template"]["spec"]["containers"][0]["image"]
        same(ours, theirs, options or env)
    same({d["metadata"]["namespace"] for d in objects("-n", "0").values()}, {"0"}, "one that looks like a number")
    same({d["metadata"]["namespace"] for d in objects(env={"POD_NAMESPACE": "shop"}).values()}, {"shop"})


@test
def what_selects_pods_selects_these():
    made = objects()
    labels = made["Deployment"]["spec"]["template"]["metadata"]["labels"].items()
    pod = made["Deployment"]["spec"]["template"]["spec"]
    selectors = [made["Service"]["spec"]["selector"], made["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]]
    selectors += [made["Deployment"]["spec"]["selector"]["matchLabels"]]
    selectors += [c["labelSelector"]["matchLabels"] for c in pod["topologySpreadConstraints"]]
    spread = pod["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    selectors += [term["podAffinityTerm"]["labelSelector"]["matchLabels"] for term in spread]
    for selector in selectors:
        true(selector.items() <= labels, f"{selector} is not among {labels}")
    target = made["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    same((target["kind"], target["name"]), ("Deployment", made["Deployment"]["metadata"]["name"]))
    lacks(made["Deployment"]["spec"], "replicas", "what the autoscaler decides")
    ports = {p["name"]: p["containerPort"] for p in pod["containers"][0]["ports"]}
    true(made["Service"]["spec"]["ports"][0]["targetPort"] in ports, "the Service's port is none of the pod's")
    same({v["name"] for v in pod["volumes"]}, {m["name"] for m in pod["containers"][0]["volumeMounts"]})
    same(pod["volumes"][0]["configMap"]["name"], made["ConfigMap"]["metadata"]["name"])
    same(pod["serviceAccountName"], made["ServiceAccount"]["metadata"]["name"])


@test
def a_pod_that_ends_has_time_for_requests_under_way():
    pod = objects()["Deployment"]["spec"]["template"]["spec"]
    manual = run(EGRESSBOX, "egress-proxy", "--help").stdout
    timeout = seconds(manual.split("  --shutdown-timeout ")[1].split("[default: ")[1].split(";")[0])
    true(timeout < pod["terminationGracePeriodSeconds"], f"{timeout} s are needed")


@test
def kube_inject_leaves_the_gateway_alone():
    text = printed().encode()
    same(inject("-f", "-", text=text), text)


@test
def kubectl_knows_every_field_of_the_deployment():
    """It reads it into its own types and writes these: a field that is none would be missing."""
    need("kubectl")
    deployment = objects()["Deployment"]
    command = ["kubectl", "set", "env", "--local", "--dry-run=client", "-f", "-", "-o", "json", "X=y"]
    done = subprocess.run(command, input=json.dumps(deployment).encode(), capture_output=True, timeout=30, check=False)
    same(done.returncode, 0, done.stderr.decode())
    missing = [path for path in paths(deployment) if path not in set(paths(json.loads(done.stdout)))]
    same(missing, [], "fields that kubectl drops")


def paths(node, at=""):
    """Where each value is, with it."""
    if isinstance(node, dict):
        return [path for key, value in node.items() for path in paths(value, f"{at}.{key}")]
    if isinstance(node, list):
        return [path for item in node for path in paths(item, f"{at}[]")]
    return [f"{at}={node}"]


@test(deadline=40)
def the_gateway_starts_from_its_own_manifest_and_ends_without_loss():
    """In its empty root, read-only, as its user, without a capability: probes, a call, and its end."""
    world = World()
    world.register(PAGE.read_text())
    gateway = world.start_gateway()
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        gateway.probe(name)
    status = dict(line.split(":\t", 1) for line in open(f"/proc/{gateway.process.pid}/status").read().splitlines())
    same(status["Uid"].split(), ["65534"] * 4)
    same((status["CapEff"], status["CapBnd"]), ("0" * 16, "0" * 16))
    call = ("--connect-to", f"::{GATEWAY_POD[0]}:8080", "http://externalbin/headers")
    done = world.curl(*call)
    has(done.stdout, '"Host": "httpbin.org"', done.stderr)
    gateway.process.terminate()
    until(lambda: b" 503 " in gateway.ask_admin("/readyz")[:20], "it is not ready any more")
    same(world.curl(*call).stdout, done.stdout, "a call while others still send requests here")
    same(gateway.process.wait(10), 0, "exit status on SIGTERM")


main()
