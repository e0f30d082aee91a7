"""Reloading again and again, with traffic."""

import signal

from harness import folder, main, same, test, until, within
from load import Load
from origins import Origin
from proxy import Proxy, is_instrumented, service


@test(deadline=170)
def a_thousand_reloads_under_load_cost_no_request_and_no_memory():
    directory, origin, rounds = folder(), Origin(), 200 if is_instrumented() else 1000
    path = directory / "services.yaml"

    def text(i):
        return "".join(
            [service("origin", "origin.test", 80)]
            + [service(f"extra-{i}-{k}", f"e-{i}-{k}.test", 80) for k in range(20)]
        )

    path.write_text(text(0))
    pins = [part for k in range(20) for i in range(2) for part in ("--resolve", f"e-{i}-{k}.test=127.0.0.1")]
    proxy = Proxy("", "-f", directory, *pins, "--access-log", "off", resolve={"origin.test": origin.address}, workers=2)
    load = Load(proxy.port, clients=4, pause=0.002)
    load.more()
    sizes, fds = {}, {}
    for i in range(1, rounds + 1):
        new = directory / "new"
        new.write_text(text(i % 2))
        new.rename(path)
        proxy.process.send_signal(signal.SIGHUP)
        until(lambda: proxy.metrics()["egressbox_generation"] > i, f"reload {i}")
        if i % 100 == 0:
            sizes[i], fds[i] = proxy.memory(), proxy.fds()
        load.check()
    load.more()
    load.end().check()
    same(proxy.metrics()["egressbox_reload_failures_total"], 0, "failed reloads")
    if not is_instrumented():
        within(sizes[rounds] - sizes[200], -(1 << 20), 64 << 10, f"growth of memory from reload 200 on in {sizes}")
    within(max(fds.values()) - min(fds.values()), 0, 16, f"spread of descriptors in {fds}")


main()
