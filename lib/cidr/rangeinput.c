#include "cidr/rangeinput.h"

#include "net/rangescan.h"
#include "sys/filestream.h"

void rangeinput_init(struct rangeinput *in, uint8_t family,
		     bool (*on_range)(void *context, const struct range *r, struct error *e),
		     void *context)
{
	*in = (struct rangeinput){.family = family, .on_range = on_range, .context = context};
}

static void note_host_bits(struct rangeinput *in, struct span text, const struct range *r)
{
	struct buf b;

	if (in->host_bits++ > 0)
		return;
	BUF_INIT_ARRAY(&b, in->host_bits_note);
	buf_add_escaped(&b, text, 50);
	buf_add(&b, SPAN(" is taken as "));
	range_format(r, &b);
}

static bool take(struct rangeinput *in, struct span text, const struct range *r, bool had_host_bits,
		 struct error *e)
{
	if (in->family != 0 && r->family != in->family)
		return true;
	in->count++;
	if (had_host_bits)
		note_host_bits(in, text, r);
	return in->on_range(in->context, r, e);
}

static bool on_found(void *context, const struct rangescan_found *found, struct error *e)
{
	return take(context, found->text, &found->range, found->had_host_bits, e);
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
	struct span rest = span_from_cstr(text), entry;
	unsigned number = 0;

	if (text[0] == '@')
		return rangeinput_file(in, text + 1, e);
	if (strcmp(text, "-") == 0)
		return rangeinput_file(in, text, e);
	while (span_split(&rest, ',', &entry)) {
		bool had_host_bits;
		struct range r;

		if (++number > 1)
			entry = without_blanks_before(entry);
		if (!range_parse(entry, &r, &had_host_bits, e))
			return number == 1 ? false : error_prefix(e, "entry %u", number);
		if (!take(in, entry, &r, had_host_bits, e))
			return false;
	}
	return true;
}
