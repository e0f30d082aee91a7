#!/usr/bin/env python3
"""Makes p256-vectors.txt: ECDSA signatures on P-256, most of them at the edges of the arithmetic.

A line is what verification must say (1 or 0), a name, the key, the hash, and the signature in ASN.1, all in hex,
"-" for no bytes. Numbers r, s and e of a valid signature are chosen first, and the key made to fit them. What is
said of each comes from the plain arithmetic here; where openssl's command can be asked, it is, and must agree.
"""

import base64
import random
import subprocess
import sys
import tempfile
from pathlib import Path

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
DIGESTS = {20: "sha1", 28: "sha224", 32: "sha256", 48: "sha384", 64: "sha512"}


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] ** 2 - 3) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope**2 - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def mul(k, point):
    total = None
    while k:
        if k & 1:
            total = add(total, point)
        point = add(point, point)
        k >>= 1
    return total


def with_x(x):
    """The point with this x whose y is even, or None."""
    square = (x**3 - 3 * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    if y * y % P != square:
        return None
    return x, y if y % 2 == 0 else P - y


def is_valid(key, e, r, s):
    if not (0 < r < N and 0 < s < N) or key is None or (key[1] ** 2 - key[0] ** 3 + 3 * key[0] - B) % P:
        return False
    if not (key[0] < P and key[1] < P):
        return False
    inverse = pow(s, -1, N)
    point = add(mul(e * inverse % N, G), mul(r * inverse % N, key))
    return point is not None and point[0] % N == r


def key_for(point, e, r, s):
    """The key of which (r, s) is a signature of e, with the sum being this point."""
    return mul(pow(r, -1, N), add(mul(s, point), mul(-e % N, G)))


def integer(v):
    body = v.to_bytes(v.bit_length() // 8 + 1, "big")
    return bytes([2, len(body)]) + body


def asn1(r, s):
    body = integer(r) + integer(s)
    return bytes([0x30, len(body)]) + body


def encode(key):
    return b"\4" + key[0].to_bytes(32, "big") + key[1].to_bytes(32, "big")


def openssl_says(folder, key, digest, sig):
    """None where it cannot be asked: it knows no key off the curve and no hash of an odd length."""
    bits = bytes([3, len(key) + 1, 0]) + key
    algorithm = bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107")
    der = bytes([0x30, len(algorithm + bits)]) + algorithm + bits
    (folder / "key").write_text(
        "-----BEGIN PUBLIC KEY-----\n%s-----END PUBLIC KEY-----\n" % base64.encodebytes(der).decode()
    )
    (folder / "hash").write_bytes(digest)
    (folder / "sig").write_bytes(sig)
    if len(digest) not in DIGESTS:
        return None
    command = f"openssl pkeyutl -verify -pubin -inkey key -in hash -sigfile sig -pkeyopt digest:{DIGESTS[len(digest)]}"
    done = subprocess.run(command.split(), cwd=folder, capture_output=True, text=True, check=False)
    if "Successfully" in done.stdout:
        return True
    return False if "Failure" in done.stdout or "Could not" in done.stderr + done.stdout else None


def edges(rng):
    """Of valid signatures: a name, the hash's number, r, s and the point."""
    k = rng.randrange(1, N)
    point = mul(k, G)
    r, e, s = point[0] % N, rng.getrandbits(256), rng.randrange(1, N)
    numbers = {"0": 0, "1": 1, "2": 2, "n-1": N - 1, "n": N, "n+1": N + 1, "n-2": N - 2, "max": 2**256 - 1, "2^255": 2**255}
    for name, value in numbers.items():
        yield f"e={name}", value, r, s, point
    for name in ("1", "2", "n-1", "n-2", "2^255"):
        yield f"s={name}", e, r, numbers[name], point
    for bit in (31, 63, 64, 65, 96, 127, 128, 160, 191, 192, 224, 254):
        yield f"s=2^{bit}", e, r, 2**bit, point
        yield f"s=n-2^{bit}", e, r, N - 2**bit, point
    for i in (1, 2, 3, 15, 16, 17, 31, 32, 33):
        multiple = mul(i, G)
        yield f"R={i}G", e, multiple[0] % N, s, multiple
        yield f"R=-{i}G", e, multiple[0] % N, s, (multiple[0], P - multiple[1])
    for name, start in (("small x", 1), ("x from n", N), ("x up to p", P - 40), ("x from 2^224", 2**224)):
        found = [p for p in (with_x(x) for x in range(start, min(start + 40, P))) if p and p[0] % N][:4]
        for p in found:
            yield name, e, p[0] % N, s, p
    # How the two products meet: equal, opposite but for a G or two, and one or both of them small.
    for name, u1 in (("1", 1), ("2", 2), ("n-1", N - 1), ("half", k * pow(2, -1, N) % N), ("k-1", k - 1), ("k+1", k + 1)):
        # R = u1 G + (k - u1) G, where the second is u2 Q
        yield f"u1={name}", u1 * s % N, r, s, point


def cases(rng):
    for name, e, r, s, point in edges(rng):
        key = key_for(point, e, r, s)
        if key is not None:
            yield name, encode(key), e.to_bytes(32, "big"), asn1(r, s)
    d = rng.randrange(1, N)
    key = mul(d, G)

    def sign(digest):
        nonce = rng.randrange(1, N)
        r = mul(nonce, G)[0] % N
        return r, pow(nonce, -1, N) * (int.from_bytes(digest[:32], "big") + r * d) % N

    for length in (0, 1, 8, 20, 28, 31, 32, 33, 48, 64):
        digest = rng.randbytes(length)
        yield f"hash of {length}", encode(key), digest, asn1(*sign(digest))
    digest = rng.randbytes(32)
    r, s = sign(digest)
    for small in (1, 2, 3, N - 1, N - 2):
        # Q = small * G: tables of the two points that overlap
        nonce = rng.randrange(1, N)
        r1 = mul(nonce, G)[0] % N
        s1 = pow(nonce, -1, N) * (int.from_bytes(digest, "big") + r1 * small) % N
        yield f"Q={small if small < 9 else small - N}G", encode(mul(small, G)), digest, asn1(r1, s1)
    # u1 G = u2 Q and u1 G = -u2 Q: e = +-r d
    nonce = 2 * rng.randrange(1, N) % N
    r1 = mul(nonce, G)[0] % N
    e1 = r1 * d % N
    yield "doubles", encode(key), e1.to_bytes(32, "big"), asn1(r1, pow(nonce, -1, N) * (e1 + r1 * d) % N)
    for name, s1 in (("1", 1), ("r", r1), ("any", s)):
        yield f"infinity, s={name}", encode(key), (N - e1).to_bytes(32, "big"), asn1(r1, s1)
    yield "infinity, r=1", encode(key), (N - d).to_bytes(32, "big"), asn1(1, s)

    # From here on all are refused.
    for name, v in (("0", 0), ("n", N), ("n+1", N + 1), ("p", P), ("2^256-1", 2**256 - 1), ("2^256", 2**256), ("long", 2**500)):
        yield f"r={name}", encode(key), digest, asn1(v, s)
        yield f"s={name}", encode(key), digest, asn1(r, v)
        yield f"r={name}, e=0", encode(key), bytes(32), asn1(v, s)
    yield "r+n", encode(key), digest, asn1(r + N, s)
    yield "s+n", encode(key), digest, asn1(r, s + N)
    yield "r=s=0", encode(key), digest, asn1(0, 0)
    yield "r of another", encode(key), digest, asn1(r + 1, s)
    yield "s of another", encode(key), digest, asn1(r, s + 1)
    yield "r and s swapped", encode(key), digest, asn1(s, r)
    yield "empty", encode(key), digest, b""
    for at in range(0, len(asn1(r, s)), 5):
        yield f"cut at {at}", encode(key), digest, asn1(r, s)[:at]
    yield "off the curve", encode((key[0], key[1] ^ 1)), digest, asn1(r, s)
    yield "zero point", encode((0, 0)), digest, asn1(r, s)
    yield "x is p", encode((P, with_x(0)[1])), digest, asn1(r, s)
    yield "y is p", encode((key[0], P)), digest, asn1(r, s)
    yield "coordinates 2^256-1", encode((2**256 - 1, 2**256 - 1)), digest, asn1(r, s)
    yield "x+p of a small x", encode((5 + P, with_x(5)[1])), digest, asn1(r, s)
    yield "compressed", bytes([2 + key[1] % 2]) + encode(key)[1:33], digest, asn1(r, s)
    yield "hybrid", bytes([6 + key[1] % 2]) + encode(key)[1:], digest, asn1(r, s)
    yield "point at infinity", b"\0", digest, asn1(r, s)
    yield "one byte more", encode(key) + b"\0", digest, asn1(r, s)
    yield "one byte less", encode(key)[:-1], digest, asn1(r, s)


def parse(sig):
    """r and s of what `asn1` has made; None of anything else."""
    if len(sig) < 8 or sig[0] != 0x30 or len(sig) != sig[1] + 2 or len(sig) < 4 + sig[3] + 2:
        return None
    return int.from_bytes(sig[4 : 4 + sig[3]], "big"), int.from_bytes(sig[6 + sig[3] :], "big")


def judge(key, digest, sig):
    if len(key) != 65 or key[0] != 4 or parse(sig) is None:
        return False
    point = int.from_bytes(key[1:33], "big"), int.from_bytes(key[33:], "big")
    return is_valid(point, int.from_bytes(digest[:32], "big"), *parse(sig))


def main():
    rng = random.Random(256)
    lines, asked = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for name, key, digest, sig in cases(rng):
            valid = judge(key, digest, sig)
            second = openssl_says(Path(folder), key, digest, sig)
            # It takes compressed points, which we need not, and hybrid ones, which RFC 5480 section 2.2 forbids.
            if second is not None and second != valid and name not in ("compressed", "hybrid"):
                sys.exit(f"openssl does not agree about {name}: {second}")
            asked += second is not None
            words = [key.hex(), digest.hex(), sig.hex()]
            lines.append(" ".join([str(int(valid)), name.replace(" ", "-"), *(w or "-" for w in words)]))
    (Path(__file__).parent / "p256-vectors.txt").write_text("\n".join(lines) + "\n")
    print(f"{len(lines)} vectors, {sum(line[0] == '1' for line in lines)} valid; openssl agrees about {asked}")


main()
