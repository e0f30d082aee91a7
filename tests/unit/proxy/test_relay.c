#include "fixture.h"

#include "proxy/relay.h"

static const struct addr client_at = {.family = 4, .port = 7, .bytes = {10, 0, 0, 7}};

/* A client whose connection is passed on to `to`. */
static int relayed_to(const struct addr *to)
{
	struct relay_client client = {.peer = client_at, .original = *to};
	int fd = fixture_pair(&client.fd);

	metrics_add(&worker.metrics.client_connections_open, 1);
	relay_start(&worker, &client, VERDICT_INTERNAL, to);
	return fd;
}

static int relayed_to_name(unsigned target)
{
	struct relay_client client = {.peer = client_at, .original = origin_at};
	int fd = fixture_pair(&client.fd);

	metrics_add(&worker.metrics.client_connections_open, 1);
	relay_start_to_name(&worker, &client, target);
	return fd;
}

static struct addr nobody(void)
{
	struct addr at = {.family = 4, .bytes = {127, 0, 0, 1}};
	struct error e;
	int fd = listener_open(&at, false, &e);

	fd_close(&fd);
	return at;
}

static void passes_bytes_and_ends_and_says_so(void)
{
	struct span line;
	int client, origin;

	fixture_start();
	client = relayed_to(&origin_at);
	origin = fixture_accept();
	fixture_send(origin, "hello");
	fixture_expect(client, "hello");
	fixture_send(client, "hi");
	fixture_expect(origin, "hi");
	CHECK(shutdown(client, SHUT_WR) == 0);
	fixture_expect_end(origin);
	fixture_send(origin, "bye");
	fixture_expect(client, "bye");
	CHECK_INT(worker.blocks.in_use, 0);
	fixture_close(origin);
	fixture_expect_end(client);
	line = fixture_log_line();
	CHECK(strstr(line.ptr, " client=10.0.0.7:7 method=TCP host=\"\" path=\"\" status=0 ") !=
	      NULL);
	CHECK(strstr(line.ptr, " rx=2 tx=8 ") != NULL);
	/* Its destination is an address of this machine. */
	CHECK(strstr(line.ptr, " reason=ok source=\"\" verdict=passed_inbound original=127") !=
	      NULL);
	CHECK_INT(metrics_get(&worker.metrics.verdicts[VERDICT_INBOUND]), 1);
	fixture_close(client);
	fixture_stop();
}

static void what_was_read_before_goes_first(void)
{
	struct relay_client client = {.peer = client_at, .original = origin_at};
	int fd, origin;

	fixture_start();
	fd = fixture_pair(&client.fd);
	CHECK(iobuf_hold(&client.first, &worker.blocks));
	iobuf_append(&client.first, SPAN("(first)"));
	fixture_send(fd, "second");
	metrics_add(&worker.metrics.client_connections_open, 1);
	relay_start(&worker, &client, VERDICT_ANY, &origin_at);
	origin = fixture_accept();
	fixture_expect(origin, "(first)second");
	fixture_close(fd);
	fixture_expect_end(origin);
	fixture_close(origin);
	fixture_expect_log("ok");
	fixture_stop();
}

static void resets_are_carried_over(void)
{
	int client, origin;

	fixture_start();
	client = relayed_to(&origin_at);
	origin = fixture_accept();
	fixture_settle();
	fixture_reset(client);
	fixture_expect_reset(origin);
	fixture_expect_log("client_closed");
	fixture_close(origin);
	client = relayed_to(&origin_at);
	origin = fixture_accept();
	fixture_send(origin, "last words");
	fixture_reset(origin);
	fixture_expect(client, "last words");
	fixture_expect_reset(client);
	fixture_expect_log("upstream_reset");
	fixture_close(client);
	fixture_stop();
}

/* Fills everything between the two until nothing moves. */
static void fill(int fd)
{
	static const char block[65536];
	int idle = 0;

	while (idle < 20) {
		idle = send(fd, block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT) > 0 ? 0
										      : idle + 1;
		fixture_turn();
	}
}

static void a_reset_ends_what_waits_for_the_other_side_to_read(void)
{
	int client, origin;

	fixture_start();
	client = relayed_to(&origin_at);
	origin = fixture_accept();
	fill(client);
	fixture_reset(client);
	fixture_expect_log("client_closed");
	fixture_close(origin);
	client = relayed_to(&origin_at);
	origin = fixture_accept();
	fill(origin);
	fixture_reset(origin);
	fixture_expect_log("upstream_reset");
	fixture_close(client);
	fixture_stop();
}

static void who_is_not_there_is_a_reset(void)
{
	struct addr at;
	int client;

	fixture_start();
	at = nobody();
	client = relayed_to(&at);
	fixture_expect_reset(client);
	fixture_expect_log("connect_refused");
	fixture_close(client);
	fixture_stop();
}

static void a_client_that_gives_up_while_connecting_ends_it(void)
{
	struct addr at = {.family = 4, .port = 81, .bytes = {192, 0, 2, 1}};
	int client;

	fixture_start();
	client = relayed_to(&at);
	fixture_reset(client);
	fixture_expect_log(worker.relay_slab.in_use > 0 ? "client_closed" : "connect_failed");
	fixture_stop();
}

static void idling_ends_with_a_reset(void)
{
	int client, origin;

	fixture_configure();
	config.timeouts.tunnel_ms = FIXTURE_SOON_MS;
	fixture_start_configured();
	client = relayed_to(&origin_at);
	origin = fixture_accept();
	fixture_expect_reset(client);
	fixture_expect_reset(origin);
	fixture_expect_log("tunnel_timeout");
	fixture_close(client);
	fixture_close(origin);
	fixture_stop();
}

static void a_name_is_waited_for_and_its_addresses_tried_in_turn(void)
{
	struct addr addrs[2];
	int client, origin;

	fixture_start();
	client = relayed_to_name(FIXTURE_WAIT);
	fixture_settle();
	fixture_expect_no_upstream();
	addrs[0] = nobody();
	addrs[1] = origin_at;
	fixture_set_endpoints(FIXTURE_WAIT, RESOLVER_OK, addrs, 2);
	fixture_publish();
	origin = fixture_accept();
	fixture_send(client, "x");
	fixture_expect(origin, "x");
	/* The next one does not run into the same address. */
	CHECK_INT(addresses_state(&worker.addresses, &addrs[0], loop_now_ms(&worker.loop)),
		  ADDRESSES_RESTING);
	CHECK_INT(addresses_state(&worker.addresses, &origin_at, loop_now_ms(&worker.loop)),
		  ADDRESSES_FINE);
	fixture_close(client);
	fixture_close(origin);
	CHECK(strstr(fixture_log_line().ptr, " host=\"wait.example\" ") != NULL);
	client = relayed_to_name(FIXTURE_GONE);
	fixture_expect_reset(client);
	fixture_expect_log("dns_nxdomain");
	fixture_close(client);
	fixture_stop();
}

static void waits_on_when_the_table_changes(void)
{
	static const char *const rows[] = {"new.default new.example 80:http",
					   "wait.default wait.example 80:http", NULL};
	struct generation *other = view_generation_new(tables_new(rows));
	struct endpoints *known[2];
	struct view *view;
	int client, origin;

	fixture_start();
	known[0] = view_endpoints_new(RESOLVER_NXDOMAIN, NULL, 0);
	known[1] = view_endpoints_new(RESOLVER_OK, &origin_at, 1);
	client = relayed_to_name(FIXTURE_WAIT);
	fixture_settle();
	fixture_expect_no_upstream();
	view = view_new(other, known);
	CHECK(view != NULL);
	worker_publish(&worker, view);
	view_unref(view);
	origin = fixture_accept();
	fixture_send(client, "x");
	fixture_expect(origin, "x");
	fixture_close(client);
	fixture_close(origin);
	for (int i = 0; i < 2; i++)
		view_endpoints_unref(known[i]);
	fixture_stop();
	view_generation_unref(other);
}

static void a_name_without_an_answer_in_time_is_a_reset(void)
{
	int client;

	fixture_configure();
	config.timeouts.resolve_ms = FIXTURE_SOON_MS;
	fixture_start_configured();
	client = relayed_to_name(FIXTURE_WAIT);
	/* Other names' answers change nothing. */
	fixture_publish();
	fixture_expect_reset(client);
	fixture_expect_log("dns_timeout");
	fixture_close(client);
	fixture_stop();
}

static void a_full_worker_resets(void)
{
	int client;

	fixture_configure();
	config.max_sessions = 0;
	fixture_start_configured();
	client = relayed_to(&origin_at);
	fixture_expect_reset(client);
	fixture_close(client);
	fixture_stop();
}

static void stopping_waits_for_relays_and_stopping_at_once_resets_them(void)
{
	int client, origin;

	fixture_start();
	client = relayed_to(&origin_at);
	origin = fixture_accept();
	worker_stop(&worker, false);
	fixture_settle();
	CHECK(!worker.loop.stop);
	fixture_send(client, "still");
	fixture_expect(origin, "still");
	worker_stop(&worker, true);
	fixture_expect_reset(client);
	fixture_expect_log("shutdown");
	CHECK(worker.loop.stop);
	fixture_close(client);
	fixture_close(origin);
	fixture_stop();
}

UNIT_TESTS(TEST(passes_bytes_and_ends_and_says_so), TEST(what_was_read_before_goes_first),
	   TEST(resets_are_carried_over), TEST(a_reset_ends_what_waits_for_the_other_side_to_read),
	   TEST(who_is_not_there_is_a_reset), TEST(a_client_that_gives_up_while_connecting_ends_it),
	   TEST(idling_ends_with_a_reset),
	   TEST(a_name_is_waited_for_and_its_addresses_tried_in_turn),
	   TEST(waits_on_when_the_table_changes), TEST(a_name_without_an_answer_in_time_is_a_reset),
	   TEST(a_full_worker_resets),
	   TEST(stopping_waits_for_relays_and_stopping_at_once_resets_them))
