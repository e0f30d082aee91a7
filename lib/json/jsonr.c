#include "json/jsonr.h"

#include "base/ascii.h"

/* What is awaited. */
enum state {
	DOCUMENT,    /* a value, or the end of the text */
	VALUE,	     /* behind a colon, or a comma in an array */
	FIRST_VALUE, /* or the end of the array */
	FIRST_KEY,   /* or the end of the object */
	NEXT_KEY,    /* behind a comma in an object */
	COLON,
	COMMA, /* or the end of what is open */
	IN_STRING,
	IN_ESCAPE,     /* behind a backslash */
	IN_UNICODE,    /* digits of \uXXXX */
	LOW_BACKSLASH, /* behind a high surrogate: a backslash, */
	LOW_U,	       /* and a u */
	IN_NUMBER,
	IN_WORD,
};

/* Of a number, what has been read last; RFC 8259 section 6. */
enum number {
	MINUS,
	ZERO,
	DIGITS,
	POINT,
	FRACTION,
	EXPONENT,
	SIGN,
	POWER,
};

void jsonr_init(struct jsonr *r,
		bool (*on_token)(void *context, const struct jsonr_token *token, struct error *e),
		void *context)
{
	*r = (struct jsonr){.on_token = on_token, .context = context, .line = 1};
	buf_init_heap(&r->text, JSONR_TEXT_MAX);
}

void jsonr_fini(struct jsonr *r)
{
	buf_fini(&r->text);
}

static uint32_t column(const struct jsonr *r, size_t offset)
{
	return (uint32_t)(offset - r->line_start + 1);
}

static bool fail(const struct jsonr *r, size_t offset, const char *problem, struct error *e)
{
	return error_set(e, "%u:%u: %s", r->line, column(r, offset), problem);
}

/* ---- Tokens ---- */

static bool send(struct jsonr *r, enum jsonr_event event, struct span text, struct error *e)
{
	struct jsonr_token token = {event, text, r->is_cut, r->token_line, r->token_col};

	r->is_cut = false;
	return r->on_token(r->context, &token, e);
}

static void begin_token(struct jsonr *r, size_t offset)
{
	r->token_line = r->line;
	r->token_col = column(r, offset);
	buf_clear(&r->text);
	r->is_cut = false;
}

/* Behind a whole value. */
static bool value_done(struct jsonr *r, struct error *e)
{
	r->state = r->depth > 0 ? COMMA : DOCUMENT;
	return r->depth > 0 || send(r, JSONR_DOCUMENT_END, span_of(NULL, 0), e);
}

static bool begin_nested(struct jsonr *r, bool is_object, size_t offset, struct error *e)
{
	if (r->depth == JSONR_DEPTH_MAX)
		return fail(r, offset, "nested too deep", e);
	begin_token(r, offset);
	r->is_object[r->depth++] = is_object;
	r->state = is_object ? FIRST_KEY : FIRST_VALUE;
	return send(r, is_object ? JSONR_OBJECT : JSONR_ARRAY, span_of(NULL, 0), e);
}

/* The byte at which the innermost ought to end; there is one. */
static bool end_nested(struct jsonr *r, char byte, size_t offset, struct error *e)
{
	bool is_object = r->is_object[r->depth - 1];

	if (byte != (is_object ? '}' : ']'))
		return fail(r, offset,
			    is_object ? "expected \",\" or \"}\"" : "expected \",\" or \"]\"", e);
	begin_token(r, offset);
	r->depth--;
	return send(r, is_object ? JSONR_OBJECT_END : JSONR_ARRAY_END, span_of(NULL, 0), e) &&
	       value_done(r, e);
}

/* ---- Strings ---- */

static void keep(struct jsonr *r, struct span text)
{
	buf_add(&r->text, text);
	r->is_cut = r->is_cut || r->text.truncated;
}

static void keep_code(struct jsonr *r, uint32_t code)
{
	char bytes[4];
	size_t len = 0;

	if (code < 0x80) {
		bytes[len++] = (char)code;
	} else if (code < 0x800) {
		bytes[len++] = (char)(0xc0 | code >> 6);
	} else if (code < 0x10000) {
		bytes[len++] = (char)(0xe0 | code >> 12);
		bytes[len++] = (char)(0x80 | (code >> 6 & 0x3f));
	} else {
		bytes[len++] = (char)(0xf0 | code >> 18);
		bytes[len++] = (char)(0x80 | (code >> 12 & 0x3f));
		bytes[len++] = (char)(0x80 | (code >> 6 & 0x3f));
	}
	if (code >= 0x80)
		bytes[len++] = (char)(0x80 | (code & 0x3f));
	keep(r, span_of(bytes, len));
}

/* A byte of UTF-8 beyond ASCII (RFC 3629 section 4); false when it can't stand here. */
static bool take_utf8(struct jsonr *r, unsigned char byte)
{
	if (r->utf8_left > 0) {
		bool ok = byte >= r->utf8_low && byte <= r->utf8_high;

		r->utf8_left--;
		r->utf8_low = 0x80;
		r->utf8_high = 0xbf;
		r->line_start++;
		return ok;
	}
	if (byte < 0xc2 || byte > 0xf4)
		return false;
	r->utf8_left = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
	r->utf8_low = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
	r->utf8_high = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
	return true;
}

/* Bytes that end a run of plain ones: quote, backslash, controls, and all beyond ASCII. */
static const unsigned char is_end_of_run[256] = {
	['"'] = 1, ['\\'] = 1, [0] = 1,	 [1] = 1,  [2] = 1,  [3] = 1,  [4] = 1,	 [5] = 1,  [6] = 1,
	[7] = 1,   [8] = 1,    [9] = 1,	 [10] = 1, [11] = 1, [12] = 1, [13] = 1, [14] = 1, [15] = 1,
	[16] = 1,  [17] = 1,   [18] = 1, [19] = 1, [20] = 1, [21] = 1, [22] = 1, [23] = 1, [24] = 1,
	[25] = 1,  [26] = 1,   [27] = 1, [28] = 1, [29] = 1, [30] = 1, [31] = 1,
};

static bool string_done(struct jsonr *r, struct span rest_of_it, struct error *e)
{
	bool is_key = r->is_key;
	struct span text = rest_of_it;

	if (r->text.len > 0 || r->is_cut) {
		keep(r, rest_of_it);
		text = buf_span(&r->text);
	}
	r->is_key = false;
	r->state = COLON;
	return send(r, is_key ? JSONR_KEY : JSONR_STRING, text, e) && (is_key || value_done(r, e));
}

/* Inside a string, from `at`: to its end, to an escape, or to the end of the piece. */
static bool read_string(struct jsonr *r, struct span bytes, size_t *at, struct error *e)
{
	size_t start = *at, i = start;

	for (;; i++) {
		unsigned char byte;

		while (i < bytes.len && r->utf8_left == 0 && (unsigned char)bytes.ptr[i] < 0x80 &&
		       !is_end_of_run[(unsigned char)bytes.ptr[i]])
			i++;
		if (i == bytes.len)
			break;
		byte = (unsigned char)bytes.ptr[i];
		if (byte >= 0x80 ? !take_utf8(r, byte) : r->utf8_left > 0)
			return fail(r, r->offset + i, "not UTF-8", e);
		if (byte >= 0x80)
			continue;
		*at = i + 1;
		if (byte == '"')
			return string_done(r, span_of(bytes.ptr + start, i - start), e);
		if (byte != '\\')
			return fail(r, r->offset + i, "control character in a string", e);
		keep(r, span_of(bytes.ptr + start, i - start));
		r->state = IN_ESCAPE;
		return true;
	}
	keep(r, span_of(bytes.ptr + start, i - start));
	*at = i;
	return true;
}

static bool read_escape(struct jsonr *r, char byte, size_t offset, struct error *e)
{
	static const char plain[] = "\"\\/bfnrt", meaning[] = "\"\\/\b\f\n\r\t";
	const char *found = byte != '\0' ? strchr(plain, byte) : NULL;

	if (byte == 'u') {
		r->state = IN_UNICODE;
		r->escape = 0;
		r->escape_digits = 0;
		return true;
	}
	if (found == NULL)
		return fail(r, offset, "no escape of JSON", e);
	keep_code(r, (unsigned char)meaning[found - plain]);
	r->state = IN_STRING;
	return true;
}

/* RFC 8259 section 7: beyond the BMP a pair of surrogates; half a pair is no character. */
static bool unicode_done(struct jsonr *r, size_t offset, struct error *e)
{
	bool is_low = r->escape >= 0xdc00 && r->escape <= 0xdfff;
	bool is_high = r->escape >= 0xd800 && r->escape <= 0xdbff;

	if (is_low != (r->high_surrogate != 0))
		return fail(r, offset, "half a pair of surrogates", e);
	if (is_high) {
		r->high_surrogate = r->escape;
		r->state = LOW_BACKSLASH;
		return true;
	}
	if (is_low)
		r->escape = 0x10000 + ((r->high_surrogate - 0xd800) << 10) + (r->escape - 0xdc00);
	r->high_surrogate = 0;
	keep_code(r, r->escape);
	r->state = IN_STRING;
	return true;
}

static bool read_unicode(struct jsonr *r, char byte, size_t offset, struct error *e)
{
	int digit = ascii_hex_value(byte);

	if (digit < 0)
		return fail(r, offset, "no escape of JSON", e);
	r->escape = r->escape << 4 | (uint32_t)digit;
	return ++r->escape_digits < 4 || unicode_done(r, offset, e);
}

static bool read_low(struct jsonr *r, char byte, size_t offset, struct error *e)
{
	if (byte != (r->state == LOW_BACKSLASH ? '\\' : 'u'))
		return fail(r, offset, "half a pair of surrogates", e);
	r->state = r->state == LOW_BACKSLASH ? LOW_U : IN_UNICODE;
	r->escape = 0;
	r->escape_digits = 0;
	return true;
}

/* ---- Numbers and words ---- */

/* Whether the byte goes on with the number; moves its state. */
static bool goes_on(struct jsonr *r, char byte)
{
	enum number at = r->number;

	if (ascii_is_digit(byte)) {
		static const unsigned char next[] = {
			[MINUS] = DIGITS,      [DIGITS] = DIGITS,  [POINT] = FRACTION,
			[FRACTION] = FRACTION, [EXPONENT] = POWER, [SIGN] = POWER,
			[POWER] = POWER,
		};

		if (at != ZERO)
			r->number = at == MINUS && byte == '0' ? ZERO : next[at];
		return at != ZERO;
	}
	if (byte == '.' && (at == ZERO || at == DIGITS))
		r->number = POINT;
	else if ((byte == 'e' || byte == 'E') && (at == ZERO || at == DIGITS || at == FRACTION))
		r->number = EXPONENT;
	else if ((byte == '+' || byte == '-') && at == EXPONENT)
		r->number = SIGN;
	else
		return false;
	return true;
}

static bool number_done(struct jsonr *r, size_t offset, struct error *e)
{
	enum number at = r->number;

	if (at != ZERO && at != DIGITS && at != FRACTION && at != POWER)
		return fail(r, offset, "a number that breaks off", e);
	return send(r, JSONR_NUMBER, buf_span(&r->text), e) && value_done(r, e);
}

static bool read_number(struct jsonr *r, struct span bytes, size_t *at, struct error *e)
{
	size_t start = *at;

	while (*at < bytes.len && goes_on(r, bytes.ptr[*at]))
		++*at;
	keep(r, span_of(bytes.ptr + start, *at - start));
	return *at == bytes.len || number_done(r, r->offset + *at, e);
}

static bool read_word(struct jsonr *r, char byte, size_t offset, struct error *e)
{
	if (byte != *r->word)
		return fail(r, offset, "expected a JSON value", e);
	if (*++r->word != '\0')
		return true;
	return send(r, r->word_event, span_of(NULL, 0), e) && value_done(r, e);
}

static bool begin_value(struct jsonr *r, char byte, size_t offset, struct error *e)
{
	if (byte == '{' || byte == '[')
		return begin_nested(r, byte == '{', offset, e);
	begin_token(r, offset);
	if (byte == '"') {
		r->state = IN_STRING;
		return true;
	}
	if (byte == '-' || ascii_is_digit(byte)) {
		r->state = IN_NUMBER;
		r->number = byte == '-' ? MINUS : byte == '0' ? ZERO : DIGITS;
		keep(r, span_of(&byte, 1));
		return true;
	}
	r->word = byte == 't' ? "rue" : byte == 'f' ? "alse" : byte == 'n' ? "ull" : NULL;
	r->word_event = byte == 't' ? JSONR_TRUE : byte == 'f' ? JSONR_FALSE : JSONR_NULL;
	r->state = IN_WORD;
	return r->word != NULL || fail(r, offset, "expected a JSON value", e);
}

/* ---- Structure ---- */

/* A byte between tokens that is no blank. */
static bool structure(struct jsonr *r, char byte, size_t offset, struct error *e)
{
	switch ((enum state)r->state) {
	case FIRST_VALUE:
		if (byte == ']')
			return end_nested(r, byte, offset, e);
		return begin_value(r, byte, offset, e);
	case FIRST_KEY:
		if (byte == '}')
			return end_nested(r, byte, offset, e);
		/* fallthrough */
	case NEXT_KEY:
		if (byte != '"')
			return fail(r, offset, "expected a key in double quotes", e);
		begin_token(r, offset);
		r->is_key = true;
		r->state = IN_STRING;
		return true;
	case COLON:
		r->state = VALUE;
		return byte == ':' || fail(r, offset, "expected \":\" behind the key", e);
	case COMMA:
		if (byte != ',')
			return end_nested(r, byte, offset, e);
		r->state = r->is_object[r->depth - 1] ? NEXT_KEY : VALUE;
		return true;
	default:
		return begin_value(r, byte, offset, e);
	}
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}

static bool step(struct jsonr *r, struct span bytes, size_t *at, struct error *e)
{
	size_t offset = r->offset + *at;
	char byte = bytes.ptr[*at];

	switch ((enum state)r->state) {
	case IN_STRING:
		return read_string(r, bytes, at, e);
	case IN_NUMBER:
		return read_number(r, bytes, at, e);
	case IN_ESCAPE:
		++*at;
		return read_escape(r, byte, offset, e);
	case IN_UNICODE:
		++*at;
		return read_unicode(r, byte, offset, e);
	case LOW_BACKSLASH:
	case LOW_U:
		++*at;
		return read_low(r, byte, offset, e);
	case IN_WORD:
		++*at;
		return read_word(r, byte, offset, e);
	default:
		++*at;
		if (byte == '\n') {
			r->line++;
			r->line_start = offset + 1;
		}
		return is_blank(byte) || structure(r, byte, offset, e);
	}
}

bool jsonr_feed(struct jsonr *r, struct span bytes, struct error *e)
{
	for (size_t at = 0; at < bytes.len;)
		if (!step(r, bytes, &at, e))
			return false;
	r->offset += bytes.len;
	return true;
}

bool jsonr_end(struct jsonr *r, struct error *e)
{
	if (r->state == IN_NUMBER && r->depth == 0)
		return number_done(r, r->offset, e);
	return r->state == DOCUMENT || fail(r, r->offset, "the text ends in the middle", e);
}
