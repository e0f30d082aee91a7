/*
 * egress-proxy: from options and files to control_run.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "applet.h"
#include "base/arena.h"
#include "base/num.h"
#include "dns/hosts.h"
#include "ev/systemnames.h"
#include "http/h1char.h"
#include "kube/gatewaymanifest.h"
#include "kube/imagename.h"
#include "kubeapi/access.h"
#include "net/guard.h"
#include "net/hostname.h"
#include "net/hostport.h"
#include "proxy/control.h"
#include "proxy/drain.h"
#include "proxy/kubesource.h"
#include "proxy/manifests.h"
#include "proxy/ownaddr.h"
#include "proxy/pipepool.h"
#include "proxy/reload.h"
#include "proxy/upgrade.h"
#include "sys/cpu.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/log.h"
#include "tls/anchors.h"
#include "tls/anchors_embedded.h"
#include "tls/resume.h"
#include "tls/tls_profile.h"
#include "version.h"

#define NAME "egress-proxy"

/* RFC 1918, RFC 6598, RFC 4193, and the Services of GKE's clusters by default. */
#define DEFAULT_CIDRS                                                                              \
	"10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,fc00::/7,34.118.224.0/20"

/* Descriptors kept back for everything but traffic: listeners, admin port, name servers, files. */
#define RESERVED_FDS 128
#define WORKERS_MAX 256

/* What h1write has room for. */
#define VIA_MAX 64

struct settings {
	struct opt_list files;
	bool check;
	struct opt_list listen;
	struct opt_list transparent;
	const char *cluster_cidr;
	const char *gateway;
	int outbound_policy;
	uint64_t detect_ms; /* 0: as the policy has it */
	const char *via;
	const char *admin;
	uint64_t ready_fd;
	const char *upgrade_socket;
	bool no_sandbox;
	uint64_t workers;
	const char *namespace;
	const char *cluster_domain;
	struct opt_list resolve;
	struct opt_list dns;
	bool deny_private;
	struct opt_list deny_upstream, allow_upstream;
	const char *ca_file;
	bool no_via;
	bool keep_internal_headers;
	int access_log;
	int log_level;
	uint64_t drain_delay_ms;
	uint64_t shutdown_timeout_ms;
	struct proxy_timeouts timeouts;
	uint64_t drain_ms; /* 0: serve */
	bool kube, all_namespaces, print_rbac;
	const char *selector;
	struct access access;
	bool print_manifest;
	struct imagename_choice image;
};

#define AT(member) offsetof(struct settings, member)

/* A duration's row: all have the same form. */
#define TIMEOUT(option, member, value, text)                                                       \
	{                                                                                          \
		.kind = OPT_DURATION, .name = option, .value_name = "TIME", .offset = AT(member),  \
		.initial = value, .min = 1, .max = 86400000, .help = text                          \
	}

static const struct opt options[] = {
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
	APPLET_ACCESS_ROWS(AT(access)),
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
	 .max = WORKERS_MAX,
	 .help = "Threads that carry traffic. [default: the CPUs allowed]"},
	{.kind = OPT_SECTION, .help = "Redirected connections (--transparent)"},
	{.kind = OPT_TEXT,
	 .name = "cluster-cidr",
	 .value_name = "CIDR[,CIDR]...",
	 .offset = AT(cluster_cidr),
	 .help = "What is inside: passed on as it is, as is what comes in for the pod itself; see "
		 "cidr-describe. [default: " DEFAULT_CIDRS "]"},
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
		 "ConfigMap, ServiceAccount, Deployment, Service, PodDisruptionBudget and "
		 "HorizontalPodAutoscaler."},
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

static const struct opt_manual manual = {
	.usage = NAME " -f FILE|DIR|- ... [--listen [ADDR:]PORT]...\n" NAME
		      " --kube [--all-namespaces|-n NAMESPACE] [--selector LABELS]\n" NAME
		      " --transparent [ADDR:]PORT [-f FILE|DIR|- ... | --gateway HOST:PORT]\n" NAME
		      " --check -f FILE|DIR|- ...\n" NAME
		      " --drain TIME [--admin [ADDR:]PORT]\n" NAME
		      " --print-manifest [-n NAMESPACE] [--image IMAGE] | kubectl apply -f -",
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
	.options = options,
	.exit_status =
		"  0  served and told to end, --check found nothing wrong, drained, or printed\n"
		"  1  could not listen, failed while serving, or not drained in time\n"
		"  2  wrong usage, or a manifest or certificate file is bad\n",
	.examples = "  " NAME " -f services.yaml --check\n"
		    "  " NAME " -f services.yaml --listen 8080\n"
		    "  kubectl get services -A -o yaml | " NAME " -f -\n"
		    "  " NAME " --kube --all-namespaces --listen 8080\n"
		    "  " NAME " --transparent 15001 --gateway egress-gateway:80\n",
};

/* What is made from the settings and must outlive the run. */
struct resources {
	struct arena arena;
	struct anchors *anchors;
	struct resume *sessions;
	struct tls_profile *tls;
	struct reload reload;
	struct credentials credentials;
	struct kubesource_settings kube_settings;
	struct kubesource kube;
	struct upgrade upgrade;
	struct guard guard;
	struct control_settings control;
	struct hostport gateway;
};

static struct manifests manifests(const struct settings *s, const struct hostport *gateway)
{
	return (struct manifests){
		.inputs = {s->files.items, s->files.count, false},
		.namespace = span_from_cstr(s->namespace),
		.cluster_domain = span_from_cstr(s->cluster_domain),
		.gateway_host = gateway->host,
		.gateway_port = gateway->port,
	};
}

static struct route_table *load(const struct manifests *m, struct buf *summary)
{
	char name[] = NAME;
	struct diag diag = {.emit = applet_emit, .context = name};

	return manifests_load(m, &diag, summary);
}

static int check(const struct settings *s)
{
	struct manifests m = manifests(s, &(struct hostport){.port = 0});
	struct route_table *table;
	struct buf summary, out;
	int status = APPLET_USAGE;
	struct error e;

	buf_init_heap(&summary, 4096);
	buf_init_heap(&out, 256u << 20);
	table = load(&m, &summary);
	if (table != NULL) {
		route_table_print(table, ROUTE_FORMAT_TEXT, &out);
		status = APPLET_DONE;
		if (!fd_write_all(STDOUT_FILENO, buf_span(&out), &e)) {
			applet_complain(NAME, e.text);
			status = APPLET_FAILED;
		}
		applet_complain(NAME, buf_cstr(&summary));
	}
	buf_fini(&summary);
	buf_fini(&out);
	route_table_free(table);
	return status;
}

/* [ADDR:]PORT; without an address `*any` is set and the port alone is filled in. */
static bool parse_listen(const char *option, const char *text, struct addr *at, bool *any,
			 struct error *e)
{
	struct span s = span_from_cstr(text);
	uint64_t port;

	*any = num_parse_u64(s, 0, 65535, &port);
	if (*any) {
		*at = (struct addr){.port = (uint16_t)port};
		return true;
	}
	/* Port 0 is no port to addr_parse: "any free one" is only a thing to listen on. */
	if (s.len > 2 && span_ends_with(s, SPAN(":0")) &&
	    addr_parse_ip(span_first(s, s.len - 2), at))
		return true;
	if (addr_parse(s, 0, at))
		return true;
	return error_set(e,
			 "%s: \"%s\" is not [ADDR:]PORT, with an IP address and a port up to 65535",
			 option, text);
}

static bool add_listeners(const struct opt_list *list, const char *option, bool transparent,
			  struct control_settings *c, struct error *e)
{
	for (size_t i = 0; i < list->count; i++) {
		struct control_listen *l = &c->listen[c->listen_count];

		if (c->listen_count == CONTROL_LISTENERS_MAX)
			return error_set(e, "%s: at most %d listeners", option,
					 CONTROL_LISTENERS_MAX);
		if (!parse_listen(option, list->items[i], &l->at, &l->any_family, e))
			return false;
		if (l->any_family)
			l->at.family = 6;
		l->transparent = transparent;
		c->listen_count++;
	}
	return true;
}

static bool set_listeners(const struct settings *s, struct control_settings *c, struct error *e)
{
	static const char *default_items[] = {"8080"};
	static const struct opt_list default_list = {default_items, 1};
	bool is_default = s->listen.count == 0 && s->transparent.count == 0;

	return add_listeners(is_default ? &default_list : &s->listen, "--listen", false, c, e) &&
	       add_listeners(&s->transparent, "--transparent", true, c, e);
}

static bool add_cidrs(struct span list, struct cidrset *set, struct error *e)
{
	struct span one;
	struct range range;

	while (span_split(&list, ',', &one)) {
		if (!range_parse(one, &range, NULL, e))
			return error_prefix(e, "--cluster-cidr");
		if (!cidrset_add(set, &range))
			return error_set(e, "out of memory");
	}
	return cidrset_merge(set) || error_set(e, "out of memory");
}

static bool set_gateway(const struct settings *s, struct resources *r, struct error *e)
{
	const char *problem = "the port is missing";

	if (s->gateway == NULL)
		return true;
	if (s->transparent.count == 0)
		return error_set(e, "--gateway: needs --transparent");
	if (hostport_parse(span_from_cstr(s->gateway), &r->gateway, &problem) &&
	    r->gateway.port != 0)
		return true;
	return error_set(e, "--gateway: \"%s\" is not HOST:PORT: %s", s->gateway, problem);
}

static bool set_via(const struct settings *s, struct proxy_config *c, struct error *e)
{
	const char *name = s->transparent.count > 0 ? "egressbox-sidecar" : "egressbox";

	if (s->no_via)
		return true;
	c->via = span_from_cstr(s->via != NULL ? s->via : name);
	if (c->via.len > 0 && c->via.len <= VIA_MAX && h1char_all(c->via, H1_CHAR_TOKEN))
		return true;
	return error_set(e, "--via: \"%s\" is no token of up to %d bytes", s->via, VIA_MAX);
}

/* What there is to know of redirected connections. */
static bool set_transparent(const struct settings *s, struct resources *r, struct error *e)
{
	struct proxy_config *c = &r->control.config;
	uint64_t detect_ms = s->outbound_policy == VERDICT_POLICY_ANY ? 300 : 5000;

	c->policy = (enum verdict_policy)s->outbound_policy;
	c->timeouts.detect_ms = s->detect_ms > 0 ? s->detect_ms : detect_ms;
	if (!set_gateway(s, r, e) || !set_via(s, c, e))
		return false;
	if (s->transparent.count == 0)
		return true;
	if (s->cluster_cidr == NULL) {
		struct log_line line;

		log_begin(&line, LOG_INFO, "no --cluster-cidr: assuming what is usual");
		log_cstr(&line, "cluster_cidr", DEFAULT_CIDRS);
		log_end(&line);
	}
	return add_cidrs(span_from_cstr(s->cluster_cidr != NULL ? s->cluster_cidr : DEFAULT_CIDRS),
			 &c->cluster, e);
}

static bool set_admin(const struct settings *s, struct control_settings *c, struct error *e)
{
	struct span everywhere = SPAN("*:"), text = span_from_cstr(s->admin);
	bool any;

	if (strcmp(s->admin, "off") == 0)
		return true;
	c->admin_any_family = span_starts_with(text, everywhere);
	if (!parse_listen("--admin", s->admin + (c->admin_any_family ? everywhere.len : 0),
			  &c->admin, &any, e))
		return false;
	if (c->admin_any_family && !any)
		return error_set(e, "--admin: \"%s\" is not *:PORT", s->admin);
	if (c->admin_any_family)
		c->admin.family = 6;
	else if (any)
		addr_set_loopback(&c->admin);
	return true;
}

/* One NAME=ADDR[:PORT][,...], as entries that pin the name. */
static bool add_pin(struct resources *r, const char *text, struct hosts_entry *pins, size_t max,
		    struct error *e)
{
	struct control_settings *c = &r->control;
	struct span name, addrs, one, rest = span_from_cstr(text);
	const char *problem;

	span_split(&rest, '=', &name);
	addrs = rest;
	name = hostname_without_root(name);
	problem = hostname_problem(name);
	if (problem != NULL)
		return error_set(e, "--resolve: \"%s\": expected NAME=ADDR: %s", text, problem);
	if (addrs.len == 0)
		return error_set(e, "--resolve: \"%s\": expected NAME=ADDR[,ADDR]...", text);
	while (span_split(&addrs, ',', &one)) {
		struct hosts_entry *pin = &pins[c->resolver.pin_count];

		if (c->resolver.pin_count == max)
			return error_set(e, "--resolve: at most %zu addresses", max);
		pin->name = name;
		if (!addr_parse_ip(one, &pin->addr) && !addr_parse(one, 0, &pin->addr))
			return error_set(
				e, "--resolve: \"%.*s\" in \"%s\" is neither ADDR nor ADDR:PORT",
				SPAN_ARG(one), text);
		c->resolver.pin_count++;
	}
	return true;
}

static bool set_pins(const struct settings *s, struct resources *r, struct error *e)
{
	const size_t max = 4096;
	struct hosts_entry *pins = arena_get_array(&r->arena, max, sizeof *pins);

	if (pins == NULL)
		return error_set(e, "out of memory");
	r->control.resolver.pins = pins;
	for (size_t i = 0; i < s->resolve.count; i++)
		if (!add_pin(r, s->resolve.items[i], pins, max, e))
			return false;
	return true;
}

static bool set_names(const struct settings *s, struct resources *r, struct error *e)
{
	struct resolver_config *config = &r->control.resolver;

	if (s->dns.count > RESOLVER_MAX_SERVERS)
		return error_set(e, "--dns: at most %d times", RESOLVER_MAX_SERVERS);
	for (size_t i = 0; i < s->dns.count; i++)
		if (!addr_parse(span_from_cstr(s->dns.items[i]), 53,
				&config->servers[config->server_count++]))
			return error_set(e, "--dns: \"%s\" is not ADDR or ADDR:PORT",
					 s->dns.items[i]);
	systemnames_read(config, s->dns.count == 0, &r->arena);
	return set_pins(s, r, e);
}

#define GUARD_RANGES_MAX 4096

static bool set_ranges(struct resources *r, const char *option, const struct opt_list *texts,
		       const struct cidr **list, size_t *count, struct error *e)
{
	struct cidr *ranges;

	if (texts->count == 0)
		return true;
	ranges = arena_get_array(&r->arena, GUARD_RANGES_MAX, sizeof *ranges);
	if (ranges == NULL)
		return error_set(e, "out of memory");
	*list = ranges;
	for (size_t i = 0; i < texts->count; i++)
		if (!guard_parse_list(span_from_cstr(texts->items[i]), ranges, GUARD_RANGES_MAX,
				      count, e))
			return error_prefix(e, "%s", option);
	return true;
}

static bool set_guard(const struct settings *s, struct resources *r, struct error *e)
{
	struct guard *g = &r->guard;

	g->deny_private = s->deny_private;
	g->is_own = ownaddr_is;
	r->control.guard = g;
	r->control.config.guard = g;
	return set_ranges(r, "--deny-upstream", &s->deny_upstream, &g->deny, &g->deny_count, e) &&
	       set_ranges(r, "--allow-upstream", &s->allow_upstream, &g->allow, &g->allow_count, e);
}

static bool set_tls(const struct settings *s, struct resources *r, struct error *e)
{
	struct span text;

	if (s->ca_file != NULL) {
		if (!file_read(&r->arena, s->ca_file, ANCHORS_PEM_MAX, &text, e))
			return false;
		r->anchors = anchors_from_pem(text, e);
		if (r->anchors == NULL)
			return error_prefix(e, "%s", s->ca_file);
	} else if (anchors_embedded_size > 0) {
		r->anchors = anchors_from_packed(span_of(anchors_embedded, anchors_embedded_size),
						 e);
		if (r->anchors == NULL)
			return false;
	} else {
		return error_set(e,
				 "built without a CA bundle: give --ca-file FILE or SSL_CERT_FILE");
	}
	r->sessions = resume_new();
	r->tls = tls_profile_new(r->anchors);
	return (r->sessions != NULL && r->tls != NULL) || error_set(e, "out of memory");
}

static bool prepare(const struct settings *s, struct resources *r, struct error *e)
{
	struct control_settings *c = &r->control;
	size_t fds = fd_raise_limit();

	c->workers = s->workers > 0 ? (unsigned)s->workers : cpu_count();
	if (c->workers > WORKERS_MAX)
		c->workers = WORKERS_MAX;
	c->ready_fd = s->ready_fd > 0 ? (int)s->ready_fd : -1;
	c->sandbox = !s->no_sandbox;
	c->drain_delay_ms = s->drain_delay_ms;
	c->shutdown_timeout_ms = s->shutdown_timeout_ms;
	c->config.timeouts = s->timeouts;
	c->config.timeouts.linger_ms = 2000;
	c->config.keep_internal_headers = s->keep_internal_headers;
	c->config.access_log = (enum accesslog_format)s->access_log;
	if (fds > 4 * c->workers * PIPEPOOL_MAX)
		fds -= 2 * c->workers * PIPEPOOL_MAX;
	/* A session needs two: its client's and its upstream's. */
	c->config.max_sessions = (fds > 2 * RESERVED_FDS ? fds - RESERVED_FDS : fds / 2) / 2;
	c->config.max_sessions = c->config.max_sessions / c->workers + 1;
	if (s->drain_delay_ms >= s->shutdown_timeout_ms)
		return error_set(e, "--drain-delay: must be less than --shutdown-timeout");
	if (!set_listeners(s, c, e) || !set_admin(s, c, e) || !set_names(s, r, e) ||
	    !set_guard(s, r, e) || !set_transparent(s, r, e) || !set_tls(s, r, e))
		return false;
	c->config.tls = r->tls;
	c->config.sessions = r->sessions;
	return true;
}

/* Whom to ask for Services; behind prepare. What is wrong with a kubeconfig has been said. */
static bool set_kube(const struct settings *s, struct resources *r, struct manifests *m,
		     struct error *e)
{
	struct kubesource_settings *k = &r->kube_settings;
	struct access access = s->access;
	char name[] = NAME;
	struct diag diag = {.emit = applet_emit, .context = name};

	applet_access_env(&access);
	access.instead = "kubectl get services -o json | " NAME " -f -";
	access.otherwise = r->anchors;
	if (!access_credentials(&access, &r->credentials, &diag, e))
		return false;
	k->client = r->credentials.config;
	k->client.user_agent = "egressbox/" EGRESSBOX_VERSION;
	k->watched = s->all_namespaces ? SPAN("") : m->namespace;
	k->selector = span_from_cstr(s->selector != NULL ? s->selector : "");
	k->routes = manifests_route_options(m);
	kubesource_init(&r->kube, k);
	r->kube.offer = reload_offer;
	r->kube.context = &r->reload;
	r->control.kube = m->kube = &r->kube;
	return true;
}

static int print_rbac(const struct settings *s)
{
	char storage[1024];
	struct buf out;
	struct error e;

	BUF_INIT_ARRAY(&out, storage);
	kubesource_print_rbac(span_from_cstr(s->all_namespaces ? "" : s->namespace), &out);
	if (fd_write_all(STDOUT_FILENO, buf_span(&out), &e))
		return APPLET_DONE;
	applet_complain(NAME, e.text);
	return APPLET_FAILED;
}

/* What means something only with --kube. */
static bool asks_kube(const struct settings *s)
{
	const struct access *a = &s->access;

	return s->all_namespaces || s->selector != NULL || a->kubeconfig != NULL ||
	       a->context != NULL || a->server != NULL || a->token_file != NULL ||
	       a->ca_file != NULL;
}

static int drain(const struct settings *s)
{
	struct control_settings c = {.listen_count = 0};
	struct error e;

	if (!set_admin(s, &c, &e)) {
		applet_complain(NAME, e.text);
		return APPLET_USAGE;
	}
	if (c.admin.family == 0) {
		applet_complain(NAME, "--drain: needs the proxy's --admin");
		return APPLET_USAGE;
	}
	if (c.admin_any_family)
		addr_set_loopback(&c.admin);
	if (drain_wait(&c.admin, s->drain_ms, &e))
		return APPLET_DONE;
	applet_complain(NAME, e.text);
	return APPLET_FAILED;
}

static int print_manifest(const struct settings *s, struct arena *arena)
{
	struct span namespace = span_from_cstr(s->namespace), image;
	const char *problem = hostname_label_problem(namespace);
	int status = APPLET_USAGE;
	struct error e;
	struct buf out;

	buf_init_heap(&out, 1u << 20);
	if (problem != NULL) {
		error_set(&e, "--namespace: \"%s\" is no namespace: %s", s->namespace, problem);
	} else if (imagename_choose(&s->image, arena, &image, &e)) {
		gatewaymanifest_add(&out, namespace, image);
		status = fd_write_all(STDOUT_FILENO, buf_span(&out), &e) ? APPLET_DONE
									 : APPLET_FAILED;
	}
	buf_fini(&out);
	if (status != APPLET_DONE)
		applet_complain(NAME, e.text);
	return status;
}

static int serve(const struct settings *s, struct resources *r)
{
	struct route_table *table;
	struct manifests m;
	struct error e;

	if (!prepare(s, r, &e)) {
		applet_complain(NAME, e.text);
		return APPLET_USAGE;
	}
	m = manifests(s, &r->gateway);
	if (s->kube && !set_kube(s, r, &m, &e)) {
		if (e.text[0] != '\0')
			applet_complain(NAME, e.text);
		return APPLET_USAGE;
	}
	reload_init(&r->reload, &m);
	r->control.reload = &r->reload;
	table = load(&m, NULL);
	if (table == NULL)
		return APPLET_USAGE;
	if (s->upgrade_socket != NULL) {
		if (!upgrade_open(&r->upgrade, s->upgrade_socket, &e)) {
			route_table_free(table);
			applet_complain(NAME, e.text);
			return APPLET_FAILED;
		}
		r->control.upgrade = &r->upgrade;
	}
	if (control_run(&r->control, table, &e))
		return APPLET_DONE;
	applet_complain(NAME, e.text);
	return APPLET_FAILED;
}

static int run(int argc, char **argv)
{
	struct settings settings = {.check = false};
	struct resources r = {.reload = {.files = {.fd = -1}}};
	int status = APPLET_USAGE;
	struct error e;

	arena_init(&r.arena, 64u << 20);
	if (!opt_parse(options, &settings, argc, argv, &r.arena, NULL, &e)) {
		applet_complain(NAME, e.text);
		goto out;
	}
	if (settings.print_manifest) {
		status = print_manifest(&settings, &r.arena);
		goto out;
	}
	if (settings.drain_ms > 0) {
		status = drain(&settings);
		goto out;
	}
	if (settings.print_rbac) {
		status = print_rbac(&settings);
		goto out;
	}
	if (settings.files.count == 0 &&
	    (settings.check || (!settings.kube && settings.transparent.count == 0))) {
		applet_complain(NAME, "no manifests: give -f FILE, -f DIR or -f -, or --kube "
				      "(--help for more)");
		goto out;
	}
	if (!settings.kube && asks_kube(&settings)) {
		applet_complain(NAME, "whom to ask for Services means something only with --kube");
		goto out;
	}
	log_set_level((enum log_level)settings.log_level);
	status = settings.check ? check(&settings) : serve(&settings, &r);
out:
	reload_stop(&r.reload);
	kubesource_stop(&r.kube);
	credentials_fini(&r.credentials);
	cidrset_fini(&r.control.config.cluster);
	tls_profile_free(r.tls);
	resume_free(r.sessions);
	anchors_free(r.anchors);
	arena_fini(&r.arena);
	return status;
}

const struct applet egress_proxy_applet = {
	.name = NAME,
	.summary = "egress gateway: routes by Host to external names, originates TLS",
	.manual = &manual,
	.run = run,
};
