#include "rounds.h"

#include "tls/mont.h"
#include "tls/p256field.h"

#if LIMB_HAS_128

static const uint64_t p[4] = {P256FIELD_P0, P256FIELD_P1, 0, P256FIELD_P3};

/* Zero, and what is next to 0, to p and to powers of two. */
static const uint64_t edges[][4] = {
	{0, 0, 0, 0},
	{1, 0, 0, 0},
	{2, 0, 0, 0},
	{UINT64_MAX, 0, 0, 0},
	{0, 1, 0, 0},
	{UINT64_MAX, UINT64_MAX, 0, 0},
	{0, 0, 1, 0},
	{UINT64_MAX, UINT64_MAX, UINT64_MAX, 0},
	{0, 0, 0, 1},
	{UINT64_MAX, UINT64_MAX, UINT64_MAX, P256FIELD_P3 - 1},
	{0, 0, 0, P256FIELD_P3},
	{UINT64_MAX, P256FIELD_P1 - 1, 0, P256FIELD_P3},
	{P256FIELD_P0 - 1, P256FIELD_P1, 0, P256FIELD_P3},
	{P256FIELD_P0 - 2, P256FIELD_P1, 0, P256FIELD_P3},
	/* 2^256 modulo p, its negation, and about half of p. */
	{1, 0xffffffff00000000, UINT64_MAX, 0x00000000fffffffe},
	{UINT64_MAX - 1, 0x00000001fffffffe, 0, 0xfffffffe00000002},
	{UINT64_MAX, 0x000000007fffffff, 0x8000000000000000, 0x7fffffff80000000},
	{0, 0x0000000080000000, 0x8000000000000000, 0x7fffffff80000000},
};
#define EDGES (sizeof edges / sizeof edges[0])

static void check_sums(const uint64_t a[4], const uint64_t b[4])
{
	uint64_t sum[4], negated[4], back[4], expected[4];
	bool has_carry = false;

	p256field_add(sum, a, b);
	CHECK(mont_is_less(sum, p, 4));
	for (int i = 0; i < 4; i++) {
		unsigned __int128 wide = (unsigned __int128)a[i] + b[i] + has_carry;

		expected[i] = (uint64_t)wide;
		has_carry = wide >> 64 != 0;
	}
	if (has_carry || !mont_is_less(expected, p, 4))
		mont_sub(expected, expected, p, 4);
	CHECK(memcmp(sum, expected, sizeof sum) == 0);

	p256field_sub(back, sum, b);
	CHECK(memcmp(back, a, sizeof back) == 0);
	p256field_sub(negated, edges[0], b);
	CHECK(mont_is_less(negated, p, 4));
	p256field_sub(back, a, negated);
	CHECK(memcmp(back, sum, sizeof back) == 0);
}

/* The product against mont's, which is another way to the same; with results over operands. */
static void check(const uint64_t a[4], const uint64_t b[4])
{
	uint64_t out[4], expected[4], over[4];

	mont_mul(expected, a, b, p, 1, 4);
	p256field_mul(out, a, b);
	CHECK(memcmp(out, expected, sizeof out) == 0);
	memcpy(over, a, sizeof over);
	p256field_mul(over, over, b);
	CHECK(memcmp(over, expected, sizeof out) == 0);
	memcpy(over, b, sizeof over);
	p256field_mul(over, a, over);
	CHECK(memcmp(over, expected, sizeof out) == 0);

	mont_mul(expected, a, a, p, 1, 4);
	p256field_square(out, a);
	CHECK(memcmp(out, expected, sizeof out) == 0);
	memcpy(over, a, sizeof over);
	p256field_square(over, over);
	CHECK(memcmp(over, expected, sizeof out) == 0);

	check_sums(a, b);
}

static void is_right_at_the_edges(void)
{
	CHECK(mont_negated_inverse(p[0]) == 1);
	for (size_t i = 0; i < EDGES; i++) {
		CHECK(mont_is_less(edges[i], p, 4));
		CHECK(p256field_is_zero(edges[i]) == (i == 0));
		for (size_t j = 0; j < EDGES; j++)
			check(edges[i], edges[j]);
	}
}

static void is_right_for_any(void)
{
	for (long round = rounds_start(20000); round > 0; round--) {
		uint64_t a[4], b[4];

		rounds_limbs(a, 4);
		rounds_limbs(b, 4);
		/* At most 2^256 - 1, which is less than 2p. */
		if (!mont_is_less(a, p, 4))
			mont_sub(a, a, p, 4);
		if (!mont_is_less(b, p, 4))
			mont_sub(b, b, p, 4);
		check(a, b);
		check(a, edges[rounds_below(EDGES)]);
	}
}

UNIT_TESTS(TEST(is_right_at_the_edges), TEST(is_right_for_any))

#else

static void is_not_here(void)
{
	unit_skip("no 128 bit products");
}

UNIT_TESTS(TEST(is_not_here))

#endif
