#include "route/table.h"

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/hash.h"
#include "net/addr.h"
#include "net/hostname.h"

/* Services and ports are counted in 32 bits; 200 bytes each, so this bound is never the first. */
#define MAX_TABLE_BYTES ((size_t)1 << 30)

/* What a key is made of. Parts that an index does not use are empty. */
struct key {
	struct span name;
	struct span namespace;
	uint16_t port;
};

/* Look-ups come with a peer's letters, so the hash takes them in lower case. */
static uint64_t hash_lower(uint64_t hash, struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		hash = hash_byte(hash, ascii_to_lower(s.ptr[i]));
	return hash_byte(hash, '.');
}

static uint32_t hash_of(struct key key)
{
	uint64_t hash = hash_lower(hash_lower(HASH_INIT, key.name), key.namespace);

	hash = hash_byte(hash_byte(hash, (char)(key.port >> 8)), (char)key.port);
	return (uint32_t)hash_finish(hash);
}

static bool is_service(const struct route_service *service, struct key key)
{
	return span_eq_nocase(service->name, key.name) &&
	       span_eq_nocase(service->namespace, key.namespace);
}

const struct route *route_table_find(const struct route_table *t, struct span name,
				     struct span namespace, uint16_t port)
{
	struct key key = {name, namespace, port};
	uint32_t at = hash_of(key) & t->by_port.mask, slot;

	for (; (slot = t->by_port.slots[at]) != 0; at = (at + 1) & t->by_port.mask) {
		const struct route *route = &t->routes[slot - 1];

		if (route->port == port && is_service(route->service, key))
			return route;
	}
	return NULL;
}

const struct route_service *route_table_find_service(const struct route_table *t, struct span name,
						     struct span namespace)
{
	struct key key = {name, namespace, 0};
	uint32_t at = hash_of(key) & t->by_service.mask, slot;

	for (; (slot = t->by_service.slots[at]) != 0; at = (at + 1) & t->by_service.mask)
		if (is_service(&t->services[slot - 1], key))
			return &t->services[slot - 1];
	return NULL;
}

const struct route_service *route_table_find_name(const struct route_table *t, struct span name)
{
	uint32_t at = hash_of((struct key){.name = name}) & t->by_name.mask, slot;

	for (; (slot = t->by_name.slots[at]) != 0; at = (at + 1) & t->by_name.mask)
		if (span_eq_nocase(t->services[slot - 1].name, name))
			return &t->services[slot - 1];
	return NULL;
}

/* An index for `count` entries, at most half full. */
static bool make_index(struct arena *arena, size_t count, struct route_index *index)
{
	size_t size = 2;

	while (size < count * 2)
		size *= 2;
	index->slots = arena_get_array(arena, size, sizeof index->slots[0]);
	index->mask = (uint32_t)(size - 1);
	return index->slots != NULL;
}

/* Puts position `at` into the first free slot of its key; what is there already stays. */
static void put(struct route_index *index, uint32_t hash, size_t position)
{
	uint32_t at = hash & index->mask;

	while (index->slots[at] != 0)
		at = (at + 1) & index->mask;
	index->slots[at] = (uint32_t)(position + 1);
}

static bool is_routed(const struct kube_port *port)
{
	return port->protocol != KUBE_NOT_ROUTED;
}

/* A table under way. */
struct building {
	struct route_table *table;
	uint32_t tls_services; /* so far */
	uint32_t tls_service;  /* of the Service under way, or 0 */
};

static uint32_t hash_target(const struct route_target *target)
{
	/* Any text will do that tells apart what is asked below. */
	struct span kind = span_of(&target->tls_service, sizeof target->tls_service);

	return hash_of((struct key){target->host, target->tls ? kind : SPAN(""), target->port});
}

/* The target, in the chain of its hash; with `any_service` one that has TLS settings is as good. */
static bool find_target(const struct route_table *t, const struct route_target *wanted,
			bool any_service, uint32_t *index)
{
	uint32_t at = hash_target(wanted) & t->by_target.mask, slot;

	for (; (slot = t->by_target.slots[at]) != 0; at = (at + 1) & t->by_target.mask) {
		const struct route_target *known = &t->targets[slot - 1];

		if (known->port == wanted->port && known->tls == wanted->tls &&
		    (any_service || known->tls_service == wanted->tls_service) &&
		    span_eq_nocase(known->host, wanted->host)) {
			*index = slot - 1;
			return true;
		}
	}
	return false;
}

bool route_table_find_target(const struct route_table *t, struct span host, uint16_t port, bool tls,
			     uint32_t *index)
{
	return find_target(t, &(struct route_target){.host = host, .port = port, .tls = tls}, true,
			   index);
}

/*
 * The index of the target, which is added when it is new. One of a Service's own is put in a second
 * time, as if it were not, for whoever asks for the host alone.
 */
static uint32_t add_target(struct route_table *t, struct route_target target)
{
	uint32_t index;

	if (find_target(t, &target, false, &index))
		return index;
	t->targets[t->target_count] = target;
	put(&t->by_target, hash_target(&target), t->target_count);
	if (target.tls_service != 0 &&
	    !route_table_find_target(t, target.host, target.port, target.tls, &index)) {
		target.tls_service = 0;
		put(&t->by_target, hash_target(&target), t->target_count);
	}
	return (uint32_t)t->target_count++;
}

/*
 * The parts of an upstream's Host: the port only when it isn't the scheme's own (RFC 9110 section
 * 4.2.3).
 */
static bool make_host_header(struct arena *arena, const struct kube_port *port, struct route *route)
{
	struct span name = route->service->external_name;
	char storage[HOSTNAME_MAX + sizeof ":65535"];
	struct buf text;

	route->host_header = name;
	if (port->number == (route->tls ? 443 : 80))
		return true;
	BUF_INIT_ARRAY(&text, storage);
	buf_add(&text, name);
	buf_printf(&text, ":%u", port->number);
	return arena_copy(arena, buf_span(&text), &route->host_header);
}

static bool copy_pos(struct arena *arena, const struct kube_pos *pos, struct span *out)
{
	char storage[4096 + sizeof ":4294967295:4294967295"]; /* PATH_MAX */
	struct buf text;

	BUF_INIT_ARRAY(&text, storage);
	buf_add_cstr(&text, pos->file);
	if (pos->line > 0)
		buf_printf(&text, ":%u:%u", pos->line, pos->col);
	return arena_copy(arena, buf_span(&text), out);
}

static bool add_route(struct building *b, struct route_service *service,
		      const struct kube_port *port)
{
	struct route_table *t = b->table;
	struct route *route = &t->routes[t->route_count];

	route->service = service;
	route->port = port->number;
	route->tls = port->protocol == KUBE_HTTPS;
	if (!make_host_header(&t->arena, port, route) ||
	    !copy_pos(&t->arena, &port->pos, &route->pos))
		return false;
	route->target = add_target(
		t, (struct route_target){.host = service->external_name,
					 .port = route->port,
					 .tls = route->tls,
					 .tls_service = route->tls ? b->tls_service : 0});
	put(&t->by_port, hash_of((struct key){service->name, service->namespace, route->port}),
	    t->route_count);
	t->route_count++;
	service->route_count++;
	return true;
}

/* Namespaces are few and come in runs: one text serves them all. */
static bool copy_namespace(struct route_table *t, struct span namespace, struct span *out)
{
	*out = t->namespace;
	if (span_eq(namespace, *out))
		return true;
	if (t->service_count > 0)
		*out = t->services[t->service_count - 1].namespace;
	return span_eq(namespace, *out) || arena_copy(&t->arena, namespace, out);
}

static bool add_service(struct building *b, const struct kube_service *from)
{
	struct route_table *t = b->table;
	struct route_service *service = &t->services[t->service_count];

	if (!arena_copy(&t->arena, from->name, &service->name) ||
	    !arena_copy(&t->arena, from->external_name, &service->external_name) ||
	    !copy_namespace(t, from->namespace, &service->namespace))
		return false;
	service->first_route = (uint32_t)t->route_count;
	b->tls_service = from->tls != NULL ? ++b->tls_services : 0;
	put(&t->by_service, hash_of((struct key){service->name, service->namespace, 0}),
	    t->service_count);
	if (route_table_find_name(t, service->name) == NULL)
		put(&t->by_name, hash_of((struct key){.name = service->name}), t->service_count);
	t->service_count++;
	for (size_t i = 0; i < from->port_count; i++)
		if (is_routed(&from->ports[i]) && !add_route(b, service, &from->ports[i]))
			return false;
	return true;
}

static uint64_t hash_table(const struct route_table *t)
{
	uint64_t hash = hash_lower(hash_lower(HASH_INIT, t->namespace), t->cluster_domain);

	for (size_t i = 0; i < t->service_count; i++) {
		hash = hash_lower(hash, t->services[i].name);
		hash = hash_lower(hash, t->services[i].namespace);
		hash = hash_lower(hash, t->services[i].external_name);
	}
	for (size_t i = 0; i < t->route_count; i++) {
		const struct route *route = &t->routes[i];

		hash = hash_lower(hash_byte(hash, (char)route->tls), route->host_header);
		hash = hash_span(hash_span(hash, route->service->name), route->pos);
		hash = hash_byte(hash_byte(hash, (char)(route->port >> 8)), (char)route->port);
	}
	return hash_finish(hash);
}

static bool check_options(const struct route_options *options, struct error *e)
{
	const char *problem = hostname_label_problem(options->namespace);

	if (problem != NULL)
		return error_set(e, "namespace \"%.*s\": %s",
				 SPAN_ARG(span_first(options->namespace, 100)), problem);
	problem = hostname_problem(hostname_without_root(options->cluster_domain));
	if (problem != NULL)
		return error_set(e, "cluster domain \"%.*s\": %s",
				 SPAN_ARG(span_first(options->cluster_domain, 100)), problem);
	return true;
}

/* All arrays at the size they end with. */
static bool make_arrays(struct building *b, const struct kube_services *from)
{
	struct route_table *t = b->table;
	size_t routes = 0;

	for (size_t i = 0; i < from->count; i++)
		for (size_t p = 0; p < from->list[i]->port_count; p++)
			routes += is_routed(&from->list[i]->ports[p]);
	t->services = arena_get_array(&t->arena, from->count, sizeof t->services[0]);
	t->routes = arena_get_array(&t->arena, routes, sizeof t->routes[0]);
	t->targets = arena_get_array(&t->arena, routes + 1, sizeof t->targets[0]);
	return t->services != NULL && t->routes != NULL && t->targets != NULL &&
	       make_index(&t->arena, routes, &t->by_port) &&
	       make_index(&t->arena, from->count, &t->by_service) &&
	       make_index(&t->arena, from->count, &t->by_name) &&
	       make_index(&t->arena, 2 * routes + 1, &t->by_target);
}

/* The name to ask name servers for. */
static void print_gateway_name(const struct route_table *t, struct span host, struct buf *out)
{
	struct span rest = host, label;
	size_t labels = 0;
	bool is_svc = false;
	struct addr literal;

	buf_add(out, host);
	if (addr_parse_ip(host, &literal) || span_ends_with(host, SPAN(".")))
		return;
	while (span_split(&rest, '.', &label)) {
		labels++;
		is_svc = labels == 3 && span_eq_nocase(label, SPAN("svc"));
	}
	if (labels > 2 && !is_svc)
		return;
	if (labels == 1) {
		buf_add_byte(out, '.');
		buf_add(out, t->namespace);
	}
	buf_printf(out, "%s.", is_svc ? "" : ".svc");
	buf_add(out, t->cluster_domain);
}

/* A route beside the others, which no Host leads to. */
static bool add_gateway(struct route_table *t, const struct route_options *options)
{
	struct route_service *service = arena_get_array(&t->arena, 1, sizeof *service);
	struct route *route = arena_get_array(&t->arena, 1, sizeof *route);
	char storage[3 * HOSTNAME_MAX];
	struct buf name;

	BUF_INIT_ARRAY(&name, storage);
	print_gateway_name(t, options->gateway_host, &name);
	if (service == NULL || route == NULL ||
	    !arena_copy(&t->arena, hostname_without_root(buf_span(&name)), &service->external_name))
		return false;
	service->name = SPAN("gateway");
	route->service = service;
	route->port = options->gateway_port;
	route->pos = SPAN("--gateway");
	route->target = add_target(
		t, (struct route_target){.host = service->external_name, .port = route->port});
	t->gateway = route;
	return true;
}

static bool build(struct building *b, const struct kube_services *from,
		  const struct route_options *options)
{
	struct route_table *t = b->table;

	if (!arena_copy(&t->arena, options->namespace, &t->namespace) ||
	    !arena_copy(&t->arena, hostname_without_root(options->cluster_domain),
			&t->cluster_domain) ||
	    !make_arrays(b, from))
		return false;
	for (size_t i = 0; i < from->count; i++)
		if (from->list[i]->external_name.len > 0 && !add_service(b, from->list[i]))
			return false;
	t->hash = hash_table(t);
	return options->gateway_host.len == 0 || add_gateway(t, options);
}

struct route_table *route_table_new(const struct kube_services *services,
				    const struct route_options *options, struct error *e)
{
	struct building b = {.table = NULL};
	bool is_built;

	if (!check_options(options, e))
		return NULL;
	b.table = alloc_get_zeroed(sizeof *b.table);
	if (b.table == NULL) {
		error_set(e, "out of memory");
		return NULL;
	}
	arena_init(&b.table->arena, MAX_TABLE_BYTES);
	is_built = build(&b, services, options);
	if (is_built)
		return b.table;
	error_set(e, "out of memory");
	route_table_free(b.table);
	return NULL;
}

void route_table_free(struct route_table *t)
{
	if (t == NULL)
		return;
	if (t->release != NULL)
		t->release(t->attached);
	arena_fini(&t->arena);
	alloc_put(t);
}

void route_table_print_host(const struct route_table *t, const struct route_service *service,
			    struct buf *out)
{
	buf_add(out, service->name);
	if (span_eq(service->namespace, t->namespace))
		return;
	buf_add_byte(out, '.');
	buf_add(out, service->namespace);
}

/* Text in columns: the widths first, then the lines. */
enum { COLUMN_HOST, COLUMN_PROTOCOL, COLUMN_UPSTREAM, COLUMNS };

/* One row's text in each column but the last, which needs no width. */
struct row {
	struct buf cells[COLUMNS];
	char storage[COLUMNS][HOSTNAME_MAX + 16];
};

static void fill_row(const struct route_table *t, const struct route *route, struct row *row)
{
	for (size_t i = 0; i < COLUMNS; i++)
		BUF_INIT_ARRAY(&row->cells[i], row->storage[i]);
	route_table_print_host(t, route->service, &row->cells[COLUMN_HOST]);
	buf_printf(&row->cells[COLUMN_HOST], ":%u", route->port);
	buf_add_cstr(&row->cells[COLUMN_PROTOCOL], route->tls ? "https" : "http");
	buf_add(&row->cells[COLUMN_UPSTREAM], route->service->external_name);
	buf_printf(&row->cells[COLUMN_UPSTREAM], ":%u", route->port);
}

static void print_row(const struct row *row, const size_t widths[static COLUMNS], struct span last,
		      struct buf *out)
{
	for (size_t i = 0; i < COLUMNS; i++)
		buf_printf(out, "%-*s", (int)widths[i] + 2, buf_cstr(&row->cells[i]));
	buf_add(out, last);
	buf_add_byte(out, '\n');
}

static void print_text(const struct route_table *t, struct buf *out)
{
	static const char *const titles[COLUMNS] = {"HOST", "PROTOCOL", "UPSTREAM"};
	size_t widths[COLUMNS];
	struct row row;

	if (t->route_count == 0)
		return;
	for (size_t i = 0; i < COLUMNS; i++)
		widths[i] = strlen(titles[i]);
	for (size_t r = 0; r < t->route_count; r++) {
		fill_row(t, &t->routes[r], &row);
		for (size_t i = 0; i < COLUMNS; i++)
			if (row.cells[i].len > widths[i])
				widths[i] = row.cells[i].len;
	}
	for (size_t i = 0; i < COLUMNS; i++) {
		BUF_INIT_ARRAY(&row.cells[i], row.storage[i]);
		buf_add_cstr(&row.cells[i], titles[i]);
	}
	print_row(&row, widths, SPAN("SOURCE"), out);
	for (size_t r = 0; r < t->route_count; r++) {
		fill_row(t, &t->routes[r], &row);
		print_row(&row, widths, t->routes[r].pos, out);
	}
}

/* RFC 8259 section 7. Only a file's name can hold anything that needs it. */
static void add_json_string(struct buf *out, struct span text)
{
	buf_add_byte(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c < 0x20)
			buf_printf(out, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else
			buf_add_byte(out, (char)c);
	}
	buf_add_byte(out, '"');
}

static void print_json(const struct route_table *t, struct buf *out)
{
	struct row row;

	for (size_t r = 0; r < t->route_count; r++) {
		const struct route *route = &t->routes[r];

		fill_row(t, route, &row);
		buf_printf(
			out,
			"{\"host\":\"%s\",\"service\":\"%.*s\",\"namespace\":\"%.*s\",\"port\":%u,"
			"\"protocol\":\"%s\",\"upstream\":\"%s\",\"source\":",
			buf_cstr(&row.cells[COLUMN_HOST]), SPAN_ARG(route->service->name),
			SPAN_ARG(route->service->namespace), route->port,
			buf_cstr(&row.cells[COLUMN_PROTOCOL]),
			buf_cstr(&row.cells[COLUMN_UPSTREAM]));
		add_json_string(out, route->pos);
		buf_add_cstr(out, "}\n");
	}
}

void route_table_print(const struct route_table *t, enum route_format format, struct buf *out)
{
	if (format == ROUTE_FORMAT_JSON)
		print_json(t, out);
	else
		print_text(t, out);
}
