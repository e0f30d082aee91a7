#include "ydoc/yjson.h"

#include "base/ascii.h"

struct yjson {
	struct ycursor at;
	struct ybuild *build;
};

static bool fail(struct yjson *j, const char *text)
{
	j->build->problem->pos = j->at.pos;
	return error_set(&j->build->problem->error, "%s", text);
}

/* Length of the UTF-8 character at the front of `text`, 0 when it is none (RFC 3629 section 4). */
static size_t utf8_len(struct span text)
{
	const unsigned char *p = (const unsigned char *)text.ptr;
	unsigned char low = 0x80, high = 0xbf;
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (p[0] > 0xf4 || len > text.len)
		return 0;
	/* Second bytes that would make an overlong form, a surrogate, or more than U+10FFFF. */
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < len; i++, low = 0x80, high = 0xbf)
		if (p[i] < low || p[i] > high)
			return 0;
	return len;
}

static size_t utf8_put(uint32_t code, char *out)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* Four hexadecimal digits at the front of `text`, or -1. */
static int32_t hex4(struct span text)
{
	int32_t value = 0;

	if (text.len < 4)
		return -1;
	for (size_t i = 0; i < 4; i++) {
		int digit = ascii_hex_value(text.ptr[i]);

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/*
 * "\uXXXX" [ "\uXXXX" ] at the front of `text`: one character. Returns the bytes read, 0 when it is
 * none.
 */
static size_t read_unicode_escape(struct span text, uint32_t *code)
{
	int32_t high = hex4(span_from(text, 2)), low;

	if (high < 0)
		return 0;
	*code = (uint32_t)high;
	if (high < 0xd800 || high > 0xdfff)
		return 6;
	/* RFC 8259 section 7: beyond the BMP a pair of surrogates; half a pair is no character. */
	low = high < 0xdc00 && span_starts_with(span_from(text, 6), SPAN("\\u"))
		      ? hex4(span_from(text, 8))
		      : -1;
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	*code = 0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
	return 12;
}

/*
 * The character that an escape at the front of `text` stands for; returns the bytes read, 0: bad.
 */
static size_t read_escape(struct span text, uint32_t *code)
{
	static const char plain[] = "\"\\/bfnrt", meaning[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (text.len < 2 || text.ptr[1] == '\0')
		return 0;
	if (text.ptr[1] == 'u')
		return read_unicode_escape(text, code);
	found = strchr(plain, text.ptr[1]);
	if (found == NULL)
		return 0;
	*code = (unsigned char)meaning[found - plain];
	return 2;
}

/*
 * The bytes of the string behind its opening quote, up to the closing one; the cursor stays at the
 * opening.
 */
static bool find_string(struct yjson *j, struct span *raw, bool *has_escape)
{
	struct span text = span_from(ycursor_rest(&j->at), 1);
	const char *problem = "string without a closing quote";
	size_t i = 0;

	*has_escape = false;
	while (i < text.len && text.ptr[i] != '"') {
		struct span rest = span_from(text, i);
		uint32_t code;
		size_t len;

		if (rest.ptr[0] == '\\') {
			*has_escape = true;
			problem = "no escape of JSON";
			len = read_escape(rest, &code);
		} else {
			problem = (unsigned char)rest.ptr[0] < 0x20
					  ? "control character in a string"
					  : "not UTF-8";
			len = (unsigned char)rest.ptr[0] < 0x20 ? 0 : utf8_len(rest);
		}
		if (len == 0)
			break;
		problem = "string without a closing quote";
		i += len;
	}
	*raw = span_first(text, i);
	if (i < text.len && text.ptr[i] == '"')
		return true;
	ycursor_to_offset(&j->at, j->at.pos.offset + 1 + i);
	return fail(j, problem);
}

static bool unescape(struct yjson *j, struct span raw, struct span *out)
{
	char *at = arena_get(j->build->arena, raw.len + 1);
	size_t len = 0;

	if (at == NULL)
		return fail(j, "document is too large for the memory there is");
	for (size_t i = 0; i < raw.len;) {
		uint32_t code = 0;

		if (raw.ptr[i] != '\\') {
			at[len++] = raw.ptr[i++];
			continue;
		}
		i += read_escape(span_from(raw, i), &code);
		len += utf8_put(code, at + len);
	}
	*out = span_of(at, len);
	return true;
}

/* A scalar from `pos` to the cursor. */
static bool add_scalar(struct yjson *j, struct ydoc_pos pos, struct span text, bool is_plain)
{
	struct ydoc_node scalar = {
		.pos = pos, .end = j->at.pos.offset, .is_plain = is_plain, .is_flow = true};

	scalar.text = text;
	return ybuild_add_scalar(j->build, &scalar, (struct span){NULL, 0});
}

static bool read_string(struct yjson *j)
{
	struct ydoc_pos pos = j->at.pos;
	struct span raw, text;
	bool has_escape;

	if (!find_string(j, &raw, &has_escape))
		return false;
	text = raw;
	if (has_escape && !unescape(j, raw, &text))
		return false;
	ycursor_to_offset(&j->at, pos.offset + raw.len + 2);
	return add_scalar(j, pos, text, false);
}

static size_t count_digits(struct span text)
{
	size_t n = 0;

	while (n < text.len && ascii_is_digit(text.ptr[n]))
		n++;
	return n;
}

size_t yjson_number_len(struct span text)
{
	size_t at = span_starts_with(text, SPAN("-")), digits = count_digits(span_from(text, at));

	if (digits == 0 || (digits > 1 && text.ptr[at] == '0'))
		return 0;
	at += digits;
	if (at < text.len && text.ptr[at] == '.') {
		digits = count_digits(span_from(text, at + 1));
		if (digits == 0)
			return 0;
		at += 1 + digits;
	}
	if (at < text.len && (text.ptr[at] == 'e' || text.ptr[at] == 'E')) {
		at++;
		at += at < text.len && (text.ptr[at] == '+' || text.ptr[at] == '-');
		digits = count_digits(span_from(text, at));
		if (digits == 0)
			return 0;
		at += digits;
	}
	return at;
}

static bool read_literal(struct yjson *j)
{
	static const struct span words[] = {
		{"true", 4},
		{"false", 5},
		{"null", 4},
	};
	struct span rest = ycursor_rest(&j->at);
	struct ydoc_pos pos = j->at.pos;
	size_t len = yjson_number_len(rest);

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (span_starts_with(rest, words[i]))
			len = words[i].len;
	if (len == 0)
		return fail(j, "expected a JSON value");
	ycursor_to_offset(&j->at, pos.offset + len);
	return add_scalar(j, pos, span_first(rest, len), true);
}

static bool read_value(struct yjson *j)
{
	struct ydoc_node collection = {.pos = j->at.pos, .is_flow = true};
	char byte = ycursor_byte(&j->at);

	if (byte == '"')
		return read_string(j);
	if (byte != '{' && byte != '[')
		return read_literal(j);
	collection.kind = byte == '{' ? YDOC_MAPPING : YDOC_SEQUENCE;
	collection.body = collection.pos.offset + 1;
	if (!ybuild_open(j->build, &collection, (struct span){NULL, 0}))
		return false;
	ycursor_step(&j->at);
	return true;
}

/* JSON's own blank (RFC 8259 section 2), which has no byte order mark. */
static void skip_blank(struct yjson *j)
{
	while (!ycursor_is_at_end(&j->at) && strchr(" \t\r\n", ycursor_byte(&j->at)) != NULL &&
	       ycursor_byte(&j->at) != '\0')
		ycursor_step(&j->at);
}

static bool read_key(struct yjson *j)
{
	if (ycursor_byte(&j->at) != '"')
		return fail(j, "expected a key in double quotes");
	if (!read_string(j))
		return false;
	skip_blank(j);
	if (ycursor_byte(&j->at) != ':')
		return fail(j, "expected \":\" behind the key");
	ycursor_step(&j->at);
	skip_blank(j);
	return true;
}

/* The next entry of the innermost object or array, or its end. */
static bool read_entry(struct yjson *j)
{
	const struct ybuild_open *open = ybuild_innermost(j->build);
	bool is_object = open->node->kind == YDOC_MAPPING;
	char byte;

	skip_blank(j);
	byte = ycursor_byte(&j->at);
	if (byte == (is_object ? '}' : ']')) {
		ycursor_step(&j->at);
		ybuild_close(j->build, j->at.pos.offset);
		return true;
	}
	if (open->last != NULL) {
		if (byte != ',')
			return fail(j, is_object ? "expected \",\" or \"}\""
						 : "expected \",\" or \"]\"");
		ycursor_step(&j->at);
		skip_blank(j);
	}
	return (!is_object || read_key(j)) && read_value(j);
}

/* Whether what stands behind a JSON document may stand there. */
static bool is_document_end(const struct ycursor *at)
{
	struct span rest = ycursor_rest(at);

	return rest.len == 0 || rest.ptr[0] == '{' || rest.ptr[0] == '[' || rest.ptr[0] == '#' ||
	       (at->pos.col == 1 &&
		(span_starts_with(rest, SPAN("---")) || span_starts_with(rest, SPAN("..."))));
}

bool yjson_read(struct ycursor *at, struct ybuild *b)
{
	struct yjson j = {.at = *at, .build = b};

	if (!read_value(&j))
		return false;
	while (ybuild_innermost(b) != NULL)
		if (!read_entry(&j))
			return false;
	ycursor_skip_blank(&j.at);
	if (!is_document_end(&j.at))
		return fail(&j, "expected nothing more behind the JSON document");
	*at = j.at;
	return true;
}
