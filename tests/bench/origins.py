"""The origins of the measurements: origin.c for plain HTTP, one nginx for TLS; and the certificates."""

import subprocess
from pathlib import Path

HTTP_ORIGIN = 8001
# The cost of a handshake: a new connection for each request, its session kept by nobody, or by its id.
FRESH = "keepalive_timeout 0; ssl_session_tickets off;"
# {name: (port, key, what nginx is told besides)}
TLS_ORIGINS = {
    "secure": (8002, "ec", ""),
    "ec": (8003, "ec", FRESH),
    "rsa": (8004, "rsa", FRESH),
    "resumed": (8005, "ec", FRESH + " ssl_session_cache shared:S:8m;"),
}
CIPHERS = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
KEYS = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}

# Also the beginning of the proxy that nginx is in peers.py.
NGINX_COMMON = """\
daemon off;
user root;
worker_processes 1;
worker_rlimit_nofile 19000;
pid %(dir)s/nginx-%(port)d.pid;
error_log %(dir)s/nginx-%(port)d.log error;
events { worker_connections 19000; }
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

TLS_SERVER = """\
    server {
        listen 127.0.0.1:%d ssl;
        ssl_certificate %s.pem;
        ssl_certificate_key %s.key;
        %s
        location / { root %s; }
        location /0 { return 200 ""; }
    }
"""


def write_nginx(folder, name, text, port):
    """The command that runs nginx with this configuration."""
    path = folder / name
    path.write_text(text % {"dir": folder, "port": port})
    return ["nginx", "-e", folder / f"nginx-{port}.log", "-c", path]


def origins(folder):
    """[(port, command)]"""
    servers = "".join(
        TLS_SERVER % (port, folder / name, folder / name, more, folder) for name, (port, _, more) in TLS_ORIGINS.items()
    )
    text = f"{NGINX_COMMON}    ssl_ciphers {CIPHERS};\n{servers}}}\n"
    first = TLS_ORIGINS["secure"][0]
    return [
        (HTTP_ORIGIN, [folder / "origin", str(HTTP_ORIGIN)]),
        (first, write_nginx(folder, "origins.conf", text, first)),
    ]


def quietly(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench: {command[0]}: {done.stderr.strip()}")


def certify(folder, name, key, issuer, extensions):
    """NAME.key, and NAME.crt signed by ISSUER (by itself when that is None)."""
    pem, request, signed = (folder / f"{name}.{suffix}" for suffix in ("key", "csr", "crt"))
    quietly("openssl", "req", "-newkey", *KEYS[key], "-nodes", "-subj", f"/CN={name}", "-keyout", pem, "-out", request)
    (folder / "extensions").write_text(extensions)
    by = ["-signkey", pem] if issuer is None else ["-CA", folder / f"{issuer}.crt", "-CAkey", folder / f"{issuer}.key"]
    serial = [] if issuer is None else ["-CAcreateserial"]
    extended = ["-extfile", folder / "extensions", "-days", "2"]
    quietly("openssl", "x509", "-req", *by, *serial, *extended, "-in", request, "-out", signed)


def make_certificates(folder):
    """Chains of three, root, intermediate and NAME.test, for each name; the roots are ca.pem."""
    authority = "basicConstraints=critical,CA:TRUE\n"
    for key in KEYS:
        certify(folder, f"{key}-root", key, None, authority)
        certify(folder, f"{key}-intermediate", key, f"{key}-root", authority)
    for name, (_, key, _) in TLS_ORIGINS.items():
        certify(folder, name, key, f"{key}-intermediate", f"subjectAltName=DNS:{name}.test\n")
        chain = [folder / f"{name}.crt", folder / f"{key}-intermediate.crt"]
        (folder / f"{name}.pem").write_text("".join(part.read_text() for part in chain))
    (folder / "ca.pem").write_text("".join((folder / f"{key}-root.crt").read_text() for key in KEYS))


def prepare(folder):
    """Builds the C programs, makes the certificates, and the file that is served over TLS."""
    for name in ("origin", "relay", "clients", "first200"):
        source = Path(__file__).resolve().parent / f"{name}.c"
        quietly("cc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-o", folder / name, source)
    make_certificates(folder)
    (folder / "1048576").write_bytes(bytes(1048576))
