"""The proxies that are compared, each with the same routes by Host:

    origin                                  -> http://origin.test; so do n0, n1 and so on, as many as asked for
    secure:443, ec:443, rsa:443, resumed:443 -> https://secure.test and so on: see origins.py

and the floor under them, relay.c, which takes bytes to the plain origin whatever they are. The ports are fixed:
all of this runs in a network namespace of its own.
"""

import subprocess
from pathlib import Path

from origins import CIPHERS, HTTP_ORIGIN, NGINX_COMMON, TLS_ORIGINS, write_nginx

TOP = Path(__file__).resolve().parent.parent.parent
EGRESSBOX = TOP / "build/egressbox"
FLOOR = "relay"

SERVICE = """\
---
apiVersion: v1
kind: Service
metadata: {name: %s}
spec: {type: ExternalName, externalName: %s.test, ports: [{name: %s, port: %d}]}
"""

# splice-auto never splices here; the default buffer is the fastest. A map is what it has for many routes.
HAPROXY = """\
global
    nbthread 1
    maxconn 9500
    maxpipes 100
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
    http-request deny deny_status 404 unless { req.hdr(host),map_str(%(dir)s/routes-%(port)d.map) -m found }
    use_backend %%[req.hdr(host),map_str(%(dir)s/routes-%(port)d.map)]
backend origin
    http-request set-header Host origin.test
    server one 127.0.0.1:%(http)d
"""
HAPROXY_TLS = """\
backend {name}
    http-request set-header Host {name}.test
    server one 127.0.0.1:{port} ssl verify required ca-file %(dir)s/ca.pem sni str({name}.test) \
verifyhost {name}.test ssl-max-ver TLSv1.2 ciphers {ciphers}
"""

NGINX = """\
    proxy_http_version 1.1;
    proxy_max_temp_file_size 0;
    proxy_request_buffering off;
    client_max_body_size 0;
    server_names_hash_max_size 65536;
    proxy_ssl_verify on;
    proxy_ssl_verify_depth 3;
    proxy_ssl_trusted_certificate %(dir)s/ca.pem;
    proxy_ssl_server_name on;
    proxy_ssl_protocols TLSv1.2;
    server { listen 127.0.0.1:%(port)d default_server; return 404; }
"""
NGINX_UPSTREAM = """\
    upstream {name} {{ server 127.0.0.1:{port}; keepalive 256; keepalive_requests 1000000000; }}
"""
NGINX_SERVER = """\
    server {{
        listen 127.0.0.1:%(port)d;
        server_name {host};
        location / {{
            proxy_pass {scheme}://{name}; proxy_set_header Connection ""; proxy_set_header Host {name}.test;
            proxy_ssl_name {name}.test; proxy_ssl_ciphers {ciphers};
        }}
    }}
"""


def route_names(count):
    return [f"n{number}" for number in range(count)]


def egressbox(folder, program, port, routes):
    services = folder / f"services-{port}.yaml"
    names = ["origin", *route_names(routes)]
    text = [SERVICE % (name, "origin", "http", 80) for name in names]
    services.write_text("".join(text + [SERVICE % (name, name, "https", 443) for name in TLS_ORIGINS]))
    command = [program, "egress-proxy", "-f", services, "--listen", f"127.0.0.1:{port}", "--admin", "off"]
    command += ["--workers", "1", "--access-log", "off", "--log-level", "error", "--ca-file", folder / "ca.pem"]
    pins = {"origin": HTTP_ORIGIN, **{name: at for name, (at, *_) in TLS_ORIGINS.items()}}
    return command + [word for name, at in pins.items() for word in ("--resolve", f"{name}.test=127.0.0.1:{at}")]


def haproxy(folder, port, routes):
    hosts = {name: "origin" for name in ["origin", *route_names(routes)]}
    hosts |= {f"{name}:443": name for name in TLS_ORIGINS}
    (folder / f"routes-{port}.map").write_text("".join(f"{host} {to}\n" for host, to in hosts.items()))
    tls = [HAPROXY_TLS.format(name=name, port=at, ciphers=CIPHERS) for name, (at, *_) in TLS_ORIGINS.items()]
    path = folder / f"haproxy-{port}.cfg"
    path.write_text("".join([HAPROXY, *tls]) % {"dir": folder, "port": port, "http": HTTP_ORIGIN})
    return ["haproxy", "-db", "-f", path]


def nginx(folder, port, routes):
    upstreams = {"origin": HTTP_ORIGIN, **{name: at for name, (at, *_) in TLS_ORIGINS.items()}}
    text = [NGINX_COMMON, NGINX, *(NGINX_UPSTREAM.format(name=name, port=at) for name, at in upstreams.items())]
    for host in ["origin", *route_names(routes), *TLS_ORIGINS]:
        scheme, name = ("https", host) if host in TLS_ORIGINS else ("http", "origin")
        text.append(NGINX_SERVER.format(host=host, scheme=scheme, name=name, ciphers=CIPHERS))
    return write_nginx(folder, f"nginx-{port}.conf", "".join(text) + "}\n", port)


def proxies(folder, program, first_port=9001, routes=0):
    """{name: (port, command)}, ours first; their configurations are written to the folder."""
    return {
        "egressbox": (first_port, egressbox(folder, program, first_port, routes)),
        "haproxy": (first_port + 1, haproxy(folder, first_port + 1, routes)),
        "nginx": (first_port + 2, nginx(folder, first_port + 2, routes)),
    }


def floor(folder, port=9000):
    return port, [folder / "relay", str(port), str(HTTP_ORIGIN)]


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
