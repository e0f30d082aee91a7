#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>

#include "base/alloc.h"

/*
 * Memory of an arena is not malloc's, so AddressSanitizer has to be told what was handed out. What
 * is not is poisoned, and a gap is left behind each allocation.
 */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(ARENA_ASAN)
#include <sanitizer/asan_interface.h>
#define GAP ((size_t)ALIGN)
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define GAP ((size_t)0)
#endif

#define ALIGN alignof(max_align_t)

/* With their headers. Chunks start small, since most arenas are, and double. */
#define CHUNK_MIN ((size_t)4096)
#define CHUNK_MAX ((size_t)65536)

struct arena_chunk {
	struct arena_chunk *next;
	size_t size; /* of data */
	size_t used; /* of data, from its start */
	alignas(max_align_t) char data[];
};

void arena_init(struct arena *a, size_t max_used)
{
	*a = (struct arena){.max_used = max_used};
}

void arena_fini(struct arena *a)
{
	struct arena_chunk *chunk = a->chunks;

	while (chunk != NULL) {
		struct arena_chunk *next = chunk->next;

		alloc_put(chunk);
		chunk = next;
	}
	arena_init(a, a->max_used);
}

static struct arena_chunk *chunk_new(size_t size)
{
	struct arena_chunk *chunk = alloc_get_zeroed(sizeof *chunk + size);

	if (chunk == NULL)
		return NULL;
	chunk->size = size;
	ASAN_POISON_MEMORY_REGION(chunk->data, size);
	return chunk;
}

/* Of the data of the chunk that comes after `newest` (may be NULL). */
static size_t next_chunk_size(const struct arena_chunk *newest)
{
	size_t size = newest != NULL ? 2 * (newest->size + sizeof *newest) : CHUNK_MIN;

	if (size < CHUNK_MIN)
		size = CHUNK_MIN;
	if (size > CHUNK_MAX)
		size = CHUNK_MAX;
	return size - sizeof *newest;
}

/* A chunk with room for `size` bytes: the newest, or one made now. */
static struct arena_chunk *chunk_for(struct arena *a, size_t size)
{
	struct arena_chunk *newest = a->chunks, *chunk;
	size_t chunk_size = next_chunk_size(newest);

	if (newest != NULL && newest->size - newest->used >= size)
		return newest;
	if (size <= chunk_size / 4) {
		chunk = chunk_new(chunk_size);
		if (chunk == NULL)
			return NULL;
		chunk->next = newest;
		a->chunks = chunk;
		return chunk;
	}
	/* A big one gets a chunk to itself, behind the newest, which still has room. */
	chunk = chunk_new(size);
	if (chunk == NULL)
		return NULL;
	chunk->next = newest != NULL ? newest->next : NULL;
	*(newest != NULL ? &newest->next : &a->chunks) = chunk;
	return chunk;
}

void *arena_get(struct arena *a, size_t size)
{
	struct arena_chunk *chunk;
	size_t rounded;
	char *at;

	/* Even nothing takes a place of its own, so that NULL means failure only. */
	if (size > SIZE_MAX / 2)
		return NULL;
	rounded = (size + (size == 0) + ALIGN - 1) / ALIGN * ALIGN;
	if (rounded > a->max_used - a->used)
		return NULL;
	chunk = chunk_for(a, rounded + GAP);
	if (chunk == NULL)
		return NULL;
	at = chunk->data + chunk->used;
	chunk->used += rounded + GAP;
	a->used += rounded;
	ASAN_UNPOISON_MEMORY_REGION(at, size);
	return at;
}

void *arena_get_array(struct arena *a, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		return NULL;
	return arena_get(a, total);
}

bool arena_copy(struct arena *a, struct span text, struct span *copy)
{
	char *at = text.len < SIZE_MAX ? arena_get(a, text.len + 1) : NULL;

	if (at == NULL)
		return false;
	if (text.len > 0)
		memcpy(at, text.ptr, text.len);
	*copy = span_of(at, text.len);
	return true;
}
