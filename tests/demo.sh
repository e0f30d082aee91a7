#!/usr/bin/env bash
# demo.sh: the page from its beginning to its end, in network namespaces (tests/e2e/demo.py). Where these are not
# allowed, which is where nobody is root, the gateway's part of it: the page's two calls, carried out on loopback.
#
# There, two nginx play httpbin.org and www.google.com (with a certificate of a CA made on the spot), egress-proxy
# gets the page's two Services byte for byte, curl calls them by their names. No DNS, no port below 1024, no
# root: --resolve pins the two external names, and curl's --connect-to stands in for the redirection of a pod.
# Exit status 0 only if every answer is what it should be.
#
#	EGRESSBOX=build/egressbox tests/demo.sh

set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin # where nginx is

egressbox=${EGRESSBOX:-build/egressbox}
services=tests/e2e/data/page-services.yaml
dir=$(mktemp -d "${TMPDIR:-/tmp}/egressbox-demo-XXXXXX")
chmod 755 "$dir"
failures=0

cleanup() {
	# Only what this script started; nginx's master ends its worker.
	for pid in "${gateway_pid:-}" "${nginx_pid:-}"; do
		[ -z "$pid" ] || { kill "$pid" && wait "$pid"; } 2>/dev/null || true
	done
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

bold=
plain=
if [ -t 1 ]; then
	bold=$(tput bold 2>/dev/null || true)
	plain=$(tput sgr0 2>/dev/null || true)
fi

title() {
	printf '\n%s# %s%s\n' "$bold" "$1" "$plain"
}

# wrong WHAT: says so and goes on, so that the log is printed as well.
wrong() {
	printf '*** not as expected: %s\n' "$1"
	failures=$((failures + 1))
}

need() {
	for program; do
		command -v "$program" >/dev/null || {
			echo "demo: $program is not installed (Debian: apt-get install curl nginx openssl)" >&2
			exit 1
		}
	done
}

# A CA, and a certificate of it for www.google.com.
make_certificates() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj '/CN=Demo CA' -keyout "$dir/ca.key" -out "$dir/ca.pem"
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-subj '/CN=www.google.com' -keyout "$dir/server.key" -out "$dir/server.csr"
	openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -days 2 \
		-extfile <(echo subjectAltName=DNS:www.google.com) -out "$dir/server.pem"
}

# nginx_conf HTTP_PORT HTTPS_PORT
nginx_conf() {
	cat <<-EOF
		daemon off;
		worker_processes 1;
		pid $dir/nginx.pid;
		error_log $dir/nginx.log;
		events { }
		http {
			client_body_temp_path $dir/body;
			proxy_temp_path $dir/proxy;
			fastcgi_temp_path $dir/fastcgi;
			uwsgi_temp_path $dir/uwsgi;
			scgi_temp_path $dir/scgi;
			access_log off;
			server {
				listen 127.0.0.1:$1;
				default_type application/json;
				location = /headers {
					return 200 '{
		  "headers": {
		    "Accept": "\$http_accept",
		    "Host": "\$http_host",
		    "User-Agent": "\$http_user_agent",
		    "Via": "\$http_via"
		  }
		}
		';
				}
			}
			server {
				listen 127.0.0.1:$2 ssl;
				ssl_certificate $dir/server.pem;
				ssl_certificate_key $dir/server.key;
				default_type text/html;
				location = / {
					return 200 '<title>Host \$http_host, server name \$ssl_server_name, \$ssl_protocol \$ssl_cipher</title>
		';
				}
			}
		}
	EOF
}

# nginx can't be given port 0: tries random ones until both are free. Sets http_port and https_port.
start_origins() {
	local attempt
	for attempt in 1 2 3 4 5 6 7 8 9 10; do
		http_port=$((20000 + RANDOM % 10000))
		https_port=$((http_port + 1))
		nginx_conf "$http_port" "$https_port" >"$dir/nginx.conf"
		nginx -e "$dir/nginx.log" -c "$dir/nginx.conf" 2>/dev/null &
		nginx_pid=$!
		while kill -0 "$nginx_pid" 2>/dev/null; do
			[ -s "$dir/nginx.pid" ] && return
			sleep 0.02
		done
	done
	echo "demo: nginx does not start ($attempt attempts):" >&2
	cat "$dir/nginx.log" >&2
	exit 1
}

# Sets gateway_port, read from the descriptor on which the gateway says that it serves.
start_gateway() {
	mkfifo "$dir/ready"
	"$egressbox" egress-proxy -f "$services" --listen 127.0.0.1:0 --admin off \
		--ca-file "$dir/ca.pem" --ready-fd 3 --resolve "httpbin.org=127.0.0.1:$http_port" \
		--resolve "www.google.com=127.0.0.1:$https_port" >"$dir/access.log" 2>"$dir/stderr" 3>"$dir/ready" &
	gateway_pid=$!
	read -r _ gateway_address <"$dir/ready" || {
		echo "demo: the gateway does not start:" >&2
		cat "$dir/stderr" >&2
		exit 1
	}
	gateway_port=${gateway_address##*:}
}

# call URL EXPECTED...: curls it as on the page, prints the answer, and looks for each text in it.
call() {
	local url=$1 answer
	shift
	printf '\n%s$ curl %s%s\n' "$bold" "$url" "$plain"
	printf '  (here: curl --connect-to ::127.0.0.1:%s %s)\n' "$gateway_port" "$url"
	answer=$(curl -sS --max-time 10 --noproxy '*' --connect-to "::127.0.0.1:$gateway_port" "$url" 2>&1) || wrong "curl failed"
	printf '%s\n' "$answer"
	for expected; do
		case $answer in
		*"$expected"*) ;;
		*) wrong "no '$expected' in this answer" ;;
		esac
	done
}

stop_gateway() {
	local status=0
	kill -TERM "$gateway_pid"
	wait "$gateway_pid" || status=$?
	gateway_pid=
	[ "$status" = 0 ] || wrong "the gateway ended with status $status"
}

need curl nginx openssl
[ -x "$egressbox" ] || {
	echo "demo: no $egressbox: run ./build.sh first" >&2
	exit 1
}

if [ "$(id -u)" = 0 ] && python3 -c 'import yaml'; then
	status=0
	EGRESSBOX=$egressbox python3 tests/e2e/demo.py || status=$?
	[ "$status" = 3 ] || exit "$status"
fi
echo "Network namespaces are not allowed here (they need root): this is the gateway's part only, on loopback."

make_certificates >"$dir/openssl.log" 2>&1 || {
	cat "$dir/openssl.log" >&2
	exit 1
}
start_origins
start_gateway

title "the page's two Services ($services)"
cat "$services"

title "the routes they make"
"$egressbox" egress-proxy -f "$services" --check 2>&1 || wrong "--check failed"

title "the page's two calls"
call http://externalbin/headers '"Host": "httpbin.org"'
call http://securegoogle:443 'Host www.google.com' 'server name www.google.com' 'TLSv1.2'

title "what is not registered is not let out"
call http://nowhere/ 'nowhere'
call http://securegoogle/ 'securegoogle has port 443 only: use http://securegoogle:443'

stop_gateway
title "the access log"
cat "$dir/access.log"
[ "$(grep -c 'status=200 .*reason=ok' "$dir/access.log")" = 2 ] || wrong "not two good requests in the log"
[ "$(grep -c 'status=404 ' "$dir/access.log")" = 2 ] || wrong "not two refused requests in the log"

if [ "$failures" != 0 ]; then
	printf '\n%s thing(s) not as expected. The gateway said:\n' "$failures" >&2
	cat "$dir/stderr" >&2
	exit 1
fi
echo
echo "All as expected."
