#include "fixture.h"

#include "proxy/transparent.h"

/* A client to the outside: one whose destination is the origin's address. */
static int redirected(void)
{
	struct addr peer = {.family = 4, .port = 7, .bytes = {10, 0, 0, 7}};
	int accepted, fd = fixture_pair(&accepted);

	session_start(&worker, accepted, &peer, &origin_at);
	return fd;
}

static uint64_t refused(enum reason reason)
{
	return metrics_get(&worker.metrics.refused[reason]);
}

static void with_policy(enum verdict_policy policy)
{
	fixture_configure();
	config.policy = policy;
	fixture_start_configured();
}

static void a_request_is_routed_and_the_log_says_where_it_was_going(void)
{
	struct span line;
	int client, origin;

	fixture_start();
	client = redirected();
	fixture_settle();
	CHECK_INT(worker.exchange_slab.in_use, 0);
	fixture_send(client, "GE");
	fixture_settle();
	fixture_send(client, &GET[2]);
	origin = fixture_accept();
	fixture_expect(origin, GET_AT_ORIGIN);
	fixture_send(origin, RESPONSE);
	fixture_expect(client, RESPONSE);
	line = fixture_log_line();
	CHECK(strstr(line.ptr, " verdict=routed_http original=127.0.0.1:") != NULL);
	CHECK_INT(metrics_get(&worker.metrics.verdicts[VERDICT_HTTP]), 1);
	fixture_close(client);
	fixture_close(origin);
	fixture_stop();
}

static void an_unknown_host_is_refused_and_counted(void)
{
	int client;

	fixture_start();
	client = redirected();
	fixture_send(client, "GET / HTTP/1.1\r\nHost: nobody\r\n\r\n");
	fixture_expect_refusal(client, "HTTP/1.1 404 ", "unknown_host", false);
	CHECK(strstr(fixture_log_line().ptr, " verdict=refused ") != NULL);
	CHECK_INT(refused(REASON_UNKNOWN_HOST), 1);
	fixture_close(client);
	fixture_stop();
}

static void what_is_neither_is_reset_when_it_is_known_to_be(void)
{
	int client;

	with_policy(VERDICT_POLICY_REGISTERED);
	client = redirected();
	fixture_send(client, "SSH");
	fixture_expect_nothing(client);
	fixture_send(client, "-2.0-x y");
	fixture_expect_reset(client);
	CHECK_INT(refused(REASON_UNRECOGNISED), 1);
	fixture_close(client);
	client = redirected();
	fixture_send(client, "SSH");
	CHECK(shutdown(client, SHUT_WR) == 0);
	fixture_expect_reset(client);
	CHECK_INT(refused(REASON_UNRECOGNISED), 2);
	fixture_close(client);
	fixture_stop();
}

static void silence_is_decided_on_when_its_time_is_over(void)
{
	int client, origin;

	for (int any = 0; any < 2; any++) {
		fixture_configure();
		config.timeouts.detect_ms = FIXTURE_SOON_MS;
		config.policy = any ? VERDICT_POLICY_ANY : VERDICT_POLICY_REGISTERED;
		fixture_start_configured();
		client = redirected();
		if (any) {
			origin = fixture_accept();
			fixture_send(origin, "hello");
			fixture_expect(client, "hello");
			fixture_close(origin);
			CHECK_INT(metrics_get(&worker.metrics.verdicts[VERDICT_ANY]), 1);
		} else {
			fixture_expect_reset(client);
			CHECK_INT(refused(REASON_DETECT_TIMEOUT), 1);
		}
		fixture_close(client);
		fixture_settle();
		fixture_stop();
	}
}

static void a_client_that_leaves_without_a_word_is_no_refusal(void)
{
	int client;

	with_policy(VERDICT_POLICY_REGISTERED);
	client = redirected();
	fixture_close(client);
	fixture_settle();
	CHECK_INT(worker.redirected_slab.in_use, 0);
	CHECK_INT(refused(REASON_UNRECOGNISED), 0);
	fixture_stop();
}

static void under_any_what_is_for_nobody_goes_where_it_wanted_byte_for_byte(void)
{
	static const char *const rows[] = {
		"GET / HTTP/1.1\r\nHost: nobody\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n",
		"GET / HTTP/7.7\r\n",
		"CONNECT nobody:1 HTTP/1.1\r\nHost: nobody:1\r\n\r\n",
		"SSH-2.0-x y",
	};

	with_policy(VERDICT_POLICY_ANY);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int client = redirected(), origin;

		fixture_send(client, rows[i]);
		origin = fixture_accept();
		fixture_expect(origin, rows[i]);
		fixture_close(client);
		fixture_expect_end(origin);
		fixture_close(origin);
		fixture_expect_log("ok");
	}
	fixture_stop();
}

static void a_listener_of_redirected_connections_refuses_all_others(void)
{
	int client;

	fixture_start();
	worker.listeners[0].transparent = true;
	worker.listeners[0].port = proxy_at.port;
	client = fixture_request(GET);
	fixture_expect_reset(client);
	CHECK_INT(refused(REASON_NOT_REDIRECTED), 1);
	fixture_close(client);
	fixture_stop();
}

UNIT_TESTS(TEST(a_request_is_routed_and_the_log_says_where_it_was_going),
	   TEST(an_unknown_host_is_refused_and_counted),
	   TEST(what_is_neither_is_reset_when_it_is_known_to_be),
	   TEST(silence_is_decided_on_when_its_time_is_over),
	   TEST(a_client_that_leaves_without_a_word_is_no_refusal),
	   TEST(under_any_what_is_for_nobody_goes_where_it_wanted_byte_for_byte),
	   TEST(a_listener_of_redirected_connections_refuses_all_others))
