#include "../unit.h"

#include "base/duration.h"

static void reads_a_number_with_at_most_one_unit(void)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} cases[] = {
		{"0", 0},
		{"0ms", 0},
		{"250ms", 250},
		{"1s", 1000},
		{"30", 30000},
		{"30s", 30000},
		{"5m", 300000},
		{"1h", 3600000},
		{"090s", 90000},
		{"18446744073709551615ms", UINT64_MAX},
		{"18446744073709551s", UINT64_C(18446744073709551000)},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t len = strlen(cases[i].text);
		char *text = unit_guarded(cases[i].text, len);
		uint64_t ms = 99;

		CHECK_ROW(cases[i].text, duration_parse(span_of(text, len), 0, UINT64_MAX, &ms));
		CHECK_ROW(cases[i].text, ms == cases[i].ms);
		unit_guarded_free(text, len);
	}
}

static void refuses_all_else_and_leaves_the_output(void)
{
	static const char *const cases[] = {
		"",
		"s",
		"ms",
		"m",
		"1d",
		"1.5s",
		"-1s",
		"+1s",
		"1 s",
		" 1s",
		"1s ",
		"1sm",
		"1hm",
		"1S",
		"1MS",
		"1m30s",
		"0x1s",
		"1\n",
		"18446744073709551616ms",
		"18446744073709552s", /* 384 ms modulo 2^64 */
		"18446744073709552",
		"307445734561826m",
		"5124095576031h",
		"99999999999999999999999s",
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint64_t ms = 99;

		CHECK_ROW(cases[i], !duration_parse(span_from_cstr(cases[i]), 0, UINT64_MAX, &ms));
		CHECK_ROW(cases[i], ms == 99);
	}
}

static void keeps_to_the_range(void)
{
	uint64_t ms;

	CHECK(duration_parse(SPAN("100ms"), 100, 2000, &ms));
	CHECK(duration_parse(SPAN("2"), 100, 2000, &ms));
	CHECK(!duration_parse(SPAN("99ms"), 100, 2000, &ms));
	CHECK(!duration_parse(SPAN("2001ms"), 100, 2000, &ms));
	CHECK(!duration_parse(SPAN("0"), 1, 2000, &ms));
}

static void writes_the_largest_unit_that_fits(void)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} cases[] = {
		{0, "0s"},	   {1, "1ms"},
		{1000, "1s"},	   {1001, "1001ms"},
		{60000, "1m"},	   {90000, "90s"},
		{3600000, "1h"},   {5400000, "90m"},
		{86400000, "24h"}, {UINT64_MAX, "18446744073709551615ms"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char storage[32];
		uint64_t back;
		struct buf b;

		BUF_INIT_ARRAY(&b, storage);
		duration_format(cases[i].ms, &b);
		CHECK_TEXT(storage, cases[i].text);
		CHECK(duration_parse(buf_span(&b), 0, UINT64_MAX, &back));
		CHECK(back == cases[i].ms);
	}
}

UNIT_TESTS(TEST(reads_a_number_with_at_most_one_unit), TEST(refuses_all_else_and_leaves_the_output),
	   TEST(keeps_to_the_range), TEST(writes_the_largest_unit_that_fits))
