/*
 * h1frame: what a head means for the connection it came on: where its body ends, whom it is for,
 * and whether the connection lives on. One pure decision over a parsed head (RFC 9112 sections 3.2,
 * 6, 9).
 *
 * What can't be framed with certainty is refused. Of Content-Length and Transfer-Encoding there may
 * be one field of one kind, and `chunked` is the only coding.
 */
#ifndef HTTP_H1FRAME_H
#define HTTP_H1FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "http/h1head.h"

enum h1_body_kind {
	H1_BODY_NONE,	/* nothing follows the head */
	H1_BODY_LENGTH, /* `length` bytes, perhaps 0 */
	H1_BODY_CHUNKED,
	H1_BODY_UNTIL_CLOSE, /* responses only: all until the connection ends, RFC 9112 6.3 */
};

/* Options and nominated names in all Connection fields of a head; more are refused. */
#define H1_OPTIONS_MAX 32

struct h1_framing {
	enum h1_body_kind body;
	uint64_t length; /* H1_BODY_LENGTH: at most INT64_MAX; else 0 */
	/* The sender lets the connection live on. For a 1.0 client it means that it asked for it
	 * (Connection: keep-alive), which the caller MUST grant explicitly or not at all. */
	bool keep_alive;

	/* of a request; zero for a response */
	struct h1_slice authority; /* to route by: from the target in absolute and authority form,
				    * else from Host; as it came */
	struct h1_slice host;	   /* of it, without port and brackets */
	uint16_t port;		   /* of it, 0 when it has none */
	bool host_is_ipv6;	   /* it stood in brackets */
	bool expects_continue;	   /* Expect: 100-continue, 1.1, and a body is to come */
	bool trailers_ok;	   /* TE: trailers */
	bool is_last_hop; /* TRACE or OPTIONS with Max-Forwards: 0: answer, don't forward */
	/* 1.1 with Connection: upgrade and one Upgrade field that names more than h2c; the field's
	 * value is in upgrade_offer. For a response: status 101. */
	bool upgrade;
	struct h1_slice upgrade_offer; /* the value of Upgrade, of a 101 response too */
};

/*
 * Decides over a head for which h1head_parse_request gave H1_OK. False: refuse with *problem.
 * Every 1.1 request has a valid Host; a 1.0 request without one is refused unless its target names
 * the authority, since there would be nothing to route by. Host and an absolute target must agree.
 */
bool h1frame_request(const struct h1_head *head, const char *bytes, struct h1_framing *out,
		     enum h1_problem *problem);

/*
 * The same for a response; `request_method` is that of the request it answers. 1xx, 204, 304,
 * answers to HEAD and 2xx to CONNECT have no body. Nor has 205 here, whatever its fields say; then
 * keep_alive is false unless it said Content-Length: 0 (RFC 9110 15.3.6). keep_alive is false for
 * UNTIL_CLOSE.
 */
bool h1frame_response(const struct h1_head *head, const char *bytes, enum h1_method request_method,
		      struct h1_framing *out, enum h1_problem *problem);

/* HTTP/2 as an Upgrade token: nothing we could carry, so it is never passed on (RFC 9113 3.1). */
bool h1frame_is_h2(struct span protocol);

/*
 * True when the protocol that a 101 response switches to (`accepted`, its Upgrade value, which
 * names just one) is among those in `offered`, the Upgrade value of the request, and is not h2c.
 */
bool h1frame_upgrade_was_offered(struct span offered, struct span accepted);

/* True when a Via field says that the message came through `pseudonym` before (RFC 9110 7.6.3). */
bool h1frame_via_has(const struct h1_head *head, const char *bytes, struct span pseudonym);

/*
 * The next element of a comma-separated list, trimmed, empty ones skipped (RFC 9110 5.6.1); false
 * at the end. *rest is used up on the way. Commas in quoted strings and comments separate as well.
 */
bool h1frame_next_element(struct span *rest, struct span *element);

#endif
