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
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define TEN "a,b,c,d,e,f,g,h,i,j,"

static const struct h1ways_refusal refusals[] = {
	REQUEST(TARGET_AUTHORITY, "GET http:///x HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_AUTHORITY, "GET http://a:x/ HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_AUTHORITY, "GET http://a:/ HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(TARGET_AUTHORITY, "GET http://a%41/ HTTP/1.0\r\n\r\n"),
	REQUEST(TARGET_AUTHORITY, "CONNECT a:99999 HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(CONNECT_PORT, "CONNECT a HTTP/1.1\r\n" HOST "\r\n"),
	REQUEST(HOST_MISSING, GET "\r\n"),
	REQUEST(HOST_MISSING, "GET http://a/ HTTP/1.1\r\n\r\n"),
	REQUEST(HOST_MISSING, "GET / HTTP/1.0\r\n\r\n"),
	REQUEST(HOST_REPEATED, GET HOST "Host: b\r\n\r\n"),
	REQUEST(HOST_REPEATED, GET HOST HOST "\r\n"),
	REQUEST(HOST_REPEATED, "GET http://a/ HTTP/1.0\r\n" HOST HOST "\r\n"),
	REQUEST(HOST_INVALID, GET "Host:\r\n\r\n"),
	REQUEST(HOST_INVALID, GET "Host: a b\r\n\r\n"),
	REQUEST(HOST_INVALID, GET "Host: a, b\r\n\r\n"),
	REQUEST(HOST_INVALID, GET "Host: u@a\r\n\r\n"),
	REQUEST(HOST_INVALID, GET "Host: a/b\r\n\r\n"),
	REQUEST(HOST_INVALID, GET "Host: a:0\r\n\r\n"),
	REQUEST(HOST_INVALID, GET "Host: a:80:80\r\n\r\n"),
	REQUEST(HOST_INVALID, GET "Host: http://a\r\n\r\n"),
	REQUEST(HOST_INVALID, GET "Host: \xff"
				  "a\xff\r\n\r\n"),
	REQUEST(HOST_INVALID, "GET http://a/ HTTP/1.1\r\nHost: a?\r\n\r\n"),
	REQUEST(HOST_MISMATCH, "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n"),
	REQUEST(HOST_MISMATCH, "GET http://a/ HTTP/1.1\r\nHost: a:443\r\n\r\n"),
	REQUEST(HOST_MISMATCH, "GET https://a/ HTTP/1.1\r\nHost: a:80\r\n\r\n"),
	REQUEST(HOST_MISMATCH, "CONNECT a:443 HTTP/1.1\r\nHost: a:80\r\n\r\n"),
	REQUEST(LENGTH_INVALID, POST "Content-Length:\r\n\r\n"),
	REQUEST(LENGTH_INVALID, POST "Content-Length: +1_0\r\n\r\n0123456789"),
	REQUEST(LENGTH_INVALID, POST "Content-Length: -1\r\n\r\n"),
	REQUEST(LENGTH_INVALID, POST "Content-Length: 0x10\r\n\r\n"),
	REQUEST(LENGTH_INVALID, POST "Content-Length: 1Z\r\n\r\nZ"),
	REQUEST(LENGTH_INVALID, POST "Content-Length: 1 0\r\n\r\n"),
	REQUEST(LENGTH_INVALID, POST "Content-Length: 5, 5\r\n\r\nhello"),
	REQUEST(LENGTH_INVALID, POST "Content-Length: 1\xa0\r\n\r\n"),
	REQUEST(LENGTH_INVALID, POST "Content-Length: 9223372036854775808\r\n\r\n"),
	REQUEST(LENGTH_INVALID, POST "Content-Length: 00000000000000000001\r\n\r\n"),
	RESPONSE(LENGTH_INVALID, OK "Content-Length: 1e1\r\n\r\n"),
	RESPONSE(LENGTH_INVALID, "HTTP/1.1 304 Not Modified\r\nContent-Length: -1\r\n\r\n"),
	REQUEST(LENGTH_REPEATED, POST "Content-Length: 0\r\nContent-Length: 1\r\n\r\nZ"),
	REQUEST(LENGTH_REPEATED, POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
	REQUEST(LENGTH_REPEATED, POST "Content-Length:\r\nX: y\r\ncontent-length: 5\r\n\r\nhello"),
	RESPONSE(LENGTH_REPEATED, OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
	REQUEST(LENGTH_AND_CODING, POST "Content-Length: 5\r\n" CHUNKED "\r\n0\r\n\r\n"),
	REQUEST(LENGTH_AND_CODING, POST CHUNKED "Content-Length: 5\r\n\r\n0\r\n\r\n"),
	RESPONSE(LENGTH_AND_CODING, OK CHUNKED "Content-Length: 5\r\n\r\n0\r\n\r\n"),
	REQUEST(CODING_REPEATED, POST CHUNKED CHUNKED "\r\n0\r\n\r\n"),
	REQUEST(CODING_REPEATED, POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
	REQUEST(CODING_REPEATED, POST "Transfer-Encoding: gzip\r\n" CHUNKED "\r\n0\r\n\r\n"),
	RESPONSE(CODING_REPEATED, OK CHUNKED CHUNKED "\r\n0\r\n\r\n"),
	REQUEST(CODING_INVALID, POST "Transfer-Encoding:\r\n\r\n"),
	REQUEST(CODING_INVALID, POST "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n"),
	REQUEST(CODING_INVALID, POST "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n"),
	REQUEST(CODING_INVALID, POST "Transfer-Encoding: identity\r\n\r\n"),
	REQUEST(CODING_INVALID, POST "Transfer-Encoding: \xa0"
				     "chunked\xa0\r\n\r\n0\r\n\r\n"),
	REQUEST(CODING_INVALID, POST "Transfer-Encoding: \xff"
				     "chunked\xff\r\n\r\n0\r\n\r\n"),
	REQUEST(CODING_INVALID, POST "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n"),
	REQUEST(CODING_INVALID, POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
	RESPONSE(CODING_INVALID, OK "Transfer-Encoding: identity\r\n\r\n"),
	REQUEST(CODING_NOT_LAST, POST "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
	REQUEST(CODING_UNKNOWN, POST "Transfer-Encoding: blegh\r\n\r\n1\r\nZ\r\n0\r\n\r\n"),
	REQUEST(CODING_UNKNOWN, POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
	REQUEST(CODING_UNKNOWN, POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
	RESPONSE(CODING_UNKNOWN, OK "Transfer-Encoding: gzip\r\n\r\n"),
	REQUEST(CODING_IN_1_0, "POST / HTTP/1.0\r\n" HOST CHUNKED "\r\n0\r\n\r\n"),
	RESPONSE(CODING_IN_1_0, "HTTP/1.0 200 OK\r\n" CHUNKED "\r\n0\r\n\r\n"),
	REQUEST(BODY_FORBIDDEN, "TRACE / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nZ"),
	REQUEST(BODY_FORBIDDEN, "CONNECT a:1 HTTP/1.1\r\n" HOST CHUNKED "\r\n"),
	REQUEST(EXPECT_UNKNOWN, POST "Expect: 200-ok\r\n\r\n"),
	REQUEST(EXPECT_UNKNOWN, POST "Expect: 100-continue\r\nExpect: x\r\n\r\n"),
	REQUEST(MAX_FORWARDS_INVALID, "OPTIONS / HTTP/1.1\r\n" HOST "Max-Forwards: -1\r\n\r\n"),
	REQUEST(MAX_FORWARDS_INVALID,
		"TRACE / HTTP/1.1\r\n" HOST "Max-Forwards: 1\r\nMax-Forwards: 2\r\n\r\n"),
	REQUEST(TOO_MANY_OPTIONS, GET HOST "Connection: " TEN TEN TEN "x,y,z\r\n\r\n"),
	RESPONSE(TOO_MANY_OPTIONS,
		 OK "Connection: " TEN TEN "\r\nConnection: " TEN "x,y,z\r\n\r\n"),
	RESPONSE(UPGRADE_INVALID, "HTTP/1.1 101 S\r\nConnection: upgrade\r\n\r\n"),
	RESPONSE(UPGRADE_INVALID, "HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n"),
	RESPONSE(UPGRADE_INVALID, "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"),
	RESPONSE(UPGRADE_INVALID, "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: a, b\r\n\r\n"),
	RESPONSE(UPGRADE_INVALID, "HTTP/1.0 101 S\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n"),
};

#define REFUSES(name, member)                                                                      \
	static void refuses_##name(void)                                                           \
	{                                                                                          \
		h1ways_check_refusals(refusals, sizeof refusals / sizeof refusals[0],              \
				      H1_PROBLEM_##member);                                        \
	}

REFUSES(an_invalid_authority_in_the_target, TARGET_AUTHORITY)
REFUSES(connect_without_port, CONNECT_PORT)
REFUSES(a_missing_host, HOST_MISSING)
REFUSES(a_second_host, HOST_REPEATED)
REFUSES(an_invalid_host, HOST_INVALID)
REFUSES(a_host_other_than_the_target_names, HOST_MISMATCH)
REFUSES(an_invalid_content_length, LENGTH_INVALID)
REFUSES(a_second_content_length, LENGTH_REPEATED)
REFUSES(content_length_with_chunked, LENGTH_AND_CODING)
REFUSES(chunked_twice, CODING_REPEATED)
REFUSES(a_malformed_transfer_encoding, CODING_INVALID)
REFUSES(chunked_that_is_not_last, CODING_NOT_LAST)
REFUSES(an_unknown_transfer_coding, CODING_UNKNOWN)
REFUSES(transfer_encoding_in_http_1_0, CODING_IN_1_0)
REFUSES(a_body_of_trace_and_connect, BODY_FORBIDDEN)
REFUSES(an_unknown_expectation, EXPECT_UNKNOWN)
REFUSES(max_forwards_that_is_no_number, MAX_FORWARDS_INVALID)
REFUSES(more_than_32_connection_options, TOO_MANY_OPTIONS)
REFUSES(a_101_that_does_not_name_one_protocol, UPGRADE_INVALID)

static void frames_requests(void)
{
	static const struct {
		struct span bytes;
		enum h1_body_kind body;
		uint64_t length;
		bool keep_alive;
	} rows[] = {
		{TEXT(GET HOST "\r\n"), H1_BODY_NONE, 0, true},
		{TEXT(POST "Content-Length: 0\r\n\r\n"), H1_BODY_LENGTH, 0, true},
		{TEXT(POST "Content-Length: 010\r\n\r\n0123456789"), H1_BODY_LENGTH, 10, true},
		{TEXT(GET HOST "Content-Length: 2\r\n\r\nab"), H1_BODY_LENGTH, 2, true},
		{TEXT(POST CHUNKED "\r\n0\r\n\r\n"), H1_BODY_CHUNKED, 0, true},
		{TEXT(POST "Transfer-Encoding: \tCHUNKED \r\n\r\n0\r\n\r\n"), H1_BODY_CHUNKED, 0,
		 true},
		{TEXT(GET HOST "Connection: close\r\n\r\n"), H1_BODY_NONE, 0, false},
		{TEXT(GET HOST "Connection: x, CLOSE\r\n\r\n"), H1_BODY_NONE, 0, false},
		{TEXT(GET HOST "Connection: x\r\nConnection: ,close\r\n\r\n"), H1_BODY_NONE, 0,
		 false},
		{TEXT(GET HOST "Connection: closed\r\n\r\n"), H1_BODY_NONE, 0, true},
		{TEXT("GET / HTTP/1.0\r\n" HOST "\r\n"), H1_BODY_NONE, 0, false},
		{TEXT("GET / HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n\r\n"), H1_BODY_NONE, 0,
		 true},
		{TEXT("GET / HTTP/1.0\r\n" HOST "Connection: keep-alive, close\r\n\r\n"),
		 H1_BODY_NONE, 0, false},
		{TEXT("POST / HTTP/1.0\r\n" HOST "Content-Length: 1\r\n\r\nZ"), H1_BODY_LENGTH, 1,
		 false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct h1reader *r = h1ways_request(rows[i].bytes);

		CHECK_ROW(rows[i].bytes.ptr, r->complete == 1 && r->problem == H1_PROBLEM_NONE);
		CHECK_ROW(rows[i].bytes.ptr, r->framing.body == rows[i].body);
		CHECK_ROW(rows[i].bytes.ptr, r->framing.length == rows[i].length);
		CHECK_ROW(rows[i].bytes.ptr, r->framing.keep_alive == rows[i].keep_alive);
	}
}

static void accepts_the_largest_length(void)
{
	const struct h1reader *r = h1ways_request(
		SPAN(POST "Content-Length: 9223372036854775807\r\n\r\n"));

	CHECK_INT(r->problem, H1_PROBLEM_NONE);
	CHECK(r->framing.length == INT64_MAX);
}

static void takes_the_authority_from_target_or_host(void)
{
	static const struct {
		struct span bytes;
		const char *authority, *host;
		uint16_t port;
		bool is_ipv6;
	} rows[] = {
		{TEXT(GET "Host: A.b:8080\r\n\r\n"), "A.b:8080", "A.b", 8080, false},
		{TEXT(GET "Host: [::1]:81\r\n\r\n"), "[::1]:81", "::1", 81, true},
		{TEXT(GET "Host: a.\r\n\r\n"), "a.", "a.", 0, false},
		{TEXT("GET http://A:80/x HTTP/1.1\r\nHost: a\r\n\r\n"), "A:80", "A", 80, false},
		{TEXT("GET https://a/ HTTP/1.1\r\nHost: a:443\r\n\r\n"), "a", "a", 0, false},
		{TEXT("GET http://a/ HTTP/1.0\r\n\r\n"), "a", "a", 0, false},
		{TEXT("GET / HTTP/1.0\r\nHost: a\r\n\r\n"), "a", "a", 0, false},
		{TEXT("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"), "a:443", "a", 443, false},
		{TEXT("OPTIONS * HTTP/1.1\r\nHost: a:1\r\n\r\n"), "a:1", "a", 1, false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *at = rows[i].bytes.ptr;
		const struct h1reader *r = h1ways_request(rows[i].bytes);

		CHECK_ROW(at, r->problem == H1_PROBLEM_NONE);
		CHECK_SPAN(h1head_text(at, r->framing.authority), rows[i].authority);
		CHECK_SPAN(h1head_text(at, r->framing.host), rows[i].host);
		CHECK_ROW(at, r->framing.port == rows[i].port);
		CHECK_ROW(at, r->framing.host_is_ipv6 == rows[i].is_ipv6);
	}
}

static void reads_what_a_request_asks_for(void)
{
	static const struct {
		struct span bytes;
		bool expects_continue, trailers_ok, is_last_hop, upgrade;
	} rows[] = {
		{TEXT(POST "Content-Length: 1\r\nExpect: 100-Continue\r\n\r\n"), true, false, false,
		 false},
		/* ignored from 1.0, and without a body to wait for */
		{TEXT("POST / HTTP/1.0\r\n" HOST
		      "Content-Length: 1\r\nExpect: 100-continue\r\n\r\n"),
		 false, false, false, false},
		{TEXT("POST / HTTP/1.0\r\n" HOST "Content-Length: 1\r\nExpect: x\r\n\r\n"), false,
		 false, false, false},
		{TEXT(GET HOST "Expect: 100-continue\r\n\r\n"), false, false, false, false},
		{TEXT(POST "Content-Length: 0\r\nExpect: 100-continue\r\n\r\n"), false, false,
		 false, false},
		{TEXT(GET HOST "TE: trailers\r\n\r\n"), false, true, false, false},
		{TEXT(GET HOST "TE: gzip\r\nTE: deflate, Trailers\r\n\r\n"), false, true, false,
		 false},
		{TEXT(GET HOST "TE: gzip\r\n\r\n"), false, false, false, false},
		{TEXT("GET / HTTP/1.0\r\n" HOST "TE: trailers\r\n\r\n"), false, false, false,
		 false},
		{TEXT("OPTIONS / HTTP/1.1\r\n" HOST "Max-Forwards: 0\r\n\r\n"), false, false, true,
		 false},
		{TEXT("OPTIONS / HTTP/1.1\r\n" HOST "Max-Forwards: 1\r\n\r\n"), false, false, false,
		 false},
		{TEXT(GET HOST "Max-Forwards: 0\r\n\r\n"), false, false, false, false},
		{TEXT(GET HOST "Max-Forwards: x\r\n\r\n"), false, false, false, false},
		{TEXT(GET HOST "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"), false, false,
		 false, true},
		{TEXT(GET HOST "Connection: upgrade\r\nUpgrade: h2c, websocket\r\n\r\n"), false,
		 false, false, true},
		{TEXT(GET HOST "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n"), false, false, false,
		 false},
		{TEXT(GET HOST "Connection: upgrade\r\n\r\n"), false, false, false, false},
		{TEXT(GET HOST "Upgrade: websocket\r\n\r\n"), false, false, false, false},
		{TEXT(GET HOST "Connection: upgrade\r\nUpgrade: a\r\nUpgrade: b\r\n\r\n"), false,
		 false, false, false},
		{TEXT("GET / HTTP/1.0\r\n" HOST
		      "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
		 false, false, false, false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *at = rows[i].bytes.ptr;
		const struct h1reader *r = h1ways_request(rows[i].bytes);

		CHECK_ROW(at, r->problem == H1_PROBLEM_NONE);
		CHECK_ROW(at, r->framing.expects_continue == rows[i].expects_continue);
		CHECK_ROW(at, r->framing.trailers_ok == rows[i].trailers_ok);
		CHECK_ROW(at, r->framing.is_last_hop == rows[i].is_last_hop);
		CHECK_ROW(at, r->framing.upgrade == rows[i].upgrade);
	}
}

static void frames_responses(void)
{
	static const struct {
		struct span bytes;
		enum h1_method method;
		enum h1_body_kind body;
		uint64_t length;
		bool keep_alive;
	} rows[] = {
		{TEXT(OK "\r\nx"), H1_METHOD_GET, H1_BODY_UNTIL_CLOSE, 0, false},
		{TEXT(OK "Content-Length: 2\r\n\r\nab"), H1_METHOD_GET, H1_BODY_LENGTH, 2, true},
		{TEXT(OK "Content-Length: 0\r\nConnection: close\r\n\r\n"), H1_METHOD_GET,
		 H1_BODY_LENGTH, 0, false},
		{TEXT(OK CHUNKED "\r\n0\r\n\r\n"), H1_METHOD_GET, H1_BODY_CHUNKED, 0, true},
		{TEXT("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"), H1_METHOD_GET,
		 H1_BODY_LENGTH, 0, false},
		{TEXT("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n"),
		 H1_METHOD_GET, H1_BODY_LENGTH, 0, true},
		{TEXT("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"), H1_METHOD_GET,
		 H1_BODY_UNTIL_CLOSE, 0, false},
		/* rule 42: no body, whatever the fields say */
		{TEXT(OK "Content-Length: 5\r\n\r\n"), H1_METHOD_HEAD, H1_BODY_NONE, 0, true},
		{TEXT(OK CHUNKED "\r\n"), H1_METHOD_HEAD, H1_BODY_NONE, 0, true},
		{TEXT(OK "\r\n"), H1_METHOD_HEAD, H1_BODY_NONE, 0, true},
		{TEXT("HTTP/1.1 100 C\r\nContent-Length: 5\r\n\r\n"), H1_METHOD_GET, H1_BODY_NONE,
		 0, true},
		{TEXT("HTTP/1.1 103 E\r\n" CHUNKED "\r\n"), H1_METHOD_GET, H1_BODY_NONE, 0, true},
		{TEXT("HTTP/1.1 204 N\r\nContent-Length: 5\r\n" CHUNKED "\r\n"), H1_METHOD_GET,
		 H1_BODY_NONE, 0, true},
		{TEXT("HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n"), H1_METHOD_GET, H1_BODY_NONE,
		 0, true},
		{TEXT(OK CHUNKED "Content-Length: x\r\n\r\n"), H1_METHOD_CONNECT, H1_BODY_NONE, 0,
		 true},
		{TEXT("HTTP/1.1 407 P\r\nContent-Length: 1\r\n\r\nZ"), H1_METHOD_CONNECT,
		 H1_BODY_LENGTH, 1, true},
		/* rule 56 */
		{TEXT("HTTP/1.1 205 R\r\nContent-Length: 0\r\n\r\n"), H1_METHOD_GET, H1_BODY_NONE,
		 0, true},
		{TEXT("HTTP/1.1 205 R\r\nContent-Length: 5\r\n\r\n"), H1_METHOD_GET, H1_BODY_NONE,
		 0, false},
		{TEXT("HTTP/1.1 205 R\r\n" CHUNKED "\r\n"), H1_METHOD_GET, H1_BODY_NONE, 0, false},
		{TEXT("HTTP/1.1 205 R\r\n\r\n"), H1_METHOD_GET, H1_BODY_NONE, 0, false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct h1reader *r = h1ways_read(H1_RESPONSE, rows[i].method, rows[i].bytes);

		CHECK_ROW(rows[i].bytes.ptr, r->problem == H1_PROBLEM_NONE);
		CHECK_ROW(rows[i].bytes.ptr, r->framing.body == rows[i].body);
		CHECK_ROW(rows[i].bytes.ptr, r->framing.length == rows[i].length);
		CHECK_ROW(rows[i].bytes.ptr, r->framing.keep_alive == rows[i].keep_alive);
	}
}

static void reads_what_101_switches_to(void)
{
	struct span bytes = SPAN("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
				 "Upgrade: websocket\r\n\r\n");
	const struct h1reader *r = h1ways_response(bytes);

	CHECK(r->framing.upgrade);
	CHECK_SPAN(h1head_text(bytes.ptr, r->framing.upgrade_offer), "websocket");
}

static void switches_only_to_what_was_offered(void)
{
	CHECK(h1frame_upgrade_was_offered(SPAN("websocket"), SPAN("WebSocket")));
	CHECK(h1frame_upgrade_was_offered(SPAN("a/1, websocket"), SPAN("websocket")));
	CHECK(!h1frame_upgrade_was_offered(SPAN("a/1, websocket"), SPAN("a/2")));
	CHECK(!h1frame_upgrade_was_offered(SPAN("h2c, websocket"), SPAN("h2c")));
	CHECK(!h1frame_upgrade_was_offered(SPAN("websocket"), SPAN("")));
	CHECK(!h1frame_upgrade_was_offered(SPAN(""), SPAN("websocket")));
}

static void finds_itself_in_via(void)
{
	static const struct {
		struct span bytes;
		bool is_there;
	} rows[] = {
		{TEXT(GET HOST "\r\n"), false},
		{TEXT(GET HOST "Via: 1.1 egressbox\r\n\r\n"), true},
		{TEXT(GET HOST "Via: HTTP/1.0 fred (x), 1.1 EgressBox (y)\r\n\r\n"), true},
		{TEXT(GET HOST "Via: 1.1 a\r\nX: 1\r\nVia: 1.1\tegressbox\r\n\r\n"), true},
		{TEXT(GET HOST "Via: 1.1 egressbox2, 1.1 egressbox:80\r\n\r\n"), false},
		{TEXT(GET HOST "Via: egressbox, 1.1, ,\r\n\r\n"), false},
		{TEXT(GET HOST "X-Via: 1.1 egressbox\r\n\r\n"), false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct h1reader *r = h1ways_request(rows[i].bytes);

		CHECK_ROW(rows[i].bytes.ptr,
			  h1frame_via_has(&r->head, rows[i].bytes.ptr, SPAN("egressbox")) ==
				  rows[i].is_there);
	}
}

UNIT_TESTS(TEST(refuses_an_invalid_authority_in_the_target), TEST(refuses_connect_without_port),
	   TEST(refuses_a_missing_host), TEST(refuses_a_second_host), TEST(refuses_an_invalid_host),
	   TEST(refuses_a_host_other_than_the_target_names),
	   TEST(refuses_an_invalid_content_length), TEST(refuses_a_second_content_length),
	   TEST(refuses_content_length_with_chunked), TEST(refuses_chunked_twice),
	   TEST(refuses_a_malformed_transfer_encoding), TEST(refuses_chunked_that_is_not_last),
	   TEST(refuses_an_unknown_transfer_coding), TEST(refuses_transfer_encoding_in_http_1_0),
	   TEST(refuses_a_body_of_trace_and_connect), TEST(refuses_an_unknown_expectation),
	   TEST(refuses_max_forwards_that_is_no_number),
	   TEST(refuses_more_than_32_connection_options),
	   TEST(refuses_a_101_that_does_not_name_one_protocol), TEST(frames_requests),
	   TEST(accepts_the_largest_length), TEST(takes_the_authority_from_target_or_host),
	   TEST(reads_what_a_request_asks_for), TEST(frames_responses),
	   TEST(reads_what_101_switches_to), TEST(switches_only_to_what_was_offered),
	   TEST(finds_itself_in_via))
