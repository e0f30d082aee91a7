/*
 * slab: blocks of one size, kept for reuse when given back, so that a warm data path never
 * allocates.
 *
 * One thread each. The newest block given back is the next handed out: its cache lines are warm.
 */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stddef.h>

struct slab_block;

struct slab {
	size_t block_size;
	size_t max_in_use;	 /* slab_get fails beyond it */
	size_t in_use;		 /* handed out now */
	size_t kept;		 /* in the free list */
	size_t max_kept;	 /* more than this are returned to the heap */
	struct slab_block *free; /* newest first */
};

/* Blocks of `block_size` bytes, at most `max_in_use` at a time, at most `max_kept` kept idle. */
void slab_init(struct slab *s, size_t block_size, size_t max_in_use, size_t max_kept);
/* Frees the idle blocks; those in use are the owner's to put back first. */
void slab_fini(struct slab *s);

/* A block with undefined content, aligned for any type; NULL at the bound or without memory. */
void *slab_get(struct slab *s);
/* NULL is fine. */
void slab_put(struct slab *s, void *memory);

#endif
