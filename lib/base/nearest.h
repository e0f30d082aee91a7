/*
 * nearest: the known name that a mistyped one most likely meant, for "did you mean".
 *
 *   struct nearest n;
 *
 *   nearest_init(&n, typed);
 *   for (each known name)
 *           nearest_offer(&n, name);
 *   if (n.best.len > 0) ...
 *
 * Distance counts inserted, deleted, replaced and swapped neighbouring bytes. One is forgiven for
 * every three bytes typed, at least one. The first of equally near names wins.
 */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

#include "base/span.h"

/* Longer names, typed or known, are never near. */
#define NEAREST_MAX 64

struct nearest {
	struct span typed;
	struct span best; /* borrowed from the call that offered it; empty: none is near */
	size_t distance;  /* of best; when there is none, one over what is forgiven */
};

void nearest_init(struct nearest *n, struct span typed);
void nearest_offer(struct nearest *n, struct span known);

#endif
