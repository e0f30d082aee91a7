#include "kube/port.h"

#include "base/buf.h"
#include "base/num.h"

const char *const kube_port_protocol_names[] = {
#define X(member, name) name,
	KUBE_PROTOCOLS(X)
#undef X
};

/* What appProtocol or the first part of a port's name may say. */
struct meaning {
	struct span word;
	enum kube_protocol protocol;
	const char *why_not; /* for KUBE_NOT_ROUTED */
};

#define WORD(literal)                                                                              \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}
#define NO_HTTP2                                                                                   \
	"HTTP/2 is not spoken here; if the server takes HTTP/1.1 too, call the port http or https"
#define NO_GRPC "gRPC needs HTTP/2, which is not spoken here"
#define NO_RAW "only HTTP can be routed by host name"
#define NO_TLS "TLS is not passed through; for HTTP over TLS to the outside call the port https"

static const struct meaning meanings[] = {
	{WORD("http"), KUBE_HTTP, NULL},
	{WORD("https"), KUBE_HTTPS, NULL},
	{WORD("kubernetes.io/ws"), KUBE_HTTP, NULL},
	{WORD("kubernetes.io/wss"), KUBE_HTTPS, NULL},
	{WORD("http2"), KUBE_NOT_ROUTED, NO_HTTP2},
	{WORD("h2c"), KUBE_NOT_ROUTED, NO_HTTP2},
	{WORD("kubernetes.io/h2c"), KUBE_NOT_ROUTED, NO_HTTP2},
	{WORD("grpc"), KUBE_NOT_ROUTED, NO_GRPC},
	{WORD("grpc-web"), KUBE_NOT_ROUTED, NO_GRPC},
	{WORD("tcp"), KUBE_NOT_ROUTED, NO_RAW},
	{WORD("udp"), KUBE_NOT_ROUTED, NO_RAW},
	{WORD("tls"), KUBE_NOT_ROUTED, NO_TLS},
	{WORD("mongo"), KUBE_NOT_ROUTED, NO_RAW},
	{WORD("redis"), KUBE_NOT_ROUTED, NO_RAW},
	{WORD("mysql"), KUBE_NOT_ROUTED, NO_RAW},
};

enum {
	PORT_NAME,
	PORT_NUMBER,
	PORT_PROTOCOL,
	PORT_APP_PROTOCOL,
	PORT_TARGET,
	PORT_NODE,
	PORT_KEYS
};

static const struct ykey port_keys[PORT_KEYS] = {
	[PORT_NAME] = {"name", YKEY_TEXT},
	[PORT_NUMBER] = {"port", YKEY_ANY},
	[PORT_PROTOCOL] = {"protocol", YKEY_TEXT},
	[PORT_APP_PROTOCOL] = {"appProtocol", YKEY_TEXT},
	[PORT_TARGET] = {"targetPort", YKEY_SCALAR},
	[PORT_NODE] = {"nodePort", YKEY_ANY},
};

/* An entry under way: what was read of it and where complaints go. */
struct reading {
	const struct ykeys_context *context;
	const struct ydoc_node *node;
	const struct ydoc_node *values[PORT_KEYS];
	struct kube_port *port;
};

static const struct meaning *find_meaning(struct span text)
{
	for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
		if (span_eq_nocase(meanings[i].word, text))
			return &meanings[i];
	return NULL;
}

/* About the value of a key, or about the entry when it has no such key. */
static struct ydoc_pos pos_of(const struct reading *r, int key)
{
	return r->values[key] != NULL ? r->values[key]->pos : r->node->pos;
}

static bool read_number(struct reading *r)
{
	const struct ydoc_node *value = r->values[PORT_NUMBER];
	char shown[YDOC_ESCAPED_MAX];

	if (value == NULL)
		return ykeys_report(r->context, DIAG_ERROR, r->node->pos, "port", "missing");
	if (value->kind == YDOC_SCALAR && value->is_plain &&
	    num_parse_port(value->text, &r->port->number))
		return true;
	if (value->kind != YDOC_SCALAR)
		return ykeys_report(r->context, DIAG_ERROR, value->pos, "port",
				    "expected a number from 1 to 65535, found %s",
				    ydoc_describe(value));
	return ykeys_report(r->context, DIAG_ERROR, value->pos, "port",
			    "expected a number from 1 to 65535, found \"%s\"%s",
			    ydoc_escape(value->text, shown), value->is_plain ? "" : " in quotes");
}

static bool read_transport(struct reading *r)
{
	static const char *const names[] = {
		[KUBE_TCP] = "TCP",
		[KUBE_UDP] = "UDP",
		[KUBE_SCTP] = "SCTP",
	};
	const struct ydoc_node *value = r->values[PORT_PROTOCOL];
	char shown[YDOC_ESCAPED_MAX];

	if (value == NULL || value->text.len == 0)
		return true;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (span_eq(value->text, span_from_cstr(names[i]))) {
			r->port->transport = (uint8_t)i;
			return true;
		}
	}
	return ykeys_report(r->context, DIAG_ERROR, value->pos, "protocol",
			    "expected TCP, UDP or SCTP, found \"%s\": http and https go into name",
			    ydoc_escape(value->text, shown));
}

static enum kube_protocol protocol_of_app_protocol(const struct reading *r)
{
	struct span text = r->values[PORT_APP_PROTOCOL]->text;
	const struct meaning *meaning = find_meaning(text);
	char shown[YDOC_ESCAPED_MAX];

	if (meaning != NULL && meaning->protocol != KUBE_NOT_ROUTED)
		return meaning->protocol;
	ykeys_report(r->context, DIAG_WARNING, pos_of(r, PORT_APP_PROTOCOL), "appProtocol",
		     "port %u is not routed: \"%s\" is not supported: %s", r->port->number,
		     ydoc_escape(text, shown),
		     meaning != NULL ? meaning->why_not : "only http and https are");
	return KUBE_NOT_ROUTED;
}

/* Neither appProtocol nor name says what is spoken. */
static enum kube_protocol protocol_of_number(const struct reading *r)
{
	enum kube_protocol protocol = r->port->number == 80    ? KUBE_HTTP
				      : r->port->number == 443 ? KUBE_HTTPS
							       : KUBE_NOT_ROUTED;
	const char *name = kube_port_protocol_names[protocol];
	char shown[YDOC_ESCAPED_MAX], problem[YDOC_ESCAPED_MAX + 32];
	struct buf b;

	BUF_INIT_ARRAY(&b, problem);
	if (r->port->name.len > 0)
		buf_printf(&b, "\"%s\" is no protocol", ydoc_escape(r->port->name, shown));
	else
		buf_add_cstr(&b, "it has no name");
	if (protocol == KUBE_NOT_ROUTED)
		ykeys_report(r->context, DIAG_WARNING, pos_of(r, PORT_NAME),
			     r->port->name.len > 0 ? "name" : NULL,
			     "port %u is not routed: %s; name it http or https, or set appProtocol",
			     r->port->number, problem);
	else
		ykeys_report(r->context, DIAG_WARNING, pos_of(r, PORT_NAME),
			     r->port->name.len > 0 ? "name" : NULL,
			     "port %u is taken as %s: %s; name it %s, or set appProtocol",
			     r->port->number, name, problem, name);
	return protocol;
}

static enum kube_protocol protocol_of_name(const struct reading *r)
{
	struct span name = r->port->name, first = span_first(name, span_find(name, '-'));
	const struct meaning *meaning = find_meaning(first);
	char shown[YDOC_ESCAPED_MAX];

	if (meaning == NULL)
		return protocol_of_number(r);
	if (meaning->protocol == KUBE_NOT_ROUTED)
		ykeys_report(r->context, DIAG_WARNING, pos_of(r, PORT_NAME), "name",
			     "port %u is not routed: \"%s\" is not supported: %s", r->port->number,
			     ydoc_escape(first, shown), meaning->why_not);
	else if (!span_eq(meaning->word, first))
		ykeys_report(r->context, DIAG_WARNING, pos_of(r, PORT_NAME), "name",
			     "\"%s\" is read as %s: Kubernetes wants names in lower case",
			     ydoc_escape(first, shown),
			     kube_port_protocol_names[meaning->protocol]);
	return meaning->protocol;
}

static enum kube_protocol read_protocol(const struct reading *r)
{
	const struct ydoc_node *app_protocol = r->values[PORT_APP_PROTOCOL];

	if (r->port->transport != KUBE_TCP) {
		ykeys_report(r->context, DIAG_WARNING, pos_of(r, PORT_PROTOCOL), "protocol",
			     "port %u is not routed: HTTP goes over TCP", r->port->number);
		return KUBE_NOT_ROUTED;
	}
	if (app_protocol != NULL && app_protocol->text.len > 0)
		return protocol_of_app_protocol(r);
	return protocol_of_name(r);
}

static void check_target(const struct reading *r)
{
	const struct ydoc_node *target = r->values[PORT_TARGET];
	char shown[YDOC_ESCAPED_MAX];
	uint16_t number;

	if (target == NULL || (num_parse_port(target->text, &number) && number == r->port->number))
		return;
	ykeys_report(r->context, DIAG_WARNING, target->pos, "targetPort",
		     "\"%s\" is ignored: port %u itself is called at an external name",
		     ydoc_escape(target->text, shown), r->port->number);
}

bool kube_port_read(const struct ykeys_context *context, const struct ydoc_node *node,
		    struct arena *arena, struct kube_port *out)
{
	struct reading r = {.context = context, .node = node, .port = out};
	bool is_good;

	*out = (struct kube_port){.pos = {context->file, node->pos.line, node->pos.col}};
	if (node->kind != YDOC_MAPPING)
		return ykeys_report(context, DIAG_ERROR, node->pos, NULL,
				    "expected a mapping with port and name, found %s",
				    ydoc_describe(node));
	ykeys_read(context, node, port_keys, PORT_KEYS, r.values);
	if (r.values[PORT_NAME] != NULL &&
	    !arena_copy(arena, r.values[PORT_NAME]->text, &out->name))
		return ykeys_report(context, DIAG_ERROR, node->pos, NULL, "out of memory");
	is_good = read_number(&r);
	is_good = read_transport(&r) && is_good;
	if (!is_good)
		return false;
	out->protocol = (uint8_t)read_protocol(&r);
	check_target(&r);
	return true;
}
