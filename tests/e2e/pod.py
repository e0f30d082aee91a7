"""A pod for the tests of iptables-setup: a network namespace, and another one that is everything outside of it.

    pod = Pod()
    pod.setup("-p", "15001", "-u", "1337")
    same(pod.connect("192.0.2.1", 80, uid=2000), "proxy 192.0.2.1:80")

The pod has eth0 (10.1.0.2, fd01::2) with the default routes and eth1 (10.2.0.2, fd02::2) to 10.2.0.0/24, fd02::/64,
10.3.0.0/16 and fd03::/32. Outside, every address of the world is answered, on the ports of OUTSIDE_PORTS. Whoever takes
a connection or a datagram says who it is and which destination it knows of, so that a probe is one connection
and its answer: "proxy", "inbound" (the proxy's other port), "dns", "local" (anything else in the pod) or "outside".
"""

import ctypes
import os
import selectors
import socket
import struct
import subprocess
import threading

from harness import EGRESSBOX, LIBC, Failed, run, scope, skip

CLONE_NEWNET = 0x40000000
SO_ORIGINAL_DST, IP_PKTINFO, IPV6_FREEBIND = 80, 8, 78
PROXY, INBOUND, DNS = 15001, 15006, 15053
LOCAL_PORTS = (8080, 9090, 15020)
OUTSIDE_PORTS = (22, 53, 79, 80, 81, 443, 5999, 6000, 6010, 6011)


def this_namespace():
    return os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def enter(namespace):
    if LIBC.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def new_namespace():
    home = this_namespace()
    try:
        if LIBC.unshare(CLONE_NEWNET) != 0:
            skip("no network namespaces here")
        made = this_namespace()
        enter(home)
        return made
    finally:
        os.close(home)


class inside:
    """with inside(namespace): sockets that are made here are of that namespace."""

    def __init__(self, namespace):
        self.namespace = namespace

    def __enter__(self):
        self.home = this_namespace()
        enter(self.namespace)

    def __exit__(self, *_):
        enter(self.home)
        os.close(self.home)


def socket_of(namespace, host, uid, gid, kind=socket.SOCK_STREAM):
    """One to that host, opened by that user: the rules ask for the file system's ids, which can be lent."""
    with inside(namespace):
        LIBC.setfsgid(gid)
        LIBC.setfsuid(uid)
        try:
            return socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
        finally:
            LIBC.setfsuid(0)
            LIBC.setfsgid(0)


def name_of(address):
    host, port = address[0].removeprefix("::ffff:"), address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def original_destination(connection):
    is_v6 = connection.family == socket.AF_INET6
    level, size = (socket.IPPROTO_IPV6, 28) if is_v6 else (socket.SOL_IP, 16)
    try:
        raw = connection.getsockopt(level, SO_ORIGINAL_DST, size)
    except OSError:
        return connection.getsockname()
    if is_v6:
        return socket.inet_ntop(socket.AF_INET6, raw[8:24]), struct.unpack(">H", raw[2:4])[0]
    return socket.inet_ntop(socket.AF_INET, raw[4:8]), struct.unpack(">H", raw[2:4])[0]


def answer_datagram(s, role):
    """From the address that was asked: any other answer is dropped."""
    _, extra, _, source = s.recvmsg(100, 200)
    for level, _, info in extra:
        if level == socket.IPPROTO_IPV6:
            back = (level, socket.IPV6_PKTINFO, info[:16] + bytes(4))
        else:
            back = (level, IP_PKTINFO, bytes(4) + info[8:12] + bytes(4))
        s.sendmsg([role.encode()], [back], 0, source)


class Pod:
    """Needs root; skips the test where namespaces are refused. `serve=False`: nobody listens."""

    def __init__(self, serve=True):
        if os.geteuid() != 0:
            skip("needs root for network namespaces")
        self.here, self.outside = new_namespace(), new_namespace()
        scope.rest.callback(self.close)
        self.wire()
        self.thread, self.listeners = None, []
        if serve:
            self.listen()

    def close(self):
        if self.thread is not None:
            self.stop.send(b"x")
            self.thread.join()
        for listener in self.listeners:
            listener.close()
        os.close(self.here)
        os.close(self.outside)

    # Commands.

    def run(self, *argv, namespace=None, **options):
        namespace = self.here if namespace is None else namespace
        return run(*argv, preexec_fn=lambda: enter(namespace), **options)

    def must(self, *argv, **options):
        done = self.run(*argv, **options)
        if done.returncode != 0:
            raise Failed(f"{' '.join(map(str, argv))}: status {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def batch(self, text, namespace):
        done = self.run("ip", "-batch", "-", namespace=namespace, input=text)
        if done.returncode != 0:
            skip(f"cannot set up links here: {done.stderr.strip()}")

    def iptables_setup(self, *words, **options):
        done = self.run(EGRESSBOX, "iptables-setup", *words, **options)
        return done.returncode, done.stdout, done.stderr

    def setup(self, *words, **options):
        return self.must(EGRESSBOX, "iptables-setup", *words, **options)

    # What there is.

    def wire(self):
        other = f"/proc/{os.getpid()}/fd/{self.outside}"
        self.batch(
            "link set lo up\n"
            f"link add eth0 type veth peer name eth0 netns {other}\n"
            f"link add eth1 type veth peer name eth1 netns {other}\n"
            "addr add 10.1.0.2/24 dev eth0\naddr add fd01::2/64 dev eth0 nodad\n"
            "addr add 10.2.0.2/24 dev eth1\naddr add fd02::2/64 dev eth1 nodad\n"
            "link set eth0 up\nlink set eth1 up\n"
            "route add default via 10.1.0.1\nroute add default via fd01::1\n"
            "route add 10.3.0.0/16 via 10.2.0.1\nroute add fd03::/32 via fd02::1\n",
            self.here,
        )
        self.batch(
            "link set lo up\n"
            "addr add 10.1.0.1/24 dev eth0\naddr add fd01::1/64 dev eth0 nodad\n"
            "addr add 10.2.0.1/24 dev eth1\naddr add fd02::1/64 dev eth1 nodad\n"
            "link set eth0 up\nlink set eth1 up\n"
            "route add local 0.0.0.0/0 dev lo\nroute add local ::/0 dev lo\n"
            "route add 10.1.0.2 dev eth0 table local\nroute add fd01::2 dev eth0 table local\n"
            "route add 10.2.0.2 dev eth1 table local\nroute add fd02::2 dev eth1 table local\n",
            self.outside,
        )

    def listener(self, kind, family, port):
        s = socket.socket(family, kind)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind(("", port))
        if kind == socket.SOCK_STREAM:
            s.listen(512)
        elif family == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            s.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)  # answer from any address
        else:
            s.setsockopt(socket.SOL_IP, IP_PKTINFO, 1)
        self.listeners.append(s)
        return s

    def listen(self):
        selector = selectors.DefaultSelector()
        roles = [(self.here, {PROXY: "proxy", INBOUND: "inbound", DNS: "dns", **dict.fromkeys(LOCAL_PORTS, "local")})]
        roles.append((self.outside, dict.fromkeys(OUTSIDE_PORTS, "outside")))
        for namespace, ports in roles:
            with inside(namespace):
                for port, role in ports.items():
                    for family in (socket.AF_INET, socket.AF_INET6):
                        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                            selector.register(self.listener(kind, family, port), selectors.EVENT_READ, role)
        self.stop, end = socket.socketpair()
        self.listeners += [self.stop, end]
        selector.register(end, selectors.EVENT_READ, None)
        self.thread = threading.Thread(target=self.serve, args=(selector,), daemon=True)
        self.thread.start()

    def serve(self, selector):
        while True:
            for key, _ in selector.select():
                if key.data is None:
                    selector.close()
                    return
                try:
                    self.answer(key.fileobj, key.data)
                except OSError:
                    pass

    def answer(self, s, role):
        if s.type == socket.SOCK_DGRAM:
            answer_datagram(s, role)
            return
        connection, _ = s.accept()
        with connection:
            connection.sendall(f"{role} {name_of(original_destination(connection))}".encode())

    # Probes.

    def socket(self, kind, host, uid, gid, namespace):
        return socket_of(namespace, host, uid, gid, kind)

    def open(self, host, port, uid=2000, gid=2000, namespace=None, timeout=8):
        """A connection of that user's."""
        s = self.socket(socket.SOCK_STREAM, host, uid, gid, namespace or self.here)
        s.settimeout(timeout)
        s.connect((host, port))
        return s

    def connect(self, host, port, uid=2000, gid=2000, namespace=None, timeout=2):
        with self.socket(socket.SOCK_STREAM, host, uid, gid, namespace or self.here) as s:
            s.settimeout(timeout)
            try:
                s.connect((host, port))
                return s.recv(200).decode()
            except OSError as e:
                return type(e).__name__

    def send(self, host, port, uid=2000, gid=2000, timeout=2):
        with self.socket(socket.SOCK_DGRAM, host, uid, gid, self.here) as s:
            s.settimeout(timeout)
            try:
                s.connect((host, port))
                s.send(b"?")
                return s.recv(200).decode()
            except OSError as e:
                return type(e).__name__


def need_backend(pod, backend):
    """Skips the test when this kernel does not have it."""
    status, _, err = pod.iptables_setup("-p", "15001", "-u", "1337", "--backend", backend)
    if status != 0 and "not to be had" in err:
        skip(err.strip())
    pod.iptables_setup("--cleanup")


def prepare_proxy(pod, port, uid, cidrs=(), iptables="iptables"):
    """The commands of prepare_proxy.sh, one by one, by the real iptables."""
    for words in prepare_proxy_commands(port, uid, cidrs):
        pod.must(iptables, "-t", "nat", *words.split())


def prepare_proxy_commands(port, uid, cidrs=()):
    def comment(text):
        return f"-m comment --comment istio/{text}"

    yield f"-N ISTIO_REDIRECT {comment('redirect-common-chain')}"
    yield f"-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-port {port} {comment('redirect-to-envoy-port')}"
    yield f"-A PREROUTING -j ISTIO_REDIRECT {comment('install-istio-prerouting')}"
    yield f"-N ISTIO_OUTPUT {comment('common-output-chain')}"
    yield f"-A OUTPUT -p tcp -j ISTIO_OUTPUT {comment('install-istio-output')}"
    yield f"-A ISTIO_OUTPUT -o lo ! -d 127.0.0.1/32 -j ISTIO_REDIRECT {comment('redirect-implicit-loopback')}"
    yield f"-A ISTIO_OUTPUT -m owner --uid-owner {uid} -j RETURN {comment('bypass-envoy')}"
    yield f"-A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN {comment('bypass-explicit-loopback')}"
    for cidr in cidrs:
        yield f"-A ISTIO_OUTPUT -d {cidr} -j ISTIO_REDIRECT {comment('redirect-ip-range-' + cidr)}"
    last = "RETURN" if cidrs else "ISTIO_REDIRECT"
    yield f"-A ISTIO_OUTPUT -j {last} {comment('default-outbound')}"


def subprocess_in(pod, *argv, **options):
    """A program in the pod that the test goes on beside."""
    return subprocess.Popen([str(a) for a in argv], preexec_fn=lambda: enter(pod.here), **options)
