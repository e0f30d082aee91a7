/*
 * The loads that wrk does not know.
 *
 * usage: clients idle PORT HOST COUNT
 *     COUNT connections to 127.0.0.1:PORT, one GET /0 on each, then a line "idle"; they are kept
 *     until standard input ends.
 *        clients open PORT HOST RATE CONNECTIONS SECONDS
 *     GET /0 RATE times a second, whether the answers come or not; prints how many were answered
 *     and the microseconds from when each was due to its answer: "COUNT P50 P99 P999".
 *
 * exit status: 1 when anything but a 200 came.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX 256

static struct sockaddr_in at = {.sin_family = AF_INET};
static char request[512];
static size_t request_length;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int open_connection(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		fail("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void ask(int fd)
{
	if (send(fd, request, request_length, MSG_NOSIGNAL) != (ssize_t)request_length)
		fail("send");
}

/* The answer to /0 is small, and comes in one piece. */
static void hear(int fd)
{
	char answer[4096];
	ssize_t n = recv(fd, answer, sizeof(answer), 0);
	if (n < 16 || memcmp(answer, "HTTP/1.1 200", 12) != 0 ||
	    memcmp(answer + n - 4, "\r\n\r\n", 4) != 0)
		fail("answer");
}

static int be_idle(int count)
{
	for (int i = 0; i < count; i++) {
		int fd = open_connection();
		ask(fd);
		hear(fd);
	}
	puts("idle");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void report(int64_t *took, int count)
{
	qsort(took, (size_t)count, sizeof(*took), compare);
	printf("%d %.1f %.1f %.1f\n", count, took[count / 2] / 1e3, took[count * 99LL / 100] / 1e3,
	       took[count * 999LL / 1000] / 1e3);
}

/* Requests wait in line, as they fall due, for a connection that is free. */
static int be_open(int rate, int connections, int seconds)
{
	int total = rate * seconds, sent = 0, heard = 0, free_count = 0, poll_fd = epoll_create1(0);
	int *free_fds = calloc((size_t)connections, sizeof(*free_fds));
	int64_t *took = calloc((size_t)total, sizeof(*took));
	int64_t due_of[65536], start;

	for (int i = 0; i < connections; i++) {
		int fd = open_connection();
		struct epoll_event event = {EPOLLIN, {.fd = fd}};
		epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event);
		free_fds[free_count++] = fd;
	}
	start = now_ns();
	while (heard < total) {
		struct epoll_event events[EVENTS_MAX];
		int64_t due = start + INT64_C(1000000000) * sent / rate, wait = due - now_ns();
		struct timespec pause = {0, 0};
		if (sent < total && free_count > 0 && wait <= 0) {
			int fd = free_fds[--free_count];
			due_of[fd] = due;
			ask(fd);
			sent++;
			continue;
		}
		if (sent == total || free_count == 0)
			pause.tv_sec = 10;
		else
			pause.tv_nsec = wait; /* rates are above 1 */
		int n = epoll_pwait2(poll_fd, events, EVENTS_MAX, &pause, NULL);
		if (n == 0 && pause.tv_sec > 0)
			fail("no answer");
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			hear(fd);
			took[heard++] = now_ns() - due_of[fd];
			free_fds[free_count++] = fd;
		}
	}
	report(took, total);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 2;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	request_length = (size_t)snprintf(request, sizeof(request),
					  "GET /0 HTTP/1.1\r\nHost: %s\r\n\r\n", argv[3]);
	if (argc == 5 && strcmp(argv[1], "idle") == 0)
		return be_idle(atoi(argv[4]));
	if (argc == 7 && strcmp(argv[1], "open") == 0)
		return be_open(atoi(argv[4]), atoi(argv[5]), atoi(argv[6]));
	return 2;
}
