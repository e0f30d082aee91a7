"""kube-inject: files as they are read and written."""

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

from harness import EGRESSBOX, folder, has, lacks, main, need, same, skip, test, true, within
from injector import POD, inject

SANITIZED = os.environ.get("VARIANT", "release") != "release"
MIB = 1 << 20
BAD = b"kind: Pod\nspec: {}\n"


def file(directory, name, content=POD):
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def names(directory):
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


@test
def output_may_be_the_input():
    where = folder()
    path = file(where, "pod.yaml")
    injected = inject("-f", path)
    for _ in range(2):
        same(inject("-f", path, "-o", path), b"", "standard output")
        same(path.read_bytes(), injected, "the file")
    inject("-f", path, "-o", path, "--uninject")
    same(path.read_bytes(), POD, "the file after uninject")
    same(names(where), ["pod.yaml"], "files")


@test
def in_place_keeps_permissions_and_links():
    where = folder()
    path, other = file(where, "real/pod.yaml"), file(where, "other.yaml")
    path.chmod(0o640)
    other.chmod(0o755)
    link = where / "link.yaml"
    link.symlink_to("real/pod.yaml")
    injected = inject("-f", path)
    inject("-f", link, "-f", other, "--in-place")
    true(link.is_symlink() and os.readlink(link) == "real/pod.yaml", "the link is gone")
    for one, mode in ((path, 0o640), (other, 0o755)):
        same(one.read_bytes(), injected, str(one))
        same(stat.S_IMODE(one.stat().st_mode), mode, f"permissions of {one}")
    same(names(where), ["link.yaml", "other.yaml", "real/pod.yaml"], "files")


@test
def in_place_leaves_files_alone_that_do_not_change():
    where = folder()
    paths = [file(where, "done.yaml", inject("-f-", text=POD)), file(where, "service.yaml", b"kind: Service\n")]
    before = [(path.stat().st_ino, path.stat().st_mtime_ns) for path in paths]
    inject("-f", where, "--in-place")
    same([(path.stat().st_ino, path.stat().st_mtime_ns) for path in paths], before, "inodes and times")


@test
def a_failing_run_leaves_every_file_as_it_was():
    where = folder()
    file(where, "a.yaml"), file(where, "b.yaml", BAD), file(where, "c.yaml")
    old = file(where, "old.yaml", b"old\n")
    for options in (("-o", old), ("--in-place",)):
        inputs = [word for name in ("a.yaml", "b.yaml", "c.yaml") for word in ("-f", where / name)]
        has(inject(*inputs, *options, status=2), "b.yaml:2:7")
        left = [(where / name).read_bytes() for name in ("a.yaml", "b.yaml", "c.yaml", "old.yaml")]
        same(left, [POD, BAD, POD, b"old\n"], "files")
    same(names(where), ["a.yaml", "b.yaml", "c.yaml", "old.yaml"], "files")


@test
def a_file_that_cannot_be_written_changes_no_other():
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        skip("root may write everywhere, and there is no setpriv")
    where = folder()
    first, second = file(where, "a.yaml"), file(where, "locked/b.yaml")
    second.parent.chmod(0o555)
    if os.geteuid() == 0:
        for path in (where, first):
            os.chown(path, 65534, 65534)
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    command = [*as_nobody, EGRESSBOX, "kube-inject", "-f", first, "-f", second, "--in-place"]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except PermissionError:
        skip("others may not run the program where it is")
    if done.returncode in (126, 127) or b"setpriv" in done.stderr:
        skip(f"others may not run the program where it is: {done.stderr.decode()}")
    same(done.returncode, 1, "status")
    has(done.stderr.decode(), "locked/b.yaml: ")
    same((first.read_bytes(), second.read_bytes()), (POD, POD), "files")
    same(names(where), ["a.yaml", "locked/b.yaml"], "files")


@test
def standard_output_that_cannot_be_written_is_status_1():
    for options in ((), ("--diff",), ("--check",), ("--print-template",)):
        with open("/dev/full", "wb") as full:
            command = [EGRESSBOX, "kube-inject", "-f-", *options]
            done = subprocess.run(command, input=POD, stdout=full, stderr=subprocess.PIPE, check=False)
        same(done.returncode, 1, f"status with {options}")
        has(done.stderr.decode(), "No space left on device")


@test
def a_closed_standard_output_is_status_1():
    for options in ((), ("--diff",)):
        command = [EGRESSBOX, "kube-inject", "-f-", *options]
        done = subprocess.run(command, input=POD, stderr=subprocess.PIPE, preexec_fn=lambda: os.close(1), check=False)
        same(done.returncode, 1, f"status with {options}")


@test
def the_device_of_standard_output_is_an_output_file():
    for name in ("/dev/stdout", "/dev/fd/1"):
        same(inject("-f-", "-o", name, text=POD), inject("-f-", text=POD), name)
    same(inject("-f", "/dev/stdin", text=POD), inject("-f-", text=POD), "/dev/stdin")


@test
def a_file_that_may_not_be_read_is_named():
    where = folder()
    path = file(where, "a.yaml")
    path.chmod(0)
    if os.access(path, os.R_OK):
        os.remove(path)
        path.symlink_to("a.yaml")  # root may read all, but no circle of links
    said = inject("-f", path, status=2)
    has(said, f"{path}: cannot be opened: ")
    same(said.count("\n"), 1, "lines")


@test
def directories_are_read_in_order_and_with_r_all_below():
    where = folder()
    for name in ("b.yaml", "a.yml", "c/d.json", "c/e/f.yaml", ".hidden.yaml", ".git/g.yaml", "notes.txt"):
        file(where, name, POD.replace(b"name: a #", b"name: %s #" % name.encode()))
    (where / "circle").symlink_to(".")

    def read(*options):
        said = inject("-f", where, "--check", *options, status=1).decode()
        return [line.split(": Pod ")[1].split(":")[0] for line in said.splitlines()]

    same(read(), ["a.yml", "b.yaml"], "files")
    same(read("-R"), ["a.yml", "b.yaml", "c/d.json", "c/e/f.yaml"], "files with -R")


@test
def a_byte_over_64_mib_is_refused():
    path = folder() / "large.yaml"
    path.touch()
    os.truncate(path, 64 * MIB + 1)
    said = inject("-f", path, status=2)
    has(said, str(path))
    same(said.count("\n"), 1, "lines")
    lacks(said, "control character")


@test(deadline=30)
def the_pages_commands_give_kubectl_what_it_takes():
    need("bash", "kubectl")
    where = folder()
    sample = Path(__file__).parents[1] / "golden/kube-inject/injects-the-sleep-sample-of-the-page/sleep.yaml"
    file(where, "samples/apps/sleep/sleep.yaml", sample.read_bytes())
    for options in ("", "--includeIPRanges=10.0.0.1/24", "--includeIPRanges=10.4.0.0/14,10.7.240.0/20"):
        ours = f"{EGRESSBOX} kube-inject -f samples/apps/sleep/sleep.yaml {options}"
        command = ["bash", "-c", f"kubectl label --local -o name x=y -f <({ours})"]
        done = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=25, check=False)
        same((done.returncode, done.stdout), (0, "service/sleep\ndeployment.extensions/sleep\n"), f"with {done.stderr!r}")


def spent_on(path):
    """What a run on a file takes: its peak of memory in bytes, and seconds of the CPU."""
    command = [EGRESSBOX, "kube-inject", "-f", path, "-o", "/dev/null"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    same(process.returncode, 0, "status")
    return usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime


@test(deadline=60)
def sixty_megabytes_take_at_most_four_times_that():
    """With sanitizers, a smaller file, and their memory is not looked at."""
    size = (6 if SANITIZED else 60) * MIB
    path = file(folder(), "large.yaml", (b"---\n" + POD) * (size // (len(POD) + 4)))
    peak, _ = spent_on(path)
    if not SANITIZED:
        within(peak / size, 1, 4, "times its size")


@test(deadline=60)
def a_list_in_one_long_line_takes_no_longer_than_one_in_lines():
    pods = [{"kind": "Pod", "spec": {"containers": [{"name": "a"}]}}] * 5000
    made = {"kind": "List", "items": pods}
    where = folder()
    for text in (json.dumps(made).encode(), json.dumps(made).replace('"', "").encode()):
        _, in_lines = spent_on(file(where, "lines.json", json.dumps(made, indent=1).encode()))
        _, in_one = spent_on(file(where, "one.yaml", text))
        within(in_one, 0, 4 * in_lines + 0.2, "seconds")


@test(deadline=60)
def a_file_of_64_mib_is_taken():
    size = 64 * MIB
    text = POD + b"---\n" + b"#" * 79 + b"\n"
    path = file(folder(), "large.yaml", text + (b"#" + b" " * 98 + b"\n") * ((size - len(text)) // 100))
    with open(path, "ab") as f:
        f.write(b"#" * (size - f.tell() - 1) + b"\n")
    same(path.stat().st_size, size, "size")
    out = path.with_name("out.yaml")
    inject("-f", path, "-o", out)
    true(out.read_bytes().endswith(text[-50:] + path.read_bytes()[len(text) :]), "what is behind the pod has changed")


main()
