"""The box around the applets: dispatch by name, lists, links, notices."""

import os
from pathlib import Path

from harness import EGRESSBOX, folder, has, main, run, same, test, true

APPLETS = ["cidr-describe", "egress-proxy", "kube-inject", "iptables-setup"]


def box(*words, program=EGRESSBOX):
    done = run(program, *words)
    return done.returncode, done.stdout, done.stderr


def named(name):
    """The program under another name: a link in a fresh folder."""
    link = folder() / name
    link.symlink_to(EGRESSBOX)
    return link


@test
def list_names_the_applets_that_exist():
    same(box("--list"), (0, "".join(name + "\n" for name in APPLETS), ""))


@test
def an_applet_is_called_by_the_name_of_a_link():
    for name in APPLETS:
        same(box("--help", program=named(name)), box(name, "--help"), name)


@test
def help_is_the_same_by_every_way_to_ask():
    for name in APPLETS:
        manual = box(name, "--help")
        same(manual[0], 0, "status")
        has(manual[1], f"usage: {name} ")
        for words in (("--help", name), (name, "-h"), (name, "--check", "--help")):
            same(box(*words), manual, words)


@test
def the_boxs_own_help_lists_the_applets_and_exit_statuses():
    status, out, _ = box("--help")
    same(status, 0)
    for text in (*APPLETS, "--install", "--licenses", "127  no such applet"):
        has(out, text)
    same(box(), (status, out, ""), "without a word")


@test
def another_name_of_the_box_is_the_box():
    same(box("--list", program=named("egressbox-0.1"))[0], 0)


@test
def an_unknown_applet_is_127():
    for program, words in ((EGRESSBOX, ["ls"]), (EGRESSBOX, ["--help", "ls"]), (named("ls"), ["--help"])):
        status, out, err = box(*words, program=program)
        same((status, out), (127, ""))
        has(err, 'no such applet: "ls"')


@test
def an_unknown_applets_name_is_escaped():
    has(box("a\nb\x1b")[2], r'"a\x0ab\x1b"')


@test
def version_names_everything_that_is_inside():
    status, out, _ = box("--version")
    same(status, 0)
    same([line.split()[0] for line in out.splitlines()], ["egressbox", "BearSSL", "libyaml", "musl", "CA"])
    same(box("egress-proxy", "--version")[1], out, "by an applet")


@test
def licenses_are_those_of_what_is_linked():
    status, out, _ = box("--licenses")
    same(status, 0)
    linked = ["Thomas Pornin", "Kirill Simonov", "WITHOUT WARRANTY OF ANY KIND"]
    if "musl none" not in box("--version")[1]:
        linked.append("musl")
    for text in linked:
        has(out, text)


@test
def install_makes_hard_links():
    target = folder()
    copy = target / "egressbox"
    copy.write_bytes(Path(EGRESSBOX).read_bytes())
    copy.chmod(0o755)
    same(box("--install", target, program=copy), (0, "", ""))
    for name in APPLETS:
        same((target / name).stat().st_ino, copy.stat().st_ino, name)
        same(box("--version", program=target / name)[0], 0)


@test
def install_s_makes_symbolic_links_and_doing_it_again_is_fine():
    target = folder()
    for _ in range(2):
        same(box("--install", "-s", target), (0, "", ""))
    for name in APPLETS:
        same(os.readlink(target / name), os.path.realpath(EGRESSBOX), name)


@test
def install_leaves_alone_what_is_in_the_way_and_names_it():
    target = folder()
    (target / APPLETS[0]).write_text("mine")
    status, _, err = box("--install", "-s", target)
    same(status, 1)
    has(err, f"{target}/{APPLETS[0]}")
    same((target / APPLETS[0]).read_text(), "mine")


@test
def install_without_a_directory_is_a_usage_error():
    for words in ((), ("-s",), ("a", "b")):
        same(box("--install", *words)[0], 2, words)
    true(box("--install", "/nonexistent/place")[0] == 1, "a directory that is not there is a failure")


main()
