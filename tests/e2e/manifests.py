"""Manifests at random, from a seed: what they mean, and texts that say it in every style that people write."""

import json
import random
import re

KINDS = (
    ("Pod", ("v1",), ()),
    ("ReplicationController", ("v1",), ("spec", "template")),
    ("Deployment", ("apps/v1", "apps/v1beta1", "apps/v1beta2", "extensions/v1beta1"), ("spec", "template")),
    ("DaemonSet", ("apps/v1", "apps/v1beta2", "extensions/v1beta1"), ("spec", "template")),
    ("ReplicaSet", ("apps/v1", "apps/v1beta2", "extensions/v1beta1"), ("spec", "template")),
    ("StatefulSet", ("apps/v1", "apps/v1beta1", "apps/v1beta2"), ("spec", "template")),
    ("Job", ("batch/v1",), ("spec", "template")),
    ("CronJob", ("batch/v1", "batch/v1beta1", "batch/v2alpha1"), ("spec", "jobTemplate", "spec", "template")),
    ("DeploymentConfig", ("apps.openshift.io/v1", "v1"), ("spec", "template")),
)
PATHS = {kind: path for kind, _, path in KINDS}
TEXTS = [
    *("plain", "two words", "8080", "true", "no", "null", "~", "", "1e3", "0x10", "007", "2024-01-01", "10.0.0.0/8"),
    *("with: colon", "# no comment", "at # hash", "it's", 'say "hi"', "- dash", "{brace", "[a, b]", "a,b", "*star"),
    *("&amp", "%d", "@at", "back\\slash", "tail ", "naïve 日本 🙂", "/bin/sh", "--flag=1", "<<", "=", "? what", "! bang"),
    *("one\ntwo\n", "one\n\n  two", "# one\ntwo: 2\n- three", "tab\there"),
]
# What kube-inject adds to. In lines, these are in lines too.
TARGETS = (
    *("metadata", "annotations", "labels", "spec", "template", "jobTemplate"),
    *("initContainers", "containers", "volumes", "items"),
)


# ---- What they mean --------------------------------------------------------------------------------


class Maker:
    """`in_lines`: nothing that is added to is empty. `in_brackets`: nor is it null."""

    def __init__(self, seed, in_lines, in_brackets=False):
        self.random, self.in_lines, self.in_brackets = random.Random(seed), in_lines, in_brackets

    def text(self):
        return self.random.choice(TEXTS)

    def some(self, low, high, make):
        return [make(n) for n in range(self.random.randint(low, high))]

    def shuffled(self, pairs):
        pairs = list(pairs)
        self.random.shuffle(pairs)
        return dict(pairs)

    def maybe(self, mapping, key, make, empty):
        """A key that is there, is not, or is there for nothing."""
        choice = self.random.choice(("absent", "made", "made", "null", "empty"))
        if choice == "made":
            mapping[key] = make()
        elif choice == "null" and not self.in_brackets:
            mapping[key] = None
        elif choice == "empty" and not self.in_lines:
            mapping[key] = empty

    def container(self, name):
        made = {"name": name, "image": "registry:5000/app:1.0"}
        if self.random.random() < 0.5:
            made["args"] = self.some(1, 3, lambda _: self.text())
        if self.random.random() < 0.4:
            made["env"] = self.some(1, 2, lambda n: {"name": f"V{n}", "value": self.text()})
        if self.random.random() < 0.4:
            made["ports"] = self.some(1, 2, lambda n: {"containerPort": 8080 + n})
        if self.random.random() < 0.3:
            made["resources"] = {"limits": {"cpu": "1", "memory": "64Mi"}, "requests": {}}
        return self.shuffled(made.items())

    def metadata(self):
        made = {}
        self.maybe(made, "labels", lambda: {"app": "a", "tier": self.text()}, {})
        self.maybe(made, "annotations", lambda: {f"example.com/{n}": self.text() for n in range(2)}, {})
        if self.random.random() < 0.3 or self.in_lines and not made:
            made["creationTimestamp"] = None
        return self.shuffled(made.items())

    def spec(self):
        made = {"containers": self.some(1, 3, lambda n: self.container(f"app-{n}"))}
        self.maybe(made, "initContainers", lambda: self.some(1, 2, lambda n: self.container(f"first-{n}")), [])
        self.maybe(made, "volumes", lambda: [{"name": "own", "emptyDir": {}}], [])
        if self.random.random() < 0.5:
            made["restartPolicy"] = "Always"
        if self.random.random() < 0.3:
            made["nodeSelector"] = {"disk": self.text()}
        return self.shuffled(made.items())

    def template(self):
        made = {"spec": self.spec()}
        self.maybe(made, "metadata", self.metadata, {})
        return self.shuffled(made.items())

    def workload(self, name):
        kind, versions, path = self.random.choice(KINDS)
        made = self.template()
        if not path and isinstance(made.get("metadata"), dict):
            made["metadata"] = {**made["metadata"], "name": name}
        for key in reversed(path):
            made = {key: made}
            if key == "template" and self.random.random() < 0.5:
                made = self.shuffled([*made.items(), ("replicas", 2), ("selector", {"matchLabels": {"app": "a"}})])
        if path:
            made["metadata"] = {"name": name}
        return self.shuffled([*made.items(), ("kind", kind), ("apiVersion", self.random.choice(versions))])

    def list(self, name):
        items = self.some(1, 3, lambda n: self.workload(f"{name}-{n}"))
        other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": self.text()}}
        items.insert(1, other)
        return self.shuffled([("apiVersion", "v1"), ("kind", "List"), ("items", items)])


# ---- How they are written --------------------------------------------------------------------------


def is_plain(text):
    """Safe without quotes, wherever it stands."""
    words = ("true", "false", "yes", "no", "on", "off", "null", "y", "n")
    return bool(re.fullmatch(r"[A-Za-z/][\w/.=-]*( [\w/.=-]+)*", text)) and text.lower() not in words


class Writer:
    """A style, and a document in it."""

    def __init__(self, seed, in_lines):
        self.random, self.in_lines = random.Random(seed), in_lines
        self.step = self.random.choice((2, 2, 2, 3, 4))
        self.dash = self.random.choice((0, self.step))
        self.gap = self.random.choice((1, 1, 1, 3))
        self.noise_share = self.random.choice((0, 0.15, 0.6))
        self.lines, self.is_after_literal = [], False

    def write(self, document):
        self.noise(0)
        self.mapping(document, 0)
        self.noise(0)
        return "\n".join(self.lines) + "\n"

    def noise(self, column):
        """Comments and empty lines, where they mean nothing."""
        while self.random.random() < self.noise_share:
            deeper = [] if self.is_after_literal else [column + 1, column + self.step]
            at = " " * self.random.choice([0, column, *deeper])
            self.lines.append(self.random.choice(("", at + "# a comment", at + "#- name: none", at + "#")))

    def tail(self):
        tails = ("  # tail", " # it's {", "  ")
        return self.random.choice(tails) if self.random.random() < self.noise_share / 2 else ""

    def add(self, line):
        self.lines.append(line + self.tail())
        self.is_after_literal = False

    def mapping(self, node, column):
        for number, (key, value) in enumerate(node.items()):
            if number > 0:
                self.noise(column)
            written = key if self.random.random() < 0.9 else json.dumps(key)
            self.value(" " * column + written + ":", key, value, column, column + self.step, column + self.dash)

    def sequence(self, node, column, key):
        inner = column + 1 + self.gap
        for item in node:
            self.noise(column)
            start = len(self.lines)
            if isinstance(item, dict) and item and (key == "items" or self.random.random() < 0.85):
                self.mapping(item, inner)
                self.lines[start] = " " * column + "-" + self.lines[start][column + 1 :]
            else:
                self.value(" " * column + "-", None, item, column, inner, inner)

    def value(self, head, key, value, column, map_column, list_column):
        is_target = self.in_lines and key in TARGETS
        if isinstance(value, str):
            self.text(head, value, column)
        elif not isinstance(value, (dict, list)):
            self.add(f"{head} {self.scalar(value)}" if value is not None or not is_target else head)
        elif not value or (not is_target and self.random.random() < 0.2):
            self.add(f"{head} {self.flow(value, self.random.random() < 0.3, self.random.random() < 0.3)}")
        elif isinstance(value, dict):
            self.add(head)
            self.mapping(value, map_column)
        else:
            self.add(head)
            self.sequence(value, list_column, key)

    def text(self, head, text, column):
        if "\n" in text and self.random.random() < 0.7:
            self.lines.append(f"{head} |{'' if text.endswith(chr(10)) else '-'}{self.tail().rstrip()}")
            for line in text.rstrip("\n").split("\n"):
                self.lines.append((" " * (column + self.step) + line) if line else "")
            self.is_after_literal = True
        elif text == "two words" and self.random.random() < 0.5:
            self.lines.append(f'{head} "two')
            self.add(" " * (column + self.step) + 'words"')
        else:
            self.add(f"{head} {self.scalar(text)}")

    def scalar(self, value, is_json=False):
        if not isinstance(value, str):
            return self.random.choice(("null", "~", "")) if value is None and not is_json else json.dumps(value)
        if is_json:
            return json.dumps(value, ensure_ascii=False)
        if is_plain(value) and self.random.random() < 0.7:
            return value
        if "\n" in value or "\t" in value or self.random.random() < 0.5:
            return json.dumps(value, ensure_ascii=False)
        return "'" + value.replace("'", "''") + "'"

    def flow(self, node, is_json, is_tight):
        """In brackets, in one line. `a:b` is one word, so that only JSON is tight."""
        if not isinstance(node, (dict, list)):
            return self.scalar(node, is_json) if node is not None else "null"
        comma, colon = (",", ":") if is_tight and is_json else (", ", ": ")
        if isinstance(node, list):
            return "[" + comma.join(self.flow(value, is_json, is_tight) for value in node) + "]"
        keys = [json.dumps(key) if is_json else key for key in node]
        values = [self.flow(value, is_json, is_tight) for value in node.values()]
        return "{" + comma.join(key + colon + value for key, value in zip(keys, values)) + "}"


def pretty(seed, document):
    """JSON over many lines."""
    indent = random.Random(seed).choice((2, 4, "\t"))
    return json.dumps(document, indent=indent, ensure_ascii=False) + "\n"
