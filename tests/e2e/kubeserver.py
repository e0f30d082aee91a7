"""A real cluster's API: etcd and kube-apiserver on loopback, RBAC on, for all tests of one program.

    cluster = the_cluster()
    cluster.ok("POST", "/api/v1/namespaces/default/services", service("web", "web.test"))
    cluster.kubectl("delete", "service", "web")

kube-apiserver is what tests/build-kube-apiserver has built, found where build.sh puts it or by $KUBE_APISERVER. It
and etcd end with the test program, also when that is killed.
"""

import atexit
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

from harness import CERTAINLY, LIBC, PR_SET_PDEATHSIG, Failed, need, run, skip, true, until
from origins import Lab
from proxy import Proxy

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "egressbox"
PROGRAM = Path(os.environ.get("KUBE_APISERVER") or CACHE / "kube-apiserver")
SERVICES = "/api/v1/namespaces/default/services"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
SERVICE_RANGE = "10.7.240.0/20"
STARTS = 90  # seconds: a server that takes longer on a busy machine has failed


def free_ports(count):
    """That were free just now, all different."""
    with contextlib.ExitStack() as sockets:
        made = [sockets.enter_context(socket.socket()) for _ in range(count)]
        for one in made:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in made]


def service(name, external_name, port=80, protocol="http", **metadata):
    """A Service of type ExternalName, as a dictionary."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, **metadata},
        "spec": {"type": "ExternalName", "externalName": external_name, "ports": [{"name": protocol, "port": port}]},
    }


class Cluster:
    """`url`, `ca` and the files of tokens: `token` of the administrator, `gateway` of a user without rights."""

    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="egressbox-kube-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
        self.running = {}
        atexit.register(self.stop)
        self.lab = Lab(where=self.dir)
        self.ca = self.lab.ca
        cert, key = self.lab.issue("IP:127.0.0.1,DNS:localhost", days=10)
        self.etcd_port, peer, self.port = free_ports(3)
        self.url = f"https://127.0.0.1:{self.port}"
        self.token, self.gateway = self.dir / "token", self.dir / "gateway-token"
        self.token.write_text("admin-token")
        self.gateway.write_text("gateway-token\n")
        (self.dir / "tokens.csv").write_text(
            'admin-token,admin,1,"system:masters"\ngateway-token,gateway,2\nrotated-token,gateway,2\n'
        )
        sa_key = self.dir / "sa.key"
        run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", sa_key)
        etcd_url, peer_url = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{peer}"
        self.commands = {
            "etcd": [
                "etcd", "--data-dir", self.dir / "etcd", "--listen-client-urls", etcd_url, "--advertise-client-urls",
                etcd_url, "--listen-peer-urls", peer_url, "--initial-advertise-peer-urls", peer_url,
                "--initial-cluster", f"default={peer_url}", "--log-level", "error",
            ],
            "kube-apiserver": [
                PROGRAM, "--etcd-servers", etcd_url, "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
                "--secure-port", self.port, "--tls-cert-file", cert, "--tls-private-key-file", key,
                "--client-ca-file", self.ca, "--token-auth-file", self.dir / "tokens.csv", "--authorization-mode=RBAC",
                "--service-cluster-ip-range", SERVICE_RANGE, "--service-account-key-file", sa_key,
                "--service-account-signing-key-file", sa_key, "--service-account-issuer=https://kubernetes.test",
                "--disable-admission-plugins=ServiceAccount", "--cert-dir", self.dir / "certs",
                "--endpoint-reconciler-type=none", "--allow-privileged=true", "--watch-cache-sizes=services#100",
            ],
        }  # fmt: skip
        (self.dir / "kubeconfig").write_text(
            json.dumps({
                "apiVersion": "v1", "kind": "Config", "current-context": "admin",
                "clusters": [{"name": "it", "cluster": {"server": self.url, "certificate-authority": str(self.ca)}}],
                "users": [{"name": "admin", "user": {"token": "admin-token"}}],
                "contexts": [{"name": "admin", "context": {"cluster": "it", "user": "admin"}}],
            })
        )  # fmt: skip
        self.kubeconfig = self.dir / "kubeconfig"
        self.context = ssl.create_default_context(cafile=self.ca)
        self.start("etcd")
        self.start("kube-apiserver")
        self.wait()

    def start(self, name):
        def in_child():
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

        log = open(self.dir / f"{name}.log", "ab")
        command = [str(word) for word in self.commands[name]]
        env = {**os.environ, "ETCD_UNSUPPORTED_ARCH": "arm64"} if os.uname().machine != "x86_64" else None
        self.running[name] = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=in_child, env=env, cwd=self.dir
        )

    def kill(self, name):
        self.running[name].kill()
        self.running[name].wait()

    def signal(self, name, number):
        self.running[name].send_signal(number)

    def stop(self):
        for process in self.running.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def wait(self):
        """Until it serves, its roles and namespaces are there."""
        end = time.monotonic() + STARTS
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.ask("GET", "/readyz")[0] == 200 and self.ask("GET", SERVICES)[0] == 200:
                    return
            dead = [name for name, process in self.running.items() if process.poll() is not None]
            if dead or time.monotonic() > end:
                log = (self.dir / f"{(dead or ['kube-apiserver'])[0]}.log").read_text(errors="replace")
                raise Failed(f"{dead or 'nothing'} ended, no API server: {log[-600:]}")
            time.sleep(0.1)

    # Asking.

    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=30)

    def ask(self, method, path, body=None, connection=None):
        """Status and answer of the API, as the administrator."""
        own = connection or self.connect()
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Authorization": "Bearer admin-token", "Content-Type": kind}
        try:
            own.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = own.getresponse()
            text = answer.read()
        finally:
            if connection is None:
                own.close()
        return answer.status, json.loads(text) if text.startswith(b"{") else text.decode(errors="replace")

    def ok(self, method, path, body=None, connection=None):
        status, answer = self.ask(method, path, body, connection)
        true(200 <= status <= 299, f"{method} {path}: {status} {answer}")
        return answer

    def create(self, made, namespace="default", connection=None):
        return self.ok("POST", f"/api/v1/namespaces/{namespace}/services", made, connection)

    def remove(self, name, namespace="default", connection=None):
        return self.ok("DELETE", f"/api/v1/namespaces/{namespace}/services/{name}", None, connection)

    def kubectl(self, *words, **options):
        """The real kubectl's output."""
        need("kubectl")
        home = {"HOME": str(self.dir), "KUBECONFIG": str(self.kubeconfig), "PATH": os.environ["PATH"]}
        done = run("kubectl", *words, env=home, timeout=60, **options)
        true(done.returncode == 0, f"kubectl {' '.join(map(str, words))}: {done.stderr}")
        return done.stdout

    # Rights.

    def allow(self, manifest, namespace=None):
        """Gives the user `gateway` the role that `manifest` (of --print-rbac) is, in place of any before."""
        import yaml

        self.forbid(namespace)
        role = yaml.safe_load(manifest)
        base = f"{RBAC}/namespaces/{namespace}/" if namespace else f"{RBAC}/"
        kind = "roles" if namespace else "clusterroles"
        self.ok("POST", base + kind, role)
        self.ok("POST", base + kind[:-1] + "bindings", {
            "metadata": {"name": role["metadata"]["name"]},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role["kind"], "name": role["metadata"]["name"]},
            "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "gateway"}],
        })  # fmt: skip

    def forbid(self, namespace=None):
        base = f"{RBAC}/namespaces/{namespace}/" if namespace else f"{RBAC}/"
        for kind in ("rolebindings", "roles") if namespace else ("clusterrolebindings", "clusterroles"):
            self.ask("DELETE", f"{base}{kind}/egress-proxy")

    def admit(self, made):
        """Puts the account of a printed gateway in, with its role and binding (kind -> object); its token."""
        base = f"{RBAC}/namespaces/default"
        accounts = "/api/v1/namespaces/default/serviceaccounts"
        for path, kind in ((accounts, "ServiceAccount"), (f"{base}/roles", "Role"), (f"{base}/rolebindings", "RoleBinding")):
            self.ask("DELETE", f"{path}/{made[kind]['metadata']['name']}")
            self.ok("POST", path, made[kind])
        name = made["ServiceAccount"]["metadata"]["name"]
        return self.ok("POST", f"{accounts}/{name}/token", {"spec": {}})["status"]["token"]

    def clean(self):
        """No Service of a test, of any namespace, but the server's own."""
        for namespace in {s["metadata"]["namespace"] for s in self.services()}:
            for one in self.services(namespace):
                self.remove(one["metadata"]["name"], namespace)

    def services(self, namespace=None):
        """All, without the server's own."""
        path = f"/api/v1/namespaces/{namespace}/services" if namespace else "/api/v1/services"
        return [s for s in self.ok("GET", path)["items"] if s["metadata"]["name"] != "kubernetes"]


found = []


def the_cluster():
    """Started by the first test that asks, used by all of the program, empty of Services for each."""
    if os.environ.get("EGRESSBOX_QUICK"):
        skip("--quick: no real API server")
    if not os.access(PROGRAM, os.X_OK):
        skip(f"no {PROGRAM.name}: ./build.sh test builds it")
    need("etcd", "openssl")
    if not found:
        found.append(Cluster())
    found[0].clean()
    return found[0]


def kubectl(cluster, *words, **options):
    """kubectl where there is one, else the same requests by hand, which is said."""
    try:
        return cluster.kubectl(*words, **options)
    except Exception as e:
        if "no kubectl" not in str(e):
            raise
    print("  without kubectl: the API is asked directly", flush=True)
    import yaml

    for text in yaml.safe_load_all(options.get("input", "")) if words[0] == "create" else []:
        cluster.create(text)
    for name in words[2:] if words[0] == "delete" else []:
        cluster.remove(name)
    if words[0] == "patch":
        cluster.ok("PATCH", f"{SERVICES}/{words[2]}", json.loads(words[-1]))


# The gateway in front of it.

NOBODY = "127.0.0.1:9"  # as a name server: what is not pinned has no address


def watching(cluster, *options, manifest=None, token=None, url=None, **more):
    """A proxy that follows the cluster's Services, as the administrator unless `token` is another file."""
    proxy = Proxy(
        manifest, "--kube", "--server", url or cluster.url, "--certificate-authority", cluster.ca, "--token-file",
        token or cluster.token, "--dns", NOBODY, *options, **more,
    )  # fmt: skip
    proxy.fds_at_start += 2  # to the API server: for Services and for events
    return proxy


def routes(proxy):
    """HOST -> (UPSTREAM, SOURCE) as /routes has them."""
    found = map(json.loads, proxy.ask_admin("/routes?format=json").body.decode().splitlines())
    return {one["host"]: (one["upstream"], one["source"]) for one in found if "upstream" in one}


def routed(proxy, *hosts):
    """Waits until exactly these are."""
    until(lambda: sorted(routes(proxy)) == sorted(hosts), lambda: f"routes {hosts}, but {routes(proxy)}")


def is_ready(proxy):
    return proxy.ask_admin("/readyz").status == 200


def ready(proxy, seconds=CERTAINLY):
    until(lambda: is_ready(proxy), lambda: f"ready; {proxy.stderr()[-500:]}", seconds)
    return proxy
