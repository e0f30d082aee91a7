"""iptables-setup as the real tools see it: what is printed is what is applied, and what others have stays."""

import json
import os
import re

from harness import EGRESSBOX, has, lacks, main, need, run, same, test, true
from pod import Pod, need_backend, subprocess_in

BASE = ("-p", "15001", "-u", "1337")
# Every option that makes rules, alone and together.
CASES = [
    (),
    ("--inbound", "none"),
    ("-g", "5,77", "-z", "15006"),
    ("-i", "10.0.0.0/8,192.0.2.0/25,198.51.100.7,fd00::/8,2001:db8::1"),
    ("-i", "11.0.0.0/8,12.0.0.0/8,fd80::/9,fe00::/16"),
    ("-i", "0.0.0.0/1,255.255.255.255,::/1,ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("-x", "10.96.0.0/12,169.254.169.254,fd00::/108", "-c", "eth1,net-0.1"),
    ("-x", "0.0.0.0/0,::/0"),
    ("-q", "80,443,8000-8100", "-o", "22"),
    ("-o", "6000-6010", "-q", "1-65535"),
    ("-o", "1,3,5,7,9,11,13,15,17,19,21-22,25-26,29,31,33"),
    ("-b", "8080,9090", "-d", "15020,15021"),
    ("-b", "", "--loopback-cidr", "127.0.0.1,::1"),
    ("--strict-compat",),
    ("--strict-compat", "-i", "10.0.0.0/8,192.168.0.0/16,fd00::/8", "-c", "eth1"),
    ("--ipv6", "off"),
    ("--ipv6", "drop", "-x", "fd00::/8"),
    ("--dns-port", "15053"),
    ("--block-quic",),
    ("--block-quic", "-i", "192.0.2.0/24,198.51.100.0/24,2001:db8::/32"),
    ("--drop-invalid",),
    (
        *("-g", "77", "-c", "eth1", "-o", "22,6000-6010", "-d", "15020", "-q", "80", "--dns-port", "15053"),
        *("--block-quic", "--drop-invalid", "-i", "10.4.0.0/14,192.0.2.128/25,2001:db8::/33", "-x", "10.5.0.0/16,fd05::/16"),
    ),
]


def without_handles(value):
    if isinstance(value, dict):
        return {key: without_handles(item) for key, item in value.items() if key not in ("handle", "metainfo", "packets", "bytes")}
    if isinstance(value, list):
        return [without_handles(item) for item in value]
    return value


def nft_ruleset(pod):
    return without_handles(json.loads(pod.must("nft", "-j", "list", "ruleset"))["nftables"])


def saved(pod, save="iptables-legacy-save"):
    """The tables' lines, without counters and comments."""
    lines = re.sub(r" \[\d+:\d+\]$", "", pod.must(save), flags=re.MULTILINE).splitlines()
    return [line for line in lines if not line.startswith("#")]


COUNTERS = re.compile(r"\[(\d+):(\d+)\]|packets (\d+) bytes (\d+)")


def went_on(after, before, what):
    """The same text but for counters, and none of those began anew: a late packet may still have counted."""
    after, before = (re.sub(r"^#.*", "", text, flags=re.MULTILINE) for text in (after, before))
    same(COUNTERS.sub("", after), COUNTERS.sub("", before), what)
    pairs = zip(COUNTERS.findall(after), COUNTERS.findall(before))
    less = [(now, then) for now, then in pairs if [int(n or 0) for n in now] < [int(n or 0) for n in then]]
    same(less, [], f"counters that went back: {what}")


def printed(pod, form, *words):
    return pod.setup(*BASE, *words, "--print", form)


def for_family(text, save):
    """The part of --print iptables that is for one of the two tools."""
    parts = re.split(r"^# (ip6?tables)-restore --noflush\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2])).get(save.removesuffix("-legacy-save"), "")


@test(deadline=40)
def what_nft_loads_from_the_printed_text_is_what_is_applied():
    need("nft")
    pod = Pod(serve=False)
    need_backend(pod, "nft")
    for words in CASES:
        pod.setup(*BASE, *words, "--backend", "nft")
        applied = nft_ruleset(pod)
        true(len(applied) > 3, "rules")
        text = printed(pod, "nft", *words)
        pod.must("nft", "-c", "-f", "-", input=text)
        if words[:2] == ("--ipv6", "off"):
            pod.setup("--cleanup")
        pod.must("nft", "-f", "-", input=text)
        same(nft_ruleset(pod), applied, words)


@test(deadline=40)
def what_iptables_restore_loads_from_the_printed_text_is_what_is_applied():
    need("iptables-legacy", "iptables-legacy-restore")
    ours, theirs = Pod(serve=False), Pod(serve=False)
    need_backend(ours, "legacy")
    for words in CASES:
        ours.setup(*BASE, *words, "--backend", "legacy")
        text = printed(ours, "iptables", *words)
        for tool in ("iptables-legacy", "ip6tables-legacy"):
            part = for_family(text, tool + "-save")
            theirs.must(tool + "-restore", "--noflush", "--test", input=part)
            theirs.must(tool + "-restore", "--noflush", input=part)
            applied, loaded = saved(ours, tool + "-save"), saved(theirs, tool + "-save")
            # Tables that others have made are there, empty, in one of the two.
            same([line for line in applied if "EGRESSBOX" in line], [line for line in loaded if "EGRESSBOX" in line], words)
            theirs.must(EGRESSBOX, "iptables-setup", "--cleanup")


@test
def iptables_legacy_save_shows_the_rules_as_they_were_printed():
    need("iptables-legacy-save")
    pod = Pod(serve=False)
    need_backend(pod, "legacy")
    for words in CASES:
        pod.setup(*BASE, *words, "--backend", "legacy")
        for tool in ("iptables-legacy-save", "ip6tables-legacy-save"):
            text = for_family(printed(pod, "iptables", *words), tool)
            rules = [re.sub(r"^-I (\w+) \d+", r"-A \1", line) for line in text.splitlines() if line.startswith("-")]
            rules = [re.sub(r'--comment "(\w+)"', r"--comment \1", line) for line in rules]
            got = [line for line in saved(pod, tool) if line.startswith("-")]
            same(sorted(got), sorted(rules), words)


@test
def the_same_again_changes_not_a_byte():
    """Not a counter, not a handle; and what changed in between is put right."""
    need("nft", "iptables-legacy-save")
    for backend, show in (("nft", ("nft", "-a", "list", "ruleset")), ("legacy", ("iptables-legacy-save", "-c"))):
        pod = Pod()
        need_backend(pod, backend)
        has(pod.setup(*BASE, *CASES[-1], "--backend", backend), "changed=yes")
        pod.connect("10.4.0.1", 80)
        pod.connect("10.4.0.1", 80, uid=1337)
        before = pod.must(*show)
        true("packets 1 bytes 60" in before or "[1:60]" in before, f"rules that counted: {before}")
        has(pod.setup(*BASE, *CASES[-1], "--backend", backend), "changed=no")
        went_on(pod.must(*show), before, backend)
        if backend == "nft":
            pod.must("nft", "flush", "chain", "ip6", "egressbox", "EGRESSBOX_REDIRECT")
        else:
            pod.must("ip6tables-legacy", "-t", "nat", "-F", "EGRESSBOX_REDIRECT")
        status, _, err = pod.iptables_setup(*BASE, *CASES[-1], "--backend", backend, "--verify-only")
        same(status, 1, "rules that were tampered with")
        has(err, "are not those that these options make")
        has(pod.setup(*BASE, *CASES[-1], "--backend", backend), "changed=yes")
        has(pod.setup(*BASE, *CASES[-1], "--backend", backend), "changed=no")


@test
def foreign_nft_rules_keep_every_byte():
    need("nft")
    foreign = """
    table ip foreign { map m { type ipv4_addr : verdict; elements = { 10.0.0.1 : accept }; }
      chain OUTPUT { type nat hook output priority -100; ip daddr 192.0.2.9 counter dnat to 192.0.2.10; }
    }
    table inet egressbox_other { set s { type ipv4_addr; flags interval; elements = { 10.0.0.0/8 }; }
      chain EGRESSBOX_OUTPUT { ip saddr @s counter accept comment "mine"; }
    }
    table ip6 egressboxes { chain x { }
    }
    """
    pod = Pod(serve=False)
    need_backend(pod, "nft")
    pod.must("nft", "-f", "-", input=foreign)
    show = lambda: "".join(pod.must("nft", "-a", "list", "table", *t.split()) for t in ("ip foreign", "inet egressbox_other", "ip6 egressboxes"))
    before = show()
    for words in (BASE, BASE, (*BASE, "--dns-port", "53"), ("--cleanup",), ("--cleanup",)):
        pod.setup(*words)
        went_on(show(), before, words)
    pod.setup(*BASE)
    has(pod.setup(*BASE), "changed=no")
    pod.setup("--cleanup")
    same(pod.must("nft", "list", "tables").split("\n"), ["table ip foreign", "table inet egressbox_other", "table ip6 egressboxes", ""])


FOREIGN_LEGACY = """*nat
:DOCKER_OUTPUT - [0:0]
:EGRESSBOX - [0:0]
-A PREROUTING -m comment --comment "nothing follows"
-A OUTPUT -d 127.0.0.11/32 -j DOCKER_OUTPUT
-A OUTPUT -p tcp -m tcp --dport 9 -g EGRESSBOX
-A POSTROUTING -s 10.9.0.0/16 -j MASQUERADE
-A DOCKER_OUTPUT -d 127.0.0.11/32 -p tcp -m tcp --dport 53 -j DNAT --to-destination 127.0.0.11:40001
-A DOCKER_OUTPUT -d 127.0.0.11/32 -p udp -m udp --dport 53 -j DNAT --to-destination 127.0.0.11:40002
-A EGRESSBOX -j RETURN
COMMIT
*filter
:MINE - [0:0]
-A OUTPUT -p udp -m udp --dport 5353 -j MINE
-A MINE -m conntrack --ctstate INVALID -j DROP
COMMIT
"""


@test
def foreign_legacy_rules_keep_every_byte_and_count():
    need("iptables-legacy-restore")
    pod = Pod()
    need_backend(pod, "legacy")
    pod.must("iptables-legacy-restore", input=FOREIGN_LEGACY)
    pod.send("127.0.0.11", 5353, timeout=0.05)
    pod.connect("192.0.2.1", 9, timeout=0.05)

    def show():
        lines = pod.must("iptables-legacy-save", "-c").splitlines()
        return "\n".join(line for line in lines if line.startswith("[") and "EGRESSBOX_" not in line)

    before = show()
    true(sum(not line.startswith("[0:0]") for line in before.splitlines()) >= 2, f"rules that counted: {before}")
    for words in (BASE, BASE, (*BASE, "--dns-port", "53", "--block-quic"), ("--cleanup",), ("--cleanup",)):
        pod.setup(*words, *(() if "--cleanup" in words else ("--backend", "legacy")))
        went_on(show(), before, words)
    lacks(pod.must("iptables-legacy-save"), "EGRESSBOX_", "what is left")


@test
def changing_options_leaves_nothing_of_the_old_ones():
    need("nft", "iptables-legacy-save")
    for backend in ("nft", "legacy"):
        pod, fresh = Pod(serve=False), Pod(serve=False)
        need_backend(pod, backend)
        pod.setup(*BASE, *CASES[-1], "--backend", backend)
        for one in (pod, fresh):
            one.setup(*BASE, "--backend", backend)
        if backend == "nft":
            same(nft_ruleset(pod), nft_ruleset(fresh))
        else:
            for tool in ("iptables-legacy-save", "ip6tables-legacy-save"):
                ours = [line for line in saved(pod, tool) if line.startswith("-")]
                same(ours, [line for line in saved(fresh, tool) if line.startswith("-")])


@test
def nf_tables_alone_make_no_legacy_table():
    pod = Pod(serve=False)
    need_backend(pod, "nft")
    fresh = Pod(serve=False)
    fresh.setup(*BASE)
    same(fresh.must("cat", "/proc/thread-self/net/ip_tables_names"), "", "legacy tables")


@test
def a_thousand_ranges_are_taken_by_both():
    ranges = ",".join([f"10.{i // 250}.{i % 250}.0/25" for i in range(1000)] + [f"fd00:{i:x}:8000::/33" for i in range(1000)])
    for backend in ("nft", "legacy"):
        pod = Pod()
        need_backend(pod, backend)
        pod.setup(*BASE, "-i", ranges, "--backend", backend)
        has(pod.setup(*BASE, "-i", ranges, "--backend", backend), "changed=no")
        same(pod.connect("10.3.249.127", 80), "proxy 10.3.249.127:80")
        same(pod.connect("10.3.249.128", 80), "outside 10.3.249.128:80")
        same(pod.connect("fd00:3e7:8000::1", 80).split()[0], "proxy")
        same(pod.connect("fd00:3e7:7fff::1", 80).split()[0], "outside")


@test
def it_says_what_it_did_in_one_line():
    pod = Pod(serve=False)
    need_backend(pod, "nft")
    same(pod.iptables_setup(*BASE), (0, "backend=nft families=ip,ip6 rules=18 changed=yes\n", ""))
    same(pod.iptables_setup(*BASE), (0, "backend=nft families=ip,ip6 rules=18 changed=no\n", ""))
    same(pod.iptables_setup("--cleanup"), (0, "removed nft=ip,ip6 legacy=none\n", ""))
    same(pod.iptables_setup("--cleanup"), (0, "removed nft=none legacy=none\n", ""))
    same(pod.iptables_setup(*BASE, "--ipv6", "off")[1], "backend=nft families=ip rules=9 changed=yes\n")


@test
def printing_needs_no_right_and_no_namespace():
    nobody = ("setpriv", "--reuid", "65534", "--clear-groups", "--no-new-privs") if os.geteuid() == 0 else ()
    need(*nobody[:1])
    done = run(*nobody, EGRESSBOX, "iptables-setup", *BASE, "--print", "nft")
    same((done.returncode, done.stderr), (0, ""))
    has(done.stdout, "table ip egressbox {")


@test
def verify_proves_it_by_connections():
    for backend in ("nft", "legacy"):
        pod = Pod(serve=False)
        need_backend(pod, backend)
        out = pod.setup(*BASE, "-g", "77", "--verify", "--backend", backend)
        # Of each family: outside and the own address; loopback, and the own address by uid and by gid.
        has(out, "verified=connections redirected=4 direct=6")
        has(pod.setup(*BASE, "-g", "77", "--verify-only", "--backend", backend), "changed=no verified=connections")
        has(pod.setup(*BASE, "-i", "198.51.100.0/24,2001:db8:5::/48", "--verify", "--backend", backend), "redirected=4")
        has(pod.setup(*BASE, "--strict-compat", "--verify", "--backend", backend), "redirected=4")
        has(pod.setup(*BASE, "-x", "0.0.0.0/0,::/0", "--verify", "--backend", backend), "redirected=0 direct=2")


@test
def verify_finds_what_does_not_hold():
    """A rule of others that comes first is one that no comparison of ours sees."""
    need("nft")
    pod = Pod(serve=False)
    need_backend(pod, "nft")
    pod.setup(*BASE)
    pod.must("nft", "-f", "-", input="table ip other { chain o { type nat hook output priority -150; tcp dport 1404 dnat to 10.1.0.1:80; }\n}")
    status, out, err = pod.iptables_setup(*BASE, "--verify-only", "--timeout", "200ms")
    same((status, out), (1, ""))
    same(err, "iptables-setup: not verified: IPv4: a connection to 192.0.2.2:1404 by uid 0, gid 0 was not redirected\n")
    pod.must("nft", "delete", "table", "ip", "other")
    has(pod.setup(*BASE, "--verify-only"), "verified=connections")


@test
def verify_leaves_a_proxy_that_runs_alone():
    pod = Pod()
    need_backend(pod, "nft")
    status, out, err = pod.iptables_setup(*BASE, "--verify")
    same(status, 0)
    has(out, "verified=rules")
    has(err, "something listens on port 15001, so no connection was tried")


@test
def changes_of_others_at_the_same_time_are_retried():
    """iptables-legacy adds and removes rules without pause; each change of ours goes through."""
    need("iptables-legacy")
    pod = Pod(serve=False)
    need_backend(pod, "legacy")
    rule = "OUTPUT -t nat -d 192.0.2.77 -j ACCEPT"
    loop = f"while :; do iptables-legacy -w -A {rule}; iptables-legacy -w -D {rule}; done 2>/dev/null"
    noise = subprocess_in(pod, "sh", "-c", loop)  # it meets our changes as we meet its
    try:
        for i in range(100):
            pod.setup(*BASE, "-z", str(15002 + i % 2), "--backend", "legacy")
    finally:
        noise.kill()
        noise.wait()


main()
