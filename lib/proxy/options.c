#include "proxy/options.h"

#include <stddef.h>

#include "sys/log.h"
#include "version.h"

#define AT(member) offsetof(struct options, member)

/* A duration's row: all have the same form. */
#define TIMEOUT(option, member, value, text)                                                       \
	{                                                                                          \
		.kind = OPT_DURATION, .name = option, .value_name = "TIME", .offset = AT(member),  \
		.initial = value, .min = 1, .max = 86400000, .help = text                          \
	}

const struct opt options_table[] = {
	{.kind = OPT_SECTION, .help = "Routes"},
	{.kind = OPT_LIST,
	 .short_name = 'f',
	 .name = "filename",
	 .value_name = "FILE",
	 .offset = AT(files),
	 .help = "Manifests: a file, a directory (its *.yaml, *.yml and *.json), or - for standard "
		 "input. May be given again."},
	{.kind = OPT_FLAG,
	 .name = "check",
	 .offset = AT(check),
	 .help = "Print the route table and exit: 0 when the manifests are good, else 2."},
	{.kind = OPT_TEXT,
	 .short_name = 'n',
	 .name = "namespace",
	 .value_name = "NAMESPACE",
	 .offset = AT(namespace),
	 .initial = "default",
	 .env = "POD_NAMESPACE",
	 .help = "Services of this namespace may be called by their bare name; manifests without a "
		 "namespace are of this one."},
	{.kind = OPT_TEXT,
	 .name = "cluster-domain",
	 .value_name = "DOMAIN",
	 .offset = AT(cluster_domain),
	 .initial = "cluster.local",
	 .help = "What follows NAME.NAMESPACE.svc in full names."},
	{.kind = OPT_SECTION, .help = "Services of the Kubernetes API"},
	{.kind = OPT_FLAG,
	 .name = "kube",
	 .offset = AT(kube),
	 .help = "Follow the ExternalName Services of the API server, as the pod's service account "
		 "or as below, beside those of files, which win. Readiness waits for the first "
		 "list."},
	{.kind = OPT_FLAG,
	 .short_name = 'A',
	 .name = "all-namespaces",
	 .offset = AT(all_namespaces),
	 .help = "Those of all namespaces, not only of --namespace."},
	{.kind = OPT_TEXT,
	 .name = "selector",
	 .value_name = "LABELS",
	 .offset = AT(selector),
	 .help = "Only those with these labels, as kubectl's --selector."},
	ACCESS_ROWS(AT(access)),
	{.kind = OPT_FLAG,
	 .name = "print-rbac",
	 .offset = AT(print_rbac),
	 .help = "Print the role that --kube needs, and exit."},
	{.kind = OPT_SECTION, .help = "Listening"},
	{.kind = OPT_LIST,
	 .short_name = 'l',
	 .name = "listen",
	 .value_name = "[ADDR:]PORT",
	 .offset = AT(listen),
	 .help = "Take requests here. May be given again. Without ADDR on all addresses, IPv6 and "
		 "IPv4; port 0: any free one. [default: 8080]"},
	{.kind = OPT_LIST,
	 .name = "transparent",
	 .value_name = "[ADDR:]PORT",
	 .offset = AT(transparent),
	 .help = "Take connections here that iptables-setup redirected; a sidecar. May be given "
		 "again. Then --listen has no default and -f may be left out."},
	{.kind = OPT_TEXT,
	 .name = "admin",
	 .value_name = "[ADDR:]PORT",
	 .offset = AT(admin),
	 .initial = "127.0.0.1:15000",
	 .help = "Serve /healthz, /readyz, /metrics and /routes here; off: nowhere. Without ADDR "
		 "on 127.0.0.1; *:PORT: on all addresses, for a kubelet's probes."},
	{.kind = OPT_NUMBER,
	 .name = "ready-fd",
	 .value_name = "N",
	 .offset = AT(ready_fd),
	 .max = 1048576,
	 .help = "When serving, write a line \"listener ADDR:PORT\" for each and \"admin "
		 "ADDR:PORT\" "
		 "to this descriptor, and close it."},
	{.kind = OPT_TEXT,
	 .name = "upgrade-socket",
	 .value_name = "PATH|@NAME",
	 .offset = AT(upgrade_socket),
	 .help = "Take the place of the proxy that was started with the same socket, if there is "
		 "one: its listeners are passed on, and when this one is ready that one finishes "
		 "what is under way and ends. Port 0 is not passed on. @NAME: not in the file "
		 "system; containers of one pod share it."},
	{.kind = OPT_NUMBER,
	 .name = "workers",
	 .value_name = "N",
	 .offset = AT(workers),
	 .min = 1,
	 .max = OPTIONS_WORKERS_MAX,
	 .help = "Threads that carry traffic. [default: the CPUs allowed]"},
	{.kind = OPT_SECTION, .help = "Redirected connections (--transparent)"},
	{.kind = OPT_TEXT,
	 .name = "cluster-cidr",
	 .value_name = "CIDR[,CIDR]...",
	 .offset = AT(cluster_cidr),
	 .help = "What is inside: passed on as it is, as is what comes in for the pod itself; see "
		 "cidr-describe. [default: " CONFIG_CIDRS "]"},
	{.kind = OPT_TEXT,
	 .name = "gateway",
	 .value_name = "HOST:PORT",
	 .offset = AT(gateway),
	 .help = "Send HTTP for the outside to this egress gateway, its Host as it came. NAME, "
		 "NAME.NAMESPACE and NAME.NAMESPACE.svc are Services of the cluster; what has more "
		 "labels, or a dot behind, is a name as it is."},
	{.kind = OPT_CHOICE,
	 .name = "outbound-policy",
	 .value_name = "POLICY",
	 .offset = AT(outbound_policy),
	 .initial = "registered",
	 .choices = verdict_policy_names,
	 .help = "What to do with the rest of what goes outside, that is neither HTTP for a "
		 "registered host nor TLS for the external name of a registered https port: "
		 "registered: refuse it, HTTP with an answer and all else with a reset; any: pass "
		 "it on as it is."},
	{.kind = OPT_DURATION,
	 .name = "detect-timeout",
	 .value_name = "TIME",
	 .offset = AT(detect_ms),
	 .min = 1,
	 .max = 86400000,
	 .help = "How long a client to the outside may be silent before the policy decides: it may "
		 "wait for the server's first word. [default: 5s, with the policy any 300ms]"},
	{.kind = OPT_FLAG,
	 .name = "no-sandbox",
	 .offset = AT(no_sandbox),
	 .help = "Keep system calls and files that serving does not need: for debuggers, or when "
		 "manifests will be read from other directories than at the start, through new "
		 "links or because a directory is replaced as a whole."},
	{.kind = OPT_SECTION, .help = "Names and certificates"},
	{.kind = OPT_LIST,
	 .name = "resolve",
	 .value_name = "NAME=ADDR[,ADDR]...",
	 .offset = AT(resolve),
	 .help = "Use these addresses for an external name instead of asking; with ADDR:PORT also "
		 "another port. May be given again."},
	{.kind = OPT_LIST,
	 .name = "dns",
	 .value_name = "ADDR[:PORT]",
	 .offset = AT(dns),
	 .help = "Ask this name server. May be given again. [default: those of /etc/resolv.conf]"},
	{.kind = OPT_FLAG,
	 .name = "deny-private",
	 .offset = AT(deny_private),
	 .help = "Connect to globally reachable addresses only: not to 10.0.0.0/8, 100.64.0.0/10, "
		 "172.16.0.0/12, 192.168.0.0/16, fc00::/7 or anything else that IANA's registries "
		 "keep for private use, tests, documentation or the future. Loopback, link-local, "
		 "multicast, unspecified and cloud metadata addresses and the proxy's own "
		 "listeners "
		 "are never connected to, and neither are IPv6 forms of them."},
	{.kind = OPT_LIST,
	 .name = "deny-upstream",
	 .value_name = "CIDR[,CIDR]...",
	 .offset = AT(deny_upstream),
	 .help = "Nor connect to addresses in these ranges. May be given again."},
	{.kind = OPT_LIST,
	 .name = "allow-upstream",
	 .value_name = "CIDR[,CIDR]...",
	 .offset = AT(allow_upstream),
	 .help = "Connect to addresses in these ranges whatever else denies them, except the "
		 "proxy's own listeners. Addresses given by --resolve are always connected to. May "
		 "be given again."},
	{.kind = OPT_TEXT,
	 .name = "ca-file",
	 .value_name = "FILE",
	 .offset = AT(ca_file),
	 .env = "SSL_CERT_FILE",
	 .help = "Trust these authorities (PEM) instead of the built-in Mozilla bundle."},
	{.kind = OPT_SECTION, .help = "Headers"},
	{.kind = OPT_TEXT,
	 .name = "via",
	 .value_name = "NAME",
	 .offset = AT(via),
	 .help = "Our name in the Via of requests. One that comes with it has been here before and "
		 "is refused as a loop. [default: egressbox, with --transparent "
		 "egressbox-sidecar]"},
	{.kind = OPT_FLAG,
	 .name = "no-via",
	 .offset = AT(no_via),
	 .help = "Add no Via to requests. nginx compresses nothing for requests with Via. Loops "
		 "are "
		 "not found then."},
	{.kind = OPT_FLAG,
	 .name = "keep-internal-headers",
	 .offset = AT(keep_internal_headers),
	 .help = "Pass x-envoy-*, x-istio-*, x-b3-* and the like on to the outside."},
	{.kind = OPT_SECTION, .help = "Logs"},
	{.kind = OPT_CHOICE,
	 .name = "access-log",
	 .value_name = "FORMAT",
	 .offset = AT(access_log),
	 .initial = "text",
	 .choices = accesslog_format_names,
	 .help = "One line per request on standard output: text, json or off."},
	{.kind = OPT_CHOICE,
	 .name = "log-level",
	 .value_name = "LEVEL",
	 .offset = AT(log_level),
	 .initial = "info",
	 .choices = log_level_names,
	 .help = "What goes to standard error: error, warn, info or debug."},
	{.kind = OPT_SECTION, .help = "Timeouts (ms, s, m or h; a bare number means seconds)"},
	TIMEOUT("header-timeout", timeouts.header_ms, "10s",
		"From a request's first byte to the end of its head; then 408."),
	TIMEOUT("idle-timeout", timeouts.idle_ms, "60s",
		"A client's connection between requests; then it is closed."),
	TIMEOUT("stream-timeout", timeouts.stream_ms, "5m",
		"A body under way, without progress; then 408 or 504, or an end in the middle."),
	TIMEOUT("resolve-timeout", timeouts.resolve_ms, "5s",
		"The first answer for a name; then 503."),
	TIMEOUT("connect-timeout", timeouts.connect_ms, "5s",
		"Connecting to an upstream, all its addresses together; then 504."),
	TIMEOUT("tls-timeout", timeouts.tls_ms, "10s", "The TLS handshake; then 504."),
	TIMEOUT("response-timeout", timeouts.response_ms, "15s",
		"From the end of the request to the response's head; then 504."),
	TIMEOUT("upstream-idle-timeout", timeouts.upstream_idle_ms, "4s",
		"How long an upstream's connection is kept for the next request."),
	TIMEOUT("tunnel-timeout", timeouts.tunnel_ms, "1h",
		"A connection that is upgraded (WebSocket) or passed on as it is, without "
		"traffic; then it is closed."),
	{.kind = OPT_DURATION,
	 .name = "drain-delay",
	 .value_name = "TIME",
	 .offset = AT(drain_delay_ms),
	 .initial = "5s",
	 .max = 86400000,
	 .help = "After SIGTERM, serving on while /readyz says no already, until all who send "
		 "requests here have heard of it; 0: not at all."},
	TIMEOUT("shutdown-timeout", shutdown_timeout_ms, "25s",
		"After SIGTERM, the delay included, for requests under way; then they are cut "
		"off."),
	{.kind = OPT_SECTION, .help = "Instead of serving"},
	{.kind = OPT_DURATION,
	 .name = "drain",
	 .value_name = "TIME",
	 .offset = AT(drain_ms),
	 .min = 1,
	 .max = 86400000,
	 .help = "Wait until the proxy with this --admin has had no client for a while, at most "
		 "TIME, and exit: a preStop hook that keeps a sidecar up for the containers that "
		 "are ending beside it."},
	{.kind = OPT_FLAG,
	 .name = "print-manifest",
	 .offset = AT(print_manifest),
	 .help = "Print the gateway for a cluster, in --namespace, as YAML for kubectl, and exit: "
		 "ServiceAccount, Deployment, Service, PodDisruptionBudget and "
		 "HorizontalPodAutoscaler; with --kube the role it takes and its binding, else a "
		 "ConfigMap for the manifests."},
	{.kind = OPT_TEXT,
	 .name = "image",
	 .value_name = "IMAGE",
	 .offset = AT(image.image),
	 .help = "The image in it, with the program as /egressbox. [default: HUB/egressbox:TAG]"},
	{.kind = OPT_TEXT,
	 .name = "hub",
	 .value_name = "HUB",
	 .offset = AT(image.hub),
	 .initial = "",
	 .env = "EGRESSBOX_HUB",
	 .help = "Where the image is pulled from, without --image."},
	{.kind = OPT_TEXT,
	 .name = "tag",
	 .value_name = "TAG",
	 .offset = AT(image.tag),
	 .initial = EGRESSBOX_VERSION,
	 .env = "EGRESSBOX_TAG",
	 .help = "The image's tag, without --image."},
	{.kind = OPT_FLAG},
};

const struct opt_manual options_manual = {
	.usage = OPTIONS_NAME
	" -f FILE|DIR|- ... [--listen [ADDR:]PORT]...\n" OPTIONS_NAME
	" --kube [--all-namespaces|-n NAMESPACE] [--selector LABELS]\n" OPTIONS_NAME
	" --transparent [ADDR:]PORT [-f FILE|DIR|- ... | --gateway HOST:PORT]\n" OPTIONS_NAME
	" --check -f FILE|DIR|- ...\n" OPTIONS_NAME
	" --drain TIME [--admin [ADDR:]PORT]\n" OPTIONS_NAME
	" --print-manifest [--kube] [-n NAMESPACE] [--image IMAGE] | kubectl apply -f -",
	.purpose =
		"An egress gateway. Each port of each ExternalName Service in the manifests "
		"becomes a "
		"route: a plain HTTP request whose Host is NAME, NAME.NAMESPACE, "
		"NAME.NAMESPACE.svc or "
		"NAME.NAMESPACE.svc.DOMAIN, with the port unless it is 80, goes to the external "
		"name. A "
		"port named http, or http-ANYTHING, is called in plain HTTP; one named https "
		"over TLS "
		"1.2, with the chain and the name verified. Annotations of a Service say "
		"otherwise, egressbox.io/tls- with ca-file, cert-file, key-file, sni, names, "
		"min-version and verify behind it.\n\n"
		"With --transparent, a sidecar: it takes connections that iptables-setup "
		"redirected. Those to "
		"the cluster and to the pod itself are passed on as they are; of those to the "
		"outside, HTTP is "
		"routed as above, or by a gateway, and TLS for a registered external name is "
		"passed on to "
		"that name. A connection that was not redirected is refused.\n\n"
		"The manifests are read again when they change, and at SIGHUP; when they are bad "
		"the routes stay as they were.\n\n"
		"SIGTERM ends it: after --drain-delay nothing new is taken and requests under "
		"way are finished. SIGINT does the same without the delay. A second signal "
		"ends it at once.",
	.options = options_table,
	.exit_status =
		"  0  served and told to end, --check found nothing wrong, drained, or printed\n"
		"  1  could not listen, failed while serving, or not drained in time\n"
		"  2  wrong usage, or a manifest or certificate file is bad\n",
	.examples = "  " OPTIONS_NAME " -f services.yaml --check\n"
		    "  " OPTIONS_NAME " -f services.yaml --listen 8080\n"
		    "  kubectl get services -A -o yaml | " OPTIONS_NAME " -f -\n"
		    "  " OPTIONS_NAME " --kube --all-namespaces --listen 8080\n"
		    "  " OPTIONS_NAME " --transparent 15001 --gateway egress-gateway:80\n",
};
