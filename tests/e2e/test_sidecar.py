"""egress-proxy --transparent: in a pod with real rules, by what connections see."""

from harness import EGRESSBOX, has, lacks, main, run, same, test, true, until
from origins import Origin
from pod import PROXY, inside
from proxy import SERVICES
from sidecar import FAMILIES, App, Sidecar, World, refused, reset_of, sidecar_pod
from wire import OK, request

# The registered names' addresses, which the application does not use.
PINS = {"origin.test": "198.51.100.1", "secure.test": "198.51.100.2"}


def shout(wire):
    """Speaks first, then answers in capitals until the client ends, then says goodbye."""
    wire.send(b"hello\n")
    while wire.fill():
        wire.send(wire.take(len(wire.received)).upper())
    wire.send(b"bye\n")


# What is inside.


@test
def what_is_inside_passes_whoever_speaks_first_and_half_closes():
    pod, sidecar = sidecar_pod()
    world = World(pod, shout, 80)
    for family, (internal, *_) in FAMILIES.items():
        app = App(pod, internal, 80)
        same(app.exactly(6), b"hello\n", f"first word over IPv{family}")
        app.send(b"GET / HTTP/9.9\n")
        same(app.exactly(15), b"GET / HTTP/9.9\n", "what no parser would let pass")
        app.half_close()
        same(app.to_end(), b"bye\n", "what comes after our end")
    same(world.asked_for(), ["10.3.0.1:80", "[fd03::1]:80"])
    same(sidecar.verdicts(), {"passed_internal": 2})
    entry = sidecar.entries(2)[0]
    same((entry["method"], entry["verdict"], entry["reason"]), ("TCP", "passed_internal", "ok"))
    same((entry["rx"], entry["tx"]), ("15", "25"))
    same((entry["original"], entry["address"]), ("10.3.0.1:80", "10.3.0.1:80"))


@test
def the_servers_half_close_is_passed_on_and_the_client_goes_on():
    def script(wire):
        wire.send(b"all I have").half_close()
        wire.to_end()

    pod, _ = sidecar_pod()
    world = World(pod, script, 80)
    app = App(pod, "10.3.0.1", 80)
    same(app.to_end(), b"all I have")
    for word in (b"still", b" ", b"here"):
        app.send(word)
    app.half_close()
    until(lambda: world.wires[0].ended, "the end came")
    same(bytes(world.wires[0].received), b"still here")


@test
def a_reset_is_carried_over_both_ways_and_after_what_was_sent_before():
    seen = []

    def script(wire):
        try:
            wire.send(b"last words" if wire.exactly(1) == b"r" else b"")
            if wire.received == b"r":
                wire.reset()
            else:
                wire.fill()
        except ConnectionResetError as e:
            seen.append(e)

    pod, sidecar = sidecar_pod()
    world = World(pod, script, 80)
    app = App(pod, "10.3.0.1", 80).send(b"r")
    same(reset_of(app), b"last words")
    app = App(pod, "10.3.0.1", 80).send(b"x")
    until(lambda: len(world.wires) == 2 and world.wires[1].received, "the byte is there")
    app.reset()
    until(lambda: seen, "the server saw a reset")
    same([e["reason"] for e in sidecar.entries(2)], ["upstream_reset", "client_closed"])


@test
def a_port_that_nobody_listens_on_is_a_reset():
    pod, sidecar = sidecar_pod()
    for family, (internal, *_) in FAMILIES.items():
        true(refused(pod, internal, 7), f"over IPv{family}")
    same([e["reason"] for e in sidecar.entries(2)], ["connect_refused"] * 2)


@test
def what_comes_in_goes_to_the_pods_own_port():
    pod, sidecar = sidecar_pod(setup=("--inbound", "redirect"))
    with inside(pod.here):
        local = [Origin(shout, address=a, port=8080) for a in ("0.0.0.0", "::")]
    for _, _, own in FAMILIES.values():
        app = App(pod, own, 8080, namespace=pod.outside)
        same(app.exactly(6), b"hello\n")
        # The pod calls itself by its address.
        same(App(pod, own, 8080).exactly(6), b"hello\n")
    same(sum(len(o.wires) for o in local), 4)
    same(sidecar.verdicts(), {"passed_inbound": 4})


# Straight to the port, and loops.


@test
def a_connection_straight_to_the_port_is_refused_with_a_line_and_never_a_loop():
    pod, sidecar = sidecar_pod(setup=("--inbound", "redirect"))
    count = 0
    for host in ("127.0.0.1", "::1", "10.1.0.2", "fd01::2"):
        for namespace in (pod.here, pod.outside) if ":" not in host[:3] and host[0] != "1" else (pod.here,):
            true(refused(pod, host, PROXY, request(host="origin"), namespace=namespace), f"reset at {host}")
            count += 1
    lines = sidecar.refusals(count)
    same(len(lines), count, "lines")
    for line in lines:
        has(line, "reason=not_redirected")
        has(line, f":{PROXY}")
    same(sidecar.verdicts(), {"not_redirected": count})


@test
def without_rules_it_says_that_nothing_was_redirected():
    pod, sidecar = sidecar_pod()
    pod.setup("--cleanup")
    for host in ("127.0.0.1", "::1"):
        true(refused(pod, host, PROXY), host)
    has(sidecar.refusals(2)[0], "reason=not_redirected")


@test
def when_its_own_user_is_redirected_as_well_it_refuses_what_comes_back():
    """The rules exempt somebody else."""
    pod, sidecar = sidecar_pod("--outbound-policy", "any", "--detect-timeout", "20ms")
    pod.setup("-p", str(PROXY), "-u", "4711")
    World(pod, shout, 80)
    for host in ("10.3.0.1", "fd03::1", "192.0.2.1"):
        true(refused(pod, host, 80), host)
    has(sidecar.refusals(3)[0], "reason=proxy_redirected")
    true(sidecar.metrics()["egressbox_client_connections_total"] < 12, "no crowd")


@test
def under_the_rules_of_the_first_istio_own_addresses_are_reached_by_loopback():
    """They redirect even the proxy's connections to the pod's own addresses."""
    pod, sidecar = sidecar_pod(setup=("--strict-compat",))
    with inside(pod.here):
        local = [Origin(shout, address=a, port=8080) for a in ("0.0.0.0", "::")]
    World(pod, shout, 80)
    for _ in range(2):
        for _, _, own in FAMILIES.values():
            with App(pod, own, 8080).sock as s:
                same(s.recv(6), b"hello\n", own)
        same(App(pod, "10.3.0.1", 80).exactly(6), b"hello\n")
    true(all(o.wires for o in local), "both families came")
    lacks(sidecar.stderr(), "refused")


# Options.


@test
def plain_requests_are_taken_where_they_are_asked_for_and_nowhere_else():
    pod, sidecar = sidecar_pod(manifest=SERVICES, resolve=PINS)
    same(sidecar.ports, [PROXY], "listeners without --listen")
    both = Sidecar(pod, manifest=SERVICES, resolve=PINS, listen="127.0.0.1:0", at=15002)
    same((len(both.ports), both.ports[1]), (2, 15002))
    World(pod, OK, 80)
    same(App(pod, "127.0.0.1", both.port).send(request(host="origin")).message().status, 200)
    true(refused(pod, "127.0.0.1", 15002, request(host="origin")), "the other one takes none")
    same(both.entries(1)[0].get("verdict"), None)


@test
def it_says_what_it_assumes_to_be_inside():
    _, sidecar = sidecar_pod(cidrs=None)
    assumed = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,fc00::/7,34.118.224.0/20"
    has(sidecar.stderr(), f"no --cluster-cidr: assuming what is usual cluster_cidr={assumed}")


@test
def it_complains_about_options_that_cannot_be():
    for words, part in (
        ("--gateway a:80", "--gateway: needs --transparent"),
        ("--transparent 1 --gateway a", '--gateway: "a" is not HOST:PORT: the port is missing'),
        ("--transparent 1 --gateway a:b:c", '--gateway: "a:b:c" is not HOST:PORT'),
        ("--transparent x", '--transparent: "x" is not [ADDR:]PORT'),
        ("--transparent 1 --cluster-cidr 10.0.0.0/33", "--cluster-cidr: "),
        ("--transparent 1 --cluster-cidr ,", "--cluster-cidr: "),
        ("--transparent 1 --outbound-policy some", "--outbound-policy"),
        ("--transparent 1 --via a,b", '--via: "a,b" is no token'),
        ("--transparent 1 --check", "no manifests"),
    ):
        done = run(EGRESSBOX, "egress-proxy", *words.split(), *([] if "trans" in words else ["-f", "/dev/null"]))
        same(done.returncode, 2, words)
        has(done.stderr, part)


@test
def its_name_in_via_can_be_chosen_and_is_a_loop_when_it_comes_back():
    pod, _ = sidecar_pod("--via", "mine", manifest=SERVICES, resolve=PINS)
    world = World(pod, OK, 80)
    same(App(pod, "192.0.2.1", 80).send(request(host="origin")).message().status, 200)
    same(world.requests[0].get("via"), "1.1 mine")
    for name, status in (("mine", 508), ("egressbox", 200), ("egressbox-sidecar", 200)):
        answer = App(pod, "192.0.2.1", 80).send(request("/", f"Via: 1.1 {name}", host="origin")).message()
        same(answer.status, status, name)


main()
