"""The proxies that are compared, each with the same two routes by Host, and the origins behind them.

    origin      -> http://origin.test, answered by origin.c
    secure:443  -> https://secure.test, answered by nginx, TLS 1.2, ECDHE-ECDSA-AES128-GCM-SHA256

The ports are fixed: all of this runs in a network namespace of its own.
"""

import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
EGRESSBOX = TOP / "build/egressbox"
HTTP_ORIGIN, HTTPS_ORIGIN = 8001, 8002
CIPHER = "ECDHE-ECDSA-AES128-GCM-SHA256"

SERVICES = """\
apiVersion: v1
kind: Service
metadata: {name: origin}
spec: {type: ExternalName, externalName: origin.test, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: secure}
spec: {type: ExternalName, externalName: secure.test, ports: [{name: https, port: 443}]}
"""

# splice-auto never splices here; the default buffer is the fastest.
HAPROXY = f"""\
global
    nbthread 1
    maxconn 4000
    ssl-server-verify required
defaults
    mode http
    timeout client 60s
    timeout server 60s
    timeout connect 5s
    http-reuse always
    option splice-request
    option splice-response
frontend in
    bind 127.0.0.1:%(port)d
    use_backend origin if {{ req.hdr(host) -m str origin }}
    use_backend secure if {{ req.hdr(host) -m str secure:443 }}
backend origin
    http-request set-header Host origin.test
    server one 127.0.0.1:{HTTP_ORIGIN}
backend secure
    http-request set-header Host secure.test
    server one 127.0.0.1:{HTTPS_ORIGIN} ssl verify required ca-file %(dir)s/ca.pem sni str(secure.test) \
verifyhost secure.test ssl-max-ver TLSv1.2 ciphers {CIPHER}
"""

NGINX_COMMON = """\
daemon off;
user root;
worker_processes 1;
pid %(dir)s/nginx-%(port)d.pid;
error_log %(dir)s/nginx-%(port)d.log error;
events { worker_connections 4096; }
http {
    access_log off;
    keepalive_timeout 600;
    keepalive_requests 1000000000;
    ssl_protocols TLSv1.2;
    client_body_temp_path %(dir)s/body;
    proxy_temp_path %(dir)s/proxy;
    fastcgi_temp_path %(dir)s/fastcgi;
    uwsgi_temp_path %(dir)s/uwsgi;
    scgi_temp_path %(dir)s/scgi;
"""

NGINX = f"""\
{NGINX_COMMON}
    upstream origin {{ server 127.0.0.1:{HTTP_ORIGIN}; keepalive 256; keepalive_requests 1000000000; }}
    upstream secure {{ server 127.0.0.1:{HTTPS_ORIGIN}; keepalive 256; keepalive_requests 1000000000; }}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_max_temp_file_size 0;
    proxy_ssl_verify on;
    proxy_ssl_trusted_certificate %(dir)s/ca.pem;
    proxy_ssl_server_name on;
    proxy_ssl_name secure.test;
    proxy_ssl_protocols TLSv1.2;
    proxy_ssl_ciphers {CIPHER};
    server {{ listen 127.0.0.1:%(port)d default_server; return 404; }}
    server {{
        listen 127.0.0.1:%(port)d;
        server_name origin;
        location / {{ proxy_pass http://origin; proxy_set_header Connection ""; proxy_set_header Host origin.test; }}
    }}
    server {{
        listen 127.0.0.1:%(port)d;
        server_name secure;
        location / {{ proxy_pass https://secure; proxy_set_header Connection ""; proxy_set_header Host secure.test; }}
    }}
}}
"""

NGINX_ORIGIN = f"""\
{NGINX_COMMON}
    ssl_ciphers {CIPHER};
    ssl_certificate %(dir)s/secure.pem;
    ssl_certificate_key %(dir)s/secure.key;
    server {{ listen 127.0.0.1:%(port)d ssl; location / {{ return 200 ""; }} }}
}}
"""


def write(folder, name, template, port):
    path = folder / name
    path.write_text(template % {"dir": folder, "port": port})
    return path


def nginx(folder, name, template, port):
    return ["nginx", "-e", folder / f"nginx-{port}.log", "-c", write(folder, name, template, port)]


def proxies(folder, program):
    """{name: (port, command)}, ours first; their configurations are written to the folder."""
    services = folder / "services.yaml"
    services.write_text(SERVICES)
    ours = [program, "egress-proxy", "-f", services, "--listen", "127.0.0.1:9001", "--admin", "off", "--workers", "1"]
    ours += ["--access-log", "off", "--log-level", "error", "--ca-file", folder / "ca.pem"]
    ours += ["--resolve", f"origin.test=127.0.0.1:{HTTP_ORIGIN}", "--resolve", f"secure.test=127.0.0.1:{HTTPS_ORIGIN}"]
    return {
        "egressbox": (9001, ours),
        "haproxy": (9002, ["haproxy", "-db", "-f", write(folder, "haproxy.cfg", HAPROXY, 9002)]),
        "nginx": (9003, nginx(folder, "nginx.conf", NGINX, 9003)),
    }


def origins(folder):
    """[(port, command)]"""
    return [
        (HTTP_ORIGIN, [folder / "origin", str(HTTP_ORIGIN)]),
        (HTTPS_ORIGIN, nginx(folder, "origin.conf", NGINX_ORIGIN, HTTPS_ORIGIN)),
    ]


def prepare(folder):
    """Builds the two C programs; makes ca.pem and secure.pem with its key."""
    for name in ("origin", "first200"):
        source = Path(__file__).resolve().parent / f"{name}.c"
        quietly("cc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-o", folder / name, source)
    new = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    quietly(*new, "-x509", "-days", "2", "-subj", "/CN=Bench CA", "-keyout", folder / "ca.key", "-out", folder / "ca.pem")
    quietly(*new, "-subj", "/CN=secure.test", "-keyout", folder / "secure.key", "-out", folder / "secure.csr")
    (folder / "names").write_text("subjectAltName=DNS:secure.test\n")
    sign = ["openssl", "x509", "-req", "-days", "2", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-CAcreateserial"]
    quietly(*sign, "-in", folder / "secure.csr", "-extfile", folder / "names", "-out", folder / "secure.pem")


def quietly(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench: {command[0]}: {done.stderr.strip()}")


def versions(program):
    """{name: version}, as each tells it."""

    def ask(*command):
        done = subprocess.run(command, capture_output=True, text=True)
        return (done.stdout + done.stderr).splitlines()[0]

    return {
        "egressbox": ask(program, "--version").split()[1],
        "haproxy": ask("haproxy", "-v").split()[2],
        "nginx": ask("nginx", "-v").rpartition("/")[2],
        "wrk": ask("wrk", "-v").split()[1].rpartition("/")[2],
    }
