#include "../unit.h"

#include "base/alloc.h"
#include "base/slab.h"

static void hands_out_the_block_given_back_last(void)
{
	struct slab s;
	void *a, *b;

	slab_init(&s, 64, 10, 10);
	a = slab_get(&s);
	b = slab_get(&s);
	CHECK(a != NULL && b != NULL && a != b);
	slab_put(&s, a);
	slab_put(&s, b);
	CHECK(slab_get(&s) == b);
	CHECK(slab_get(&s) == a);
	slab_put(&s, a);
	slab_put(&s, b);
	slab_fini(&s);
}

static void refuses_more_than_its_bound(void)
{
	struct slab s;
	void *a, *b;

	slab_init(&s, 64, 2, 2);
	a = slab_get(&s);
	b = slab_get(&s);
	CHECK(slab_get(&s) == NULL);
	slab_put(&s, a);
	a = slab_get(&s);
	CHECK(a != NULL);
	slab_put(&s, a);
	slab_put(&s, b);
	slab_put(&s, NULL);
	slab_fini(&s);
}

static void does_not_allocate_once_warm(void)
{
	struct slab s;
	uint64_t before;

	slab_init(&s, 64, 2, 2);
	slab_put(&s, slab_get(&s));
	before = alloc_count();
	for (int i = 0; i < 100; i++)
		slab_put(&s, slab_get(&s));
	CHECK(alloc_count() == before);
	slab_fini(&s);
}

static void keeps_no_more_idle_blocks_than_told(void)
{
	struct slab s;
	void *blocks[5];

	slab_init(&s, 64, 5, 2);
	for (int i = 0; i < 5; i++)
		blocks[i] = slab_get(&s);
	for (int i = 0; i < 5; i++)
		slab_put(&s, blocks[i]);
	CHECK_INT(s.kept, 2);
	CHECK_INT(s.in_use, 0);
	slab_fini(&s);
}

static void fails_when_memory_is_out_and_recovers(void)
{
	struct slab s;
	void *a;

	slab_init(&s, 64, 5, 5);
	alloc_fail_after(0);
	CHECK(slab_get(&s) == NULL);
	alloc_fail_after(-1);
	CHECK_INT(s.in_use, 0);
	a = slab_get(&s);
	CHECK(a != NULL);
	slab_put(&s, a);
	slab_fini(&s);
}

UNIT_TESTS(TEST(hands_out_the_block_given_back_last), TEST(refuses_more_than_its_bound),
	   TEST(does_not_allocate_once_warm), TEST(keeps_no_more_idle_blocks_than_told),
	   TEST(fails_when_memory_is_out_and_recovers))
