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
p521="ec -pkeyopt ec_paramgen_curve:P-521"
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

# Servers that are called by their address. Their authority is one of its own, so that all this can be made
# without the rest.
root ca-addr "/O=Test address root" $p256
cert addr ca-addr "/CN=ignored" "subjectAltName=DNS:api.test,IP:127.0.0.1,email:a@b.test,IP:::1,URI:spiffe://x,\
dirName:dir,IP:10.96.0.1,IP:2001:db8::1
[dir]
O=Test" $p256
chain addr addr
cp "$tmp/addr.key" addr.key
cert addr-rsa ca-addr "/CN=ignored" "subjectAltName=IP:127.0.0.1" $rsa2048
chain addr-rsa addr-rsa
cert addr-text ca-addr "/CN=ignored" "subjectAltName=DNS:127.0.0.1,DNS:*.0.0.1,DNS:[::1]" $p256
chain addr-text addr-text
cert addr-cn ca-addr "/CN=127.0.0.1" "basicConstraints=CA:FALSE" $p256
chain addr-cn addr-cn
cert addr-mapped ca-addr "/CN=ignored" "subjectAltName=IP:::ffff:127.0.0.1" $p256
chain addr-mapped addr-mapped
# An address of five bytes; a length of two bytes that would fit one.
cert addr-five ca-addr "/CN=ignored" "subjectAltName=DER:30:0d:87:04:7f:00:00:01:87:05:7f:00:00:01:01" $p256
chain addr-five addr-five
cert addr-long ca-addr "/CN=ignored" "subjectAltName=DER:30:81:06:87:04:7f:00:00:01" $p256
chain addr-long addr-long
# The address is in the authority's certificate only.
cert addr-inter ca-addr "/O=Test address intermediate" "$ca_ext
subjectAltName=IP:127.0.0.1" $p256
cert addr-above addr-inter "/CN=ignored" "subjectAltName=IP:127.0.0.9" $p256
chain addr-above addr-above addr-inter

# Clients: a key in each form, the certificates that go with them.
client() { # KIND ALGORITHM...
	kind=$1
	shift
	cert "client-$kind" ca-addr "/CN=client" "extendedKeyUsage=clientAuth" $*
	chain "client-$kind" "client-$kind"
	cp "$tmp/client-$kind.key" "client-$kind.key"
}
client p256 $p256
client p384 $p384
client p521 $p521
client rsa2048 $rsa2048
client rsa1024 $rsa1024
client ed25519 ED25519
openssl rsa -in client-rsa2048.key -traditional -out client-rsa2048.pkcs1.key 2>/dev/null
openssl ec -in client-p256.key -out client-p256.sec1.key 2>/dev/null
openssl ec -in client-p384.key -out client-p384.sec1.key 2>/dev/null
openssl pkcs8 -topk8 -in client-p256.key -passout pass:x -out client-p256.encrypted.key
openssl rsa -in client-rsa2048.key -traditional -aes128 -passout pass:x -out client-rsa2048.encrypted.key 2>/dev/null

# Bundles.
cat ca-ec.pem ca-rsa.pem ca-p384.pem >bundle.pem
root ca-ed25519 "/O=Test Ed25519 root" ED25519
