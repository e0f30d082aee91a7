#include "fixture.h"

/* Client and origin of the request under way. */
static int client, origin;

static void begin(const char *request)
{
	client = fixture_request(request);
	origin = fixture_accept();
	fixture_expect_up_to(origin, "\r\n\r\n");
}

static void end(void)
{
	fixture_close(client);
	fixture_close(origin);
	fixture_stop();
}

static void passes_request_and_response_byte_for_byte(void)
{
	fixture_start();
	client = fixture_connect();
	origin = fixture_exchange(client, -1);
	fixture_exchange(client, origin);
	end();
}

static void frames_the_response_as_the_client_understands_it(void)
{
#define OK_11 "HTTP/1.1 200 OK\r\nDate: now\r\n"
	static const struct {
		const char *label, *request, *response, *expected;
		bool origin_ends, client_sees_end;
	} rows[] = {
		{"length", GET, RESPONSE, RESPONSE, false, false},
		{"empty", GET, OK_11 "Content-Length: 0\r\n\r\n", OK_11 "Content-Length: 0\r\n\r\n",
		 false, false},
		{"chunked", GET,
		 OK_11 "Transfer-Encoding: chunked\r\n\r\n2;x\r\nok\r\n00\r\nA: b\r\n\r\n",
		 OK_11 "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", false, false},
		{"until close", GET, OK_11 "\r\nok",
		 OK_11 "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", true, false},
		{"chunked to 1.0", "GET / HTTP/1.0\r\nHost: web\r\n\r\n",
		 OK_11 "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		 OK_11 "Connection: close\r\n\r\nok", false, true},
		{"length to 1.0", "GET / HTTP/1.0\r\nHost: web\r\nConnection: keep-alive\r\n\r\n",
		 RESPONSE, OK_11 "Connection: close\r\nContent-Length: 2\r\n\r\nok", false, true},
		{"HEAD", "HEAD / HTTP/1.1\r\nHost: web\r\n\r\n", OK_11 "Content-Length: 2\r\n\r\n",
		 OK_11 "Content-Length: 2\r\n\r\n", false, false},
		{"304", GET, "HTTP/1.1 304 Not Modified\r\nDate: now\r\n\r\n",
		 "HTTP/1.1 304 Not Modified\r\nDate: now\r\n\r\n", false, false},
		{"client closes", "GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n",
		 RESPONSE, OK_11 "Connection: close\r\nContent-Length: 2\r\n\r\nok", false, true},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		fixture_start();
		begin(rows[i].request);
		fixture_send(origin, rows[i].response);
		if (rows[i].origin_ends)
			CHECK(shutdown(origin, SHUT_WR) == 0);
		fixture_expect(client, rows[i].expected);
		fixture_expect_log("ok");
		if (rows[i].client_sees_end)
			fixture_expect_end(client);
		else
			fixture_expect_nothing(client);
		CHECK_ROW(rows[i].label,
			  metrics_get(&worker.metrics.responses[2]) +
					  metrics_get(&worker.metrics.responses[3]) ==
				  1);
		end();
	}
}

static void the_outcome_does_not_depend_on_how_the_bytes_come(void)
{
	static const char
		request[] = "POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 3\r\n\r\nabc",
		sent[] = "POST / HTTP/1.1\r\nHost: up.example\r\nContent-Length: 3\r\n"
			 "Via: 1.1 egressbox\r\n\r\nabc",
		response[] = OK_11 "Transfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n"
				   "0\r\n\r\n";
	struct span got;

	fixture_start();
	client = fixture_connect();
	for (size_t i = 0; i + 1 < sizeof request; i++) {
		fixture_send_span(client, span_of(request + i, 1));
		fixture_turn();
	}
	origin = fixture_accept();
	got = fixture_expect_up_to(origin, "abc");
	CHECK_INT(got.len, strlen(sent));
	CHECK(strstr(got.ptr, "\r\nContent-Length: 3\r\n") != NULL);
	for (size_t i = 0; i + 1 < sizeof response; i++) {
		fixture_send_span(origin, span_of(response + i, 1));
		fixture_turn();
	}
	fixture_expect(client, response);
	fixture_expect_log("ok");
	end();
}

static void passes_interim_responses_on(void)
{
	fixture_start();
	begin(GET);
	fixture_send(origin, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
	fixture_expect(client, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
	fixture_send(origin, "HTTP/1.1 100 Continue\r\n\r\n" RESPONSE);
	fixture_expect(client, "HTTP/1.1 100 Continue\r\n\r\n" RESPONSE);
	end();
	/* A client of HTTP/1.0 knows none. */
	fixture_start();
	begin("GET / HTTP/1.0\r\nHost: web\r\n\r\n");
	fixture_send(origin, "HTTP/1.1 100 Continue\r\n\r\n" RESPONSE);
	fixture_expect(client, OK_11);
	end();
}

static void refuses_a_response_that_cannot_be_passed_on(void)
{
	static const struct {
		const char *response, *error;
	} rows[] = {
		{"HTTP/2 200\r\n\r\n", NULL},
		{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", NULL},
		{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		 NULL},
		{"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
		 "unasked_upgrade"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		fixture_start();
		begin(GET);
		fixture_send(origin, rows[i].response);
		if (rows[i].error != NULL)
			fixture_expect_refusal(client, "HTTP/1.1 502 ", rows[i].error, false);
		else
			fixture_expect(client, "HTTP/1.1 502 ");
		/* The connection to the upstream is not trusted any more, the client's is fine. */
		fixture_expect_end(origin);
		CHECK_INT(metrics_get(&worker.metrics.requests[REASON_BAD_RESPONSE]), 1);
		end();
	}
}

static void refuses_endless_interim_responses(void)
{
	fixture_start();
	begin(GET);
	for (int i = 0; i < 17; i++)
		fixture_send(origin, "HTTP/1.1 102 Processing\r\n\r\n");
	for (int i = 0; i < 16; i++)
		fixture_expect(client, "HTTP/1.1 102 Processing\r\n\r\n");
	fixture_expect_refusal(client, "HTTP/1.1 502 ", "too_many_interim_responses", false);
	end();
}

static void never_ends_a_broken_body_well(void)
{
	static const struct {
		const char *request, *response, *passed, *reason;
		bool resets;
	} rows[] = {
		{GET, OK_11 "Content-Length: 9\r\n\r\nok", OK_11 "Content-Length: 9\r\n\r\nok",
		 "upstream_closed", false},
		{GET, OK_11 "Transfer-Encoding: chunked\r\n\r\n9\r\nok",
		 OK_11 "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", "upstream_closed", false},
		{"GET / HTTP/1.0\r\nHost: web\r\n\r\n",
		 OK_11 "Transfer-Encoding: chunked\r\n\r\n9\r\nok",
		 OK_11 "Connection: close\r\n\r\nok", "upstream_closed", true},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		fixture_start();
		begin(rows[i].request);
		fixture_send(origin, rows[i].response);
		fixture_expect(client, rows[i].passed);
		CHECK(shutdown(origin, SHUT_WR) == 0);
		if (rows[i].resets)
			fixture_expect_reset(client);
		else
			fixture_expect_end(client);
		fixture_expect_log(rows[i].reason);
		end();
	}
}

static void an_upstream_that_goes_before_it_answers_is_502(void)
{
	fixture_start();
	begin(GET);
	fixture_close(origin);
	fixture_expect_refusal(client, "HTTP/1.1 502 ", "upstream_closed", false);
	fixture_expect_log("upstream_closed");
	fixture_send(client, GET);
	origin = fixture_accept();
	fixture_expect(origin, GET_AT_ORIGIN);
	fixture_reset(origin);
	fixture_expect_refusal(client, "HTTP/1.1 502 ", "upstream_reset", false);
	fixture_close(client);
	fixture_stop();
}

static void an_answer_ahead_of_the_request_is_the_last(void)
{
	fixture_start();
	begin("POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 9\r\n\r\nabc");
	fixture_send(origin, RESPONSE);
	fixture_expect(client, OK_11 "Connection: close\r\nContent-Length: 2\r\n\r\nok");
	fixture_expect_end(client);
	fixture_expect(origin, "abc");
	fixture_expect_end(origin);
	end();
}

static void timeouts_say_who_was_waited_for(void)
{
	fixture_configure();
	config.timeouts.response_ms = config.timeouts.stream_ms = FIXTURE_SOON_MS;
	fixture_start_configured();
	begin(GET);
	fixture_expect_refusal(client, "HTTP/1.1 504 ", "response_timeout", false);
	fixture_close(client);
	fixture_close(origin);
	begin("POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 9\r\n\r\nabc");
	fixture_expect_refusal(client, "HTTP/1.1 408 ", "client_timeout", true);
	fixture_close(client);
	fixture_close(origin);
	begin(GET);
	fixture_send(origin, OK_11 "Content-Length: 9\r\n\r\nok");
	fixture_expect(client, OK_11 "Content-Length: 9\r\n\r\nok");
	fixture_expect_end(client);
	CHECK_INT(metrics_get(&worker.metrics.requests[REASON_UPSTREAM_TIMEOUT]), 1);
	end();
}

UNIT_TESTS(TEST(passes_request_and_response_byte_for_byte),
	   TEST(frames_the_response_as_the_client_understands_it),
	   TEST(the_outcome_does_not_depend_on_how_the_bytes_come),
	   TEST(passes_interim_responses_on), TEST(refuses_a_response_that_cannot_be_passed_on),
	   TEST(refuses_endless_interim_responses), TEST(never_ends_a_broken_body_well),
	   TEST(an_upstream_that_goes_before_it_answers_is_502),
	   TEST(an_answer_ahead_of_the_request_is_the_last), TEST(timeouts_say_who_was_waited_for))
