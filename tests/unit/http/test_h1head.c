#include "h1ways.h"

#define TEXT(literal)                                                                              \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}
#define REQUEST(problem, literal)                                                                  \
	{                                                                                          \
		H1_PROBLEM_##problem, H1_REQUEST, TEXT(literal)                                    \
	}
#define RESPONSE(problem, literal)                                                                 \
	{                                                                                          \
		H1_PROBLEM_##problem, H1_RESPONSE, TEXT(literal)                                   \
	}
#define HOST "Host: a\r\n"
#define GET "GET / HTTP/1.1\r\n"
#define OK "HTTP/1.1 200 OK\r\n"

static const struct h1ways_refusal refusals[] = {
	REQUEST(TLS_RECORD, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
	RESPONSE(TLS_RECORD, "\x15\x03\x01\x00\x02\x02\x46"),
	REQUEST(EMPTY_LINES, "\r\n\r\n\r\n" GET HOST "\r\n"),
	REQUEST(BARE_CR, "\r\r\n" GET HOST "\r\n"),
	REQUEST(BARE_CR, "GET / HTTP/1.1\r" HOST "\r\n"),
	REQUEST(BARE_CR, GET "A: b\rHost: a\r\n\r\n"),
	REQUEST(BARE_CR, GET HOST "\rZ"),
	REQUEST(BARE_CR, GET "X: v\ralue\r\n" HOST "\r\n"),
	RESPONSE(BARE_CR, "HTTP/1.1 200 OK\rX: 1\r\n\r\n"),
	REQUEST(BARE_LF, "\n" GET HOST "\r\n"),
	REQUEST(BARE_LF, "GET\n/ HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(BARE_LF, "GET /\nHTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(BARE_LF, "GET / HTTP/1.1\n" HOST "\r\n"),
	REQUEST(BARE_LF, GET "Host: a\n\r\n"),
	REQUEST(BARE_LF, GET HOST "\n"),
	REQUEST(BARE_LF, GET HOST "Te\nst: x\r\n\r\n"),
	RESPONSE(BARE_LF, "HTTP/1.1 200 OK\nX: 1\r\n\r\n"),
	RESPONSE(BARE_LF, "HTTP/1.1 200\nX: 1\r\n\r\n"),
	REQUEST(METHOD_INVALID, " GET / HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(METHOD_INVALID, "\tGET / HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(METHOD_INVALID, "G(T / HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(METHOD_INVALID, "G\xc3\x84T / HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(METHOD_INVALID, "GET\t/ HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(METHOD_INVALID, "GET\r\n"),
	REQUEST(METHOD_INVALID, "\x16\x04"),
	REQUEST(METHOD_INVALID, "\0 / HTTP/1.1\r\n"),
	REQUEST(METHOD_TOO_LONG, "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_INVALID, "GET  / HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_INVALID, "GET /a\tb HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_INVALID, "GET /#a HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_INVALID, "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_INVALID, "GET /\x7f HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_INVALID, "GET /\0 HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_FORM, "GET ! HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_FORM, "GET a/b HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_FORM, "GET * HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_FORM, "GET a:80 HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_FORM, "GET ://a/ HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_FORM, "CONNECT /a HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_FORM, "CONNECT http://a/ HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_FORM, "OPTIONS ** HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_SCHEME, "GET ftp://a/ HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_SCHEME, "GET httpx://a/ HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_USERINFO, "GET http://u@a/ HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_USERINFO, "GET http://u:p@a/ HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_USERINFO, "CONNECT u@a:443 HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(VERSION_INVALID, "GET /  HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(VERSION_INVALID, "GET / http/1.1\r\n" HOST "\r\n"),
	REQUEST(VERSION_INVALID, "GET / HTTP/1.1 \r\n" HOST "\r\n"),
	REQUEST(VERSION_INVALID, "GET / HTTP/1.32\r\n" HOST "\r\n"),
	REQUEST(VERSION_INVALID, "GET / HTTP/11\r\n" HOST "\r\n"),
	REQUEST(VERSION_INVALID, "GET / HTTP/+1.1\r\n" HOST "\r\n"),
	REQUEST(VERSION_INVALID, "GET / HTTP/4294967295.255\r\n" HOST "\r\n"),
	REQUEST(VERSION_INVALID, "GET / HTTP/\r\r1.1\r\n" HOST "\r\n"),
	REQUEST(VERSION_INVALID, "GET / \r\n\r\n"),
	RESPONSE(VERSION_INVALID, "ICY 200 OK\r\n\r\n"),
	RESPONSE(VERSION_INVALID, "HTTP/1.1\t200 OK\r\n\r\n"),
	RESPONSE(VERSION_INVALID, "\r\n" OK "\r\n"),
	REQUEST(VERSION_MISSING, "GET /\r\n"),
	REQUEST(VERSION_MISSING, "GET / HTTP/0.9\r\n\r\n"),
	REQUEST(VERSION_UNSUPPORTED, "GET / HTTP/1.2\r\n" HOST "\r\n"),
	REQUEST(VERSION_UNSUPPORTED, "GET / HTTP/2.0\r\n" HOST "\r\n"),
	REQUEST(VERSION_UNSUPPORTED, "GET / HTTP/0.1\r\n" HOST "\r\n"),
	RESPONSE(VERSION_UNSUPPORTED, "HTTP/2.0 200 OK\r\n\r\n"),
	REQUEST(H2_PREFACE, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	RESPONSE(STATUS_INVALID, "HTTP/1.1 20 OK\r\n\r\n"),
	RESPONSE(STATUS_INVALID, "HTTP/1.1 2000 OK\r\n\r\n"),
	RESPONSE(STATUS_INVALID, "HTTP/1.1 600 OK\r\n\r\n"),
	RESPONSE(STATUS_INVALID, "HTTP/1.1 099 OK\r\n\r\n"),
	RESPONSE(STATUS_INVALID, "HTTP/1.1 +20 OK\r\n\r\n"),
	RESPONSE(STATUS_INVALID, "HTTP/1.1  200 OK\r\n\r\n"),
	RESPONSE(REASON_INVALID, "HTTP/1.1 200 O\0K\r\n\r\n"),
	RESPONSE(REASON_INVALID, "HTTP/1.1 200 O\x7fK\r\n\r\n"),
	REQUEST(SPACE_BEFORE_FIELDS, GET " X: 1\r\n" HOST "\r\n"),
	REQUEST(SPACE_BEFORE_FIELDS, GET "\tContent-Length: 1\r\n" HOST "\r\nX"),
	RESPONSE(SPACE_BEFORE_FIELDS, OK " X: 1\r\n\r\n"),
	REQUEST(FIELD_NAME_EMPTY, GET ": x\r\n" HOST "\r\n"),
	REQUEST(FIELD_NAME_EMPTY, GET HOST ":\r\n\r\n"),
	REQUEST(FIELD_NAME_INVALID, GET HOST "\xef"
					     "oo: bar\r\n\r\n"),
	REQUEST(FIELD_NAME_INVALID, GET HOST "Content-Length\x85: 10\r\n\r\n0123456789"),
	REQUEST(FIELD_NAME_INVALID, GET HOST "(: x\r\n\r\n"),
	REQUEST(FIELD_NAME_INVALID, GET HOST "c\0\r\n\r\n"),
	RESPONSE(FIELD_NAME_INVALID, OK "a@b: c\r\n\r\n"),
	REQUEST(SPACE_BEFORE_COLON, GET HOST "Content-Length : 3\r\n\r\nabc"),
	REQUEST(SPACE_BEFORE_COLON, GET HOST "X\t: 3\r\n\r\n"),
	REQUEST(SPACE_BEFORE_COLON, GET HOST "Content-Length 10\r\n\r\n0123456789"),
	RESPONSE(SPACE_BEFORE_COLON, OK "X : 1\r\n\r\n"),
	REQUEST(FIELD_NO_COLON, GET HOST "Transfer-\r\nEncoding: chunked\r\n\r\n"),
	REQUEST(FIELD_NO_COLON, GET HOST "X\r\n\r\n"),
	REQUEST(FIELD_VALUE_INVALID, GET HOST "X: a\0b\r\n\r\n"),
	REQUEST(FIELD_VALUE_INVALID, GET "Host: google.com\0.kallus.org\r\n\r\n"),
	REQUEST(FIELD_VALUE_INVALID, GET HOST "X: \x0b"
					      "1\r\n\r\n"),
	REQUEST(FIELD_VALUE_INVALID, GET HOST "X: 12345678901234567\x7f\r\n\r\n"),
	RESPONSE(FIELD_VALUE_INVALID, OK "X: a\0b\r\n\r\n"),
	REQUEST(OBS_FOLD, GET HOST "X: a\r\n b\r\n\r\n"),
	REQUEST(OBS_FOLD, GET HOST "\t\r\n\r\n"),
	RESPONSE(OBS_FOLD, OK "X: a\r\n \r\n\r\n"),
	RESPONSE(OBS_FOLD, OK "Content-Length: 1\r\n 0\r\n\r\n"),
};

#define REFUSES(name, member)                                                                      \
	static void refuses_##name(void)                                                           \
	{                                                                                          \
		h1ways_check_refusals(refusals, sizeof refusals / sizeof refusals[0],              \
				      H1_PROBLEM_##member);                                        \
	}

REFUSES(tls_where_http_belongs, TLS_RECORD)
REFUSES(more_than_two_empty_lines, EMPTY_LINES)
REFUSES(bare_cr, BARE_CR)
REFUSES(bare_lf_as_line_end, BARE_LF)
REFUSES(a_method_that_is_no_token, METHOD_INVALID)
REFUSES(a_method_over_32_bytes, METHOD_TOO_LONG)
REFUSES(a_target_with_other_bytes_than_visible_ascii, TARGET_INVALID)
REFUSES(a_target_form_the_method_does_not_have, TARGET_FORM)
REFUSES(a_scheme_that_is_not_http, TARGET_SCHEME)
REFUSES(user_information_in_the_target, TARGET_USERINFO)
REFUSES(a_malformed_version, VERSION_INVALID)
REFUSES(http_0_9, VERSION_MISSING)
REFUSES(other_versions_than_1_0_and_1_1, VERSION_UNSUPPORTED)
REFUSES(the_http_2_preface, H2_PREFACE)
REFUSES(a_status_that_is_not_100_to_599, STATUS_INVALID)
REFUSES(controls_in_the_reason, REASON_INVALID)
REFUSES(white_space_before_the_first_field, SPACE_BEFORE_FIELDS)
REFUSES(an_empty_field_name, FIELD_NAME_EMPTY)
REFUSES(a_field_name_that_is_no_token, FIELD_NAME_INVALID)
REFUSES(white_space_before_the_colon, SPACE_BEFORE_COLON)
REFUSES(a_field_line_without_colon, FIELD_NO_COLON)
REFUSES(controls_in_a_value, FIELD_VALUE_INVALID)
REFUSES(folds_in_requests_and_blank_ones_anywhere, OBS_FOLD)

static char big[70000];

/*
 * "GET /aaa HTTP/1.1 CRLF Host: a CRLF X: aaa ... CRLF CRLF" with a target and a head of these
 * lengths.
 */
static struct span big_request(size_t target_len, size_t head_len)
{
	struct buf b;

	BUF_INIT_ARRAY(&b, big);
	buf_add(&b, SPAN("GET /"));
	for (size_t i = 1; i < target_len; i++)
		buf_add_byte(&b, 'a');
	buf_add(&b, SPAN(" HTTP/1.1\r\n" HOST "X: "));
	while (b.len + 4 < head_len)
		buf_add_byte(&b, 'x');
	buf_add(&b, SPAN("\r\n\r\n"));
	return buf_span(&b);
}

static enum h1_problem problem_of(struct span bytes, const struct h1_limits *limits)
{
	static struct h1_head head;
	struct h1_scan whole, bytewise;
	enum h1_problem problem;

	h1head_start(&whole, limits);
	problem = h1head_parse_request(&whole, bytes, &head) == H1_OK ? H1_PROBLEM_NONE
								      : head.problem;
	h1head_start(&bytewise, limits);
	for (size_t len = 0; len <= bytes.len; len++) {
		if (h1head_parse_request(&bytewise, span_first(bytes, len), &head) != H1_MORE)
			break;
	}
	CHECK_INT(head.problem, problem);
	return problem;
}

static void refuses_a_target_over_the_limit(void)
{
	CHECK_INT(problem_of(big_request(8192, 0), NULL), H1_PROBLEM_NONE);
	CHECK_INT(problem_of(big_request(8193, 0), NULL), H1_PROBLEM_TARGET_TOO_LONG);
	CHECK_INT(h1problem_status(H1_PROBLEM_TARGET_TOO_LONG), 414);
}

static void refuses_a_head_over_the_limit(void)
{
	const struct h1_limits largest = {UINT16_MAX, UINT16_MAX, H1_FIELDS_MAX};

	CHECK_INT(problem_of(big_request(1, 16384), NULL), H1_PROBLEM_NONE);
	CHECK_INT(problem_of(big_request(1, 16385), NULL), H1_PROBLEM_HEAD_TOO_LARGE);
	/* A buffer as large as the limit is full: nothing can be waited for. */
	CHECK_INT(problem_of(span_first(big_request(1, 16385), 16384), NULL),
		  H1_PROBLEM_HEAD_TOO_LARGE);
	CHECK_INT(problem_of(big_request(1, 65535), &largest), H1_PROBLEM_NONE);
	CHECK_INT(problem_of(big_request(1, 65536), &largest), H1_PROBLEM_HEAD_TOO_LARGE);
	CHECK_INT(problem_of(big_request(60000, 65535), &largest), H1_PROBLEM_NONE);
	CHECK_INT(h1problem_status(H1_PROBLEM_HEAD_TOO_LARGE), 431);
}

static void refuses_more_than_100_fields(void)
{
	for (int count = 99; count <= 101; count++) {
		struct buf b;

		BUF_INIT_ARRAY(&b, big);
		buf_add(&b, SPAN(GET));
		for (int i = 0; i < count; i++)
			buf_printf(&b, "X-%d: %d\r\n", i, i);
		buf_add(&b, SPAN("\r\n"));
		CHECK_INT(problem_of(buf_span(&b), NULL),
			  count <= 100 ? H1_PROBLEM_NONE : H1_PROBLEM_TOO_MANY_FIELDS);
	}
}

static void refuses_as_soon_as_it_is_certain(void)
{
	static const struct {
		struct span bytes; /* of which all but the last may be the start of a good one */
		enum h1_kind kind;
	} rows[] = {
		{TEXT("\x80"), H1_REQUEST},
		{TEXT("\n"), H1_REQUEST},
		{TEXT("\r\r"), H1_REQUEST},
		{TEXT("\x16\x03"), H1_REQUEST},
		{TEXT("GET /\n"), H1_REQUEST},
		{TEXT("GET / HTTQ"), H1_REQUEST},
		{TEXT("PRI * HTTP/2.0\r\n"), H1_REQUEST},
		{TEXT("GET http://u@a/ HTTP/1.1\r\n"), H1_REQUEST},
		{TEXT(GET " "), H1_REQUEST},
		{TEXT(GET HOST "X "), H1_REQUEST},
		{TEXT(GET HOST "X: y\0"), H1_REQUEST},
		{TEXT(GET HOST "X: y\r\n "), H1_REQUEST},
		{TEXT("S"), H1_RESPONSE},
		{TEXT("\x15\x03"), H1_RESPONSE},
		{TEXT("HTTP/1.1 6"), H1_RESPONSE},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		static struct h1_head head;
		struct h1_scan scan;
		struct span most = span_first(rows[i].bytes, rows[i].bytes.len - 1);

		h1head_start(&scan, NULL);
		if (rows[i].kind == H1_REQUEST) {
			CHECK_ROW(rows[i].bytes.ptr,
				  h1head_parse_request(&scan, most, &head) == H1_MORE);
			CHECK_ROW(rows[i].bytes.ptr,
				  h1head_parse_request(&scan, rows[i].bytes, &head) == H1_BAD);
			/* And so it stays. */
			CHECK(h1head_parse_request(&scan, rows[i].bytes, &head) == H1_BAD);
		} else {
			CHECK_ROW(rows[i].bytes.ptr,
				  h1head_parse_response(&scan, most, &head) == H1_MORE);
			CHECK_ROW(rows[i].bytes.ptr,
				  h1head_parse_response(&scan, rows[i].bytes, &head) == H1_BAD);
		}
		CHECK(head.problem_at < rows[i].bytes.len);
	}
}

static void ignores_up_to_two_empty_lines_before_the_request_line(void)
{
	CHECK_INT(h1ways_request(SPAN("\r\n" GET HOST "\r\n"))->complete, 1);
	CHECK_INT(h1ways_request(SPAN("\r\n\r\n" GET HOST "\r\n"))->complete, 1);
}

static void reads_a_request_line_and_fields(void)
{
	struct span bytes = SPAN(
		"POST /a?b=%20&c HTTP/1.1\r\nHost:a\r\nX-Empty:\r\nX-Blank: \t \r\n"
		"Accept: \t text/html, */* \t\r\nX-Obs: \x85"
		"admin\xa0\r\n\r\n");
	const struct h1reader *r = h1ways_request(bytes);
	const struct h1_head *h = &r->head;

	CHECK_INT(r->complete, 1);
	CHECK_INT(h->method, H1_METHOD_POST);
	CHECK_INT(h->version_minor, 1);
	CHECK_INT(h->target_form, H1_TARGET_ORIGIN);
	CHECK_SPAN(h1head_text(bytes.ptr, h->target), "/a?b=%20&c");
	CHECK_SPAN(h1head_text(bytes.ptr, h->path), "/a?b=%20&c");
	CHECK_INT(h->field_count, 5);
	CHECK_INT(h->head_len, bytes.len);
	CHECK_SPAN(h1head_field_name(bytes.ptr, &h->fields[0]), "Host");
	CHECK_SPAN(h1head_field_value(bytes.ptr, &h->fields[0]), "a");
	CHECK_SPAN(h1head_field_value(bytes.ptr, &h->fields[1]), "");
	CHECK_SPAN(h1head_field_value(bytes.ptr, &h->fields[2]), "");
	CHECK_SPAN(h1head_field_value(bytes.ptr, &h->fields[3]), "text/html, */*");
	CHECK_SPAN(h1head_field_value(bytes.ptr, &h->fields[4]), "\x85"
								 "admin\xa0");
	CHECK(h1head_find(h, bytes.ptr, SPAN("x-blank")) == &h->fields[2]);
	CHECK(h1head_find(h, bytes.ptr, SPAN("x-none")) == NULL);
}

static void knows_the_methods_by_exact_name(void)
{
	static const struct {
		struct span bytes;
		enum h1_method method;
	} rows[] = {
		{TEXT("GET / HTTP/1.1\r\n\r\n"), H1_METHOD_GET},
		{TEXT("HEAD / HTTP/1.1\r\n\r\n"), H1_METHOD_HEAD},
		{TEXT("PATCH / HTTP/1.1\r\n\r\n"), H1_METHOD_PATCH},
		{TEXT("PUT / HTTP/1.1\r\n\r\n"), H1_METHOD_PUT},
		{TEXT("DELETE / HTTP/1.1\r\n\r\n"), H1_METHOD_DELETE},
		{TEXT("OPTIONS / HTTP/1.1\r\n\r\n"), H1_METHOD_OPTIONS},
		{TEXT("TRACE / HTTP/1.1\r\n\r\n"), H1_METHOD_TRACE},
		{TEXT("CONNECT a:1 HTTP/1.1\r\n\r\n"), H1_METHOD_CONNECT},
		{TEXT("get / HTTP/1.1\r\n\r\n"), H1_METHOD_OTHER},
		{TEXT("GETS / HTTP/1.1\r\n\r\n"), H1_METHOD_OTHER},
		{TEXT("!#$%&'*+-.^_`|~9 / HTTP/1.1\r\n\r\n"), H1_METHOD_OTHER},
		{TEXT("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / HTTP/1.1\r\n\r\n"), H1_METHOD_OTHER},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		static struct h1_head head;
		struct h1_scan scan;

		h1head_start(&scan, NULL);
		CHECK_ROW(rows[i].bytes.ptr,
			  h1head_parse_request(&scan, rows[i].bytes, &head) == H1_OK);
		CHECK_ROW(rows[i].bytes.ptr, head.method == rows[i].method);
	}
	CHECK_TEXT(h1head_method_name(H1_METHOD_DELETE), "DELETE");
	CHECK_TEXT(h1head_method_name(H1_METHOD_OTHER), "other");
	CHECK(h1head_method_is_idempotent(H1_METHOD_PUT));
	CHECK(!h1head_method_is_idempotent(H1_METHOD_POST));
	CHECK(!h1head_method_is_idempotent(H1_METHOD_PATCH));
	CHECK(!h1head_method_is_idempotent(H1_METHOD_OTHER));
}

static void reads_a_status_line_with_and_without_reason(void)
{
	static const struct {
		struct span bytes;
		unsigned status;
		const char *reason;
	} rows[] = {
		{TEXT("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), 200, "OK"},
		{TEXT("HTTP/1.0 404 Not \t F\xf6und\r\nContent-Length: 0\r\n\r\n"), 404,
		 "Not \t F\xf6und"},
		{TEXT("HTTP/1.1 599 \r\nContent-Length: 0\r\n\r\n"), 599, ""},
		{TEXT("HTTP/1.1 100\r\n\r\n"), 100, ""},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct h1reader *r = h1ways_response(rows[i].bytes);

		CHECK_INT(r->complete, 1);
		CHECK_INT(r->head.status, rows[i].status);
		CHECK_SPAN(h1head_text(rows[i].bytes.ptr, r->head.reason), rows[i].reason);
	}
}

static void marks_folded_values_of_responses(void)
{
	struct span bytes = SPAN(OK "X:\r\n  a\r\n\tb \r\n c  \r\nY: d\r\nX: e\r\n f\r\n"
				    "Date: 1\r\n 2\r\nContent-Length: 0\r\n\r\n");
	const struct h1reader *r = h1ways_response(bytes);
	const struct h1_head *h = &r->head;

	CHECK_INT(r->complete, 1);
	CHECK_INT(h->field_count, 5);
	CHECK_SPAN(h1head_field_value(bytes.ptr, &h->fields[0]), "a\r\n\tb \r\n c");
	CHECK(h->fields[0].is_folded);
	CHECK(!h->fields[1].is_folded);
	CHECK_SPAN(h1head_field_value(bytes.ptr, &h->fields[2]), "e\r\n f");
	CHECK(h1head_first(h, H1_FIELD_DATE) == &h->fields[3]);
	CHECK(!h1head_is_repeated(h, H1_FIELD_DATE));
	CHECK(h->folded >> H1_FIELD_DATE & 1);
}

static void remembers_known_fields(void)
{
	struct span bytes = SPAN(GET
				 "hOST: a\r\nVia: 1.1 x\r\nx-b3-TraceId: 1\r\nvia: 1.0 y\r\n\r\n");
	const struct h1reader *r = h1ways_request(bytes);
	const struct h1_head *h = &r->head;

	CHECK(h1head_has(h, H1_FIELD_HOST));
	CHECK(!h1head_has(h, H1_FIELD_DATE));
	CHECK(h1head_first(h, H1_FIELD_DATE) == NULL);
	CHECK(h1head_first(h, H1_FIELD_VIA) == &h->fields[1]);
	CHECK(h1head_is_repeated(h, H1_FIELD_VIA));
	CHECK(!h1head_is_repeated(h, H1_FIELD_HOST));
	CHECK_INT(h->fields[2].id, H1_FIELD_INTERNAL);
}

static void leaves_what_follows_the_head(void)
{
	struct span bytes = SPAN(GET HOST "\r\nGET /next");
	static struct h1_head head;
	struct h1_scan scan;

	h1head_start(&scan, NULL);
	CHECK_INT(h1head_parse_request(&scan, bytes, &head), H1_OK);
	CHECK_SPAN(span_from(bytes, head.head_len), "GET /next");
	CHECK_INT(h1head_parse_request(&scan, bytes, &head), H1_OK);
}

UNIT_TESTS(TEST(refuses_tls_where_http_belongs), TEST(refuses_more_than_two_empty_lines),
	   TEST(refuses_bare_cr), TEST(refuses_bare_lf_as_line_end),
	   TEST(refuses_a_method_that_is_no_token), TEST(refuses_a_method_over_32_bytes),
	   TEST(refuses_a_target_with_other_bytes_than_visible_ascii),
	   TEST(refuses_a_target_form_the_method_does_not_have),
	   TEST(refuses_a_scheme_that_is_not_http), TEST(refuses_user_information_in_the_target),
	   TEST(refuses_a_malformed_version), TEST(refuses_http_0_9),
	   TEST(refuses_other_versions_than_1_0_and_1_1), TEST(refuses_the_http_2_preface),
	   TEST(refuses_a_status_that_is_not_100_to_599), TEST(refuses_controls_in_the_reason),
	   TEST(refuses_white_space_before_the_first_field), TEST(refuses_an_empty_field_name),
	   TEST(refuses_a_field_name_that_is_no_token), TEST(refuses_white_space_before_the_colon),
	   TEST(refuses_a_field_line_without_colon), TEST(refuses_controls_in_a_value),
	   TEST(refuses_folds_in_requests_and_blank_ones_anywhere),
	   TEST(refuses_a_target_over_the_limit), TEST(refuses_a_head_over_the_limit),
	   TEST(refuses_more_than_100_fields), TEST(refuses_as_soon_as_it_is_certain),
	   TEST(ignores_up_to_two_empty_lines_before_the_request_line),
	   TEST(reads_a_request_line_and_fields), TEST(knows_the_methods_by_exact_name),
	   TEST(reads_a_status_line_with_and_without_reason),
	   TEST(marks_folded_values_of_responses), TEST(remembers_known_fields),
	   TEST(leaves_what_follows_the_head))
