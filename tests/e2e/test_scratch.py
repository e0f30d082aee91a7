"""With nothing around it: an empty root directory, no right, no file but those it was given."""

import ctypes
import os
import re
import shutil
import subprocess

from harness import EGRESSBOX, LIBC, folder, lacks, main, need, run, same, skip, test, true, until
from origins import Lab, Origin
from proxy import PAGE, Proxy, curl, gateway, is_instrumented

CLONE_NEWNS, MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 1, 32, 4096, 16384, 1 << 18
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
NOBODY = 65534


def checked(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def enter(root, read_only):
    """In the child: this directory becomes /, for good, for a user without any right."""
    path = str(root).encode()
    if read_only:
        checked(LIBC.unshare(CLONE_NEWNS), "unshare")
        checked(LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount private")
        checked(LIBC.mount(path, path, None, MS_BIND, None), "mount bind")
        checked(LIBC.mount(b"none", path, None, MS_BIND | MS_REMOUNT | MS_RDONLY, None), "mount read-only")
    os.chroot(path)
    os.chdir("/")
    for capability in range(64):
        LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def scratch(*options, extra=(), read_only=True, **more):
    """The gateway with the page's Services in a root directory that has the binary and `extra` files."""
    if os.geteuid() != 0:
        skip("needs root for chroot")
    if b"ld-linux" in open(EGRESSBOX, "rb").read(4096):
        skip("this build is not static")
    root = folder()
    for file in (EGRESSBOX, *extra):
        shutil.copy(file, root)
    program = "/" + os.path.basename(EGRESSBOX)
    try:
        return Proxy(
            PAGE.read_text(), *options, program=program, enter=lambda: enter(root, read_only), text_from="stdin", **more
        )
    except subprocess.SubprocessError:
        skip("no mount namespaces here")


def status_line(proxy, key):
    return re.search(rf"^{key}:\s*(.*)$", open(f"/proc/{proxy.process.pid}/status").read(), re.MULTILINE).group(1)


@test
def in_an_empty_read_only_root_without_rights_it_serves_both_calls():
    """Nothing but the binary and the CA file of the test."""
    need("curl")
    lab = Lab()
    plain, tls = Origin(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain"), Origin(
        tls=lab.context("DNS:www.google.com")
    )
    lab.ca.chmod(0o644)
    proxy = scratch(
        "--ca-file",
        "/ca.pem",
        extra=[lab.ca],
        resolve={"httpbin.org": plain.address, "www.google.com": tls.address},
        workers=2,
    )
    same(curl(proxy, "http://externalbin/headers").stdout, "plain")
    same(curl(proxy, "http://securegoogle:443").stdout, "ok")
    same(status_line(proxy, "CapEff"), "0" * 16, "effective capabilities")
    same(status_line(proxy, "CapBnd"), "0" * 16, "capabilities it could ever get")
    same(status_line(proxy, "Uid").split(), [str(NOBODY)] * 4, "user ids")
    same(status_line(proxy, "NoNewPrivs"), "1", "NoNewPrivs")
    same(proxy.ask_admin("/readyz").status, 200)


@test
def with_nothing_but_the_binary_it_verifies_by_the_embedded_bundle():
    lab = Lab()
    plain, tls = Origin(), Origin(tls=lab.context("DNS:www.google.com"))
    proxy = scratch(read_only=False, resolve={"httpbin.org": plain.address, "www.google.com": tls.address})
    same(proxy.get(host="externalbin").status, 200)
    answer = proxy.get(host="securegoogle:443")
    same((answer.status, answer.reason), (502, "unknown_issuer"))


@test
def it_writes_no_file_and_reads_only_what_it_was_given():
    """strace sees which paths it opens while it starts and serves."""
    need("strace")
    if is_instrumented():
        skip("a sanitizer opens files of its own and may not be traced")
    trace = folder() / "trace"
    if run("strace", "-o", trace, "true").returncode != 0:
        skip("strace may not trace here")
    calls = "trace=open,openat,creat,execve,unlink,unlinkat,mkdir,mkdirat"
    proxy = gateway(Origin(), prefix=("strace", "-D", "-f", "-e", calls, "-o", trace))
    proxy.get()
    proxy.process.terminate()
    same(proxy.process.wait(5), 0, "exit status")
    until(lambda: "exited with 0" in trace.read_text(), "the trace is complete")
    allowed = re.compile(r"services\.yaml|/etc/(resolv\.conf|hosts)|/sys/fs/cgroup|/proc/|/dev/u?random|/egressbox")
    for line in trace.read_text().splitlines():
        for path in re.findall(r'"([^"]*)"', line.partition("[")[0]):
            true(allowed.search(path), f"unexpected: {line}")
        for flag in ("O_WRONLY", "O_RDWR", "O_CREAT"):
            lacks(line, flag, "trace")


main()
