#!/usr/bin/env bash
# Builds egressbox and everything around it. `./build.sh help` is the manual.
set -euo pipefail

usage() {
	cat <<'END'
usage: ./build.sh [COMMAND] [OPTION]...

commands:
  build    build/egressbox: one static file (default)
  demo     build, then the page from its beginning to its end, with curl, in network namespaces; for others
           than root the gateway's part of it
  test     everything that is tested and checked; ends with "N passed, N failed, N skipped"
  check    only what looks at the sources: format, warnings, analyzers, the rules of the house
  bench    measurements beside other programs
  deps     only install what the build needs and fetch the sources of the libraries
  help     this text

options:
  --no-embedded-ca  leave the CA bundle out of the program
  --quick           test: without a real Kubernetes API server, which takes minutes to build once
  --sources DIR     take the libraries' source tarballs from DIR (also: EGRESSBOX_SOURCES)

Missing packages are installed through apt-get as root; otherwise the line to run is printed.
The libraries' sources are fetched as Debian source packages, checked by apt's signatures, else from
the projects' own sites; in each case their SHA-256 must be one that is written here.

environment:
  CC, CFLAGS, LDFLAGS  compiler of the program (musl-gcc), a cross compiler too; BUILD_CC is the native one
  BEARSSL_SRC=DIR      an unpacked tree of BearSSL to use instead
  KUBE_APISERVER=FILE  the program for the tests, instead of one built into ~/.cache/egressbox
  CA_BUNDLE=FILE       PEM certificates to embed, instead of the machine's Mozilla ones
  V=1                  show the commands

exit status: 0 done, 1 failed, 2 usage or something is missing
END
}

say() { printf 'build.sh: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

# ---- Packages --------------------------------------------------------------------------------------

# PACKAGE:PROBE, where the probe is a command, or a path (with * in it) that the package brings. Looking
# for the thing instead of the package takes no time and leaves other ways to install it alone.
build_packages='make:make gcc:gcc libc6-dev:/usr/include/stdio.h xz-utils:xz
	ca-certificates:/usr/share/ca-certificates/mozilla'
demo_packages='nginx-light:nginx curl:curl openssl:openssl'
world_packages='python3:python3 python3-yaml:/usr/lib/python3/dist-packages/yaml dnsmasq-base:dnsmasq
	iproute2:ip nftables:nft'
redirect_packages='nftables:nft iptables:iptables-legacy iproute2:ip util-linux:setpriv'
test_packages="$demo_packages musl-tools:musl-gcc python3:python3 clang:clang
	libclang-rt-dev:/usr/lib/llvm-*/lib/clang/*/lib/linux clang-format:clang-format
	clang-tidy:clang-tidy cppcheck:cppcheck shellcheck:shellcheck dnsmasq-base:dnsmasq strace:strace
	python3-yaml:/usr/lib/python3/dist-packages/yaml $redirect_packages iprange:iprange"
kube_packages='etcd-server:etcd'
bench_packages="$demo_packages python3:python3 haproxy:haproxy wrk:wrk $redirect_packages iprange:iprange"

# missing PACKAGE:PROBE... prints the packages whose probe fails.
missing() {
	local pair probe
	for pair; do
		probe=${pair#*:}
		case $probe in
		/*) compgen -G "$probe" >/dev/null ;;
		*) PATH=$PATH:/usr/sbin:/sbin command -v "$probe" >/dev/null ;;
		esac || printf '%s\n' "${pair%%:*}"
	done
}

# Debian starts a daemon when it installs one, and nobody asked for an nginx on port 80: for the time of
# the installation a policy says no, unless the machine has a policy of its own.
install_packages() {
	local policy=/usr/sbin/policy-rc.d own=
	if [ ! -e $policy ]; then
		own=$policy
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod 755 $policy
	fi
	say "installing $*"
	if apt-get install -y -qq --no-install-recommends "$@" >build/apt.log 2>&1 ||
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; } >build/apt.log 2>&1; then
		rm -f "${own:-build/apt.log}" build/apt.log
	else
		rm -f "${own:-}"
		cat build/apt.log >&2
		die "apt-get could not install: $*"
	fi
}

# need PACKAGE:PROBE... makes sure of all of them, or ends with what to do.
need() {
	local -a packages
	mapfile -t packages < <(missing "$@" | awk '!seen[$0]++')
	[ ${#packages[@]} -gt 0 ] || return 0
	mkdir -p build
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		DEBIAN_FRONTEND=noninteractive install_packages "${packages[@]}"
		return
	fi
	say "these packages are missing; as root, run:"
	printf 'apt-get install -y --no-install-recommends %s\n' "${packages[*]}" >&2
	exit 2
}

need_for_build() {
	local musl=
	case ${CC:-musl-gcc} in musl-gcc*) musl="musl-tools:musl-gcc" ;; esac
	# shellcheck disable=SC2086 # lists of words
	need $build_packages $musl "$@"
}

# ---- Sources of the libraries ----------------------------------------------------------------------

# NAME VERSION SHA-256 of each tarball that is accepted: Debian's, then the project's own.
pinned='
bearssl 0.6 102a625bd8f6155260867a50c508df8d8c3f796985dd744df1a68e5cd1a79004
bearssl 0.6 6705bba1714961b41a728dfc5debbe348d2966c117649392f8c8139efc83ff14
libyaml 0.2.5 fa240dbf262be053f3898006d502d514936c818e422afdcf33921c63bed9bf2e
libyaml 0.2.5 c642ae9b75fee120b2d96c712538bd2cf283228d2337df2cf2988e3c02678ef4
kubernetes 1.20.2 b83c0780efb182d928dc63d46488a847f161f04e40a94b96bf5247dd671ecdfc
'

# pinned_in DIR NAME prints the first tarball in DIR that is pinned for NAME.
pinned_in() {
	local tarball sum
	for tarball in "$1"/*.tar.*; do
		[ -f "$tarball" ] || continue
		sum=$(sha256sum <"$tarball")
		if grep -q "^$2 [^ ]* ${sum%% *}\$" <<<"$pinned"; then
			printf '%s\n' "$tarball"
			return
		fi
	done
	return 1
}

# The system's own Debian archives as a deb-src list in deb822 style. Other people's archives are left
# out: another suite, another keyring, no main. An option that switches the checks off is not taken over.
source_list() {
	local codename
	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && printf %s "${VERSION_CODENAME:-stable}")
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | one_line_to_deb822 | debian_main "$codename"
	for file in /etc/apt/sources.list.d/*.sources; do
		[ ! -f "$file" ] || { grep -v '^#' "$file"; echo; }
	done | debian_main "$codename"
}

# deb [signed-by=KEYRING …] URI SUITE COMPONENT… to a stanza.
one_line_to_deb822() {
	awk '$1 == "deb" || $1 == "deb-src" {
		sub(/#.*/, "")
		options = ""
		if (match($0, /\[[^]]*\]/)) {
			options = substr($0, RSTART + 1, RLENGTH - 2)
			$0 = substr($0, 1, RSTART - 1) " " substr($0, RSTART + RLENGTH)
		}
		key = match(options, /signed-by=[^ ]*/) ? substr(options, RSTART + 10, RLENGTH - 10) : ""
		printf "Types: %s\nURIs: %s\nSuites: %s\nComponents:", $1, $2, $3
		for (i = 4; i <= NF; i++)
			printf " %s", $i
		printf "\n%s\n", key == "" ? "" : "Signed-By: " key "\n"
	}'
}

# Stanzas that are of Debian's main archive for CODENAME, each as deb-src.
debian_main() {
	awk -v codename="$1" 'BEGIN { RS = ""; FS = "\n" }
	{
		split("", field)
		for (i = 1; i <= NF; i++) {
			if (match($i, /^[A-Za-z-]+:/)) {
				name = tolower(substr($i, 1, RLENGTH - 1))
				field[name] = substr($i, RLENGTH + 1)
			} else {
				field[name] = field[name] "\n" $i
			}
		}
		suites = ""
		n = split(field["suites"], word, /[ \n]+/)
		for (i = 1; i <= n; i++)
			if (word[i] ~ "^(" codename "|stable)(-updates|-security)?/?$")
				suites = suites " " word[i]
		key = field["signed-by"]
		if (suites == "" || field["enabled"] ~ /no/ || " " field["components"] " " !~ /[ \n]main[ \n]/ ||
		    (key ~ /^ *\// && key !~ /debian-archive/) || seen[field["uris"], suites]++)
			next
		printf "Types: deb-src\nURIs:%s\nSuites:%s\nComponents: main\n", field["uris"], suites
		printf "%s\n", key == "" ? "" : "Signed-By:" key "\n"
	}'
}

# fetch_given NAME DIR from the directory of tarballs that the user has.
fetch_given() {
	local tarball
	[ -n "${EGRESSBOX_SOURCES:-}" ] || return 1
	if ! tarball=$(pinned_in "$EGRESSBOX_SOURCES" "$1"); then
		say "no tarball of $1 in $EGRESSBOX_SOURCES has a pinned SHA-256"
		return 1
	fi
	cp "$tarball" "$2"
}

# fetch_apt NAME DIR through Debian's source package, with a list, an index and a cache of our own, so
# that it works without root and whether or not the system has deb-src lines. apt checks the signatures.
fetch_apt() {
	local name=$1 dir=$2 apt=$PWD/build/apt
	command -v apt-get >/dev/null || return 1
	mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial"
	source_list >"$apt/parts/debian.sources"
	[ -s "$apt/parts/debian.sources" ] || return 1
	# Without the sandbox user, who may not be able to enter the directory the checkout is in.
	local -a get=(apt-get -qq -o "Dir::Etc::SourceList=/dev/null" -o "Dir::Etc::SourceParts=$apt/parts"
		-o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o "APT::Sandbox::User=root")
	say "fetching the source package $name"
	[ -e "$apt/updated" ] || { "${get[@]}" update && touch "$apt/updated"; } >"$apt/log" 2>&1 || true
	(cd "$dir" && "${get[@]}" source --download-only "$name") >>"$apt/log" 2>&1 && return
	grep '^[EW]:' "$apt/log" >&2
	return 1
}

# fetch_site NAME DIR from the project's own site; the pinned sum is all that speaks for it.
fetch_site() {
	local url
	case $1 in
	bearssl) url=https://bearssl.org/bearssl-0.6.tar.gz ;;
	libyaml) url=https://pyyaml.org/download/libyaml/yaml-0.2.5.tar.gz ;;
	esac
	say "fetching $url"
	if command -v wget >/dev/null; then
		wget -q -O "$2/${url##*/}" "$url"
	else
		need curl:curl
		curl -fsSL -o "$2/${url##*/}" "$url"
	fi
}

# sources NAME VERSION makes build/src/NAME-VERSION, from the first place that has a pinned tarball.
sources() {
	local name=$1 tree=build/src/$1-$2 new=build/src/$1.new from tarball=
	[ ! -d "$tree" ] || return 0
	rm -rf "$new"
	mkdir -p "$new/tree"
	for from in given apt site; do
		"fetch_$from" "$name" "$new" || continue
		tarball=$(pinned_in "$new" "$name") && break
		say "$name: what came ($from) is none of the pinned tarballs"
	done
	[ -n "$tarball" ] || die "no source of $name $2: give a directory that has its tarball with --sources DIR"
	tar -xf "$tarball" -C "$new/tree" --strip-components=1
	mv "$new/tree" "$tree"
	rm -rf "$new"
}

all_sources() {
	[ -n "${BEARSSL_SRC:-}" ] || sources bearssl 0.6
	[ -n "${YAML_SRC:-}" ] || sources libyaml 0.2.5
	rm -rf build/apt
}

# kube-apiserver for the tests: built from Debian's sources of it, the newest that Debian has, once and
# outside the checkout. Without it the tests that need it are skipped, and say so.
kube_apiserver() {
	local cache=${XDG_CACHE_HOME:-${HOME:-build}/.cache}/egressbox new=build/src/kubernetes.new from tarball=
	[ ! -x "${KUBE_APISERVER:-$cache/kube-apiserver}" ] || return 0
	need golang-go:go
	say "building kube-apiserver into $cache, once: some seven minutes; --quick does without"
	mkdir -p "$new"
	for from in given apt; do
		"fetch_$from" kubernetes "$new" || continue
		tarball=$(pinned_in "$new" kubernetes) && break
	done
	if [ -z "$tarball" ] || ! tests/build-kube-apiserver "$tarball" "$cache"; then
		say "there is no kube-apiserver: the tests that need it are skipped"
	fi
	rm -rf "$new"
}

# ---- Commands --------------------------------------------------------------------------------------

run_make() { make --no-print-directory -j"$(nproc)" "$@"; }

command_build() {
	need_for_build
	all_sources
	run_make
}

command_deps() {
	need_for_build
	all_sources
}

command_demo() {
	local world=
	[ "$(id -u)" != 0 ] || world=$world_packages
	# shellcheck disable=SC2086 # lists of words, as below
	need_for_build $demo_packages $world
	all_sources
	run_make
	exec tests/demo.sh
}

command_test() {
	local kube=$kube_packages

	[ -z "${EGRESSBOX_QUICK:-}" ] || kube=
	# shellcheck disable=SC2086
	need_for_build $test_packages $kube
	all_sources
	if [ -z "$kube" ]; then
		say "--quick: the tests with a real Kubernetes API server are left out"
	else
		kube_apiserver
		rm -rf build/apt
	fi
	run_make test-programs
	# Not through make, which would have the last word.
	exec tests/run
}

command_check() {
	# shellcheck disable=SC2086
	need_for_build $test_packages
	all_sources
	run_make
	exec tests/run meta/
}

command_bench() {
	# shellcheck disable=SC2086
	need_for_build $bench_packages $kube_packages
	all_sources
	run_make
	tests/bench/run
	echo
	tests/bench/sidecar
	echo
	tests/bench/inject
	echo
	tests/bench/redirect
	echo
	tests/bench/cidr
	echo
	kube_apiserver
	exec tests/bench/kube
}

# absolute NAME makes the path in that variable one that is good from anywhere.
absolute() { [ -z "${!1:-}" ] || export "$1=$(realpath "${!1}")"; }

main() {
	local command=build path
	while [ $# -gt 0 ]; do
		case $1 in
		build | demo | test | check | bench | deps) command=$1 ;;
		help | --help | -h) usage; exit 0 ;;
		--no-embedded-ca) export EMBED_CA=0 ;;
		--quick) export EGRESSBOX_QUICK=1 ;;
		--sources)
			[ -d "${2:-}" ] || { say "--sources needs a directory"; exit 2; }
			EGRESSBOX_SOURCES=$2
			shift
			;;
		*) say "unknown: $1; ./build.sh help tells"; exit 2 ;;
		esac
		shift
	done
	for path in EGRESSBOX_SOURCES BEARSSL_SRC YAML_SRC CA_BUNDLE; do
		absolute $path
	done
	cd "$(dirname "${BASH_SOURCE[0]}")"
	"command_$command"
}

main "$@"
