#include "fixture.h"

static atomic_int stopped;

static void on_stopped(struct worker *w)
{
	if (w != &worker)
		abort();
	atomic_fetch_add(&stopped, 1);
}

static void start_thread(void)
{
	struct error e;

	atomic_store(&stopped, 0);
	worker.on_stopped = on_stopped;
	CHECK(worker_start(&worker, &e));
}

static void join(void)
{
	worker_join(&worker);
	worker_join(&worker);
	CHECK_INT(atomic_load(&stopped), 1);
}

/* What comes from a worker in its own thread: nothing is turned here. */
static void expect_from_thread(int fd, const char *text)
{
	char bytes[1024];
	size_t want = strlen(text), got = 0;

	CHECK(want < sizeof bytes);
	while (got < want) {
		ssize_t n = recv(fd, bytes + got, want - got, 0);

		CHECK(n > 0);
		got += (size_t)n;
	}
	CHECK_SPAN(span_of(bytes, got), text);
}

static int accept_from_thread(void)
{
	struct pollfd wanted = {.fd = origin_listener, .events = POLLIN};
	int fd;

	CHECK(poll(&wanted, 1, FIXTURE_DEADLINE_MS) == 1);
	fd = accept4(origin_listener, NULL, NULL, SOCK_CLOEXEC);
	CHECK(fd != -1);
	return fd;
}

static void serves_in_its_own_thread_and_finishes_what_is_under_way(void)
{
	int client, idle, origin;
	char byte;

	fixture_start();
	start_thread();
	idle = fixture_connect();
	client = fixture_request(GET);
	origin = accept_from_thread();
	expect_from_thread(origin, GET_AT_ORIGIN);
	worker_stop(&worker, false);
	CHECK(recv(idle, &byte, 1, 0) == 0);
	CHECK_INT(atomic_load(&stopped), 0);
	CHECK(send(origin, RESPONSE, strlen(RESPONSE), 0) == (ssize_t)strlen(RESPONSE));
	/* The last response says that it is the last. */
	expect_from_thread(client, "HTTP/1.1 200 OK\r\nDate: now\r\nConnection: close\r\n"
				   "Content-Length: 2\r\n\r\nok");
	CHECK(recv(client, &byte, 1, 0) == 0);
	fixture_close(client);
	fixture_close(idle);
	join();
	fixture_close(origin);
	fixture_stop();
}

static void stops_at_once_when_told_so(void)
{
	int client, origin;
	char byte;

	fixture_start();
	start_thread();
	client = fixture_request(GET);
	origin = accept_from_thread();
	worker_stop(&worker, true);
	CHECK(recv(client, &byte, 1, 0) == 0);
	join();
	CHECK_INT(metrics_get(&worker.metrics.requests[REASON_SHUTDOWN]), 1);
	fixture_close(client);
	fixture_close(origin);
	fixture_stop();
}

static void turn_until_stopped(void)
{
	uint64_t until = clock_monotonic_ms() + FIXTURE_DEADLINE_MS;

	while (!worker.loop.stop) {
		CHECK(clock_monotonic_ms() < until);
		fixture_turn();
	}
}

static void a_request_that_is_here_when_it_stops_is_served(void)
{
	int client, origin;

	fixture_start();
	client = fixture_connect();
	fixture_settle();
	fixture_send(client, GET);
	/* Stop and request are found in one turn, in whatever order. */
	worker_stop(&worker, false);
	origin = fixture_accept();
	fixture_expect(origin, GET_AT_ORIGIN);
	fixture_send(origin, RESPONSE);
	fixture_expect(client, "HTTP/1.1 200 OK\r\nDate: now\r\nConnection: close\r\n");
	fixture_close(client);
	turn_until_stopped();
	fixture_close(origin);
	fixture_stop();
}

/* One that is silent, and one that was told nothing of an end with the answer it has just got. */
static void who_is_about_to_ask_when_it_stops_is_served_and_told(void)
{
	int silent, client, late, origin;

	fixture_start();
	silent = fixture_connect();
	client = fixture_connect();
	origin = fixture_exchange(client, -1);
	late = fixture_connect();
	fixture_send(client, GET);
	fixture_expect(origin, GET_AT_ORIGIN);
	fixture_send(origin, "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\n\r\n");
	fixture_expect(client, "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\n\r\n");
	worker_stop(&worker, false);
	fixture_settle();
	fixture_send(origin, "ok");
	fixture_expect(client, "ok");
	fixture_expect_nothing(client);
	fixture_close(origin);
	fixture_send(client, GET);
	origin = fixture_accept();
	fixture_expect(origin, GET_AT_ORIGIN);
	fixture_send(origin, RESPONSE);
	fixture_expect(client, "HTTP/1.1 200 OK\r\nDate: now\r\nConnection: close\r\n");
	fixture_expect_up_to(client, "ok");
	fixture_close(client);
	fixture_send(late, "GET / HTTP/1.1\r\nHost: gone\r\n\r\n");
	fixture_expect_refusal(late, "HTTP/1.1 503 ", "dns_nxdomain", true);
	fixture_close(late);
	fixture_expect_end(silent);
	fixture_close(silent);
	turn_until_stopped();
	fixture_close(origin);
	fixture_stop();
}

static void takes_nothing_new_once_it_stops(void)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	fixture_start();
	worker_stop(&worker, false);
	fixture_settle();
	CHECK(worker.loop.stop);
	len = addr_to_sockaddr(&proxy_at, &ss);
	CHECK(connect(fd, (struct sockaddr *)&ss, len) == -1 && errno == ECONNREFUSED);
	fixture_close(fd);
	fixture_stop();
}

static void adopts_the_newest_view_and_lets_the_others_go(void)
{
	fixture_start();
	CHECK_INT(atomic_load(&generation->refs), 2);
	for (int i = 0; i < 5; i++)
		fixture_publish();
	/* The one it works with and the newest in the mailbox. */
	CHECK_INT(atomic_load(&generation->refs), 3);
	fixture_settle();
	CHECK_INT(atomic_load(&generation->refs), 2);
	fixture_publish();
	alloc_fail_after(0);
	fixture_settle();
	alloc_fail_after(-1);
	/* Without memory the old one serves on. */
	CHECK_INT(atomic_load(&generation->refs), 2);
	fixture_publish();
	fixture_stop();
}

static void views_may_come_at_any_time(void)
{
	int client, origin = -1;

	fixture_start();
	start_thread();
	client = fixture_connect();
	for (int i = 0; i < 300; i++) {
		fixture_publish();
		fixture_send(client, GET);
		origin = i == 0 ? accept_from_thread() : origin;
		expect_from_thread(origin, GET_AT_ORIGIN);
		fixture_publish();
		fixture_send(origin, RESPONSE);
		expect_from_thread(client, RESPONSE);
	}
	worker_stop(&worker, false);
	join();
	fixture_close(client);
	fixture_close(origin);
	fixture_stop();
}

static void serves_without_allocating_once_warm(void)
{
	int client, origin;
	uint64_t before;

	fixture_start();
	client = fixture_connect();
	origin = fixture_exchange(client, -1);
	before = alloc_count();
	for (int i = 0; i < 200; i++)
		fixture_exchange(client, origin);
	/* New connections too: the blocks of old ones are there. */
	for (int i = 0; i < 50; i++) {
		fixture_close(client);
		fixture_settle();
		client = fixture_connect();
		fixture_exchange(client, origin);
	}
	CHECK_INT(alloc_count() - before, 0);
	fixture_close(client);
	fixture_close(origin);
	fixture_stop();
}

static void starts_whole_or_not_at_all_without_memory(void)
{
	int descriptors, failures = 0;

	fixture_configure();
	fixture_prepare();
	descriptors = fixture_descriptors();
	for (int n = 0;; n++) {
		bool made;

		CHECK(n < 100);
		alloc_fail_after(n);
		made = fixture_make_worker();
		alloc_fail_after(-1);
		if (made)
			break;
		failures++;
		CHECK_INT(fixture_descriptors(), descriptors);
		CHECK_INT(atomic_load(&generation->refs), 1);
	}
	CHECK(failures >= 3);
	fixture_end_worker();
	CHECK_INT(fixture_descriptors(), descriptors);
	fixture_unprepare();
}

static void tells_the_time_as_http_wants_it(void)
{
	char storage[64];
	struct buf text;
	struct span date;
	uint64_t now_ms;

	fixture_start();
	do {
		now_ms = clock_realtime_ms();
		date = worker_http_date(&worker);
	} while (clock_realtime_ms() / 1000 != now_ms / 1000);
	BUF_INIT_ARRAY(&text, storage);
	clock_format_http_date(now_ms, &text);
	CHECK_INT(date.len, CLOCK_HTTP_DATE_LEN);
	CHECK_SPAN(date, buf_cstr(&text));
	fixture_stop();
}

UNIT_TESTS(TEST(serves_in_its_own_thread_and_finishes_what_is_under_way),
	   TEST(stops_at_once_when_told_so), TEST(a_request_that_is_here_when_it_stops_is_served),
	   TEST(who_is_about_to_ask_when_it_stops_is_served_and_told),
	   TEST(takes_nothing_new_once_it_stops),
	   TEST(adopts_the_newest_view_and_lets_the_others_go), TEST(views_may_come_at_any_time),
	   TEST(serves_without_allocating_once_warm),
	   TEST(starts_whole_or_not_at_all_without_memory), TEST(tells_the_time_as_http_wants_it))
