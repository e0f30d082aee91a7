"""What stands behind the proxy: an origin that does what it is told, nginx, and certificates for both."""

import contextlib
import functools
import os
import signal
import socket
import ssl
import subprocess
import threading
import time

from harness import Failed, folder, need, run, scope, start, true, until
from wire import OK, Wire


class Origin:
    """A server that does exactly what it is told.

    `script` is bytes, the answer to every request on every connection, or a function of a Wire, run once per
    connection in a thread of its own; when it returns, the connection is closed. `wires` are the connections
    so far, `requests` the messages that bytes-scripted ones received. `tls` is an ssl.SSLContext.
    """

    def __init__(self, script=OK, tls=None, address="127.0.0.1", port=0):
        self.script, self.tls = script, tls
        self.wires, self.requests, self.errors, self.server_names = [], [], [], []
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.create_server((address, port), backlog=512, family=family)
        self.port = self.listener.getsockname()[1]
        self.address = f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"
        scope.origins.append(self)
        if tls:
            tls.sni_callback = lambda _sock, name, _context: self.server_names.append(name)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            wire = Wire(sock)
            self.wires.append(wire)
            threading.Thread(target=self.play, args=(wire,), daemon=True).start()

    def play(self, wire):
        try:
            if self.tls:
                wire.sock = self.tls.wrap_socket(wire.sock, server_side=True)
            if callable(self.script):
                self.script(wire)
            else:
                self.answer_all(wire)
        except EOFError:
            pass
        except (OSError, ValueError) as e:
            wire.error = e
        except Exception as e:
            self.errors.append(e)
        finally:
            wire.close()

    def answer_all(self, wire):
        while True:
            message = wire.message()
            self.requests.append(message)
            wire.send(self.script)

    def complain(self):
        for error in self.errors:
            raise Failed(f"the origin saw: {error}")

    def received(self):
        return b"".join(bytes(wire.received) for wire in self.wires)

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for wire in self.wires:
            wire.close()


def responding(*answers):
    """A script: reads a request, sends the next answer, and so on; then waits for the end."""

    def script(wire):
        for answer in answers:
            wire.message()
            wire.send(answer)
        wire.to_end()

    return script


class Nginx:
    """nginx, in front of nothing: `servers` are the insides of server blocks with LISTEN for the address.

    The sockets are bound here and handed over as nginx does at a binary upgrade, so the ports are ours before
    it starts and it is ready at once.
    """

    def __init__(self, *servers):
        need("nginx")
        self.dir = folder()
        sockets = [socket.create_server(("127.0.0.1", 0), backlog=512) for _ in servers]
        self.ports = [s.getsockname()[1] for s in sockets]
        self.address = f"127.0.0.1:{self.ports[0]}"
        self.log = self.dir / "access.log"
        listens = [f"127.0.0.1:{port}" for port in self.ports]
        blocks = [f"server {{ {text.replace('LISTEN', at)} }}" for text, at in zip(servers, listens)]
        paths = "".join(f"{p}_temp_path {self.dir}/{p};" for p in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.dir / "nginx.conf").write_text(
            f"daemon off; worker_processes 1; pid {self.dir}/pid; error_log {self.dir}/error.log;"
            "events { worker_connections 1024; } http {"
            + paths
            + 'log_format seen "$request_method $http_host $request_uri'
            ' sni=$ssl_server_name tls=$ssl_protocol via=$http_via"; server_tokens off; '
            f"access_log {self.log} seen; client_max_body_size 0; " + "\n".join(blocks) + "}"
        )
        fds = [s.fileno() for s in sockets]
        env = {**os.environ, "NGINX": "".join(f"{fd};" for fd in fds)}
        command = ["nginx", "-e", self.dir / "error.log", "-c", self.dir / "nginx.conf"]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = start(*command, last_signal=signal.SIGTERM, env=env, pass_fds=fds, **quiet)
        for s in sockets:
            s.close()
        scope.origins.append(self)

    def seen(self, count):
        """The first `count` lines of its access log, waiting for them."""
        until(lambda: self.log.exists() and self.log.read_text().count("\n") >= count, f"{count} lines in nginx's log")
        return self.log.read_text().splitlines()

    def close(self):
        self.process.terminate()
        self.process.wait()

    def complain(self):
        pass


class Lab:
    """A certificate authority in a folder: `ca` its PEM file, `issue` makes server certificates."""

    def __init__(self, name="Test CA", where=None):
        need("openssl")
        self.dir, self.count = where or folder(), 0
        self.ca, self.key = self.dir / "ca.pem", self.dir / "ca.key"
        self.key.write_text(private_key.__wrapped__("P-256"))  # a key of its own
        openssl("req", "-x509", "-new", "-key", self.key, "-out", self.ca, "-subj", f"/CN={name}", "-days", "30")
        (self.dir / "index").touch()
        (self.dir / "ca.conf").write_text(
            f"[ca]\ndefault_ca=x\n[x]\ndatabase={self.dir}/index\nnew_certs_dir={self.dir}\nrand_serial=yes\n"
            "policy=p\nunique_subject=no\n[p]\nCN=supplied\n"
        )

    def issue(self, names, key="P-256", start=-86400, days=10, digest="sha256", self_signed=False):
        """(certificate, key) files for "DNS:a,DNS:b", or for no name; `start` in seconds from now."""
        self.count += 1
        stem = self.dir / str(self.count)
        cert, keyfile, csr, ext = (stem.with_suffix(s) for s in (".pem", ".key", ".csr", ".ext"))
        ext.write_text("basicConstraints=CA:FALSE\n" + (f"subjectAltName={names}\n" if names else ""))
        keyfile.write_text(private_key(key))
        openssl("req", "-new", "-key", keyfile, "-out", csr, "-subj", "/CN=secure.test")
        begin, end = (
            time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + s)) for s in (start, start + days * 86400)
        )
        signer = ["-selfsign", "-keyfile", keyfile] if self_signed else ["-cert", self.ca, "-keyfile", self.key]
        dates = ["-startdate", begin, "-enddate", end]
        openssl(
            "ca", "-batch", "-notext", "-config", self.dir / "ca.conf", *signer, *dates, "-md", digest, "-extfile", ext,
            "-in", csr, "-out", cert,
        )  # fmt: skip
        return cert, keyfile

    def context(self, names="DNS:secure.test", **options):
        """An ssl.SSLContext for an Origin that is as lax as OpenSSL allows."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.load_cert_chain(*self.issue(names, **options))
        context.set_alpn_protocols(["http/1.1"])
        return context


@functools.cache
def private_key(kind):
    """PEM text of a key, made once per program: "P-256", "P-384", "rsa:2048" ..."""
    name, _, bits = kind.partition(":")
    if name == "rsa":
        return openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}")
    return openssl("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{kind}")


def openssl(*argv):
    done = run("openssl", *argv)
    true(done.returncode == 0, f"openssl {argv[0]}: {done.stderr}")
    return done.stdout
