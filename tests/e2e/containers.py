"""Containers as a manifest has them, run as the kubelet and a container's runtime would.

Command, arguments, environment, user, capabilities, a read-only root directory that holds the image, and what is
mounted there. An image is the program alone, and the authorities that it trusts if any, with SSL_CERT_FILE in its
environment.
"""

import contextlib
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess

from harness import CERTAINLY, EGRESSBOX, LIBC, Failed, folder, run, same, start, true, until
from pod import enter, inside

CLONE_NEWNS, MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 1, 32, 4096, 16384, 1 << 18
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
CAPABILITIES = {"NET_ADMIN": 12}


def checked(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def bind(source, target, flags=0):
    checked(LIBC.mount(os.fsencode(source), os.fsencode(target), None, MS_BIND, None), f"mount {source}")
    if flags:
        checked(LIBC.mount(b"none", os.fsencode(target), None, MS_BIND | MS_REMOUNT | flags, None), "mount read-only")


def own_mounts():
    checked(LIBC.unshare(CLONE_NEWNS), "unshare")
    checked(LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount private")


def become(uid, gid, capabilities=()):
    """This user with these capabilities, which it never gets more of."""
    kept = {CAPABILITIES[name] for name in capabilities}
    for capability in set(range(64)) - kept:
        LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def shared_libraries(program):
    """What a build that is not static needs beside it: those with sanitizers."""
    found = run("ldd", program).stdout
    return re.findall(r"(/\S+) \(0x", found) if "=>" in found else []


# Containers.


class Container:
    """One of a pod: `spec` is its part of the manifest, `place` the pod's network namespace, its address and the
    node's namespace, from which it is probed; `mounts` is mountPath -> directory, `options` are the test's own.
    """

    def __init__(self, place, spec, resolv_conf, pod_spec=None, ca=None, mounts=None, options=()):
        self.namespace, self.address, self.node = place
        self.spec, self.resolv_conf, self.mounts, self.options = spec, resolv_conf, mounts or {}, [*options]
        self.security = {**(pod_spec or {}).get("securityContext", {}), **spec["securityContext"]}
        self.root, self.dir = folder(), folder()
        self.out, self.err = self.dir / "stdout", self.dir / "stderr"
        self.process = None
        self.env = {e["name"]: self.value(e) for e in spec.get("env", [])}
        self.env.update({k: v for k, v in os.environ.items() if k in ("ASAN_OPTIONS", "UBSAN_OPTIONS")})
        self.build_root(ca)

    @staticmethod
    def value(entry):
        if "value" in entry:
            return entry["value"]
        same(entry["valueFrom"], {"fieldRef": {"fieldPath": "metadata.namespace"}}, "where a value is from")
        return "default"

    def build_root(self, ca):
        program = self.root / "egressbox"
        shutil.copy(EGRESSBOX, program)
        program.chmod(0o755)
        for library in shared_libraries(EGRESSBOX):
            target = self.root / library.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, target)
            (self.root / "proc").mkdir(exist_ok=True)
        if ca:
            shutil.copy(ca, self.root / "ca.pem")
            (self.root / "ca.pem").chmod(0o644)
            self.env["SSL_CERT_FILE"] = "/ca.pem"
        # The kubelet's own.
        (self.root / "etc").mkdir(exist_ok=True)
        shutil.copy(self.resolv_conf, self.root / "etc/resolv.conf")
        (self.root / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
        for path in self.mounts:
            (self.root / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
        for directory, _, files in os.walk(self.root):
            os.chmod(directory, 0o755)
            for file in files if "proc" not in directory else []:
                os.chmod(os.path.join(directory, file), 0o755)

    def enter(self):
        """In the child: what a container's runtime does with a container's securityContext."""
        security = self.security
        enter(self.namespace)
        own_mounts()
        bind(self.root, self.root)
        os.chdir(self.root)  # above the mount point is another directory
        if (self.root / "proc").exists():
            checked(LIBC.mount(b"proc", bytes(self.root / "proc"), b"proc", 0, None), "mount proc")
        for path, source in self.mounts.items():
            bind(source, self.root / path.lstrip("/"), MS_RDONLY)
        if security["readOnlyRootFilesystem"]:
            checked(LIBC.mount(b"none", bytes(self.root), None, MS_BIND | MS_REMOUNT | MS_RDONLY, None), "read-only")
        os.chroot(self.root)
        os.chdir("/")
        same(security["capabilities"]["drop"], ["ALL"], "capabilities to drop")
        become(security["runAsUser"], security["runAsGroup"], security["capabilities"].get("add", ()))
        if not security["allowPrivilegeEscalation"]:
            LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)

    def command(self):
        return [*self.spec["command"], *self.spec.get("args", []), *self.options]

    def run_to_end(self, command=None):
        return run(*(command or self.command()), preexec_fn=self.enter, env=self.env)

    def start(self):
        with open(self.out, "ab") as out, open(self.err, "ab") as err:
            quiet = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": err}
            self.process = start(*self.command(), enter=self.enter, env=self.env, **quiet)
        self.probe("startupProbe")
        self.fds_at_start = self.fds()
        return self

    def probe(self, name):
        """As the kubelet does it, from the node."""
        get, ports = self.spec[name]["httpGet"], {p["name"]: p["containerPort"] for p in self.spec.get("ports", [])}
        self.admin = ports.get(get["port"], get["port"])

        def answers():
            if self.process.poll() is not None:
                raise Failed(f"{self.command()} ended with status {self.process.returncode}: {self.stderr()}")
            with contextlib.suppress(OSError):
                return self.ask_admin(get["path"]).startswith(b"HTTP/1.1 200 ")
            return False

        until(answers, lambda: f"{name} of {self.spec['name']}: {self.stderr()}")

    def ask_admin(self, path):
        with inside(self.node), socket.create_connection((self.address, self.admin), 2) as s:
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            return b"".join(iter(lambda: s.recv(65536), b""))

    def metrics(self):
        """Name with labels -> value."""
        lines = self.ask_admin("/metrics").partition(b"\r\n\r\n")[2].decode().splitlines()
        return {k: float(v) for k, v in (line.rsplit(" ", 1) for line in lines if line and line[0] != "#")}

    def stop(self, last_signal=signal.SIGTERM):
        self.process.send_signal(last_signal)
        return self.process.wait(CERTAINLY)

    def stderr(self):
        return self.err.read_text(errors="replace")

    def log(self):
        return self.out.read_text(errors="replace")

    def logged(self, pattern):
        """The lines of the access log with it, once there is one."""
        return lines_with(pattern, self.log)

    def told(self, pattern):
        """The same of standard error."""
        return lines_with(pattern, self.stderr)

    def fds(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory(self):
        """Resident, in bytes."""
        text = open(f"/proc/{self.process.pid}/smaps_rollup").read()
        return int(re.search(r"^Rss: +(\d+) kB", text, re.MULTILINE).group(1)) * 1024

    def settle(self):
        """Waits until nothing is open that was not at the start; connections to upstreams are kept for 4 s."""
        until(lambda: self.fds() <= self.fds_at_start, lambda: f"open: {self.fds()}, at first {self.fds_at_start}")

    def finish(self):
        """A good end. The second signal spares the wait for those who send it requests; there are none any more."""
        self.process.terminate()
        until(lambda: self.process.poll() is not None or b" 503 " in self.ask_admin("/readyz")[:20], "SIGTERM is heard")
        same(self.stop(), 0, "exit status on SIGTERM")
        true("Sanitizer" not in self.stderr(), self.stderr())


def lines_with(pattern, text):
    find = lambda: [line for line in text().splitlines() if re.search(pattern, line)]
    return until(find, lambda: f"a line with {pattern!r} in {text()}")


class ConfigMap:
    """A directory that changes as the kubelet changes it: a new one beside it, and one link that is moved over."""

    def __init__(self):
        self.dir, self.count = folder(), 0

    def write(self, files):
        self.count += 1
        new = self.dir / f"..{self.count}"
        new.mkdir()
        for name, text in files.items():
            (new / name).write_text(text)
            link = self.dir / name
            if not link.is_symlink():
                link.symlink_to(f"..data/{name}")
        (self.dir / "..data_tmp").symlink_to(new.name)
        (self.dir / "..data_tmp").rename(self.dir / "..data")
        for link in [p for p in self.dir.iterdir() if p.name[:2] != ".." and p.name not in files]:
            link.unlink()
        shutil.rmtree(self.dir / f"..{self.count - 1}", ignore_errors=True)
