#include "fixture.h"

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
	fixture_set_endpoints(FIXTURE_WEB, RESOLVER_OK, &at, 1);
	fixture_publish();
	fixture_settle();
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
	fixture_set_endpoints(FIXTURE_WEB, RESOLVER_OK, at, 3);
	fixture_publish();
	fixture_settle();
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
	fixture_set_endpoints(FIXTURE_WEB, RESOLVER_OK, &at, 1);
	fixture_publish();
	fixture_settle();
	client = fixture_request(GET);
	fixture_expect_refusal(client, "HTTP/1.1 504 ", "connect_timeout", false);
	fixture_expect_log("connect_timeout");
	fixture_close(client);
	fixture_stop();
	for (int i = 0; i < 4; i++)
		fd_close(&fillers[i]);
	fd_close(&hole);
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
	fixture_set_endpoints(FIXTURE_WEB, RESOLVER_OK, at, 2);
	fixture_publish();
	fixture_settle();
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
	fixture_set_endpoints(FIXTURE_WEB, RESOLVER_OK, &at, 1);
	fixture_publish();
	fixture_settle();
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
	   TEST(connecting_that_takes_too_long_is_504), TEST(takes_turns_with_the_addresses),
	   TEST(an_idle_connection_to_an_address_that_is_no_longer_the_names_is_closed))
