#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "sys/fd.h"

static void close_is_once_and_keeps_errno(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), copy = fd;

	CHECK(fd != -1);
	errno = ENOENT;
	fd_close(&fd);
	CHECK_INT(fd, -1);
	CHECK_INT(errno, ENOENT);
	CHECK_INT(fcntl(copy, F_GETFD), -1);
	errno = ENOENT;
	fd_close(&fd);
	CHECK_INT(errno, ENOENT);
	fd = 1000000; /* fails with EBADF, which is not for the caller to see */
	fd_close(&fd);
	CHECK_INT(fd, -1);
	CHECK_INT(errno, ENOENT);
}

static void on_alarm(int signal_number)
{
	(void)signal_number;
}

static void set_timer(int interval_us)
{
	struct sigaction action = {
		.sa_handler = on_alarm}; /* no SA_RESTART: writes are interrupted */
	struct itimerval timer = {{0, interval_us}, {0, interval_us}};

	CHECK_INT(sigaction(SIGALRM, &action, NULL), 0);
	CHECK_INT(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

#define BIG 1000000

struct drain {
	int fd;
	unsigned char *bytes;
	size_t len;
};

/* Reads slowly enough, in odd pieces, that the writer has to wait on a full pipe. */
static void *drain(void *argument)
{
	struct drain *d = argument;
	sigset_t all;
	ssize_t n;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	while ((n = read(d->fd, d->bytes + d->len, d->len + 777 < BIG ? 777 : BIG - d->len)) > 0)
		d->len += (size_t)n;
	return NULL;
}

static void writes_all_through_short_writes_and_signals(void)
{
	unsigned char *bytes = malloc(BIG), *got = malloc(BIG);
	struct drain d = {.bytes = got};
	struct error e = {""};
	pthread_t thread;
	int ends[2];
	bool ok;

	CHECK(bytes != NULL && got != NULL);
	for (size_t i = 0; i < BIG; i++)
		bytes[i] = (unsigned char)(i * 31 + i / 256);
	CHECK_INT(pipe(ends), 0);
	d.fd = ends[0];
	CHECK_INT(pthread_create(&thread, NULL, drain, &d), 0);
	set_timer(200);
	ok = fd_write_all(ends[1], span_of(bytes, BIG), &e);
	set_timer(0);
	close(ends[1]);
	CHECK_INT(pthread_join(thread, NULL), 0);
	close(ends[0]);
	CHECK(ok);
	CHECK_INT(d.len, BIG);
	CHECK(memcmp(bytes, got, BIG) == 0);
	free(bytes);
	free(got);
}

static void write_to_a_closed_pipe_is_an_error(void)
{
	char expected[128];
	struct error e;
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	CHECK_INT(pipe(ends), 0);
	close(ends[0]);
	CHECK(!fd_write_all(ends[1], SPAN("x"), &e));
	snprintf(expected, sizeof expected, "cannot write: %s", strerror(EPIPE));
	CHECK_TEXT(e.text, expected);
	CHECK(fd_write_all(ends[1], SPAN(""), &e));
	close(ends[1]);
}

static void raises_the_soft_limit_to_the_hard_one(void)
{
	struct rlimit before, lowered, after;

	CHECK_INT(getrlimit(RLIMIT_NOFILE, &before), 0);
	lowered = before;
	lowered.rlim_cur = before.rlim_max > 64 ? 64 : before.rlim_max;
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &lowered), 0);
	CHECK(fd_raise_limit() == before.rlim_max);
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &after), 0);
	CHECK(after.rlim_cur == before.rlim_max && after.rlim_max == before.rlim_max);
	CHECK(fd_raise_limit() == before.rlim_max);
	setrlimit(RLIMIT_NOFILE, &before);
}

UNIT_TESTS(TEST(close_is_once_and_keeps_errno), TEST(writes_all_through_short_writes_and_signals),
	   TEST(write_to_a_closed_pipe_is_an_error), TEST(raises_the_soft_limit_to_the_hard_one))
