#include "inject/capture.h"

#include "base/ascii.h"
#include "net/cidr.h"
#include "net/portrange.h"

enum kind {
	CAPTURE_RANGES,
	CAPTURE_PORTS,
	CAPTURE_INTERFACES,
};

const char *const capture_annotations[CAPTURE_FIELD_COUNT] = {
#define X(member, annotation, kind, star) [member] = annotation,
	CAPTURE_FIELDS(X)
#undef X
};

static const struct {
	enum kind kind;
	bool takes_star;
} fields[CAPTURE_FIELD_COUNT] = {
#define X(member, annotation, kind, star) [member] = {kind, star},
	CAPTURE_FIELDS(X)
#undef X
};

/* IFNAMSIZ without the NUL. */
#define INTERFACE_MAX 15

static bool add_range(struct span text, struct buf *out, struct buf *note, struct error *e)
{
	bool had_host_bits;
	size_t before = out->len;
	struct cidr c;

	if (!cidr_parse(text, &c, &had_host_bits, e))
		return false;
	cidr_format(&c, out);
	if (had_host_bits)
		buf_printf(note, "%s%.*s is taken as %.*s", note->len > 0 ? ", " : "",
			   SPAN_ARG(text), SPAN_ARG(span_from(buf_span(out), before)));
	return true;
}

static bool add_port(struct span text, struct buf *out, struct error *e)
{
	struct portrange r;

	if (!portrange_parse(text, &r, e))
		return false;
	portrange_format(&r, out);
	return true;
}

/* What the kernel takes for an interface's name, and no argument could be mistaken for. */
static bool add_interface(struct span text, struct buf *out, struct error *e)
{
	char storage[96];
	struct buf shown;
	bool ok = text.len > 0 && text.len <= INTERFACE_MAX && text.ptr[0] != '-';

	for (size_t i = 0; i < text.len; i++)
		ok = ok && ascii_is_print(text.ptr[i]) && strchr(" /:,", text.ptr[i]) == NULL;
	if (ok) {
		buf_add(out, text);
		return true;
	}
	BUF_INIT_ARRAY(&shown, storage);
	buf_add_escaped(&shown, text, 20);
	return error_set(e, "\"%s\" is no name of an interface: expected up to %d bytes",
			 buf_cstr(&shown), INTERFACE_MAX);
}

static bool add_entry(enum capture_field field, struct span text, struct buf *out, struct buf *note,
		      struct error *e)
{
	if (fields[field].kind == CAPTURE_RANGES) {
		if (span_eq(text, SPAN("*")))
			return error_set(e, fields[field].takes_star
						    ? "* stands alone, for all addresses"
						    : "* is not taken here: expected ranges of "
						      "addresses");
		return add_range(text, out, note, e);
	}
	if (fields[field].kind == CAPTURE_PORTS)
		return add_port(text, out, e);
	return add_interface(text, out, e);
}

bool capture_parse(struct capture *c, enum capture_field field, struct span text,
		   struct arena *arena, struct buf *note, struct error *e)
{
	struct span rest = span_trim(text), entry;
	unsigned number = 0;
	struct buf list;
	bool ok = true;

	buf_init_heap(&list, 1 << 20);
	if (span_eq(rest, SPAN("*")) && fields[field].takes_star)
		buf_add(&list, rest);
	else if (rest.len > 0)
		while (ok && span_split(&rest, ',', &entry)) {
			if (++number > 1)
				buf_add_byte(&list, ',');
			ok = add_entry(field, span_trim(entry), &list, note, e);
		}
	if (!ok && number > 1)
		error_prefix(e, "entry %u", number);
	if (ok && (list.truncated || !arena_copy(arena, buf_span(&list), &c->list[field])))
		ok = error_set(e, "out of memory");
	c->is_set[field] = ok;
	buf_fini(&list);
	return ok;
}

static void add_argument(struct buf *out, const char *option, struct span value)
{
	buf_add_cstr(out, option);
	buf_add_byte(out, '\n');
	buf_add(out, value);
	buf_add_byte(out, '\n');
}

static void add_list(const struct capture *c, enum capture_field field, const char *option,
		     struct buf *out)
{
	if (c->list[field].len > 0)
		add_argument(out, option, c->list[field]);
}

static bool is_all(const struct capture *c, enum capture_field field)
{
	return span_eq(c->list[field], SPAN("*"));
}

static void add_inbound(const struct capture *c, unsigned admin_port, struct buf *out)
{
	char storage[16];
	struct buf port;

	if (c->list[CAPTURE_INCLUDE_INBOUND].len == 0) {
		add_argument(out, "--inbound", SPAN("none"));
		return;
	}
	add_argument(out, "--inbound", SPAN("redirect"));
	if (!is_all(c, CAPTURE_INCLUDE_INBOUND)) {
		add_list(c, CAPTURE_INCLUDE_INBOUND, "--include-inbound-port", out);
		return;
	}
	BUF_INIT_ARRAY(&port, storage);
	buf_add_u64(&port, admin_port);
	buf_add_cstr(out, "--exclude-inbound-port\n");
	buf_add(out, c->list[CAPTURE_EXCLUDE_INBOUND]);
	if (c->list[CAPTURE_EXCLUDE_INBOUND].len > 0)
		buf_add_byte(out, ',');
	buf_add(out, buf_span(&port));
	buf_add_byte(out, '\n');
}

void capture_arguments(const struct capture *c, unsigned admin_port, struct buf *out)
{
	struct span ranges = c->list[CAPTURE_INCLUDE_RANGES];
	bool has_ports = c->list[CAPTURE_INCLUDE_OUTBOUND].len > 0;

	add_inbound(c, admin_port, out);
	if (!c->is_set[CAPTURE_INCLUDE_RANGES] || is_all(c, CAPTURE_INCLUDE_RANGES)) {
		add_list(c, CAPTURE_EXCLUDE_RANGES, "--exclude-cidr", out);
	} else if (ranges.len == 0 && !has_ports) {
		/* iptables-setup takes an empty list for all, as Istio did in 2017. */
		add_argument(out, "--exclude-cidr", SPAN("0.0.0.0/0,::/0"));
	} else {
		add_list(c, CAPTURE_INCLUDE_RANGES, "-i", out);
		add_list(c, CAPTURE_INCLUDE_OUTBOUND, "--include-port", out);
		add_list(c, CAPTURE_EXCLUDE_RANGES, "--exclude-cidr", out);
	}
	add_list(c, CAPTURE_EXCLUDE_OUTBOUND, "--exclude-port", out);
	add_list(c, CAPTURE_EXCLUDE_INTERFACES, "--exclude-interface", out);
}
