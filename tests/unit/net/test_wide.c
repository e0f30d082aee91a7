#include "../unit.h"

#include "net/wide.h"

static void counts_in_decimal(void)
{
	static const struct {
		struct wide last;
		const char *count;
	} cases[] = {
		{{0, 0}, "1"},
		{{0, 255}, "256"},
		{{0, UINT64_MAX}, "18446744073709551616"},
		{{0, UINT64_MAX - 1}, "18446744073709551615"},
		{{UINT64_MAX >> 32, UINT64_MAX}, "79228162514264337593543950336"},
		{{UINT64_MAX, UINT64_MAX}, "340282366920938463463374607431768211456"},
		{{UINT64_MAX, UINT64_MAX - 1}, "340282366920938463463374607431768211455"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char storage[48];
		struct buf b;

		BUF_INIT_ARRAY(&b, storage);
		wide_format_count(cases[i].last, &b);
		CHECK_TEXT(buf_cstr(&b), cases[i].count);
	}
}

static void carries_and_borrows(void)
{
	struct wide a = wide_of(0, UINT64_MAX), b = wide_of(1, 0);

	CHECK(wide_eq(wide_next(a), b));
	CHECK(wide_eq(wide_prev(b), a));
	CHECK(wide_eq(wide_sub(b, a), wide_of(0, 1)));
	CHECK(wide_eq(wide_add(a, wide_of(0, 1)), b));
	CHECK(wide_eq(wide_next(wide_of(UINT64_MAX, UINT64_MAX)), wide_of(0, 0)));
	CHECK(wide_eq(wide_shifted(wide_of(0, 3), 0), wide_of(0, 3)));
	CHECK(wide_eq(wide_shifted(wide_of(0, 3), 63), wide_of(1, UINT64_C(1) << 63)));
	CHECK(wide_eq(wide_shifted(wide_of(0, 3), 64), wide_of(3, 0)));
	CHECK(wide_eq(wide_shifted(wide_of(0, 3), 128), wide_of(0, 0)));
	CHECK(wide_is_less(a, b));
	CHECK(!wide_is_less(b, a));
	CHECK(!wide_is_less(a, a));
}

static void knows_bits(void)
{
	for (unsigned bits = 0; bits <= 128; bits++) {
		CHECK_INT(wide_bits(wide_ones(bits)), bits);
		CHECK_INT(wide_trailing_zeros(wide_next(wide_ones(bits))), bits);
	}
}

UNIT_TESTS(TEST(counts_in_decimal), TEST(carries_and_borrows), TEST(knows_bits))
