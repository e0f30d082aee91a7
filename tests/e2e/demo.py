"""The page from its beginning to its end, as its reader sees it: each command, and what really comes of it.

usage: EGRESSBOX=build/egressbox python3 tests/e2e/demo.py

Exit status 0 when everything was as the page has it, 1 when not, 3 where network namespaces are not allowed. What
kubectl does, walk.py does: the pods are namespaces of this machine, and their containers run with their manifests'
own arguments.
"""

import os
import shlex
import shutil
import sys

from harness import EGRESSBOX, HERE, Skipped, folder, run, scope, until
from proxy import PAGE
from walk import GATEWAY, OUTSIDE, SLEEP, World

GKE = HERE.parent / "golden/cidr-describe/prints-the-two-lines-of-the-page/stdin"
EXEC = "kubectl exec -it $SOURCE_POD -c sleep -- "
CONFIG_MAP = (
    "kubectl create configmap egress-services --from-file=services.yaml -o yaml --dry-run=client | kubectl apply -f -"
)
BOLD, PLAIN = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
wrong = []


def title(text):
    print(f"\n{BOLD}# {text}{PLAIN}", flush=True)


def prompt(command):
    print(f"\n{BOLD}$ {command}{PLAIN}", flush=True)


def expect(text, *expected):
    for words in expected:
        if words not in text:
            wrong.append(words)
            print(f"*** not as expected: no {words!r} in this")


def curl(world, words, *expected, patience=8):
    """From the pod; what is expected is looked for in the answer, and in what curl says when there is none."""
    prompt(f"{EXEC}curl {words}")
    done = world.curl("--max-time", patience, *shlex.split(words))
    text = done.stdout + done.stderr
    print(text, end="" if text.endswith("\n") else "\n", flush=True)
    expect(text, *expected)


def egressbox(directory, *words):
    done = run(EGRESSBOX, *words, cwd=directory, env={})
    if done.returncode != 0:
        wrong.append(" ".join(words))
    return done.stdout


def before(world):
    title("Before you begin: the egress gateway, and the page's sleep with egressbox in the place of Istio")
    prompt("kubectl apply -f <(egressbox egress-proxy --print-manifest)")
    gateway = world.start_gateway()
    print(f"  (here: {' '.join(gateway.command())}")
    print(f"   in a pod of its own, as uid {gateway.security['runAsUser']}, with nothing in its ConfigMap yet)")
    prompt(f"kubectl apply -f <(egressbox kube-inject -f sleep.yaml --gateway {GATEWAY})")
    sidecar = world.start_pod("--gateway", GATEWAY)
    setup = world.set_up_with
    print(f"  (here: {' '.join([*setup['command'], *setup['args']])}\n   and {' '.join(sidecar.command())}")
    print(f"   in the pod of sleep, the one with NET_ADMIN, the other as uid {sidecar.security['runAsUser']})")
    title("Nothing is registered yet: calls are refused, and say so where their protocol lets them")
    curl(world, "http://httpbin.org/headers", '"httpbin.org" is not registered')
    curl(world, "https://www.google.com", "reset by peer")


def egress_service(world):
    title("Configuring the external services")
    text = PAGE.read_text()
    prompt("cat <<EOF | kubectl create -f -\n" + text + "EOF")
    prompt(CONFIG_MAP)
    print("  (with the same two in services.yaml: that is what the gateway has mounted)")
    world.register(text)
    until(lambda: '"Host"' in world.curl("http://externalbin/headers").stdout, "what was registered is known")
    title("Make requests to the external services")
    curl(world, "http://externalbin/headers", '"Host": "httpbin.org"')
    curl(world, "http://securegoogle:443", "Host www.google.com, server name www.google.com, TLSv1.2")


def directly(world, directory):
    title("Calling external services directly")
    # curl speaks no mongodb; it shows what comes on a connection.
    mongodb = "telnet://mongodb.example.com:27017"
    curl(world, mongodb, "reset by peer")
    prompt("gcloud container clusters describe XXXXXXX --zone=XXXXXX > cluster.yaml")
    prompt("egressbox cidr-describe -f cluster.yaml")
    print(egressbox(directory, "cidr-describe", "-f", "cluster.yaml"), end="")
    prompt("kubectl apply -f <(egressbox kube-inject -f sleep.yaml $(egressbox cidr-describe -f cluster.yaml -o flag))")
    world.sidecar.finish()
    flag = egressbox(directory, "cidr-describe", "-f", "cluster.yaml", "-o", "flag").strip()
    world.start_pod(flag)
    print(f"  (here: iptables-setup {' '.join(world.set_up_with['args'])})")
    curl(world, "http://httpbin.org/headers", '"Host": "httpbin.org"')
    curl(world, mongodb, "mongodb ready", patience=1)
    curl(world, "http://web", "web inside")
    world.sidecar.logged("verdict=passed_internal")
    print("  (a Service inside: that call is in the sidecar's log, the other two are not)")
    if OUTSIDE["httpbin.org"][0] in world.sidecar.log():
        wrong.append("a direct call went by the sidecar")


def cleanup(world):
    title("Cleanup")
    prompt("kubectl delete service externalbin securegoogle")
    world.delete()
    prompt(CONFIG_MAP)
    call = "-H 'Host: externalbin' http://egress-gateway/headers"
    until(lambda: "not registered" in world.curl(*shlex.split(call)).stdout, "what was deleted is refused")
    curl(world, "http://externalbin/headers", "Could not resolve host")
    curl(world, call, "not registered")


def tell():
    directory = folder()
    shutil.copy(SLEEP, directory / "sleep.yaml")
    shutil.copy(GKE, directory / "cluster.yaml")
    world = World()
    before(world)
    egress_service(world)
    directly(world, directory)
    cleanup(world)
    world.finish()


def main():
    scope.open()
    try:
        tell()
    except Skipped as e:
        print(f"demo: {e}", file=sys.stderr)
        return 3
    finally:
        scope.close(False)
    print("\nAll as expected." if not wrong else f"\n{len(wrong)} thing(s) not as expected.")
    return 1 if wrong else 0


os.environ.pop("SSL_CERT_FILE", None)
sys.exit(main())
