"""iptables-setup where it may not, cannot, or should not: what it says, and that nothing has changed."""

import ctypes
import os
import platform
import shutil
import struct

from harness import EGRESSBOX, LIBC, folder, has, lacks, main, need, run, same, skip, test, true
from pod import Pod, enter, need_backend

BASE = ("-p", "15001", "-u", "1337")
NET_ADMIN = ("setpriv", "--bounding-set=-all,+net_admin", "--inh-caps=-all", "--no-new-privs")
NO_NET_ADMIN = ("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin")
NOBODY = 65534
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000

# Denying system calls: seccomp(2). Numbers of x86_64 and aarch64.
ARCHES = {"x86_64": (0xC000003E, 41, 55), "aarch64": (0xC00000B7, 198, 209)}
AF_NETLINK, IPT_SO_GET_INFO = 16, 64
EPERM, EAFNOSUPPORT, ENOPROTOOPT = 1, 97, 92


class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def deny(*denials):
    """In the child: each (system call, its argument's place, value, errno) fails from now on."""
    arch, socket_number, getsockopt_number = ARCHES[platform.machine()]
    numbers = {"socket": socket_number, "getsockopt": getsockopt_number}
    load, equals, give = 0x20, 0x15, 0x06
    code = [(load, 0, 0, 4), (equals, 1, 0, arch), (give, 0, 0, 0x7FFF0000)]
    for call, place, value, error in denials:
        code += [(load, 0, 0, 0), (equals, 0, 3, numbers[call]), (load, 0, 0, 16 + 8 * place)]
        code += [(equals, 0, 1, value), (give, 0, 0, 0x00050000 | error)]
    code.append((give, 0, 0, 0x7FFF0000))
    text = b"".join(struct.pack("HBBI", *line) for line in code)
    LIBC.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    if LIBC.prctl(22, 2, ctypes.byref(Program(len(code), text)), 0, 0) != 0:  # PR_SET_SECCOMP
        raise OSError(ctypes.get_errno(), "seccomp")


def without_netlink(error):
    return ("socket", 0, AF_NETLINK, error)


def without_legacy(error):
    return ("getsockopt", 2, IPT_SO_GET_INFO, error)


def denied(pod, denials, *words):
    if platform.machine() not in ARCHES:
        skip("system call numbers of this machine are not known here")

    def in_child():
        enter(pod.here)
        deny(*denials)

    done = run(EGRESSBOX, "iptables-setup", *words, preexec_fn=in_child)
    return done.returncode, done.stdout, done.stderr


def everything(pod):
    """All rules there are, of both backends."""
    texts = [pod.must("nft", "list", "ruleset")]
    for tool in ("iptables-legacy-save", "ip6tables-legacy-save"):
        lines = pod.must(tool).splitlines()
        texts += [line for line in lines if line.startswith(("-", ":EGRESSBOX"))]
    return texts


def as_user(pod, prefix, *words):
    need(prefix[0])
    done = pod.run(*prefix, EGRESSBOX, "iptables-setup", *words)
    if done.stderr.startswith(prefix[0]):
        skip(done.stderr.strip())
    return done.returncode, done.stdout, done.stderr


@test
def net_admin_alone_is_enough_for_both_backends():
    for backend in ("nft", "legacy"):
        pod = Pod()
        need_backend(pod, backend)
        status, out, err = as_user(pod, NET_ADMIN, *BASE, "--backend", backend)
        same((status, err), (0, ""), backend)
        has(out, f"backend={backend} families=ip,ip6")
        same(pod.connect("192.0.2.1", 80), "proxy 192.0.2.1:80")
        same(as_user(pod, NET_ADMIN, "--cleanup")[0], 0)


@test
def verify_with_net_admin_alone_says_what_it_could_not_try():
    pod = Pod(serve=False)
    need_backend(pod, "nft")
    status, out, err = as_user(pod, NET_ADMIN, *BASE, "--verify")
    same(status, 0, err)
    has(out, "verified=connections redirected=4 direct=2")
    has(err, "without CAP_SETUID nothing was tried as the proxy's user")
    both = ("setpriv", "--bounding-set=-all,+net_admin,+setuid,+setgid", "--inh-caps=-all", "--no-new-privs")
    status, out, err = as_user(pod, both, *BASE, "--verify")
    same((status, err), (0, ""))
    has(out, "redirected=4 direct=4")


@test
def another_user_than_root_may_with_an_ambient_capability():
    prefix = ("setpriv", "--reuid", NOBODY, "--clear-groups", "--bounding-set=-all,+net_admin", "--inh-caps=-all,+net_admin")
    for backend in ("nft", "legacy"):
        pod = Pod(serve=False)
        need_backend(pod, backend)
        status, _, err = as_user(
            pod, (*prefix, "--ambient-caps=-all,+net_admin", "--no-new-privs"), *BASE, "--backend", backend
        )
        same((status, err), (0, ""), backend)


@test
def another_user_than_root_may_with_a_file_capability():
    need("setcap", "setpriv")
    pod = Pod(serve=False)
    need_backend(pod, "nft")
    copy = folder() / "egressbox"
    shutil.copy(EGRESSBOX, copy)
    copy.chmod(0o755)
    if run("setcap", "cap_net_admin+ep", copy).returncode != 0:
        skip("no file capabilities here")
    prefix = ("setpriv", "--reuid", NOBODY, "--clear-groups", "--bounding-set=-all,+net_admin", "--inh-caps=-all")
    done = pod.run(*prefix, copy, "iptables-setup", *BASE)
    same((done.returncode, done.stderr), (0, ""))


@test
def without_net_admin_it_says_what_to_grant_and_nothing_changes():
    need("nft", "iptables-legacy-save")
    for backend, name in (("auto", "nf_tables"), ("nft", "nf_tables"), ("legacy", "ip6_tables")):
        pod = Pod(serve=False)
        need_backend(pod, "nft" if backend == "auto" else backend)
        before = everything(pod)
        for words in ((*BASE, "--backend", backend), (*BASE, "--backend", backend, "--verify")):
            status, out, err = as_user(pod, NO_NET_ADMIN, *words)
            same((status, out), (1, ""), backend)
            has(err, f"{name}: CAP_NET_ADMIN is needed here, in a container: securityContext.capabilities.add: [NET_ADMIN]")
        same(everything(pod), before)
        status, out, err = as_user(pod, NO_NET_ADMIN, "--cleanup")
        same((status, out), (1, ""))
        has(err, "CAP_NET_ADMIN")


def in_user_namespace(*argv):
    """Runs it as root of a user namespace with 65536 ids, as hostUsers: false gives, and a network of its own."""
    ready, go = os.pipe(), os.pipe()
    said = folder() / "said"
    child = os.fork()
    if child == 0:
        try:
            os.close(go[1])
            if LIBC.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
                os._exit(77)
            os.write(ready[1], b"r")
            os.read(go[0], 1)
            os.setgid(0)
            os.setuid(0)
            out = os.open(said, os.O_WRONLY | os.O_CREAT, 0o600)
            os.dup2(out, 1)
            os.dup2(out, 2)
            os.execv(argv[0], argv)
        finally:
            os._exit(78)
    os.close(ready[1])
    if os.read(ready[0], 1) == b"r":
        said.touch()
        os.chown(said, 100000, 100000)
        said.parent.chmod(0o777)
        for name in ("uid_map", "gid_map"):
            with open(f"/proc/{child}/{name}", "w", encoding="ascii") as f:
                f.write("0 100000 65536")
    for end in (ready[0], go[0], go[1]):
        os.close(end)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status in (77, 78):
        skip("no user namespaces here")
    return status, said.read_text()


@test
def in_a_user_namespace_both_work_where_the_user_is_mapped():
    for backend in ("nft", "legacy"):
        need_backend(Pod(serve=False), backend)
        status, said = in_user_namespace(EGRESSBOX, "iptables-setup", *BASE, "--backend", backend)
        same(status, 0, said)
        same(said, f"backend={backend} families=ip,ip6 rules=18 changed=yes\n")


@test
def legacy_tables_say_so_where_the_user_is_not_mapped():
    need("unshare")
    pod = Pod(serve=False)
    need_backend(pod, "legacy")
    done = pod.run("unshare", "--user", "--net", "-r", "--", EGRESSBOX, "iptables-setup", *BASE, "--backend", "legacy")
    if "unshare" in done.stderr:
        skip(done.stderr.strip())
    same((done.returncode, done.stdout), (1, ""))
    has(done.stderr, "the kernel refuses table nat (are all user and group ids known in this user namespace?): Invalid argument")


@test
def without_nf_tables_it_takes_legacy_tables_and_says_so():
    for error, words in ((EPERM, "not permitted"), (EAFNOSUPPORT, "not supported")):
        pod = Pod()
        need_backend(pod, "legacy")
        status, out, err = denied(pod, [without_netlink(error)], *BASE)
        same(status, 0, err)
        has(out, "backend=legacy families=ip,ip6")
        has(err, "legacy tables are used: nf_tables is not to be had from this kernel: ")
        has(err.lower(), words)
        has(err, "on the node, load: nf_tables nft_chain_nat nft_redir")
        same(pod.connect("192.0.2.1", 80), "proxy 192.0.2.1:80")
        same(denied(pod, [without_netlink(error)], *BASE)[1].split()[-1], "changed=no")


@test
def without_legacy_tables_nf_tables_are_taken_without_a_word():
    pod = Pod(serve=False)
    need_backend(pod, "nft")
    for error in (EPERM, ENOPROTOOPT):
        status, out, err = denied(pod, [without_legacy(error)], *BASE)
        same((status, err), (0, ""))
        has(out, "backend=nft")
        status, out, err = denied(pod, [without_legacy(error)], *BASE, "--backend", "legacy")
        same((status, out), (1, ""))
        # EPERM of a filter looks as that of a missing capability does.
        has(err, "CAP_NET_ADMIN is needed" if error == EPERM else "ip_tables: not to be had from this kernel")


@test
def with_neither_it_names_both_and_what_to_load():
    need("nft", "iptables-legacy-save")
    pod = Pod(serve=False)
    before = everything(pod)
    status, out, err = denied(pod, [without_netlink(EAFNOSUPPORT), without_legacy(ENOPROTOOPT)], *BASE, "--ipv6", "off")
    same((status, out), (1, ""))
    has(err, "nf_tables is not to be had from this kernel")
    has(err, "load: nf_tables nft_chain_nat")
    has(err, "ip_tables: not to be had from this kernel")
    has(err, "load: iptable_nat ip6table_nat xt_REDIRECT xt_owner")
    same(err.count("\n"), 1, "lines")
    same(everything(pod), before)
    status, out, err = denied(pod, [without_netlink(EAFNOSUPPORT)], *BASE, "--backend", "nft")
    same((status, out), (1, ""))
    lacks(err, "legacy")
    same(everything(pod), before)


@test
def a_kernel_without_ipv6_is_a_warning_or_a_failure_as_asked():
    pod = Pod()
    need_backend(pod, "legacy")
    no_v6 = ("socket", 0, 10, EAFNOSUPPORT)
    status, out, err = denied(pod, [no_v6], *BASE, "--backend", "legacy")
    same(status, 0, err)
    has(out, "backend=legacy families=ip rules=9")
    has(err, "warning: IPv6 is left alone: ip6_tables: not to be had from this kernel: ")
    same(pod.connect("192.0.2.1", 80), "proxy 192.0.2.1:80")
    pod.setup("--cleanup")
    status, out, err = denied(pod, [no_v6], *BASE, "--backend", "legacy", "--ipv6", "on")
    same((status, out), (1, ""))
    same(pod.connect("192.0.2.1", 80), "outside 192.0.2.1:80", "after a failure")


@test
def a_bad_option_is_refused_before_anything_is_touched():
    need("nft", "iptables-legacy-save")
    pod = Pod(serve=False)
    pod.setup(*BASE)
    before = everything(pod)
    for words in (("-i", "10.0.0.0/8,bogus"), ("-o", "22,0"), ("-u", "envoy"), ("--inbound", "maybe")):
        status, out, err = pod.iptables_setup("-p", "15002", "-u", "1338", *words)
        same((status, out), (2, ""), words)
        has(err, "iptables-setup: --")
    same(everything(pod), before)


@test
def the_network_of_a_node_is_refused_unless_forced():
    need("nft", "iptables-legacy")
    signs = [
        ("an interface", "it has an interface cni0", ["ip link add cni0 type veth peer name other"]),
        ("kube-proxy's table", "kube-proxy's rules are in it", ["nft add table ip6 kube-proxy"]),
        ("its chains", "kube-proxy's rules are in it", ["nft add table ip nat", "nft add chain ip nat KUBE-POSTROUTING"]),
        ("its legacy chains", "kube-proxy's rules are in it", ["iptables-legacy -t nat -N KUBE-SERVICES"]),
    ]
    for what, words, commands in signs:
        pod = Pod(serve=False)
        need_backend(pod, "nft")
        for command in commands:
            pod.must(*command.split())
        before = everything(pod)
        status, out, err = pod.iptables_setup(*BASE)
        same((status, out), (1, ""), what)
        same(
            err,
            "iptables-setup: this looks like the node's own network namespace: "
            f"{words}; nothing is done here without --force-host-network\n",
        )
        same(everything(pod), before)
        same(pod.iptables_setup(*BASE, "--force-host-network")[0], 0, what)


@test
def the_first_network_namespace_of_a_machine_is_a_nodes():
    """Without any capability, so that nothing could happen here."""
    need("setpriv")
    if os.stat("/proc/self/ns/pid").st_ino != 0xEFFFFFFC or os.stat("/proc/self/ns/net").st_ino != 0xEFFFFFF9:
        skip("this is not the first namespace of the machine, or the kernel does not say")
    done = run("setpriv", "--bounding-set=-all", "--inh-caps=-all", EGRESSBOX, "iptables-setup", *BASE)
    same((done.returncode, done.stdout), (1, ""))
    has(done.stderr, "it is the first one of this machine")


@test
def in_an_empty_read_only_root_it_works_with_net_admin_alone():
    """The image: nothing but the file. Not even /proc."""
    if b"ld-linux" in open(EGRESSBOX, "rb").read(4096):
        skip("this build is not static")
    need("setpriv", "chroot")
    root = folder()
    shutil.copy(EGRESSBOX, root / "iptables-setup")
    for backend in ("nft", "legacy"):
        pod = Pod()
        need_backend(pod, backend)
        enter_root = ("setpriv", "--bounding-set=-all,+net_admin,+sys_chroot", "--inh-caps=-all", "chroot", root)
        done = pod.run(*enter_root, "/iptables-setup", *BASE, "--backend", backend)
        same((done.returncode, done.stderr), (0, ""), backend)
        same(pod.connect("192.0.2.1", 80), "proxy 192.0.2.1:80")
    true(sorted(os.listdir(root)) == ["iptables-setup"], "nothing was written")


main()
