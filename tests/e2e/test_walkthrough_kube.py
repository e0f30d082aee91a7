"""The page's first step as its reader takes it: kubectl, at a real API server; then curl, from the redirected pod."""

import yaml

from harness import has, main, same, test, until
from kubeserver import kubectl, the_cluster
from proxy import PAGE
from walk import GATEWAY, World, answered


@test(deadline=90)
def services_created_by_kubectl_answer_and_deleted_ones_are_refused():
    cluster, world = the_cluster(), World()
    world.start_following_gateway(cluster)
    world.start_pod("--gateway", GATEWAY)
    names = [service["metadata"]["name"] for service in yaml.safe_load_all(PAGE.read_text())]
    world.name_in_dns(PAGE.read_text())
    has(world.curl("http://externalbin/headers").stdout, "externalbin", "the refusal before")
    same(world.httpbin.wires, [], "what arrived outside")
    kubectl(cluster, "create", "-f", "-", input=PAGE.read_text())
    has(answered(world, '"Host"', "http://externalbin/headers"), '"Host": "httpbin.org"')
    has(answered(world, "Host", "http://securegoogle:443"), "Host www.google.com, server name www.google.com, TLSv1.2")
    kubectl(cluster, "delete", "service", *names)
    for url in ("http://externalbin/headers", "http://securegoogle:443"):
        until(lambda: "X-Egressbox-Error: " in world.curl("-i", url).stdout, f"{url} is refused")
    world.finish()


main()
