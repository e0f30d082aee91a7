#include "../unit.h"

#include <pthread.h>

#include "base/alloc.h"

static void counts_every_allocation_but_no_release(void)
{
	uint64_t before = alloc_count();
	void *a = alloc_get(10), *b = alloc_get_zeroed(10);

	CHECK(a != NULL && b != NULL);
	a = alloc_resize(a, 100);
	CHECK(a != NULL);
	alloc_put(a);
	alloc_put(b);
	alloc_put(NULL);
	CHECK_INT(alloc_count() - before, 3);
}

static void zeroes_when_asked(void)
{
	const char *zeroed = alloc_get_zeroed(1000);

	CHECK(zeroed != NULL);
	for (int i = 0; i < 1000; i++)
		CHECK(zeroed[i] == 0);
	alloc_put((void *)(uintptr_t)zeroed);
}

static void resize_keeps_the_content(void)
{
	char *a = alloc_resize(NULL, 4);

	CHECK(a != NULL);
	memcpy(a, "abc", 4);
	a = alloc_resize(a, 100000);
	CHECK(a != NULL);
	CHECK_TEXT(a, "abc");
	alloc_put(a);
}

static void fails_the_nth_and_all_that_follow(void)
{
	for (int n = 0; n < 4; n++) {
		alloc_fail_after(n);
		for (int i = 0; i < 6; i++) {
			void *a = i % 3 == 0   ? alloc_get(1)
				  : i % 3 == 1 ? alloc_get_zeroed(1)
					       : alloc_resize(NULL, 1);

			CHECK((a != NULL) == (i < n));
			alloc_put(a);
		}
	}
	alloc_fail_after(-1);
	for (int i = 0; i < 6; i++) {
		void *a = alloc_get(1);

		CHECK(a != NULL);
		alloc_put(a);
	}
}

static void *allocate_a_thousand(void *successes)
{
	for (int i = 0; i < 1000; i++) {
		void *a = alloc_get(1);

		*(int *)successes += a != NULL;
		alloc_put(a);
	}
	return NULL;
}

static void counts_for_all_threads_together(void)
{
	uint64_t before = alloc_count();
	pthread_t threads[2];
	int successes[2] = {0};

	alloc_fail_after(1500);
	for (int i = 0; i < 2; i++)
		CHECK_INT(pthread_create(&threads[i], NULL, allocate_a_thousand, &successes[i]), 0);
	for (int i = 0; i < 2; i++)
		CHECK_INT(pthread_join(threads[i], NULL), 0);
	alloc_fail_after(-1);
	CHECK_INT(alloc_count() - before, 2000);
	CHECK_INT(successes[0] + successes[1], 1500);
}

UNIT_TESTS(TEST(counts_every_allocation_but_no_release), TEST(zeroes_when_asked),
	   TEST(resize_keeps_the_content), TEST(fails_the_nth_and_all_that_follow),
	   TEST(counts_for_all_threads_together))
