#include "cidr/live.h"

#include <string.h>

#include "cidr/ladder.h"
#include "dns/resolvconf.h"
#include "ev/systemnames.h"
#include "kube/clusterguess.h"
#include "kubeapi/client.h"
#include "kubeapi/credentials.h"
#include "sys/file.h"

/* What goes another way when this one does not. */
#define INSTEAD "kubectl get nodes,servicecidrs -o json | cidr-describe"

bool live_find_hosts(struct arena *arena, char *const *environment, struct verb_words *out)
{
	size_t count = 0;

	while (environment[count] != NULL)
		count++;
	out->items = arena_get_array(arena, count + 1, sizeof *out->items);
	out->count = 0;
	if (out->items == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct span entry = span_from_cstr(environment[i]);
		size_t name_len = span_find(entry, '=');

		if (name_len != SIZE_MAX &&
		    span_ends_with(span_first(entry, name_len), SPAN("_SERVICE_HOST")))
			((const char **)(uintptr_t)out->items)[out->count++] = environment[i] +
									       name_len + 1;
	}
	return true;
}

static void warn_of_forbidden(const struct ladder *l, struct discover *d)
{
	if (l->forbidden == 0)
		return;
	diag_report(d->diag, DIAG_WARNING, "not allowed: %s%s (--print-rbac prints what allows it)",
		    l->first_forbidden, l->forbidden > 1 ? ", and more" : "");
}

static bool climb(const struct live_settings *s, struct discover *d, const struct credentials *c,
		  struct error *e)
{
	struct client_config config = c->config;
	struct resolver_config names = {.server_count = 0};
	struct ladder_server server;
	struct ladder ladder = {.server = &server,
				.find = &d->find,
				.info = &d->info,
				.guesses = s->guess != CLUSTERINFO_GUESS_NO,
				.probes = s->probes};
	struct client *client;
	bool ok;

	memcpy(ladder.wants, s->wants, sizeof ladder.wants);
	systemnames_read(&names, true, d->arena);
	config.resolver = &names;
	config.user_agent = s->user_agent;
	config.total_timeout_ms = s->timeout_ms;
	client = client_new(&config, e);
	if (client == NULL)
		return false;
	server = ladder_server_of(client);
	ok = ladder_climb(&ladder, e);
	client_free(client);
	warn_of_forbidden(&ladder, d);
	return ok;
}

/* ---- Without asking ---- */

static bool add_address(struct discover *d, const char *text, bool is_first)
{
	struct clusterinfo_range found = {.role = CLUSTERKEYS_SERVICE,
					  .confidence = CLUSTERKEYS_DERIVED,
					  .rank = CLUSTERKEYS_RANK_ADDRESSES,
					  .source = "addresses of Services"};
	struct error e;

	if (!range_parse(span_from_cstr(text), &found.range, NULL, &e))
		return false;
	d->info.is_first = is_first;
	clusterinfo_add(&d->info, &found);
	d->info.is_first = false;
	return true;
}

static void add_name_servers(struct discover *d)
{
	struct resolvconf conf;
	struct span text;
	struct error e;

	if (!file_read(d->arena, SYSTEMNAMES_RESOLV_CONF, 65536, &text, &e))
		return;
	resolvconf_parse(text, &conf);
	for (unsigned i = 0; i < conf.server_count; i++) {
		char storage[ADDR_TEXT_MAX];
		struct buf b;

		conf.servers[i].port = 0;
		BUF_INIT_ARRAY(&b, storage);
		addr_format(&conf.servers[i], &b);
		add_address(d, buf_cstr(&b), false);
	}
}

/* Addresses of Services, of which KUBERNETES_SERVICE_HOST is the first; may be a name, on AKS. */
static void look_at_environment(const struct live_settings *s, struct discover *d)
{
	if (s->access.host == NULL || s->access.host[0] == '\0' ||
	    !add_address(d, s->access.host, true))
		return;
	for (size_t i = 0; i < s->hosts.count; i++)
		add_address(d, s->hosts.items[i], false);
	add_name_servers(d);
}

static void look_around(const struct live_settings *s, struct discover *d)
{
	static const char *const files[] = {"/proc/net/route", "/proc/net/ipv6_route"};
	struct span routes;
	struct error e;

	if (s->wants[CLUSTERKEYS_SERVICE] && !clusterinfo_has(&d->info, CLUSTERKEYS_SERVICE))
		look_at_environment(s, d);
	if (!s->wants[CLUSTERKEYS_POD] || clusterinfo_has(&d->info, CLUSTERKEYS_POD))
		return;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		if (file_read(d->arena, files[i], 1u << 20, &routes, &e))
			clusterguess_pods(routes, files[i], false, &d->info);
}

enum verb_answer live_read(const struct live_settings *s, struct discover *d, struct error *e)
{
	struct access access = s->access;
	struct credentials c;
	bool has_credentials, ok;

	access.instead = INSTEAD;
	has_credentials = access_credentials(&access, &c, d->diag, e);
	ok = has_credentials && climb(s, d, &c, e);
	credentials_fini(&c);
	d->sources++;
	d->name = "the cluster";
	if (s->in_cluster) {
		if (!ok)
			diag_report(d->diag, DIAG_WARNING, "%s", e->text);
		look_around(s, d);
		return VERB_DONE;
	}
	return ok ? VERB_DONE : has_credentials ? VERB_FAILED : VERB_REFUSED;
}
