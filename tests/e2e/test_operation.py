"""Running it: options and their errors, access log, admin listener, signals."""

import contextlib
import json
import os
import re
import socket
import threading
import time

from harness import EGRESSBOX, folder, has, main, run, same, test, true, until, within
from wire import OK, Client, request
from origins import Origin
from proxy import PAGE, SERVICES, Proxy, entry, gateway

KEYS = "time client method host path status route upstream address reused rx tx ms reason source".split()


def egress_proxy(*options, **more):
    """Runs it to its end, which should be soon."""
    return run(EGRESSBOX, "egress-proxy", *options, **more)


def manifest(text=SERVICES):
    path = folder() / "services.yaml"
    path.write_text(text)
    return path


# Options.


@test
def usage_errors_end_with_status_2_and_name_the_culprit():
    good = manifest()
    for options, named in (
        ((), "-f"),
        (("-f", good, "--no-such-option"), "--no-such-option"),
        (("-f", good, "--listen", "70000"), "70000"),
        (("-f", good, "--listen", "localhost:80x"), "80x"),
        (("-f", good, "--workers", "-1"), "--workers"),
        (("-f", good, "--idle-timeout", "soon"), "--idle-timeout"),
        (("-f", good, "--resolve", "name"), "--resolve"),
        (("-f", good, "--dns", "not-an-address"), "not-an-address"),
        (("-f", good, "--access-log", "xml"), "xml"),
        (("-f", good, "--namespace", "No_Label"), "No_Label"),
        (("-f", good, "--drain-delay", "25s"), "--drain-delay"),
        (("-f", good, "operand"), "operand"),
        (("-f", good.parent / "missing.yaml"), "missing.yaml"),
    ):
        done = egress_proxy(*options)
        same((done.returncode, done.stdout), (2, ""), f"status and stdout for {options[2:] or options}")
        has(done.stderr, named, "stderr")
        true(
            all(line.startswith("egress-proxy:") for line in done.stderr.splitlines()[:1]), f"stderr is {done.stderr!r}"
        )


@test
def mistakes_in_a_manifest_are_all_named_with_their_place():
    bad = manifest(SERVICES.replace("name: origin}", "name: Origin}").replace("port: 443", "port: 99999"))
    done = egress_proxy("-f", bad, "--listen", "127.0.0.1:0")
    same(done.returncode, 2, "exit status")
    true(re.search(rf"egress-proxy: {bad}:3:\d+: ", done.stderr), f"line 3 is not named in {done.stderr!r}")
    true(re.search(rf"egress-proxy: {bad}:9:\d+: ", done.stderr), f"line 9 is not named in {done.stderr!r}")


@test
def check_prints_the_routes_and_ends():
    done = egress_proxy("-f", PAGE, "--check")
    same(done.returncode, 0, "exit status")
    for part in ("externalbin", "httpbin.org", "securegoogle", "www.google.com", "443"):
        has(done.stdout, part, "stdout")
    same(egress_proxy("-f", manifest("kind: [\n"), "--check").returncode, 2, "exit status for broken YAML")


@test
def a_port_in_use_is_an_error_with_status_1():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for options in (
            ("--listen", f"127.0.0.1:{port}", "--admin", "off"),
            ("--listen", "127.0.0.1:0", "--admin", f"127.0.0.1:{port}"),
        ):
            done = egress_proxy("-f", manifest(), *options)
            same(done.returncode, 1, "exit status")
            has(done.stderr, str(port), "stderr")


@test
def manifests_come_from_files_directories_and_stdin():
    origin = Origin()
    two = folder()
    (two / "a.yaml").write_text(SERVICES.split("---\n")[0])
    (two / "b.json").write_text(json.dumps({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "fromjson"},
        "spec": {"type": "ExternalName", "externalName": "origin.test", "ports": [{"name": "http", "port": 80}]},
    }))  # fmt: skip
    (two / "ignored.txt").write_text("not: [yaml")
    proxy = Proxy("", "-f", two, resolve={"origin.test": origin.address})
    same([proxy.get(host=h).status for h in ("origin", "fromjson")], [200, 200])
    same(gateway(origin, text_from="stdin").get().status, 200, "status with the manifest on stdin")


@test
def several_listeners_serve_the_same_routes():
    proxy = gateway(Origin(), "--listen", "127.0.0.2:0", "--listen", "127.0.0.1:0")
    same(len(proxy.ports), 3, "listeners reported")
    same(proxy.get().status, 200)
    same(Client(proxy.ports[2]).ask().status, 200)


@test
def a_listener_without_address_takes_both_families():
    proxy = gateway(Origin(), listen="0")
    for address in ("127.0.0.1", "::1"):
        with socket.create_connection((address, proxy.port), timeout=5) as s:
            s.sendall(request("/", "Connection: close"))
            has(s.recv(4096), b"200 OK", f"answer over {address}")
    same([e["client"].rpartition(":")[0] for e in proxy.entries(2)], ["127.0.0.1", "[::1]"], "clients logged")


@test
def several_workers_share_one_port():
    def threads(proxy):
        return len(os.listdir(f"/proc/{proxy.process.pid}/task"))

    origin = Origin()
    proxy = gateway(origin, workers=4)
    same(threads(proxy) - threads(gateway(origin, workers=1)), 3, "threads more than with one worker")
    for _ in range(40):
        same(proxy.get().status, 200)
    same(len(proxy.entries(40)), 40, "lines logged")


# The access log.


@test
def the_text_log_has_its_keys_in_their_order():
    proxy = gateway(Origin())
    client = Client(proxy)
    client.ask("/a?b=c")
    line = proxy.lines(1)[0]
    values = entry(line)
    same(list(values), KEYS, "keys")
    same(values["client"], "%s:%d" % client.sock.getsockname(), "client")
    same((values["method"], values["path"], values["status"], values["host"]), ("GET", "/a?b=c", "200", "origin"))
    same(values["source"].rpartition("/")[2].split(":")[0], "services.yaml", "file named by source")


@test
def the_json_log_has_the_same_keys():
    proxy = gateway(Origin(), "--access-log", "json")
    proxy.get("/a")
    proxy.get(host="nobody")
    for line in proxy.lines(2):
        same(list(json.loads(line)), KEYS, "keys")
    first, second = (json.loads(line) for line in proxy.lines(2))
    same((first["status"], first["reason"], second["status"], second["reason"]), (200, "ok", 404, "unknown_host"))


@test
def the_log_can_be_off():
    proxy = gateway(Origin(), "--access-log", "off")
    for _ in range(3):
        proxy.get()
    proxy.process.terminate()
    same(proxy.process.wait(5), 0, "exit status")
    same(proxy.lines(), [], "lines")


@test
def lines_of_several_workers_never_mix():
    proxy = gateway(Origin(), workers=3)

    def ask(number):
        client = Client(proxy)
        for i in range(200):
            client.ask(f"/{number}-{i}-" + "x" * (i * 20))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = proxy.entries(1200)
    same(len({e["path"] for e in entries}), 1200, "different lines")
    same({e["reason"] for e in entries}, {"ok"}, "reasons")


@test
def bytes_are_counted_as_they_passed():
    origin = Origin(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000)
    proxy = gateway(origin)
    asked = request(method="POST", body=b"y" * 3000)
    answer = Client(proxy).send(asked).message()
    values = proxy.entries(1)[0]
    same((int(values["rx"]), int(values["tx"])), (len(asked), len(answer.raw)), "rx and tx")


@test
def the_log_says_how_long_it_took():
    go = threading.Event()

    def script(wire):
        wire.message()
        go.wait(5)
        wire.send(OK)

    proxy = gateway(Origin(script))
    client, began = Client(proxy).send(request()), time.monotonic()
    until(lambda: time.monotonic() - began > 0.1, "a tenth of a second has passed")
    go.set()
    client.message()
    within(float(proxy.entries(1)[0]["ms"]), 90, 5000, "ms")


@test
def no_request_can_forge_a_line_of_the_log():
    for log in ("text", "json"):
        proxy = gateway(Origin(), "--access-log", log)
        attacks = [
            b'GET /"\\x" HTTP/1.1\r\nHost: origin\r\n\r\n',
            b'GET /a"%0areason=ok HTTP/1.1\r\nHost: origin\r\n\r\n',
            b'GET / HTTP/1.1\r\nHost: a" status=200 "\r\n\r\n',
            b"GET / HTTP/1.1\r\nHost: a\nb\r\n\r\n",
            b"GET /\n2026-01-01T00:00:00.000Z client=x HTTP/1.1\r\nHost: origin\r\n\r\n",
            b"GET /\x1b[31m HTTP/1.1\r\nHost: origin\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: \xff\xc3\xa9\xe2\x80\xa8\r\n\r\n",
            b'"}\n{" / HTTP/1.1\r\nHost: origin\r\n\r\n',
            b'GET /\\u000a\\" HTTP/1.1\r\nHost: origin\r\n\r\n',
        ]
        for attack in attacks:
            Client(proxy).send(attack).message()
        lines = proxy.lines(len(attacks))
        same(len(lines), len(attacks), "lines logged")
        for line in lines:
            same(list(entry(line)), KEYS, "keys")
            true(all(32 <= ord(c) < 127 for c in line), f"control or high bytes in {line!r}")


@test
def every_refusal_is_logged_with_its_reason():
    proxy = gateway(Origin())
    for data, reason in (
        (request(host="nobody"), "unknown_host"),
        (request(host="origin:81"), "unknown_port"),
        (b"GET / HTTP/1.1\r\n\r\n", "host_missing"),
        (b"GET / HTTP/2.0\r\nHost: origin\r\n\r\n", "version_unsupported"),
        (request("/", "Content-Length: 1", "Transfer-Encoding: chunked"), "length_and_coding"),
        (request("/", "Via: 1.1 egressbox"), "loop"),
    ):
        count = len(proxy.lines())
        Client(proxy).send(data).message()
        same(proxy.entries(count + 1)[-1]["reason"], reason, "reason logged")


def logging_to_a_pipe():
    reader, writer = os.pipe()
    proxy = gateway(Origin(), stdout=writer)
    os.close(writer)
    return reader, proxy


@test
def a_log_that_nobody_reads_does_not_stop_the_service():
    reader, proxy = logging_to_a_pipe()
    client = Client(proxy)
    for _ in range(2000):
        same(client.ask("/" + "x" * 100).status, 200)
    os.close(reader)


@test
def each_line_that_nobody_takes_is_counted():
    """What was read and what was counted as lost are all requests, to the line."""
    reader, proxy = logging_to_a_pipe()
    client = Client(proxy)
    total = 1500
    for _ in range(total):
        same(client.ask("/" + "x" * 1000).status, 200)
    lost = proxy.metrics()["egressbox_access_log_lost_lines_total"]
    true(0 < lost < total, f"{lost} lines are lost")
    proxy.process.terminate()
    with open(reader, "rb") as log:
        lines = log.read().splitlines()
    same(len(lines) + lost, total, "lines read and lost")
    same({len(line) for line in lines[:-1]} - set(range(1150, 1300)), set(), "lengths of lines that are no line's")
    same(proxy.process.wait(10), 0, "exit status")


@test
def a_log_whose_reader_has_gone_does_not_end_the_service():
    reader, proxy = logging_to_a_pipe()
    os.close(reader)
    for _ in range(10):
        same(proxy.get().status, 200)


# The admin listener.


@test
def healthz_and_readyz_say_ok():
    proxy = gateway(Origin())
    for target in ("/healthz", "/readyz"):
        answer = proxy.ask_admin(target)
        same(answer.status, 200, f"status of {target}")


@test
def other_paths_and_methods_of_the_admin_listener_are_refused():
    proxy = gateway(Origin())
    same(proxy.ask_admin("/nothing").status, 404)
    same(Client(proxy.admin).send(request("/metrics", method="POST")).message().status, 405)
    same(Client(proxy.admin).send(b"junk\r\n\r\n").message().status // 100, 4, "class of status for junk")


@test
def silent_connections_to_the_admin_listener_keep_nobody_out():
    proxy = gateway(Origin())
    for _ in range(200):
        Client(proxy.admin)
    same(proxy.ask_admin("/healthz").status, 200)
    same(proxy.get().status, 200)


@test
def the_admin_listener_can_be_off():
    proxy = gateway(Origin(), "--admin", "off")
    same(proxy.admin, None, "admin address reported")
    same(proxy.get().status, 200)


@test
def the_admin_listener_can_be_on_all_addresses():
    proxy = gateway(Origin(), "--admin", "*:0")
    for address in ("127.0.0.1", "127.0.0.2", "::1"):
        with socket.create_connection((address, proxy.admin), 10) as s:
            s.sendall(request("/healthz", "Connection: close"))
            has(s.recv(4096).decode(), "200 OK", f"answer on {address}")
    done = egress_proxy("-f", manifest(), "--admin", "*:localhost")
    same((done.returncode, done.stderr.count("--admin")), (2, 1), f"stderr: {done.stderr!r}")


# Draining, from outside.


@test
def drain_waits_for_the_last_client_and_no_longer():
    proxy = gateway(Origin())
    client = Client(proxy)
    same(client.ask("/", host="origin").status, 200)
    done = egress_proxy("--drain", "500ms", "--admin", f"{proxy.admin}")
    same((done.returncode, done.stdout), (1, ""), f"with a client; stderr: {done.stderr!r}")
    has(done.stderr, "1 open connections", "stderr")
    client.close()
    done = egress_proxy("--drain", "60s", "--admin", f"*:{proxy.admin}")
    same((done.returncode, done.stdout, done.stderr), (0, "", ""), "without clients")


@test
def drain_needs_an_admin_port():
    same(egress_proxy("--drain", "1s", "--admin", "off").returncode, 2)


@test
def metrics_are_well_formed():
    """The text format's rules: HELP and TYPE before samples, one block per family, no duplicates."""
    proxy = gateway(Origin())
    proxy.get()
    answer = proxy.ask_admin("/metrics")
    true(answer.get("content-type").startswith("text/plain"), f"Content-Type is {answer.get('content-type')}")
    text = answer.body.decode()
    true(text.endswith("\n"), "no line end at the end")
    sample = re.compile(r'([a-z_][a-z0-9_]*)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?[0-9.eE+-]+|\+Inf|NaN)')
    families, seen, values, current = {}, set(), {}, None
    for line in text.splitlines():
        if line.startswith("# "):
            _, what, name, rest = line.split(" ", 3)
            if name != current:
                true(name not in families, f"family {name} twice")
                current, families[name] = name, {}
            families[name][what] = rest
            continue
        match = sample.fullmatch(line)
        true(match, f"sample line {line!r}")
        base = (
            re.sub("_(bucket|sum|count)$", "", match.group(1))
            if families[current].get("TYPE") == "histogram"
            else match.group(1)
        )
        same(base, current, f"family of {line!r}")
        true(match.group(1, 2) not in seen, f"{line!r} twice")
        seen.add(match.group(1, 2))
        values[match.group(1, 2)] = float(match.group(3))
        kind = families[current]["TYPE"]
        same(match.group(1).endswith("_total"), kind == "counter", f"{line!r} ends in _total, type {kind}")
        labels = re.findall(r'([a-z_]+)="', match.group(2) or "")
        same(len(labels), len(set(labels)), f"labels of {line!r}")
    for name in (n for n, f in families.items() if f["TYPE"] == "histogram"):
        buckets = [(k[1], v) for k, v in values.items() if k[0] == name + "_bucket"]
        same(buckets[-1][0], '{le="+Inf"}', f"last bucket of {name}")
        same([v for _, v in buckets], sorted(v for _, v in buckets), f"buckets of {name}")
        same(buckets[-1][1], values[name + "_count", None], f"count of {name}")
        true(values[name + "_sum", None] > 0, f"sum of {name}")
    for name, family in families.items():
        same(sorted(family), ["HELP", "TYPE"], f"comments of {name}")
        has(("counter", "gauge", "histogram"), family["TYPE"], "types")


def requests_total(metrics, part=""):
    return sum(v for k, v in metrics.items() if re.match(r"egressbox_requests_total\b", k) and part in k)


@test
def requests_are_counted_over_all_workers():
    proxy = gateway(Origin(), workers=3)
    before = requests_total(proxy.metrics())
    for _ in range(30):
        proxy.get()
    for _ in range(5):
        proxy.get(host="nobody")
    proxy.lines(35)
    metrics = proxy.metrics()
    same(requests_total(metrics) - before, 35, "requests counted")
    same(sum(v for k, v in metrics.items() if "unknown_host" in k), 5, "unknown hosts counted")


@test
def requests_are_counted_by_service_code_and_reason():
    answers = iter([OK, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", b"nonsense\r\n\r\n"])

    def script(wire):
        wire.message()
        wire.send(next(answers))

    proxy = gateway(Origin(script), workers=2)
    same([proxy.get().status for _ in range(3)], [200, 404, 502])
    same(proxy.get(host="secure:443").status, 502)
    proxy.lines(4)
    counted = {k: v for k, v in proxy.metrics().items() if "service_requests" in k}
    name = "egressbox_service_requests_total"
    same(counted, {
        f'{name}{{service="default/origin:80",code="2xx",reason="ok"}}': 1,
        f'{name}{{service="default/origin:80",code="4xx",reason="ok"}}': 1,
        f'{name}{{service="default/origin:80",code="5xx",reason="bad_response"}}': 1,
        f'{name}{{service="default/secure:443",code="5xx",reason="connect_refused"}}': 1,
    })  # fmt: skip


@test
def routes_are_shown_as_text_and_json():
    proxy = gateway(Origin())
    text = proxy.ask_admin("/routes").body.decode()
    for part in ("origin", "origin.test", "secure", "secure.test", "services.yaml:"):
        has(text, part, "/routes")
    rows = [json.loads(line) for line in proxy.ask_admin("/routes?format=json").body.decode().splitlines()]
    same([len(r) for r in ([r for r in rows if k in r] for k in ("host", "addresses"))], [2, 2], "routes, names in JSON")


# Signals.


def slow(release):
    def script(wire):
        wire.message()
        release.wait(10)
        wire.send(OK)
        wire.to_end()

    return script


@test
def sigterm_finishes_the_request_under_way():
    release = threading.Event()
    origin = Origin(slow(release))
    proxy = gateway(origin)
    client, idle = Client(proxy).send(request()), Client(proxy)
    until(lambda: origin.wires and origin.wires[0].received, "the request is under way")
    proxy.process.terminate()
    true(idle.is_closed(), "the idle connection gets bytes")
    until(lambda: refused(proxy.port), "no new connection is taken")
    release.set()
    answer = client.message()
    same((answer.body, answer.get("connection")), (b"ok", "close"))
    same(proxy.process.wait(5), 0, "exit status")


@test
def sigterm_under_load_cuts_no_answer_short():
    """Each client asks until its connection ends, which may be between two answers and nowhere else."""
    body = b"x" * 50000
    origin = Origin(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    proxy = gateway(origin, workers=2)
    partial, answered = [], []

    def ask_for_ever(client):
        with contextlib.suppress(OSError, EOFError):
            while True:
                client.ask()
                answered.append(1)
        if client.rest():
            partial.append(client.rest()[:200])

    threads = [threading.Thread(target=ask_for_ever, args=(Client(proxy),)) for _ in range(20)]
    for thread in threads:
        thread.start()
    until(lambda: len(answered) > 100, "the load is on")
    proxy.process.terminate()
    same(proxy.process.wait(5), 0, "exit status")
    for thread in threads:
        thread.join()
    same(partial, [], "answers cut short")


def refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    except TimeoutError:  # while it ends, who is new is not answered
        return False
    return False


@test
def sigint_ends_it_like_sigterm():
    proxy = gateway(Origin())
    proxy.get()
    proxy.process.send_signal(2)
    same(proxy.process.wait(5), 0, "exit status")


def stuck(*options):
    """A proxy with a request that never ends, which has got SIGTERM."""
    origin = Origin(slow(threading.Event()))
    proxy = gateway(origin, *options)
    Client(proxy).send(request())
    until(lambda: origin.wires and origin.wires[0].received, "the request is under way")
    proxy.process.terminate()
    return proxy


@test
def a_second_signal_ends_it_at_once():
    proxy = stuck()
    until(lambda: refused(proxy.port), "the first signal has been seen")
    proxy.process.terminate()
    true(proxy.process.wait(2) in (0, 1), f"exit status {proxy.process.returncode}")


@test
def the_shutdown_timeout_ends_what_does_not_end():
    proxy = stuck("--shutdown-timeout", "200ms")
    true(proxy.process.wait(3) in (0, 1), f"exit status {proxy.process.returncode}")


@test
def sigterm_ends_tunnels_too():
    def script(wire):
        wire.message()
        wire.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
        wire.to_end()

    proxy = gateway(Origin(script), "--shutdown-timeout", "200ms")
    same(Client(proxy).ask("/", "Connection: upgrade", "Upgrade: x").status, 101)
    proxy.process.terminate()
    true(proxy.process.wait(3) in (0, 1), f"exit status {proxy.process.returncode}")


main()
