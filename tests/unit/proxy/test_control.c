#include "../route/tables.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "proxy/control.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/log.h"

#define DEADLINE_MS 10000
#define NEVER_MS 60000

static const char *const rows[] = {"web.default up.example 80:http",
				   "nowhere.default nowhere.example 80:http", NULL};
static struct hosts_entry pin = {.name = {"up.example", 10},
				 .addr = {.family = 4, .bytes = {127, 0, 0, 1}}};

static struct control_settings default_settings(void)
{
	struct control_settings s = {
		.config = {.access_log = ACCESSLOG_OFF, .max_sessions = 16},
		.resolver = {.pins = &pin, .pin_count = 1},
		.listen_count = 1,
		.workers = 2,
		.ready_fd = -1,
		.shutdown_timeout_ms = NEVER_MS,
	};

	for (size_t i = 0; i < sizeof s.config.timeouts / sizeof(uint64_t); i++)
		((uint64_t *)&s.config.timeouts)[i] = NEVER_MS;
	s.listen[0].at = s.admin = (struct addr){.family = 4, .bytes = {127, 0, 0, 1}};
	log_set_level(LOG_ERROR);
	return s;
}

/* A proxy in a process of its own, so that signals and the end are those of a process. */
struct running {
	pid_t pid;
	char said[512]; /* to the ready descriptor */
	struct addr listener, admin;
};

static void read_ready(struct running *r, int fd)
{
	struct span rest, line;
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, r->said + len, sizeof r->said - 1 - len)) > 0)
		len += (size_t)n;
	r->said[len] = 0;
	fd_close(&fd);
	rest = span_of(r->said, len);
	CHECK(span_split(&rest, '\n', &line));
	CHECK(span_starts_with(line, SPAN("listener ")));
	CHECK(addr_parse(span_from(line, 9), 0, &r->listener) && r->listener.port != 0);
	CHECK(span_split(&rest, '\n', &line));
	CHECK(span_starts_with(line, SPAN("admin ")));
	CHECK(addr_parse(span_from(line, 6), 0, &r->admin) && r->admin.port != 0);
	CHECK_SPAN(rest, "");
}

static void run_in_child(struct control_settings *s, int out)
{
	struct error e;
	bool ok;

	if (out != -1)
		dup2(out, STDOUT_FILENO);
	ok = control_run(s, tables_new(rows), &e);
	/* Not exit: what the parent has allocated is not the child's leak. */
	_exit(ok ? 0 : 1);
}

static void start(struct running *r, struct control_settings *s, int out)
{
	int ends[2];

	CHECK(pipe2(ends, O_CLOEXEC) == 0);
	s->ready_fd = ends[1];
	fflush(stdout);
	r->pid = fork();
	CHECK(r->pid != -1);
	if (r->pid == 0) {
		fd_close(&ends[0]);
		run_in_child(s, out);
	}
	fd_close(&ends[1]);
	read_ready(r, ends[0]);
}

/* Waits for the end; its status. */
static int wait_for(struct running *r)
{
	uint64_t until = clock_monotonic_ms() + DEADLINE_MS;
	int status;
	pid_t pid;

	while ((pid = waitpid(r->pid, &status, WNOHANG)) == 0) {
		if (clock_monotonic_ms() > until) {
			kill(r->pid, SIGKILL);
			waitpid(r->pid, &status, 0);
			unit_fail(__FILE__, __LINE__, "the proxy does not end");
		}
		usleep(1000);
	}
	CHECK(pid == r->pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int request(const struct addr *to, const char *text)
{
	struct timeval limit = {.tv_sec = DEADLINE_MS / 1000};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage ss;

	CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
	CHECK(connect(fd, (struct sockaddr *)&ss, addr_to_sockaddr(to, &ss)) == 0);
	CHECK(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
	return fd;
}

/* All that comes until the end. */
static const char *answer(int fd)
{
	static char bytes[65536];
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, bytes + len, sizeof bytes - 1 - len, 0)) > 0)
		len += (size_t)n;
	CHECK(n == 0);
	fd_close(&fd);
	bytes[len] = 0;
	return bytes;
}

#define ASK(host) "GET / HTTP/1.1\r\nHost: " host "\r\nConnection: close\r\n\r\n"
#define ADMIN(url) "GET " url " HTTP/1.1\r\nHost: x\r\n\r\n"

static const char *page(struct running *r, const char *text)
{
	return answer(request(&r->admin, text));
}

static void serves_and_stops_at_a_signal(void)
{
	static const int signals[] = {SIGTERM, SIGINT};

	for (size_t i = 0; i < 2; i++) {
		struct control_settings s = default_settings();
		struct running r;

		start(&r, &s, -1);
		CHECK(strncmp(answer(request(&r.listener, ASK("nobody"))), "HTTP/1.1 404 ", 13) ==
		      0);
		CHECK(kill(r.pid, signals[i]) == 0);
		CHECK_INT(wait_for(&r), 0);
	}
}

static void serves_the_operators_pages(void)
{
	struct control_settings s = default_settings();
	struct running r;
	const char *said;

	start(&r, &s, -1);
	CHECK(strstr(page(&r, ADMIN("/healthz")), "\r\n\r\nok\n") != NULL);
	for (int i = 0; i < 1000; i++) {
		said = page(&r, ADMIN("/readyz?verbose"));
		if (strstr(said, "\r\n\r\nready\n") != NULL)
			break;
		usleep(1000);
	}
	CHECK_ROW(said, strncmp(said, "HTTP/1.1 200 ", 13) == 0);
	answer(request(&r.listener, ASK("nobody")));
	said = page(&r, ADMIN("/metrics"));
	CHECK(strstr(said, "\negressbox_requests_total{reason=\"unknown_host\"} 1\n") != NULL);
	CHECK(strstr(said, "\negressbox_routes 2\n") != NULL);
	CHECK(strstr(said, "\negressbox_names 2\n") != NULL);
	CHECK(strstr(said, "\negressbox_names_unresolved 1\n") != NULL);
	CHECK(strstr(said, "\negressbox_ready 1\n") != NULL);
	CHECK(strstr(page(&r, ADMIN("/routes")), "up.example") != NULL);
	CHECK(strstr(page(&r, ADMIN("/routes?format=json")), "\r\n\r\n{") != NULL);
	CHECK(strncmp(page(&r, ADMIN("/")), "HTTP/1.1 404 ", 13) == 0);
	kill(r.pid, SIGTERM);
	CHECK_INT(wait_for(&r), 0);
}

static void tells_of_each_answer_of_the_resolver(void)
{
	struct control_settings s = default_settings();
	struct running r;

	start(&r, &s, -1);
	/* Nobody can be asked, and that is known at once. */
	CHECK(strstr(answer(request(&r.listener, ASK("nowhere"))), "dns_servfail") != NULL);
	kill(r.pid, SIGTERM);
	CHECK_INT(wait_for(&r), 0);
}

static void writes_the_access_log_to_standard_output(void)
{
	struct control_settings s = default_settings();
	struct running r;
	char line[1024];
	int ends[2];
	ssize_t n;

	CHECK(pipe2(ends, O_CLOEXEC) == 0);
	s.config.access_log = ACCESSLOG_TEXT;
	start(&r, &s, ends[1]);
	fd_close(&ends[1]);
	answer(request(&r.listener, ASK("nobody")));
	kill(r.pid, SIGTERM);
	CHECK_INT(wait_for(&r), 0);
	n = read(ends[0], line, sizeof line - 1);
	CHECK(n > 0);
	line[n] = 0;
	CHECK_ROW(line, strstr(line, " reason=unknown_host ") != NULL && line[n - 1] == '\n');
	fd_close(&ends[0]);
}

static bool is_listening(const struct addr *at)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage ss;
	bool yes = connect(fd, (struct sockaddr *)&ss, addr_to_sockaddr(at, &ss)) == 0;

	fd_close(&fd);
	return yes;
}

/* A request that never ends, and how long it is waited for. */
static void finishes_within_the_time_given_or_at_a_second_signal(void)
{
	for (int second = 0; second < 2; second++) {
		struct control_settings s = default_settings();
		struct running r;
		int client;

		s.shutdown_timeout_ms = second ? NEVER_MS : 100;
		s.workers = 1;
		start(&r, &s, -1);
		client = request(&r.listener, "GET / HT");
		/*
		 * Two connections of one worker are accepted in order: so the first is in as well.
		 */
		answer(request(&r.listener, ASK("nobody")));
		kill(r.pid, SIGTERM);
		if (second) {
			/*
			 * Two signals at once would be one: the first has been seen when nobody
			 * listens.
			 */
			while (is_listening(&r.listener))
				usleep(1000);
			kill(r.pid, SIGTERM);
		}
		CHECK_INT(wait_for(&r), 0);
		fd_close(&client);
	}
}

static int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	CHECK(dir != NULL);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

static void says_why_it_could_not_start(void)
{
	struct control_settings s = default_settings();
	int before = descriptors();
	struct error e;

	s.listen[0].at = (struct addr){.family = 4, .port = 61999, .bytes = {192, 0, 2, 1}};
	CHECK(!control_run(&s, tables_new(rows), &e));
	CHECK(span_starts_with(span_from_cstr(e.text), SPAN("cannot listen on 192.0.2.1:61999: ")));
	s = default_settings();
	s.admin = (struct addr){.family = 4, .port = 61999, .bytes = {192, 0, 2, 1}};
	CHECK(!control_run(&s, tables_new(rows), &e));
	CHECK(span_starts_with(span_from_cstr(e.text), SPAN("cannot listen on 192.0.2.1:61999: ")));
	CHECK_INT(descriptors(), before);
}

/* The signal to stop waits already: so each run that starts ends at once, in this process. */
static void starts_whole_or_not_at_all_without_memory(void)
{
	int before, failures = 0;
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	CHECK(pthread_sigmask(SIG_BLOCK, &stop, NULL) == 0);
	before = descriptors();
	for (int n = 0;; n++) {
		struct control_settings s = default_settings();
		struct route_table *table = tables_new(rows);
		struct error e;
		bool started;

		CHECK(n < 200);
		s.config.access_log = ACCESSLOG_TEXT;
		kill(getpid(), SIGTERM);
		alloc_fail_after(n);
		started = control_run(&s, table, &e);
		alloc_fail_after(-1);
		CHECK_INT(descriptors(), before);
		if (started)
			break;
		CHECK_ROW(e.text, span_ends_with(span_from_cstr(e.text), SPAN("out of memory")));
		failures++;
	}
	CHECK(failures > 10);
}

UNIT_TESTS(TEST(serves_and_stops_at_a_signal), TEST(serves_the_operators_pages),
	   TEST(tells_of_each_answer_of_the_resolver),
	   TEST(writes_the_access_log_to_standard_output),
	   TEST(finishes_within_the_time_given_or_at_a_second_signal),
	   TEST(says_why_it_could_not_start), TEST(starts_whole_or_not_at_all_without_memory))
