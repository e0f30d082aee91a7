#include "../unit.h"
#include "http/h1body.h"
#include "http/h1write.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define DATE "Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n"

static struct h1_head head;
static struct h1_framing framing;
static char out_bytes[65536];
static struct buf out;

static void read_request(const char *text)
{
	struct h1_scan scan;
	enum h1_problem problem;

	h1head_start(&scan, NULL);
	CHECK_ROW(text, h1head_parse_request(&scan, span_from_cstr(text), &head) == H1_OK);
	CHECK_ROW(text, h1frame_request(&head, text, &framing, &problem));
}

static const char *request_with(const char *text, const struct h1_request_rewrite *rewrite)
{
	read_request(text);
	BUF_INIT_ARRAY(&out, out_bytes);
	CHECK_ROW(text, h1write_request(&head, text, &framing, rewrite, &out));
	return buf_cstr(&out);
}

/* As regenerated for the host "b", without Via. */
static const char *request(const char *text)
{
	return request_with(text, &(struct h1_request_rewrite){.host = SPAN("b")});
}

static const char *response_with(const char *text, enum h1_method method,
				 struct h1_response_rewrite rewrite)
{
	struct h1_scan scan;
	enum h1_problem problem;

	h1head_start(&scan, NULL);
	CHECK_ROW(text, h1head_parse_response(&scan, span_from_cstr(text), &head) == H1_OK);
	CHECK_ROW(text, h1frame_response(&head, text, method, &framing, &problem));
	rewrite.body = rewrite.body != H1_BODY_NONE ? rewrite.body : framing.body;
	rewrite.length = rewrite.length != 0 ? rewrite.length : framing.length;
	rewrite.is_head = method == H1_METHOD_HEAD;
	BUF_INIT_ARRAY(&out, out_bytes);
	CHECK_ROW(text, h1write_response(&head, text, &rewrite, &out));
	return buf_cstr(&out);
}

static const char *response(const char *text)
{
	return response_with(text, H1_METHOD_GET, (struct h1_response_rewrite){.length = 0});
}

static void regenerates_a_request(void)
{
	CHECK_TEXT(request("POST /a%20b//../c?d=%2F&e HTTP/1.1\r\nUser-Agent:x \r\nHOST: a\r\n"
			   "X-B:\t1\r\nx-a: \x85 2\xa0\r\nX-B: 3\r\nContent-Length: 010\r\n\r\n"),
		   "POST /a%20b//../c?d=%2F&e HTTP/1.1\r\nHost: b\r\nUser-Agent: x\r\nX-B: 1\r\n"
		   "x-a: \x85 2\xa0\r\nX-B: 3\r\nContent-Length: 10\r\n\r\n");
	CHECK_TEXT(request("WEIRD / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"),
		   "WEIRD / HTTP/1.1\r\nHost: b\r\n\r\n");
	CHECK_TEXT(
		request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\nX: y\r\n\r\n"),
		"POST / HTTP/1.1\r\nHost: b\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n");
	CHECK_TEXT(request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
		   "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 0\r\n\r\n");
}

static void writes_the_target_in_the_form_an_origin_wants(void)
{
	static const char *const rows[][2] = {
		{"GET http://a/x?y HTTP/1.1\r\nHost: a\r\n\r\n", "GET /x?y HTTP/1.1\r\n"},
		{"GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\n"},
		{"GET http://a?y HTTP/1.1\r\nHost: a\r\n\r\n", "GET /?y HTTP/1.1\r\n"},
		{"GET //x HTTP/1.1\r\nHost: a\r\n\r\n", "GET //x HTTP/1.1\r\n"},
		{"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1\r\n"},
		{"OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1\r\n"},
		{"OPTIONS http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS / HTTP/1.1\r\n"},
		{"OPTIONS http://a?x HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS /?x HTTP/1.1\r\n"},
		{"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT b HTTP/1.1\r\n"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct span written = span_from_cstr(request(rows[i][0]));

		CHECK_ROW(rows[i][0], span_starts_with(written, span_from_cstr(rows[i][1])));
	}
}

static void removes_hop_by_hop_fields_even_when_not_nominated(void)
{
	CHECK_TEXT(
		request(GET
			"Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: gzip\r\n"
			"Upgrade: websocket\r\nProxy-Authorization: Basic x\r\n"
			"HTTP2-Settings: AAA\r\nTrailer: X\r\nConnection: close\r\nX: y\r\n\r\n"),
		"GET / HTTP/1.1\r\nHost: b\r\nX: y\r\n\r\n");
	CHECK_TEXT(response(OK
			    "Keep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nX: y\r\n"
			    "Connection: keep-alive\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n"),
		   OK "X: y\r\nContent-Length: 0\r\n\r\n");
}

static void removes_what_connection_nominates(void)
{
	CHECK_TEXT(request(GET "Connection: x-one, ,X-Two\r\nX-One: 1\r\nx-TWO: 2\r\nX-Three: 3\r\n"
			       "Connection: \"x-three\", foo\r\nFoo: 4\r\nFoo: 5\r\n\r\n"),
		   "GET / HTTP/1.1\r\nHost: b\r\nX-Three: 3\r\n\r\n");
}

static void ignores_nominations_of_end_to_end_fields(void)
{
	CHECK_TEXT(
		request("POST / HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\nCookie: y\r\n"
			"Content-Length: 3\r\nContent-Type: z\r\nVia: 1.1 v\r\n"
			"Connection: host, authorization, cookie, content-length, content-type, "
			"via\r\n\r\n"),
		"POST / HTTP/1.1\r\nHost: b\r\nAuthorization: x\r\nCookie: y\r\nContent-Type: z\r\n"
		"Via: 1.1 v\r\nContent-Length: 3\r\n\r\n");
}

static void removes_internal_fields_unless_asked_to_keep_them(void)
{
	static const char text[] = GET "x-envoy-attempt-count: 1\r\nX-Istio-Attributes: 2\r\n"
				       "X-B3-TraceId: 3\r\nb3: 4\r\ntraceparent: 5\r\n"
				       "X-Request-Id: 6\r\n\r\n";
	const struct h1_request_rewrite keep = {.host = SPAN("b"), .keep_internal = true};

	CHECK_TEXT(request(text),
		   "GET / HTTP/1.1\r\nHost: b\r\ntraceparent: 5\r\nX-Request-Id: 6\r\n\r\n");
	CHECK_TEXT(
		request_with(text, &keep),
		"GET / HTTP/1.1\r\nHost: b\r\nx-envoy-attempt-count: 1\r\nX-Istio-Attributes: 2\r\n"
		"X-B3-TraceId: 3\r\nb3: 4\r\ntraceparent: 5\r\nX-Request-Id: 6\r\n\r\n");
	CHECK_TEXT(response(OK "x-envoy-upstream-service-time: 1\r\nContent-Length: 0\r\n\r\n"),
		   OK "Content-Length: 0\r\n\r\n");
}

static void regenerates_te_and_upgrade(void)
{
	CHECK_TEXT(request(GET "TE: gzip, trailers\r\nConnection: TE\r\n\r\n"),
		   "GET / HTTP/1.1\r\nHost: b\r\nConnection: TE\r\nTE: trailers\r\n\r\n");
	CHECK_TEXT(request(GET "Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: x\r\n"
			       "Upgrade: h2c, websocket,foo/2\r\n\r\n"),
		   "GET / HTTP/1.1\r\nHost: b\r\nConnection: upgrade\r\nUpgrade: websocket,"
		   "foo/2\r\n\r\n");
	CHECK_TEXT(request(GET "Connection: upgrade, te\r\nTE: trailers\r\nUpgrade: x\r\n\r\n"),
		   "GET / HTTP/1.1\r\nHost: b\r\nConnection: TE, upgrade\r\nTE: trailers\r\n"
		   "Upgrade: x\r\n\r\n");
	CHECK_TEXT(request(GET "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n"),
		   "GET / HTTP/1.1\r\nHost: b\r\n\r\n");
}

static void adds_via_with_the_version_received(void)
{
	const struct h1_request_rewrite rewrite = {.host = SPAN("b"), .via = SPAN("egressbox")};

	CHECK_TEXT(
		request_with(GET "Via: 1.0 fred\r\nX: y\r\n\r\n", &rewrite),
		"GET / HTTP/1.1\r\nHost: b\r\nVia: 1.0 fred\r\nX: y\r\nVia: 1.1 egressbox\r\n\r\n");
	CHECK_TEXT(request_with("GET / HTTP/1.0\r\nHost: a\r\n\r\n", &rewrite),
		   "GET / HTTP/1.1\r\nHost: b\r\nVia: 1.0 egressbox\r\n\r\n");
}

static void counts_max_forwards_down_for_trace_and_options(void)
{
	CHECK_TEXT(request("OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 010\r\n\r\n"),
		   "OPTIONS / HTTP/1.1\r\nHost: b\r\nMax-Forwards: 9\r\n\r\n");
	CHECK_TEXT(request("TRACE / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 1\r\n\r\n"),
		   "TRACE / HTTP/1.1\r\nHost: b\r\nMax-Forwards: 0\r\n\r\n");
	CHECK_TEXT(request(GET "Max-Forwards: 7\r\n\r\n"),
		   "GET / HTTP/1.1\r\nHost: b\r\nMax-Forwards: 7\r\n\r\n");
}

static void forwards_expect_only_from_1_1_with_a_body(void)
{
	CHECK_TEXT(
		request("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: "
			"1\r\n\r\n"),
		"PUT / HTTP/1.1\r\nHost: b\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
	CHECK_TEXT(request("PUT / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: "
			   "1\r\n\r\n"),
		   "PUT / HTTP/1.1\r\nHost: b\r\nContent-Length: 1\r\n\r\n");
	CHECK_TEXT(request(GET "Expect: 100-continue\r\n\r\n"),
		   "GET / HTTP/1.1\r\nHost: b\r\n\r\n");
}

static void announces_trailers_only_when_they_are_forwarded(void)
{
	static const char chunked[] = GET "Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n";
	const struct h1_request_rewrite keep = {.host = SPAN("b"), .keep_trailers = true};

	CHECK_TEXT(request(chunked),
		   "GET / HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n");
	CHECK_TEXT(request_with(chunked, &keep), "GET / HTTP/1.1\r\nHost: b\r\nTrailer: "
						 "X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n");
	CHECK_TEXT(request_with(GET "Trailer: X\r\n\r\n", &keep),
		   "GET / HTTP/1.1\r\nHost: b\r\n\r\n");
}

static void refuses_texts_with_line_ends(void)
{
	static const struct h1_request_rewrite rewrites[] = {
		{.host = {"b\r\nX: y", 7}},
		{.host = {"b\n", 2}},
		{.host = {"b\0", 2}},
		{.host = {"", 0}},
		{.host = {"b", 1}, .via = {"x\ry", 3}},
	};
	struct h1_response_rewrite dated = {.date = SPAN("x\r\nSet-Cookie: y")};
	struct h1_error_reply named = {.extra_name = SPAN("X:"), .extra_value = SPAN("y")};
	struct h1_error_reply valued = {.extra_name = SPAN("X"), .extra_value = SPAN("y\r\nZ: 1")};

	read_request(GET "\r\n");
	for (size_t i = 0; i < sizeof rewrites / sizeof rewrites[0]; i++) {
		BUF_INIT_ARRAY(&out, out_bytes);
		CHECK(!h1write_request(&head, GET "\r\n", &framing, &rewrites[i], &out));
		CHECK_INT(out.len, 0);
	}
	CHECK(!h1write_response(&head, GET "\r\n", &dated, &out));
	CHECK(!h1write_error(400, &named, &out));
	CHECK(!h1write_error(400, &valued, &out));
	CHECK_INT(out.len, 0);
}

static void says_when_the_result_does_not_fit(void)
{
	const struct h1_request_rewrite rewrite = {.host = SPAN("b")};
	static const char expected[] = "GET / HTTP/1.1\r\nHost: b\r\n\r\n";

	read_request(GET "\r\n");
	for (size_t room = 1; room <= sizeof expected; room++) {
		buf_init(&out, out_bytes, room);
		CHECK_INT(h1write_request(&head, GET "\r\n", &framing, &rewrite, &out),
			  room == sizeof expected);
		CHECK_INT(out.truncated, room < sizeof expected);
	}
}

static void regenerates_a_response(void)
{
	CHECK_TEXT(
		response("HTTP/1.0 299 So \xfc\t so\r\nSet-Cookie:a=b\r\nSet-Cookie: c=d\r\n"
			 "Server:  x y \r\nContent-Length: 03\r\n\r\n"),
		"HTTP/1.1 299 So \xfc\t so\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nServer: x y\r\n"
		"Content-Length: 3\r\n\r\n");
	CHECK_TEXT(response("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n"),
		   "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n");
	CHECK_TEXT(response_with(OK "\r\n", H1_METHOD_GET,
				 (struct h1_response_rewrite){.body = H1_BODY_CHUNKED}),
		   OK "Transfer-Encoding: chunked\r\n\r\n");
	CHECK_TEXT(response_with(OK "\r\n", H1_METHOD_GET,
				 (struct h1_response_rewrite){.connection = H1_CONNECTION_CLOSE}),
		   OK "Connection: close\r\n\r\n");
	CHECK_TEXT(
		response_with(OK "Content-Length: 1\r\n\r\n", H1_METHOD_GET,
			      (struct h1_response_rewrite){.connection = H1_CONNECTION_KEEP_ALIVE}),
		OK "Connection: keep-alive\r\nContent-Length: 1\r\n\r\n");
}

static void keeps_content_length_of_head_and_304_only(void)
{
	const struct h1_response_rewrite plain = {.length = 0};

	CHECK_TEXT(response_with(OK "Content-Length: 05\r\n\r\n", H1_METHOD_HEAD, plain),
		   OK "Content-Length: 05\r\n\r\n");
	CHECK_TEXT(response_with(OK "Transfer-Encoding: chunked\r\n\r\n", H1_METHOD_HEAD, plain),
		   OK "\r\n");
	CHECK_TEXT(response("HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n"),
		   "HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n");
	CHECK_TEXT(response("HTTP/1.1 204 N\r\nContent-Length: 5\r\n\r\n"),
		   "HTTP/1.1 204 N\r\n\r\n");
	CHECK_TEXT(response_with("HTTP/1.1 204 N\r\n\r\n", H1_METHOD_GET,
				 (struct h1_response_rewrite){.body = H1_BODY_LENGTH, .length = 5}),
		   "HTTP/1.1 204 N\r\n\r\n");
	CHECK_TEXT(response("HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n"),
		   "HTTP/1.1 204 N\r\n\r\n");
	CHECK_TEXT(response("HTTP/1.1 103 E\r\nLink: x\r\nContent-Length: 5\r\n\r\n"),
		   "HTTP/1.1 103 E\r\nLink: x\r\n\r\n");
	CHECK_TEXT(response_with("HTTP/1.1 205 R\r\nContent-Length: 5\r\n\r\n", H1_METHOD_GET,
				 (struct h1_response_rewrite){.body = H1_BODY_LENGTH}),
		   "HTTP/1.1 205 R\r\nContent-Length: 0\r\n\r\n");
}

static void adds_date_to_final_responses_without_one(void)
{
	const struct h1_response_rewrite dated = {.date = SPAN("Mon, 01 Jan 2024 00:00:00 GMT")};

	CHECK_TEXT(response_with(OK "Content-Length: 0\r\n\r\n", H1_METHOD_GET, dated),
		   OK DATE "Content-Length: 0\r\n\r\n");
	CHECK_TEXT(response_with(OK "date: x\r\nContent-Length: 0\r\n\r\n", H1_METHOD_GET, dated),
		   OK "date: x\r\nContent-Length: 0\r\n\r\n");
	CHECK_TEXT(response_with("HTTP/1.1 100 C\r\n\r\n", H1_METHOD_GET, dated),
		   "HTTP/1.1 100 C\r\n\r\n");
}

static void unfolds_folded_fields(void)
{
	CHECK_TEXT(response(OK "X:\r\n a\r\n\tb\r\nY: c\r\nContent-Length: 0\r\n\r\n"),
		   OK "X: a  \tb\r\nY: c\r\nContent-Length: 0\r\n\r\n");
}

static void keeps_lines_in_order_whether_copied_or_written_anew(void)
{
	CHECK_TEXT(response(OK "A: 1\r\nB:2\r\nKeep-Alive: x\r\nC: 3\r\nD: 4 \r\nE: 5\r\n"
			       "Content-Length: 0\r\n\r\n"),
		   OK "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nContent-Length: 0\r\n\r\n");
}

static void gives_the_upgrade_of_101_and_426_back(void)
{
	CHECK_TEXT(response("HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			    "Sec-WebSocket-Accept: x\r\n\r\n"),
		   "HTTP/1.1 101 S\r\nSec-WebSocket-Accept: x\r\nConnection: upgrade\r\n"
		   "Upgrade: websocket\r\n\r\n");
	CHECK_TEXT(
		response_with("HTTP/1.1 426 U\r\nUpgrade: h2c, websocket\r\nConnection: upgrade\r\n"
			      "Content-Length: 0\r\n\r\n",
			      H1_METHOD_GET,
			      (struct h1_response_rewrite){.connection = H1_CONNECTION_CLOSE}),
		"HTTP/1.1 426 U\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n"
		"Content-Length: 0\r\n\r\n");
	CHECK_TEXT(response(OK "Upgrade: websocket\r\nContent-Length: 0\r\n\r\n"),
		   OK "Content-Length: 0\r\n\r\n");
}

static void writes_answers_of_our_own(void)
{
	struct h1_error_reply reply = {
		.line = SPAN("no route for \"x\r\ny\""),
		.date = SPAN("Mon, 01 Jan 2024 00:00:00 GMT"),
		.connection = H1_CONNECTION_CLOSE,
	};

	BUF_INIT_ARRAY(&out, out_bytes);
	CHECK(h1write_error(404, &reply, &out));
	CHECK_TEXT(buf_cstr(&out),
		   "HTTP/1.1 404 Not Found\r\n" DATE
		   "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
		   "Content-Length: 20\r\n\r\nno route for \"x??y\"\n");
	reply = (struct h1_error_reply){.line = SPAN("x"),
					.is_head = true,
					.extra_name = SPAN("Allow"),
					.extra_value = SPAN("GET, HEAD")};
	buf_clear(&out);
	CHECK(h1write_error(405, &reply, &out));
	CHECK_TEXT(buf_cstr(&out), "HTTP/1.1 405 Method Not Allowed\r\n"
				   "Content-Type: text/plain; charset=utf-8\r\nAllow: GET, HEAD\r\n"
				   "Content-Length: 2\r\n\r\n");
	CHECK_TEXT(h1write_reason(431), "Request Header Fields Too Large");
	CHECK_TEXT(h1write_reason(299), "Unknown");
	buf_clear(&out);
	h1write_continue(&out);
	CHECK_TEXT(buf_cstr(&out), "HTTP/1.1 100 Continue\r\n\r\n");
}

static void every_refusal_has_a_reason_phrase(void)
{
	for (int p = H1_PROBLEM_NONE + 1; p < H1_PROBLEM_COUNT; p++)
		CHECK_ROW(h1problem_name(p),
			  strcmp(h1write_reason(h1problem_status(p)), "Unknown") != 0);
}

static void chunks_decode_to_what_was_written(void)
{
	static const uint64_t sizes[] = {1, 2, 15, 16, 255, 4096, 16000};
	static char data[16000];
	struct h1_body b;
	struct span input, piece;
	size_t total = 0, decoded = 0;
	struct buf largest;
	char largest_bytes[H1_CHUNK_START_MAX + 1];

	BUF_INIT_ARRAY(&out, out_bytes);
	memset(data, 'x', sizeof data);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		h1write_chunk_start(sizes[i], &out);
		buf_add(&out, span_of(data, (size_t)sizes[i]));
		h1write_chunk_end(&out);
		total += (size_t)sizes[i];
	}
	h1write_last_chunk(SPAN("X: y\r\n"), &out);
	CHECK(span_ends_with(buf_span(&out), SPAN("\r\n0\r\nX: y\r\n\r\n")));
	h1body_start(&b, H1_BODY_CHUNKED, 0, NULL);
	input = buf_span(&out);
	while (h1body_next(&b, &input, &piece) == H1_BODY_DATA)
		decoded += piece.len;
	CHECK(h1body_is_complete_at_eof(&b));
	CHECK_INT(decoded, total);

	BUF_INIT_ARRAY(&largest, largest_bytes);
	h1write_chunk_start(UINT64_MAX, &largest);
	CHECK(!largest.truncated);
}

/* Writing what was written changes nothing: what we send is what we would understand. */
static void a_regenerated_request_regenerates_to_itself(void)
{
	static const char *const rows[] = {
		GET "\r\n",
		"POST http://a:80?x HTTP/1.1\r\nHost: a\r\nConnection: x, te\r\nX: 1\r\nY: 2\r\n"
		"TE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n",
		"OPTIONS http://a HTTP/1.0\r\nContent-Length: 3\r\n\r\n",
		GET "Connection: upgrade\r\nUpgrade: h2c, websocket\r\n\r\n",
		"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n",
		"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
	};
	const struct h1_request_rewrite rewrite = {.host = SPAN("b:443")};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		static char once[4096];
		struct h1_framing first;

		snprintf(once, sizeof once, "%s", request_with(rows[i], &rewrite));
		first = framing;
		CHECK_TEXT(request_with(once, &rewrite), once);
		CHECK_INT(framing.body, first.body);
		CHECK(framing.length == first.length);
		CHECK_INT(framing.upgrade, first.upgrade);
		CHECK_INT(framing.expects_continue, first.expects_continue);
		CHECK_INT(framing.trailers_ok, first.trailers_ok);
		CHECK(framing.keep_alive);
	}
}

static void the_largest_head_grows_by_less_than_the_promised_bound(void)
{
	static char host[300 + 1], text[20000];
	struct buf b;

	memset(host, 'h', sizeof host - 1);
	BUF_INIT_ARRAY(&b, text);
	buf_add(&b, SPAN("POST / HTTP/1.1\r\nHost:a\r\nTE:trailers\r\nConnection:upgrade\r\n"
			 "Upgrade:x\r\nTransfer-Encoding:chunked\r\nExpect:100-continue\r\n"));
	for (int i = 0; i < 94; i++)
		buf_printf(&b, "a:b\r\n");
	buf_add(&b, SPAN("\r\n"));
	request_with(text, &(struct h1_request_rewrite){.host = span_from_cstr(host),
							.via = SPAN("egressbox")});
	CHECK(out.len <= b.len + H1_WRITE_EXTRA_MAX);
}

UNIT_TESTS(TEST(regenerates_a_request), TEST(writes_the_target_in_the_form_an_origin_wants),
	   TEST(removes_hop_by_hop_fields_even_when_not_nominated),
	   TEST(removes_what_connection_nominates), TEST(ignores_nominations_of_end_to_end_fields),
	   TEST(removes_internal_fields_unless_asked_to_keep_them),
	   TEST(regenerates_te_and_upgrade), TEST(adds_via_with_the_version_received),
	   TEST(counts_max_forwards_down_for_trace_and_options),
	   TEST(forwards_expect_only_from_1_1_with_a_body),
	   TEST(announces_trailers_only_when_they_are_forwarded),
	   TEST(refuses_texts_with_line_ends), TEST(says_when_the_result_does_not_fit),
	   TEST(regenerates_a_response), TEST(keeps_content_length_of_head_and_304_only),
	   TEST(adds_date_to_final_responses_without_one), TEST(unfolds_folded_fields),
	   TEST(keeps_lines_in_order_whether_copied_or_written_anew),
	   TEST(gives_the_upgrade_of_101_and_426_back), TEST(writes_answers_of_our_own),
	   TEST(every_refusal_has_a_reason_phrase), TEST(chunks_decode_to_what_was_written),
	   TEST(a_regenerated_request_regenerates_to_itself),
	   TEST(the_largest_head_grows_by_less_than_the_promised_bound))
