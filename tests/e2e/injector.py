"""kube-inject as a function, and a Pod for it."""

import subprocess

from harness import EGRESSBOX, lacks, same

POD = b"""apiVersion: v1
kind: Pod
metadata:
  name: a # the name
spec:
  containers:
  - name: app
"""


def inject(*options, text=b"", status=0, **more):
    """Standard output of a run; with status 2, standard error as text."""
    command = [EGRESSBOX, "kube-inject", *(str(option) for option in options)]
    done = subprocess.run(command, input=text, capture_output=True, timeout=60, check=False, **more)
    same(done.returncode, status, f"status, with {done.stderr[:2000].decode(errors='replace')}")
    lacks(done.stderr, b"Sanitizer")
    return done.stdout if status < 2 else done.stderr.decode()
