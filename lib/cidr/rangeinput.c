#include "cidr/rangeinput.h"

#include "sys/filestream.h"

void rangeinput_init(struct rangeinput *in, uint8_t family,
		     bool (*on_range)(void *context, const struct rangescan_found *found,
				      struct error *e),
		     void *context)
{
	*in = (struct rangeinput){.family = family, .on_range = on_range, .context = context};
}

bool rangeinput_to_list(void *context, const struct rangescan_found *found, struct error *e)
{
	return rangelist_add(context, &found->range) || error_set(e, "out of memory");
}

static void note_host_bits(struct rangeinput *in, const struct rangescan_found *found)
{
	struct buf b;

	if (in->host_bits++ > 0)
		return;
	BUF_INIT_ARRAY(&b, in->host_bits_note);
	buf_add_escaped(&b, found->text, 50);
	buf_add(&b, SPAN(" is taken as "));
	range_format(&found->range, &b);
}

static bool on_found(void *context, const struct rangescan_found *found, struct error *e)
{
	struct rangeinput *in = context;

	if (in->family != 0 && found->range.family != in->family)
		return true;
	in->count++;
	if (found->had_host_bits)
		note_host_bits(in, found);
	return in->on_range(in->context, found, e);
}

static bool on_piece(void *context, struct span piece, struct error *e)
{
	return rangescan_feed(context, piece, e);
}

/* Scanned text has no name of its own file: an error that begins with a digit is one of a place. */
static bool with_file(struct error *e, const char *path)
{
	char storage[256];
	struct buf b;

	BUF_INIT_ARRAY(&b, storage);
	buf_add_escaped(&b, span_from_cstr(filestream_name(path)), 60);
	return error_set(e, "%s:%s", buf_cstr(&b), e->text);
}

struct piecewise {
	struct rangescan scan;
	bool is_scan_error;
};

static bool on_file_piece(void *context, struct span piece, struct error *e)
{
	struct piecewise *p = context;

	p->is_scan_error = !on_piece(&p->scan, piece, e);
	return !p->is_scan_error;
}

bool rangeinput_file(struct rangeinput *in, const char *path, struct error *e)
{
	struct piecewise p = {.is_scan_error = false};

	rangescan_init(&p.scan, on_found, in);
	if (!filestream_read(path, on_file_piece, &p, e))
		return p.is_scan_error ? with_file(e, path) : false;
	return rangescan_end(&p.scan, e) || with_file(e, path);
}

/* Blanks behind a comma are people's; all others are refused with the entry that they are in. */
static struct span without_blanks_before(struct span entry)
{
	while (entry.len > 0 && entry.ptr[0] == ' ')
		entry = span_from(entry, 1);
	return entry;
}

bool rangeinput_operand(struct rangeinput *in, const char *text, struct error *e)
{
	struct span rest = span_from_cstr(text);
	struct rangescan_found found = {.line = 0};
	unsigned number = 0;

	if (text[0] == '@')
		return rangeinput_file(in, text + 1, e);
	if (strcmp(text, "-") == 0)
		return rangeinput_file(in, text, e);
	rest = span_of(rest.ptr + rangescan_flag_len(rest), rest.len - rangescan_flag_len(rest));
	while (span_split(&rest, ',', &found.text)) {
		if (++number > 1)
			found.text = without_blanks_before(found.text);
		if (!range_parse(found.text, &found.range, &found.had_host_bits, e))
			return number == 1 ? false : error_prefix(e, "entry %u", number);
		if (!on_found(in, &found, e))
			return false;
	}
	return true;
}
