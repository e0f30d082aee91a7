#include "cidr/rangewriter.h"

#include "sys/fd.h"

const char *const rangewriter_formats[RANGEWRITER_FORMAT_COUNT + 1] = {
#define X(member, name) [member] = name,
	RANGEWRITER_FORMATS(X)
#undef X
};

const struct rangewriter_form rangewriter_forms[RANGEWRITER_FORMAT_COUNT] = {
	[RANGEWRITER_DESCRIBE] = {"", "\n", "\n"},
	[RANGEWRITER_FLAG] = {"--includeIPRanges=", ",", "\n"},
	[RANGEWRITER_COMMA] = {"", ",", "\n"},
	[RANGEWRITER_LIST] = {"", "\n", "\n"},
	[RANGEWRITER_HELM] = {"global.proxy.includeIPRanges=\"", "\\,", "\"\n"},
	[RANGEWRITER_ANNOTATION] = {"traffic.sidecar.istio.io/includeOutboundIPRanges: ", ",",
				    "\n"},
	[RANGEWRITER_ENV] = {"RANGES=", ",", "\n"},
	[RANGEWRITER_YAML] = {"- ", "\n- ", "\n"},
	[RANGEWRITER_JSON] = {"[\"", "\", \"", "\"]\n"},
	[RANGEWRITER_CSV] = {"range,first,last,count\n", "\n", "\n"},
};

void rangewriter_init(struct rangewriter *w, int fd, enum rangewriter_format format)
{
	w->fd = fd;
	w->format = format;
	w->count = 0;
	w->out = NULL;
	w->has_ends = w->has_failed = false;
	BUF_INIT_ARRAY(&w->text, w->storage);
}

static void write_out(struct rangewriter *w)
{
	if (w->out != NULL)
		buf_add(w->out, buf_span(&w->text));
	else if (!w->has_failed)
		w->has_failed = !fd_write_all(w->fd, buf_span(&w->text), &w->error);
	buf_clear(&w->text);
}

void rangewriter_text(struct rangewriter *w, struct span text)
{
	while (text.len > 0) {
		size_t room = w->text.cap - w->text.len - 1;
		struct span part = span_first(text, room);

		buf_add(&w->text, part);
		text = span_from(text, part.len);
		if (text.len > 0)
			write_out(w);
	}
}

/* Room for one more range with all that is around it. */
#define LINE_MAX (4 * RANGE_TEXT_MAX + 64)

void rangewriter_add(struct rangewriter *w, const struct range *r)
{
	if (w->text.cap - w->text.len < LINE_MAX)
		write_out(w);
	buf_add_cstr(&w->text, w->count++ == 0 ? rangewriter_forms[w->format].before
					       : rangewriter_forms[w->format].between);
	if (w->has_ends)
		range_format_ends(r, &w->text);
	else
		range_format(r, &w->text);
	if (w->format != RANGEWRITER_CSV)
		return;
	buf_add_byte(&w->text, ',');
	range_format_address(r->family, r->first, &w->text);
	buf_add_byte(&w->text, ',');
	range_format_address(r->family, r->last, &w->text);
	buf_add_byte(&w->text, ',');
	range_format_count(r, &w->text);
}

bool rangewriter_flush(struct rangewriter *w, struct error *e)
{
	write_out(w);
	if (w->has_failed)
		*e = w->error;
	return !w->has_failed;
}

bool rangewriter_end(struct rangewriter *w, struct error *e)
{
	if (w->count > 0)
		rangewriter_text(w, span_from_cstr(rangewriter_forms[w->format].after));
	else if (w->format == RANGEWRITER_JSON || w->format == RANGEWRITER_YAML)
		rangewriter_text(w, SPAN("[]\n"));
	else if (w->format == RANGEWRITER_CSV)
		rangewriter_text(w, span_from_cstr(rangewriter_forms[w->format].before));
	return rangewriter_flush(w, e);
}
