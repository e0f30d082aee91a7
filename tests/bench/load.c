/*
 * What passes through the proxies in tests/bench/sidecar, one connection after the other: the
 * client says in 8 bytes how much it wants, the server sends that much and ends, and the client
 * ends too. Both ends in one process each, without a thread.
 *
 * usage: load serve PORT (on all addresses)
 *        load ask ADDRESS PORT CONNECTIONS BYTES MILLISECONDS; prints how many were answered whole
 */
#include <arpa/inet.h>
#include <errno.h>
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

#define CONNECTIONS_MAX 16384
#define EVENTS_MAX 256
#define BLOCK (256 << 10)

/* Indexed by descriptor. */
static int64_t left[CONNECTIONS_MAX];
static char block[BLOCK];
static struct sockaddr_in to;
static int64_t wanted;
static long whole, broken;
static int poll_fd;

static void watch(int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	if (fd < 0 || fd >= CONNECTIONS_MAX || epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
		perror("load: descriptor");
		exit(1);
	}
}

/* The server's side of one connection. */
static void answer(int fd)
{
	int64_t size;

	if (left[fd] < 0) {
		if (recv(fd, &size, sizeof size, 0) != sizeof size) {
			if (errno != EAGAIN)
				close(fd);
			return;
		}
		left[fd] = size;
	}
	while (left[fd] > 0) {
		ssize_t n = send(fd, block, left[fd] < BLOCK ? (size_t)left[fd] : BLOCK,
				 MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			break;
		left[fd] -= n;
	}
	close(fd);
}

static void serve(int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct epoll_event events[EVENTS_MAX];
	int one = 1, fd, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 4096) != 0) {
		perror("load: listen");
		exit(1);
	}
	watch(listener, EPOLLIN);
	for (;;) {
		int count = epoll_wait(poll_fd, events, EVENTS_MAX, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.fd != listener) {
				answer(events[i].data.fd);
				continue;
			}
			while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
				left[fd] = -1;
				watch(fd, EPOLLIN | EPOLLOUT | EPOLLET);
			}
		}
	}
}

static void ask(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) {
		perror("load: connect");
		exit(1);
	}
	left[fd] = -1;
	watch(fd, EPOLLIN | EPOLLOUT | EPOLLET);
}

/* True when this connection is over. */
static bool hear(int fd)
{
	ssize_t n;

	if (left[fd] < 0) {
		if (send(fd, &wanted, sizeof wanted, MSG_NOSIGNAL) != sizeof wanted)
			return errno != EAGAIN;
		left[fd] = wanted;
	}
	while ((n = recv(fd, block, BLOCK, 0)) > 0)
		left[fd] -= n;
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n == 0 && left[fd] == 0)
		whole++;
	else
		broken++;
	return true;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void ask_all(int connections, int64_t ms)
{
	struct epoll_event events[EVENTS_MAX];
	int64_t end = now_ms() + ms;

	for (int i = 0; i < connections; i++)
		ask();
	while (now_ms() < end) {
		int count = epoll_wait(poll_fd, events, EVENTS_MAX, 100);

		for (int i = 0; i < count; i++) {
			if (!hear(events[i].data.fd))
				continue;
			close(events[i].data.fd);
			ask();
		}
	}
	printf("%ld %ld\n", whole, broken);
}

int main(int argc, char **argv)
{
	poll_fd = epoll_create1(0);
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		serve(atoi(argv[2]));
	if (argc != 7 || strcmp(argv[1], "ask") != 0)
		return 2;
	to = (struct sockaddr_in){.sin_family = AF_INET,
				  .sin_port = htons((uint16_t)atoi(argv[3]))};
	inet_pton(AF_INET, argv[2], &to.sin_addr);
	wanted = atoll(argv[5]);
	ask_all(atoi(argv[4]), atoll(argv[6]));
	return 0;
}
