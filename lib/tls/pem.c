#include "tls/pem.h"

#define BEGIN_MARK SPAN("-----BEGIN ")
#define END_MARK SPAN("-----END ")
#define DASHES SPAN("-----")

static struct span without_prefix(struct span s, struct span prefix)
{
	return span_from(s, prefix.len);
}

/* The label of a line that is `mark`, label, five dashes; false when it is not. */
static bool marker_label(struct span line, struct span mark, struct span *label)
{
	if (!span_starts_with(line, mark))
		return false;
	line = without_prefix(line, mark);
	if (line.len < DASHES.len || !span_ends_with(line, DASHES))
		return false;
	*label = span_first(line, line.len - DASHES.len);
	return true;
}

/* The next line without blanks and CR at its ends; false at the end of the text. */
static bool next_line(struct pem *p, struct span *line)
{
	if (!span_split(&p->rest, '\n', line))
		return false;
	p->line++;
	if (line->len > 0 && line->ptr[line->len - 1] == '\r')
		line->len--;
	*line = span_trim(*line);
	return true;
}

void pem_init(struct pem *p, struct span text)
{
	const struct span byte_order_mark = SPAN("\xef\xbb\xbf");

	if (span_starts_with(text, byte_order_mark))
		text = without_prefix(text, byte_order_mark);
	*p = (struct pem){.rest = text, .line = 0};
}

static enum pem_result bad(struct error *e, unsigned line, const char *why)
{
	error_set(e, "line %u: %s", line, why);
	return PEM_BAD;
}

enum pem_result pem_next(struct pem *p, struct pem_object *out, struct error *e)
{
	struct span line, label;
	const char *body = NULL;

	while (next_line(p, &line)) {
		if (marker_label(line, BEGIN_MARK, &label)) {
			if (body != NULL)
				return bad(e, p->line, "BEGIN before the END of the one before");
			*out = (struct pem_object){.label = label, .line = p->line};
			/* Behind the last line there is an empty place to point at. */
			body = p->rest.ptr != NULL ? p->rest.ptr : line.ptr + line.len;
		} else if (marker_label(line, END_MARK, &label)) {
			if (body == NULL)
				return bad(e, p->line, "END without BEGIN");
			if (!span_eq(label, out->label))
				return bad(e, p->line, "END of another kind than BEGIN");
			out->body = span_of(body, (size_t)(line.ptr - body));
			return PEM_OBJECT;
		}
	}
	return body == NULL ? PEM_END : bad(e, out->line, "BEGIN without END");
}

/* What a base64 character stands for, plus one; or 0 when it is none, or one of these. */
enum { BLANK = 65, PADDING = 66 };

static const uint8_t base64_codes[256] = {
	['A'] = 1,	['B'] = 2,	['C'] = 3,	['D'] = 4,  ['E'] = 5,	     ['F'] = 6,
	['G'] = 7,	['H'] = 8,	['I'] = 9,	['J'] = 10, ['K'] = 11,	     ['L'] = 12,
	['M'] = 13,	['N'] = 14,	['O'] = 15,	['P'] = 16, ['Q'] = 17,	     ['R'] = 18,
	['S'] = 19,	['T'] = 20,	['U'] = 21,	['V'] = 22, ['W'] = 23,	     ['X'] = 24,
	['Y'] = 25,	['Z'] = 26,	['a'] = 27,	['b'] = 28, ['c'] = 29,	     ['d'] = 30,
	['e'] = 31,	['f'] = 32,	['g'] = 33,	['h'] = 34, ['i'] = 35,	     ['j'] = 36,
	['k'] = 37,	['l'] = 38,	['m'] = 39,	['n'] = 40, ['o'] = 41,	     ['p'] = 42,
	['q'] = 43,	['r'] = 44,	['s'] = 45,	['t'] = 46, ['u'] = 47,	     ['v'] = 48,
	['w'] = 49,	['x'] = 50,	['y'] = 51,	['z'] = 52, ['0'] = 53,	     ['1'] = 54,
	['2'] = 55,	['3'] = 56,	['4'] = 57,	['5'] = 58, ['6'] = 59,	     ['7'] = 60,
	['8'] = 61,	['9'] = 62,	['+'] = 63,	['/'] = 64, ['='] = PADDING, [' '] = BLANK,
	['\t'] = BLANK, ['\r'] = BLANK, ['\n'] = BLANK,
};

bool pem_decode(const struct pem_object *object, uint8_t *out, size_t size, size_t *len,
		struct error *e)
{
	unsigned line = object->line + 1, digits = 0, padding = 0;
	uint32_t bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < object->body.len; i++) {
		char c = object->body.ptr[i];
		unsigned code = base64_codes[(unsigned char)c];

		line += c == '\n';
		if (code == BLANK)
			continue;
		if (code == 0 || (code != PADDING && padding > 0))
			return error_set(e, "line %u: not base64", line);
		padding += code == PADDING;
		/* Padding is written as bits too, but they are not taken out. */
		bits = bits << 6 | ((code - 1) & 63);
		if (++digits % 4 != 0)
			continue;
		if (padding > 2 || n + 3 - padding > size)
			return error_set(e, "line %u: %s", line,
					 padding > 2 ? "not base64" : "too large");
		for (unsigned byte = 0; byte < 3 - padding; byte++)
			out[n++] = (uint8_t)(bits >> (16 - 8 * byte));
		bits = 0;
	}
	if (digits % 4 != 0)
		return error_set(e, "line %u: base64 ends too early", line);
	*len = n;
	return true;
}
