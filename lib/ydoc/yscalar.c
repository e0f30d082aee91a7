#include "ydoc/yscalar.h"

#include <string.h>

#include "base/ascii.h"
#include "ydoc/yjson.h"

/* Bytes that mean nothing to YAML wherever they stand in a plain scalar, brackets around or not. */
static bool is_harmless(char c)
{
	return ascii_is_alnum(c) || (c != '\0' && strchr("_./+=@%^~-", c) != NULL);
}

/*
 * Far stricter than YAML: begins like a word, a path or an option, so that it is no number, no date
 * and no time for anybody, and ends where it seems to.
 */
static bool is_plain_for_all(struct span text)
{
	struct ydoc_node plain = {.kind = YDOC_SCALAR, .is_plain = true};
	size_t first = 0;

	while (first < text.len && text.ptr[first] == '-')
		first++;
	if (first > 2 || first == text.len ||
	    (!ascii_is_alpha(text.ptr[first]) && (first > 0 || strchr("/_", text.ptr[0]) == NULL)))
		return false;
	for (size_t i = first; i < text.len; i++) {
		bool is_inner_colon = text.ptr[i] == ':' && i + 1 < text.len &&
				      is_harmless(text.ptr[i + 1]);

		if (!is_harmless(text.ptr[i]) && !is_inner_colon)
			return false;
	}
	plain.text = text;
	return ydoc_scalar_type(&plain) == YDOC_TEXT;
}

/* U+0085, U+2028, U+2029 end lines for YAML 1.1; U+FEFF is a mark; both are best seen. */
static size_t special_len(struct span rest)
{
	if (span_starts_with(rest, SPAN("\xc2\x85")))
		return 2;
	if (span_starts_with(rest, SPAN("\xe2\x80\xa8")) ||
	    span_starts_with(rest, SPAN("\xe2\x80\xa9")) ||
	    span_starts_with(rest, SPAN("\xef\xbb\xbf")))
		return 3;
	return 0;
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* C1 controls, U+0080 to U+009F: YAML wants them escaped. */
static bool is_c1(struct span rest)
{
	return rest.len > 1 && rest.ptr[0] == '\xc2' && (unsigned char)rest.ptr[1] < 0xa0;
}

/* U+FFFE and U+FFFF, which YAML does not have but JSON can say. */
static bool is_nonchar(struct span rest)
{
	return span_starts_with(rest, SPAN("\xef\xbf\xbe")) ||
	       span_starts_with(rest, SPAN("\xef\xbf\xbf"));
}

/* `extra`: control characters that are welcome all the same. */
static bool is_printable(struct span text, const char *extra)
{
	for (size_t i = 0; i < text.len; i++) {
		struct span rest = span_from(text, i);

		if ((is_control(rest.ptr[0]) &&
		     (rest.ptr[0] == '\0' || strchr(extra, rest.ptr[0]) == NULL)) ||
		    special_len(rest) > 0 || is_c1(rest) || is_nonchar(rest))
			return false;
	}
	return true;
}

static void add_code(struct buf *out, unsigned code)
{
	buf_printf(out, "\\u%04x", code);
}

/* Escapes what must be, in the words that YAML and JSON share; returns the bytes read, 0: none. */
static size_t add_escape(struct buf *out, struct span rest)
{
	static const char bytes[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *found = rest.ptr[0] != '\0' ? strchr(bytes, rest.ptr[0]) : NULL;

	if (found != NULL) {
		buf_add_byte(out, '\\');
		buf_add_byte(out, letters[found - bytes]);
		return 1;
	}
	if (is_control(rest.ptr[0])) {
		add_code(out, (unsigned char)rest.ptr[0]);
		return 1;
	}
	if (is_c1(rest)) {
		add_code(out, (unsigned char)rest.ptr[1]);
		return 2;
	}
	if (special_len(rest) > 0 || is_nonchar(rest)) {
		add_code(out, (unsigned)(rest.ptr[0] & 0x0f) << 12 |
				      (unsigned)(rest.ptr[1] & 0x3f) << 6 |
				      (unsigned)(rest.ptr[2] & 0x3f));
		return 3;
	}
	return 0;
}

void yscalar_add_quoted(struct buf *out, struct span text)
{
	size_t from = 0, i = 0;

	buf_add_byte(out, '"');
	while (i < text.len) {
		size_t len;

		if (!is_control(text.ptr[i]) && strchr("\"\\\xc2\xe2\xef", text.ptr[i]) == NULL) {
			i++;
			continue;
		}
		buf_add(out, span_of(text.ptr + from, i - from));
		len = add_escape(out, span_from(text, i));
		from = i + len;
		i += len > 0 ? len : 1;
	}
	buf_add(out, span_from(text, from));
	buf_add_byte(out, '"');
}

static void add_single_quoted(struct buf *out, struct span text)
{
	buf_add_byte(out, '\'');
	for (size_t i = 0; i < text.len; i++) {
		buf_add_byte(out, text.ptr[i]);
		if (text.ptr[i] == '\'')
			buf_add_byte(out, '\'');
	}
	buf_add_byte(out, '\'');
}

static void add_text(struct buf *out, struct span text, enum yscalar_form form)
{
	bool has_quotes = span_find(text, '"') != SIZE_MAX || span_find(text, '\\') != SIZE_MAX;

	if (form != YSCALAR_JSON && is_plain_for_all(text))
		buf_add(out, text);
	else if (form != YSCALAR_JSON && has_quotes && is_printable(text, ""))
		add_single_quoted(out, text);
	else
		yscalar_add_quoted(out, text);
}

/*
 * A plain scalar that is read as text may be something else to other readers (a date, 1:30), so
 * where it stood without quotes it stays without. Only brackets and line ends forbid that, and `-`,
 * which is text in brackets only.
 */
static bool stays_plain(const struct ydoc_node *scalar, enum yscalar_form form)
{
	return scalar->is_plain && form == YSCALAR_BLOCK && !span_eq(scalar->text, SPAN("-")) &&
	       is_printable(scalar->text, "\t");
}

void yscalar_add(struct buf *out, const struct ydoc_node *scalar, enum yscalar_form form)
{
	enum ydoc_type type = ydoc_scalar_type(scalar);
	bool is_json = form == YSCALAR_JSON;

	if (type == YDOC_NULL)
		buf_add_cstr(out, "null");
	else if (type == YDOC_BOOL && is_json)
		buf_add_cstr(out, ydoc_is_true(scalar) ? "true" : "false");
	else if (type == YDOC_BOOL || (type == YDOC_NUMBER && !is_json) ||
		 (type == YDOC_NUMBER && yjson_number_len(scalar->text) == scalar->text.len) ||
		 stays_plain(scalar, form))
		buf_add(out, scalar->text);
	else
		add_text(out, scalar->text, form);
}

bool yscalar_fits_literal(struct span text)
{
	size_t end = span_find(text, '\n');

	/* A first line that is empty or begins with a blank needs its indent said in digits. */
	return end != SIZE_MAX && end > 0 && text.ptr[0] != ' ' && text.ptr[0] != '\t' &&
	       is_printable(text, "\n\t");
}
