"""What a serving proxy has given up. That each refused call is fatal and named is tested in unit/sys/test_sandbox."""

import re
from pathlib import Path

from harness import folder, has, main, same, skip, test, until
from origins import Lab, Origin
from proxy import Proxy, gateway, is_instrumented, service


def statuses(proxy):
    """The status of each of its threads, as text."""
    return [(task / "status").read_text() for task in Path(f"/proc/{proxy.process.pid}/task").iterdir()]


def line(text, key):
    return re.search(rf"^{key}:\s*(\S+)", text, re.MULTILINE).group(1)


@test
def all_threads_are_filtered_and_gain_no_privileges():
    if is_instrumented():
        skip("a sanitizer's runtime needs more")
    if "Seccomp:" not in Path("/proc/self/status").read_text():
        skip("no seccomp here")
    for options, expected in (((), ("2", "1")), (("--no-sandbox",), ("0", "0"))):
        lab = Lab()
        proxy = gateway(Origin(), "--ca-file", lab.ca, *options, secure=Origin(tls=lab.context()), workers=3)
        same([proxy.get(host=h).status for h in ("origin", "secure:443")], [200, 200], "statuses")
        threads = statuses(proxy)
        same(len(threads), 5, "threads: control, log and workers")
        for text in threads:
            same((line(text, "Seccomp"), line(text, "NoNewPrivs")), expected, f"seccomp of {line(text, 'Name')}")


@test
def there_is_no_core_and_every_descriptor_that_may_be():
    if is_instrumented():
        skip("a sanitizer's runtime needs more")
    proxy = gateway(Origin())
    limits = Path(f"/proc/{proxy.process.pid}/limits").read_text()
    same(re.search(r"Max core file size +(\d+) +(\d+)", limits).groups(), ("0", "0"), "limits of core files")
    soft, hard = re.search(r"Max open files +(\d+) +(\d+)", limits).groups()
    same(soft, hard, "soft limit of descriptors")


def has_landlock():
    try:
        return "landlock" in Path("/sys/kernel/security/lsm").read_text()
    except OSError:
        return "landlock" in Path("/proc/kallsyms").read_text()


@test
def files_elsewhere_cannot_be_read():
    """A link that comes to lead out of the directory: only without the sandbox it is followed."""
    if not has_landlock() or is_instrumented():
        skip("no Landlock here, or a sanitizer")
    here, there = folder(), folder()
    (there / "more.yaml").write_text(service("more", "origin.test", 80))
    for options in ((), ("--no-sandbox",)):
        (here / "services.yaml").write_text(service("one", "origin.test", 80))
        proxy = Proxy("", "-f", here, *options, resolve={"origin.test": Origin().address})
        same(proxy.get(host="one").status, 200)
        (here / "link.yaml").symlink_to(there / "more.yaml")
        if options:
            until(lambda: proxy.get(host="more").status == 200, "the link is followed")
        else:
            until(lambda: proxy.metrics()["egressbox_last_reload_ok"] == 0, "the link is not followed")
            has(proxy.stderr(), "Permission denied", "stderr")
            same(proxy.get(host="one").status, 200)
        (here / "link.yaml").unlink()
        until(lambda: proxy.metrics()["egressbox_last_reload_ok"] == 1, "all is well again")


main()
