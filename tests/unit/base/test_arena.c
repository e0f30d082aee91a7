#include "../unit.h"

#include <signal.h>
#include <stdalign.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/arena.h"

#define ALIGN alignof(max_align_t)

static bool is_zeroed(const char *at, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (at[i] != 0)
			return false;
	return true;
}

static void hands_out_zeroed_aligned_memory_that_does_not_overlap(void)
{
	char *got[3000];
	struct arena a;

	arena_init(&a, 100 << 20);
	for (size_t i = 0; i < 3000; i++) {
		size_t size = i * 7 % 211;

		got[i] = arena_get(&a, size);
		CHECK(got[i] != NULL && (uintptr_t)got[i] % ALIGN == 0);
		CHECK(is_zeroed(got[i], size));
		memset(got[i], (int)(i % 255) + 1, size);
	}
	for (size_t i = 0; i < 3000; i++)
		for (size_t j = 0; j < i * 7 % 211; j++)
			CHECK((unsigned char)got[i][j] == i % 255 + 1);
	arena_fini(&a);
}

static void takes_no_memory_before_the_first_use(void)
{
	uint64_t before = alloc_count();
	struct arena a;

	arena_init(&a, 1000);
	arena_fini(&a);
	CHECK(alloc_count() == before);
}

static void grows_by_ever_larger_chunks(void)
{
	uint64_t before = alloc_count();
	struct arena a;

	arena_init(&a, SIZE_MAX);
	for (int i = 0; i < 10000; i++)
		CHECK(arena_get(&a, 96) != NULL);
	/*
	 * A million bytes: 4 + 8 + 16 + 32 KiB and then 64 KiB at a time; a sanitizer's gaps are
	 * extra.
	 */
	CHECK(alloc_count() - before >= 18);
	CHECK(alloc_count() - before <= 30);
	arena_fini(&a);
}

static void a_big_one_leaves_the_current_chunk_in_use(void)
{
	struct arena a;
	uint64_t before;
	char *big;

	arena_init(&a, SIZE_MAX);
	CHECK(arena_get(&a, 16) != NULL);
	big = arena_get(&a, 1 << 20);
	CHECK(big != NULL && is_zeroed(big, 1 << 20));
	big[(1 << 20) - 1] = 1;
	before = alloc_count();
	CHECK(arena_get(&a, 16) != NULL);
	CHECK(alloc_count() == before);
	arena_fini(&a);
}

static void a_big_one_may_come_first(void)
{
	struct arena a;

	arena_init(&a, SIZE_MAX);
	CHECK(arena_get(&a, 1 << 20) != NULL);
	CHECK(arena_get(&a, 16) != NULL);
	CHECK(arena_get(&a, 1 << 20) != NULL);
	arena_fini(&a);
}

static void nothing_has_an_address_of_its_own(void)
{
	struct arena a;
	void *x, *y;

	arena_init(&a, 1000);
	x = arena_get(&a, 0);
	y = arena_get_array(&a, 0, 8);
	CHECK(x != NULL && y != NULL && x != y);
	arena_fini(&a);
}

static void fails_at_its_bound_and_not_before(void)
{
	struct arena a;

	arena_init(&a, 10 * ALIGN);
	for (int i = 0; i < 9; i++)
		CHECK(arena_get(&a, ALIGN) != NULL);
	CHECK(arena_get(&a, ALIGN + 1) == NULL);
	CHECK(arena_get(&a, ALIGN) != NULL);
	CHECK_INT(a.used, 10 * ALIGN);
	CHECK(arena_get(&a, 0) == NULL);
	arena_fini(&a);
}

static void is_empty_and_of_use_after_fini(void)
{
	struct arena a;

	arena_init(&a, 2 * ALIGN);
	CHECK(arena_get(&a, 2 * ALIGN) != NULL);
	CHECK(arena_get(&a, 1) == NULL);
	arena_fini(&a);
	CHECK(a.used == 0 && a.chunks == NULL);
	CHECK(arena_get(&a, 2 * ALIGN) != NULL);
	arena_fini(&a);
	arena_fini(&a);
}

static void refuses_sizes_that_overflow(void)
{
	struct span copy;
	struct arena a;

	arena_init(&a, SIZE_MAX);
	CHECK(arena_get(&a, SIZE_MAX) == NULL);
	CHECK(arena_get(&a, SIZE_MAX - 8) == NULL);
	CHECK(arena_get_array(&a, SIZE_MAX / 2, 3) == NULL);
	CHECK(arena_get_array(&a, 3, SIZE_MAX / 2) == NULL);
	CHECK(!arena_copy(&a, span_of("", SIZE_MAX), &copy));
	CHECK(a.used == 0);
	arena_fini(&a);
}

static void copies_text_with_a_nul_behind(void)
{
	struct arena a;
	struct span copy;
	char text[] = "abc";

	arena_init(&a, 1000);
	CHECK(arena_copy(&a, span_of(text, 2), &copy));
	text[0] = 'x';
	CHECK_SPAN(copy, "ab");
	CHECK_TEXT(copy.ptr, "ab");
	CHECK(arena_copy(&a, span_of(NULL, 0), &copy));
	CHECK(copy.len == 0);
	CHECK_TEXT(copy.ptr, "");
	arena_fini(&a);
}

static void survives_every_failing_allocation(void)
{
	size_t got = 0;

	for (int n = 0; n < 6; n++) {
		size_t got_now = 0;
		struct span copy;
		struct arena a;

		arena_init(&a, SIZE_MAX);
		alloc_fail_after(n);
		for (size_t i = 0; i < 300; i++) {
			got_now += arena_get(&a, i) != NULL;
			got_now += arena_get(&a, i * 100) != NULL;
			got_now += arena_copy(&a, SPAN("some text"), &copy);
		}
		alloc_fail_after(-1);
		CHECK(got_now >= got && (n > 0 || got_now == 0) && got_now < 900);
		got = got_now;
		CHECK(arena_get(&a, 100000) != NULL);
		arena_fini(&a);
	}
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#endif

static void a_sanitizer_sees_overruns(void)
{
#ifdef HAS_ASAN
	int status;
	pid_t child = fork();

	CHECK(child != -1);
	if (child == 0) {
		struct arena a;
		volatile char *at;

		fclose(stderr);
		close(2);
		arena_init(&a, 1000);
		at = arena_get(&a, 13);
		at[13] = 1;
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
#else
	unit_skip("only in a build with AddressSanitizer");
#endif
}

UNIT_TESTS(TEST(hands_out_zeroed_aligned_memory_that_does_not_overlap),
	   TEST(takes_no_memory_before_the_first_use), TEST(grows_by_ever_larger_chunks),
	   TEST(a_big_one_leaves_the_current_chunk_in_use), TEST(a_big_one_may_come_first),
	   TEST(nothing_has_an_address_of_its_own), TEST(fails_at_its_bound_and_not_before),
	   TEST(is_empty_and_of_use_after_fini), TEST(refuses_sizes_that_overflow),
	   TEST(copies_text_with_a_nul_behind), TEST(survives_every_failing_allocation),
	   TEST(a_sanitizer_sees_overruns))
