"""kube-inject: what holds for manifests in every style, over a corpus of them."""

import copy
import json
import os
import subprocess
import sys

from harness import Failed, folder, main, need, same, shown, skip, test, true
from injector import inject
from manifests import PATHS, Maker, Writer, pretty

try:
    import yaml
except ImportError:
    yaml = None
    # Debian's package is for Debian's Python, which need not be the first one.
    for python in ("/usr/bin/python3", "/usr/local/bin/python3"):
        asked = [python, "-c", "import yaml"]
        if os.access(python, os.X_OK) and not subprocess.run(asked, stderr=subprocess.DEVNULL, check=False).returncode:
            os.execv(python, [python, *sys.argv])

STATUS = "egressbox.io/status"


# ---- The corpus: what is expected -------------------------------------------------------------------


OWN = """
initContainers: [{name: setup, image: box, args: [--one, "2"]}]
containers: [{name: side, image: box, ports: [{containerPort: 9000}], env: [{name: EMPTY, value: ""}]}]
volumes: [{name: data, emptyDir: {}}]
annotations: {example.com/0: ours, example.com/mesh: "yes"}
labels: {app: ours, example.com/mesh: "true"}
"""


def load(text):
    if yaml is None:
        skip("no Python module yaml; as root: apt-get install python3-yaml")
    return list(yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


class Settings:
    """Options, and what they add: computed from the template here, not by the program."""

    def __init__(self, options, template, version):
        self.options = [*options, "--setVersionString", version]
        self.template, self.version = template, version

    def add_to(self, pod):
        native = any(c.get("restartPolicy") == "Always" for c in self.template.get("initContainers", []))
        for key in ("initContainers", "containers", "volumes"):
            added, own = self.template.get(key, []), pod["spec"].get(key) or []
            if added:
                pod["spec"][key] = added + own if native and key == "initContainers" else own + added
        metadata = pod["metadata"] = pod.get("metadata") or {}
        for key in ("annotations", "labels"):
            if key == "annotations" or key in self.template:
                metadata[key] = {**self.template.get(key, {}), **(metadata.get(key) or {})}


VALUES = {
    "IMAGE": "egressbox:1",
    "IMAGE_PULL_POLICY": "IfNotPresent",
    "PROXY_PORT": "15001",
    "ADMIN_PORT": "15000",
    "PROXY_UID": "1337",
    "SETUP_OPTIONS": ["--inbound", "none", "-i", "10.0.0.0/8,fd00::/8"],
    "PROXY_OPTIONS": ["--gateway", "egress:80"],
}
BUILT_IN = ["--image", VALUES["IMAGE"], "--includeIPRanges", "10.0.0.0/8,fd00::/8", "--gateway", "egress:80"]


def filled(node):
    """The built-in template, read by Python, with its variables filled in."""
    if isinstance(node, dict):
        return {key: filled(value) for key, value in node.items()}
    if isinstance(node, list):
        parts = [filled(value) for value in node]
        return [one for part in parts for one in (part if isinstance(part, list) else [part])]
    if not isinstance(node, str) or "$(" not in node:
        return node
    for name, value in VALUES.items():
        if node == f"$({name})" and isinstance(value, list):
            return value
        if not isinstance(value, list):
            node = node.replace(f"$({name})", value)
    return node


def as_numbers(template):
    """Ports and users that stand without quotes are numbers; arguments are not."""
    for container in template.get("initContainers", []) + template.get("containers", []):
        for probe in ("startupProbe", "readinessProbe"):
            if probe in container:
                container[probe]["httpGet"]["port"] = int(container[probe]["httpGet"]["port"])
        for key in ("runAsUser", "runAsGroup"):
            container["securityContext"][key] = int(container["securityContext"][key])
    return template


def built_in(kind):
    text = inject("--print-template", "--sidecar", kind)
    return Settings(["--sidecar", kind, *BUILT_IN], as_numbers(filled(load(text)[0])), "1")


def own_template():
    path = folder() / "template.yaml"
    path.write_text(OWN)
    return Settings(["--template", path], load(OWN)[0], "2")


def pods_of(document):
    """The pod templates in an object or List."""
    for item in document.get("items") or [document]:
        if item["kind"] in PATHS:
            pod = item
            for key in PATHS[item["kind"]]:
                pod = pod[key]
            yield pod


def expect_added(before, after, settings):
    """The model after is that before and exactly what the settings add."""
    expected = copy.deepcopy(before)
    for pod, found in zip(pods_of(expected), pods_of(after)):
        settings.add_to(pod)
        status = found["metadata"]["annotations"][STATUS]
        pod["metadata"]["annotations"][STATUS] = status
        same(json.loads(status)["version"], settings.version, "version in the status")
    same(after, expected, "the injected model")


# ---- The corpus: files, and what holds for each ------------------------------------------------------


class Corpus:
    """Documents in one file: texts and what they mean."""

    def __init__(self, texts, between=b"---\n"):
        self.texts, self.between = texts, between
        self.whole = between.join(texts)

    def hold(self, check):
        """What must hold for the file; where it does not, the first document for which it does not is shown."""
        try:
            check(self.whole)
        except (Failed, KeyError, yaml.YAMLError) as error:
            for text in self.texts:
                try:
                    check(text)
                except (Failed, KeyError, yaml.YAMLError) as why:
                    raise Failed(f"{why}, for {text.decode()!r}") from why
            raise error


def corpus(seed, count, write, what=Maker.workload, **more):
    """`write` takes a seed and a model; the text must mean the model, else the generator is wrong."""
    models = [what(Maker(f"{seed} {n}", **{"in_lines": False, **more}), f"a-{n}") for n in range(count)]
    made = Corpus([write(f"{seed} {n}", model).encode() for n, model in enumerate(models)])
    same(load(made.whole), models, "the generator's own model")
    return made


def in_lines(seed, model):
    return Writer(seed, True).write(model)


def mixed(seed, model):
    return Writer(seed, False).write(model)


def in_one_line(seed, model):
    return Writer(seed, False).flow(model, False, False) + "\n"


def compact_json(_seed, model):
    return json.dumps(model, separators=(",", ":"), ensure_ascii=False) + "\n"


def with_crlf(write):
    return lambda seed, model: write(seed, model).replace("\n", "\r\n")


def is_subsequence(few, many):
    rest = iter(many)
    return all(one in rest for one in few)


def check_model(settings):
    def check(text):
        before, after = load(text), load(inject("-f-", *settings.options, text=text))
        same(len(after), len(before), "number of documents")
        for one, other in zip(before, after):
            expect_added(one, other, settings)

    return check


def check_round_trip(settings):
    def check(text):
        injected = inject("-f-", *settings.options, text=text)
        true(inject("-f-", *settings.options, text=injected) == injected, "injecting again changes bytes")
        true(inject("-f-", "--uninject", text=injected) == text, "uninject does not restore the bytes")

    return check


def check_update(settings, others):
    def check(text):
        updated = inject("-f-", *others.options, text=inject("-f-", *settings.options, text=text))
        true(updated == inject("-f-", *others.options, text=text), "an update is not what the new settings inject")
        true(inject("-f-", "--uninject", text=updated) == text, "uninject after an update does not restore the bytes")

    return check


def check_added_lines(settings):
    def check(text):
        injected = inject("-f-", *settings.options, text=text)
        true(is_subsequence(text.splitlines(True), injected.splitlines(True)), "not only lines were added")

    return check


def check_added_bytes(settings):
    def check(text):
        true(is_subsequence(text, inject("-f-", *settings.options, text=text)), "not only bytes were added")

    return check


def hold_for_all(made, *more):
    """The properties of any text, under several settings; then `more`, each made for settings."""
    native, container, own = built_in("native"), built_in("container"), own_template()
    for one in made:
        for settings in (native, own):
            one.hold(check_model(settings))
            one.hold(check_round_trip(settings))
            for check in more:
                one.hold(check(settings))
        one.hold(check_model(container))
        one.hold(check_update(native, container))
        one.hold(check_update(container, own))


@test(deadline=90)
def lines_are_added_to_yaml_in_lines_and_nothing_else():
    made = [
        corpus("lines", 200, in_lines, in_lines=True),
        corpus("lists", 30, in_lines, Maker.list, in_lines=True),
        corpus("crlf", 60, with_crlf(in_lines), in_lines=True),
    ]
    hold_for_all(made, check_added_lines)


@test(deadline=90)
def yaml_with_brackets_nulls_and_empty_values_comes_back_byte_for_byte():
    made = [
        corpus("mixed", 200, mixed),
        corpus("mixed lists", 30, mixed, Maker.list),
        corpus("mixed crlf", 60, with_crlf(mixed)),
    ]
    hold_for_all(made)


@test(deadline=90)
def bytes_are_added_to_brackets_in_one_line_and_nothing_else():
    hold_for_all([corpus("flow", 80, in_one_line, in_lines=True, in_brackets=True)], check_added_bytes)
    hold_for_all([corpus("flow with nulls", 60, in_one_line)])


@test(deadline=90)
def json_stays_json_pretty_or_compact():
    def check_json(settings):
        def check(text):
            for one in inject("-f-", *settings.options, text=text).split(b"---\n"):
                json.loads(one)

        return check

    def in_spaces(seed, model):
        return pretty(seed, model).replace("\t", "  ")  # Python's YAML takes no tabs

    lines = corpus("pretty", 60, in_spaces, in_lines=True, in_brackets=True)
    spaces = corpus("pretty with nulls", 40, in_spaces)
    compact = corpus("compact", 60, compact_json, in_lines=True, in_brackets=True)
    nulls = [corpus("json with nulls", 40, compact_json), corpus("lists of json", 20, compact_json, Maker.list)]
    hold_for_all([lines], check_json, check_added_lines)
    hold_for_all([spaces], check_json)
    hold_for_all([compact], check_json, check_added_bytes)
    hold_for_all(nulls, check_json)


@test(deadline=90)
def files_without_a_last_line_end_come_back_without_one():
    settings = built_in("native")
    for write in (in_lines, mixed, with_crlf(in_lines)):
        for text in corpus(f"no line end {write}", 15, write, in_lines=write is not mixed).texts:
            text = text.rstrip(b"\r\n")
            if load(text) == load(text + b"\n"):  # else the line end was of a literal
                Corpus([text]).hold(check_model(settings))
                Corpus([text]).hold(check_round_trip(settings))


def with_alias(seed, model, path):
    """The same document with what is at that path said elsewhere."""
    model, shared = copy.deepcopy(model), model
    for key in path:
        shared = shared[key]
    holder = model
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = "ALIAS"
    text = Writer(seed, True).write({"x-shared": shared, **model})
    for quoted in ('"ALIAS"', "'ALIAS'", "ALIAS"):
        text = text.replace(quoted, "*shared")
    for key in ("x-shared:", '"x-shared":'):
        text = text.replace(key, f"{key} &shared")
    true("*shared" in text and "&shared" in text, "the generator has lost its alias")
    return text


@test(deadline=60)
def a_document_with_an_alias_in_the_way_means_the_same_when_it_is_written_out():
    settings = built_in("native")

    def check(text):
        before = load(text)
        injected = inject("-f-", *settings.options, text=text)
        for one, other in zip(before, load(injected)):
            expect_added(copy.deepcopy(json.loads(json.dumps(one))), other, settings)
        true(inject("-f-", *settings.options, text=injected) == injected, "injecting again changes bytes")
        same(load(inject("-f-", "--uninject", text=injected)), before, "the model after uninject")

    texts = []
    for n in range(60):
        maker = Maker(f"alias {n}", True)
        model = maker.workload(f"a-{n}")
        path = [*PATHS[model["kind"]], *maker.random.choice(((), ("spec",), ("spec", "containers")))]
        texts.append(with_alias(f"alias {n}", model, path or ["spec"]).encode())
    Corpus(texts).hold(check)


def paths_to_keep(model):
    """Of a pod, what nothing is added to and is there to be said elsewhere."""
    at = PATHS[model["kind"]]
    pod = next(pods_of(model))
    if (pod.get("metadata") or {}).get("labels"):
        yield [*at, "metadata", "labels"]
    for n, container in enumerate(pod["spec"]["containers"]):
        yield [*at, "spec", "containers", n]
        yield from ([*at, "spec", "containers", n, key] for key in ("args", "env", "ports") if key in container)


@test(deadline=60)
def aliases_of_what_nothing_is_added_to_stay():
    settings, others = built_in("native"), built_in("container")
    texts = []
    for n in range(60):
        model = Maker(f"kept {n}", True).workload(f"a-{n}")
        texts += [with_alias(f"kept {n}", model, path).encode() for path in paths_to_keep(model)]
    made = Corpus(texts)
    for check in (check_round_trip(settings), check_added_lines(settings), check_update(settings, others)):
        made.hold(check)


def objects_in(text):
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        made, at = decoder.raw_decode(text, at)
        yield made
        while at < len(text) and text[at].isspace():
            at += 1


@test(deadline=60)
def kubectl_reads_the_same_from_what_is_injected():
    need("kubectl")
    settings = built_in("native")
    styles = (("lines", in_lines), ("mixed", mixed), ("compact", compact_json), ("crlf", with_crlf(in_lines)))
    for name, write in styles:
        made = corpus(f"kubectl {name}", 40, write, in_lines=write is not mixed)
        models = [model for model in load(made.whole) if "name" in (model.get("metadata") or {})]
        texts = [text for text in made.texts if "name" in (load(text)[0].get("metadata") or {})]
        injected = inject("-f-", *settings.options, text=(b"" if write is compact_json else b"---\n").join(texts))
        command = ["kubectl", "label", "--local", "-f", "-", "x=y", "-o", "json", "--dry-run=client"]
        done = subprocess.run(command, input=injected, capture_output=True, timeout=50, check=False)
        same(done.returncode, 0, f"kubectl's status, with {shown(done.stderr.decode())}")
        read = list(objects_in(done.stdout.decode()))
        same(len(read), len(models), "number of objects")
        for model, found in zip(models, read):
            expect_added(without_labels(model), without_labels(found), settings)


def without_labels(model):
    """What kubectl does not change, when it sets a label."""
    kept = {"kind": model["kind"], "spec": model["spec"]}
    if model["kind"] == "Pod":
        kept["metadata"] = {"annotations": model["metadata"].get("annotations")}
    return kept


main()
