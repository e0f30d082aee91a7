#include "tls/pem.h"

#include "base/base64.h"

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

static unsigned line_ends(struct span text)
{
	unsigned count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += text.ptr[i] == '\n';
	return count;
}

bool pem_decode(const struct pem_object *object, uint8_t *out, size_t size, size_t *len,
		struct error *e)
{
	static const char *const texts[] = {
		[BASE64_BAD] = "not base64",
		[BASE64_TOO_LARGE] = "too large",
		[BASE64_CUT] = "base64 ends too early",
	};
	size_t bad_at = 0;
	enum base64_result result = base64_decode(object->body, out, size, len, &bad_at);

	if (result == BASE64_OK)
		return true;
	return error_set(e, "line %u: %s",
			 object->line + 1 + line_ends(span_first(object->body, bad_at)),
			 texts[result]);
}
