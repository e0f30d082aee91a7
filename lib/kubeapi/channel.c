#include "kubeapi/channel.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "sys/clock.h"
#include "sys/fd.h"

/* Records that bring nothing, one after the other, before a call that must not wait gives up. */
#define ROUNDS_NOW 16

void channel_init(struct channel *c)
{
	*c = (struct channel){.fd = -1};
}

static enum channel_result failed(struct channel *c, int error)
{
	c->error = error;
	return CHANNEL_FAILED;
}

/*
 * Looked at before each call as well, not only when there is something to wait for: a peer that
 * always has something for us, empty records perhaps, would keep us for ever.
 */
static bool is_too_late(uint64_t deadline_ms)
{
	return deadline_ms != CHANNEL_NOW && clock_monotonic_ms() >= deadline_ms;
}

static enum channel_result wait_for(struct channel *c, short events, uint64_t deadline_ms)
{
	struct pollfd p = {.fd = c->fd, .events = events};

	if (deadline_ms == CHANNEL_NOW)
		return CHANNEL_TIMEOUT;
	for (;;) {
		uint64_t now = clock_monotonic_ms();
		uint64_t left = deadline_ms > now ? deadline_ms - now : 0;
		int n = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);

		if (n > 0)
			return CHANNEL_OK;
		if (n < 0 && errno != EINTR)
			return failed(c, errno);
		if (n == 0 && left <= INT_MAX)
			return CHANNEL_TIMEOUT;
	}
}

/* A machine that went without a word is found out within half a minute, though we only listen. */
static void notice_death(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{SOL_SOCKET, SO_KEEPALIVE, 1},		{IPPROTO_TCP, TCP_KEEPIDLE, 15},
		{IPPROTO_TCP, TCP_KEEPINTVL, 5},	{IPPROTO_TCP, TCP_KEEPCNT, 3},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, 30000},
	};

	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int));
}

enum channel_result channel_begin(struct channel *c, const struct addr *addr)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(addr, &ss);
	int one = 1;

	c->error = 0;
	c->fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd == -1)
		return failed(c, errno);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	notice_death(c->fd);
	if (connect(c->fd, (struct sockaddr *)&ss, len) == 0 || errno == EINPROGRESS)
		return CHANNEL_OK;
	failed(c, errno);
	fd_close(&c->fd);
	return CHANNEL_FAILED;
}

enum channel_result channel_finish(struct channel *c, uint64_t deadline_ms)
{
	enum channel_result r = deadline_ms == CHANNEL_NOW ? CHANNEL_OK
							   : wait_for(c, POLLOUT, deadline_ms);
	int error = 0;
	socklen_t len = sizeof error;

	if (r != CHANNEL_OK)
		return r;
	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	return error == 0 ? CHANNEL_OK : failed(c, error);
}

enum channel_result channel_open(struct channel *c, const struct addr *addr, uint64_t deadline_ms)
{
	enum channel_result r = channel_begin(c, addr);

	if (r == CHANNEL_OK)
		r = channel_finish(c, deadline_ms);
	if (r != CHANNEL_OK)
		fd_close(&c->fd);
	return r;
}

static enum channel_result send_some(struct channel *c, const void *bytes, size_t len, size_t *put,
				     uint64_t deadline_ms)
{
	while (!is_too_late(deadline_ms)) {
		ssize_t n = send(c->fd, bytes, len, MSG_NOSIGNAL);
		enum channel_result r;

		if (n >= 0) {
			*put = (size_t)n;
			return CHANNEL_OK;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return failed(c, errno);
		r = wait_for(c, POLLOUT, deadline_ms);
		if (r != CHANNEL_OK)
			return r;
	}
	return CHANNEL_TIMEOUT;
}

static enum channel_result receive_some(struct channel *c, void *to, size_t cap, size_t *got,
					uint64_t deadline_ms)
{
	*got = 0;
	while (!is_too_late(deadline_ms)) {
		ssize_t n = recv(c->fd, to, cap, 0);
		enum channel_result r;

		if (n > 0) {
			*got = (size_t)n;
			return CHANNEL_OK;
		}
		if (n == 0)
			return CHANNEL_EOF;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return failed(c, errno);
		r = wait_for(c, POLLIN, deadline_ms);
		if (r != CHANNEL_OK)
			return r;
	}
	return CHANNEL_TIMEOUT;
}

/* Sends all records that the engine has ready. */
static enum channel_result send_records(struct channel *c, uint64_t deadline_ms)
{
	const uint8_t *records;
	size_t len, put;

	while ((records = tlsconn_records_out(c->tls, &len)) != NULL) {
		enum channel_result r = send_some(c, records, len, &put, deadline_ms);

		if (r != CHANNEL_OK)
			return r;
		tlsconn_records_sent(c->tls, put);
	}
	return CHANNEL_OK;
}

/*
 * Receives what fits the engine, once. The transport's end is told to it, a failed transport's too:
 * what came before, an alert perhaps, says more than the failure.
 */
static enum channel_result receive_records(struct channel *c, uint64_t deadline_ms)
{
	size_t room, got;
	uint8_t *to = tlsconn_records_in(c->tls, &room);
	enum channel_result r;

	if (to == NULL)
		return CHANNEL_FAILED;
	r = receive_some(c, to, room, &got, deadline_ms);
	if (r == CHANNEL_TIMEOUT)
		return r;
	if (r == CHANNEL_OK)
		tlsconn_records_received(c->tls, got);
	else
		tlsconn_eof(c->tls);
	return CHANNEL_OK;
}

static bool is_closed(const struct channel *c)
{
	return (tlsconn_wants(c->tls) & TLSCONN_CLOSED) != 0;
}

enum channel_result channel_handshake(struct channel *c, uint64_t deadline_ms)
{
	for (;;) {
		enum channel_result r = send_records(c, deadline_ms);

		if (r == CHANNEL_OK && tlsconn_is_established(c->tls))
			return CHANNEL_OK;
		/* A server that hung up while we were sending may have said why. */
		if (r != CHANNEL_TIMEOUT && !is_closed(c))
			r = receive_records(c, deadline_ms);
		if (r == CHANNEL_OK && is_closed(c))
			r = CHANNEL_FAILED;
		if (r != CHANNEL_OK)
			return r;
	}
}

enum channel_result channel_secure_begin(struct channel *c, const struct tls_profile *profile,
					 const char *server, const struct keypair *keypair,
					 uint64_t now_s)
{
	struct tlsconn_peer peer = {
		.profile = profile, .server = span_from_cstr(server), .keypair = keypair};
	uint8_t entropy[TLSCONN_ENTROPY_SIZE];

	tlsconn_memory_init(&c->memory, 1);
	c->tls = tlsconn_new(&c->memory);
	if (c->tls == NULL) {
		tlsconn_memory_fini(&c->memory);
		return failed(c, ENOMEM);
	}
	/* At most 256 bytes are given whole or not at all. */
	if (getrandom(entropy, sizeof entropy, 0) != sizeof entropy)
		return failed(c, errno);
	return tlsconn_start(c->tls, &peer, now_s, entropy) ? CHANNEL_OK : CHANNEL_FAILED;
}

enum channel_result channel_secure(struct channel *c, const struct tls_profile *profile,
				   const char *server, const struct keypair *keypair,
				   uint64_t now_s, uint64_t deadline_ms)
{
	enum channel_result r = channel_secure_begin(c, profile, server, keypair, now_s);

	return r == CHANNEL_OK ? channel_handshake(c, deadline_ms) : r;
}

static enum channel_result write_tls(struct channel *c, struct span *bytes, uint64_t deadline_ms)
{
	for (;;) {
		enum channel_result r = send_records(c, deadline_ms);
		size_t room;
		uint8_t *to;

		if (r != CHANNEL_OK || bytes->len == 0)
			return r;
		to = tlsconn_data_out(c->tls, &room);
		if (to == NULL)
			return CHANNEL_FAILED;
		room = bytes->len < room ? bytes->len : room;
		memcpy(to, bytes->ptr, room);
		tlsconn_data_written(c->tls, room);
		tlsconn_flush(c->tls);
		*bytes = span_from(*bytes, room);
	}
}

enum channel_result channel_write(struct channel *c, struct span *bytes, uint64_t deadline_ms)
{
	if (c->tls != NULL)
		return write_tls(c, bytes, deadline_ms);
	while (bytes->len > 0) {
		size_t put = 0;
		enum channel_result r = send_some(c, bytes->ptr, bytes->len, &put, deadline_ms);

		if (r != CHANNEL_OK)
			return r;
		*bytes = span_from(*bytes, put);
	}
	return CHANNEL_OK;
}

static enum channel_result read_tls(struct channel *c, char *to, size_t cap, size_t *got,
				    uint64_t deadline_ms)
{
	for (unsigned rounds = 0; deadline_ms != CHANNEL_NOW || rounds < ROUNDS_NOW; rounds++) {
		size_t len;
		const uint8_t *data = tlsconn_data_in(c->tls, &len);
		enum channel_result r;

		if (data != NULL) {
			*got = len < cap ? len : cap;
			memcpy(to, data, *got);
			tlsconn_data_read(c->tls, *got);
			return CHANNEL_OK;
		}
		/* An alert or a close_notify of ours may have to leave before more can come in. */
		r = send_records(c, deadline_ms);
		if (tlsconn_closed_cleanly(c->tls))
			return CHANNEL_EOF;
		if (r == CHANNEL_OK && is_closed(c))
			r = CHANNEL_FAILED;
		if (r == CHANNEL_OK)
			r = receive_records(c, deadline_ms);
		if (r != CHANNEL_OK)
			return r;
	}
	return CHANNEL_OK;
}

enum channel_result channel_read(struct channel *c, char *to, size_t cap, size_t *got,
				 uint64_t deadline_ms)
{
	*got = 0;
	return c->tls != NULL ? read_tls(c, to, cap, got, deadline_ms)
			      : receive_some(c, to, cap, got, deadline_ms);
}

bool channel_is_quiet(const struct channel *c)
{
	char byte;

	if (c->fd == -1)
		return false;
	if (c->tls != NULL && (tlsconn_closed_cleanly(c->tls) || is_closed(c) ||
			       (tlsconn_wants(c->tls) & TLSCONN_RECV_DATA) != 0))
		return false;
	return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

enum tls_error channel_tls_error(const struct channel *c)
{
	return c->tls != NULL ? tlsconn_error(c->tls) : TLS_OK;
}

void channel_close(struct channel *c)
{
	if (c->fd != -1 && c->tls != NULL) {
		tlsconn_close(c->tls);
		/* The close_notify goes into the socket's buffer, or is not waited for. */
		send_records(c, CHANNEL_NOW);
	}
	if (c->tls != NULL) {
		tlsconn_free(c->tls);
		tlsconn_memory_fini(&c->memory);
	}
	c->tls = NULL;
	fd_close(&c->fd);
}
