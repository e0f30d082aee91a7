#include "../unit.h"

#include "base/num.h"

static void reads_whole_decimal_fields_within_the_range(void)
{
	static const struct {
		const char *text;
		uint64_t min, max, value;
	} cases[] = {
		{"0", 0, 0, 0},
		{"7", 7, 7, 7},
		{"007", 0, 10, 7},
		{"010", 0, 10, 10}, /* not octal */
		{"65535", 1, 65535, 65535},
		{"18446744073709551615", 0, UINT64_MAX, UINT64_MAX},
		{"00000000000000000000000000000001", 0, UINT64_MAX, 1},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t len = strlen(cases[i].text);
		char *text = unit_guarded(cases[i].text, len);
		uint64_t value = 99;

		CHECK_ROW(cases[i].text,
			  num_parse_u64(span_of(text, len), cases[i].min, cases[i].max, &value));
		CHECK_ROW(cases[i].text, value == cases[i].value);
		unit_guarded_free(text, len);
	}
}

static void refuses_all_else_and_leaves_the_output(void)
{
	static const struct {
		const char *text;
		uint64_t min, max;
	} cases[] = {
		{"", 0, 10},
		{"-1", 0, 10},
		{"+1", 0, 10},
		{" 1", 0, 10},
		{"1 ", 0, 10},
		{"0x1", 0, 10},
		{"1a", 0, 10},
		{"1.0", 0, 10},
		{"1_000", 0, UINT64_MAX},
		{"/", 0, UINT64_MAX},
		{":", 0, UINT64_MAX},
		{"\xb2", 0, UINT64_MAX},
		{"11", 0, 10},
		{"0", 1, 10},
		{"18446744073709551616", 0, UINT64_MAX},
		{"18446744073709551620", 0, UINT64_MAX},
		{"36893488147419103233", 0, UINT64_MAX}, /* 1 modulo 2^64 */
		{"99999999999999999999999999", 0, UINT64_MAX},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint64_t value = 99;

		CHECK_ROW(cases[i].text, !num_parse_u64(span_from_cstr(cases[i].text), cases[i].min,
							cases[i].max, &value));
		CHECK_ROW(cases[i].text, value == 99);
	}
	CHECK(!num_parse_u64(span_of("1\0", 2), 0, 10, &(uint64_t){0}));
}

static void ports_are_1_to_65535_in_five_digits(void)
{
	static const struct {
		const char *text;
		uint16_t port; /* 0: refused */
	} cases[] = {
		{"1", 1}, {"80", 80},	 {"00080", 80}, {"65535", 65535}, {"0", 0},  {"65536", 0},
		{"", 0},  {"000080", 0}, {"80 ", 0},	{"-80", 0},	  {"8o", 0}, {"99999", 0},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint16_t port = 0;

		CHECK_ROW(cases[i].text, num_parse_port(span_from_cstr(cases[i].text), &port) ==
						 (cases[i].port != 0));
		CHECK_ROW(cases[i].text, port == cases[i].port);
	}
}

UNIT_TESTS(TEST(reads_whole_decimal_fields_within_the_range),
	   TEST(refuses_all_else_and_leaves_the_output), TEST(ports_are_1_to_65535_in_five_digits))
