"""A laboratory for TLS: authorities of any kind, openssl's server, and a relay that sees the records."""

import contextlib
import socket
import struct
import subprocess
import threading
import time

from harness import folder, has, need, same, scope, start, true
from origins import openssl, private_key
from proxy import gateway

CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
APPLICATION_DATA = 23
HOST = "secure:443"
TLS12 = "-tls1_2"


class Authority:
    """A key and a certificate in PEM; `chain` is what a server of its sends behind its own certificate."""

    def __init__(self, lab, cert, key, chain):
        self.lab, self.cert, self.key, self.chain = lab, cert, key, chain

    def issue(self, extensions, name="secure.test", key="P-256", start=-86400, days=10, digest="sha256"):
        """(certificate, key) files, for `name` as the common name and with these lines of extensions."""
        lab = self.lab
        lab.count += 1
        stem = lab.dir / f"lab{lab.count}"
        cert, keyfile, csr, ext = (stem.with_suffix(s) for s in (".pem", ".key", ".csr", ".ext"))
        ext.write_text(extensions or "basicConstraints=CA:FALSE\n")
        keyfile.write_text(private_key.__wrapped__(key) if "CA:TRUE" in extensions else private_key(key))
        openssl("req", "-new", "-key", keyfile, "-out", csr, "-subj", f"/CN={name}")
        begin, end = (
            time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + s)) for s in (start, start + days * 86400)
        )
        openssl(
            "ca", "-batch", "-notext", "-config", lab.dir / "ca.conf", "-cert", self.cert, "-keyfile", self.key,
            "-startdate", begin, "-enddate", end, "-md", digest, "-extfile", ext, "-in", csr, "-out", cert,
        )  # fmt: skip
        return cert, keyfile

    def authority(self, extensions=CA, name="Inner CA", **options):
        """One that this one has issued."""
        cert, key = self.issue(extensions, name=name, **options)
        return Authority(self.lab, cert, key, [cert, *self.chain])

    def server(self, extensions="subjectAltName=DNS:secure.test\n", **options):
        """(chain file, key file) of a server."""
        cert, key = self.issue(extensions, **options)
        return bundle(self.lab, cert, *self.chain), key


def bundle(lab, *certs):
    """One file with these certificates, in this order."""
    lab.count += 1
    file = lab.dir / f"bundle{lab.count}.pem"
    file.write_text("".join(cert.read_text() for cert in certs))
    return file


def root(lab):
    """The lab's own authority, which it does not send."""
    return Authority(lab, lab.ca, lab.key, [])


class Server:
    """openssl s_server with a chain and a key, answering GET / with a page of its own."""

    def __init__(self, chain, key, *options, mode="-www"):
        need("openssl")
        modes = [mode] if mode else []
        command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", chain, "-key", key]
        command += ["-cipher", "DEFAULT:@SECLEVEL=0", *modes, *options]
        mark = "-----BEGIN CERTIFICATE-----"
        rest = chain.read_text().split(mark)[2:]
        if rest:
            file = folder() / "rest.pem"
            file.write_text("".join(mark + text for text in rest))
            command += ["-cert_chain", file]
        pipe = subprocess.PIPE
        self.process = start(*command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        said = b""
        while not (said.startswith(b"ACCEPT ") and said.endswith(b"\n")):
            said = self.process.stdout.readline()
            true(said, f"openssl s_server does not start with {options}")
        self.address = said.decode().split()[1]
        self.port = int(self.address.rpartition(":")[2])


class Tap:
    """A relay before a server of TLS, which looks at the records that pass.

    `client` has the types of records from the client, `client_bytes` all of its bytes. `stop` is asked with the
    list of types from the server, its next one included, before that is passed on: a string ends it there, as
    "stall" (says nothing more), "close" or "reset"; "half" passes on half of the record and then stalls.
    """

    def __init__(self, server, stop=lambda types: None):
        self.server, self.stop, self.client, self.server_types, self.client_bytes = server, stop, [], [], bytearray()
        self.connections, self.sockets = 0, []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        scope.origins.append(self)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                host, _, port = self.server.address.rpartition(":")
                server = socket.create_connection((host, int(port)))
                for sock in (client, server):
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections += 1
                self.sockets += [client, server]
                for ways in ((client, server, self.from_client), (server, client, self.from_server)):
                    threading.Thread(target=self.relay, args=ways, daemon=True).start()

    def relay(self, source, sink, pass_on):
        waiting = bytearray()
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                waiting += data
                while len(waiting) >= 5 and len(waiting) >= 5 + (waiting[3] << 8 | waiting[4]):
                    size = 5 + (waiting[3] << 8 | waiting[4])
                    record = bytes(waiting[:size])
                    del waiting[:size]
                    if not pass_on(record, source, sink):
                        return
            sink.sendall(waiting)
            sink.shutdown(socket.SHUT_WR)

    def from_client(self, record, _source, sink):
        self.client.append(record[0])
        self.client_bytes += record
        sink.sendall(record)
        return True

    def from_server(self, record, source, sink):
        self.server_types.append(record[0])
        how = self.stop(self.server_types)
        if how is None:
            sink.sendall(record)
            return True
        if how == "half":
            sink.sendall(record[: len(record) // 2])
        if how == "close":
            sink.shutdown(socket.SHUT_RDWR)
        if how == "reset":
            sink.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sink.shutdown(socket.SHUT_RD)  # ends the other thread's wait, which would keep it open
            sink.close()
        if how in ("close", "reset"):
            source.shutdown(socket.SHUT_RDWR)  # openssl serves one after the other
        return False

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        for sock in [self.listener, *self.sockets]:
            with contextlib.suppress(OSError):
                sock.close()

    def complain(self):
        pass


def after(count, how):
    """A `stop`: `count` records of the server pass, and then this happens."""
    return lambda types: how if len(types) > count else None


# What comes of a request to secure.test.


def ask(lab, tap, *options):
    proxy = gateway(None, "--ca-file", lab.ca, *options, secure=tap)
    return proxy, proxy.get("/", host=HOST)


def accepted(lab, files, *options):
    tap = Tap(Server(*files, *options))
    _, answer = ask(lab, tap)
    same(answer.status, 200, f"status ({answer.reason})")
    has(answer.body, b"<HTML>", "the page of openssl")
    true(APPLICATION_DATA in tap.client, "no record with data was sent")


def check_refusal(proxy, tap, answer, status, reason):
    """The verdict, in the answer, the log and the metrics; and that no byte of the request has left."""
    same((answer.status, answer.reason), (status, reason), "status and reason")
    same(proxy.entries(1)[0]["reason"], reason, "reason logged")
    same(proxy.entries(1)[0]["status"], str(status), "status logged")
    true(APPLICATION_DATA not in tap.client, "a record with data was sent")
    if status == 502:
        same(proxy.metrics()[f'egressbox_tls_failures_total{{error="{reason}"}}'], 1, "failures counted")


def refused(lab, files, reason, *options):
    tap = Tap(Server(*files, *options))
    proxy, answer = ask(lab, tap)
    check_refusal(proxy, tap, answer, 502, reason)
    return proxy
