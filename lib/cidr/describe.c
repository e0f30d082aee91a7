#include "cidr/describe.h"

#include "json/jsonw.h"
#include "net/special.h"

/* ---- Reverse zones ---- */

/* The zone of the `labels` first octets or nibbles of an address. */
static void add_zone(uint8_t family, struct wide address, unsigned labels, struct buf *out)
{
	for (unsigned i = labels; i > 0; i--) {
		if (family == 4)
			buf_add_u64(out, address.low >> (32 - 8 * i) & 0xff);
		else
			buf_add_hex(out, (i <= 16 ? address.high >> (64 - 4 * i)
						  : address.low >> (128 - 4 * i)) &
						 15);
		buf_add_byte(out, '.');
	}
	buf_add_cstr(out, family == 4 ? "in-addr.arpa" : "ip6.arpa");
}

#define ZONES_SHOWN 16

void describe_reverse(const struct range *r, struct buf *out)
{
	unsigned per_label = r->family == 4 ? 8 : 4;
	int length = range_length(r);
	unsigned labels, count;

	if (length < 0)
		return;
	if (r->family == 4 && length > 24 && length < 32) {
		buf_printf(out, "%u/%u.", (unsigned)(r->first.low & 0xff), (unsigned)length);
		add_zone(4, r->first, 3, out);
		return;
	}
	labels = ((unsigned)length + per_label - 1) / per_label;
	count = 1u << (labels * per_label - (unsigned)length);
	if (count > ZONES_SHOWN) {
		add_zone(r->family, r->first, labels, out);
		buf_add_cstr(out, " to ");
		add_zone(r->family, r->last, labels, out);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		unsigned up = range_width(r) - labels * per_label;
		struct wide step = wide_shifted(wide_of(0, i), up);

		if (i > 0)
			buf_add_byte(out, ' ');
		add_zone(r->family, wide_add(r->first, step), labels, out);
	}
}

/* ---- Fields ---- */

struct field {
	const char *name;
	bool is_number;
	void (*add)(const struct range *r, struct buf *out); /* nothing: the field is left out */
};

static void add_network(const struct range *r, struct buf *out)
{
	if (range_length(r) >= 0)
		range_format(r, out);
}

static void add_mask(const struct range *r, struct buf *out)
{
	int length = range_length(r);
	struct wide ones;

	if (length < 0)
		return;
	ones = wide_ones(range_width(r) - (unsigned)length);
	range_format_address(r->family, wide_of(~ones.high, ~ones.low), out);
}

static void add_first(const struct range *r, struct buf *out)
{
	range_format_address(r->family, r->first, out);
}

static void add_last(const struct range *r, struct buf *out)
{
	range_format_address(r->family, r->last, out);
}

/* What the minimal list of prefixes for it is, of what is no prefix itself. */
static void add_prefixes(const struct range *r, struct buf *out)
{
	struct range rest = *r;

	while (range_length(r) < 0) {
		struct range prefix = range_first_prefix(&rest);

		range_format(&prefix, out);
		if (wide_eq(prefix.last, rest.last))
			break;
		buf_add_byte(out, ' ');
		rest.first = wide_next(prefix.last);
	}
}

static void add_special(const struct range *r, struct buf *out)
{
	const struct special *s = special_find(r), *inside = s == NULL ? special_find_inside(r) : s;
	bool is_known_use;

	if (s == NULL && inside != NULL) {
		buf_printf(out, "in part: %s, %s, %s", inside->prefix, inside->name, inside->rfc);
	} else if (s != NULL) {
		buf_printf(out, "%s, %s, %s", s->prefix, s->name, s->rfc);
		if (s->flags[SPECIAL_GLOBAL] != '-')
			buf_printf(out, ", %s",
				   s->flags[SPECIAL_GLOBAL] == 'T' ? "globally reachable"
								   : "not globally reachable");
		if (s->flags[SPECIAL_RESERVED] == 'T')
			buf_add_cstr(out, ", reserved by protocol");
	} else if (special_find_kube(r, SPECIAL_SERVICE, &is_known_use) != NULL) {
		buf_add_cstr(out, "none: see kubernetes");
	} else {
		buf_add_cstr(out, "none: public");
	}
}

static void add_kubernetes(const struct range *r, struct buf *out)
{
	const unsigned all = SPECIAL_POD | SPECIAL_SERVICE | SPECIAL_OTHER;
	bool is_exact;
	const struct special_kube *k = special_find_kube(r, all, &is_exact);

	if (k != NULL)
		buf_printf(out, "%s%s%s%s", is_exact ? "" : "inside ", is_exact ? "" : k->prefix,
			   is_exact ? "" : ", ", k->use);
}

static const struct field fields[] = {
	{"network", false, add_network},      {"mask", false, add_mask},
	{"first", false, add_first},	      {"last", false, add_last},
	{"count", true, range_format_count},  {"prefixes", false, add_prefixes},
	{"special", false, add_special},      {"kubernetes", false, add_kubernetes},
	{"reverse", false, describe_reverse},
};

#define FIELD_COUNT (sizeof fields / sizeof fields[0])
/* 254 prefixes of IPv6 at most. */
#define FIELD_MAX 16384

static void add_for_people(const struct field *f, struct span value, struct buf *out)
{
	if (value.len > 0)
		buf_printf(out, "%s:%*s%.*s\n", f->name, (int)(12 - strlen(f->name)), "",
			   SPAN_ARG(value));
}

static void add_csv(const struct field *f, struct span value, struct buf *out)
{
	buf_add_byte(out, ',');
	if (f->is_number) {
		buf_add(out, value);
		return;
	}
	/* RFC 4180: quotes are doubled. */
	buf_add_byte(out, '"');
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] == '"')
			buf_add_byte(out, '"');
		buf_add_byte(out, value.ptr[i]);
	}
	buf_add_byte(out, '"');
}

static void add_structured(const struct field *f, struct span value, bool is_json, struct buf *out)
{
	if (value.len == 0)
		return;
	buf_printf(out, is_json ? ",\n   \"%s\": " : "  %s: ", f->name);
	/* As text: most readers of JSON have numbers of 53 bits. */
	jsonw_string(out, value);
	if (!is_json)
		buf_add_byte(out, '\n');
}

static void begin(struct span text, size_t number, enum rangewriter_format format, struct buf *out)
{
	if (format == RANGEWRITER_JSON || format == RANGEWRITER_YAML) {
		if (format == RANGEWRITER_JSON)
			buf_add_cstr(out, number == 0 ? "[\n  {\"input\": " : ",\n  {\"input\": ");
		else
			buf_add_cstr(out, "- input: ");
		jsonw_string(out, text);
		if (format == RANGEWRITER_YAML)
			buf_add_byte(out, '\n');
	} else if (format == RANGEWRITER_CSV) {
		if (number == 0) {
			buf_add_cstr(out, "input");
			for (size_t i = 0; i < FIELD_COUNT; i++)
				buf_printf(out, ",%s", fields[i].name);
			buf_add_byte(out, '\n');
		}
		buf_add(out, text);
	} else {
		buf_add_cstr(out, number == 0 ? "" : "\n");
		buf_printf(out, "input:       %.*s\n", SPAN_ARG(text));
	}
}

void describe_range(const struct range *r, struct span text, size_t number,
		    enum rangewriter_format format, struct buf *out)
{
	struct buf value;

	begin(text, number, format, out);
	buf_init_heap(&value, FIELD_MAX);
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		buf_clear(&value);
		fields[i].add(r, &value);
		if (format == RANGEWRITER_JSON || format == RANGEWRITER_YAML)
			add_structured(&fields[i], buf_span(&value), format == RANGEWRITER_JSON,
				       out);
		else if (format == RANGEWRITER_CSV)
			add_csv(&fields[i], buf_span(&value), out);
		else
			add_for_people(&fields[i], buf_span(&value), out);
	}
	if (format == RANGEWRITER_JSON)
		buf_add_byte(out, '}');
	else if (format == RANGEWRITER_CSV)
		buf_add_byte(out, '\n');
	buf_fini(&value);
}

void describe_end(enum rangewriter_format format, struct buf *out)
{
	if (format == RANGEWRITER_JSON)
		buf_add_cstr(out, "\n]\n");
}

bool describe_lists(const struct verb_words *lists, uint8_t family, enum rangewriter_format format,
		    struct buf *out, struct error *e)
{
	size_t number = 0;

	for (size_t i = 0; i < lists->count; i++) {
		struct span rest = span_from_cstr(lists->items[i]), entry;

		while (span_split(&rest, ',', &entry)) {
			struct range r;

			if (!range_parse(entry, &r, NULL, e))
				return false;
			if (family == 0 || r.family == family)
				describe_range(&r, entry, number++, format, out);
		}
	}
	if (number > 0)
		describe_end(format, out);
	return !out->truncated || error_set(e, "out of memory");
}
