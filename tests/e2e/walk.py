"""The page's world in network namespaces: a node of a cluster, two pods on it, and an internet.

    world = World()
    gateway = world.start_gateway()
    world.start_pod("--gateway", GATEWAY)
    world.register(PAGE.read_text())
    same(world.curl("http://externalbin/headers").stdout, ...)

    pod       10.4.1.2  fd00:4:1::2      the application, uid 2000, and its sidecar, uid 1337
    gateway   10.4.2.2  fd00:4:2::2      the egress gateway's pod
    node      routes between them; has the cluster's DNS (dnsmasq), the Service `egress-gateway`, whose addresses lead
              to the gateway's pod (nft, as kube-proxy does it), and the Service `web` (nginx)
    internet  nginx as www.google.com, servers of ours as httpbin.org and as the page's mongodb

Names have IPv4 addresses, or IPv6 ones, whichever the test is about. Containers are those of manifests: of
`egress-proxy --print-manifest` and of what kube-inject makes of the page's sleep.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import yaml

from containers import ConfigMap, Container, become, bind, own_mounts
from harness import CERTAINLY, EGRESSBOX, HERE, Failed, folder, need, run, same, scope, skip, start, true, until
from origins import Lab, Origin
from pod import enter, inside, new_namespace, socket_of

GATEWAY = "egress-gateway:80"
APPLICATION = 2000
MONGODB = 27017

# name -> (IPv4, IPv6). Addresses that nobody takes for special ones, in namespaces that lead nowhere.
OUTSIDE = {
    "httpbin.org": ("54.80.0.10", "2600:1f18::10"),
    "www.google.com": ("142.250.1.104", "2a00:1450:4001::68"),
    "mongodb.example.com": ("52.20.0.27", "2600:1f18::27"),
}
DNS = ("10.7.240.10", "fd00:7::10")
INSIDE = {
    "web.default.svc.cluster.local": ("10.7.240.80", "2600:2d00::80"),
    "egress-gateway.default.svc.cluster.local": ("10.7.240.20", "fd00:7::20"),
}
POD, GATEWAY_POD = ("10.4.1.2", "fd00:4:1::2"), ("10.4.2.2", "fd00:4:2::2")

WAYS = ("gateway", "alone")
SLEEP = HERE.parent / "golden/kube-inject/injects-the-sleep-sample-of-the-page/sleep.yaml"


# What is outside.


class Httpbin:
    """httpbin.org: /headers says what came, as JSON; /slow sends half, and the rest once `.go` is set."""

    def __init__(self):
        self.go = threading.Event()

    def __call__(self, wire):
        while True:
            message = wire.message()
            if message.target == "/slow":
                wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
                self.go.wait(CERTAINLY)
                wire.send(b"done")
                continue
            fields = {}
            for name, value in message.fields:
                fields[name.title()] = ", ".join([*filter(None, [fields.get(name.title())]), value])
            body = json.dumps({"headers": fields}, indent=2).encode() + b"\n"
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            wire.send(head % len(body) + body)


def greet_and_echo(wire):
    """The page's mongodb: a protocol in which the server speaks first."""
    wire.send(b"mongodb ready\n")
    while True:
        data = wire.sock.recv(65536)
        if not data:
            return
        wire.send(data)


GOOGLE = """server {{ listen {at}:443 ssl; ssl_certificate {cert}; ssl_certificate_key {key};
    location / {{ return 200 'Host $http_host, server name $ssl_server_name, $ssl_protocol\\n'; }} }}
server {{ listen {at}:80; location / {{ return 200 'http $http_host\\n'; }} }}"""
WEB = "server {{ listen {at}:80; location / {{ return 200 'web inside\\n'; }} }}"


def answered(world, expected, *argv):
    """Calls until the answer has it, and says how long that took: within a second, where nobody else needs the machine."""
    begin = time.monotonic()
    found = lambda done: done if done.returncode == 0 and expected in done.stdout else None
    done = until(lambda: found(world.curl(*argv)), f"{expected} of {argv}")
    print(f"  {' '.join(argv)}: {time.monotonic() - begin:.2f} s", flush=True)
    return done.stdout


def template_alone():
    """The template that README makes for a sidecar without a gateway, by README's own commands."""
    readme = (HERE.parent.parent / "README.md").read_text()
    commands = re.search(r"```bash\n(build/egressbox kube-inject --print-template .*?)kubectl", readme, re.DOTALL).group(1)
    where = folder()
    done = run("bash", "-ec", commands.replace("build/egressbox", EGRESSBOX), cwd=where)
    same((done.returncode, done.stderr), (0, ""), "README's commands")
    return where / "alone.yaml"


class World:
    """Needs root; skips the test where namespaces are refused. `family`: 0 for IPv4, 1 for IPv6."""

    def __init__(self, family=0):
        need("curl", "dnsmasq", "ip", "nft", "nginx", "openssl")
        if os.geteuid() != 0:
            skip("needs root for network namespaces")
        self.family, self.registered = family, {}
        self.pod, self.gateway, self.node, self.internet = (new_namespace() for _ in range(4))
        for namespace in (self.pod, self.gateway, self.node, self.internet):
            scope.rest.callback(os.close, namespace)
        self.wire()
        self.lab = Lab()
        self.config, self.containers, self.dns = ConfigMap(), [], None
        self.config.write({})
        self.resolv_conf = folder() / "resolv.conf"
        self.resolv_conf.write_text(
            f"nameserver {DNS[family]}\nsearch default.svc.cluster.local svc.cluster.local cluster.local\n"
            "options ndots:5 timeout:1 attempts:2\n"
        )
        self.resolv_conf.chmod(0o644)
        self.start_dns()
        self.google = None
        self.start_google(*self.lab.issue("DNS:www.google.com"))
        web = self.at(INSIDE["web.default.svc.cluster.local"])
        self.web = self.nginx(self.node, WEB.format(at=web), web)
        self.httpbin = self.origin(Httpbin(), "httpbin.org", 80)
        self.mongodb = self.origin(greet_and_echo, "mongodb.example.com", MONGODB)

    def at(self, addresses):
        address = addresses[self.family]
        return f"[{address}]" if self.family else address

    # Links and routes.

    def ip(self, namespace, *lines):
        done = run("ip", "-batch", "-", input="\n".join(lines) + "\n", preexec_fn=lambda: enter(namespace))
        if done.returncode != 0:
            skip(f"cannot set up links here: {done.stderr.strip()}")

    def wire(self):
        for namespace in (self.pod, self.gateway, self.node, self.internet):
            self.set(namespace, "ipv6/conf/default/accept_dad", 0)  # which takes addresses a second or two
        self.ip(self.node, "link set lo up")
        self.link(self.pod, "pod", POD)
        self.link(self.gateway, "gateway", GATEWAY_POD)
        self.link(self.internet, "internet", ("45.90.0.2", "2a10:3c00::2"))
        self.ip(self.node, *self.local(DNS), *self.local(INSIDE["web.default.svc.cluster.local"]))
        for addresses in OUTSIDE.values():
            self.ip(self.internet, *self.local(addresses))
            self.ip(self.node, f"route add {addresses[0]} via 45.90.0.2", f"route add {addresses[1]} via 2a10:3c00::2")
        self.set(self.node, "ipv4/ip_forward", 1)
        self.set(self.node, "ipv6/conf/all/forwarding", 1)
        self.kube_proxy()

    @staticmethod
    def set(namespace, setting, value):
        try:
            with inside(namespace), open(f"/proc/sys/net/{setting}", "w") as f:
                f.write(str(value))
        except OSError as e:
            skip(f"cannot set {setting} here: {e}")

    def link(self, namespace, name, addresses):
        """A veth pair: eth0 there, `name` on the node, which is the default route there."""
        near = [re.sub(r"2$", "1", address) for address in addresses]
        self.ip(
            self.node,
            f"link add {name} type veth peer name eth0 netns /proc/{os.getpid()}/fd/{namespace}",
            f"addr add {near[0]}/24 dev {name}",
            f"addr add {near[1]}/64 dev {name} nodad",
            f"link set {name} up",
        )
        self.ip(
            namespace,
            *("link set lo up", "link set eth0 up"),
            *(f"addr add {addresses[0]}/24 dev eth0", f"addr add {addresses[1]}/64 dev eth0 nodad"),
            *(f"route add default via {near[0]}", f"route add default via {near[1]}"),
        )

    @staticmethod
    def local(addresses):
        return [f"addr add {addresses[0]}/32 dev lo", f"addr add {addresses[1]}/128 dev lo nodad"]

    def kube_proxy(self):
        """The Service egress-gateway, as the manifest has it: port 80 of its address is 8080 of the pod."""
        service, pod = INSIDE["egress-gateway.default.svc.cluster.local"], GATEWAY_POD
        rules = f"""table inet kube_proxy {{ chain services {{ type nat hook prerouting priority -100;
            ip daddr {service[0]} tcp dport 80 dnat ip to {pod[0]}:8080
            ip6 daddr {service[1]} tcp dport 80 dnat ip6 to [{pod[1]}]:8080
            }}
        }}\n"""
        done = run("nft", "-f", "-", input=rules, preexec_fn=lambda: enter(self.node))
        if "not supported" in done.stderr:
            skip(f"no nftables here: {done.stderr.strip()}")
        same((done.returncode, done.stderr), (0, ""), "nft")

    # Servers.

    def nginx(self, namespace, servers, at):
        """nginx in that namespace, once it listens. `.log` is its access log."""
        where = folder()
        temp = "".join(f"{p}_temp_path {where}/{p};" for p in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (where / "nginx.conf").write_text(
            f"daemon off; worker_processes 1; pid {where}/pid; error_log {where}/error.log;"
            f"events {{ worker_connections 4096; }} http {{ {temp} access_log {where}/access.log; {servers} }}"
        )
        command = ["nginx", "-e", where / "error.log", "-c", where / "nginx.conf"]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = start(*command, last_signal=signal.SIGTERM, enter=lambda: enter(namespace), **quiet)
        host = at.strip("[]")

        def listens():
            if process.poll() is not None:
                raise Failed(f"nginx: {(where / 'error.log').read_text()}")
            with contextlib.suppress(OSError), inside(namespace), socket.create_connection((host, 80), 1):
                return True

        until(listens, "nginx listens")
        process.log = where / "access.log"
        return process

    def start_google(self, cert, key):
        """www.google.com, with that certificate; in the place of the one before."""
        if self.google is not None:
            self.google.terminate()
            self.google.wait()
        at = self.at(OUTSIDE["www.google.com"])
        self.google = self.nginx(self.internet, GOOGLE.format(at=at, cert=cert, key=key), at)

    def origin(self, script, name, port):
        with inside(self.internet):
            return Origin(script, address=OUTSIDE[name][self.family], port=port)

    def origin_socket(self, name, port):
        """For an origin of the test's own."""
        address, kind = OUTSIDE[name][self.family], socket.AF_INET6 if self.family else socket.AF_INET
        with inside(self.internet):
            return socket.create_server((address, port), backlog=4096, family=kind)

    def start_dns(self):
        """The cluster's DNS: what is registered is a CNAME, all else of cluster.local is not there."""
        if self.dns is not None:
            self.dns.kill()
            self.dns.wait()
        records = [f"--host-record={name},{addresses[self.family]}" for name, addresses in {**OUTSIDE, **INSIDE}.items()]
        for name, external in self.registered.items():
            records.append(f"--cname={name}.default.svc.cluster.local,{external}")
        self.dns = start(
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--local=/#/",
            "--local-ttl=1", f"--listen-address={DNS[self.family]}", "--bind-interfaces", "--pid-file=", "--user=",
            *records, enter=lambda: enter(self.node), stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until(self.dns_answers, "dnsmasq answers")

    def dns_answers(self):
        true(self.dns.poll() is None, "dnsmasq has ended")
        kind = socket.AF_INET6 if self.family else socket.AF_INET
        with inside(self.node), socket.socket(kind, socket.SOCK_DGRAM) as s:
            s.settimeout(0.2)
            with contextlib.suppress(OSError):
                s.connect((DNS[self.family], 53))
                s.send(struct.pack(">6H", 1, 0x100, 1, 0, 0, 0) + b"\7httpbin\3org\0\0\1\0\1")
                return s.recv(512)[:2] == b"\0\1"

    # What kubectl, the API server and the kubelet do.

    def register(self, manifest):
        """kubectl create, and the ConfigMap that the gateway has mounted. No cluster's DNS is away meanwhile."""
        self.name_in_dns(manifest)
        self.config.write({"services.yaml": manifest})

    def name_in_dns(self, manifest):
        for service in yaml.safe_load_all(manifest):
            self.registered[service["metadata"]["name"]] = service["spec"]["externalName"]
        self.start_dns()

    def delete(self):
        """kubectl delete service externalbin securegoogle"""
        self.registered = {}
        self.start_dns()
        self.config.write({"services.yaml": "# none\n"})

    def start_gateway(self, *more):
        """The pod of `egress-proxy --print-manifest`."""
        printed = run(EGRESSBOX, "egress-proxy", "--print-manifest", env={})
        same(printed.returncode, 0, printed.stderr)
        deployment = next(d for d in yaml.safe_load_all(printed.stdout) if d["kind"] == "Deployment")
        pod = deployment["spec"]["template"]["spec"]
        mounts = {m["mountPath"]: self.config.dir for m in pod["containers"][0]["volumeMounts"]}
        made = {"pod_spec": pod, "ca": self.lab.ca, "mounts": mounts, "options": more}
        return self.container(self.gateway, pod["containers"][0], **made).start()

    def start_following_gateway(self, cluster):
        """The pod of `egress-proxy --print-manifest --kube`, as the account that it has at the API server."""
        printed = run(EGRESSBOX, "egress-proxy", "--print-manifest", "--kube", env={})
        same(printed.returncode, 0, printed.stderr)
        made = {document["kind"]: document for document in yaml.safe_load_all(printed.stdout)}
        account = folder()
        (account / "token").write_text(cluster.admit(made))
        shutil.copy(cluster.ca, account / "ca.crt")
        for file in (account, *account.iterdir()):
            file.chmod(0o755)
        pod = made["Deployment"]["spec"]["template"]["spec"]
        spec = pod["containers"][0]
        server = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(cluster.port)}
        spec["env"] += [{"name": name, "value": value} for name, value in server.items()]
        self.pass_on(self.gateway, cluster.port)
        mounts = {"/var/run/secrets/kubernetes.io/serviceaccount": account}
        return self.container(self.gateway, spec, pod_spec=pod, ca=self.lab.ca, mounts=mounts).start()

    @staticmethod
    def pass_on(namespace, port):
        """What is sent to that port of loopback there goes to the same port here."""
        with inside(namespace):
            listener = socket.create_server(("127.0.0.1", port))
        scope.rest.callback(listener.close)

        def pump(source, sink):
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    sink.sendall(data)
                sink.shutdown(socket.SHUT_WR)

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    there, _ = listener.accept()
                    here = socket.create_connection(("127.0.0.1", port))
                    for pair in ((there, here), (here, there)):
                        threading.Thread(target=pump, args=pair, daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()

    def start_way(self, way, *more):
        """All that the page needs, with the sidecar that asks the gateway, or the one that does it alone.

        `more` are options of egress-proxy's that are the test's own.
        """
        if way == "gateway":
            self.start_gateway(*more)
            return self.start_pod("--gateway", GATEWAY, more=more)
        return self.start_pod(template=template_alone(), ca=self.lab.ca, more=more)

    def start_pod(self, *options, template=None, ca=None, more=()):
        """kube-inject on the page's sleep, and the pod that comes of it: set up, with its sidecar, which is given.

        `template`: one of our own; `more`: options of the sidecar that are the test's own.
        """
        if template:
            options = (*options, "--template", template)
        done = run(EGRESSBOX, "kube-inject", "-f", SLEEP, *options, env={})
        same(done.returncode, 0, done.stderr)
        deployment = next(d for d in yaml.safe_load_all(done.stdout) if d["kind"] == "Deployment")
        pod = deployment["spec"]["template"]["spec"]
        setup, sidecar = pod["initContainers"]
        done = self.container(self.pod, setup).run_to_end()
        same(done.returncode, 0, f"status of {setup['name']}: {done.stderr}")
        self.set_up_with = setup
        mounts = {m["mountPath"]: self.config.dir for m in sidecar.get("volumeMounts", [])}
        self.sidecar = self.container(self.pod, sidecar, ca=ca, mounts=mounts, options=more).start()
        return self.sidecar

    def container(self, namespace, spec, **more):
        address = (POD if namespace == self.pod else GATEWAY_POD)[self.family]
        made = Container((namespace, address, self.node), spec, self.resolv_conf, **more)
        self.containers.append(made)
        return made

    def running(self):
        return [c for c in self.containers if c.process is not None and c.process.poll() is None]

    def settle(self):
        for container in self.running():
            container.settle()

    def finish(self):
        for container in self.running():
            container.finish()

    # The application.

    def enter_application(self):
        enter(self.pod)
        own_mounts()
        bind(self.resolv_conf, os.path.realpath("/etc/resolv.conf"))
        become(APPLICATION, APPLICATION)

    def exec(self, *argv, **options):
        """kubectl exec -it $SOURCE_POD -c sleep ..."""
        return run(*argv, preexec_fn=self.enter_application, **options)

    def curl(self, *argv):
        return self.exec("curl", "-sS", "--max-time", "8", "--noproxy", "*", *argv)

    def connect(self, host, port, timeout=CERTAINLY, receive_buffer=None):
        """A connection of the application's."""
        s = socket_of(self.pod, host, APPLICATION, APPLICATION)
        if receive_buffer:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        s.settimeout(timeout)
        scope.rest.callback(s.close)
        s.connect((host, port))
        return s
