/*
 * alloc: the one door to the heap, so that tests can make any allocation fail and count them all.
 *
 * The data path does not allocate once warm; configuration allocates through arenas. Only arenas,
 * growing buffers and slabs call this.
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stddef.h>
#include <stdint.h>

/* Like malloc, calloc(1, size), realloc, free. NULL on failure; the caller must handle it. */
void *alloc_get(size_t size);
void *alloc_get_zeroed(size_t size);
void *alloc_resize(void *ptr, size_t size);
void alloc_put(void *ptr);

/* How many allocations (get, get_zeroed, resize) this process has made. Any thread. */
uint64_t alloc_count(void);

/* Tests: let the next `n` allocations through and fail all after them; < 0: off. */
void alloc_fail_after(int64_t n);

#endif
