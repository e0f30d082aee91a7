/*
 * jsonr: JSON (RFC 8259) as tokens, from text that comes in pieces of any size.
 *
 *   jsonr_init(&r, on_token, context);
 *   jsonr_feed(&r, bytes, &e) ...
 *   jsonr_end(&r, &e);
 *   jsonr_fini(&r);
 *
 * Strict, as the RFC has it: no comments, no commas too many, no control characters in strings,
 * UTF-8 that is valid, escapes of surrogates in pairs. What follows a document may be another one
 * (NDJSON, `kubectl get` twice). Keys may be repeated. Nesting to JSONR_DEPTH_MAX.
 *
 * Memory is bounded: of a string or number the first JSONR_TEXT_MAX bytes are kept, and a token
 * says when that is not all. Strings that lie in one piece and have no escapes are not copied.
 *
 * The first error, which says LINE:COL from 1 (columns in characters), ends the reading.
 */
#ifndef JSON_JSONR_H
#define JSON_JSONR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

#define JSONR_DEPTH_MAX 256
/* A ConfigMap, the longest text that a cluster keeps in one string, has at most 1 MiB. */
#define JSONR_TEXT_MAX ((size_t)1 << 20)

enum jsonr_event {
	JSONR_OBJECT,
	JSONR_OBJECT_END,
	JSONR_ARRAY,
	JSONR_ARRAY_END,
	JSONR_KEY,
	JSONR_STRING,
	JSONR_NUMBER,
	JSONR_TRUE,
	JSONR_FALSE,
	JSONR_NULL,
	JSONR_DOCUMENT_END, /* behind each whole document */
};

struct jsonr_token {
	enum jsonr_event event;
	struct span text; /* of keys, strings, numbers: escapes resolved; gone with the call */
	bool is_cut;	  /* there was more text */
	uint32_t line, col;
};

struct jsonr {
	/* False ends the reading; the callback has filled the error. */
	bool (*on_token)(void *context, const struct jsonr_token *token, struct error *e);
	void *context;

	/* jsonr.c's own */
	uint8_t state; /* enum of jsonr.c, as the others */
	uint8_t number;
	bool is_key, is_cut;
	const char *word; /* what is left of true, false, null */
	uint8_t word_event;
	uint8_t utf8_left, utf8_low, utf8_high;
	uint8_t escape_digits;
	uint32_t escape, high_surrogate;
	unsigned depth;
	uint32_t line, token_line, token_col;
	size_t offset;	   /* of the piece being fed */
	size_t line_start; /* moved on by bytes that are no characters of their own */
	struct buf text;
	uint8_t is_object[JSONR_DEPTH_MAX];
};

void jsonr_init(struct jsonr *r,
		bool (*on_token)(void *context, const struct jsonr_token *token, struct error *e),
		void *context);
void jsonr_fini(struct jsonr *r);

bool jsonr_feed(struct jsonr *r, struct span bytes, struct error *e);
/* False when the text ends in the middle of a document. */
bool jsonr_end(struct jsonr *r, struct error *e);

#endif
