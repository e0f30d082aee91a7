#include "ydoc/yalloc.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

/* Sizes are rounded up to whole units; a header of one unit says how many there are. */
#define UNIT alignof(max_align_t)
#define UNITS_MAX 64
#define CHUNK ((size_t)32768)

/* In a build with AddressSanitizer each block is the heap's, so that misuse is seen. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define YALLOC_POOLED 0
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define YALLOC_POOLED 0
#endif
#ifndef YALLOC_POOLED
#define YALLOC_POOLED 1
#endif

union block {
	alignas(max_align_t) size_t units; /* behind it; over UNITS_MAX: the block is the heap's */
	union block *next;		   /* while it is free */
};

_Static_assert(sizeof(union block) == UNIT, "a header is one unit");

struct chunk {
	struct chunk *next;
	alignas(max_align_t) char data[];
};

struct pool {
	union block *free[UNITS_MAX + 1]; /* by their units */
	struct chunk *chunks;		  /* newest first */
	size_t left;			  /* bytes of the newest that were never handed out */
	size_t in_use;			  /* blocks */
};

static _Thread_local struct pool pool;

static size_t units_of(size_t size)
{
	return (size + (size == 0) + UNIT - 1) / UNIT;
}

static union block *block_of(void *ptr)
{
	return (union block *)ptr - 1;
}

static union block *cut_block(size_t units)
{
	size_t size = (units + 1) * UNIT;
	union block *block;

	if (pool.left < size) {
		struct chunk *chunk = alloc_get(sizeof *chunk + CHUNK);

		if (chunk == NULL)
			return NULL;
		chunk->next = pool.chunks;
		pool.chunks = chunk;
		pool.left = CHUNK;
	}
	block = (union block *)(void *)(pool.chunks->data + (CHUNK - pool.left));
	pool.left -= size;
	return block;
}

static void give_chunks_back(void)
{
	struct chunk *chunk = pool.chunks;

	while (chunk != NULL) {
		struct chunk *next = chunk->next;

		alloc_put(chunk);
		chunk = next;
	}
	pool = (struct pool){.chunks = NULL};
}

void *yalloc_get(size_t size)
{
	size_t units = units_of(size);
	union block *block;

	if (size > SIZE_MAX / 2)
		return NULL;
	if (!YALLOC_POOLED || units > UNITS_MAX) {
		block = alloc_get((units + 1) * UNIT);
	} else if (pool.free[units] != NULL) {
		block = pool.free[units];
		pool.free[units] = block->next;
		pool.in_use++;
	} else {
		block = cut_block(units);
		pool.in_use += block != NULL;
	}
	if (block == NULL)
		return NULL;
	block->units = units;
	return block + 1;
}

void yalloc_put(void *ptr)
{
	union block *block;
	size_t units;

	if (ptr == NULL)
		return;
	block = block_of(ptr);
	units = block->units;
	if (!YALLOC_POOLED || units > UNITS_MAX) {
		alloc_put(block);
		return;
	}
	block->next = pool.free[units];
	pool.free[units] = block;
	if (--pool.in_use == 0)
		give_chunks_back();
}

/* Both before and after beyond what is pooled: then the heap may let it grow where it is. */
static void *resize_big(union block *block, size_t size)
{
	size_t units = units_of(size);

	block = alloc_resize(block, (units + 1) * UNIT);
	if (block == NULL)
		return NULL;
	block->units = units;
	return block + 1;
}

void *yalloc_resize(void *ptr, size_t size)
{
	size_t old_size;
	void *new;

	if (size > SIZE_MAX / 2)
		return NULL;
	if (ptr == NULL)
		return yalloc_get(size);
	if (block_of(ptr)->units > UNITS_MAX && units_of(size) > UNITS_MAX)
		return resize_big(block_of(ptr), size);
	old_size = block_of(ptr)->units * UNIT;
	new = yalloc_get(size);
	if (new == NULL)
		return NULL;
	memcpy(new, ptr, old_size < size ? old_size : size);
	yalloc_put(ptr);
	return new;
}

char *yalloc_copy(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = yalloc_get(size);

	if (copy != NULL)
		memcpy(copy, text, size);
	return copy;
}
