"""The page, step by step, with real curl from a pod that is redirected; by the gateway and by the sidecar alone."""

import time

import yaml

from harness import EGRESSBOX, HERE, has, lacks, main, run, same, test, until
from origins import Lab
from proxy import PAGE
from walk import GATEWAY, GATEWAY_POD, MONGODB, OUTSIDE, POD, SLEEP, WAYS, World, answered, template_alone
from wire import Wire, request

GKE = HERE.parent / "golden/cidr-describe"
DIRECT = "http://httpbin.org/headers"


def on_each_way(check, family=0):
    for way in WAYS:
        world = World(family)
        world.start_way(way)
        check(world, way)
        world.finish()


def google_saw(world):
    return [line for line in world.google.log.read_text().splitlines() if "GET" in line]


# Step 1.


def fails_before(world, _way):
    done = world.curl("-i", DIRECT)
    same(done.returncode, 0, done.stderr)
    has(done.stdout, "X-Egressbox-Error: ")
    for words in ("httpbin.org", "kind: Service", "type: ExternalName", "externalName: httpbin.org"):
        has(done.stdout, words, "what the answer says")
    done = world.curl("https://www.google.com")
    same(done.returncode, 35, f"curl's status, with {done.stderr}")
    has(done.stderr, "reset by peer", "what curl says")
    told = world.sidecar.told("refused .*sni=www.google.com ")[0].replace('"', "")
    for words in (f"client={world.at(POD)}:", f"destination={world.at(OUTSIDE['www.google.com'])}:443 ", "reason="):
        has(told, words, "the log")
    same(world.curl("http://externalbin/headers").returncode, 6, "curl's status for a name that is not there")
    same((world.httpbin.wires, google_saw(world)), ([], []), "what arrived outside")


@test(deadline=40)
def before_registration_calls_fail_and_say_so():
    on_each_way(fails_before)


@test(deadline=40)
def before_registration_calls_fail_and_say_so_over_ipv6():
    on_each_way(fails_before, 1)


# Step 2.


def answers_when_registered(world, way):
    world.register(PAGE.read_text())
    has(answered(world, '"Host"', "http://externalbin/headers"), '"Host": "httpbin.org"')
    has(answered(world, "Host", "http://securegoogle:443"), "Host www.google.com, server name www.google.com, TLSv1.2")
    caller = (GATEWAY_POD if way == "gateway" else POD)[world.family]
    same(world.httpbin.wires[-1].sock.getpeername()[0], caller, "who called httpbin.org")
    same({line.split()[0] for line in google_saw(world)}, {caller}, "who called www.google.com")
    # By the external name, it is still refused: what is registered is the Service.
    same(world.curl(DIRECT).stdout, '"httpbin.org" is not registered by that name: use http://externalbin\n')


@test(deadline=40)
def registered_services_answer_from_the_outside():
    on_each_way(answers_when_registered)


@test(deadline=40)
def registered_services_answer_from_the_outside_over_ipv6():
    on_each_way(answers_when_registered, 1)


@test(deadline=40)
def a_sidecar_with_manifests_and_a_gateway_still_asks_the_gateway_after_a_change():
    world = World()
    world.start_gateway()
    sidecar = world.start_pod("--gateway", GATEWAY, template=template_alone())
    world.register(PAGE.read_text())
    sidecar.told("routes changed")
    answered(world, '"Host"', "http://externalbin/headers")
    same(world.httpbin.wires[-1].sock.getpeername()[0], GATEWAY_POD[0], "who called httpbin.org")
    world.finish()


# Step 3.


@test(deadline=40)
def what_is_injected_is_what_runs():
    """The sidecar is uid 1337 without a capability, in a read-only root with nothing but the program."""
    world = World()
    sidecar = world.start_pod("--gateway", GATEWAY)
    status = dict(line.split(":\t", 1) for line in open(f"/proc/{sidecar.process.pid}/status").read().splitlines())
    same(status["Uid"].split(), ["1337"] * 4)
    same(status["Gid"].split(), ["1337"] * 4)
    for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        same(status[key], "0" * 16, key)
    same(status["NoNewPrivs"], "1")
    there = {str(p.relative_to(sidecar.root)) for p in sidecar.root.rglob("*") if p.is_file()}
    there = {path for path in there if not path.startswith(("lib", "usr/lib", "proc"))}  # a build with sanitizers
    same(there, {"egressbox", "etc/resolv.conf", "etc/hosts"}, "files, of which two are the kubelet's")
    injected = run(EGRESSBOX, "kube-inject", "-f", SLEEP, "--gateway", GATEWAY, env={}).stdout
    containers = yaml.safe_load(injected.split("---\n")[1])["spec"]["template"]["spec"]["initContainers"]
    same([world.set_up_with, sidecar.spec], containers, "what ran")
    same(sidecar.command(), [*containers[1]["command"], *containers[1]["args"]])


# Step 4.


def cidr_describe(form, case, *options):
    """The golden case's own input."""
    with open(GKE / case / "stdin") as stdin:
        return run(EGRESSBOX, "cidr-describe", "-o", form, *options, stdin=stdin).stdout.strip()


def greeting(world):
    """What the page's mongodb says first, or how it ends."""
    try:
        with world.connect(OUTSIDE["mongodb.example.com"][world.family], MONGODB) as s:
            return s.recv(100)
    except ConnectionResetError:
        return b"reset"


def counters(sidecar):
    """Of connections and bytes: all but what asking for them moves."""
    return {k: v for k, v in sidecar.metrics().items() if "_total" in k and "admin" not in k}


def moved(sidecar, before):
    return {k: (before.get(k), v) for k, v in counters(sidecar).items() if v != before.get(k, 0)}


def goes_out_directly(family, case):
    world = World(family)
    world.start_pod("--cluster-cidr", cidr_describe("comma", case))
    same(greeting(world), b"reset", "the mongodb, before")
    same(world.mongodb.wires, [], "connections to it, before")
    world.sidecar.finish()
    sidecar = world.start_pod(cidr_describe("flag", case), "--cluster-cidr", cidr_describe("comma", case))
    before = counters(sidecar)
    done = world.curl(DIRECT)
    has(done.stdout, '"Host": "httpbin.org"', done.stderr)
    lacks(done.stdout, "Via", "headers")
    has(world.curl("-k", "https://www.google.com").stdout, "Host www.google.com")
    same(greeting(world), b"mongodb ready\n", "the mongodb, now")
    same(moved(sidecar, before), {}, "the sidecar's counters")
    same(world.curl("http://web").stdout, "web inside\n", "a call inside")
    until(lambda: moved(sidecar, before), "the sidecar counts the call inside")
    world.finish()


@test(deadline=40)
def calls_outside_the_clusters_ranges_bypass_the_sidecar():
    goes_out_directly(0, "prints-the-two-lines-of-the-page")


@test(deadline=40)
def calls_outside_the_clusters_ranges_bypass_the_sidecar_over_ipv6():
    goes_out_directly(1, "takes-gkes-description-as-json")


# Step 5.


def refuses_again(world, _way):
    world.register(PAGE.read_text())
    answered(world, '"Host"', "http://externalbin/headers")
    address = OUTSIDE["httpbin.org"][world.family]
    slow = Wire(world.connect(address, 80))
    slow.send(request("/slow", host="externalbin"))
    slow.through(b"half")
    world.delete()
    begin = time.monotonic()
    call = ("-i", "--resolve", f"externalbin:80:{world.at(OUTSIDE['httpbin.org'])}", "http://externalbin/headers")
    until(lambda: "X-Egressbox-Error: " in world.curl(*call).stdout, "the name is refused again")
    print(f"  refused after {time.monotonic() - begin:.2f} s", flush=True)
    same(world.curl("http://externalbin/headers").returncode, 6, "curl's status for a name that is not there")
    world.httpbin.script.go.set()
    same(slow.exactly(4), b"done", "the rest of the answer that was under way")
    slow.close()


@test(deadline=40)
def what_is_deleted_is_refused_and_what_is_under_way_finishes():
    on_each_way(refuses_again)


@test(deadline=40)
def what_is_deleted_is_refused_and_what_is_under_way_finishes_over_ipv6():
    on_each_way(refuses_again, 1)


# Step 6.


def refuses_wrong_certificates(world, way):
    world.register(PAGE.read_text())
    answered(world, "Host", "http://securegoogle:443")
    proxy = world.containers[0] if way == "gateway" else world.sidecar
    for reason, pair in (
        ("cert_expired", world.lab.issue("DNS:www.google.com", start=-20 * 86400)),
        ("name_mismatch", world.lab.issue("DNS:www.example.com")),
        ("unknown_issuer", Lab("Other CA").issue("DNS:www.google.com")),
    ):
        world.start_google(*pair)
        # The connection of before may be pooled still; it ends with the server that it leads to.
        done = world.curl("-i", "http://securegoogle:443")
        has(done.stdout, "HTTP/1.1 502 ", f"the answer with {reason}, {done.stderr}")
        has(done.stdout, f"X-Egressbox-Error: {reason}")
        proxy.logged(f"status=502 .*reason={reason}")
        same(google_saw(world), [], f"requests that arrived, with {reason}")
        same([line for line in world.google.log.read_text().splitlines() if line], [], "nginx's log")


@test(deadline=40)
def with_a_wrong_certificate_the_answer_is_502_and_nothing_is_sent():
    on_each_way(refuses_wrong_certificates)


main()
