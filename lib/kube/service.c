#include "kube/service.h"

#include "base/ascii.h"
#include "net/addr.h"
#include "net/hostname.h"

/* Kubernetes has no bound of its own but that of an object's size. */
#define MAX_PORTS 1000

enum { OBJECT_API_VERSION, OBJECT_METADATA, OBJECT_SPEC, OBJECT_KEYS };
enum { METADATA_NAME, METADATA_NAMESPACE, METADATA_ANNOTATIONS, METADATA_KEYS };
enum { SPEC_TYPE, SPEC_EXTERNAL_NAME, SPEC_PORTS, SPEC_KEYS };

static const struct ykey object_keys[OBJECT_KEYS] = {
	[OBJECT_API_VERSION] = {"apiVersion", YKEY_TEXT},
	[OBJECT_METADATA] = {"metadata", YKEY_MAPPING},
	[OBJECT_SPEC] = {"spec", YKEY_MAPPING},
};

static const struct ykey metadata_keys[METADATA_KEYS] = {
	[METADATA_NAME] = {"name", YKEY_TEXT},
	[METADATA_NAMESPACE] = {"namespace", YKEY_TEXT},
	[METADATA_ANNOTATIONS] = {"annotations", YKEY_MAPPING},
};

static const struct ykey spec_keys[SPEC_KEYS] = {
	[SPEC_TYPE] = {"type", YKEY_TEXT},
	[SPEC_EXTERNAL_NAME] = {"externalName", YKEY_TEXT},
	[SPEC_PORTS] = {"ports", YKEY_SEQUENCE},
};

/* A Service under way. */
struct reading {
	struct arena *arena;
	struct kube_service *service;
	bool is_out_of_memory;
};

static void copy(struct reading *r, struct span text, struct span *out)
{
	if (!arena_copy(r->arena, text, out))
		r->is_out_of_memory = true;
}

static bool is_empty(const struct ydoc_node *text)
{
	return text == NULL || text->text.len == 0;
}

/* The text of `key` if it is there and `problem_of` finds nothing wrong with it. */
static void read_label(struct reading *r, const struct ykeys_context *context, const char *key,
		       const struct ydoc_node *value, const char *(*problem_of)(struct span),
		       struct span *out)
{
	const char *problem = problem_of(value->text);
	char shown[YDOC_ESCAPED_MAX];

	if (problem == NULL)
		copy(r, value->text, out);
	else
		ykeys_report(context, DIAG_ERROR, value->pos, key, "\"%s\" is no name: %s",
			     ydoc_escape(value->text, shown), problem);
}

static void read_metadata(struct reading *r, const struct ykeys_context *context,
			  const struct ydoc_node *metadata, struct span default_namespace)
{
	struct ydoc_path path = {.parent = context->path, .key = "metadata"};
	struct ykeys_context inner = {context->diag, context->file, &path};
	const struct ydoc_node *values[METADATA_KEYS];
	struct kube_service *service = r->service;

	ykeys_read(&inner, metadata, metadata_keys, METADATA_KEYS, values);
	if (is_empty(values[METADATA_NAME])) {
		ykeys_report(&inner, DIAG_ERROR, metadata->pos, "name", "missing");
	} else {
		const struct ydoc_pos *pos = &values[METADATA_NAME]->pos;

		service->pos = (struct kube_pos){context->file, pos->line, pos->col};
		read_label(r, &inner, "name", values[METADATA_NAME], hostname_service_problem,
			   &service->name);
	}
	service->namespace = default_namespace;
	if (!is_empty(values[METADATA_NAMESPACE]))
		read_label(r, &inner, "namespace", values[METADATA_NAMESPACE],
			   hostname_label_problem, &service->namespace);
	if (values[METADATA_ANNOTATIONS] != NULL) {
		struct ydoc_path annotations = {.parent = &path, .key = "annotations"};
		struct ykeys_context within = {context->diag, context->file, &annotations};

		if (!kube_tls_read(&within, values[METADATA_ANNOTATIONS], r->arena, &service->tls))
			r->is_out_of_memory = true;
	}
}

/*
 * What somebody may have written where only a host name belongs; NULL when it is nothing of the
 * kind.
 */
static const char *mistake_in_host(struct span text)
{
	struct addr ip;
	size_t colon = span_find(text, ':');

	if (addr_parse_ip(text, &ip) && ip.family == 6)
		return "is an IPv6 address: expected a DNS name";
	if (colon != SIZE_MAX && span_starts_with(span_from(text, colon), SPAN("://")))
		return "is a URL: expected only its host name";
	if (colon != SIZE_MAX)
		return "has a port: expected only a host name, ports go into spec.ports";
	if (span_find(text, '/') != SIZE_MAX)
		return "has a path: expected only a host name";
	return NULL;
}

/* Lowers the name in place; says whether there was anything to lower. */
static bool lower(struct span name, char *at)
{
	bool has_upper = false;

	for (size_t i = 0; i < name.len; i++) {
		char c = ascii_to_lower(name.ptr[i]);

		has_upper = has_upper || c != name.ptr[i];
		at[i] = c;
	}
	return has_upper;
}

/* The name without root dot, in lower case, in the arena. */
static void keep_external_name(struct reading *r, const struct ykeys_context *context,
			       const struct ydoc_node *value)
{
	struct span name = hostname_without_root(value->text);
	char *at = arena_get(r->arena, name.len + 1);
	struct addr ip;

	if (at == NULL) {
		r->is_out_of_memory = true;
		return;
	}
	if (lower(name, at))
		ykeys_report(context, DIAG_WARNING, value->pos, "externalName",
			     "is read in lower case: Kubernetes wants it so");
	r->service->external_name = span_of(at, name.len);
	if (addr_parse_ip(name, &ip))
		ykeys_report(context, DIAG_WARNING, value->pos, "externalName",
			     "is called as the IPv4 address it looks like: to Kubernetes it is a "
			     "DNS name");
}

static void read_external_name(struct reading *r, const struct ykeys_context *context,
			       const struct ydoc_node *spec, const struct ydoc_node *value)
{
	const char *problem;
	char shown[YDOC_ESCAPED_MAX];
	struct addr ip;

	if (is_empty(value)) {
		ykeys_report(context, DIAG_ERROR, value != NULL ? value->pos : spec->pos,
			     "externalName", "missing: expected the DNS name to call");
		return;
	}
	problem = mistake_in_host(value->text);
	if (problem != NULL) {
		ykeys_report(context, DIAG_ERROR, value->pos, "externalName", "\"%s\" %s",
			     ydoc_escape(value->text, shown), problem);
		return;
	}
	problem = hostname_problem(hostname_without_root(value->text));
	if (problem != NULL && !addr_parse_ip(value->text, &ip)) {
		ykeys_report(context, DIAG_ERROR, value->pos, "externalName",
			     "\"%s\" is no DNS name: %s", ydoc_escape(value->text, shown), problem);
		return;
	}
	keep_external_name(r, context, value);
}

/* Reports a port number that the Service has already, for the same transport. */
static bool is_repeated(const struct kube_service *service, const struct kube_port *port,
			const struct ykeys_context *context, struct ydoc_pos pos)
{
	for (size_t i = 0; i < service->port_count; i++) {
		const struct kube_port *first = &service->ports[i];

		if (first->number != port->number || first->transport != port->transport)
			continue;
		ykeys_report(context, DIAG_ERROR, pos, "port",
			     "port %u is given twice, first on line %u", port->number,
			     first->pos.line);
		return true;
	}
	return false;
}

static void read_ports(struct reading *r, const struct ykeys_context *context,
		       const struct ydoc_node *ports)
{
	struct ydoc_path list = {.parent = context->path, .key = "ports"};
	struct ydoc_path entry = {.parent = &list};
	struct ykeys_context inner = {context->diag, context->file, &entry};
	struct kube_service *service = r->service;
	size_t count = 0;

	for (const struct ydoc_item *i = ports->items; i != NULL; i = i->next)
		count++;
	if (count > MAX_PORTS) {
		ykeys_report(context, DIAG_ERROR, ports->pos, "ports", "more than %d ports",
			     MAX_PORTS);
		return;
	}
	service->ports = arena_get_array(r->arena, count, sizeof service->ports[0]);
	if (service->ports == NULL) {
		r->is_out_of_memory = true;
		return;
	}
	for (const struct ydoc_item *i = ports->items; i != NULL; i = i->next, entry.index++) {
		struct kube_port port;

		if (kube_port_read(&inner, i->value, r->arena, &port) &&
		    !is_repeated(service, &port, &inner, i->value->pos))
			service->ports[service->port_count++] = port;
	}
}

static void read_spec(struct reading *r, const struct ykeys_context *context,
		      const struct ydoc_node *spec)
{
	struct ydoc_path path = {.parent = context->path, .key = "spec"};
	struct ykeys_context inner = {context->diag, context->file, &path};
	const struct ydoc_node *values[SPEC_KEYS];

	ykeys_read(&inner, spec, spec_keys, SPEC_KEYS, values);
	read_external_name(r, &inner, spec, values[SPEC_EXTERNAL_NAME]);
	if (values[SPEC_PORTS] != NULL && values[SPEC_PORTS]->items != NULL)
		read_ports(r, &inner, values[SPEC_PORTS]);
	else if (values[SPEC_PORTS] != NULL || ydoc_is_absent(ydoc_get(spec, SPAN("ports"))))
		ykeys_report(&inner, DIAG_WARNING, spec->pos, "ports",
			     "nothing is routed without ports: add \"- {port: 80, name: http}\"");
}

/* Annotations that promise something about connections there are none of. */
static void check_tls(const struct reading *r, const struct ykeys_context *context)
{
	const struct kube_service *service = r->service;
	struct ydoc_pos pos = {0};

	if (service->tls == NULL)
		return;
	for (size_t i = 0; i < service->port_count; i++)
		if (service->ports[i].protocol == KUBE_HTTPS)
			return;
	pos.line = service->tls->pos.line;
	pos.col = service->tls->pos.col;
	ykeys_report(context, DIAG_WARNING, pos, "metadata.annotations",
		     "those of TLS have no effect: the Service has no https port");
}

struct kube_service *kube_service_read(const struct ykeys_context *context,
				       const struct ydoc_node *object,
				       struct span default_namespace, struct arena *arena)
{
	struct reading r = {.arena = arena};
	const struct ydoc_node *values[OBJECT_KEYS];

	ykeys_read(context, object, object_keys, OBJECT_KEYS, values);
	r.service = arena_get(arena, sizeof *r.service);
	if (r.service == NULL) {
		r.is_out_of_memory = true;
	} else {
		if (ydoc_is_absent(ydoc_get(object, SPAN("apiVersion"))))
			ykeys_report(context, DIAG_ERROR, object->pos, "apiVersion",
				     "missing: expected v1");
		if (values[OBJECT_METADATA] != NULL)
			read_metadata(&r, context, values[OBJECT_METADATA], default_namespace);
		else if (ydoc_is_absent(ydoc_get(object, SPAN("metadata"))))
			ykeys_report(context, DIAG_ERROR, object->pos, "metadata.name", "missing");
		if (values[OBJECT_SPEC] != NULL)
			read_spec(&r, context, values[OBJECT_SPEC]);
		check_tls(&r, context);
	}
	if (r.is_out_of_memory)
		ykeys_report(context, DIAG_ERROR, object->pos, NULL, "out of memory");
	return !r.is_out_of_memory && r.service->name.len > 0 ? r.service : NULL;
}
