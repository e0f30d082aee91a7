#include "../unit.h"

#include <stdalign.h>

#include "base/alloc.h"
#include "ydoc/yalloc.h"

/* From nothing to far beyond what is pooled. */
static const size_t sizes[] = {0, 1, 7, 8, 15, 16, 17, 100, 1000, 1023, 1024, 1025, 5000, 100000};
#define SIZES (sizeof sizes / sizeof sizes[0])

static void fill(void *block, size_t size, unsigned seed)
{
	for (size_t i = 0; i < size; i++)
		((unsigned char *)block)[i] = (unsigned char)(seed + i);
}

static bool is_filled(const void *block, size_t size, unsigned seed)
{
	for (size_t i = 0; i < size; i++)
		if (((const unsigned char *)block)[i] != (unsigned char)(seed + i))
			return false;
	return true;
}

static void blocks_are_aligned_and_their_own(void)
{
	void *blocks[SIZES][20];

	for (unsigned round = 0; round < 3; round++) {
		for (size_t s = 0; s < SIZES; s++)
			for (unsigned i = 0; i < 20; i++) {
				blocks[s][i] = yalloc_get(sizes[s]);
				CHECK(blocks[s][i] != NULL);
				CHECK((uintptr_t)blocks[s][i] % alignof(max_align_t) == 0);
				fill(blocks[s][i], sizes[s], (unsigned)s + i);
			}
		for (size_t s = 0; s < SIZES; s++)
			for (unsigned i = 0; i < 20; i++) {
				CHECK(is_filled(blocks[s][i], sizes[s], (unsigned)s + i));
				yalloc_put(blocks[s][i]);
			}
	}
}

static void resizing_keeps_what_is_in_it(void)
{
	for (size_t from = 0; from < SIZES; from++)
		for (size_t to = 0; to < SIZES; to++) {
			size_t kept = sizes[from] < sizes[to] ? sizes[from] : sizes[to];
			void *block = yalloc_get(sizes[from]);

			CHECK(block != NULL);
			fill(block, sizes[from], 3);
			block = yalloc_resize(block, sizes[to]);
			CHECK(block != NULL && is_filled(block, kept, 3));
			fill(block, sizes[to], 4);
			yalloc_put(block);
		}
	yalloc_put(yalloc_resize(NULL, 10));
	yalloc_put(NULL);
}

static void copies_text(void)
{
	char *copy = yalloc_copy("text"), *empty = yalloc_copy("");

	CHECK_TEXT(copy, "text");
	CHECK_TEXT(empty, "");
	yalloc_put(copy);
	yalloc_put(empty);
}

static void memory_is_given_back_once_nothing_is_in_use(void)
{
	uint64_t before = alloc_count();

	yalloc_put(yalloc_get(16));
	CHECK_INT(alloc_count(), before + 1);
	yalloc_put(yalloc_get(16));
	CHECK_INT(alloc_count(), before + 2);
}

static void blocks_of_a_size_are_used_again(void)
{
#ifdef __SANITIZE_ADDRESS__
	unit_skip("with AddressSanitizer each block is the heap's");
#else
	void *kept = yalloc_get(1), *again;
	uint64_t before = alloc_count();

	again = yalloc_get(40);
	yalloc_put(again);
	CHECK(yalloc_get(48) == again);
	yalloc_put(again);
	for (size_t i = 0; i < 100000; i++)
		yalloc_put(yalloc_get(i % 1000));
	/* All are cut from a few chunks. */
	CHECK(alloc_count() - before < 5);
	yalloc_put(kept);
#endif
}

static void refuses_what_there_is_no_memory_for(void)
{
	void *block;

	CHECK(yalloc_get(SIZE_MAX) == NULL);
	CHECK(yalloc_get(SIZE_MAX - 16) == NULL);
	alloc_fail_after(0);
	CHECK(yalloc_get(10) == NULL);
	CHECK(yalloc_get(10000) == NULL);
	CHECK(yalloc_copy("text") == NULL);
	CHECK(yalloc_resize(NULL, 10) == NULL);
	alloc_fail_after(1);
	block = yalloc_get(10000);
	CHECK(block != NULL);
	fill(block, 10000, 5);
	/* What could not be resized is as it was. */
	CHECK(yalloc_resize(block, 100000) == NULL);
	CHECK(yalloc_resize(block, 10) == NULL);
	CHECK(yalloc_resize(block, SIZE_MAX) == NULL);
	alloc_fail_after(-1);
	CHECK(is_filled(block, 10000, 5));
	yalloc_put(block);
}

UNIT_TESTS(TEST(blocks_are_aligned_and_their_own), TEST(resizing_keeps_what_is_in_it),
	   TEST(copies_text), TEST(memory_is_given_back_once_nothing_is_in_use),
	   TEST(blocks_of_a_size_are_used_again), TEST(refuses_what_there_is_no_memory_for))
