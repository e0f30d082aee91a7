#include "fixture.h"

static size_t sessions(void)
{
	return worker.session_slab.in_use;
}

static void an_idle_connection_holds_neither_exchange_nor_block(void)
{
	int client, origin;

	fixture_start();
	client = fixture_connect();
	fixture_settle();
	CHECK_INT(sessions(), 1);
	CHECK_INT(worker.exchange_slab.in_use, 0);
	origin = fixture_exchange(client, -1);
	fixture_settle();
	CHECK_INT(sessions(), 1);
	CHECK_INT(worker.exchange_slab.in_use, 0);
	CHECK_INT(worker.blocks.in_use, 0);
	fixture_close(client);
	fixture_settle();
	CHECK_INT(sessions(), 0);
	fixture_close(origin);
	fixture_stop();
}

static void an_idle_connection_is_closed_after_a_while_without_a_word(void)
{
	int client, origin;

	fixture_configure();
	config.timeouts.idle_ms = FIXTURE_SOON_MS;
	fixture_start_configured();
	client = fixture_connect();
	fixture_expect_end(client);
	fixture_close(client);
	client = fixture_connect();
	origin = fixture_exchange(client, -1);
	fixture_expect_end(client);
	CHECK_INT(fixture_ring.put, fixture_ring.taken);
	fixture_close(client);
	fixture_close(origin);
	fixture_stop();
}

static void a_head_that_takes_too_long_is_408(void)
{
	uint64_t until;
	int client;

	fixture_configure();
	config.timeouts.header_ms = FIXTURE_SOON_MS;
	fixture_start_configured();
	client = fixture_request("GET / HTTP/1.1\r\n");
	/* A byte now and then does not help: what counts is from the first to the last. */
	until = clock_monotonic_ms() + FIXTURE_DEADLINE_MS;
	while (fixture_ring.put == 0 && clock_monotonic_ms() < until) {
		CHECK(send(client, "a", 1, MSG_NOSIGNAL) == 1);
		fixture_turn();
	}
	fixture_expect_refusal(client, "HTTP/1.1 408 ", "header_timeout", true);
	fixture_expect_log("header_timeout");
	fixture_close(client);
	fixture_stop();
}

static void pipelined_requests_are_answered_in_order(void)
{
	enum { COUNT = 100 };
	char text[256];
	int client, origin;

	fixture_start();
	client = fixture_connect();
	for (int i = 0; i < COUNT; i++) {
		snprintf(text, sizeof text, "GET /%d HTTP/1.1\r\nHost: %s\r\n\r\n", i,
			 i % 3 == 0 ? "web" : "nobody");
		fixture_send(client, text);
	}
	origin = fixture_accept();
	for (int i = 0; i < COUNT; i++) {
		if (i % 3 != 0) {
			fixture_expect_refusal(client, "HTTP/1.1 404 ", "unknown_host", false);
			continue;
		}
		snprintf(text, sizeof text, "GET /%d HTTP/1.1\r\nHost: up.example\r\n", i);
		fixture_expect(origin, text);
		fixture_expect_up_to(origin, "\r\n\r\n");
		fixture_send(origin, RESPONSE);
		fixture_expect(client, RESPONSE);
	}
	fixture_expect_nothing(client);
	fixture_close(client);
	fixture_close(origin);
	fixture_stop();
}

static void one_that_pipelines_does_not_keep_the_others_waiting(void)
{
	enum { COUNT = 200 };
	int greedy, other;
	struct error e;

	fixture_start();
	greedy = fixture_connect();
	other = fixture_connect();
	fixture_settle();
	for (int i = 0; i < COUNT; i++)
		fixture_send(greedy, "GET / HTTP/1.1\r\nHost: nobody\r\n\r\n");
	CHECK(loop_turn(&worker.loop, 1, &e));
	CHECK(metrics_get(&worker.metrics.requests[REASON_UNKNOWN_HOST]) < COUNT / 2);
	fixture_send(other, "GET / HTTP/1.1\r\nHost: nobody\r\n\r\n");
	fixture_expect_refusal(other, "HTTP/1.1 404 ", "unknown_host", false);
	for (int i = 0; i < COUNT; i++)
		fixture_expect_refusal(greedy, "HTTP/1.1 404 ", "unknown_host", false);
	fixture_close(greedy);
	fixture_close(other);
	fixture_stop();
}

static void a_half_closed_client_gets_its_answer(void)
{
	int client, origin;

	fixture_start();
	client = fixture_request(GET);
	CHECK(shutdown(client, SHUT_WR) == 0);
	origin = fixture_accept();
	fixture_expect(origin, GET_AT_ORIGIN);
	fixture_settle();
	fixture_send(origin, RESPONSE);
	fixture_expect(client, RESPONSE);
	fixture_expect_end(client);
	fixture_expect_log("ok");
	fixture_settle();
	CHECK_INT(sessions(), 0);
	fixture_close(client);
	fixture_close(origin);
	fixture_stop();
}

static void a_reset_ends_what_is_under_way(void)
{
	int client, origin;

	fixture_start();
	client = fixture_request(GET);
	origin = fixture_accept();
	fixture_expect(origin, GET_AT_ORIGIN);
	fixture_reset(client);
	fixture_expect_end(origin);
	fixture_expect_log("client_closed");
	fixture_settle();
	CHECK_INT(sessions(), 0);
	fixture_close(origin);
	fixture_stop();
}

static void lingers_after_a_refusal_so_that_the_answer_arrives(void)
{
	static char body[100000];
	int client;

	fixture_start();
	client = fixture_request(
		"POST / HTTP/1.1\r\nHost: nobody\r\nContent-Length: 100000\r\n\r\n");
	fixture_settle();
	/* What comes now would make the kernel reset the connection if it had been closed. */
	fixture_send_span(client, span_of(body, sizeof body));
	fixture_settle();
	fixture_expect_refusal(client, "HTTP/1.1 404 ", "unknown_host", true);
	fixture_expect_end(client);
	CHECK_INT(sessions(), 1);
	CHECK_INT(worker.blocks.in_use, 0);
	fixture_close(client);
	fixture_settle();
	CHECK_INT(sessions(), 0);
	fixture_stop();
}

static void lingers_neither_for_ever_nor_for_everything(void)
{
	static char body[512 << 10];
	struct timeval soon = {.tv_sec = 1};
	uint64_t until;
	int client;

	fixture_configure();
	config.timeouts.linger_ms = FIXTURE_SOON_MS;
	fixture_start_configured();
	client = fixture_request("POST / HTTP/1.1\r\nHost: nobody\r\nContent-Length: 9\r\n\r\n");
	fixture_expect_refusal(client, "HTTP/1.1 404 ", "unknown_host", true);
	fixture_turn_for(3 * FIXTURE_SOON_MS);
	CHECK_INT(sessions(), 0);
	fixture_close(client);
	fixture_stop();

	fixture_start();
	client = fixture_request("POST / HTTP/1.1\r\nHost: nobody\r\nContent-Length: 9\r\n\r\n");
	CHECK(setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon) == 0);
	until = clock_monotonic_ms() + FIXTURE_DEADLINE_MS;
	fixture_settle();
	while (sessions() > 0 && clock_monotonic_ms() < until) {
		ssize_t n = send(client, body, sizeof body, MSG_NOSIGNAL | MSG_DONTWAIT);

		CHECK(n > 0 || errno == EAGAIN || errno == EPIPE || errno == ECONNRESET);
		fixture_turn();
	}
	CHECK_INT(sessions(), 0);
	fixture_close(client);
	fixture_stop();
}

static void refuses_connections_beyond_the_bound(void)
{
	int clients[3];

	fixture_configure();
	config.max_sessions = 2;
	fixture_start_configured();
	for (int i = 0; i < 3; i++)
		clients[i] = fixture_connect();
	fixture_expect_end(clients[2]);
	CHECK_INT(metrics_get(&worker.metrics.client_connections_refused), 1);
	CHECK_INT(metrics_get(&worker.metrics.client_connections_open), 2);
	fixture_close(clients[2]);
	/* Those that are in are served, and one that leaves makes room. */
	fixture_close(fixture_exchange(clients[1], -1));
	fixture_close(clients[0]);
	fixture_settle();
	clients[0] = fixture_connect();
	fixture_close(fixture_exchange(clients[0], -1));
	fixture_close(clients[0]);
	fixture_close(clients[1]);
	fixture_stop();
}

UNIT_TESTS(TEST(an_idle_connection_holds_neither_exchange_nor_block),
	   TEST(an_idle_connection_is_closed_after_a_while_without_a_word),
	   TEST(a_head_that_takes_too_long_is_408), TEST(pipelined_requests_are_answered_in_order),
	   TEST(one_that_pipelines_does_not_keep_the_others_waiting),
	   TEST(a_half_closed_client_gets_its_answer), TEST(a_reset_ends_what_is_under_way),
	   TEST(lingers_after_a_refusal_so_that_the_answer_arrives),
	   TEST(lingers_neither_for_ever_nor_for_everything),
	   TEST(refuses_connections_beyond_the_bound))
