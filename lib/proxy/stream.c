#include "proxy/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

void stream_init(struct stream *s)
{
	*s = (struct stream){.watch = {.fd = -1}};
}

void stream_on_event(struct stream *s, unsigned events)
{
	if ((events & LOOP_READABLE) != 0)
		s->readable = true;
	if ((events & LOOP_WRITABLE) != 0)
		s->writable = true;
	if ((events & LOOP_HANGUP) != 0)
		s->hangup = true;
	s->has_ended = s->hangup && (events & LOOP_FAILED) == 0;
}

static enum stream_result receive(struct stream *s, void *to, size_t cap, size_t *got)
{
	ssize_t n;

	*got = 0;
	if (s->at_eof)
		return STREAM_EOF;
	if (!s->readable)
		return STREAM_AGAIN;
	do
		n = recv(s->watch.fd, to, cap, 0);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		*got = (size_t)n;
		/*
		 * A short read means that the kernel has no more: its next bytes make a new edge.
		 * Not so when the end was announced already: that edge has been told, and the end
		 * is still to be read.
		 */
		if ((size_t)n < cap && !s->hangup)
			s->readable = false;
		if ((size_t)n < cap && s->has_ended)
			s->at_eof = true;
		return STREAM_OK;
	}
	if (n == 0) {
		s->at_eof = true;
		return STREAM_EOF;
	}
	if (errno == EAGAIN) {
		s->readable = false;
		return STREAM_AGAIN;
	}
	s->error = errno;
	return STREAM_FAILED;
}

/* What a send call gave; a short one needs no care: the next says EAGAIN. */
static enum stream_result sent(struct stream *s, ssize_t n, size_t *put)
{
	if (n >= 0) {
		*put = (size_t)n;
		return STREAM_OK;
	}
	if (errno == EAGAIN) {
		s->writable = false;
		return STREAM_AGAIN;
	}
	s->error = errno;
	return STREAM_FAILED;
}

static enum stream_result transmit(struct stream *s, const void *bytes, size_t len, int flags,
				   size_t *put)
{
	ssize_t n;

	*put = 0;
	if (!s->writable)
		return STREAM_AGAIN;
	do
		n = send(s->watch.fd, bytes, len, MSG_NOSIGNAL | flags);
	while (n < 0 && errno == EINTR);
	return sent(s, n, put);
}

static enum stream_result transmit_two(struct stream *s, struct span first, struct span second,
				       size_t *put)
{
	struct iovec pieces[] = {{(void *)(uintptr_t)first.ptr, first.len},
				 {(void *)(uintptr_t)second.ptr, second.len}};
	struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
	ssize_t n;

	*put = 0;
	if (!s->writable)
		return STREAM_AGAIN;
	do
		n = sendmsg(s->watch.fd, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return sent(s, n, put);
}

/* Sends all records that the engine has ready. */
static enum stream_result send_records(struct stream *s)
{
	for (;;) {
		size_t len, put;
		const uint8_t *records = tlsconn_records_out(s->tls, &len);
		enum stream_result r;

		if (records == NULL)
			return STREAM_OK;
		r = transmit(s, records, len, 0, &put);
		if (r != STREAM_OK)
			return r;
		tlsconn_records_sent(s->tls, put);
	}
}

/* Receives what fits the engine, once. The transport's end is told to it. */
static enum stream_result receive_records(struct stream *s)
{
	size_t room, got;
	uint8_t *to = tlsconn_records_in(s->tls, &room);
	enum stream_result r;

	if (to == NULL)
		return STREAM_AGAIN;
	r = receive(s, to, room, &got);
	if (r == STREAM_OK)
		tlsconn_records_received(s->tls, got);
	if (r == STREAM_EOF) {
		tlsconn_eof(s->tls);
		return STREAM_OK;
	}
	return r;
}

static enum stream_result closed_tls(const struct stream *s)
{
	return tlsconn_closed_cleanly(s->tls) ? STREAM_EOF : STREAM_FAILED;
}

/* The peer has ended the connection, or it has failed: nothing more will be read. */
static bool is_over(const struct stream *s)
{
	return tlsconn_closed_cleanly(s->tls) || (tlsconn_wants(s->tls) & TLSCONN_CLOSED) != 0;
}

static enum stream_result read_tls(struct stream *s, char *to, size_t cap, size_t *got)
{
	*got = 0;
	for (;;) {
		size_t len;
		const uint8_t *data = tlsconn_data_in(s->tls, &len);
		enum stream_result r;

		if (data != NULL) {
			len = len < cap ? len : cap;
			memcpy(to, data, len);
			tlsconn_data_read(s->tls, len);
			*got = len;
			return STREAM_OK;
		}
		/* An alert or a close_notify of ours may have to leave before more can come in. */
		r = send_records(s);
		if (is_over(s))
			return closed_tls(s);
		if (r == STREAM_FAILED)
			return r;
		r = receive_records(s);
		if (r != STREAM_OK)
			return r;
	}
}

static enum stream_result write_tls(struct stream *s, struct span bytes, size_t *put)
{
	enum stream_result r = send_records(s);
	size_t room;
	uint8_t *to;

	*put = 0;
	if (r != STREAM_OK)
		return r;
	to = tlsconn_data_out(s->tls, &room);
	if (to == NULL)
		return (tlsconn_wants(s->tls) & TLSCONN_CLOSED) != 0 ? STREAM_FAILED : STREAM_AGAIN;
	room = bytes.len < room ? bytes.len : room;
	memcpy(to, bytes.ptr, room);
	tlsconn_data_written(s->tls, room);
	tlsconn_flush(s->tls);
	*put = room;
	/* What the kernel doesn't take now stays with the engine; the bytes count as taken. */
	r = send_records(s);
	return r == STREAM_FAILED ? r : STREAM_OK;
}

enum stream_result stream_read(struct stream *s, char *to, size_t cap, size_t *got)
{
	return s->tls != NULL ? read_tls(s, to, cap, got) : receive(s, to, cap, got);
}

enum stream_result stream_write(struct stream *s, struct span bytes, size_t *put)
{
	return s->tls != NULL ? write_tls(s, bytes, put)
			      : transmit(s, bytes.ptr, bytes.len, 0, put);
}

enum stream_result stream_write_last(struct stream *s, struct span bytes, size_t *put)
{
	return transmit(s, bytes.ptr, bytes.len, MSG_MORE, put);
}

enum stream_result stream_write_two(struct stream *s, struct span first, struct span second,
				    size_t *put)
{
	enum stream_result r;
	size_t more = 0;

	if (s->tls == NULL)
		return transmit_two(s, first, second, put);
	r = write_tls(s, first, put);
	if (r == STREAM_OK && *put == first.len) {
		r = write_tls(s, second, &more);
		*put += more;
	}
	return r == STREAM_AGAIN && *put > 0 ? STREAM_OK : r;
}

enum stream_result stream_flush(struct stream *s)
{
	return s->tls != NULL ? send_records(s) : STREAM_OK;
}

/* The transport has failed: an alert that came before that says why, so it is read still. */
static enum stream_result fail_handshake(struct stream *s)
{
	s->readable = true;
	receive_records(s);
	tlsconn_eof(s->tls);
	return STREAM_FAILED;
}

enum stream_result stream_handshake(struct stream *s)
{
	if (s->tls == NULL)
		return STREAM_OK;
	for (;;) {
		enum stream_result r = send_records(s);

		if (r == STREAM_OK && tlsconn_is_established(s->tls))
			return STREAM_OK;
		if (r == STREAM_OK && (tlsconn_wants(s->tls) & TLSCONN_CLOSED) != 0)
			return STREAM_FAILED;
		if (r == STREAM_OK)
			r = receive_records(s);
		if (r == STREAM_FAILED)
			return fail_handshake(s);
		if (r != STREAM_OK)
			return r;
	}
}

void stream_end_output(struct stream *s)
{
	if (s->tls != NULL) {
		tlsconn_close(s->tls);
		send_records(s);
	}
	shutdown(s->watch.fd, SHUT_WR);
}

bool stream_has_rest(const struct stream *s)
{
	return s->tls != NULL && ((tlsconn_wants(s->tls) & TLSCONN_RECV_DATA) != 0 || is_over(s));
}

bool stream_may_read(const struct stream *s)
{
	return s->readable || stream_has_rest(s);
}
