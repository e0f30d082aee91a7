#include "h1ways.h"

#define TEXT(literal)                                                                              \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}
#define HEAD "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
#define BODY(problem, literal)                                                                     \
	{                                                                                          \
		H1_PROBLEM_##problem, H1_REQUEST, TEXT(HEAD literal)                               \
	}

static const struct h1ways_refusal refusals[] = {
	BODY(CHUNK_SIZE_INVALID, "\r\n0\r\n\r\n"),
	BODY(CHUNK_SIZE_INVALID, "0_2e\r\n\r\n"),
	BODY(CHUNK_SIZE_INVALID, "0x0\r\n\r\n"),
	BODY(CHUNK_SIZE_INVALID, "-0x0\r\n\r\n"),
	BODY(CHUNK_SIZE_INVALID, "+5\r\nhello\r\n0\r\n\r\n"),
	BODY(CHUNK_SIZE_INVALID, "-5\r\nhello\r\n0\r\n\r\n"),
	BODY(CHUNK_SIZE_INVALID, " 0\r\n\r\n"),
	BODY(CHUNK_SIZE_INVALID, ";a\r\n\r\n"),
	BODY(CHUNK_SIZE_INVALID, "Z\r\nZZ\r\n"),
	BODY(CHUNK_SIZE_INVALID, "1these-bytes-never-get-validated\r\nZ\r\n0\r\n\r\n"),
	BODY(CHUNK_SIZE_INVALID, "1\xa0\r\nZ\r\n0\r\n\r\n"),
	BODY(CHUNK_SIZE_INVALID, "5\r\nhello\r\n\r\n0\r\n\r\n"),
	BODY(CHUNK_SIZE_TOO_LARGE, "00000000000005\r\nhello\r\n0\r\n\r\n"),
	BODY(CHUNK_SIZE_TOO_LARGE, "fffffffffffffffff\r\n"),
	BODY(CHUNK_EXT_INVALID, "5 5\r\nhello\r\n0\r\n\r\n"),
	BODY(CHUNK_EXT_INVALID, "5;a=\0\r\nhello\r\n0\r\n\r\n"),
	BODY(CHUNK_EXT_INVALID, "5;a=\"\x7f\"\r\nhello\r\n0\r\n\r\n"),
	BODY(CHUNK_LINE_END, "5\nhello\r\n0\r\n\r\n"),
	BODY(CHUNK_LINE_END, "1\r0\n"),
	BODY(CHUNK_LINE_END, "5\r\r;ABCD\r\n34\r\nE\r\n0\r\n\r\n"),
	BODY(CHUNK_LINE_END, "5;a\nhello\r\n0\r\n\r\n"),
	BODY(CHUNK_LINE_END, "5;a=b\r\rXXXXX\r\n0\r\n\r\n"),
	BODY(CHUNK_LINE_END, "5 \r\nhello\r\n0\r\n\r\n"),
	BODY(CHUNK_DATA_END, "5\r\nhello0\r\n\r\n"),
	BODY(CHUNK_DATA_END, "5\r\nhello\n0\r\n\r\n"),
	BODY(CHUNK_DATA_END, "5\r\nhello\r0\r\n\r\n"),
	BODY(CHUNK_DATA_END, "5\r\nhello;\r\n0\r\n\r\n"),
	BODY(TRAILER_INVALID, "0\r\n\n"),
	BODY(TRAILER_INVALID, "0\r\n\r\r"),
	BODY(TRAILER_INVALID, "0\r\nXXPOST / HTTP/1.1\r\n\r\n"),
	BODY(TRAILER_INVALID, "0\r\nX\r\n\r\n"),
	BODY(TRAILER_INVALID, "0\r\n: a\r\n\r\n"),
	BODY(TRAILER_INVALID, "0\r\nX : a\r\n\r\n"),
	BODY(TRAILER_INVALID, "0\r\n X: a\r\n\r\n"),
	BODY(TRAILER_INVALID, "0\r\nX: a\r\n b\r\n\r\n"),
	BODY(TRAILER_INVALID, "0\r\nX: a\nY: b\r\n\r\n"),
	BODY(TRAILER_INVALID, "0\r\nX: a\rb\r\n\r\n"),
	BODY(TRAILER_INVALID, "0\r\nX: a\0\r\n\r\n"),
	BODY(TRAILER_REQUEST, "0\r\nX:POST / HTTP/1.1\r\n\r\n"),
	BODY(TRAILER_REQUEST, "0\r\nX:GET / HTTP/1.1 \t\r\n\r\n"),
	BODY(TRAILER_REQUEST, "0\r\nX:GET / HTTP/1.1 HTTP/1.1\r\n\r\n"),
	BODY(TRAILER_REQUEST, "0\r\nX:GET /  HTTP/1.1\r\n\r\n"),
	BODY(TRAILER_REQUEST, "0\r\nX: HTTP/1.GET / HTTP/1.0\r\n\r\n"),
};

#define REFUSES(name, member)                                                                      \
	static void refuses_##name(void)                                                           \
	{                                                                                          \
		h1ways_check_refusals(refusals, sizeof refusals / sizeof refusals[0],              \
				      H1_PROBLEM_##member);                                        \
	}

REFUSES(a_chunk_size_that_is_not_hexadecimal, CHUNK_SIZE_INVALID)
REFUSES(a_chunk_size_over_13_digits, CHUNK_SIZE_TOO_LARGE)
REFUSES(a_malformed_chunk_extension, CHUNK_EXT_INVALID)
REFUSES(chunk_lines_without_crlf, CHUNK_LINE_END)
REFUSES(chunk_data_without_crlf_behind, CHUNK_DATA_END)
REFUSES(malformed_trailers, TRAILER_INVALID)
REFUSES(trailers_that_read_like_a_request, TRAILER_REQUEST)

/* Decodes in pieces of `step` bytes; the data and the trailers as text. */
static enum h1_body_event decode(struct h1_body *b, struct span bytes, size_t step,
				 struct buf *data, struct span *rest)
{
	enum h1_body_event event = H1_BODY_MORE;
	struct span piece;

	for (size_t at = 0; at < bytes.len && event == H1_BODY_MORE; at += step) {
		struct span input = span_first(span_from(bytes, at), step);

		while ((event = h1body_next(b, &input, &piece)) == H1_BODY_DATA)
			buf_add(data, piece);
		*rest = span_from(bytes, (size_t)(input.ptr - bytes.ptr));
	}
	return event;
}

static void decodes_chunks_and_drops_extensions(void)
{
	static const struct {
		struct span bytes;
		const char *data, *rest;
	} rows[] = {
		{TEXT("0\r\n\r\nGET"), "", "GET"},
		{TEXT("000\r\n\r\n"), "", ""},
		{TEXT("5\r\nhello\r\n0\r\n\r\nx"), "hello", "x"},
		{TEXT("1\r\na\r\n0000000000002\r\nbc\r\n0\r\n\r\n"), "abc", ""},
		{TEXT("A;a=b;c=\"d;\\\"e\"\r\n0123\r\n6789\r\n0;last\r\n\r\n"), "0123\r\n6789", ""},
		{TEXT("1 \t ; x\r\na\r\n0\r\n\r\n"), "a", ""},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (size_t step = 1; step <= rows[i].bytes.len; step++) {
			char storage[64];
			struct buf data;
			struct h1_body b;
			struct span rest;

			BUF_INIT_ARRAY(&data, storage);
			h1body_start(&b, H1_BODY_CHUNKED, 0, NULL);
			CHECK(!h1body_is_complete_at_eof(&b));
			CHECK_ROW(rows[i].bytes.ptr,
				  decode(&b, rows[i].bytes, step, &data, &rest) == H1_BODY_END);
			CHECK_SPAN(buf_span(&data), rows[i].data);
			CHECK_SPAN(rest, rows[i].rest);
			CHECK_INT(b.data_bytes, data.len);
			CHECK(h1body_is_complete_at_eof(&b));
		}
	}
}

static void accepts_the_largest_chunk(void)
{
	struct h1_body b;
	struct span input = SPAN("fffffffffffff\r\nab");
	struct span piece;

	h1body_start(&b, H1_BODY_CHUNKED, 0, NULL);
	CHECK_INT(h1body_next(&b, &input, &piece), H1_BODY_DATA);
	CHECK_SPAN(piece, "ab");
	CHECK(b.left == (UINT64_C(1) << 52) - 3);
}

/* The problem of a body with `count` times `unit` in it. */
static enum h1_problem problem_of(const char *before, const char *unit, size_t count,
				  const char *behind, struct buf *trailers)
{
	const char *parts[] = {before, unit, behind};
	struct h1_body b;

	h1body_start(&b, H1_BODY_CHUNKED, 0, trailers);
	for (size_t part = 0; part < 3; part++) {
		for (size_t i = 0; i < (part == 1 ? count : 1); i++) {
			struct span input = span_from_cstr(parts[part]);
			struct span piece;

			while (h1body_next(&b, &input, &piece) == H1_BODY_DATA)
				continue;
		}
	}
	CHECK(b.problem != H1_PROBLEM_NONE || h1body_is_complete_at_eof(&b));
	return b.problem;
}

static void refuses_too_long_chunk_extensions(void)
{
	/*
	 * One long one, and many short ones: the ";" does not count in the first, which is one
	 * line.
	 */
	CHECK_INT(problem_of("0;", "x", H1_CHUNK_EXT_MAX, "\r\n\r\n", NULL), H1_PROBLEM_NONE);
	CHECK_INT(problem_of("0;", "x", H1_CHUNK_EXT_MAX + 1, "\r\n\r\n", NULL),
		  H1_PROBLEM_CHUNK_EXT_TOO_LARGE);
	CHECK_INT(problem_of("", "1;abcd\r\nZ\r\n", H1_CHUNK_EXT_MAX / 4, "0\r\n\r\n", NULL),
		  H1_PROBLEM_NONE);
	CHECK_INT(problem_of("", "1;abcd\r\nZ\r\n", H1_CHUNK_EXT_MAX / 4 + 1, "0\r\n\r\n", NULL),
		  H1_PROBLEM_CHUNK_EXT_TOO_LARGE);
	CHECK_INT(problem_of("0", " ", H1_CHUNK_EXT_MAX + 1, ";\r\n\r\n", NULL),
		  H1_PROBLEM_CHUNK_EXT_TOO_LARGE);
}

static void refuses_too_large_trailers(void)
{
	static char storage[H1_TRAILERS_MAX + 1];
	struct buf trailers;

	/* 8192 bytes with the last CRLF: 910 lines of nine bytes, and two */
	CHECK_INT(problem_of("0\r\n", "X: abcd\r\n", 910, "\r\n", NULL), H1_PROBLEM_NONE);
	CHECK_INT(problem_of("0\r\n", "X: abcd\r\n", 911, "\r\n", NULL),
		  H1_PROBLEM_TRAILERS_TOO_LARGE);
	BUF_INIT_ARRAY(&trailers, storage);
	CHECK_INT(problem_of("0\r\n", "X: abcd\r\n", 910, "\r\n", &trailers), H1_PROBLEM_NONE);
	CHECK_INT(trailers.len, 910 * 9);
	/* The caller's room may be less. */
	buf_init(&trailers, storage, 18);
	CHECK_INT(problem_of("0\r\n", "X: abcd\r\n", 1, "\r\n", &trailers), H1_PROBLEM_NONE);
	buf_init(&trailers, storage, 18);
	CHECK_INT(problem_of("0\r\n", "X: abcd\r\n", 2, "\r\n", &trailers),
		  H1_PROBLEM_TRAILERS_TOO_LARGE);
}

static void keeps_trailers_that_may_be_forwarded(void)
{
	struct span bytes = SPAN(
		"0\r\nX-Sum:\t 1 2 \t\r\nHost: evil\r\nContent-Length: 5\r\n"
		"transfer-encoding: chunked\r\nAuthorization: x\r\nConnection: y\r\n"
		"X-Envoy-Foo: 1\r\nTrailer: z\r\nSet-Cookie: a=b\r\n"
		"X-Empty:\r\nLast: a HTTP/1.1 x\r\n\r\n");
	static char with[1024];
	struct buf trailers;

	for (size_t step = 1; step <= bytes.len; step++) {
		char storage[8];
		struct buf data;
		struct h1_body b;
		struct span rest;

		BUF_INIT_ARRAY(&trailers, with);
		BUF_INIT_ARRAY(&data, storage);
		h1body_start(&b, H1_BODY_CHUNKED, 0, &trailers);
		CHECK_INT(decode(&b, bytes, step, &data, &rest), H1_BODY_END);
		CHECK_SPAN(buf_span(&trailers),
			   "X-Sum: 1 2\r\nX-Empty: \r\nLast: a HTTP/1.1 x\r\n");
	}
}

static void stays_bad_and_stays_complete(void)
{
	struct h1_body b;
	struct span input = SPAN("Z");
	struct span piece;

	h1body_start(&b, H1_BODY_CHUNKED, 0, NULL);
	CHECK_INT(h1body_next(&b, &input, &piece), H1_BODY_BAD);
	input = SPAN("0\r\n\r\n");
	CHECK_INT(h1body_next(&b, &input, &piece), H1_BODY_BAD);
	CHECK(!h1body_is_complete_at_eof(&b));
	h1body_start(&b, H1_BODY_NONE, 0, NULL);
	CHECK_INT(h1body_next(&b, &input, &piece), H1_BODY_END);
	CHECK_INT(input.len, 5);
}

static void counts_bodies_with_a_length(void)
{
	struct h1_body b;
	struct span input = SPAN("hello, next");
	struct span piece;

	h1body_start(&b, H1_BODY_LENGTH, 7, NULL);
	CHECK(h1body_passable(&b) == 7);
	h1body_pass(&b, 2);
	CHECK(h1body_passable(&b) == 5);
	CHECK_INT(h1body_next(&b, &input, &piece), H1_BODY_DATA);
	CHECK_SPAN(piece, "hello");
	CHECK_SPAN(input, ", next");
	CHECK_INT(h1body_next(&b, &input, &piece), H1_BODY_END);
	CHECK_INT(b.data_bytes, 7);
	CHECK(h1body_passable(&b) == 0);

	h1body_start(&b, H1_BODY_LENGTH, 2, NULL);
	h1body_pass(&b, 1);
	CHECK(!h1body_is_complete_at_eof(&b));
	h1body_pass(&b, 1);
	CHECK(h1body_is_complete_at_eof(&b));
	h1body_start(&b, H1_BODY_LENGTH, 0, NULL);
	CHECK(h1body_is_complete_at_eof(&b));
	h1body_start(&b, H1_BODY_CHUNKED, 0, NULL);
	CHECK(h1body_passable(&b) == 0);
}

static void bodies_until_close_end_there(void)
{
	struct h1_body b;
	struct span input = SPAN("hello");
	struct span piece;

	h1body_start(&b, H1_BODY_UNTIL_CLOSE, 0, NULL);
	CHECK_INT(h1body_next(&b, &input, &piece), H1_BODY_DATA);
	CHECK_SPAN(piece, "hello");
	CHECK_INT(h1body_next(&b, &input, &piece), H1_BODY_MORE);
	CHECK(h1body_passable(&b) == UINT64_MAX);
	h1body_pass(&b, 3);
	CHECK_INT(b.data_bytes, 8);
	CHECK(h1body_is_complete_at_eof(&b));
}

/* The anomalies: tests/data/anomalies says what is expected, and where that comes from. */

struct anomaly {
	char name[64], status[32];
	char bytes[4096];
	size_t len;
};

static FILE *open_anomalies(const char *folder)
{
	char path[256];
	FILE *index;

	snprintf(path, sizeof path, "tests/data/anomalies/%s/index.txt", folder);
	index = fopen(path, "r");
	if (index == NULL)
		unit_fail(__FILE__, __LINE__, "%s: not found; tests run at the top of the tree",
			  path);
	return index;
}

static bool next_anomaly(FILE *index, const char *folder, struct anomaly *a)
{
	char line[512], path[256];
	FILE *f;

	do {
		if (fgets(line, sizeof line, index) == NULL)
			return false;
	} while (line[0] == '#' || line[0] == '\n');
	CHECK_ROW(line, sscanf(line, "%63s %31s", a->name, a->status) == 2);
	snprintf(path, sizeof path, "tests/data/anomalies/%s/%s.raw", folder, a->name);
	f = fopen(path, "rb");
	CHECK_ROW(path, f != NULL);
	a->len = fread(a->bytes, 1, sizeof a->bytes, f);
	fclose(f);
	CHECK_ROW(path, a->len < sizeof a->bytes);
	return true;
}

/* `actual` is one of the alternatives that `expected` lists with "|". */
static bool is_listed(const char *expected, const char *actual)
{
	struct span rest = span_from_cstr(expected);
	struct span one;

	while (span_split(&rest, '|', &one)) {
		if (span_eq(one, span_from_cstr(actual)))
			return true;
	}
	return false;
}

/* The answers a client would get to what was read, as the index writes them. */
static void answers_of(const struct h1reader *r, char *text, size_t size)
{
	struct buf b;

	buf_init(&b, text, size);
	for (unsigned i = 0; i < r->complete; i++)
		buf_add_cstr(&b, i > 0 ? ",200" : "200");
	if (r->problem != H1_PROBLEM_NONE)
		buf_printf(&b, "%s%u", b.len > 0 ? "," : "", h1problem_status(r->problem));
}

static void answers_every_anomalous_request_as_listed(void)
{
	static struct anomaly a;
	FILE *index = open_anomalies("requests");
	size_t count = 0;

	while (next_anomaly(index, "requests", &a)) {
		char answers[64];

		answers_of(h1ways_request(span_of(a.bytes, a.len)), answers, sizeof answers);
		if (!is_listed(a.status, answers))
			unit_fail(__FILE__, __LINE__, "%s gets \"%s\", expected \"%s\"", a.name,
				  answers, a.status);
		count++;
	}
	fclose(index);
	CHECK(count > 100);
}

static void answers_them_the_same_behind_a_good_request(void)
{
	static struct anomaly a;
	static char together[8192];
	FILE *index = open_anomalies("requests");
	struct span good = SPAN("GET /good HTTP/1.1\r\nHost: a\r\n\r\n");

	while (next_anomaly(index, "requests", &a)) {
		const struct h1reader *r;
		char answers[64];

		memcpy(together, good.ptr, good.len);
		memcpy(together + good.len, a.bytes, a.len);
		r = h1ways_request(span_of(together, good.len + a.len));
		answers_of(r, answers, sizeof answers);
		if (strncmp(answers, "200,", 4) != 0 || !is_listed(a.status, answers + 4))
			unit_fail(__FILE__, __LINE__, "%s gets \"%s\", expected \"200,%s\"", a.name,
				  answers, a.status);
	}
	fclose(index);
}

static void treats_every_anomalous_response_as_listed(void)
{
	static struct anomaly a;
	FILE *index = open_anomalies("responses");
	size_t count = 0;

	while (next_anomaly(index, "responses", &a)) {
		const struct h1reader *r = h1ways_response(span_of(a.bytes, a.len));
		char answer[16] = "502";

		/* That nobody asked for it is not to be seen in the response itself. */
		if (strcmp(a.name, "switching-unasked") == 0)
			continue;
		if (r->complete > 0 || (r->in_body && h1body_is_complete_at_eof(&r->body)))
			snprintf(answer, sizeof answer, "%u", r->head.status);
		else if (r->in_body)
			snprintf(answer, sizeof answer, "cut");
		if (!is_listed(a.status, answer))
			unit_fail(__FILE__, __LINE__, "%s becomes \"%s\" (%s), expected \"%s\"",
				  a.name, answer, h1problem_name(r->problem), a.status);
		count++;
	}
	fclose(index);
	CHECK(count > 80);
}

UNIT_TESTS(TEST(refuses_a_chunk_size_that_is_not_hexadecimal),
	   TEST(refuses_a_chunk_size_over_13_digits), TEST(refuses_a_malformed_chunk_extension),
	   TEST(refuses_chunk_lines_without_crlf), TEST(refuses_chunk_data_without_crlf_behind),
	   TEST(refuses_malformed_trailers), TEST(refuses_trailers_that_read_like_a_request),
	   TEST(decodes_chunks_and_drops_extensions), TEST(accepts_the_largest_chunk),
	   TEST(refuses_too_long_chunk_extensions), TEST(refuses_too_large_trailers),
	   TEST(keeps_trailers_that_may_be_forwarded), TEST(stays_bad_and_stays_complete),
	   TEST(counts_bodies_with_a_length), TEST(bodies_until_close_end_there),
	   TEST(answers_every_anomalous_request_as_listed),
	   TEST(answers_them_the_same_behind_a_good_request),
	   TEST(treats_every_anomalous_response_as_listed))
