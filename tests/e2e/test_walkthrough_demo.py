"""`./build.sh demo`, after the building: what it shows, and that it says so when something is not as it should be."""

import os

from harness import EGRESSBOX, HERE, folder, has, lacks, main, need, run, same, skip, test

DEMO = HERE.parent / "demo.sh"


def demo(*prefix, program=EGRESSBOX):
    need("curl", "nginx", "openssl", "setpriv")
    return run(*prefix, DEMO, env={**os.environ, "EGRESSBOX": str(program)}, timeout=60)


@test(deadline=90)
def in_namespaces_it_goes_through_the_page():
    done = demo()
    if "loopback" in done.stdout:
        skip(done.stderr)
    same((done.returncode, done.stdout.splitlines()[-1]), (0, "All as expected."), done.stdout + done.stderr)
    for words in (
        "$ kubectl exec -it $SOURCE_POD -c sleep -- curl http://externalbin/headers\n{",
        "$ kubectl exec -it $SOURCE_POD -c sleep -- curl http://securegoogle:443\nHost www.google.com",
        "$ kubectl delete service externalbin securegoogle\n",
    ):
        has(done.stdout, words)


@test(deadline=90)
def for_others_than_root_it_shows_the_gateways_part():
    as_nobody = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    if os.geteuid() != 0 or run(*as_nobody, "test", "-x", DEMO, "-a", "-x", EGRESSBOX).returncode != 0:
        skip("nobody may not read this directory")
    done = demo(*as_nobody)
    same((done.returncode, done.stdout.splitlines()[-1]), (0, "All as expected."), done.stdout + done.stderr)
    has(done.stdout, "Network namespaces are not allowed here")
    has(done.stdout, "$ curl http://securegoogle:443\n")


@test(deadline=90)
def it_fails_when_the_program_does():
    """One that says the right thing about itself and serves nobody."""
    other = folder() / "egressbox"
    other.write_text(f'#!/bin/sh\n[ "$2" != -f ] || exit 1\nexec {EGRESSBOX} "$@"\n')
    other.chmod(0o755)
    done = demo(program=other)
    same(done.returncode, 1, "status")
    lacks(done.stdout, "All as expected.")


main()
