"""Reloading: manifests that change while traffic flows, and nobody notices but those who asked for it."""

import os
import re
import shutil
import signal
import threading

from harness import folder, lacks, main, same, test, true, until
from nameserver import Stub, reply_to
from origins import Lab, Origin
from proxy import SERVICES, Proxy, gateway
from wire import OK, Client, request


def service(name, external="origin.test"):
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{type: ExternalName, "
        f"externalName: {external}, ports: [{{name: http, port: 80}}]}}\n---\n"
    )


def known(proxy, host):
    return proxy.get(host=host).status == 200


def becomes_known(proxy, host):
    until(lambda: known(proxy, host), f"{host} is routed; stderr: {proxy.stderr()}")


def becomes_unknown(proxy, host):
    until(lambda: proxy.get(host=host).status == 404, f"{host} is not routed; stderr: {proxy.stderr()}")


def replace(path, text):
    """As editors do: a new file, renamed over the old one."""
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.rename(path)


def watching(paths, *options, origin=None, **more):
    """A proxy of these paths; the harness's own manifest is a file without Services beside them."""
    arguments = [part for path in paths for part in ("-f", path)]
    return Proxy("", *arguments, *options, resolve={"origin.test": (origin or Origin()).address}, **more)


@test
def sighup_reads_the_manifests_again():
    proxy = gateway(Origin())
    path = proxy.dir / "services.yaml"
    same(proxy.get(host="more").status, 404)
    path.write_text(SERVICES + "---\n" + service("more"))
    proxy.process.send_signal(signal.SIGHUP)
    becomes_known(proxy, "more")
    same(proxy.metrics()["egressbox_generation"], 2, "generation")


@test
def a_file_that_is_written_to_is_read_again():
    path = folder() / "services.yaml"
    path.write_text(service("one"))
    proxy = watching([path])
    path.write_text(service("two"))
    becomes_known(proxy, "two")
    same(proxy.get(host="one").status, 404)


@test
def a_file_is_not_read_before_its_writer_has_closed_it():
    path = folder() / "services.yaml"
    path.write_text(service("one"))
    proxy = watching([path])
    with open(path, "w") as file:
        file.write(service("two") + "kind: [\n")
        file.flush()
        (path.parent / "other.yaml").write_text("")  # nothing to do with it
        same(proxy.get(host="one").status, 200)
        file.seek(0)
        file.truncate()
        file.write(service("two"))
    becomes_known(proxy, "two")
    lacks(proxy.stderr(), "error", "stderr")


@test
def a_file_that_is_replaced_is_read_again_and_again():
    path = folder() / "services.yaml"
    path.write_text(service("name-0"))
    proxy = watching([path])
    for i in range(1, 6):
        replace(path, service(f"name-{i}"))
        becomes_known(proxy, f"name-{i}")
        same(proxy.get(host=f"name-{i - 1}").status, 404)


@test
def files_come_to_a_directory_and_leave_it():
    directory = folder()
    (directory / "a.yaml").write_text(service("one"))
    proxy = watching([directory])
    (directory / "b.yml").write_text(service("two"))
    becomes_known(proxy, "two")
    (directory / "c.txt").write_text("kind: [")
    os.link(directory / "a.yaml", directory / "a.txt")
    (directory / "a.yaml").unlink()
    becomes_unknown(proxy, "one")
    (directory / "a.txt").rename(directory / "z.json.yaml")
    becomes_known(proxy, "one")
    lacks(proxy.stderr(), "error", "stderr")


def config_map(directory, files, stamp):
    """What the kubelet does with a mounted ConfigMap (its atomic writer)."""
    (directory / stamp).mkdir()
    for name, text in files.items():
        (directory / stamp / name).write_text(text)
    (directory / "..data_tmp").symlink_to(stamp)
    (directory / "..data_tmp").rename(directory / "..data")
    for name in files:
        if not (directory / name).is_symlink():
            (directory / name).symlink_to(f"..data/{name}")
    for old in list(directory.iterdir()):
        if not old.is_symlink() and old.name != stamp:
            shutil.rmtree(old)
        elif not old.exists():
            old.unlink()


@test
def a_config_map_is_followed_as_a_directory_and_as_a_file():
    for as_file in (False, True):
        directory = folder()
        config_map(directory, {"services.yaml": service("one")}, "..1")
        proxy = watching([directory / "services.yaml" if as_file else directory])
        for i in range(2, 5):
            config_map(directory, {"services.yaml": service(f"name-{i}")}, f"..{i}")
            becomes_known(proxy, f"name-{i}")
        same(proxy.get(host="one").status, 404)
        lacks(proxy.stderr(), "error", "stderr")


@test
def keys_come_to_a_config_map_and_leave_it():
    directory = folder()
    config_map(directory, {"a.yaml": service("one")}, "..1")
    proxy = watching([directory])
    config_map(directory, {"a.yaml": service("one"), "b.yaml": service("two")}, "..2")
    becomes_known(proxy, "two")
    config_map(directory, {"b.yaml": service("two")}, "..3")
    becomes_unknown(proxy, "one")
    same(proxy.get(host="two").status, 200)


@test
def what_a_link_leads_to_is_followed():
    there, here = folder(), folder()
    (there / "real.yaml").write_text(service("one"))
    (here / "services.yaml").symlink_to(there / "real.yaml")
    for path in (here, here / "services.yaml"):
        proxy = watching([path])
        replace(there / "real.yaml", service("two"))
        becomes_known(proxy, "two")
        replace(there / "real.yaml", service("one"))
        becomes_known(proxy, "one")


@test
def a_directory_that_was_away_is_found_again():
    top = folder()
    (top / "conf").mkdir()
    (top / "conf/a.yaml").write_text(service("one"))
    for path in (top / "conf", top / "conf/a.yaml"):
        # In the sandbox, files can be read that are below the directories of the start.
        proxy = watching([path], "--no-sandbox")
        (top / "conf").rename(top / "gone")
        until(lambda: "error" in proxy.stderr(), "it is missed")
        same(proxy.get(host="one").status, 200)
        (top / "new").mkdir()
        (top / "new/a.yaml").write_text(service("two"))
        (top / "new").rename(top / "conf")
        becomes_known(proxy, "two")
        shutil.rmtree(top / "gone")
        replace(top / "conf/a.yaml", service("one"))
        becomes_known(proxy, "one")


@test
def a_bad_manifest_changes_nothing_and_is_named_in_log_and_metrics():
    path = folder() / "services.yaml"
    path.write_text(service("one"))
    proxy = watching([path])
    before = proxy.metrics()
    same((before["egressbox_last_reload_ok"], before["egressbox_generation"]), (1, 1))
    replace(path, service("two") + service("three").replace("port: 80", "port: 80000"))
    until(lambda: proxy.metrics()["egressbox_reload_failures_total"] == 1, "the reload has failed")
    true(re.search(rf" error manifest at={path}:9:\d+ problem=", proxy.stderr()), f"stderr is {proxy.stderr()}")
    same((proxy.get(host="one").status, proxy.get(host="two").status), (200, 404), "status of the old and the new")
    after = proxy.metrics()
    same((after["egressbox_last_reload_ok"], after["egressbox_generation"]), (0, 1))
    replace(path, service("two"))
    becomes_known(proxy, "two")
    after = proxy.metrics()
    same((after["egressbox_last_reload_ok"], after["egressbox_generation"]), (1, 2))
    true(after["egressbox_last_reload_good_timestamp_seconds"] > 1.7e9, "the time of the reload is no Unix time")


@test
def the_same_content_is_no_new_generation():
    path = folder() / "services.yaml"
    path.write_text(service("one"))
    proxy = watching([path])
    replace(path, service("one"))
    until(lambda: proxy.metrics()["egressbox_reloads_total"] == 1, "it was read again")
    proxy.process.send_signal(signal.SIGHUP)
    until(lambda: proxy.metrics()["egressbox_reloads_total"] == 2, "it was read again")
    metrics = proxy.metrics()
    same((metrics["egressbox_generation"], metrics["egressbox_last_reload_ok"]), (1, 1))


@test
def what_has_nothing_to_do_with_the_manifests_is_not_looked_at():
    path = folder() / "services.yaml"
    path.write_text(service("one"))
    proxy = watching([path])
    (path.parent / "else.yaml").write_text("kind: [")
    (path.parent / "services.yaml.swp").write_text("kind: [")
    replace(path, service("two"))
    becomes_known(proxy, "two")
    same(proxy.metrics()["egressbox_reloads_total"], 1, "reloads")


@test
def standard_input_and_pipes_cannot_be_read_again():
    origin = Origin()
    piped = folder() / "pipe"
    os.mkfifo(piped)
    feeder = threading.Thread(target=lambda: piped.write_text(service("piped")), daemon=True)
    feeder.start()
    for proxy in (gateway(origin, text_from="stdin"), watching([piped], origin=origin)):
        proxy.process.send_signal(signal.SIGHUP)
        until(lambda: "can't be read again" in proxy.stderr(), "it says so")
        same(proxy.metrics()["egressbox_reloads_total"], 0, "reloads")
    same(proxy.get(host="piped").status, 200)


@test
def a_request_under_way_ends_on_the_routes_it_began_with():
    release = threading.Event()

    def slow(wire):
        wire.message()
        release.wait(10)
        wire.send(OK)
        wire.to_end()

    path = folder() / "services.yaml"
    path.write_text(service("one"))
    origin = Origin(slow)
    proxy = watching([path], origin=origin)
    client = Client(proxy).send(request(host="one"))
    until(lambda: origin.wires and origin.wires[0].received, "the request is under way")
    for i in range(20):
        replace(path, service(f"name-{i}"))
        proxy.process.send_signal(signal.SIGHUP)
        until(lambda: proxy.metrics()["egressbox_generation"] == i + 2, "the routes have changed")
    same(Client(proxy).ask(host="one").status, 404)
    release.set()
    same(client.message().status, 200)
    same(proxy.entries(2)[1]["route"], "default/one:80", "route logged")


@test
def names_that_stay_keep_their_addresses_and_nothing_waits():
    """The name server falls silent after its first answer: whoever asked again would wait for it."""
    origin, silent = Origin(), threading.Event()
    server = Stub(lambda packet: [] if silent.is_set() else [reply_to(packet, "127.0.0.1")])
    path = folder() / "services.yaml"

    def text(*names):
        port = f"port: {origin.port}"
        return "".join(service(n, e) for n, e in names).replace("port: 80", port)

    path.write_text(text(("one", "stays.test")))
    proxy = Proxy("", "-f", path, "--dns", f"127.0.0.1:{server.port}")
    host = f"one:{origin.port}"
    same(proxy.get(host=host).status, 200)
    silent.set()
    for i in range(5):
        replace(path, text(("one", "stays.test"), (f"new-{i}", f"new-{i}.test"), ("two", "stays.test")))
        until(lambda: proxy.metrics()["egressbox_generation"] == i + 2, "the routes have changed")
        same(proxy.get(host=host).status, 200)
        same(proxy.get(host=f"two:{origin.port}").status, 200)
    same(proxy.metrics()["egressbox_names"], 2, "names watched")
    same(proxy.ask_admin("/readyz").status, 200, "status of /readyz while a name has no answer")


@test
def who_waits_for_a_name_gets_its_answer_though_the_routes_change():
    origin, speaks = Origin(), threading.Event()
    server = Stub(lambda packet: speaks.wait(10) and [reply_to(packet, "127.0.0.1")])
    path = folder() / "services.yaml"
    path.write_text(service("one", "late.test").replace("port: 80", f"port: {origin.port}"))
    proxy = Proxy("", "-f", path, "--dns", f"127.0.0.1:{server.port}", "--resolve-timeout", "10s")
    client = Client(proxy).send(request(host=f"one:{origin.port}"))
    until(lambda: server.queries, "the name was asked for")
    replace(path, path.read_text() + service("two"))
    until(lambda: proxy.metrics()["egressbox_generation"] == 2, "the routes have changed")
    speaks.set()
    same(client.message().status, 200)


@test
def the_authorities_are_read_again():
    """Of the whole proxy, and of one Service, whose file is in a directory of its own."""
    good, other = Lab(), Lab("Other CA")
    origin = Origin(tls=good.context())
    for by_annotation in (False, True):
        ca = folder() / "ca.pem"
        ca.write_text(other.ca.read_text())
        manifest = SERVICES
        if by_annotation:
            annotations = f'annotations: {{egressbox.io/tls-ca-file: "{ca}"}}'
            manifest = SERVICES.replace("{name: secure}", f"{{name: secure, {annotations}}}")
        options = () if by_annotation else ("--ca-file", ca)
        proxy = Proxy(manifest, *options, resolve={"origin.test": origin.address, "secure.test": origin.address})
        same(proxy.get(host="secure:443").reason, "unknown_issuer")
        replace(ca, "nonsense")
        until(lambda: proxy.metrics()["egressbox_last_reload_ok"] == 0, "nonsense is not taken")
        replace(ca, good.ca.read_text())
        until(lambda: proxy.get(host="secure:443").status == 200, "the authority is trusted")
        replace(ca, other.ca.read_text())
        until(lambda: proxy.get(host="secure:443").status == 502, "it no longer is, though a connection was kept")


main()
