"""What kube-inject writes for iptables-setup is what iptables-setup takes, and means what was asked for."""

import json

from harness import EGRESSBOX, has, lacks, main, run, same, test
from injector import inject

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "app"}]}}


def rules(*options, annotations=None):
    """The nft rules of the injected init container's own arguments."""
    pod = json.loads(json.dumps(POD))
    if annotations:
        pod["metadata"]["annotations"] = annotations
    injected = json.loads(inject("-f", "-", *options, text=json.dumps(pod).encode()))
    setup = injected["spec"]["initContainers"][0]
    same(setup["command"], ["/egressbox", "iptables-setup"], "command")
    done = run(EGRESSBOX, "iptables-setup", *setup["args"], "--print", "nft")
    same(done.returncode, 0, f"status for {setup['args']}: {done.stderr}")
    return done.stdout


@test
def without_settings_all_that_goes_out_is_redirected_and_nothing_that_comes_in():
    text = rules()
    has(text, "redirect to :15001")
    has(text, "skuid 1337")
    lacks(text, "prerouting priority -101")


@test
def port_and_user_are_the_ones_that_were_asked_for():
    text = rules("--proxy-port", "15123", "--sidecarProxyUID", "4321")
    has(text, "redirect to :15123")
    has(text, "skuid 4321")


@test
def the_ranges_of_the_page_are_the_only_ones_redirected():
    text = rules("--includeIPRanges=10.4.0.0/14,10.7.240.0/20")
    has(text, "ip daddr 10.4.0.0/14")  # the second lies in the first
    lacks(text, "everything else")


@test
def every_list_is_taken():
    text = rules(
        "--include-inbound-ports", "8080,9000-9010",
        "--exclude-outbound-ports", "25,5000-5100",
        "--include-outbound-ports", "81", "--includeIPRanges", "10.0.0.0/8,fd00::/8",
        "--exclude-ip-ranges", "10.9.0.0/16", "--exclude-interfaces", "net1,net2",
    )  # fmt: skip
    for word in ("8080", "9000-9010", "25", "5000-5100", "81", "10.0.0.0/8", "fd00::/8", "10.9.0.0/16", "net1", "net2"):
        has(text, word)


@test
def probes_reach_the_sidecar_when_all_that_comes_in_is_redirected():
    text = rules("--include-inbound-ports", "*", "--exclude-inbound-ports", "22", "--admin-port", "15020")
    has(text, "22")
    has(text, "15020")


@test
def an_annotation_without_ranges_redirects_nothing_that_goes_out():
    text = rules(annotations={"traffic.sidecar.istio.io/includeOutboundIPRanges": ""})
    same(text.count('\t\tcounter return comment "excluded range"'), 2, "IPv4 and IPv6 return whatever comes")


main()
