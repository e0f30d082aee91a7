#include "../unit.h"

#include "base/alloc.h"
#include "kube/clusterinfo.h"

static struct arena arena;
static struct clusterinfo info;

static void add(const char *text, unsigned role, unsigned rank, unsigned confidence)
{
	struct clusterinfo_range r = {.role = (uint8_t)role,
				      .rank = (uint8_t)rank,
				      .confidence = (uint8_t)confidence,
				      .source = "test"};
	struct error e;

	CHECK(range_parse(span_from_cstr(text), &r.range, NULL, &e));
	clusterinfo_add(&info, &r);
}

static struct clusterinfo_choice choice = {.min_confidence = CLUSTERKEYS_ASSUMED,
					   .roles = {true, true}};

static void check(const char *expected)
{
	struct clusterinfo_answer answer;
	char storage[1024];
	struct buf b;

	BUF_INIT_ARRAY(&b, storage);
	CHECK(clusterinfo_choose(&info, &choice, &answer));
	for (size_t i = 0; i < answer.count; i++) {
		buf_printf(&b, "%c ", clusterkeys_roles[answer.list[i].role][0]);
		range_format(&answer.list[i].range, &b);
		buf_add_byte(&b, ' ');
	}
	CHECK_TEXT(buf_cstr(&b), expected);
}

static void begin(void)
{
	arena_init(&arena, 1 << 20);
	clusterinfo_init(&info, &arena);
	choice.guess = CLUSTERINFO_GUESS_NO;
	choice.min_confidence = CLUSTERKEYS_ASSUMED;
}

static void end(void)
{
	clusterinfo_fini(&info);
	arena_fini(&arena);
}

static void the_source_that_is_believed_first_counts(void)
{
	begin();
	add("10.96.0.0/12", CLUSTERKEYS_SERVICE, CLUSTERKEYS_RANK_FLAGS, CLUSTERKEYS_DECLARED);
	add("fd00::/64", CLUSTERKEYS_POD, CLUSTERKEYS_RANK_PROVIDER, CLUSTERKEYS_DECLARED);
	add("10.7.0.0/16", CLUSTERKEYS_POD, CLUSTERKEYS_RANK_PROVIDER, CLUSTERKEYS_DECLARED);
	add("10.4.0.0/16", CLUSTERKEYS_POD, CLUSTERKEYS_RANK_PROVIDER, CLUSTERKEYS_DECLARED);
	add("10.7.0.0/16", CLUSTERKEYS_POD, CLUSTERKEYS_RANK_CNI, CLUSTERKEYS_CONFIGURED);
	add("10.9.0.0/16", CLUSTERKEYS_POD, CLUSTERKEYS_RANK_CNI, CLUSTERKEYS_CONFIGURED);
	add("10.5.0.0/24", CLUSTERKEYS_POD, CLUSTERKEYS_RANK_NODES, CLUSTERKEYS_DERIVED);
	check("p 10.7.0.0/16 p 10.4.0.0/16 p fd00::/64 s 10.96.0.0/12 ");
	end();
}

static void slices_of_nodes_are_a_set(void)
{
	begin();
	add("10.244.1.0/24", CLUSTERKEYS_POD, CLUSTERKEYS_RANK_NODES, CLUSTERKEYS_DERIVED);
	add("10.244.0.0/24", CLUSTERKEYS_POD, CLUSTERKEYS_RANK_NODES, CLUSTERKEYS_DERIVED);
	add("10.244.1.0/24", CLUSTERKEYS_POD, CLUSTERKEYS_RANK_NODES, CLUSTERKEYS_DERIVED);
	add("10.244.9.0/24", CLUSTERKEYS_POD, CLUSTERKEYS_RANK_NODES, CLUSTERKEYS_DERIVED);
	check("p 10.244.0.0/23 p 10.244.9.0/24 ");
	choice.guess = CLUSTERINFO_GUESS_NARROW;
	check("p 10.244.0.0/20 ");
	choice.guess = CLUSTERINFO_GUESS_WIDE;
	check("p 10.244.0.0/16 ");
	choice.min_confidence = CLUSTERKEYS_CONFIGURED;
	check("");
	end();
}

static void a_wide_guess_has_the_usual_size_where_nothing_is_known(void)
{
	begin();
	choice.guess = CLUSTERINFO_GUESS_WIDE;
	add("172.25.3.0/24", CLUSTERKEYS_POD, CLUSTERKEYS_RANK_NODES, CLUSTERKEYS_DERIVED);
	add("fd77::/80", CLUSTERKEYS_POD, CLUSTERKEYS_RANK_NODES, CLUSTERKEYS_DERIVED);
	check("p 172.25.0.0/16 p fd77::/48 ");
	end();
}

static void addresses_count_only_for_a_guess(void)
{
	begin();
	add("10.99.3.7", CLUSTERKEYS_SERVICE, CLUSTERKEYS_RANK_ADDRESSES, CLUSTERKEYS_DERIVED);
	add("10.99.3.1", CLUSTERKEYS_SERVICE, CLUSTERKEYS_RANK_ADDRESSES, CLUSTERKEYS_DERIVED);
	add("fd77::7", CLUSTERKEYS_SERVICE, CLUSTERKEYS_RANK_ADDRESSES, CLUSTERKEYS_DERIVED);
	add("10.42.3.7", CLUSTERKEYS_POD, CLUSTERKEYS_RANK_ADDRESSES, CLUSTERKEYS_DERIVED);
	CHECK(!clusterinfo_has(&info, CLUSTERKEYS_SERVICE));
	check("");
	choice.guess = CLUSTERINFO_GUESS_NARROW;
	check("p 10.42.3.7/32 s 10.99.3.0/29 s fd77::7/128 ");
	choice.guess = CLUSTERINFO_GUESS_WIDE;
	check("p 10.42.0.0/16 s 10.96.0.0/12 s fd77::/108 ");
	add("10.43.0.0/16", CLUSTERKEYS_SERVICE, CLUSTERKEYS_RANK_PRESET, CLUSTERKEYS_ASSUMED);
	check("p 10.42.0.0/16 s 10.96.0.0/12 s fd77::/108 ");
	add("10.43.0.0/16", CLUSTERKEYS_SERVICE, CLUSTERKEYS_RANK_CNI, CLUSTERKEYS_CONFIGURED);
	check("p 10.42.0.0/16 s 10.43.0.0/16 ");
	end();
}

/* Minikube's /24 of old is inside AKS's /16; GKE's is inside what is public. */
static void a_wide_guess_is_no_smaller_than_usual_nor_public(void)
{
	begin();
	choice.guess = CLUSTERINFO_GUESS_WIDE;
	add("10.0.0.7", CLUSTERKEYS_SERVICE, CLUSTERKEYS_RANK_ADDRESSES, CLUSTERKEYS_DERIVED);
	check("s 10.0.0.0/16 ");
	end();
	begin();
	choice.guess = CLUSTERINFO_GUESS_WIDE;
	add("34.118.225.7", CLUSTERKEYS_SERVICE, CLUSTERKEYS_RANK_ADDRESSES, CLUSTERKEYS_DERIVED);
	check("s 34.118.224.0/20 ");
	end();
}

static void bounds_what_it_keeps(void)
{
	begin();
	for (unsigned i = 0; i <= CLUSTERINFO_RANGES_MAX; i++) {
		struct clusterinfo_range r = {.range = {wide_of(0, i), wide_of(0, i), 4}};

		clusterinfo_add(&info, &r);
	}
	CHECK(info.is_full);
	CHECK_INT(info.count, CLUSTERINFO_RANGES_MAX);
	end();
	begin();
	alloc_fail_after(0);
	add("10.0.0.0/8", CLUSTERKEYS_POD, CLUSTERKEYS_RANK_CNI, CLUSTERKEYS_CONFIGURED);
	alloc_fail_after(-1);
	CHECK(info.is_out_of_memory && !clusterinfo_has(&info, CLUSTERKEYS_POD));
	end();
}

UNIT_TESTS(TEST(the_source_that_is_believed_first_counts), TEST(slices_of_nodes_are_a_set),
	   TEST(a_wide_guess_has_the_usual_size_where_nothing_is_known),
	   TEST(addresses_count_only_for_a_guess),
	   TEST(a_wide_guess_is_no_smaller_than_usual_nor_public), TEST(bounds_what_it_keeps))
