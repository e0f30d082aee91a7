#include "base/alloc.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

/* Relaxed throughout: these are statistics and a test's switch, they order nothing. */
static atomic_uint_fast64_t count;
static _Atomic int64_t fail_after = -1;

/* Counts one allocation; false when a test wants it to fail. */
static bool may_allocate(void)
{
	int64_t left = atomic_load_explicit(&fail_after, memory_order_relaxed);

	atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
	while (left > 0)
		if (atomic_compare_exchange_weak_explicit(&fail_after, &left, left - 1,
							  memory_order_relaxed,
							  memory_order_relaxed))
			return true;
	return left < 0;
}

void *alloc_get(size_t size)
{
	return may_allocate() ? malloc(size) : NULL;
}

void *alloc_get_zeroed(size_t size)
{
	return may_allocate() ? calloc(1, size) : NULL;
}

void *alloc_resize(void *ptr, size_t size)
{
	return may_allocate() ? realloc(ptr, size) : NULL;
}

void alloc_put(void *ptr)
{
	free(ptr);
}

uint64_t alloc_count(void)
{
	return atomic_load_explicit(&count, memory_order_relaxed);
}

void alloc_fail_after(int64_t n)
{
	atomic_store_explicit(&fail_after, n, memory_order_relaxed);
}
