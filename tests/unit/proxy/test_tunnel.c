#include "fixture.h"

#define ASK "GET / HTTP/1.1\r\nHost: web\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
#define SWITCH "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"

static int client, origin;

static void open_tunnel(const char *early)
{
	char text[256];

	client = fixture_request(ASK);
	origin = fixture_accept();
	fixture_expect_up_to(origin, "\r\n\r\n");
	snprintf(text, sizeof text, SWITCH "%s", early);
	fixture_send(origin, text);
	fixture_expect(client, "HTTP/1.1 101 Switching Protocols\r\n");
	fixture_expect_up_to(client, "\r\n\r\n");
	fixture_expect(client, early);
}

static void end(void)
{
	fixture_close(client);
	fixture_close(origin);
	fixture_stop();
}

static void carries_bytes_both_ways(void)
{
	static char bytes[256];

	for (int i = 0; i < 256; i++)
		bytes[i] = (char)i;
	fixture_start();
	open_tunnel("");
	for (int i = 0; i < 20; i++) {
		char got[256];

		fixture_send_span(client, span_of(bytes, sizeof bytes));
		for (size_t n = 0; n < sizeof got;)
			n += (size_t)fixture_receive(origin, got + n, sizeof got - n);
		CHECK(memcmp(got, bytes, sizeof got) == 0);
		fixture_send_span(origin, span_of(got, sizeof got));
		for (size_t n = 0; n < sizeof got;)
			n += (size_t)fixture_receive(client, got + n, sizeof got - n);
		CHECK(memcmp(got, bytes, sizeof got) == 0);
	}
	/* Between two bursts it holds no block. */
	fixture_settle();
	CHECK_INT(worker.blocks.in_use, 0);
	end();
}

static void loses_nothing_that_came_early(void)
{
	fixture_start();
	open_tunnel("from the upstream");
	end();
	fixture_start();
	client = fixture_request(ASK "from the client");
	origin = fixture_accept();
	fixture_expect_up_to(origin, "\r\n\r\n");
	fixture_expect_nothing(origin);
	fixture_send(origin, SWITCH);
	fixture_expect(origin, "from the client");
	end();
}

static void passes_each_end_on_and_the_other_way_stays(void)
{
	fixture_start();
	open_tunnel("");
	fixture_send(client, "last");
	CHECK(shutdown(client, SHUT_WR) == 0);
	fixture_expect(origin, "last");
	fixture_expect_end(origin);
	fixture_send(origin, "answer");
	fixture_expect(client, "answer");
	CHECK(shutdown(origin, SHUT_WR) == 0);
	fixture_expect_end(client);
	fixture_expect_log("ok");
	end();

	fixture_start();
	open_tunnel("");
	CHECK(shutdown(origin, SHUT_WR) == 0);
	fixture_expect_end(client);
	fixture_send(client, "still here");
	fixture_expect(origin, "still here");
	CHECK(shutdown(client, SHUT_WR) == 0);
	fixture_expect_end(origin);
	fixture_expect_log("ok");
	end();
}

static void a_reset_ends_both_sides(void)
{
	fixture_start();
	open_tunnel("");
	fixture_reset(client);
	fixture_expect_end(origin);
	fixture_close(origin);
	fixture_expect_log("client_closed");
	open_tunnel("");
	fixture_reset(origin);
	fixture_expect_end(client);
	fixture_close(client);
	fixture_log_line();
	fixture_settle();
	CHECK_INT(worker.session_slab.in_use, 0);
	fixture_stop();
}

static void one_that_idles_too_long_is_closed(void)
{
	fixture_configure();
	config.timeouts.tunnel_ms = 3 * FIXTURE_SOON_MS;
	fixture_start_configured();
	open_tunnel("");
	/* Traffic either way keeps it. */
	for (int i = 0; i < 6; i++) {
		fixture_turn_for(FIXTURE_SOON_MS);
		fixture_send(i % 2 == 0 ? client : origin, "x");
		fixture_expect(i % 2 == 0 ? origin : client, "x");
	}
	fixture_expect_end(client);
	fixture_expect_end(origin);
	fixture_expect_log("tunnel_timeout");
	end();
}

static void is_not_opened_for_a_protocol_that_was_not_offered(void)
{
	fixture_start();
	client = fixture_request(ASK);
	origin = fixture_accept();
	fixture_expect_up_to(origin, "\r\n\r\n");
	fixture_send(origin, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
			     "Upgrade: other\r\n\r\n");
	fixture_expect(client, "HTTP/1.1 502 ");
	fixture_expect_end(origin);
	fixture_expect_log("unasked_upgrade");
	end();
}

static void an_upstream_that_does_not_switch_answers_as_always(void)
{
	fixture_start();
	client = fixture_request(ASK);
	origin = fixture_accept();
	fixture_expect_up_to(origin, "\r\n\r\n");
	fixture_send(origin, RESPONSE);
	fixture_expect(client, RESPONSE);
	fixture_expect_log("ok");
	fixture_exchange(client, origin);
	end();
}

UNIT_TESTS(TEST(carries_bytes_both_ways), TEST(loses_nothing_that_came_early),
	   TEST(passes_each_end_on_and_the_other_way_stays), TEST(a_reset_ends_both_sides),
	   TEST(one_that_idles_too_long_is_closed),
	   TEST(is_not_opened_for_a_protocol_that_was_not_offered),
	   TEST(an_upstream_that_does_not_switch_answers_as_always))
