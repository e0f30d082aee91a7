"""cidr-describe computes what Python's ipaddress and Debian's iprange compute, on corpora at random and adversarial."""

import ipaddress
import json
import random
import subprocess
from ipaddress import (IPv4Address, IPv6Address, collapse_addresses, ip_network, summarize_address_range)

from harness import EGRESSBOX, folder, has, lacks, main, need, same, test

ROUNDS = 6


def cidr(*words, stdin="", status=0):
    done = subprocess.run([EGRESSBOX, "cidr-describe", *map(str, words)], input=stdin, capture_output=True, text=True,
                          check=False)
    same(done.returncode, status, f"status of {words[0]} ({done.stderr.strip()[:200]})")
    return done.stdout.split("\n")[:-1]


def network(rng, width, low=0, near=None):
    """A prefix anywhere, or in the same few bits as the others."""
    length = rng.randint(low, width)
    number = rng.getrandbits(width) if near is None else near + rng.getrandbits(12)
    address = IPv4Address if width == 32 else IPv6Address
    return ip_network((address(number & (1 << width) - 1), length), strict=False)


def mapped(prefix):
    return prefix.version == 6 and prefix.network_address.ipv4_mapped is not None


def corpora(width, seed):
    """Each a list of networks: anywhere, crowded together, at both ends, nested, neighbours, one."""
    rng, top = random.Random(seed), (1 << width) - 1
    make = ip_network
    near = rng.getrandbits(width) >> 16 << 16
    address = IPv4Address if width == 32 else IPv6Address
    yield [network(rng, width, 8) for _ in range(400)]
    yield [network(rng, width, width - 12, near) for _ in range(400)]
    yield [make((address(top - n), width)) for n in range(9)] + [make((address(n), width)) for n in range(7)]
    yield [make((address(near), length), strict=False) for length in range(1, width + 1)]
    yield [make((address((near & top) + 4 * n), width - 2)) for n in range(64)]
    yield [make((address(0), 0))]


def all_corpora():
    for seed in range(ROUNDS):
        for width in (32, 128):
            for networks in corpora(width, 100 * seed + width):
                yield [n for n in networks if not mapped(n)]


def texts(networks):
    return [str(n) for n in networks]


def lines(networks):
    return "".join(f"{n}\n" for n in networks)


def ranges_of(networks):
    """Sorted, merged (first, last)."""
    merged = []
    for net in collapse_addresses(networks):
        first, last = int(net.network_address), int(net.broadcast_address)
        if merged and first == merged[-1][1] + 1:
            merged[-1][1] = last
        else:
            merged.append([first, last])
    return merged


def prefixes_of(ranges, version):
    address = IPv4Address if version == 4 else IPv6Address
    return [str(n) for first, last in ranges for n in summarize_address_range(address(first), address(last))]


def intersection(a, b):
    both = ([max(x[0], y[0]), min(x[1], y[1])] for x in a for y in b)
    return sorted(r for r in both if r[0] <= r[1])


def difference(a, b):
    for hole in b:
        a = [piece for first, last in a
             for piece in ([first, min(last, hole[0] - 1)], [max(first, hole[1] + 1), last]) if piece[0] <= piece[1]]
    return a


@test(deadline=60)
def aggregates_as_ipaddress_does():
    for networks in all_corpora():
        same(cidr("aggregate", stdin=lines(networks)), texts(collapse_addresses(networks)), "aggregate")


@test(deadline=90)
def excludes_and_intersects_as_sets_do():
    for seed in range(3):
        for width in (32, 128):
            rng = random.Random(seed + width)
            near = rng.getrandbits(width - 16) << 12
            a, b = ([network(rng, width, width - 12, near) for _ in range(40)] for _ in range(2))
            path = folder() / "a"
            path.write_text(lines(a))
            version = a[0].version
            first, second = ranges_of(a), ranges_of(b)
            same(cidr("exclude", "-f", path, *b), prefixes_of(difference(first, second), version), "exclude")
            same(cidr("intersect", "-f", path, *b), prefixes_of(intersection(first, second), version), "intersect")


@test(deadline=60)
def says_ranges_as_ipaddress_summarizes_them():
    rng = random.Random(1)
    for width, address in ((32, IPv4Address), (128, IPv6Address)):
        for _ in range(20):
            first, last = sorted((rng.getrandbits(width), rng.getrandbits(width)))
            expected = texts(summarize_address_range(address(first), address(last)))
            same(cidr("range", f"{address(first)}-{address(last)}"), expected, "range")
    same(cidr("range", "10.4.0.0/14", "fd00::/126"), ["10.4.0.0-10.7.255.255", "fd00::-fd00::3"])


@test(deadline=60)
def contains_as_ipaddress_says():
    rng = random.Random(2)
    for width in (32, 128):
        near = rng.getrandbits(width - 16) << 12
        a = [network(rng, width, width - 10, near) for _ in range(30)]
        b = [network(rng, width, width - 8, near) for _ in range(60)]
        merged = ranges_of(a)
        expected = [any(low <= int(n.network_address) and int(n.broadcast_address) <= high for low, high in merged)
                    for n in b]
        answers = cidr("contains", ",".join(texts(a)), *b, status=0 if all(expected) else 1)
        same(answers, [f"{n} {'yes' if e else 'no'}" for n, e in zip(b, expected)], "contains")


def iprange(*words):
    done = subprocess.run(["iprange", *map(str, words)], capture_output=True, text=True, check=True)
    # It leaves /32 out.
    return [line if "/" in line else line + "/32" for line in done.stdout.split()]


@test(deadline=60)
def computes_as_iprange_does():
    need("iprange")
    rng = random.Random(3)
    for count in (1, 50, 20000):
        a, b = folder() / "a", folder() / "b"
        for path in (a, b):
            # With host bits, as people write them.
            path.write_text("".join(f"{IPv4Address(rng.getrandbits(32))}/{rng.randint(9, 32)}\n" for _ in range(count)))
        same(cidr("aggregate", "-f", a), iprange(a), "aggregate")
        same(cidr("exclude", "-f", a, f"@{b}"), iprange(a, "--except", b), "exclude")
        if cidr("intersect", "-f", a, f"@{b}") or count > 1:
            same(cidr("intersect", "-f", a, f"@{b}"), iprange(a, "--common", b), "intersect")


def special_of(ranges):
    """{range: what describe says of its entry in IANA's registries}."""
    return {one["input"]: one["special"] for one in json.loads("\n".join(cidr(*ranges, "-o", "json")))}


# In the registries, and not, or not of that kind, for the ipaddress of every Python that there is.
NOT_IN_PYTHON = ("192.88.99.", "64:ff9b:1:", "100:0:0:1:", "2001:10::", "2002::", "3fff::", "5f00::")


@test
def knows_the_special_ranges_that_ipaddress_knows():
    constants = (ipaddress._IPv4Constants, ipaddress._IPv6Constants)  # pylint: disable=protected-access
    private = [str(n) for c in constants for n in c._private_networks]  # pylint: disable=protected-access
    for network, special in special_of([n for n in private if n != "::ffff:0:0/96"]).items():
        if not special.startswith(NOT_IN_PYTHON):
            has(special, ", not globally reachable", network)
    rng = random.Random(4)
    for width, address in ((32, IPv4Address), (128, IPv6Address)):
        high = 0 if width == 32 else 1 << 125  # 2000::/3, which is all there is of global unicast
        addresses = [address(high | rng.getrandbits(width if width == 32 else 125)) for _ in range(300)]
        for text, special in special_of(a for a in addresses if a.is_global and not a.is_multicast).items():
            if special != "none: public" and not special.startswith(NOT_IN_PYTHON):
                has(special, ", globally reachable", text)
                lacks(special, "not globally", text)
    for text, name in (("127.9.9.9", "Loopback"), ("::1", "Loopback"), ("169.254.1.1", "Link Local"), ("fe80::1", "Link-Local"),
                       ("239.1.1.1", "Multicast"), ("ff02::1", "Multicast"), ("250.1.1.1", "Reserved"), ("fc00::1", "Unique-Local")):  # fmt: skip
        has(special_of([text])[text], name)


@test
def nothing_is_printed_when_a_line_is_bad():
    for text, place in (("10.0.0.0/8\n10.0.0.0/33\n", ":2:1: "), ("1.2.3.4\n 010.0.0.0/8\n", ":2:2: "),
                        ("10.0.0.0/8\0\n", ":1:1: ")):
        done = subprocess.run([EGRESSBOX, "cidr-describe", "aggregate"], input=text, capture_output=True, text=True,
                              check=False)
        same((done.returncode, done.stdout), (2, ""), "status and output")
        has(done.stderr, f"cidr-describe: standard input{place}")


@test
def an_unwritable_output_is_told():
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([EGRESSBOX, "cidr-describe", "aggregate", "10.0.0.0/8"], stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False)
    same(done.returncode, 1)
    has(done.stderr, "cidr-describe: ")


main()
