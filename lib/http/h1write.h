/*
 * h1write: heads and chunks of our own, from parsed ones. Nothing that frames a message is copied
 * from what we received: start-line, Host, Connection, Content-Length, Transfer-Encoding are
 * written anew; end-to-end fields go through in their order, names and values byte for byte.
 *
 * Functions that return bool give false when the result must not be sent: it did not fit
 * (out->truncated), or a text of the caller's holds a control byte (RFC 9110 section 5.5; response
 * splitting).
 */
#ifndef HTTP_H1WRITE_H
#define HTTP_H1WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "http/h1frame.h"
#include "http/h1head.h"

/*
 * How much longer than the one received a regenerated head can be, given a host of up to 300 bytes
 * and a pseudonym of up to 64: our Host, framing, Via, Date, and a blank behind each colon.
 */
#define H1_WRITE_EXTRA_MAX 1024u

struct h1_request_rewrite {
	struct span host; /* the value of Host */
	struct span via;  /* pseudonym for Via; empty: no Via is added */
	/* Fields the mesh adds (H1_TRAIT_INTERNAL) are forwarded as well. */
	bool keep_internal;
	/* Trailers of a chunked request will be forwarded: so the Trailer field is as well. */
	bool keep_trailers;
};

/*
 * The request for upstream: always HTTP/1.1 and persistent, target in origin form (asterisk for
 * OPTIONS without path), body framed as `framing` says, Upgrade without h2c, TE: trailers when
 * asked for, Max-Forwards counted down for TRACE and OPTIONS, Expect only if
 * framing->expects_continue. CONNECT is written in authority form with rewrite->host.
 */
bool h1write_request(const struct h1_head *head, const char *bytes,
		     const struct h1_framing *framing, const struct h1_request_rewrite *rewrite,
		     struct buf *out);

enum h1_connection {
	H1_CONNECTION_DEFAULT,	  /* say nothing: a 1.1 client will keep the connection */
	H1_CONNECTION_CLOSE,	  /* Connection: close */
	H1_CONNECTION_KEEP_ALIVE, /* Connection: keep-alive, for 1.0 clients that asked */
};

struct h1_response_rewrite {
	/* How the body goes to the client. NONE writes no framing fields, except that an answer to
	 * HEAD and a 304 keep their Content-Length. UNTIL_CLOSE wants H1_CONNECTION_CLOSE. Ignored
	 * for 1xx and 204, which have neither body nor framing. */
	enum h1_body_kind body;
	uint64_t length;
	enum h1_connection connection;
	struct span date; /* for a final response without one (RFC 9110 5.6.7); empty: none added */
	bool is_head;	  /* answers HEAD */
	bool keep_internal;
	bool keep_trailers;
};

/*
 * The response for the client: always HTTP/1.1; a 101 (and 426) gets its Connection: upgrade and
 * Upgrade back; folded fields are unfolded.
 */
bool h1write_response(const struct h1_head *head, const char *bytes,
		      const struct h1_response_rewrite *rewrite, struct buf *out);

struct h1_error_reply {
	struct span line; /* body without line end: one line of text; control bytes become '?' */
	struct span date; /* empty: no Date */
	bool is_head;	  /* the head only, with the Content-Length it would have */
	enum h1_connection connection;
	struct span extra_name; /* one more field, when not empty */
	struct span extra_value;
};

/* An answer of our own: text/plain with one line. */
bool h1write_error(unsigned status, const struct h1_error_reply *reply, struct buf *out);
/* "HTTP/1.1 100 Continue" and its empty line. */
void h1write_continue(struct buf *out);
/* The standard phrase of a status (RFC 9110 section 15), "Unknown" for one without. */
const char *h1write_reason(unsigned status);

/* Longest text of h1write_chunk_start. */
#define H1_CHUNK_START_MAX 20
/* What goes before and after the data of a chunk. size MUST NOT be 0: that would end the body. */
void h1write_chunk_start(uint64_t size, struct buf *out);
void h1write_chunk_end(struct buf *out);
/* The last chunk with these trailers, as h1body collected them. */
void h1write_last_chunk(struct span trailers, struct buf *out);

#endif
