#!/bin/sh
# shellcheck disable=SC2086,SC2048 # algorithms are several words
# Makes the certificates in this directory, anew each time; what it made last is committed, since
# tests must give the same answers everywhere. Needs openssl 3. All are valid until 2050; the tests
# say at what time they look, so none of them ends when a certificate does.
#
# NAME.pem is a chain as a server sends it, its own certificate first; NAME.key is there where a
# test runs a server with it. ca-*.pem are roots. tests/fuzz/corpus/tlsconn was recorded with them.
set -eu
cd "$(dirname "$0")"
rm -f ./*.pem ./*.key
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
days=$((($(date -u -d 2050-01-01 +%s) - $(date +%s)) / 86400))

rsa1024="RSA -pkeyopt rsa_keygen_bits:1024"
rsa2048="RSA -pkeyopt rsa_keygen_bits:2048"
p256="ec -pkeyopt ec_paramgen_curve:P-256"
p384="ec -pkeyopt ec_paramgen_curve:P-384"
ca_ext="basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign"

key() { # NAME ALGORITHM...
	name=$1
	shift
	openssl genpkey -quiet -algorithm "$@" -out "$tmp/$name.key" 2>/dev/null ||
		openssl genpkey -algorithm "$@" -out "$tmp/$name.key" 2>/dev/null
}

root() { # NAME SUBJECT ALGORITHM...
	name=$1 subject=$2
	shift 2
	key "$name" $*
	openssl req -new -x509 -key "$tmp/$name.key" -subj "$subject" -days $days \
		-out "$tmp/$name.pem" -addext "keyUsage=critical,keyCertSign"
	cp "$tmp/$name.pem" "$name.pem"
}

# A certificate in $tmp, with a new key unless one is there. $hash is that of the signature.
hash=sha256
cert() { # NAME ISSUER SUBJECT EXTENSIONS ALGORITHM...
	name=$1 issuer=$2 subject=$3
	printf '%s\n' "$4" >"$tmp/ext"
	shift 4
	test -e "$tmp/$name.key" || key "$name" $*
	openssl req -new -key "$tmp/$name.key" -subj "$subject" -out "$tmp/csr"
	openssl x509 -req -in "$tmp/csr" -CA "$tmp/$issuer.pem" -CAkey "$tmp/$issuer.key" \
		-days $days -extfile "$tmp/ext" -$hash -out "$tmp/$name.pem" 2>/dev/null
}

chain() { # NAME CERTIFICATE...
	name=$1
	shift
	for c in "$@"; do cat "$tmp/$c.pem"; done >"$name.pem"
}

root ca-ec "/O=Test EC root" $p256
root ca-rsa "/O=Test RSA root" $rsa2048
root ca-p384 "/O=Test P-384 root" $p384
root ca-other "/O=Test other root" $p256
cert inter ca-ec "/O=Test intermediate" "$ca_ext" $p256

# What should be accepted.
cert good inter "/CN=ignored" "subjectAltName=DNS:example.test,DNS:www.example.test" $p256
chain good good inter
chain inter inter
cp "$tmp/good.key" good.key
cert rsa ca-rsa "/CN=ignored" "subjectAltName=DNS:example.test" $rsa2048
chain rsa rsa
cp "$tmp/rsa.key" rsa.key
hash=sha384
cert p384 ca-p384 "/CN=ignored" "subjectAltName=DNS:example.test" $p384
chain p384 p384
hash=sha512
cert sha512 ca-rsa "/CN=ignored" "subjectAltName=DNS:example.test" $p256
chain sha512 sha512
hash=sha256
cert wildcard ca-ec "/CN=ignored" "subjectAltName=DNS:*.wild.test" $p256
chain wildcard wildcard
openssl req -new -x509 -key "$tmp/good.key" -subj "/CN=self" -days $days -out self-signed.pem \
	-addext "subjectAltName=DNS:example.test" -addext "basicConstraints=critical,CA:FALSE"

# What should not.
chain missing-intermediate good
chain wrong-order inter good
cert cn-only ca-ec "/CN=example.test" "basicConstraints=CA:FALSE" $p256
chain cn-only cn-only
cert ip-only ca-ec "/CN=example.test" "subjectAltName=IP:127.0.0.1" $p256
chain ip-only ip-only
hash=sha1
cert sha1 ca-rsa "/CN=ignored" "subjectAltName=DNS:example.test" $rsa2048
chain sha1 sha1
hash=md5
cert md5 ca-rsa "/CN=ignored" "subjectAltName=DNS:example.test" $rsa2048
chain md5 md5
hash=sha256
cert rsa1024 ca-rsa "/CN=ignored" "subjectAltName=DNS:example.test" $rsa1024
chain rsa1024 rsa1024
cert not-a-ca ca-ec "/O=Test not a CA" "basicConstraints=CA:FALSE" $p256
cert by-not-a-ca not-a-ca "/CN=ignored" "subjectAltName=DNS:example.test" $p256
chain by-not-a-ca by-not-a-ca not-a-ca
chain not-a-ca not-a-ca
cert critical ca-ec "/CN=ignored" "subjectAltName=DNS:example.test
1.2.3.4=critical,ASN1:NULL" $p256
chain critical critical
cert usage ca-ec "/CN=ignored" "subjectAltName=DNS:example.test
keyUsage=critical,keyAgreement" $p256
chain usage usage
cp "$tmp/usage.key" usage.key
cert ed25519 ca-ec "/CN=ignored" "subjectAltName=DNS:example.test" ED25519
chain ed25519 ed25519
# The name of one intermediate, the key of another.
cert impostor ca-ec "/O=Test intermediate" "$ca_ext" $p256
chain impostor good impostor

# Bundles.
cat ca-ec.pem ca-rsa.pem ca-p384.pem >bundle.pem
root ca-ed25519 "/O=Test Ed25519 root" ED25519
