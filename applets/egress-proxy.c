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
#include "proxy/options.h"
#include "proxy/ownaddr.h"
#include "proxy/pipepool.h"
#include "proxy/reload.h"
#include "proxy/upgrade.h"
#include "sys/cpu.h"
#include "sys/fd.h"
#include "sys/log.h"
#include "tls/anchors.h"
#include "tls/anchors_embedded.h"
#include "tls/resume.h"
#include "tls/tls_profile.h"
#include "version.h"

#define NAME OPTIONS_NAME

/* Descriptors kept back for everything but traffic: listeners, admin port, name servers, files. */
#define RESERVED_FDS 128

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

static struct manifests manifests(const struct options *s, const struct hostport *gateway)
{
	return (struct manifests){
		.inputs = {s->files.items, s->files.count, false},
		.namespace = span_from_cstr(s->namespace),
		.cluster_domain = span_from_cstr(s->cluster_domain),
		.gateway_host = gateway->host,
		.gateway_port = gateway->port,
		.identities = {.ca_file = s->ca_file},
	};
}

static struct route_table *load(const struct manifests *m, struct buf *summary)
{
	char name[] = NAME;
	struct diag diag = {.emit = applet_emit, .context = name};

	return manifests_load(m, &diag, summary);
}

static int check(const struct options *s)
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

static bool set_listeners(const struct options *s, struct control_settings *c, struct error *e)
{
	static const char *default_items[] = {"8080"};
	static const struct opt_list default_list = {default_items, 1};
	bool is_default = s->listen.count == 0 && s->transparent.count == 0;

	return add_listeners(is_default ? &default_list : &s->listen, "--listen", false, c, e) &&
	       add_listeners(&s->transparent, "--transparent", true, c, e);
}

/* What there is to know of redirected connections. */
static bool set_transparent(const struct options *s, struct resources *r, struct error *e)
{
	struct proxy_config *c = &r->control.config;
	bool is_sidecar = s->transparent.count > 0;
	const char *via = is_sidecar ? "egressbox-sidecar" : "egressbox";

	c->policy = (enum verdict_policy)s->outbound_policy;
	c->timeouts.detect_ms = s->detect_ms;
	if (c->timeouts.detect_ms == 0)
		c->timeouts.detect_ms = c->policy == VERDICT_POLICY_ANY ? 300 : 5000;
	if (!s->no_via && !config_set_via(c, s->via != NULL ? s->via : via, e))
		return false;
	if (s->gateway != NULL && !is_sidecar)
		return error_set(e, "--gateway: needs --transparent");
	if (s->gateway != NULL && !config_parse_gateway(s->gateway, &r->gateway, e))
		return false;
	if (is_sidecar && s->cluster_cidr == NULL) {
		struct log_line line;

		log_begin(&line, LOG_INFO, "no --cluster-cidr: assuming what is usual");
		log_cstr(&line, "cluster_cidr", CONFIG_CIDRS);
		log_end(&line);
	}
	return config_set_cluster(c, s->cluster_cidr != NULL ? s->cluster_cidr : CONFIG_CIDRS, e);
}

static bool set_admin(const struct options *s, struct control_settings *c, struct error *e)
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

static bool set_pins(const struct options *s, struct resources *r, struct error *e)
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

static bool set_names(const struct options *s, struct resources *r, struct error *e)
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

static bool set_guard(const struct options *s, struct resources *r, struct error *e)
{
	struct guard *g = &r->guard;

	g->deny_private = s->deny_private;
	g->is_own = ownaddr_is;
	r->control.guard = g;
	r->control.config.guard = g;
	return set_ranges(r, "--deny-upstream", &s->deny_upstream, &g->deny, &g->deny_count, e) &&
	       set_ranges(r, "--allow-upstream", &s->allow_upstream, &g->allow, &g->allow_count, e);
}

static bool set_tls(const struct options *s, struct resources *r, struct error *e)
{
	r->sessions = resume_new();
	/* A file is read with the manifests, and again with them. */
	if (s->ca_file != NULL)
		return r->sessions != NULL || error_set(e, "out of memory");
	if (anchors_embedded_size == 0)
		return error_set(e,
				 "built without a CA bundle: give --ca-file FILE or SSL_CERT_FILE");
	r->anchors = anchors_from_packed(span_of(anchors_embedded, anchors_embedded_size), e);
	if (r->anchors == NULL)
		return false;
	r->tls = tls_profile_new(r->anchors);
	return (r->sessions != NULL && r->tls != NULL) || error_set(e, "out of memory");
}

static bool prepare(const struct options *s, struct resources *r, struct error *e)
{
	struct control_settings *c = &r->control;
	size_t fds = fd_raise_limit();

	c->workers = s->workers > 0 ? (unsigned)s->workers : cpu_count();
	if (c->workers > OPTIONS_WORKERS_MAX)
		c->workers = OPTIONS_WORKERS_MAX;
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
static bool set_kube(const struct options *s, struct resources *r, struct manifests *m,
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
	k->identities.ca_file = s->ca_file;
	kubesource_init(&r->kube, k);
	r->kube.offer = reload_offer;
	r->kube.context = &r->reload;
	r->control.kube = m->kube = &r->kube;
	return true;
}

static int print_rbac(const struct options *s)
{
	char storage[1024];
	struct buf out;
	struct error e;

	BUF_INIT_ARRAY(&out, storage);
	gatewaymanifest_add_role(&out, NAME, span_from_cstr(s->all_namespaces ? "" : s->namespace));
	if (fd_write_all(STDOUT_FILENO, buf_span(&out), &e))
		return APPLET_DONE;
	applet_complain(NAME, e.text);
	return APPLET_FAILED;
}

/* What means something only with --kube. */
static bool asks_kube(const struct options *s)
{
	const struct access *a = &s->access;

	return s->all_namespaces || s->selector != NULL || a->kubeconfig != NULL ||
	       a->context != NULL || a->server != NULL || a->token_file != NULL ||
	       a->ca_file != NULL;
}

static int drain(const struct options *s)
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

static int print_manifest(const struct options *s, struct arena *arena)
{
	struct gatewaymanifest g = {
		.namespace = span_from_cstr(s->namespace),
		.follows = s->kube,
		.all_namespaces = s->all_namespaces,
	};
	const char *problem = hostname_label_problem(g.namespace);
	int status = APPLET_USAGE;
	struct error e;
	struct buf out;

	buf_init_heap(&out, 1u << 20);
	if (problem != NULL) {
		error_set(&e, "--namespace: \"%s\" is no namespace: %s", s->namespace, problem);
	} else if (s->all_namespaces && !s->kube) {
		error_set(&e, "--all-namespaces: needs --kube");
	} else if (imagename_choose(&s->image, arena, &g.image, &e)) {
		gatewaymanifest_add(&out, &g);
		status = fd_write_all(STDOUT_FILENO, buf_span(&out), &e) ? APPLET_DONE
									 : APPLET_FAILED;
	}
	buf_fini(&out);
	if (status != APPLET_DONE)
		applet_complain(NAME, e.text);
	return status;
}

static int serve(const struct options *s, struct resources *r)
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
	table = load(&r->reload.manifests, NULL);
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
	struct options settings = {.check = false};
	struct resources r = {.reload = {.files = {.fd = -1}}};
	int status = APPLET_USAGE;
	struct error e;

	arena_init(&r.arena, 64u << 20);
	if (!opt_parse(options_table, &settings, argc, argv, &r.arena, NULL, &e)) {
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
	.manual = &options_manual,
	.run = run,
};
