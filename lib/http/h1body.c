#include "http/h1body.h"

#include "base/ascii.h"
#include "http/h1char.h"
#include "http/h1field.h"

/* 52 bits: no sum of two sizes can overflow, and any language's number holds one. */
#define SIZE_DIGITS_MAX 13

/* How a request line ends, 0 standing for any digit. */
static const char request_end[] = " HTTP/0.0";
#define REQUEST_END_LEN (sizeof request_end - 1)
#define MATCHED_WITH_BLANKS (REQUEST_END_LEN + 1)

/* What comes next. */
enum state {
	STATE_RAW,	   /* `left` bytes of a body with a length */
	STATE_UNTIL_CLOSE, /* whatever comes */
	STATE_SIZE,	   /* hexadecimal digits, at least one */
	STATE_SIZE_BLANK,  /* BWS before the ";" of an extension */
	STATE_EXTENSION,   /* anything up to CR */
	STATE_SIZE_LF,	   /* of the chunk-size line */
	STATE_DATA,	   /* `left` bytes of the chunk */
	STATE_DATA_CR,	   /* behind the data */
	STATE_DATA_LF,
	STATE_TRAILER, /* the first byte of a trailer line, or the CR of the empty line */
	STATE_TRAILER_NAME,
	STATE_TRAILER_BLANK, /* OWS before the value */
	STATE_TRAILER_VALUE,
	STATE_TRAILER_LF, /* of the trailer line */
	STATE_LAST_LF,	  /* of the empty line */
	STATE_END,
	STATE_BAD,
};

static void refuse(struct h1_body *b, enum h1_problem problem)
{
	b->state = STATE_BAD;
	b->problem = (uint16_t)problem;
}

/* `next` when the byte is the one that must be there, else the end with this problem. */
static void expect(struct h1_body *b, char c, char wanted, enum state next, enum h1_problem problem)
{
	if (c == wanted)
		b->state = (uint8_t)next;
	else
		refuse(b, problem);
}

/* chunk-size = 1*HEXDIG, behind it BWS, ";" or CR: RFC 9112 section 7.1 */
static void read_size(struct h1_body *b, char c)
{
	int digit = ascii_hex_value(c);

	if (digit >= 0) {
		if (b->digits == SIZE_DIGITS_MAX)
			return refuse(b, H1_PROBLEM_CHUNK_SIZE_TOO_LARGE);
		b->digits++;
		b->left = b->left << 4 | (unsigned)digit;
		return;
	}
	if (b->digits == 0)
		return refuse(b, H1_PROBLEM_CHUNK_SIZE_INVALID);
	switch (c) {
	case '\r':
		b->state = STATE_SIZE_LF;
		break;
	case ';':
		b->state = STATE_EXTENSION;
		break;
	case ' ':
	case '\t':
		b->state = STATE_SIZE_BLANK;
		break;
	case '\n':
		return refuse(b, H1_PROBLEM_CHUNK_LINE_END);
	default:
		return refuse(b, H1_PROBLEM_CHUNK_SIZE_INVALID);
	}
}

/*
 * Every byte between size and CR counts; what they say is nobody's business (RFC 9112 section
 * 7.1.1).
 */
static bool count_extension(struct h1_body *b)
{
	if (b->ext_bytes == H1_CHUNK_EXT_MAX) {
		refuse(b, H1_PROBLEM_CHUNK_EXT_TOO_LARGE);
		return false;
	}
	b->ext_bytes++;
	return true;
}

static void read_size_blank(struct h1_body *b, char c)
{
	if (!count_extension(b))
		return;
	if (c == ';')
		b->state = STATE_EXTENSION;
	else if (c == '\r' || c == '\n')
		refuse(b, H1_PROBLEM_CHUNK_LINE_END);
	else if (c != ' ' && c != '\t')
		refuse(b, H1_PROBLEM_CHUNK_EXT_INVALID);
}

/*
 * *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ): neither has CR, LF or controls
 */
static void read_extension(struct h1_body *b, char c)
{
	if (c == '\r')
		b->state = STATE_SIZE_LF;
	else if (c == '\n')
		refuse(b, H1_PROBLEM_CHUNK_LINE_END);
	else if (!h1char_is(c, H1_CHAR_VALUE))
		refuse(b, H1_PROBLEM_CHUNK_EXT_INVALID);
	else
		count_extension(b);
}

static void read_size_lf(struct h1_body *b, char c)
{
	enum state next = b->left > 0 ? STATE_DATA : STATE_TRAILER;

	b->digits = 0;
	expect(b, c, '\n', next, H1_PROBLEM_CHUNK_LINE_END);
}

/*
 * A line of *trailers is kept as it is read, and taken back when it turns out to be a forbidden
 * one.
 */
static void keep(struct h1_body *b, char c)
{
	if (b->trailers == NULL)
		return;
	buf_add_byte(b->trailers, c);
	if (b->trailers->truncated)
		refuse(b, H1_PROBLEM_TRAILERS_TOO_LARGE);
}

static void cut_trailers(struct h1_body *b, size_t len)
{
	b->trailers->len = len;
	b->trailers->ptr[len] = '\0';
}

/*
 * trailer-section = *( field-line CRLF ), then the CRLF that ends the body: RFC 9112 section 7.1.2
 */
static void read_trailer_start(struct h1_body *b, char c)
{
	if (c == '\r') {
		b->state = STATE_LAST_LF;
		return;
	}
	if (!h1char_is(c, H1_CHAR_TOKEN))
		return refuse(b, H1_PROBLEM_TRAILER_INVALID);
	b->line_at = b->trailers != NULL ? (uint32_t)b->trailers->len : 0;
	b->name_len = 1;
	b->state = STATE_TRAILER_NAME;
	keep(b, c);
}

static void read_trailer_name(struct h1_body *b, char c)
{
	if (h1char_is(c, H1_CHAR_TOKEN)) {
		b->name_len++;
		keep(b, c);
		return;
	}
	if (c != ':')
		return refuse(b, H1_PROBLEM_TRAILER_INVALID);
	b->state = STATE_TRAILER_BLANK;
	b->matched = 0;
	keep(b, ':');
	keep(b, ' ');
}

/*
 * How much of request_end the value ends in so far, blanks behind it not counted. A trailer
 * `X:POST / HTTP/1.1` is well-formed, but there are servers to which it is the next request; nobody
 * else sends one.
 */
static void match_request_end(struct h1_body *b, char c)
{
	/* Such a blank may also be the first byte of the next match. */
	size_t at = b->matched == MATCHED_WITH_BLANKS ? 1 : b->matched;
	char want = request_end[at];

	if (c == ' ' || c == '\t')
		b->matched = b->matched >= REQUEST_END_LEN ? MATCHED_WITH_BLANKS : 1;
	else if (want == '0' ? ascii_is_digit(c) : c == want)
		b->matched = (uint8_t)(at + 1);
	else
		b->matched = 0;
}

static void read_trailer_value(struct h1_body *b, char c)
{
	if (c == '\r') {
		b->state = STATE_TRAILER_LF;
		if (b->matched >= REQUEST_END_LEN)
			refuse(b, H1_PROBLEM_TRAILER_REQUEST);
		return;
	}
	if (!h1char_is(c, H1_CHAR_VALUE))
		return refuse(b, H1_PROBLEM_TRAILER_INVALID);
	match_request_end(b, c);
	keep(b, c);
}

static void read_trailer_blank(struct h1_body *b, char c)
{
	if (c == ' ' || c == '\t')
		return;
	b->state = STATE_TRAILER_VALUE;
	read_trailer_value(b, c);
}

/* A trailer line is complete: is it one that may be forwarded (RFC 9110 section 6.5.1)? */
static void read_trailer_lf(struct h1_body *b, char c)
{
	struct span line, value;

	expect(b, c, '\n', STATE_TRAILER, H1_PROBLEM_TRAILER_INVALID);
	if (b->state == STATE_BAD || b->trailers == NULL)
		return;
	line = span_from(buf_span(b->trailers), b->line_at);
	if ((h1field_traits(h1field_lookup(span_first(line, b->name_len))) &
	     H1_TRAIT_NOT_IN_TRAILERS) != 0) {
		cut_trailers(b, b->line_at);
		return;
	}
	value = span_trim(span_from(line, b->name_len + 2u));
	cut_trailers(b, b->line_at + b->name_len + 2u + value.len);
	keep(b, '\r');
	keep(b, '\n');
}

static void read_byte(struct h1_body *b, char c)
{
	if (b->state >= STATE_TRAILER && ++b->trailer_bytes > H1_TRAILERS_MAX)
		return refuse(b, H1_PROBLEM_TRAILERS_TOO_LARGE);
	switch ((enum state)b->state) {
	case STATE_SIZE:
		return read_size(b, c);
	case STATE_SIZE_BLANK:
		return read_size_blank(b, c);
	case STATE_EXTENSION:
		return read_extension(b, c);
	case STATE_SIZE_LF:
		return read_size_lf(b, c);
	case STATE_DATA_CR:
		return expect(b, c, '\r', STATE_DATA_LF, H1_PROBLEM_CHUNK_DATA_END);
	case STATE_DATA_LF:
		return expect(b, c, '\n', STATE_SIZE, H1_PROBLEM_CHUNK_DATA_END);
	case STATE_TRAILER:
		return read_trailer_start(b, c);
	case STATE_TRAILER_NAME:
		return read_trailer_name(b, c);
	case STATE_TRAILER_BLANK:
		return read_trailer_blank(b, c);
	case STATE_TRAILER_VALUE:
		return read_trailer_value(b, c);
	case STATE_TRAILER_LF:
		return read_trailer_lf(b, c);
	case STATE_LAST_LF:
		return expect(b, c, '\n', STATE_END, H1_PROBLEM_TRAILER_INVALID);
	case STATE_RAW:
	case STATE_UNTIL_CLOSE:
	case STATE_DATA:
	case STATE_END:
	case STATE_BAD:
		break;
	}
}

/* `count` bytes of data have gone by. */
static void take_data(struct h1_body *b, uint64_t count)
{
	b->data_bytes += count;
	if (b->state == STATE_UNTIL_CLOSE)
		return;
	b->left -= count;
	if (b->left == 0)
		b->state = b->state == STATE_RAW ? STATE_END : STATE_DATA_CR;
}

static void give_data(struct h1_body *b, struct span *input, struct span *piece)
{
	size_t len = input->len;

	if (b->state != STATE_UNTIL_CLOSE && b->left < len)
		len = (size_t)b->left;
	*piece = span_first(*input, len);
	*input = (struct span){input->ptr + len, input->len - len};
	take_data(b, len);
}

void h1body_start(struct h1_body *b, enum h1_body_kind kind, uint64_t length, struct buf *trailers)
{
	static const uint8_t first_state[] = {
		[H1_BODY_NONE] = STATE_END,
		[H1_BODY_LENGTH] = STATE_RAW,
		[H1_BODY_CHUNKED] = STATE_SIZE,
		[H1_BODY_UNTIL_CLOSE] = STATE_UNTIL_CLOSE,
	};

	*b = (struct h1_body){.trailers = trailers, .state = first_state[kind]};
	if (kind != H1_BODY_LENGTH)
		return;
	b->left = length;
	if (length == 0)
		b->state = STATE_END;
}

enum h1_body_event h1body_next(struct h1_body *b, struct span *input, struct span *piece)
{
	for (;;) {
		if (b->state == STATE_END)
			return H1_BODY_END;
		if (b->state == STATE_BAD)
			return H1_BODY_BAD;
		if (input->len == 0)
			return H1_BODY_MORE;
		if (b->state == STATE_RAW || b->state == STATE_UNTIL_CLOSE ||
		    b->state == STATE_DATA) {
			give_data(b, input, piece);
			return H1_BODY_DATA;
		}
		read_byte(b, input->ptr[0]);
		*input = (struct span){input->ptr + 1, input->len - 1};
	}
}

bool h1body_is_complete_at_eof(const struct h1_body *b)
{
	return b->state == STATE_END || b->state == STATE_UNTIL_CLOSE;
}

uint64_t h1body_passable(const struct h1_body *b)
{
	if (b->state == STATE_UNTIL_CLOSE)
		return UINT64_MAX;
	return b->state == STATE_RAW ? b->left : 0;
}

void h1body_pass(struct h1_body *b, uint64_t count)
{
	if (count > 0)
		take_data(b, count);
}
