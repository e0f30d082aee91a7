/*
 * portrange: TCP and UDP ports in lists of options, PORT or FIRST-LAST.
 */
#ifndef NET_PORTRANGE_H
#define NET_PORTRANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

struct portrange {
	uint16_t first, last; /* 1 <= first <= last */
};

/* The error quotes the text and says what was expected. */
bool portrange_parse(struct span text, struct portrange *out, struct error *e);

/* "80", "8000-8100" */
void portrange_format(const struct portrange *r, struct buf *out);

static inline bool portrange_contains(const struct portrange *r, uint16_t port)
{
	return r->first <= port && port <= r->last;
}

#endif
