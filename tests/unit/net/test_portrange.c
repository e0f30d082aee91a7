#include "../unit.h"

#include "net/portrange.h"

static void reads_ports_and_ranges(void)
{
	static const struct {
		const char *text, *shown;
		uint16_t first, last;
	} cases[] = {
		{"80", "80", 80, 80},
		{"1", "1", 1, 1},
		{"65535", "65535", 65535, 65535},
		{"8000-8100", "8000-8100", 8000, 8100},
		{"443-443", "443", 443, 443},
		{"1-65535", "1-65535", 1, 65535},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *text = unit_guarded(cases[i].text, strlen(cases[i].text));
		struct portrange r;
		char storage[16];
		struct error e;
		struct buf b;

		BUF_INIT_ARRAY(&b, storage);
		CHECK_ROW(cases[i].text,
			  portrange_parse(span_of(text, strlen(cases[i].text)), &r, &e));
		CHECK_INT(r.first, cases[i].first);
		CHECK_INT(r.last, cases[i].last);
		portrange_format(&r, &b);
		CHECK_TEXT(buf_cstr(&b), cases[i].shown);
		CHECK(portrange_contains(&r, cases[i].first));
		CHECK(portrange_contains(&r, cases[i].last));
		CHECK(!portrange_contains(&r, (uint16_t)(cases[i].first - 1)));
		CHECK(!portrange_contains(&r, (uint16_t)(cases[i].last + 1)));
		unit_guarded_free(text, strlen(cases[i].text));
	}
}

static void refuses_the_rest(void)
{
	static const char *const cases[] = {"",	   "0",	   "65536", "http",   "-",
					    "80-", "-80",  "90-80", "1-2-3",  " 80",
					    "+80", "0x50", "80-0",  "000080", "80,81"};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct portrange r;
		char expected[128];
		struct error e;

		snprintf(expected, sizeof expected,
			 "\"%s\" is neither a port from 1 to 65535 nor FIRST-LAST", cases[i]);
		CHECK_ROW(cases[i], !portrange_parse(span_from_cstr(cases[i]), &r, &e));
		CHECK_TEXT(e.text, expected);
	}
}

UNIT_TESTS(TEST(reads_ports_and_ranges), TEST(refuses_the_rest))
