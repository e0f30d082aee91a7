#include "fixture.h"

#include "sys/log.h"

static void refuses_before_anybody_is_told(void)
{
	static const struct {
		const char *request, *status, *error;
		bool closes;
		enum reason reason;
	} rows[] = {
		{"GET / HTTP/1.1\r\nHost: nobody\r\n\r\n", "HTTP/1.1 404 ", "unknown_host", false,
		 REASON_UNKNOWN_HOST},
		{"GET / HTTP/1.1\r\nHost: web:81\r\n\r\n", "HTTP/1.1 404 ", "unknown_port", false,
		 REASON_UNKNOWN_PORT},
		{"GET / HTTP/1.0\r\nHost: nobody\r\n\r\n", "HTTP/1.1 404 ", "unknown_host", true,
		 REASON_UNKNOWN_HOST},
		{"POST / HTTP/1.1\r\nHost: nobody\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 404 ",
		 "unknown_host", true, REASON_UNKNOWN_HOST},
		{"CONNECT web:80 HTTP/1.1\r\nHost: web:80\r\n\r\n", "HTTP/1.1 501 ",
		 "method_refused", false, REASON_METHOD_REFUSED},
		{"TRACE / HTTP/1.1\r\nHost: web\r\n\r\n", "HTTP/1.1 501 ", "method_refused", false,
		 REASON_METHOD_REFUSED},
		{"GET / HTTP/1.1\r\nHost: web\r\nVia: 1.1 other, 1.1 egressbox\r\n\r\n",
		 "HTTP/1.1 508 ", "loop", false, REASON_LOOP},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int client;

		fixture_start();
		client = fixture_request(rows[i].request);
		fixture_expect_refusal(client, rows[i].status, rows[i].error, rows[i].closes);
		fixture_expect_log(rows[i].error);
		CHECK_INT(metrics_get(&worker.metrics.requests[rows[i].reason]), 1);
		if (rows[i].closes)
			fixture_expect_end(client);
		else
			fixture_close(fixture_exchange(client, -1));
		fixture_expect_no_upstream();
		fixture_close(client);
		fixture_stop();
	}
}

static void refuses_what_breaks_a_rule_and_closes(void)
{
	static const char *const requests[] = {
		"GET / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: web\r\nHost: web\r\n\r\n",
		"GET  / HTTP/1.1\r\nHost: web\r\n\r\n",
		"GET / HTTP/1.1\r\nHost : web\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: web\r\nContent-Length: +1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding:x\r\n\r\n",
		"\x01\x02\x03\r\n\r\n",
	};

	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		int client;

		fixture_start();
		client = fixture_request(requests[i]);
		fixture_expect(client, "HTTP/1.1 400 ");
		CHECK(strstr(fixture_expect_up_to(client, "\r\n\r\n").ptr, "Connection: close") !=
		      NULL);
		fixture_expect_up_to(client, "\n");
		fixture_expect_end(client);
		CHECK_INT(metrics_get(&worker.metrics.requests[REASON_BAD_REQUEST]), 1);
		fixture_expect_no_upstream();
		fixture_close(client);
		fixture_stop();
	}
}

static void answers_as_the_last_hop(void)
{
	int client;

	fixture_start();
	client = fixture_request("OPTIONS * HTTP/1.1\r\nHost: web\r\nMax-Forwards: 0\r\n\r\n");
	fixture_expect(client, "HTTP/1.1 200 OK\r\n");
	CHECK(strstr(fixture_expect_up_to(client, "\r\n\r\n").ptr, "X-Egressbox-Error") == NULL);
	fixture_expect(client, "egressbox\n");
	fixture_expect_log("last_hop");
	fixture_expect_no_upstream();
	fixture_close(client);
	fixture_stop();
}

static void tells_tls_no_in_its_own_language(void)
{
	static const char hello[] = {0x16, 0x03, 0x01, 0x00, 0x05, 0x01, 0, 0, 1, 0};
	static const char alert[] = {0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x31};
	char bytes[7];
	int client;

	log_set_level(LOG_ERROR);
	fixture_start();
	client = fixture_connect();
	fixture_send_span(client, span_of(hello, sizeof hello));
	for (size_t i = 0; i < sizeof bytes; i++)
		CHECK(fixture_receive(client, bytes + i, 1) == 1);
	CHECK(memcmp(bytes, alert, sizeof alert) == 0);
	fixture_expect_end(client);
	fixture_expect_log("tls_on_plain_port");
	fixture_close(client);
	fixture_stop();
	log_set_level(LOG_INFO);
}

#define CHUNKED "POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n"

static void a_malformed_chunked_body_never_reaches_an_upstream(void)
{
	static const char *const bodies[] = {"x\r\n", "1\r\nab\r\n0\r\n\r\n",
					     "1\r\na\r\n0\r\n:\r\n\r\n", "1\na\r\n0\r\n\r\n"};

	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		int client;

		fixture_start();
		client = fixture_request(CHUNKED);
		for (const char *c = bodies[i]; *c != 0; c++) {
			fixture_send_span(client, span_of(c, 1));
			fixture_turn();
		}
		fixture_expect(client, "HTTP/1.1 400 ");
		CHECK_INT(metrics_get(&worker.metrics.requests[REASON_BAD_REQUEST]), 1);
		fixture_expect_no_upstream();
		fixture_close(client);
		fixture_stop();
	}
}

static void a_chunked_body_that_pauses_is_passed_on(void)
{
	int client, origin;

	fixture_start();
	client = fixture_request(CHUNKED "2\r\nab\r\n");
	fixture_expect_no_upstream();
	/* After the pause what there is goes out, and the rest when it comes. */
	origin = fixture_accept();
	fixture_expect_up_to(origin, "\r\n\r\n2\r\nab\r\n");
	fixture_send(client, "1\r\nc\r\n0\r\n\r\n");
	fixture_expect(origin, "1\r\nc\r\n0\r\n\r\n");
	fixture_send(origin, RESPONSE);
	fixture_expect(client, RESPONSE);
	fixture_expect_log("ok");
	fixture_close(client);
	fixture_close(origin);
	fixture_stop();
}

static void a_body_that_waits_for_100_is_not_waited_for(void)
{
	int client, origin;

	fixture_start();
	client = fixture_request("POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n"
				 "Expect: 100-continue\r\n\r\n");
	origin = fixture_accept();
	CHECK(strstr(fixture_expect_up_to(origin, "\r\n\r\n").ptr, "Expect: 100-continue") != NULL);
	fixture_send(origin, "HTTP/1.1 100 Continue\r\n\r\n");
	fixture_expect(client, "HTTP/1.1 100 Continue\r\n\r\n");
	fixture_send(client, "1\r\na\r\n0\r\n\r\n");
	fixture_expect(origin, "1\r\na\r\n0\r\n\r\n");
	fixture_send(origin, RESPONSE);
	fixture_expect(client, RESPONSE);
	fixture_close(client);
	fixture_close(origin);
	fixture_stop();
}

static void a_client_that_ends_in_the_middle_is_logged(void)
{
	static const struct {
		const char *bytes, *reason;
	} rows[] = {
		{"GET / HT", "client_closed"},
		{CHUNKED "5\r\nab", "client_closed"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int client;

		fixture_start();
		client = fixture_request(rows[i].bytes);
		CHECK(shutdown(client, SHUT_WR) == 0);
		fixture_expect_end(client);
		fixture_expect_log(rows[i].reason);
		fixture_expect_no_upstream();
		fixture_close(client);
		fixture_stop();
	}
}

static void a_client_that_asks_nothing_is_closed_in_silence(void)
{
	int client;

	fixture_start();
	client = fixture_connect();
	fixture_settle();
	CHECK(shutdown(client, SHUT_WR) == 0);
	fixture_expect_end(client);
	CHECK_INT(fixture_ring.put, 0);
	fixture_close(client);
	fixture_stop();
}

UNIT_TESTS(TEST(refuses_before_anybody_is_told), TEST(refuses_what_breaks_a_rule_and_closes),
	   TEST(answers_as_the_last_hop), TEST(tells_tls_no_in_its_own_language),
	   TEST(a_malformed_chunked_body_never_reaches_an_upstream),
	   TEST(a_chunked_body_that_pauses_is_passed_on),
	   TEST(a_body_that_waits_for_100_is_not_waited_for),
	   TEST(a_client_that_ends_in_the_middle_is_logged),
	   TEST(a_client_that_asks_nothing_is_closed_in_silence))
