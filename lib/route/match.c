#include "route/match.h"

#include "base/ascii.h"
#include "base/nearest.h"
#include "net/hostname.h"
#include "net/hostport.h"
#include "route/hint.h"

const char *const route_match_verdict_names[] = {
#define X(member, name) name,
	ROUTE_VERDICTS(X)
#undef X
};

/* Explaining happens for every request that fails, so it looks at this many Services at most ... */
#define MAX_LOOKED_AT 5000
/* ... and compares the names of this many, letter by letter. */
#define MAX_COMPARED 100
/* How many letters may differ. */
#define MAX_SLIPS 2

#define MAX_LISTED_PORTS 8
#define MAX_LISTED_SERVICES 5
#define MAX_SHOWN 100

/* name [ "." namespace [ ".svc" [ "." cluster-domain ] ] ] [ "." ] */
static bool split_host(const struct route_table *t, struct span host, struct span *name,
		       struct span *namespace)
{
	struct span rest = hostname_without_root(host), svc;

	*namespace = t->namespace;
	span_split(&rest, '.', name);
	if (!span_split(&rest, '.', namespace) || !span_split(&rest, '.', &svc))
		return true;
	return span_eq_nocase(svc, SPAN("svc")) &&
	       (rest.ptr == NULL || span_eq_nocase(rest, t->cluster_domain));
}

struct route_decision route_match(const struct route_table *t, struct span authority)
{
	struct route_decision d = {.verdict = ROUTE_UNKNOWN_HOST};
	struct span name, namespace;
	struct hostport hp;

	if (!hostport_parse(authority, &hp, &d.problem)) {
		d.verdict = ROUTE_BAD_AUTHORITY;
		return d;
	}
	d.port = hp.port != 0 ? hp.port : 80;
	if (hp.is_ipv6 || !split_host(t, hp.host, &name, &namespace))
		return d;
	d.route = route_table_find(t, name, namespace, d.port);
	if (d.route != NULL) {
		d.verdict = ROUTE_FOUND;
		d.service = d.route->service;
		return d;
	}
	d.service = route_table_find_service(t, name, namespace);
	if (d.service != NULL) {
		d.verdict = ROUTE_UNKNOWN_PORT;
		return d;
	}
	d.service = route_table_find_name(t, name);
	if (d.service != NULL)
		d.verdict = ROUTE_WRONG_NAMESPACE;
	return d;
}

/* "http://externalbin", "http://securegoogle:443": the plain URL that asks for a port of a host. */
static void add_url(struct span host, uint16_t port, struct buf *out)
{
	buf_add_cstr(out, "http://");
	buf_add_escaped(out, host, MAX_SHOWN);
	if (port != 80)
		buf_printf(out, ":%u", port);
}

/* The port asked for if the Service has it, else its first. It must have one. */
static uint16_t best_port(const struct route_table *t, const struct route_service *service,
			  uint16_t asked)
{
	for (uint32_t i = 0; i < service->route_count; i++)
		if (t->routes[service->first_route + i].port == asked)
			return asked;
	return t->routes[service->first_route].port;
}

/* ": use http://externalbin.prod:8080", or that there is nothing to use. */
static void add_advice(const struct route_table *t, const struct route_service *service,
		       uint16_t asked, struct buf *out)
{
	char storage[HOSTNAME_MAX];
	struct buf host;

	if (service->route_count == 0) {
		buf_add_cstr(out, ": none of its ports is routed");
		return;
	}
	BUF_INIT_ARRAY(&host, storage);
	route_table_print_host(t, service, &host);
	buf_add_cstr(out, ": use ");
	add_url(buf_span(&host), best_port(t, service, asked), out);
}

/* "port 443", "ports 80, 8080 and 8443", "ports 1, 2, 3 and 5 more" */
static void add_ports(const struct route_table *t, const struct route_service *service,
		      struct buf *out)
{
	uint32_t count = service->route_count;
	uint32_t listed = count <= MAX_LISTED_PORTS ? count : MAX_LISTED_PORTS - 1;

	buf_add_cstr(out, count == 1 ? "port " : "ports ");
	for (uint32_t i = 0; i < listed; i++) {
		bool is_last = i + 1 == count;

		buf_printf(out, "%s%u",
			   i == 0    ? ""
			   : is_last ? " and "
				     : ", ",
			   t->routes[service->first_route + i].port);
	}
	if (listed < count)
		buf_printf(out, " and %u more", count - listed);
}

static void explain_port(const struct route_table *t, struct span host,
			 const struct route_service *service, struct buf *out)
{
	buf_add_escaped(out, host, MAX_SHOWN);
	if (service->route_count == 0) {
		buf_add_cstr(out, " is registered, but none of its ports is routed");
		return;
	}
	buf_add_cstr(out, " has ");
	add_ports(t, service, out);
	buf_add_cstr(out, " only: use ");
	add_url(host, t->routes[service->first_route].port, out);
}

static void explain_namespace(const struct route_table *t, const struct route_decision *d,
			      struct buf *out)
{
	buf_add(out, d->service->name);
	buf_add_cstr(out, " is in namespace ");
	buf_add(out, d->service->namespace);
	add_advice(t, d->service, d->port, out);
}

/* The Service that stands for this external name, which somebody asked for by the name outside. */
static const struct route_service *find_external(const struct route_table *t, struct span host)
{
	for (size_t i = 0; i < t->service_count && i < MAX_LOOKED_AT; i++)
		if (t->services[i].route_count > 0 &&
		    span_eq_nocase(t->services[i].external_name, host))
			return &t->services[i];
	return NULL;
}

/* The Service whose name is nearly the first label of the host. */
static const struct route_service *find_near(const struct route_table *t, struct span host)
{
	const struct route_service *best = NULL;
	struct span label = span_first(host, span_find(host, '.'));
	char storage[NEAREST_MAX];
	struct nearest nearest;
	size_t compared = 0;

	if (label.len > sizeof storage)
		return NULL;
	for (size_t i = 0; i < label.len; i++)
		storage[i] = ascii_to_lower(label.ptr[i]);
	nearest_init(&nearest, span_of(storage, label.len));
	if (nearest.distance > MAX_SLIPS + 1)
		nearest.distance = MAX_SLIPS + 1;
	for (size_t i = 0; i < t->service_count && i < MAX_LOOKED_AT; i++) {
		const struct route_service *service = &t->services[i];
		size_t distance = nearest.distance;

		if (service->name.len > label.len + MAX_SLIPS ||
		    label.len > service->name.len + MAX_SLIPS || ++compared > MAX_COMPARED)
			continue;
		nearest_offer(&nearest, service->name);
		if (nearest.distance < distance)
			best = service;
	}
	return best;
}

/* ", known are externalbin:80, securegoogle:443 and 3 more" */
static void add_known(const struct route_table *t, struct buf *out)
{
	size_t listed = t->route_count < MAX_LISTED_SERVICES ? t->route_count : MAX_LISTED_SERVICES;

	buf_add_cstr(out, listed == 0 ? ", nothing is" : ", known are ");
	for (size_t i = 0; i < listed; i++) {
		buf_add_cstr(out, i == 0 ? "" : ", ");
		route_table_print_host(t, t->routes[i].service, out);
		buf_printf(out, ":%u", t->routes[i].port);
	}
	if (listed < t->route_count)
		buf_printf(out, " and %zu more", t->route_count - listed);
}

static void explain_host(const struct route_table *t, struct span host,
			 const struct route_decision *d, struct buf *out)
{
	const struct route_service *service = find_external(t, host);

	buf_add_byte(out, '"');
	buf_add_escaped(out, host, MAX_SHOWN);
	buf_add_cstr(out, "\" is not registered");
	if (service != NULL) {
		buf_add_cstr(out, " by that name");
		add_advice(t, service, d->port, out);
		return;
	}
	service = find_near(t, host);
	if (service == NULL) {
		add_known(t, out);
		hint_add(host, d->port, out);
		return;
	}
	buf_add_cstr(out, ": did you mean ");
	route_table_print_host(t, service, out);
	buf_add_byte(out, '?');
}

void route_match_explain(const struct route_table *t, struct span authority,
			 const struct route_decision *decision, struct buf *out)
{
	const char *problem;
	struct hostport hp;
	struct span host = {NULL, 0};

	if (hostport_parse(authority, &hp, &problem))
		host = hostname_without_root(hp.host);
	switch (decision->verdict) {
	case ROUTE_FOUND:
		buf_add_escaped(out, authority, MAX_SHOWN);
		buf_printf(out, " goes to %s:%u", decision->service->external_name.ptr,
			   decision->route->port);
		break;
	case ROUTE_UNKNOWN_HOST:
		explain_host(t, host, decision, out);
		break;
	case ROUTE_UNKNOWN_PORT:
		explain_port(t, host, decision->service, out);
		break;
	case ROUTE_WRONG_NAMESPACE:
		/*
		 * `httpbin.org` is both Service httpbin of namespace org and, likelier, the
		 * outside.
		 */
		if (find_external(t, host) != NULL)
			explain_host(t, host, decision, out);
		else
			explain_namespace(t, decision, out);
		break;
	case ROUTE_BAD_AUTHORITY:
		buf_add_cstr(out, "\"");
		buf_add_escaped(out, authority, MAX_SHOWN);
		buf_printf(out, "\" is not HOST or HOST:PORT: %s", decision->problem);
		break;
	}
}
