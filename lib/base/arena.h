/*
 * arena: memory that is freed all at once. Configuration lives in one arena per generation.
 *
 * Not for use by two threads at once; once built, what is in it may be read by any.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/span.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* newest first */
	size_t used;		    /* bytes handed out, rounding included */
	size_t max_used;	    /* bound on `used`; an allocation beyond it fails */
};

/* An arena that hands out at most `max_used` bytes. Takes no memory yet. */
void arena_init(struct arena *a, size_t max_used);
/* Frees everything and leaves the arena as arena_init did. */
void arena_fini(struct arena *a);

/* Zeroed, aligned for any type. NULL when the bound is reached or memory is out. size may be 0. */
void *arena_get(struct arena *a, size_t size);
/* The same for an array, with the product checked for overflow. */
void *arena_get_array(struct arena *a, size_t count, size_t size);
/* A copy of the text with a NUL behind it (not counted); false when memory is out. */
bool arena_copy(struct arena *a, struct span text, struct span *copy);

#endif
