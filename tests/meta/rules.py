"""What the checks of this directory share: the tree, its texts, and how a broken rule is told."""
import os

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Bytes for parsers, written by nobody: the rules of text do not hold for them.
DATA = ("tests/fuzz/corpus/", "tests/data/", "tests/golden/", "tests/e2e/data/")


def read(path):
    with open(path, "rb") as f:
        return f.read().decode("utf-8", errors="replace")


def texts_of_the_tree():
    """{path: text} of what is written by hand, without asking git: a checkout may come without it."""
    texts = {}
    for directory, names, files in os.walk("."):
        names[:] = sorted(n for n in names if n not in (".git", "__pycache__") and (directory, n) != (".", "build"))
        for name in sorted(files):
            path = os.path.join(directory, name)[2:]
            if not path.startswith(DATA):
                texts[path] = read(path)
    return texts


class Skip(Exception):
    """Raised by a rule that cannot be checked here; says why."""


def check(rules):
    """Takes {name: iterable of complaints}, prints a line for each rule, returns the exit status."""
    status = 0
    for name, complaints in rules.items():
        try:
            complaints = list(complaints)
        except Skip as why:
            print(f"skip {name}: {why}")
            continue
        if complaints:
            print(f"not ok {name}: {len(complaints)} x", *complaints, sep="\n  ")
            status = 1
        else:
            print(f"ok {name}")
    return status
