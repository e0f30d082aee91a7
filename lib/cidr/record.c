#include "cidr/record.h"

#include <string.h>

#include "json/jsonw.h"

/* A range of IPv6 has 254 prefixes at most, of 44 bytes at most. */
#define VALUE_MAX 16384

void record_init(struct record *r, enum rangewriter_format format, const char *const *names,
		 unsigned field_count,
		 void (*add)(const void *thing, unsigned field, struct buf *out), struct buf *out)
{
	*r = (struct record){format, names, field_count, add, out, 0};
}

/* In quotes where there is a comma or a quote; quotes are doubled. */
static void add_csv(struct span value, struct buf *out)
{
	if (span_find(value, ',') == SIZE_MAX && span_find(value, '"') == SIZE_MAX) {
		buf_add(out, value);
		return;
	}
	buf_add_byte(out, '"');
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] == '"')
			buf_add_byte(out, '"');
		buf_add_byte(out, value.ptr[i]);
	}
	buf_add_byte(out, '"');
}

static void add_field(const struct record *r, const char *name, struct span value, bool is_first)
{
	switch (r->format) {
	case RANGEWRITER_JSON:
		buf_printf(r->out, "%s\"%s\": ", is_first ? "" : ",\n   ", name);
		jsonw_string(r->out, value);
		break;
	case RANGEWRITER_YAML:
		buf_printf(r->out, "%s%s: ", is_first ? "- " : "  ", name);
		jsonw_string(r->out, value);
		buf_add_byte(r->out, '\n');
		break;
	case RANGEWRITER_CSV:
		buf_add_cstr(r->out, is_first ? "" : ",");
		add_csv(value, r->out);
		break;
	default:
		buf_printf(r->out, "%s:%*s%.*s\n", name, (int)(12 - strlen(name)), "",
			   SPAN_ARG(value));
	}
}

static void begin(struct record *r)
{
	bool is_first = r->count++ == 0;

	if (r->format == RANGEWRITER_JSON)
		buf_add_cstr(r->out, is_first ? "[\n  {" : ",\n  {");
	else if (r->format == RANGEWRITER_CSV && is_first)
		for (unsigned i = 0; i < r->field_count; i++)
			buf_printf(r->out, "%s%s", r->names[i],
				   i + 1 < r->field_count ? "," : "\n");
	else if (r->format != RANGEWRITER_CSV && r->format != RANGEWRITER_YAML)
		buf_add_cstr(r->out, is_first ? "" : "\n");
}

void record_add(struct record *r, const void *thing)
{
	bool is_first = true;
	struct buf value;

	begin(r);
	buf_init_heap(&value, VALUE_MAX);
	for (unsigned i = 0; i < r->field_count; i++) {
		buf_clear(&value);
		r->add(thing, i, &value);
		if (value.len == 0 && r->format != RANGEWRITER_CSV)
			continue;
		add_field(r, r->names[i], buf_span(&value), is_first);
		is_first = false;
	}
	buf_fini(&value);
	if (r->format == RANGEWRITER_JSON)
		buf_add_byte(r->out, '}');
	else if (r->format == RANGEWRITER_CSV)
		buf_add_byte(r->out, '\n');
}

void record_end(struct record *r)
{
	if (r->format == RANGEWRITER_JSON)
		buf_add_cstr(r->out, r->count > 0 ? "\n]\n" : "[]\n");
}
