"""The program under test, in front of origins."""

import contextlib
import json
import os
import re
import subprocess
from pathlib import Path

from harness import CERTAINLY, EGRESSBOX, HERE, Failed, folder, need, run, same, scope, start, true, until
from wire import Client

PAGE = HERE / "data/page-services.yaml"
NOWHERE = "127.0.0.1:1"
SANITIZER = re.compile(r"(Sanitizer|runtime error|assertion).*", re.IGNORECASE)
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


def service(name, external, port):
    """The manifest of a Service with one port; several make one manifest."""
    return (
        f"---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n"
        f"spec: {{type: ExternalName, externalName: {external}, ports: [{{name: http, port: {port}}}]}}\n"
    )


def is_instrumented():
    """Built with a sanitizer: its memory says nothing, and it may not be traced."""
    return b"__asan_init" in open(EGRESSBOX, "rb").read()


class Proxy:
    """egress-proxy with these Services and options; `resolve` pins names to addresses.

    `port` is its first listener's (`ports` those of all), `admin` the admin listener's. Without `manifest` or `listen`
    it gets no such option. `prefix` is a command that starts it, `enter` a function run in its process before, `stdout`
    a descriptor instead of the file. The origins are on loopback, which is `allowed`: what names lead to is judged.
    """

    def __init__(
        self, manifest=SERVICES, *options, resolve=None, env=None, workers=1, prefix=(), program=EGRESSBOX,
        enter=lambda: None, stdout=None, text_from="file", listen="127.0.0.1:0", allowed="127.0.0.0/8,::1",
    ):  # fmt: skip
        self.dir, self.ports, self.admin = folder(), [], None
        self.out, self.err = self.dir / "stdout", self.dir / "stderr"
        source, stdin = self.dir / "services.yaml", subprocess.DEVNULL
        ready, writer = os.pipe()
        command = [*prefix, program, "egress-proxy", "--admin", "127.0.0.1:0"]
        command += ["--ready-fd", writer, "--workers", workers, "--drain-delay", "0"]
        if manifest is not None:
            source.write_text(manifest)
            if text_from == "stdin":
                stdin, source = open(source), "-"
            command += ["-f", source]
        if listen is not None:
            command += ["--listen", listen]
        command += ["--allow-upstream", allowed] if allowed else []
        for name, addresses in (resolve or {}).items():
            command += ["--resolve", f"{name}={addresses}"]
        env = {**{k: v for k, v in os.environ.items() if k not in ("SSL_CERT_FILE", "POD_NAMESPACE")}, **(env or {})}
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            out = out if stdout is None else stdout
            self.process = start(
                *command, *options, stdin=stdin, stdout=out, stderr=err, pass_fds=[writer], env=env, enter=enter
            )  # fmt: skip
        os.close(writer)
        self.hear(ready)
        scope.proxies.append(self)

    def hear(self, ready):
        """Reads what the readiness pipe says; then counts descriptors, once the proxy has closed it."""
        pipe_name = os.readlink(f"/proc/self/fd/{ready}")
        with open(ready) as pipe:
            for line in pipe:
                kind, address = line.split()
                port = int(address.rpartition(":")[2])
                if kind != "admin":
                    self.ports.append(port)
                else:
                    self.admin = port
                    break  # the last line; a tracer may hold the pipe open
        if not self.ports:
            self.process.wait(CERTAINLY)
            raise Failed(f"did not start, status {self.process.returncode}: {self.stderr()}")
        self.port = self.ports[0]
        until(lambda: pipe_name not in self.links(), "the readiness pipe is closed")
        self.fds_at_start = self.fds()

    def links(self):
        """What its descriptors are."""
        links = []
        for fd in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                links.append(os.readlink(fd))
        return links

    def stderr(self):
        return self.err.read_text(errors="replace")

    def lines(self, count=0):
        """The access log, waiting until it has `count` lines."""

        def text():
            return self.out.read_text(errors="replace")

        until(lambda: text().count("\n") >= count, lambda: f"{count} lines of access log in {text()!r}")
        return text().split("\n")[:-1]

    def entries(self, count=0):
        """The access log's lines as dictionaries."""
        return [entry(line) for line in self.lines(count)]

    def get(self, target="/", *lines, host="origin"):
        return Client(self).ask(target, *lines, host=host)

    def ask_admin(self, target):
        return Client(self.admin).ask(target, "Connection: close", host="localhost")

    def metrics(self):
        """Name with labels -> value."""
        text = self.ask_admin("/metrics").body.decode()
        return {k: float(v) for k, v in (line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")}

    def fds(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory(self, key="Rss"):
        """A line of smaps_rollup, in bytes."""
        text = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return int(re.search(rf"^{key}: +(\d+) kB", text, re.MULTILINE).group(1)) * 1024

    def finish(self, passed):
        if passed and self.process.poll() is None:
            until(
                lambda: self.fds() <= self.fds_at_start,
                lambda: f"descriptors left open: {self.fds()}, at the start {self.fds_at_start}",
            )
            self.process.terminate()
            same(self.process.wait(CERTAINLY), 0, "exit status on SIGTERM")
        said = SANITIZER.search(self.stderr())
        true(not said, f"stderr says: {said and said.group()}")

    def kill(self):
        self.process.kill()
        self.process.wait()


def gateway(origin=None, *options, secure=None, **more):
    """A proxy with two Services: `origin` (origin.test, http, 80) and `secure` (secure.test, https, 443)."""
    pins = {"origin.test": origin, "secure.test": secure}
    return Proxy(SERVICES, *options, resolve={n: o.address if o else NOWHERE for n, o in pins.items()}, **more)


ENTRY = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) client=(?P<client>\S+) method=(?P<method>\S+)"
    r' host="(?P<host>(?:[^"\\]|\\.)*)" path="(?P<path>(?:[^"\\]|\\.)*)" status=(?P<status>\d+) route=(?P<route>\S+)'
    r" upstream=(?P<upstream>\S+) address=(?P<address>\S+) reused=(?P<reused>[01]) rx=(?P<rx>\d+) tx=(?P<tx>\d+)"
    r' ms=(?P<ms>\d+\.\d{3}) reason=(?P<reason>[a-z0-9_]+) source="(?P<source>(?:[^"\\]|\\.)*)"'
    r"( verdict=(?P<verdict>[a-z_]+) original=(?P<original>\S+))?"
)


def entry(line):
    """One line of the access log, text or JSON, as a dictionary of strings."""
    if line.startswith("{"):
        return {k: str(v) for k, v in json.loads(line).items()}
    match = ENTRY.fullmatch(line)
    true(match, f"access log line {line!r}")
    return {key: value for key, value in match.groupdict().items() if value is not None}


def curl(proxy, *argv):
    """The real curl, sent to the proxy for every name and port."""
    need("curl")
    return run("curl", "-sS", "--noproxy", "*", "--connect-to", f"::127.0.0.1:{proxy.port}", *argv)
