#include "fixture.h"

#include "proxy/upstream.h"

static struct route_target target = {.host = {"up.example", 10}, .port = 80};
static int events;

static void on_event(struct upstream *u)
{
	CHECK(u->user == &events);
	events++;
}

/* A connection to `at`, through its set-up. */
static struct upstream *connect_to(const struct addr *at)
{
	enum reason reason = REASON_OK;
	struct upstream *u;

	events = 0;
	u = upstream_connect(upstream_pool_for(&worker, &target), &worker, NULL, at, &events,
			     on_event, &reason);
	CHECK(u != NULL);
	/* Never from within the call. */
	CHECK_INT(events, 0);
	for (int i = 0; i < 1000 && upstream_advance(u) == UPSTREAM_CONNECTING; i++)
		fixture_turn();
	return u;
}

static struct upstream *connect_ready(int *origin)
{
	struct upstream *u = connect_to(&origin_at);

	CHECK_INT(u->phase, UPSTREAM_READY);
	CHECK(events > 0);
	*origin = fixture_accept();
	return u;
}

static struct upstream *take(bool check)
{
	return upstream_take_idle(upstream_pool_for(&worker, &target), &events, on_event, check);
}

static uint64_t idle(void)
{
	CHECK_INT(metrics_get(&worker.metrics.upstream_connections_idle),
		  upstream_pool_for(&worker, &target)->idle_count);
	return metrics_get(&worker.metrics.upstream_connections_idle);
}

static void a_pool_is_for_one_host_port_protocol_and_identity(void)
{
	struct route_target other_port = target, other_tls = target, other_host = target;
	char same[] = "up.example";
	struct route_target copy = {.host = {same, 10}, .port = 80};
	struct identity ours = {.number = {1}}, equal = {.number = {1}}, theirs = {.number = {2}};
	struct upstream_pool *pool;

	fixture_start();
	pool = upstream_pool_for(&worker, &target);
	CHECK(pool != NULL);
	CHECK_TEXT(pool->host, "up.example");
	CHECK(upstream_pool_for(&worker, &copy) == pool);
	other_port.port = 81;
	other_tls.tls = true;
	other_host.host = SPAN("up.exampl");
	CHECK(upstream_pool_for(&worker, &other_port) != pool);
	CHECK(upstream_pool_for(&worker, &other_tls) != pool);
	CHECK(upstream_pool_for(&worker, &other_host) != pool);
	/* What was loaded anew with the same contents is the same. */
	copy = other_tls;
	other_tls.identity = &ours;
	CHECK(upstream_pool_for(&worker, &other_tls) != upstream_pool_for(&worker, &copy));
	copy.identity = &equal;
	CHECK(upstream_pool_for(&worker, &other_tls) == upstream_pool_for(&worker, &copy));
	copy.identity = &theirs;
	CHECK(upstream_pool_for(&worker, &other_tls) != upstream_pool_for(&worker, &copy));
	alloc_fail_after(0);
	CHECK(upstream_pool_for(&worker, &target) == pool);
	other_port.port = 82;
	CHECK(upstream_pool_for(&worker, &other_port) == NULL);
	alloc_fail_after(-1);
	fixture_stop();
}

static void hands_out_the_most_recently_used_first(void)
{
	struct upstream *u[3];
	int origins[3];

	fixture_start();
	CHECK(take(false) == NULL);
	for (int i = 0; i < 3; i++)
		u[i] = connect_ready(&origins[i]);
	for (int i = 0; i < 3; i++)
		upstream_give_back(u[i]);
	CHECK_INT(idle(), 3);
	for (int i = 2; i >= 0; i--) {
		CHECK(take(false) == u[i]);
		CHECK_INT(u[i]->requests, 1);
		CHECK(u[i]->user == &events);
	}
	CHECK_INT(idle(), 0);
	CHECK(take(false) == NULL);
	for (int i = 0; i < 3; i++) {
		upstream_close(u[i]);
		fixture_expect_end(origins[i]);
		fixture_close(origins[i]);
	}
	fixture_stop();
}

static void bytes_that_nobody_asked_for_end_an_idle_connection(void)
{
	struct upstream *u;
	int origin;

	fixture_start();
	u = connect_ready(&origin);
	upstream_give_back(u);
	fixture_settle();
	CHECK_INT(idle(), 1);
	fixture_send(origin, "HTTP/1.1 200 OK\r\n\r\n");
	/* Closed with bytes unread: the other end sees a reset. */
	fixture_expect_reset(origin);
	CHECK_INT(idle(), 0);
	CHECK(take(false) == NULL);
	fixture_close(origin);
	fixture_stop();
}

static void an_end_ends_an_idle_connection(void)
{
	struct upstream *u;
	int origin;

	fixture_start();
	u = connect_ready(&origin);
	upstream_give_back(u);
	fixture_close(origin);
	fixture_settle();
	CHECK_INT(idle(), 0);
	CHECK_INT(worker.upstream_slab.in_use, 0);
	fixture_stop();
}

static void is_not_kept_when_more_has_come_or_the_end(void)
{
	for (int ends = 0; ends < 2; ends++) {
		struct upstream *u;
		int origin;

		fixture_start();
		u = connect_ready(&origin);
		if (ends)
			CHECK(shutdown(origin, SHUT_WR) == 0);
		else
			fixture_send(origin, "more");
		fixture_settle();
		upstream_give_back(u);
		CHECK_INT(idle(), 0);
		fixture_close(origin);
		fixture_stop();
	}
}

/* What the loop has not told yet, the kernel knows. */
static void asks_the_kernel_before_it_hands_out_for_good(void)
{
	struct upstream *u[2];
	int origins[2];

	fixture_start();
	for (int i = 0; i < 2; i++)
		u[i] = connect_ready(&origins[i]);
	upstream_give_back(u[0]);
	upstream_give_back(u[1]);
	fixture_turn_for(50);
	fixture_close(origins[1]);
	usleep(20000);
	CHECK(take(true) == u[0]);
	CHECK_INT(idle(), 0);
	upstream_close(u[0]);
	fixture_close(origins[0]);
	fixture_stop();
}

static void an_idle_connection_is_closed_after_a_while(void)
{
	struct upstream *u;
	int origin;

	fixture_configure();
	config.timeouts.upstream_idle_ms = FIXTURE_SOON_MS;
	fixture_start_configured();
	u = connect_ready(&origin);
	upstream_give_back(u);
	CHECK(take(false) == u);
	/* In use it is not idle, however long. */
	fixture_turn_for(3 * FIXTURE_SOON_MS);
	CHECK_INT(worker.upstream_slab.in_use, 1);
	upstream_give_back(u);
	CHECK_INT(u->requests, 2);
	fixture_expect_end(origin);
	CHECK_INT(idle(), 0);
	fixture_close(origin);
	fixture_stop();
}

static void a_refused_connection_says_so(void)
{
	struct addr at = {.family = 4, .bytes = {127, 0, 0, 1}};
	struct upstream *u;
	struct error e;
	int fd;

	fixture_start();
	fd = listener_open(&at, false, &e);
	fd_close(&fd);
	u = connect_to(&at);
	CHECK_INT(u->phase, UPSTREAM_FAILED);
	CHECK_INT(u->reason, REASON_CONNECT_REFUSED);
	CHECK(u->detail == NULL);
	upstream_close(u);
	fixture_settle();
	CHECK_INT(worker.upstream_slab.in_use, 0);
	fixture_stop();
}

static void a_connection_that_cannot_be_begun_has_a_reason(void)
{
	struct addr at = {.family = 4, .port = 1, .bytes = {255, 255, 255, 255}};
	enum reason reason = REASON_OK;
	struct upstream_pool *pool;

	fixture_start();
	pool = upstream_pool_for(&worker, &target);
	CHECK(upstream_connect(pool, &worker, NULL, &at, &events, on_event, &reason) == NULL);
	CHECK_INT(reason, REASON_CONNECT_FAILED);
	worker.upstream_slab.max_in_use = 0;
	CHECK(upstream_connect(pool, &worker, NULL, &origin_at, &events, on_event, &reason) ==
	      NULL);
	CHECK_INT(reason, REASON_OVERLOAD);
	CHECK_INT(worker.upstream_slab.in_use, 0);
	fixture_stop();
}

static void keeps_none_while_the_worker_stops(void)
{
	struct upstream *u;
	int origin;

	fixture_start();
	u = connect_ready(&origin);
	worker.stopping = true;
	upstream_give_back(u);
	CHECK_INT(idle(), 0);
	fixture_expect_end(origin);
	fixture_close(origin);
	fixture_stop();
}

UNIT_TESTS(TEST(a_pool_is_for_one_host_port_protocol_and_identity),
	   TEST(hands_out_the_most_recently_used_first),
	   TEST(bytes_that_nobody_asked_for_end_an_idle_connection),
	   TEST(an_end_ends_an_idle_connection), TEST(is_not_kept_when_more_has_come_or_the_end),
	   TEST(asks_the_kernel_before_it_hands_out_for_good),
	   TEST(an_idle_connection_is_closed_after_a_while), TEST(a_refused_connection_says_so),
	   TEST(a_connection_that_cannot_be_begun_has_a_reason),
	   TEST(keeps_none_while_the_worker_stops))
