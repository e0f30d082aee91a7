#include "../unit.h"

#include "base/alloc.h"
#include "net/rangelist.h"

static bool count(void *context, const struct range *a, const struct range *b)
{
	CHECK(range_overlaps(a, b));
	return ++*(int *)context < 100;
}

static void finds_pairs_that_overlap(void)
{
	static const char *const texts[] = {"10.7.240.0/20", "10.4.0.0/14", "10.0.0.0/8",
					    "192.168.0.0/16", "::/0"};
	struct rangelist l;
	int pairs = 0;

	rangelist_init(&l);
	for (size_t i = 0; i < 5; i++) {
		struct range r;
		struct error e;

		CHECK(range_parse(span_from_cstr(texts[i]), &r, NULL, &e) && rangelist_add(&l, &r));
	}
	rangelist_sort(&l);
	CHECK_INT(range_length(&l.list[0]), 8);
	CHECK(rangelist_overlaps(&l, count, &pairs));
	CHECK_INT(pairs, 3);
	rangelist_fini(&l);
}

static void says_when_memory_is_out(void)
{
	struct range r = {{0, 0}, {0, 0}, 4};
	struct rangelist l;

	rangelist_init(&l);
	alloc_fail_after(0);
	CHECK(!rangelist_add(&l, &r));
	alloc_fail_after(-1);
	rangelist_fini(&l);
}

UNIT_TESTS(TEST(finds_pairs_that_overlap), TEST(says_when_memory_is_out))
