#include "../unit.h"

#include "base/alloc.h"
#include "net/cidrset.h"

static void add(struct cidrset *s, const char *text)
{
	struct range r;
	struct error e;

	CHECK_ROW(text, range_parse(span_from_cstr(text), &r, NULL, &e));
	CHECK(cidrset_add(s, &r));
}

static void add_all(struct cidrset *s, const char *list)
{
	struct span rest = span_from_cstr(list), word;

	cidrset_init(s);
	while (rest.len > 0 && span_split(&rest, ' ', &word)) {
		char text[64] = "";

		memcpy(text, word.ptr, word.len);
		add(s, text);
	}
	CHECK(cidrset_merge(s));
}

static bool print(void *context, const struct range *prefix)
{
	struct buf *b = context;

	if (b->len > 0)
		buf_add_byte(b, ' ');
	range_format(prefix, b);
	return true;
}

#define CHECK_SET(set, expected)                                                                   \
	do {                                                                                       \
		char printed_text[1024];                                                           \
		struct buf printed;                                                                \
		BUF_INIT_ARRAY(&printed, printed_text);                                            \
		cidrset_prefixes(set, print, &printed);                                            \
		CHECK_TEXT(buf_cstr(&printed), expected);                                          \
	} while (0)

static void merges_to_the_fewest_prefixes(void)
{
	static const struct {
		const char *ranges, *merged;
	} cases[] = {
		{"", ""},
		{"10.4.0.0/14 10.7.240.0/20", "10.4.0.0/14"},
		{"10.0.1.0/24 10.0.0.0/24", "10.0.0.0/23"},
		{"10.0.2.0/24 10.0.1.0/24", "10.0.1.0/24 10.0.2.0/24"},
		{"128.0.0.0/1 0.0.0.0/1", "0.0.0.0/0"},
		{"255.255.255.255 255.255.255.254", "255.255.255.254/31"},
		{"255.255.255.255 0.0.0.0", "0.0.0.0/32 255.255.255.255/32"},
		{"8000::/1 ::/1 10.0.0.0/8", "10.0.0.0/8 ::/0"},
		{"::1 :: ffff::/16 fffe::/16", "::/127 fffe::/15"},
		{"2001:db8:0:2::/64 2001:db8:0:1::/64 2001:db8:0:3::/64",
		 "2001:db8:0:1::/64 2001:db8:0:2::/63"},
		{"::ffff ::fffe", "::fffe/127"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct cidrset s;

		add_all(&s, cases[i].ranges);
		CHECK_SET(&s, cases[i].merged);
		cidrset_fini(&s);
	}
}

static void excludes_and_intersects(void)
{
	static const struct {
		const char *a, *b, *excluded, *common;
	} cases[] = {
		{"10.0.0.0/30", "10.0.0.1", "10.0.0.0/32 10.0.0.2/31", "10.0.0.1/32"},
		{"10.0.0.0/8", "", "10.0.0.0/8", ""},
		{"", "10.0.0.0/8", "", ""},
		{"10.0.0.0/8", "0.0.0.0/0", "", "10.0.0.0/8"},
		{"::/126 10.0.0.0/31", "::2 10.0.0.0", "10.0.0.1/32 ::/127 ::3/128",
		 "10.0.0.0/32 ::2/128"},
		{"10.0.0.0/24 10.0.2.0/24", "10.0.0.128-10.0.2.127", "10.0.0.0/25 10.0.2.128/25",
		 "10.0.0.128/25 10.0.2.0/25"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct cidrset a, b, out;

		add_all(&a, cases[i].a);
		add_all(&b, cases[i].b);
		cidrset_init(&out);
		CHECK(cidrset_exclude(&a, &b, &out));
		CHECK_SET(&out, cases[i].excluded);
		cidrset_fini(&out);
		CHECK(cidrset_intersect(&a, &b, &out));
		CHECK_SET(&out, cases[i].common);
		cidrset_fini(&out);
		cidrset_fini(&a);
		cidrset_fini(&b);
	}
}

static void asks_in_a_merged_set(void)
{
	struct cidrset s;
	struct range r;
	struct wide size;
	struct error e;

	add_all(&s, "10.0.0.0/8 192.168.0.0/16 fd00::/64");
	CHECK(range_parse(SPAN("10.1.0.0/16"), &r, NULL, &e) && cidrset_contains(&s, &r));
	CHECK(range_parse(SPAN("10.0.0.0/7"), &r, NULL, &e) && !cidrset_contains(&s, &r));
	CHECK(range_parse(SPAN("11.0.0.0/8"), &r, NULL, &e) && !cidrset_contains(&s, &r));
	CHECK(range_parse(SPAN("fd00::1"), &r, NULL, &e) && cidrset_contains(&s, &r));
	CHECK(range_parse(SPAN("ffff::"), &r, NULL, &e) && !cidrset_contains(&s, &r));
	CHECK(cidrset_cover(&s, 4, &r) && range_length(&r) == 0);
	CHECK(cidrset_cover(&s, 6, &r) && range_length(&r) == 64);
	CHECK(cidrset_size(&s, 4, &size) && size.low == (1 << 24) + (1 << 16) - 1);
	CHECK_INT(cidrset_prefix_count(&s, 100), 3);
	CHECK_INT(cidrset_prefix_count(&s, 2), 2);
	cidrset_fini(&s);
}

static uint64_t random_state = 88172645463325252u;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* All first addresses share a window of bits, so that sorting must compare. */
static void sorts_what_a_radix_sort_cannot(void)
{
	struct cidrset s;

	cidrset_init(&s);
	for (int i = 0; i < 5000; i++) {
		uint64_t low = next_random() & 0xffffff;
		struct range r = {wide_of(i % 2 == 0 ? 0 : UINT64_C(1) << 63, low),
				  wide_of(i % 2 == 0 ? 0 : UINT64_C(1) << 63, low + 7), 6};

		CHECK(cidrset_add(&s, &r));
	}
	CHECK(cidrset_merge(&s));
	for (size_t i = 1; i < cidrset_count(&s); i++) {
		struct range before = cidrset_at(&s, i - 1), r = cidrset_at(&s, i);

		CHECK(wide_is_less(wide_next(before.last), r.first));
	}
	cidrset_fini(&s);
}

static void says_when_memory_is_out(void)
{
	struct range a = {wide_of(0, 9), wide_of(0, 9), 4}, b = {wide_of(0, 1), wide_of(0, 1), 4};
	struct cidrset s;

	cidrset_init(&s);
	alloc_fail_after(0);
	CHECK(!cidrset_add(&s, &a));
	alloc_fail_after(-1);
	CHECK(cidrset_add(&s, &a) && cidrset_add(&s, &b));
	for (int i = 0; i < 2; i++) {
		alloc_fail_after(i);
		CHECK(!cidrset_merge(&s));
		alloc_fail_after(-1);
	}
	CHECK(cidrset_merge(&s));
	CHECK_INT(cidrset_count(&s), 2);
	cidrset_fini(&s);
}

UNIT_TESTS(TEST(merges_to_the_fewest_prefixes), TEST(excludes_and_intersects),
	   TEST(asks_in_a_merged_set), TEST(sorts_what_a_radix_sort_cannot),
	   TEST(says_when_memory_is_out))
