#include "../unit.h"

#include "base/hash.h"

static void agrees_with_the_published_values_of_fnv_1a(void)
{
	CHECK(hash_span(HASH_INIT, SPAN("")) == UINT64_C(0xcbf29ce484222325));
	CHECK(hash_span(HASH_INIT, SPAN("a")) == UINT64_C(0xaf63dc4c8601ec8c));
	CHECK(hash_span(HASH_INIT, SPAN("foobar")) == UINT64_C(0x85944171f73967e8));
	CHECK(hash_span(HASH_INIT, SPAN("\xff")) != hash_span(HASH_INIT, SPAN("\x7f")));
}

static void hashes_parts_like_the_whole(void)
{
	uint64_t parts = hash_span(hash_byte(hash_span(HASH_INIT, SPAN("ab")), '.'), SPAN("cd"));

	CHECK(parts == hash_span(HASH_INIT, SPAN("ab.cd")));
}

static void spreads_neighbours_over_the_low_bits(void)
{
	bool used[256] = {false};
	int distinct = 0;

	for (int i = 0; i < 256; i++) {
		char name[] = {'s', 'v', 'c', (char)i};
		uint64_t hash = hash_finish(hash_span(HASH_INIT, span_of(name, sizeof name)));

		distinct += !used[hash % 256];
		used[hash % 256] = true;
	}
	/* 256 random picks hit about 162 slots. */
	CHECK(distinct > 140);
}

UNIT_TESTS(TEST(agrees_with_the_published_values_of_fnv_1a), TEST(hashes_parts_like_the_whole),
	   TEST(spreads_neighbours_over_the_low_bits))
