/*
 * pipes: a stream over one end of a connected pair of sockets, the test at the other end, and
 * bytes that the test puts in and takes out without blocking.
 */
#ifndef PIPES_H
#define PIPES_H

#include "../unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "proxy/stream.h"
#include "sys/fd.h"

struct pipes {
	struct stream stream;
	int fd;	  /* the stream's end */
	int peer; /* the test's end, -1 once closed */
};

static inline void pipes_over(struct pipes *p, int fd, int peer)
{
	stream_init(&p->stream);
	p->fd = p->stream.watch.fd = fd;
	p->peer = peer;
	stream_on_event(&p->stream, LOOP_READABLE | LOOP_WRITABLE);
}

/*
 * A local pair; `buffer_size` is what the kernel keeps each way, as little as it accepts; 0: its
 * default.
 */
static inline void pipes_open(struct pipes *p, int buffer_size)
{
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	for (int i = 0; buffer_size > 0 && i < 2; i++)
		CHECK(setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &buffer_size,
				 sizeof buffer_size) == 0);
	pipes_over(p, pair[0], pair[1]);
}

/* A TCP connection over loopback, for what only TCP does: resets, and large buffers. */
static inline void pipes_open_tcp(struct pipes *p)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int peer = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int fd;

	CHECK(bind(listener, (struct sockaddr *)&at, len) == 0 && listen(listener, 1) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&at, &len) == 0);
	CHECK(connect(peer, (struct sockaddr *)&at, len) == 0 || errno == EINPROGRESS);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	CHECK(fd != -1);
	fd_close(&listener);
	pipes_over(p, fd, peer);
}

static inline void pipes_close(struct pipes *p)
{
	fd_close(&p->fd);
	fd_close(&p->peer);
}

/* Closes the test's end so that the stream's sees a reset. */
static inline void pipes_reset(struct pipes *p)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	CHECK(setsockopt(p->peer, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
	fd_close(&p->peer);
}

/* What the loop would tell when something has changed: the flags that edges bring. */
static inline void pipes_tell(struct pipes *p, unsigned events)
{
	stream_on_event(&p->stream, events);
}

/* Puts in what the kernel takes of the bytes; returns how many. */
static inline size_t pipes_put(struct pipes *p, struct span bytes)
{
	ssize_t n = bytes.len == 0 ? 0 : send(p->peer, bytes.ptr, bytes.len, MSG_NOSIGNAL);

	CHECK(n >= 0 || errno == EAGAIN);
	if (n > 0)
		pipes_tell(p, LOOP_READABLE);
	return n > 0 ? (size_t)n : 0;
}

static inline void pipes_put_all(struct pipes *p, struct span bytes)
{
	CHECK(pipes_put(p, bytes) == bytes.len);
}

static inline void pipes_end(struct pipes *p)
{
	CHECK(shutdown(p->peer, SHUT_WR) == 0);
	pipes_tell(p, LOOP_READABLE | LOOP_HANGUP);
}

/* Takes out at most `max` bytes of what is there now. */
static inline void pipes_take(struct pipes *p, struct buf *to, size_t max)
{
	char bytes[4096];

	while (max > 0) {
		ssize_t n = recv(p->peer, bytes, max < sizeof bytes ? max : sizeof bytes, 0);

		if (n <= 0)
			break;
		buf_add(to, span_of(bytes, (size_t)n));
		max -= (size_t)n;
	}
	pipes_tell(p, LOOP_WRITABLE);
}

/*
 * Waits until loopback has delivered: TCP does it in its own time. Looks without taking an error
 * away.
 */
static inline void pipes_wait_readable(int fd)
{
	struct pollfd wanted = {.fd = fd, .events = POLLIN};

	CHECK(poll(&wanted, 1, 5000) == 1);
}

#endif
