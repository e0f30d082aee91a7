/*
 * stream: one connection as bytes, plain or TLS, without blocking.
 *
 * The owner watches the descriptor through the loop (edge-triggered), tells the stream each event,
 * and then reads and writes until STREAM_AGAIN. Readiness is remembered here, so that no call is
 * made that can only say EAGAIN.
 */
#ifndef PROXY_STREAM_H
#define PROXY_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "ev/loop.h"
#include "tls/tlsconn.h"

enum stream_result {
	STREAM_OK,
	STREAM_AGAIN, /* not now: wait for an event */
	STREAM_EOF,   /* reading only: the peer has ended its side, for TLS with close_notify */
	STREAM_FAILED,
};

struct stream {
	struct watch watch;
	struct tlsconn *tls; /* NULL: plain. The owner's to free */
	int error;	     /* errno of the failure; 0 when it was TLS that failed */
	bool readable : 1;   /* the kernel may have bytes, or the end */
	bool writable : 1;   /* the kernel may have room */
	bool hangup : 1;     /* the end has been announced: read until it is seen */
	bool has_ended : 1;  /* it was announced in order: nothing follows what is there now */
	bool at_eof : 1;     /* the transport's end has been read */
};

/* Over nothing yet. */
void stream_init(struct stream *s);

/* Takes an event's flags into account. */
void stream_on_event(struct stream *s, unsigned events);

/* At most `cap` (not 0) bytes into `to`; *got > 0 for STREAM_OK. */
enum stream_result stream_read(struct stream *s, char *to, size_t cap, size_t *got);

/*
 * Takes what it can of `bytes`; *put may be less. STREAM_AGAIN when nothing could be taken. For
 * TLS, taken means encrypted or about to be: call stream_flush until STREAM_OK to see it on its
 * way.
 */
enum stream_result stream_write(struct stream *s, struct span bytes, size_t *put);

/* Plain streams only: the same for the last there is, which waits for the end or the close. */
enum stream_result stream_write_last(struct stream *s, struct span bytes, size_t *put);

/* The same for two pieces, one behind the other, in one system call where there is one. */
enum stream_result stream_write_two(struct stream *s, struct span first, struct span second,
				    size_t *put);

/* Sends TLS records that wait; STREAM_OK when none do. For plain streams always STREAM_OK. */
enum stream_result stream_flush(struct stream *s);

/* Moves the TLS handshake on: STREAM_OK once it is done (at once for plain streams). */
enum stream_result stream_handshake(struct stream *s);

/*
 * Ends our side: TCP half-close, or for TLS a close_notify (which ends both). What was written and
 * flushed before is delivered first.
 */
void stream_end_output(struct stream *s);

/*
 * TLS only: more data, or the end, came with what was read last. It has had its event: no other
 * will tell of it.
 */
bool stream_has_rest(const struct stream *s);

/* Something can be read without waiting: decrypted data, or the kernel may have some. */
bool stream_may_read(const struct stream *s);

#endif
