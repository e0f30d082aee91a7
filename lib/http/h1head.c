#include "http/h1head.h"

#include <stddef.h>
#include <string.h>

#include "base/ascii.h"
#include "http/h1char.h"
#include "http/h1target.h"

/* Empty lines before a request line: RFC 9112 section 2.2 wants at least one ignored. */
#define EMPTY_LINES_MAX 2

/* "HTTP/1.1" */
#define VERSION_LEN 8

/*
 * What is read next, at scan->at. A state is left when its text is complete; when bytes run out in
 * the middle, scan->at says how many of them need not be looked at again.
 */
enum state {
	STATE_NEW,	     /* nothing yet: *head is not initialised */
	STATE_REQUEST,	     /* empty lines, then the method */
	STATE_METHOD,	     /* token */
	STATE_TARGET,	     /* up to the SP */
	STATE_VERSION,	     /* of a request, up to its CRLF */
	STATE_RESPONSE,	     /* the first byte of a response */
	STATE_FIRST_VERSION, /* of a response, up to the SP */
	STATE_STATUS,	     /* three digits, and SP or CR */
	STATE_REASON,	     /* up to the CR */
	STATE_STATUS_LF,     /* of the status line */
	STATE_FIELD,	     /* the first byte of a line: a name, a fold, or the end */
	STATE_NAME,	     /* up to the colon */
	STATE_BEFORE_VALUE,  /* OWS */
	STATE_VALUE,	     /* up to the CR */
	STATE_VALUE_LF,	     /* of the field line */
	STATE_LAST_LF,	     /* of the empty line */
	STATE_DONE,
	STATE_BAD,
};

struct parse {
	const char *bytes;
	size_t end; /* bytes there are, up to the limit of a head */
	struct h1_scan *scan;
	struct h1_head *head;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The state functions return H1_OK for "on to the state in scan->state". */

static enum h1_result refuse(struct parse *p, enum h1_problem problem, size_t at)
{
	p->head->problem = problem;
	p->head->problem_at = (uint32_t)at;
	p->scan->state = STATE_BAD;
	return H1_BAD;
}

/* Bytes before `at` are done with. */
static enum h1_result more(struct parse *p, size_t at)
{
	p->scan->at = (uint16_t)at;
	return H1_MORE;
}

static enum h1_result go(struct parse *p, enum state next, size_t at)
{
	p->scan->state = (uint8_t)next;
	p->scan->at = (uint16_t)at;
	return H1_OK;
}

/* The same, with a token starting at `at`. */
static enum h1_result go_token(struct parse *p, enum state next, size_t at)
{
	p->scan->token_at = (uint16_t)at;
	return go(p, next, at);
}

static struct h1_slice slice(size_t from, size_t to)
{
	return (struct h1_slice){(uint16_t)from, (uint16_t)(to - from)};
}

/*
 * A line feed is a line feed, wherever it is wrong; what else is wrong there depends on the place.
 */
static enum h1_problem problem_of(char c, enum h1_problem otherwise)
{
	return c == '\n' ? H1_PROBLEM_BARE_LF : otherwise;
}

/* The LF of a CRLF. */
static enum h1_result expect_lf(struct parse *p, size_t at, enum state next)
{
	if (at == p->end)
		return more(p, at);
	if (p->bytes[at] != '\n')
		return refuse(p, H1_PROBLEM_BARE_CR, at);
	return go(p, next, at + 1);
}

/*
 * A TLS record starts with its type and version 3: 0x16 is a handshake, a ClientHello here; 0x15 is
 * the alert that a TLS server answers plain text with.
 */
static bool may_be_tls(char c)
{
	return c == 0x16 || c == 0x15;
}

static enum h1_result refuse_tls(struct parse *p, enum h1_problem otherwise)
{
	if (p->end < 2)
		return more(p, 0);
	return refuse(p, p->bytes[1] == 3 ? H1_PROBLEM_TLS_RECORD : otherwise, 0);
}

/* *( CRLF ) method: empty lines are what some clients send behind a body. */
static enum h1_result read_request_start(struct parse *p)
{
	size_t at = p->scan->at;

	while (at < p->end && p->bytes[at] == '\r') {
		if (at + 1 == p->end)
			return more(p, at);
		if (p->bytes[at + 1] != '\n')
			return refuse(p, H1_PROBLEM_BARE_CR, at + 1);
		if (p->scan->empty_lines == EMPTY_LINES_MAX)
			return refuse(p, H1_PROBLEM_EMPTY_LINES, at);
		p->scan->empty_lines++;
		at += 2;
	}
	if (at == p->end)
		return more(p, at);
	if (at == 0 && may_be_tls(p->bytes[0]))
		return refuse_tls(p, H1_PROBLEM_METHOD_INVALID);
	return go_token(p, STATE_METHOD, at);
}

#define METHOD_NAME(name) [H1_METHOD_##name] = {#name, sizeof(#name) - 1},
static const struct span methods[H1_METHOD_COUNT] = {[H1_METHOD_OTHER] = {"other", 5},
						     H1_METHODS(METHOD_NAME)};

static enum h1_method find_method(struct span name)
{
	for (unsigned m = H1_METHOD_OTHER + 1; m < H1_METHOD_COUNT; m++) {
		if (name.ptr[0] == methods[m].ptr[0] && span_eq(name, methods[m]))
			return m;
	}
	return H1_METHOD_OTHER;
}

/* Bytes of the class, at most `max`, and one other behind them at *end. */
static enum h1_result read_run(struct parse *p, enum h1_char_class class, size_t max,
			       enum h1_problem too_long, size_t *end)
{
	size_t limit = p->scan->token_at + max + 1;
	size_t at = h1char_skip(p->bytes, p->scan->at, p->end < limit ? p->end : limit, class);

	*end = at;
	if (at == limit)
		return refuse(p, too_long, at - 1);
	return at == p->end ? more(p, at) : H1_OK;
}

/* method SP; RFC 9110 section 9.1: a case-sensitive token */
static enum h1_result read_method(struct parse *p)
{
	size_t start = p->scan->token_at;
	size_t at;
	enum h1_result result = read_run(p, H1_CHAR_TOKEN, H1_METHOD_MAX,
					 H1_PROBLEM_METHOD_TOO_LONG, &at);

	if (result != H1_OK)
		return result;
	if (p->bytes[at] != ' ' || at == start)
		return refuse(p, problem_of(p->bytes[at], H1_PROBLEM_METHOD_INVALID), at);
	p->head->method_text = slice(start, at);
	p->head->method = (uint8_t)find_method(span_of(p->bytes + start, at - start));
	return go_token(p, STATE_TARGET, at + 1);
}

/* request-target SP */
static enum h1_result read_target(struct parse *p)
{
	size_t start = p->scan->token_at;
	size_t at;
	enum h1_result result = read_run(p, H1_CHAR_TARGET, p->scan->limits.target_max_bytes,
					 H1_PROBLEM_TARGET_TOO_LONG, &at);

	if (result != H1_OK)
		return result;
	if (p->bytes[at] == '\r' && at > start)
		return refuse(p, H1_PROBLEM_VERSION_MISSING, at);
	if (p->bytes[at] != ' ' || at == start)
		return refuse(p, problem_of(p->bytes[at], H1_PROBLEM_TARGET_INVALID), at);
	p->head->target = slice(start, at);
	return go_token(p, STATE_VERSION, at + 1);
}

/* "HTTP/" DIGIT "." DIGIT, byte by byte; `end` is set to where it ends. */
static enum h1_result read_version(struct parse *p, size_t *end)
{
	static const char pattern[VERSION_LEN + 1] = "HTTP/0.0";
	size_t start = p->scan->token_at;
	size_t at = p->scan->at;

	/* What nearly everybody says needs one comparison. */
	if (at == start && p->end - at > VERSION_LEN &&
	    memcmp(p->bytes + at, "HTTP/1.1", VERSION_LEN) == 0)
		at += VERSION_LEN;
	for (; at < start + VERSION_LEN; at++) {
		char want = pattern[at - start];

		if (at == p->end)
			return more(p, at);
		if (want == '0' ? !ascii_is_digit(p->bytes[at]) : p->bytes[at] != want)
			return refuse(p, problem_of(p->bytes[at], H1_PROBLEM_VERSION_INVALID), at);
	}
	*end = start + VERSION_LEN;
	return *end == p->end ? more(p, *end) : H1_OK;
}

/* Which versions are spoken: the digits at `at` are "1.0" or "1.1". */
static enum h1_problem take_version(struct parse *p, size_t at)
{
	const char *digits = p->bytes + at;

	p->head->version_minor = (uint8_t)(digits[2] - '0');
	if (digits[0] == '1' && p->head->version_minor <= 1)
		return H1_PROBLEM_NONE;
	if (digits[0] == '0' && p->head->version_minor == 9)
		return H1_PROBLEM_VERSION_MISSING;
	if (digits[0] == '2' && span_eq(h1head_text(p->bytes, p->head->method_text), SPAN("PRI")))
		return H1_PROBLEM_H2_PREFACE;
	return H1_PROBLEM_VERSION_UNSUPPORTED;
}

/* HTTP-version CRLF, the end of a request line: now the line is judged as a whole. */
static enum h1_result read_request_end(struct parse *p)
{
	struct h1_head *head = p->head;
	size_t start = p->scan->token_at;
	size_t at = p->scan->at;
	enum h1_problem problem;
	enum h1_result result;

	if (at <= start + VERSION_LEN) {
		result = read_version(p, &at);
		if (result != H1_OK)
			return result;
		if (p->bytes[at] != '\r')
			return refuse(p, problem_of(p->bytes[at], H1_PROBLEM_VERSION_INVALID), at);
		at++;
	}
	result = expect_lf(p, at, STATE_FIELD);
	if (result != H1_OK)
		return result;
	problem = take_version(p, start + strlen("HTTP/"));
	if (problem != H1_PROBLEM_NONE)
		return refuse(p, problem, start);
	problem = h1target_split(head, p->bytes);
	if (problem != H1_PROBLEM_NONE)
		return refuse(p, problem, head->target.at);
	return H1_OK;
}

/* status-line = HTTP-version SP status-code SP [ reason-phrase ] CRLF */
static enum h1_result read_response_start(struct parse *p)
{
	if (p->end == 0)
		return H1_MORE;
	if (may_be_tls(p->bytes[0]))
		return refuse_tls(p, H1_PROBLEM_VERSION_INVALID);
	return go_token(p, STATE_FIRST_VERSION, 0);
}

static enum h1_result read_first_version(struct parse *p)
{
	size_t start = p->scan->token_at;
	enum h1_problem problem;
	size_t at;
	enum h1_result result = read_version(p, &at);

	if (result != H1_OK)
		return result;
	if (p->bytes[at] != ' ')
		return refuse(p, problem_of(p->bytes[at], H1_PROBLEM_VERSION_INVALID), at);
	problem = take_version(p, start + strlen("HTTP/"));
	if (problem != H1_PROBLEM_NONE)
		return refuse(p, problem, start);
	return go_token(p, STATE_STATUS, at + 1);
}

/*
 * 3DIGIT ( SP / CR ): RFC 9112 section 4 wants the SP even before an empty reason; not all send it.
 */
static enum h1_result read_status(struct parse *p)
{
	size_t start = p->scan->token_at;
	size_t at = p->scan->at;

	for (; at < start + 3; at++) {
		if (at == p->end)
			return more(p, at);
		if (!ascii_is_digit(p->bytes[at]) ||
		    (at == start && (p->bytes[at] < '1' || p->bytes[at] > '5')))
			return refuse(p, problem_of(p->bytes[at], H1_PROBLEM_STATUS_INVALID), at);
	}
	if (at == p->end)
		return more(p, at);
	p->head->status = (uint16_t)((p->bytes[start] - '0') * 100 +
				     (p->bytes[start + 1] - '0') * 10 +
				     (p->bytes[start + 2] - '0'));
	p->head->reason = slice(at, at);
	if (p->bytes[at] == ' ')
		return go_token(p, STATE_REASON, at + 1);
	if (p->bytes[at] == '\r')
		return go(p, STATE_STATUS_LF, at + 1);
	return refuse(p, problem_of(p->bytes[at], H1_PROBLEM_STATUS_INVALID), at);
}

/* reason-phrase = 1*( HTAB / SP / VCHAR / obs-text ) */
static enum h1_result read_reason(struct parse *p)
{
	size_t at = h1char_skip_value(p->bytes, p->scan->at, p->end);

	if (at == p->end)
		return more(p, at);
	if (p->bytes[at] != '\r')
		return refuse(p, problem_of(p->bytes[at], H1_PROBLEM_REASON_INVALID), at);
	p->head->reason = slice(p->scan->token_at, at);
	return go(p, STATE_STATUS_LF, at + 1);
}

/* A line that starts with white space: obs-fold behind a field, RFC 9112 sections 2.2 and 5.2. */
static enum h1_result read_fold(struct parse *p, size_t at)
{
	struct h1_head *head = p->head;
	struct h1_field *field;

	if (head->field_count == 0)
		return refuse(p, H1_PROBLEM_SPACE_BEFORE_FIELDS, at);
	if (head->kind == H1_REQUEST)
		return refuse(p, H1_PROBLEM_OBS_FOLD, at);
	/* The last field is open again; its value goes on here. */
	field = &head->fields[--head->field_count];
	field->is_folded = true;
	head->folded |= UINT64_C(1) << field->id;
	p->scan->token_at = field->value_at;
	return go(p, STATE_VALUE, at);
}

/* *( field-line CRLF ) CRLF: what a line starts with says what it is */
static enum h1_result read_field_start(struct parse *p)
{
	size_t at = p->scan->at;

	if (at == p->end)
		return H1_MORE;
	switch (p->bytes[at]) {
	case '\r':
		return go(p, STATE_LAST_LF, at + 1);
	case '\n':
		return refuse(p, H1_PROBLEM_BARE_LF, at);
	case ' ':
	case '\t':
		return read_fold(p, at);
	case ':':
		return refuse(p, H1_PROBLEM_FIELD_NAME_EMPTY, at);
	default:
		if (p->head->field_count == p->scan->limits.fields_max)
			return refuse(p, H1_PROBLEM_TOO_MANY_FIELDS, at);
		return go_token(p, STATE_NAME, at);
	}
}

/* field-name ":", RFC 9112 section 5.1: no white space before the colon */
static enum h1_result read_name(struct parse *p)
{
	size_t start = p->scan->token_at;
	size_t at = h1char_skip(p->bytes, p->scan->at, p->end, H1_CHAR_TOKEN);
	struct h1_field *field = &p->head->fields[p->head->field_count];

	if (at == p->end)
		return more(p, at);
	switch (p->bytes[at]) {
	case ':':
		break;
	case ' ':
	case '\t':
		return refuse(p, H1_PROBLEM_SPACE_BEFORE_COLON, at);
	case '\r':
		return refuse(p, H1_PROBLEM_FIELD_NO_COLON, at);
	default:
		return refuse(p, problem_of(p->bytes[at], H1_PROBLEM_FIELD_NAME_INVALID), at);
	}
	field->name_at = (uint16_t)start;
	field->name_len = (uint16_t)(at - start);
	field->id = (uint8_t)h1field_lookup(span_of(p->bytes + start, at - start));
	field->is_folded = false;
	return go(p, STATE_BEFORE_VALUE, at + 1);
}

/* OWS = *( SP / HTAB ), nothing else: not 0x0b, 0x0c, 0x85 or 0xa0 */
static enum h1_result read_before_value(struct parse *p)
{
	size_t at = p->scan->at;

	while (at < p->end && is_blank(p->bytes[at]))
		at++;
	return at == p->end ? more(p, at) : go_token(p, STATE_VALUE, at);
}

/*
 * field-value = *( HTAB / SP / VCHAR / obs-text ), RFC 9110 section 5.5; other controls are refused
 */
static enum h1_result read_value(struct parse *p)
{
	size_t at = h1char_skip_value(p->bytes, p->scan->at, p->end);

	if (at == p->end)
		return more(p, at);
	if (p->bytes[at] != '\r')
		return refuse(p, problem_of(p->bytes[at], H1_PROBLEM_FIELD_VALUE_INVALID), at);
	return go(p, STATE_VALUE_LF, at + 1);
}

/* The LF behind a value: the field is complete, unless the next line turns out to be its fold. */
static enum h1_result read_value_end(struct parse *p)
{
	struct h1_head *head = p->head;
	struct h1_field *field = &head->fields[head->field_count];
	size_t start = p->scan->token_at;
	size_t at = p->scan->at;
	size_t end = at - 1;
	uint64_t bit;

	if (at == p->end || p->bytes[at] != '\n')
		return expect_lf(p, at, STATE_FIELD);
	while (end > start && is_blank(p->bytes[end - 1]))
		end--;
	/*
	 * A fold of blanks alone looks like the end of the head to some; nor is it worth unfolding.
	 */
	if (field->is_folded && p->bytes[end - 1] == '\n')
		return refuse(p, H1_PROBLEM_OBS_FOLD, end);
	/* The first line of a folded value may be empty. */
	while (field->is_folded &&
	       (is_blank(p->bytes[start]) || p->bytes[start] == '\r' || p->bytes[start] == '\n'))
		start++;
	field->value_at = (uint16_t)start;
	field->value_len = (uint16_t)(end - start);

	/* A field opened again for its fold has been counted before. */
	bit = UINT64_C(1) << field->id;
	if ((head->seen & bit) == 0)
		head->first[field->id] = (uint8_t)head->field_count;
	else if (head->first[field->id] != head->field_count)
		head->repeated |= bit;
	head->seen |= bit;
	head->field_count++;
	return go(p, STATE_FIELD, at + 1);
}

static enum h1_result read_last_lf(struct parse *p)
{
	p->head->head_len = (uint16_t)(p->scan->at + 1);
	return expect_lf(p, p->scan->at, STATE_DONE);
}

static enum h1_result run_state(struct parse *p)
{
	switch ((enum state)p->scan->state) {
	case STATE_REQUEST:
		return read_request_start(p);
	case STATE_METHOD:
		return read_method(p);
	case STATE_TARGET:
		return read_target(p);
	case STATE_VERSION:
		return read_request_end(p);
	case STATE_RESPONSE:
		return read_response_start(p);
	case STATE_FIRST_VERSION:
		return read_first_version(p);
	case STATE_STATUS:
		return read_status(p);
	case STATE_REASON:
		return read_reason(p);
	case STATE_STATUS_LF:
		return expect_lf(p, p->scan->at, STATE_FIELD);
	case STATE_FIELD:
		return read_field_start(p);
	case STATE_NAME:
		return read_name(p);
	case STATE_BEFORE_VALUE:
		return read_before_value(p);
	case STATE_VALUE:
		return read_value(p);
	case STATE_VALUE_LF:
		return read_value_end(p);
	case STATE_LAST_LF:
		return read_last_lf(p);
	case STATE_DONE:
		return H1_OK;
	case STATE_NEW:
	case STATE_BAD:
		break;
	}
	return H1_BAD;
}

static enum h1_result parse(struct h1_scan *scan, struct span bytes, struct h1_head *head,
			    enum h1_kind kind)
{
	size_t limit = scan->limits.head_max_bytes;
	struct parse p = {bytes.ptr, bytes.len < limit ? bytes.len : limit, scan, head};
	enum h1_result result = H1_OK;

	if (scan->state == STATE_NEW) {
		memset(head, 0, offsetof(struct h1_head, fields));
		head->kind = (uint8_t)kind;
		scan->state = kind == H1_REQUEST ? STATE_REQUEST : STATE_RESPONSE;
	}
	while (result == H1_OK && scan->state != STATE_DONE)
		result = run_state(&p);
	if (result == H1_MORE && bytes.len >= limit)
		return refuse(&p, H1_PROBLEM_HEAD_TOO_LARGE, limit);
	return result;
}

void h1head_start(struct h1_scan *scan, const struct h1_limits *limits)
{
	*scan = (struct h1_scan){.limits = limits != NULL ? *limits : H1_LIMITS_DEFAULT};
}

enum h1_result h1head_parse_request(struct h1_scan *scan, struct span bytes, struct h1_head *head)
{
	return parse(scan, bytes, head, H1_REQUEST);
}

enum h1_result h1head_parse_response(struct h1_scan *scan, struct span bytes, struct h1_head *head)
{
	return parse(scan, bytes, head, H1_RESPONSE);
}

const char *h1head_method_name(enum h1_method method)
{
	return methods[method].ptr;
}

bool h1head_method_is_idempotent(enum h1_method method)
{
	static const bool is_idempotent[H1_METHOD_COUNT] = {
		[H1_METHOD_GET] = true,	   [H1_METHOD_HEAD] = true,    [H1_METHOD_PUT] = true,
		[H1_METHOD_DELETE] = true, [H1_METHOD_OPTIONS] = true, [H1_METHOD_TRACE] = true,
	};

	return is_idempotent[method];
}

const struct h1_field *h1head_find(const struct h1_head *head, const char *bytes, struct span name)
{
	for (size_t i = 0; i < head->field_count; i++) {
		if (span_eq_nocase(h1head_field_name(bytes, &head->fields[i]), name))
			return &head->fields[i];
	}
	return NULL;
}
