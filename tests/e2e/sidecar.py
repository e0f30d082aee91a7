"""A sidecar: the proxy in a pod whose connections iptables-setup redirected to it, and who is outside.

    pod, sidecar = sidecar_pod()
    world = World(pod, OK, 80)
    App(pod, "192.0.2.1", 80).send(...)

Inside the cluster are 10.3.0.0/16 and fd03::/32, by way of eth1; everything else that is not the pod is outside of it.
"""

import os

from harness import LIBC, Failed, need, run, scope, until
from origins import Origin
from pod import PROXY, Pod, enter, inside, name_of
from proxy import Proxy
from wire import Client, Wire

UID = 1337
PROMPT = "--upstream-idle-timeout", "300ms"  # so that descriptors are back soon
CIDRS = "10.3.0.0/16,fd03::/32"
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
FAMILIES = {4: ("10.3.0.1", "192.0.2.1", "10.1.0.2"), 6: ("fd03::1", "2001:db8::1", "fd01::2")}


def become(uid):
    """In the child: that user, without any right, for good."""
    for capability in range(64):
        LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


class Sidecar(Proxy):
    def __init__(self, pod, *options, manifest=None, listen=None, uid=UID, cidrs=CIDRS, at=PROXY, **more):
        self.pod = pod
        options = ["--transparent", str(at), *options, *PROMPT]
        if cidrs:
            options += ["--cluster-cidr", cidrs]

        def in_child():
            enter(pod.here)
            become(uid)

        super().__init__(manifest, *options, listen=listen, enter=in_child, **more)

    def ask_admin(self, target):
        with inside(self.pod.here):
            return Client(self.admin).ask(target, "Connection: close", host="localhost")

    def refusals(self, count=1):
        """The lines that say so."""

        def lines():
            return [line for line in self.stderr().splitlines() if " refused " in line]

        until(lambda: len(lines()) >= count, lambda: f"{count} refusals in {self.stderr()!r}")
        return lines()

    def verdicts(self):
        """Counters of what became of redirected connections, without zeroes."""
        found = {}
        for key, value in self.metrics().items():
            for name in ("redirected_total", "redirected_refused_total"):
                if key.startswith(f"egressbox_{name}{{") and value:
                    found[key.partition('"')[2].rstrip('"}')] = int(value)
        return found

    def verdict(self, name):
        return self.verdicts().get(name, 0)


def sidecar_pod(*options, setup=(), **more):
    """A pod with its rules, and the sidecar in it."""
    pod = Pod(serve=False)
    sidecar = Sidecar(pod, *options, **more)
    pod.setup("-p", str(PROXY), "-u", str(UID), *setup)
    return pod, sidecar


def outside(pod):
    return inside(pod.outside)


class WorldOrigin(Origin):
    def play(self, wire):
        self.names = [*getattr(self, "names", ()), (name_of(wire.sock.getsockname()), name_of(wire.sock.getpeername()))]
        super().play(wire)


class World:
    """A server outside, at every address there, on a port; `script` as an Origin's."""

    def __init__(self, pod, script, port, **more):
        with outside(pod):
            self.origins = [WorldOrigin(script, address=a, port=port, **more) for a in ("0.0.0.0", "::")]

    @property
    def wires(self):
        return [wire for origin in self.origins for wire in origin.wires]

    @property
    def requests(self):
        return [request for origin in self.origins for request in origin.requests]

    def asked_for(self):
        """The addresses that connections came for."""
        return [at for origin in self.origins for at, _ in getattr(origin, "names", ())]


class App(Wire):
    """A connection of the application's, as any other user."""

    def __init__(self, pod, host, port, **more):
        super().__init__(pod.open(host, port, **more))
        scope.clients.append(self)


def reset_of(wire):
    """Reads to the end, which must be a reset; what came before it."""
    try:
        while wire.fill():
            pass
    except ConnectionResetError:
        return wire.rest()
    raise Failed(f"an orderly end after {wire.rest()!r}, not a reset")


def refused(pod, host, port, data=b"", **more):
    """A connection is reset before a byte comes back, perhaps even before it can be used."""
    try:
        app = App(pod, host, port, **more)
        app.send(data)
        return reset_of(app) == b""
    except (ConnectionResetError, BrokenPipeError):
        return True


def curl_in(pod, *argv, uid=2000, **options):
    """The real curl as the application."""
    need("curl")

    def in_child():
        enter(pod.here)
        become(uid)

    return run("curl", "-sS", "--noproxy", "*", *argv, preexec_fn=in_child, **options)
