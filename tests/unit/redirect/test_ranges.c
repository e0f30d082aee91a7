#include "../unit.h"

#include "redirect/ranges.h"

#define MAX 16

/* "a b c" to a list, as the options would. */
static struct ranges_cidrs read_cidrs(const char *text, struct cidr storage[static MAX])
{
	struct span rest = span_from_cstr(text), word;
	struct ranges_cidrs list = {storage, 0};
	struct error e;

	while (span_split(&rest, ' ', &word))
		if (word.len > 0)
			CHECK(cidr_parse(word, &storage[list.count++], NULL, &e));
	return list;
}

static void merges_what_overlaps_and_what_makes_a_whole(void)
{
	static const struct {
		const char *given, *merged, *runs;
	} cases[] = {
		{"", "", ""},
		{"10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/8"},
		{"10.1.0.0/16 10.0.0.0/8 10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/8"},
		{"10.128.0.0/9 10.0.0.0/9", "10.0.0.0/8", "10.0.0.0/8"},
		{"10.0.0.3 10.0.0.2 10.0.0.1 10.0.0.0", "10.0.0.0/30", "10.0.0.0/30"},
		{"0.0.0.0/1 128.0.0.0/1", "0.0.0.0/0", "0.0.0.0/0"},
		{"11.0.0.0/8 12.0.0.0/8", "11.0.0.0/8 12.0.0.0/8", "11.0.0.0-12.255.255.255"},
		{"192.0.2.1 192.0.2.2", "192.0.2.1/32 192.0.2.2/32", "192.0.2.1-192.0.2.2"},
		{"192.0.2.1 192.0.2.3", "192.0.2.1/32 192.0.2.3/32", "192.0.2.1 192.0.2.3"},
		{"255.255.255.255 0.0.0.0", "0.0.0.0/32 255.255.255.255/32",
		 "0.0.0.0 255.255.255.255"},
		{"fd00::/9 fd80::/9", "fd00::/8", "fd00::/8"},
		{"fd80::/9 fe00::/16", "fd80::/9 fe00::/16",
		 "fd80::-fe00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"ffff::/16 ::/128", "::/128 ffff::/16", ":: ffff::/16"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char merged[256], runs[256];
		struct cidr storage[MAX];
		struct ranges_cidrs list = read_cidrs(cases[i].given, storage);
		struct ranges_span run;
		struct buf a, b;
		size_t count = 0;

		BUF_INIT_ARRAY(&a, merged);
		BUF_INIT_ARRAY(&b, runs);
		ranges_merge_cidrs(&list);
		for (size_t j = 0; j < list.count; j++) {
			buf_add_cstr(&a, j > 0 ? " " : "");
			cidr_format(&list.items[j], &a);
		}
		CHECK_TEXT(merged, cases[i].merged);
		count = ranges_count(list);
		while (ranges_next(&list, &run)) {
			buf_add_cstr(&b, b.len > 0 ? " " : "");
			ranges_format(&run, storage[0].network.family, &b);
			count--;
		}
		CHECK_TEXT(runs, cases[i].runs);
		CHECK_INT(count, 0);
	}
}

static void merges_ports_that_overlap_or_touch(void)
{
	struct portrange items[] = {{8000, 8100}, {80, 80}, {81, 82},	   {8050, 9000},
				    {443, 443},	  {80, 80}, {65535, 65535}};
	struct ranges_ports list = {items, sizeof items / sizeof items[0]};
	char text[128];
	struct buf b;

	BUF_INIT_ARRAY(&b, text);
	ranges_merge_ports(&list);
	for (size_t i = 0; i < list.count; i++) {
		buf_add_cstr(&b, i > 0 ? " " : "");
		portrange_format(&list.items[i], &b);
	}
	CHECK_TEXT(text, "80-82 443 8000-9000 65535");
	CHECK(ranges_has_port(&list, 82) && !ranges_has_port(&list, 83));
	CHECK(ranges_has_port(&list, 65535) && !ranges_has_port(&list, 0));
}

static void the_last_address_has_no_successor(void)
{
	uint8_t last[4] = {255, 255, 255, 255}, other[4] = {10, 0, 255, 255};

	CHECK(!ranges_successor(last, 4));
	CHECK(ranges_successor(other, 4));
	CHECK_INT(other[1], 1);
	CHECK_INT(other[3], 0);
}

UNIT_TESTS(TEST(merges_what_overlaps_and_what_makes_a_whole),
	   TEST(merges_ports_that_overlap_or_touch), TEST(the_last_address_has_no_successor))
