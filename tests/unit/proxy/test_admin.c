#include "../unit.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "proxy/admin.h"
#include "proxy/listener.h"
#include "sys/clock.h"
#include "sys/fd.h"

#define DEADLINE_MS 10000

static struct loop loop;
static struct admin admin;
static struct addr at;
static char rendered[128]; /* the last target */
static size_t page_size;

static struct admin_page render(void *context, struct span target, struct buf *body)
{
	CHECK(context == &page_size);
	snprintf(rendered, sizeof rendered, "%.*s", SPAN_ARG(target));
	if (span_eq(target, SPAN("/none")))
		return (struct admin_page){404, "text/plain"};
	for (size_t i = 0; i < page_size; i++)
		buf_add_byte(body, (char)('a' + i % 26));
	return (struct admin_page){span_eq(target, SPAN("/busy")) ? 503 : 200, "text/x"};
}

static void setup(void)
{
	struct error e;
	int fd;

	at = (struct addr){.family = 4, .bytes = {127, 0, 0, 1}};
	fd = listener_open(&at, false, &e);
	CHECK(fd != -1);
	CHECK(loop_init(&loop, &e));
	admin = (struct admin){.listener.fd = -1, .render = render, .context = &page_size};
	CHECK(admin_start(&admin, &loop, fd, &e));
	page_size = 3;
}

static void turn(void)
{
	struct error e;

	CHECK(loop_turn(&loop, 1, &e));
}

static void teardown(void)
{
	admin_stop(&admin);
	admin_stop(&admin);
	CHECK_INT(admin.connection_count, 0);
	turn();
	loop_fini(&loop);
}

static int request(const char *text)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage ss;

	CHECK(connect(fd, (struct sockaddr *)&ss, addr_to_sockaddr(&at, &ss)) == 0);
	CHECK(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
	return fd;
}

/* All that comes until the end. */
static const char *answer(int fd)
{
	static char bytes[4 << 20];
	uint64_t until = clock_monotonic_ms() + DEADLINE_MS;
	size_t len = 0;

	for (;;) {
		ssize_t n = recv(fd, bytes + len, sizeof bytes - 1 - len, MSG_DONTWAIT);

		/* Closed with the request unread is a reset. */
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			break;
		CHECK(n > 0 || errno == EAGAIN);
		CHECK(clock_monotonic_ms() < until);
		if (n > 0)
			len += (size_t)n;
		else
			turn();
	}
	fd_close(&fd);
	bytes[len] = 0;
	return bytes;
}

static const char *ask(const char *text)
{
	return answer(request(text));
}

#define HEAD(status, length)                                                                       \
	"HTTP/1.1 " status "\r\nContent-Type: text/x\r\nContent-Length: " length                   \
	"\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"

static void answers_get_and_head(void)
{
	setup();
	CHECK_TEXT(ask("GET /metrics?a=b HTTP/1.1\r\nHost: x\r\n\r\n"), HEAD("200 OK", "3") "abc");
	CHECK_TEXT(rendered, "/metrics?a=b");
	CHECK_TEXT(ask("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), HEAD("200 OK", "3"));
	CHECK_TEXT(ask("GET /busy HTTP/1.0\r\nHost: x\r\n\r\n"),
		   HEAD("503 Service Unavailable", "3") "abc");
	page_size = 0;
	CHECK_TEXT(ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), HEAD("200 OK", "0"));
	teardown();
}

static void refuses_all_else(void)
{
	static const struct {
		const char *request, *status;
	} rows[] = {
		{"GET /none HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 "},
		{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 405 "},
		{"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
		{"GET / HTTP/3.0\r\n\r\n", "HTTP/1.1 505 "},
		{"nonsense\r\n\r\n", "HTTP/1.1 400 "},
	};

	setup();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *said = ask(rows[i].request);

		CHECK_SPAN(span_first(span_from_cstr(said), strlen(rows[i].status)),
			   rows[i].status);
		CHECK_ROW(said, strstr(said, "\r\nConnection: close\r\n") != NULL);
		CHECK_INT(admin.connection_count, 0);
	}
	teardown();
}

static void a_head_may_come_byte_by_byte(void)
{
	static const char text[] = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";
	int fd;

	setup();
	fd = request("");
	for (size_t i = 0; i + 1 < sizeof text; i++) {
		CHECK(send(fd, text + i, 1, MSG_NOSIGNAL) == 1);
		turn();
	}
	CHECK_TEXT(answer(fd), HEAD("200 OK", "3") "abc");
	teardown();
}

static void a_head_that_is_too_long_is_refused(void)
{
	static char text[9000] = "GET / HTTP/1.1\r\nHost: x\r\nX: ";
	const char *said;

	setup();
	memset(text + strlen(text), 'x', 8192 - strlen(text));
	said = ask(text);
	CHECK_SPAN(span_first(span_from_cstr(said), 13), "HTTP/1.1 431 ");
	teardown();
}

static void a_long_page_comes_whole_to_a_slow_reader(void)
{
	const char *said, *body;

	setup();
	page_size = 3 << 20;
	said = ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	body = strstr(said, "\r\n\r\n");
	CHECK(body != NULL);
	CHECK_INT(strlen(body + 4), page_size);
	for (size_t i = 0; i < page_size; i++)
		CHECK(body[4 + i] == (char)('a' + i % 26));
	teardown();
}

static void many_connections_do_not_lock_the_operator_out_for_ever(void)
{
	int fds[40];
	unsigned ended = 0;

	setup();
	for (int i = 0; i < 40; i++)
		fds[i] = request("");
	for (int i = 0; i < 60; i++)
		turn();
	CHECK_INT(admin.connection_count, 32);
	for (int i = 0; i < 40; i++) {
		char byte;

		ended += recv(fds[i], &byte, 1, MSG_DONTWAIT) == 0;
		fd_close(&fds[i]);
	}
	CHECK_INT(ended, 8);
	for (int i = 0; i < 10; i++)
		turn();
	CHECK_INT(admin.connection_count, 0);
	CHECK_TEXT(ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), HEAD("200 OK", "3") "abc");
	teardown();
}

static void lives_through_every_failing_allocation(void)
{
	bool failed = true;

	setup();
	for (int n = 0; failed; n++) {
		uint64_t before = alloc_count();
		const char *said;

		CHECK(n < 100);
		alloc_fail_after(n);
		said = ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
		alloc_fail_after(-1);
		failed = alloc_count() - before > (uint64_t)n;
		/* Either nothing, or the page, or that memory is out. */
		CHECK_ROW(said, said[0] == 0 || strstr(said, "HTTP/1.1 500 ") == said ||
					strcmp(said, HEAD("200 OK", "3") "abc") == 0);
		CHECK(failed || strstr(said, "HTTP/1.1 200 ") == said);
		turn();
		CHECK_INT(admin.connection_count, 0);
	}
	teardown();
}

static void stops_in_the_middle(void)
{
	int fds[2];

	setup();
	page_size = 16 << 20; /* more than the kernel keeps */
	fds[0] = request("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	fds[1] = request("GET / HT");
	for (int i = 0; i < 5; i++)
		turn();
	CHECK_INT(admin.connection_count, 2);
	teardown();
	fd_close(&fds[0]);
	fd_close(&fds[1]);
}

UNIT_TESTS(TEST(answers_get_and_head), TEST(refuses_all_else), TEST(a_head_may_come_byte_by_byte),
	   TEST(a_head_that_is_too_long_is_refused), TEST(a_long_page_comes_whole_to_a_slow_reader),
	   TEST(many_connections_do_not_lock_the_operator_out_for_ever),
	   TEST(lives_through_every_failing_allocation), TEST(stops_in_the_middle))
