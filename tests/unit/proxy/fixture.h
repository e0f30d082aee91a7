/*
 * fixture: one worker whose loop is turned by the test itself, with clients and an origin in the
 * same thread, so that everything happens in the order in which the test says it.
 *
 *	fixture_start();
 *	client = fixture_request("GET / HTTP/1.1\r\nHost: web\r\n\r\n");
 *	origin = fixture_accept();
 *	fixture_expect(origin, GET_AT_ORIGIN);
 *	fixture_send(origin, RESPONSE);
 *	fixture_expect(client, RESPONSE);
 *	fixture_expect_log("ok");
 *	fixture_stop();
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "../route/tables.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "proxy/exchange.h"
#include "proxy/session.h"
#include "proxy/worker.h"
#include "sys/fd.h"

#define FIXTURE __attribute__((unused)) static

#define FIXTURE_DEADLINE_MS 10000
/* A timeout that is to happen, and one that is not. */
#define FIXTURE_SOON_MS 60
#define FIXTURE_NEVER_MS (3 * FIXTURE_DEADLINE_MS)

#define GET "GET / HTTP/1.1\r\nHost: web\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 3\r\n\r\nabc"
#define GET_AT_ORIGIN "GET / HTTP/1.1\r\nHost: up.example\r\nVia: 1.1 egressbox\r\n\r\n"
#define RESPONSE "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\n\r\nok"

/*
 * Targets by index: that of "web" is the origin, "wait" has no answer yet, "gone" does not exist.
 */
enum { FIXTURE_WEB, FIXTURE_WAIT, FIXTURE_GONE, FIXTURE_TARGETS };

static const char *const fixture_rows[] = {"web.default up.example 80:http",
					   "wait.default wait.example 80:http",
					   "gone.default gone.example 80:http", NULL};

static struct worker worker;
static struct proxy_config config;
static struct addr proxy_at, origin_at;
static struct endpoints *endpoints[FIXTURE_TARGETS];
static struct generation *generation;
static struct logwriter_ring fixture_ring;
static int origin_listener = -1;

FIXTURE void fixture_configure(void)
{
	config = (struct proxy_config){
		.access_log = ACCESSLOG_TEXT, .via = SPAN("egressbox"), .max_sessions = 64};
	for (size_t i = 0; i < sizeof config.timeouts / sizeof(uint64_t); i++)
		((uint64_t *)&config.timeouts)[i] = FIXTURE_NEVER_MS;
}

FIXTURE void fixture_set_endpoints(unsigned target, enum resolver_state state,
				   const struct addr *addrs, unsigned count)
{
	view_endpoints_unref(endpoints[target]);
	endpoints[target] = view_endpoints_new(state, addrs, count);
	CHECK(endpoints[target] != NULL);
}

FIXTURE struct view *fixture_view(void)
{
	struct view *view = view_new(generation, endpoints);

	CHECK(view != NULL);
	return view;
}

FIXTURE void fixture_publish(void)
{
	struct view *view = fixture_view();

	worker_publish(&worker, view);
	view_unref(view);
}

/* What does not depend on the worker: routes, the origin's socket. */
FIXTURE void fixture_prepare(void)
{
	struct error e;

	proxy_at = origin_at = (struct addr){.family = 4, .bytes = {127, 0, 0, 1}};
	origin_listener = listener_open(&origin_at, false, &e);
	CHECK(origin_listener != -1);
	generation = view_generation_new(tables_new(fixture_rows));
	CHECK_INT(generation->table->target_count, FIXTURE_TARGETS);
	fixture_set_endpoints(FIXTURE_WEB, RESOLVER_OK, &origin_at, 1);
	fixture_set_endpoints(FIXTURE_WAIT, RESOLVER_PENDING, NULL, 0);
	fixture_set_endpoints(FIXTURE_GONE, RESOLVER_NXDOMAIN, NULL, 0);
	atomic_store(&fixture_ring.put, 0);
	atomic_store(&fixture_ring.taken, 0);
}

/* The worker alone, with one listener on any free port; false when it could not be made. */
FIXTURE bool fixture_make_worker(void)
{
	struct listener *listeners = alloc_get_zeroed(sizeof *listeners);
	struct view *view = view_new(generation, endpoints);
	bool ok = listeners != NULL && view != NULL;
	struct error e;

	if (ok) {
		listeners->watch.fd = -1;
		listeners->fd = listener_open(&proxy_at, false, &e);
		CHECK(listeners->fd != -1);
		ok = worker_init(&worker, &config, 0, listeners, 1, view, &e);
		worker.log = &fixture_ring;
		if (!ok)
			worker_fini(&worker);
	} else {
		alloc_put(listeners);
	}
	view_unref(view);
	return ok;
}

/* With what fixture_configure, and the test after it, has said. */
FIXTURE void fixture_start_configured(void)
{
	fixture_prepare();
	CHECK(fixture_make_worker());
}

FIXTURE void fixture_start(void)
{
	fixture_configure();
	fixture_start_configured();
}

/* The worker ends and has given everything back. */
FIXTURE void fixture_end_worker(void)
{
	worker_fini(&worker);
	CHECK_INT(worker.session_slab.in_use, 0);
	CHECK_INT(worker.redirected_slab.in_use, 0);
	CHECK_INT(worker.relay_slab.in_use, 0);
	CHECK_INT(metrics_get(&worker.metrics.relays_open), 0);
	CHECK_INT(worker.exchange_slab.in_use, 0);
	CHECK_INT(worker.upstream_slab.in_use, 0);
	CHECK_INT(worker.tls_memory.conns.in_use, 0);
	CHECK_INT(worker.tls_memory.buffers.in_use, 0);
	CHECK_INT(worker.blocks.in_use, 0);
	CHECK_INT(metrics_get(&worker.metrics.client_connections_open), 0);
	CHECK_INT(metrics_get(&worker.metrics.upstream_connections_open), 0);
	CHECK_INT(metrics_get(&worker.metrics.upstream_connections_idle), 0);
	CHECK_INT(metrics_get(&worker.metrics.requests_active), 0);
	CHECK_INT(atomic_load(&generation->refs), 1);
}

FIXTURE void fixture_unprepare(void)
{
	for (int i = 0; i < FIXTURE_TARGETS; i++) {
		view_endpoints_unref(endpoints[i]);
		endpoints[i] = NULL;
	}
	view_generation_unref(generation);
	fd_close(&origin_listener);
}

FIXTURE void fixture_stop(void)
{
	fixture_end_worker();
	fixture_unprepare();
}

FIXTURE void fixture_turn(void)
{
	struct error e;

	CHECK(loop_turn(&worker.loop, 1, &e));
}

/* As long as loopback needs to deliver what is under way, and the worker to act on it. */
FIXTURE void fixture_settle(void)
{
	for (int i = 0; i < 8; i++)
		fixture_turn();
}

FIXTURE void fixture_turn_for(uint64_t ms)
{
	for (uint64_t until = clock_monotonic_ms() + ms; clock_monotonic_ms() < until;)
		fixture_turn();
}

/* A client's connection; the kernel accepts it before the worker does. */
FIXTURE int fixture_connect(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&proxy_at, &ss);

	CHECK(connect(fd, (struct sockaddr *)&ss, len) == 0);
	return fd;
}

/* A connection that somebody has accepted already: its client's end, and the other in *accepted. */
FIXTURE int fixture_pair(int *accepted)
{
	struct addr at = {.family = 4, .bytes = {127, 0, 0, 1}};
	struct error e;
	int listener = listener_open(&at, false, &e), fd;
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&at, &ss);

	CHECK(listener != -1);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(connect(fd, (struct sockaddr *)&ss, len) == 0);
	*accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	CHECK(*accepted != -1);
	fd_close(&listener);
	return fd;
}

FIXTURE void fixture_send_span(int fd, struct span bytes)
{
	CHECK(send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL) == (ssize_t)bytes.len);
}

FIXTURE void fixture_send(int fd, const char *text)
{
	fixture_send_span(fd, span_from_cstr(text));
}

FIXTURE int fixture_request(const char *text)
{
	int fd = fixture_connect();

	fixture_send(fd, text);
	return fd;
}

/* The next connection that the worker makes to the origin. */
FIXTURE int fixture_accept(void)
{
	uint64_t until = clock_monotonic_ms() + FIXTURE_DEADLINE_MS;
	int fd;

	while ((fd = accept4(origin_listener, NULL, NULL, SOCK_CLOEXEC)) == -1) {
		CHECK(errno == EAGAIN);
		CHECK(clock_monotonic_ms() < until);
		fixture_turn();
	}
	return fd;
}

/* Turns until there is something to read at `fd`; what recv says then. */
FIXTURE ssize_t fixture_receive(int fd, char *to, size_t cap)
{
	uint64_t until = clock_monotonic_ms() + FIXTURE_DEADLINE_MS;
	ssize_t n;

	while ((n = recv(fd, to, cap, MSG_DONTWAIT)) < 0 && errno == EAGAIN) {
		CHECK(clock_monotonic_ms() < until);
		fixture_turn();
	}
	return n;
}

/* Exactly these bytes are next; what follows them is left where it is. */
FIXTURE void fixture_expect(int fd, const char *text)
{
	static char bytes[65536];
	size_t want = strlen(text), got = 0;

	while (got < want) {
		ssize_t n = fixture_receive(fd, bytes + got, want - got);

		if (n <= 0)
			break;
		got += (size_t)n;
	}
	CHECK_SPAN(span_of(bytes, got), text);
}

/* The next bytes up to and with `end`, in memory that the next call uses again. */
FIXTURE struct span fixture_expect_up_to(int fd, const char *end)
{
	static char bytes[65536];
	size_t got = 0;

	while (!span_ends_with(span_of(bytes, got), span_from_cstr(end))) {
		CHECK(got < sizeof bytes);
		CHECK(fixture_receive(fd, bytes + got, 1) == 1);
		got++;
	}
	return span_of(bytes, got);
}

/*
 * An answer of the proxy's own: status line, X-Egressbox-Error, and whether it closes; the text is
 * dropped.
 */
FIXTURE void fixture_expect_refusal(int fd, const char *status_line, const char *error, bool closes)
{
	struct span head = fixture_expect_up_to(fd, "\r\n\r\n");
	char field[128], text[16384];

	CHECK(head.len < sizeof text);
	memcpy(text, head.ptr, head.len);
	text[head.len] = 0;
	CHECK_SPAN(span_first(head, strlen(status_line)), status_line);
	snprintf(field, sizeof field, "\r\nX-Egressbox-Error: %s\r\n", error);
	CHECK_ROW(text, strstr(text, field) != NULL);
	CHECK_ROW(text, (strstr(text, "\r\nConnection: close\r\n") != NULL) == closes);
	CHECK_ROW(text, strstr(text, "\r\nContent-Length: ") != NULL);
	fixture_expect_up_to(fd, "\n");
}

FIXTURE void fixture_expect_end(int fd)
{
	char byte;

	CHECK_INT(fixture_receive(fd, &byte, 1), 0);
}

FIXTURE void fixture_expect_reset(int fd)
{
	char byte;

	CHECK_INT(fixture_receive(fd, &byte, 1), -1);
	CHECK_INT(errno, ECONNRESET);
}

FIXTURE void fixture_expect_nothing(int fd)
{
	char byte;

	fixture_settle();
	CHECK(recv(fd, &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
}

/* Nobody has been connected to. */
FIXTURE void fixture_expect_no_upstream(void)
{
	fixture_settle();
	CHECK(accept4(origin_listener, NULL, NULL, SOCK_CLOEXEC) == -1 && errno == EAGAIN);
}

/* The next line of the access log, taken out; turned for until it comes. */
FIXTURE struct span fixture_log_line(void)
{
	uint64_t until = clock_monotonic_ms() + FIXTURE_DEADLINE_MS;
	static char line[ACCESSLOG_LINE_MAX + 1];
	uint64_t at = fixture_ring.taken;
	size_t len = 0;

	while (fixture_ring.put == at) {
		CHECK(clock_monotonic_ms() < until);
		fixture_turn();
	}
	do
		line[len++] = fixture_ring.bytes[at++ % LOGWRITER_RING_SIZE];
	while (line[len - 1] != '\n');
	line[len] = 0;
	fixture_ring.taken = at;
	return span_of(line, len);
}

FIXTURE void fixture_expect_log(const char *reason)
{
	struct span line = fixture_log_line();
	char field[128];

	snprintf(field, sizeof field, " reason=%s ", reason);
	CHECK_ROW(line.ptr, strstr(line.ptr, field) != NULL);
}

FIXTURE void fixture_close(int fd)
{
	fd_close(&fd);
}

FIXTURE void fixture_reset(int fd)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
	fd_close(&fd);
}

/*
 * A plain GET and its response, on this connection; returns the origin's connection, kept or new.
 */
FIXTURE int fixture_exchange(int client, int origin)
{
	fixture_send(client, GET);
	if (origin == -1)
		origin = fixture_accept();
	fixture_expect(origin, GET_AT_ORIGIN);
	fixture_send(origin, RESPONSE);
	fixture_expect(client, RESPONSE);
	fixture_expect_log("ok");
	return origin;
}

/* How many descriptors this process has open. */
FIXTURE int fixture_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	CHECK(dir != NULL);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

#endif
