"""egress-proxy --transparent --gateway: a sidecar that knows nothing, and the gateway that decides."""

import threading

from harness import has, main, same, test, true, until
from origins import Lab
from pod import enter, inside
from proxy import SERVICES, Proxy
from sidecar import PROMPT, App, World, refused, sidecar_pod
from wire import OK, Client, request

AT = "10.3.0.9:8080"
PINS = {"origin.test": "198.51.100.1", "secure.test": "198.51.100.2"}
OUTSIDE = "192.0.2.1"


class Gateway(Proxy):
    """Somewhere in the cluster."""

    def __init__(self, pod, *options, **more):
        self.pod = pod
        more = {"listen": AT, "resolve": PINS, **more}
        super().__init__(SERVICES, *options, *PROMPT, enter=lambda: enter(pod.outside), **more)

    def ask_admin(self, target):
        with inside(self.pod.outside):
            return Client(self.admin).ask(target, "Connection: close", host="localhost")


@test
def requests_go_to_the_gateway_with_their_host_and_target_as_they_came():
    seen = []

    def script(wire):
        while True:
            seen.append(wire.message())
            wire.send(OK)

    pod, sidecar = sidecar_pod("--gateway", AT)
    World(pod, script, 8080)
    app = App(pod, OUTSIDE, 80)
    app.send(request("/a%2Fb?c", "X-Own: yes", "Keep-Alive: 5", host="ExternalBin:80")).message()
    app.send(request("http://absolute.test:81/x", host="absolute.test:81")).message()
    app.send(request("https://secure.test/x", host="secure.test")).message()
    same([(m.target, m.get("host")) for m in seen], [
        ("/a%2Fb?c", "ExternalBin:80"), ("/x", "absolute.test:81"), ("/x", "secure.test:443"),
    ])  # fmt: skip
    same(seen[0].get("x-own"), "yes")
    same(seen[0].get("keep-alive"), None)
    same(seen[0].get("via"), "1.1 egressbox-sidecar")
    same(sidecar.verdicts(), {"gateway": 3})
    entry = sidecar.entries(3)[0]
    same((entry["verdict"], entry["route"], entry["source"]), ("gateway", "gateway:8080", "--gateway"))


@test
def a_gateway_of_the_same_kind_decides_and_is_no_loop():
    lab = Lab()
    pod, sidecar = sidecar_pod("--gateway", AT)
    gateway = Gateway(pod, "--ca-file", lab.ca)
    World(pod, OK, 80)
    World(pod, OK, 443, tls=lab.context("DNS:secure.test"))
    for host in (OUTSIDE, "2001:db8::1"):
        same(App(pod, host, 80).send(request(host="origin")).message().status, 200)
        same(App(pod, host, 443).send(request(host="secure:443")).message().status, 200)
    answer = App(pod, OUTSIDE, 80).send(request(host="www.nowhere.org")).message()
    same((answer.status, answer.reason), (404, "unknown_host"))
    has(answer.body.decode(), "kubectl apply")
    same({e["reason"] for e in gateway.entries(5)}, {"ok", "unknown_host"})
    # Not HTTP: the gateway cannot help.
    true(refused(pod, OUTSIDE, 5432, b"\0\0\0\x08\x04\xd2\x16\x2f"), "reset")


@test
def the_gateways_name_is_resolved_and_completed():
    pod, _ = sidecar_pod("--gateway", "egress.mesh:8080", resolve={"egress.mesh.svc.cluster.local": "10.3.0.9"})
    Gateway(pod)
    World(pod, OK, 80)
    same(App(pod, OUTSIDE, 80).send(request(host="origin")).message().status, 200)


@test
def without_its_gateway_it_answers_503_and_recovers_by_itself():
    pod, sidecar = sidecar_pod("--gateway", AT)
    World(pod, OK, 80)
    app = App(pod, OUTSIDE, 80)
    answer = app.send(request(host="origin")).message()
    same((answer.status, answer.reason), (503, "connect_refused"))
    gateway = Gateway(pod)
    same(app.send(request(host="origin")).message().status, 200)
    gateway.kill()
    answer = app.send(request(host="origin")).message()
    same((answer.status, answer.reason), (503, "connect_refused"))
    Gateway(pod)
    same(app.send(request(host="origin")).message().status, 200)


@test
def a_next_address_of_the_gateway_is_tried():
    addresses = "10.3.0.8:8081,10.3.0.9:8080"
    pod, _ = sidecar_pod("--gateway", "gw.test.:8080", resolve={"gw.test": addresses})
    Gateway(pod)
    World(pod, OK, 80)
    for _ in range(4):
        same(App(pod, OUTSIDE, 80).send(request(host="origin")).message().status, 200)


@test(deadline=40)
def killed_and_restarted_under_load_it_loses_nothing_that_was_acknowledged():
    """Every 200 that the application saw is for a request that the origin saw; all else is 503."""
    pod, sidecar = sidecar_pod("--gateway", AT)
    gateway = Gateway(pod)
    world = World(pod, OK, 80)
    stop, statuses, errors = threading.Event(), [], []

    def load():
        try:
            app = App(pod, OUTSIDE, 80)
            while not stop.is_set():
                answer = app.send(request(host="origin")).message()
                statuses.append((answer.status, answer.reason))
        except Exception as e:
            errors.append(e)

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        count = len(statuses)
        until(lambda: statuses[count:].count((200, None)) > 20, "requests are answered")
        gateway.kill()
        until(lambda: any(s == 503 for s, _ in statuses[count:]), "the gateway is missed")
        gateway = Gateway(pod)
    count = len(statuses)
    until(lambda: statuses[count:].count((200, None)) > 20, "it has recovered")
    stop.set()
    for thread in threads:
        thread.join()
    same(errors, [])
    same({s for s, _ in statuses}, {200, 503})
    # A connection that was waiting to be accepted is reset: connect_failed.
    expected = {None, "connect_refused", "connect_failed", "upstream_reset", "upstream_closed"}
    same({r for _, r in statuses} - expected, set())
    true(len(world.requests) >= statuses.count((200, None)), "all that was acknowledged was done")


main()
