#include "fixture.h"

#include "net/guard.h"
#include "sys/log.h"

/* An address of loopback where nobody listens. */
static struct addr closed_port(void)
{
	struct addr at = {.family = 4, .bytes = {127, 0, 0, 1}};
	struct error e;
	int fd = listener_open(&at, false, &e);

	CHECK(fd != -1);
	fd_close(&fd);
	return at;
}

/* A socket whose backlog is full: connecting to it takes for ever. */
static int black_hole(struct addr *at)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*at = (struct addr){.family = 4, .bytes = {127, 0, 0, 1}};
	len = addr_to_sockaddr(at, &ss);
	CHECK(bind(fd, (struct sockaddr *)&ss, len) == 0 && listen(fd, 0) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&ss, &len) == 0);
	CHECK(addr_from_sockaddr(&ss, at));
	return fd;
}

static void fill(int *fds, int count, const struct addr *at)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(at, &ss);

	for (int i = 0; i < count; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		CHECK(connect(fds[i], (struct sockaddr *)&ss, len) == 0 || errno == EINPROGRESS);
	}
}

static void set_addresses(const struct addr *at, unsigned count)
{
	fixture_set_endpoints(FIXTURE_WEB, RESOLVER_OK, at, count);
	fixture_publish();
	fixture_settle();
}

static void a_name_without_addresses_is_503(void)
{
	static const struct {
		enum resolver_state state;
		const char *error;
	} rows[] = {
		{RESOLVER_NXDOMAIN, "dns_nxdomain"},
		{RESOLVER_NODATA, "dns_nodata"},
		{RESOLVER_SERVFAIL, "dns_servfail"},
		{RESOLVER_TIMEOUT, "dns_timeout"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int client;

		fixture_start();
		fixture_set_endpoints(FIXTURE_GONE, rows[i].state, NULL, 0);
		fixture_publish();
		fixture_settle();
		client = fixture_request("GET / HTTP/1.1\r\nHost: gone\r\n\r\n");
		fixture_expect_refusal(client, "HTTP/1.1 503 ", rows[i].error, false);
		fixture_expect_log(rows[i].error);
		fixture_close(client);
		fixture_stop();
	}
}

static void waits_for_a_names_first_answer(void)
{
	int clients[3], origin;

	fixture_start();
	for (int i = 0; i < 3; i++)
		clients[i] = fixture_request("GET / HTTP/1.1\r\nHost: wait\r\n\r\n");
	fixture_expect_no_upstream();
	/* One that goes away meanwhile is forgotten. */
	fixture_reset(clients[2]);
	fixture_expect_log("client_closed");
	fixture_publish();
	fixture_expect_no_upstream();
	fixture_set_endpoints(FIXTURE_WAIT, RESOLVER_OK, &origin_at, 1);
	fixture_publish();
	for (int i = 0; i < 2; i++) {
		origin = fixture_accept();
		fixture_expect_up_to(origin, "\r\n\r\n");
		fixture_send(origin, RESPONSE);
		fixture_expect_log("ok");
		fixture_close(origin);
	}
	for (int i = 0; i < 2; i++) {
		fixture_expect(clients[i], RESPONSE);
		fixture_close(clients[i]);
	}
	fixture_expect_no_upstream();
	fixture_stop();
}

/* The table with which a request waits gets no answers once there is another. */
static void waits_on_when_the_table_changes(void)
{
	static const char *const rows[] = {"new.default new.example 80:http",
					   "wait.default wait.example 80:http",
					   "gone.default other.example 80:http", NULL};
	struct generation *other = view_generation_new(tables_new(rows));
	struct endpoints *known[3];
	struct view *view;
	int clients[2], origin;

	for (int i = 0; i < 3; i++)
		known[i] = view_endpoints_new(RESOLVER_OK, &origin_at, 1);
	fixture_prepare();
	fixture_set_endpoints(FIXTURE_GONE, RESOLVER_PENDING, NULL, 0);
	known[1]->addrs[0] = origin_at;
	fixture_configure();
	CHECK(fixture_make_worker());
	clients[0] = fixture_request("GET / HTTP/1.1\r\nHost: wait\r\n\r\n");
	clients[1] = fixture_request("GET / HTTP/1.1\r\nHost: gone\r\n\r\n");
	fixture_expect_no_upstream();
	view = view_new(other, known);
	CHECK(view != NULL);
	worker_publish(&worker, view);
	view_unref(view);
	origin = fixture_accept();
	fixture_expect_up_to(origin, "\r\n\r\n");
	fixture_send(origin, RESPONSE);
	fixture_expect(clients[0], RESPONSE);
	/* The other's name is no longer what it was routed to: it is not taken elsewhere. */
	fixture_expect_nothing(clients[1]);
	fixture_expect_no_upstream();
	for (int i = 0; i < 2; i++)
		fixture_close(clients[i]);
	fixture_close(origin);
	for (int i = 0; i < 3; i++)
		view_endpoints_unref(known[i]);
	fixture_stop();
	view_generation_unref(other);
}

static void does_not_wait_for_ever(void)
{
	int client;

	fixture_configure();
	config.timeouts.resolve_ms = FIXTURE_SOON_MS;
	fixture_start_configured();
	client = fixture_request("GET / HTTP/1.1\r\nHost: wait\r\n\r\n");
	fixture_expect_refusal(client, "HTTP/1.1 503 ", "dns_timeout", false);
	CHECK(list_is_empty(&worker.waiting));
	fixture_close(client);
	fixture_stop();
}

static void a_refused_connection_is_502(void)
{
	struct addr at;
	int client;

	fixture_start();
	at = closed_port();
	set_addresses(&at, 1);
	client = fixture_request(GET);
	fixture_expect_refusal(client, "HTTP/1.1 502 ", "connect_refused", false);
	fixture_expect_log("connect_refused");
	fixture_settle();
	CHECK_INT(metrics_get(&worker.metrics.upstream_connections_open), 0);
	fixture_close(client);
	fixture_stop();
}

static void an_address_that_fails_makes_way_for_the_next(void)
{
	struct addr at[3];
	int client, origin;

	fixture_start();
	at[0] = at[1] = closed_port();
	at[2] = origin_at;
	set_addresses(at, 3);
	client = fixture_connect();
	origin = fixture_exchange(client, -1);
	CHECK_INT(metrics_get(&worker.metrics.upstream_connections_open), 1);
	fixture_close(client);
	fixture_close(origin);
	fixture_stop();
}

static void connecting_that_takes_too_long_is_504(void)
{
	struct addr at;
	int hole = black_hole(&at), fillers[4], client;

	fill(fillers, 4, &at);
	fixture_configure();
	config.timeouts.connect_ms = FIXTURE_SOON_MS;
	fixture_start_configured();
	set_addresses(&at, 1);
	client = fixture_request(GET);
	fixture_expect_refusal(client, "HTTP/1.1 504 ", "connect_timeout", false);
	fixture_expect_log("connect_timeout");
	fixture_close(client);
	fixture_stop();
	for (int i = 0; i < 4; i++)
		fd_close(&fillers[i]);
	fd_close(&hole);
}

/* Where connecting takes for ever, in the test that opens it. */
static struct addr hole_at;
static int hole = -1, fillers[4];

static void open_hole(void)
{
	hole = black_hole(&hole_at);
	fill(fillers, 4, &hole_at);
}

static void close_hole(void)
{
	for (int i = 0; i < 4; i++)
		fd_close(&fillers[i]);
	fd_close(&hole);
}

static void start_at_hole_and_origin(void)
{
	struct addr at[2];

	fixture_start();
	at[0] = hole_at;
	at[1] = origin_at;
	set_addresses(at, 2);
}

static enum addresses_state state_of(const struct addr *at)
{
	return addresses_state(&worker.addresses, at, loop_now_ms(&worker.loop));
}

static void another_address_joins_in_and_the_first_to_be_connected_is_used(void)
{
	uint64_t started;
	int client, origin;

	open_hole();
	start_at_hole_and_origin();
	client = fixture_connect();
	started = clock_monotonic_ms();
	origin = fixture_exchange(client, -1);
	CHECK(clock_monotonic_ms() >= started + 200);
	CHECK_INT(metrics_get(&worker.metrics.upstream_connections), 2);
	CHECK_INT(metrics_get(&worker.metrics.upstream_connections_open), 1);
	/* The one that was waited for is not run into again. */
	CHECK_INT(state_of(&hole_at), ADDRESSES_RESTING);
	CHECK_INT(state_of(&origin_at), ADDRESSES_FINE);
	CHECK_INT(metrics_get(&worker.metrics.address_failures), 1);
	fixture_close(origin);
	fixture_settle();
	origin = fixture_exchange(client, -1);
	CHECK_INT(metrics_get(&worker.metrics.upstream_connections), 3);
	fixture_close(client);
	fixture_close(origin);
	fixture_stop();
	close_hole();
}

static void no_request_waits_for_an_address_on_probation(void)
{
	int client, origin;

	open_hole();
	start_at_hole_and_origin();
	addresses_failed(&worker.addresses, &hole_at,
			 loop_now_ms(&worker.loop) - ADDRESSES_REST_MIN_MS);
	CHECK_INT(state_of(&hole_at), ADDRESSES_ON_PROBATION);
	client = fixture_request(GET);
	fixture_settle();
	CHECK_INT(metrics_get(&worker.metrics.upstream_connections), 2);
	origin = fixture_accept();
	fixture_expect(origin, GET_AT_ORIGIN);
	fixture_send(origin, RESPONSE);
	fixture_expect(client, RESPONSE);
	/* Outrun, as it was about to be: so it rests as long again. */
	CHECK_INT(state_of(&hole_at), ADDRESSES_RESTING);
	fixture_close(client);
	fixture_close(origin);
	fixture_stop();
	close_hole();
}

static void no_more_than_a_few_are_tried_at_a_time_and_all_in_one_timeout(void)
{
	struct addr at[6];
	int client;

	open_hole();
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++)
		at[i] = hole_at;
	fixture_configure();
	config.timeouts.connect_ms = 1600;
	fixture_start_configured();
	set_addresses(at, 6);
	client = fixture_request(GET);
	fixture_expect_refusal(client, "HTTP/1.1 504 ", "connect_timeout", false);
	CHECK_INT(metrics_get(&worker.metrics.upstream_connections), DIAL_ATTEMPTS_MAX);
	CHECK_INT(state_of(&hole_at), ADDRESSES_RESTING);
	fixture_close(client);
	fixture_stop();
	close_hole();
}

static void all_attempts_end_with_the_client(void)
{
	struct addr at[2];
	int client;

	open_hole();
	at[0] = at[1] = hole_at;
	fixture_start();
	set_addresses(at, 2);
	client = fixture_request(GET);
	while (metrics_get(&worker.metrics.upstream_connections) < 2)
		fixture_turn();
	CHECK_INT(metrics_get(&worker.metrics.upstream_connections_open), 2);
	fixture_reset(client);
	fixture_expect_log("client_closed");
	CHECK_INT(metrics_get(&worker.metrics.upstream_connections_open), 0);
	fixture_stop();
	close_hole();
}

static void an_address_that_is_denied_is_not_connected_to(void)
{
	static const struct guard guard;
	int client;

	log_set_level(LOG_ERROR);
	fixture_configure();
	config.guard = &guard;
	fixture_start_configured();
	client = fixture_request(GET);
	fixture_expect_refusal(client, "HTTP/1.1 403 ", "denied_loopback", false);
	fixture_expect_log("denied_loopback");
	fixture_expect_no_upstream();
	CHECK_INT(metrics_get(&worker.metrics.denied[GUARD_LOOPBACK]), 1);
	CHECK_INT(metrics_get(&worker.metrics.upstream_connections), 0);
	/* What the operator has pinned is. */
	fixture_set_endpoints(FIXTURE_WEB, RESOLVER_OK, &origin_at, 1);
	endpoints[FIXTURE_WEB]->trusted = true;
	fixture_publish();
	fixture_settle();
	fixture_close(fixture_exchange(client, -1));
	CHECK_INT(metrics_get(&worker.metrics.denied[GUARD_LOOPBACK]), 1);
	fixture_close(client);
	fixture_stop();
	log_set_level(LOG_INFO);
}

static void what_is_denied_makes_way_for_what_is_not(void)
{
	static const struct cidr loopback = {{.family = 4, .bytes = {127}}, 8};
	struct guard guard = {.allow = &loopback, .allow_count = 1};
	struct addr at[3];
	int client, origin;

	log_set_level(LOG_ERROR);
	fixture_configure();
	config.guard = &guard;
	fixture_start_configured();
	/* Ourselves, the metadata service, and the origin. */
	guard_add_listener(&guard, &proxy_at);
	at[0] = proxy_at;
	at[1] = (struct addr){.family = 4, .bytes = {169, 254, 169, 254}};
	at[2] = origin_at;
	set_addresses(at, 3);
	client = fixture_connect();
	origin = fixture_exchange(client, -1);
	CHECK_INT(metrics_get(&worker.metrics.denied[GUARD_LISTENER]), 1);
	CHECK_INT(metrics_get(&worker.metrics.denied[GUARD_LINK_LOCAL]), 1);
	fixture_close(origin);
	/* A failure says more than a denial. */
	at[2] = closed_port();
	set_addresses(at, 3);
	fixture_send(client, GET);
	fixture_expect_refusal(client, "HTTP/1.1 502 ", "connect_refused", false);
	fixture_close(client);
	fixture_stop();
	log_set_level(LOG_INFO);
}

static void takes_turns_with_the_addresses(void)
{
	struct addr at[2];
	struct error e;
	int second, clients[4], from_first = 0, from_second = 0;

	fixture_start();
	at[0] = origin_at;
	at[1] = (struct addr){.family = 4, .bytes = {127, 0, 0, 2}};
	second = listener_open(&at[1], false, &e);
	set_addresses(at, 2);
	for (int i = 0; i < 4; i++) {
		clients[i] = fixture_request(GET);
		fixture_settle();
	}
	for (int fd; (fd = accept(origin_listener, NULL, NULL)) != -1; from_first++)
		fixture_close(fd);
	for (int fd; (fd = accept(second, NULL, NULL)) != -1; from_second++)
		fixture_close(fd);
	CHECK_INT(from_first, 2);
	CHECK_INT(from_second, 2);
	for (int i = 0; i < 4; i++)
		fixture_close(clients[i]);
	fd_close(&second);
	fixture_stop();
}

static void an_idle_connection_to_an_address_that_is_no_longer_the_names_is_closed(void)
{
	struct addr at = {.family = 4, .bytes = {127, 0, 0, 2}};
	struct error e;
	int client, origin, second;

	fixture_start();
	client = fixture_connect();
	origin = fixture_exchange(client, -1);
	second = listener_open(&at, false, &e);
	set_addresses(&at, 1);
	fixture_send(client, GET);
	fixture_expect_end(origin);
	fixture_close(origin);
	origin = accept(second, NULL, NULL);
	CHECK(origin != -1);
	fixture_expect(origin, GET_AT_ORIGIN);
	fixture_close(client);
	fixture_close(origin);
	fd_close(&second);
	fixture_stop();
}

UNIT_TESTS(TEST(a_name_without_addresses_is_503), TEST(waits_for_a_names_first_answer),
	   TEST(waits_on_when_the_table_changes), TEST(does_not_wait_for_ever),
	   TEST(a_refused_connection_is_502), TEST(an_address_that_fails_makes_way_for_the_next),
	   TEST(connecting_that_takes_too_long_is_504),
	   TEST(another_address_joins_in_and_the_first_to_be_connected_is_used),
	   TEST(no_request_waits_for_an_address_on_probation),
	   TEST(no_more_than_a_few_are_tried_at_a_time_and_all_in_one_timeout),
	   TEST(all_attempts_end_with_the_client),
	   TEST(an_address_that_is_denied_is_not_connected_to),
	   TEST(what_is_denied_makes_way_for_what_is_not), TEST(takes_turns_with_the_addresses),
	   TEST(an_idle_connection_to_an_address_that_is_no_longer_the_names_is_closed))
