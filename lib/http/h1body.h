/*
 * h1body: where a body ends, piece by piece as the bytes arrive (RFC 9112 section 6.3, 7.1). The
 * chunked coding is taken off: extensions are dropped, pieces of data are spans into the input.
 *
 *	while ((event = h1body_next(&body, &input, &piece)) == H1_BODY_DATA)
 *		forward(piece);
 *	if (event == H1_BODY_MORE)      input is used up: read more
 *	if (event == H1_BODY_END)       input starts with what follows the body
 *	if (event == H1_BODY_BAD)       body.problem: close, and never end the forwarded body well
 *
 * Strict: CRLF everywhere, 1 to 13 hexadecimal digits, bounded extensions and trailers.
 */
#ifndef HTTP_H1BODY_H
#define HTTP_H1BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "http/h1frame.h"
#include "http/h1problem.h"

/* All chunk extensions of one body. They mean nothing to anybody; this is what an attacker may
 * waste. */
#define H1_CHUNK_EXT_MAX 16384
/* The trailer section with its line ends. */
#define H1_TRAILERS_MAX 8192

enum h1_body_event {
	H1_BODY_MORE, /* all input is used up and the body goes on */
	H1_BODY_DATA, /* a piece of the body, not empty */
	H1_BODY_END,  /* the body is complete; again and again when called again */
	H1_BODY_BAD,  /* b->problem; again and again when called again */
};

struct h1_body {
	uint64_t left;	      /* bytes to come of a body with a length, or of the chunk */
	uint64_t data_bytes;  /* all data given out so far */
	struct buf *trailers; /* the caller's, or NULL: trailers are checked and dropped */
	uint32_t ext_bytes;   /* chunk extension bytes so far */
	uint32_t line_at;     /* where the trailer line being read starts in *trailers */
	uint16_t name_len;    /* of that line */
	uint16_t trailer_bytes;
	uint16_t problem; /* enum h1_problem */
	uint8_t state;
	uint8_t digits;	 /* of the chunk size */
	uint8_t matched; /* of what a request line ends in, see h1body.c */
};

/*
 * Gets ready for a body. `trailers`, when not NULL, receives the trailer fields that may be
 * forwarded, as "Name: value\r\n" each, complete at H1_BODY_END; it should have room for
 * H1_TRAILERS_MAX bytes (what does not fit makes the body BAD) and must live as long as the body.
 */
void h1body_start(struct h1_body *b, enum h1_body_kind kind, uint64_t length, struct buf *trailers);

/* Takes bytes off the front of *input; sets *piece for H1_BODY_DATA. */
enum h1_body_event h1body_next(struct h1_body *b, struct span *input, struct span *piece);

/*
 * The connection ended here, cleanly: is the body complete? Only so after H1_BODY_END or for
 * H1_BODY_UNTIL_CLOSE. With TLS "cleanly" means close_notify (RFC 9112 section 9.8).
 */
bool h1body_is_complete_at_eof(const struct h1_body *b);

/* A body with a length, or until close, is just bytes: `count` of them (at most h1body_passable)
 * have been forwarded elsewhere, by splice for example. */
uint64_t h1body_passable(const struct h1_body *b);
void h1body_pass(struct h1_body *b, uint64_t count);

#endif
