#include "fixture.h"

#define PUT_CHUNKED                                                                                \
	"PUT / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"

static uint64_t count(enum reason reason)
{
	return metrics_get(&worker.metrics.requests[reason]);
}

static void keeps_the_upstream_for_the_next_request(void)
{
	int client, other, origin;

	fixture_start();
	client = fixture_connect();
	origin = fixture_exchange(client, -1);
	CHECK_INT(metrics_get(&worker.metrics.upstream_connections_idle), 1);
	fixture_exchange(client, origin);
	other = fixture_connect();
	fixture_exchange(other, origin);
	CHECK_INT(metrics_get(&worker.metrics.upstream_connections), 1);
	CHECK_INT(metrics_get(&worker.metrics.upstream_reused), 2);
	CHECK_INT(count(REASON_OK), 3);
	CHECK_INT(metrics_get(&worker.metrics.received_bytes), 3 * strlen(GET));
	CHECK_INT(metrics_get(&worker.metrics.sent_bytes), 3 * strlen(RESPONSE));
	fixture_close(client);
	fixture_close(other);
	fixture_close(origin);
	fixture_stop();
}

static void keeps_no_upstream_that_said_too_much_or_goodbye(void)
{
	static const char *const responses[] = {
		RESPONSE "HTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nDate: now\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.0 200 OK\r\nDate: now\r\nContent-Length: 2\r\n\r\nok",
	};

	for (size_t i = 0; i < sizeof responses / sizeof responses[0]; i++) {
		int client, origin;

		fixture_start();
		client = fixture_request(GET);
		origin = fixture_accept();
		fixture_expect(origin, GET_AT_ORIGIN);
		fixture_send(origin, responses[i]);
		/* The client need not know. */
		fixture_expect(client, RESPONSE);
		fixture_expect_end(origin);
		fixture_close(origin);
		fixture_expect_log("ok");
		fixture_close(fixture_exchange(client, -1));
		fixture_close(client);
		fixture_stop();
	}
}

/* The upstream closes a kept connection at the moment at which the next request is on its way. */
static void repeats_what_may_be_repeated_once(void)
{
	int client, origin, fresh;

	fixture_start();
	client = fixture_connect();
	origin = fixture_exchange(client, -1);
	fixture_send(client, GET);
	fixture_expect(origin, GET_AT_ORIGIN);
	fixture_close(origin);
	fresh = fixture_accept();
	fixture_expect(fresh, GET_AT_ORIGIN);
	fixture_send(fresh, RESPONSE);
	fixture_expect(client, RESPONSE);
	fixture_expect_log("ok");
	CHECK_INT(metrics_get(&worker.metrics.upstream_retries), 1);

	fixture_send(client, GET);
	fixture_expect(fresh, GET_AT_ORIGIN);
	fixture_reset(fresh);
	fresh = fixture_accept();
	fixture_expect(fresh, GET_AT_ORIGIN);
	fixture_close(fresh);
	fixture_expect_refusal(client, "HTTP/1.1 502 ", "upstream_closed", false);
	fixture_expect_no_upstream();
	CHECK_INT(metrics_get(&worker.metrics.upstream_retries), 2);
	fixture_close(client);
	fixture_stop();
}

static void repeats_nothing_else(void)
{
	static const struct {
		const char *label, *request, *request_end, *before_end;
		const char *status;
	} rows[] = {
		{"not idempotent", POST, "abc", "", "HTTP/1.1 502 "},
		{"part of an answer came", GET, "\r\n\r\n", "HTTP/1.1 2", "HTTP/1.1 502 "},
		{"an interim response came", GET, "\r\n\r\n", "HTTP/1.1 102 Processing\r\n\r\n",
		 "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 502 "},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int client, origin;

		fixture_start();
		client = fixture_connect();
		origin = fixture_exchange(client, -1);
		fixture_send(client, rows[i].request);
		fixture_expect_up_to(origin, rows[i].request_end);
		fixture_send(origin, rows[i].before_end);
		fixture_settle();
		fixture_close(origin);
		fixture_expect(client, rows[i].status);
		fixture_expect_log("upstream_closed");
		fixture_expect_no_upstream();
		CHECK_ROW(rows[i].label, metrics_get(&worker.metrics.upstream_retries) == 0);
		fixture_close(client);
		fixture_stop();
	}
}

static void a_small_body_is_repeated_with_its_head(void)
{
	int client, origin;

	fixture_start();
	client = fixture_connect();
	origin = fixture_exchange(client, -1);
	fixture_send(client, PUT_CHUNKED);
	fixture_expect_up_to(origin, "3\r\nabc\r\n0\r\n\r\n");
	fixture_close(origin);
	origin = fixture_accept();
	fixture_expect(origin, "PUT / HTTP/1.1\r\nHost: up.example\r\n");
	fixture_expect_up_to(origin, "\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
	fixture_send(origin, RESPONSE);
	fixture_expect(client, RESPONSE);
	fixture_close(client);
	fixture_close(origin);
	fixture_stop();
}

static void a_session_keeps_the_view_it_started_with(void)
{
	int client, origin;

	fixture_start();
	client = fixture_request(GET);
	origin = fixture_accept();
	fixture_publish();
	fixture_settle();
	CHECK_INT(atomic_load(&generation->refs), 3);
	fixture_send(origin, RESPONSE);
	fixture_expect(client, RESPONSE);
	fixture_settle();
	CHECK_INT(atomic_load(&generation->refs), 2);
	fixture_close(client);
	fixture_close(origin);
	fixture_stop();
}

/* What an origin and a client do while any allocation may fail: whatever happens, nobody hangs. */
static void try_exchange(const char *request)
{
	int client = fixture_request(request), origin = -1;
	struct pollfd ends[2];
	char bytes[4096];

	for (int i = 0; i < 40; i++) {
		fixture_turn();
		if (origin == -1)
			origin = accept4(origin_listener, NULL, NULL, SOCK_CLOEXEC);
		if (origin != -1 && recv(origin, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
			send(origin, RESPONSE, strlen(RESPONSE), MSG_NOSIGNAL);
		ends[0] = (struct pollfd){.fd = client, .events = POLLIN};
		/* An answer, or the end. */
		if (poll(ends, 1, 0) == 1)
			break;
	}
	CHECK(poll(ends, 1, 0) == 1);
	fixture_close(client);
	if (origin != -1)
		fixture_close(origin);
	fixture_settle();
}

static void lives_through_every_failing_allocation(void)
{
	static const char *const requests[] = {
		GET, "GET / HTTP/1.1\r\nHost: web\r\nTE: trailers\r\nConnection: TE\r\n\r\n",
		PUT_CHUNKED};
	int descriptors = fixture_descriptors(), failures = 0;

	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		bool failed = true;

		for (int n = 0; failed; n++) {
			uint64_t before;
			int client;

			CHECK(n < 100);
			fixture_start();
			before = alloc_count();
			alloc_fail_after(n);
			try_exchange(requests[i]);
			alloc_fail_after(-1);
			failed = alloc_count() - before > (uint64_t)n;
			failures += failed;
			/* And then it serves again. */
			fixture_ring.taken = fixture_ring.put;
			client = fixture_connect();
			fixture_close(fixture_exchange(client, -1));
			fixture_close(client);
			fixture_stop();
			CHECK_INT(fixture_descriptors(), descriptors);
		}
	}
	CHECK(failures > 10);
}

UNIT_TESTS(TEST(keeps_the_upstream_for_the_next_request),
	   TEST(keeps_no_upstream_that_said_too_much_or_goodbye),
	   TEST(repeats_what_may_be_repeated_once), TEST(repeats_nothing_else),
	   TEST(a_small_body_is_repeated_with_its_head),
	   TEST(a_session_keeps_the_view_it_started_with),
	   TEST(lives_through_every_failing_allocation))
