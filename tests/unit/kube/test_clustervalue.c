#include "../unit.h"

#include "kube/clustervalue.h"

static char said[512];
static struct arena arena;
static struct clusterinfo info;

static void emit(struct diag *d, enum diag_level level, const char *text)
{
	(void)d;
	(void)level;
	strncat(said, text, sizeof said - strlen(said) - 1);
}

static size_t take(const char *text, const char *key, unsigned rank, struct clustervalue_pos at)
{
	const struct clusterkeys_rule rule = {
		.key = key, .role = CLUSTERKEYS_POD, .rank = (uint8_t)rank, .source = "test"};
	struct clustervalue value = {.text = span_from_cstr(text),
				     .path = SPAN("a.b"),
				     .rule = &rule,
				     .file = "f",
				     .at = at};
	struct diag diag = {.emit = emit};

	said[0] = '\0';
	arena_init(&arena, 1 << 16);
	clusterinfo_init(&info, &arena);
	return clustervalue_take(&value, &info, &diag);
}

static void end(void)
{
	clusterinfo_fini(&info);
	arena_fini(&arena);
}

#define AT ((struct clustervalue_pos){.line = 2, .col = 3})

static void takes_lists_and_passes_over_what_is_not_known(void)
{
	CHECK_INT(take("10.0.0.0/8, fd00::/64;10.9.0.0/16 null <none> /14", "x", 0, AT), 3);
	CHECK_INT(info.count, 3);
	CHECK_TEXT(said, "");
	end();
	CHECK_INT(take("10.244.0.0/16/24", "netcidr", 0, AT), 1);
	CHECK_INT(range_length(&info.list[0].range), 16);
	end();
}

static void says_where_what_is_wrong_stands(void)
{
	CHECK_INT(take("10.0.0.0/33", "x", 0, AT), 1);
	CHECK(strncmp(said, "f:2:3: a.b: \"10.0.0.0/33\" is no range", 37) == 0);
	end();
	take("::/0", "x", 0, (struct clustervalue_pos){2, 3, 4, 5});
	CHECK(strncmp(said, "f:2:3: a.b (4:5 of the text): \"::/0\" is everything", 49) == 0);
	end();
	take("10.0.0.1/24", "x", 0, AT);
	CHECK_TEXT(said, "f:2:3: a.b: 10.0.0.1/24 is taken as 10.0.0.0/24");
	CHECK(info.list[0].had_host_bits);
	end();
}

static void addresses_may_be_missing(void)
{
	CHECK_INT(take("$(POD_IP),10.0.0.7", "x", CLUSTERKEYS_RANK_ADDRESSES, AT), 2);
	CHECK_TEXT(said, "");
	CHECK_INT(info.piles[CLUSTERINFO_POD_ADDRESSES].count, 1);
	end();
}

UNIT_TESTS(TEST(takes_lists_and_passes_over_what_is_not_known),
	   TEST(says_where_what_is_wrong_stands), TEST(addresses_may_be_missing))
