/*
 * rangescan: ranges in a text that comes in pieces of any size, as lists of people and tools are.
 *
 *   rangescan_init(&s, on_range, context);
 *   rangescan_feed(&s, bytes, &e) ...
 *   rangescan_end(&s, &e);
 *
 * Ranges (range.h) are separated by blanks, line ends and commas; `#` and `;` begin a comment at
 * the start of a word. A word --NAME=LIST, as a flag of istioctl or kube-inject, counts as its
 * list. Bounded memory, whatever comes.
 *
 * Errors say `LINE:COL: "text" is no range of addresses: why`; the first ends the scan.
 */
#ifndef NET_RANGESCAN_H
#define NET_RANGESCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"
#include "net/range.h"

/* A word of more bytes is no range: two IPv6 addresses take 79, a flag before them some more. */
#define RANGESCAN_WORD_MAX 160

struct rangescan_found {
	struct range range;
	struct span text; /* as it was written; gone with the call */
	bool had_host_bits;
	uint32_t line, col; /* from 1, columns in bytes */
};

struct rangescan {
	/* False ends the scan; the callback has filled the error. */
	bool (*on_range)(void *context, const struct rangescan_found *found, struct error *e);
	void *context;

	/* rangescan.c's own */
	uint32_t line;
	size_t line_start;  /* offsets count from the start of the text */
	size_t offset;	    /* of the piece being fed */
	size_t word_offset; /* of the word that the last piece ended in */
	size_t word_len;
	bool is_comment, after_comma;
	char word[RANGESCAN_WORD_MAX];
};

void rangescan_init(struct rangescan *s,
		    bool (*on_range)(void *context, const struct rangescan_found *found,
				     struct error *e),
		    void *context);
bool rangescan_feed(struct rangescan *s, struct span bytes, struct error *e);
bool rangescan_end(struct rangescan *s, struct error *e);

/* Bytes of `--NAME=` at the front of a word, 0 when there is none. */
size_t rangescan_flag_len(struct span word);

#endif
