#include "rounds.h"

#include "tls/mont.h"

#if LIMB_HAS_128

/* out = (2 * out + bit) modulo n, limb by limb and bit by bit: slow, and nothing of mont. */
static void shift_in(uint64_t *out, unsigned bit, const uint64_t *n, size_t count)
{
	uint64_t carry = bit, less[MONT_LIMBS_MAX], borrow = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t limb = out[i];

		out[i] = limb << 1 | carry;
		carry = limb >> 63;
	}
	for (size_t i = 0; i < count; i++) {
		less[i] = out[i] - n[i] - borrow;
		borrow = out[i] < n[i] || (out[i] == n[i] && borrow != 0);
	}
	if (carry != 0 || borrow == 0)
		memcpy(out, less, count * sizeof *less);
}

/* The product of 2 * count limbs, least first. */
static void product(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t count)
{
	memset(out, 0, 2 * count * sizeof *out);
	for (size_t i = 0; i < count; i++) {
		unsigned __int128 sum = 0;

		for (size_t j = 0; j < count; j++) {
			sum = (sum >> 64) + (unsigned __int128)a[i] * b[j] + out[i + j];
			out[i + j] = (uint64_t)sum;
		}
		out[i + count] = (uint64_t)(sum >> 64);
	}
}

static void reduce(uint64_t *out, const uint64_t *wide, size_t wide_count, const uint64_t *n,
		   size_t count)
{
	memset(out, 0, count * sizeof *out);
	for (size_t bit = 64 * wide_count; bit-- > 0;)
		shift_in(out, wide[bit / 64] >> bit % 64 & 1, n, count);
}

/* With mont's product c: c * 2^(64 * count) is a * b, modulo n. */
static void multiplies(void)
{
	uint64_t a[MONT_LIMBS_MAX], b[MONT_LIMBS_MAX], n[MONT_LIMBS_MAX], c[MONT_LIMBS_MAX];
	uint64_t wide[2 * MONT_LIMBS_MAX], left[MONT_LIMBS_MAX], right[MONT_LIMBS_MAX];

	for (long round = rounds_start(1000); round > 0; round--) {
		size_t count = rounds_below(20) == 0 ? 64 : 1 + rounds_below(8);

		rounds_limbs(a, count);
		rounds_limbs(b, count);
		rounds_limbs(n, count);
		n[0] |= 1;
		/* One of them must be less than the modulus; the other may have any value. */
		reduce(left, b, count, n, count);
		memcpy(b, left, count * sizeof *b);
		mont_mul(c, a, b, n, mont_negated_inverse(n[0]), count);
		CHECK(mont_is_less(c, n, count));

		product(wide, a, b, count);
		reduce(right, wide, 2 * count, n, count);
		memcpy(left, c, count * sizeof *c);
		for (size_t i = 0; i < 64 * count; i++)
			shift_in(left, 0, n, count);
		CHECK(memcmp(left, right, count * sizeof *left) == 0);

		mont_mul(a, a, b, n, mont_negated_inverse(n[0]), count);
		CHECK(memcmp(a, c, count * sizeof *a) == 0);
	}
}

static void inverts(void)
{
	for (long round = rounds_start(1000); round > 0; round--) {
		uint64_t n;

		rounds_limbs(&n, 1);
		n |= 1;
		CHECK(mont_negated_inverse(n) * n == UINT64_MAX);
	}
	CHECK(mont_negated_inverse(1) == UINT64_MAX);
	CHECK(mont_negated_inverse(UINT64_MAX) == 1);
}

static void compares_and_subtracts(void)
{
	const uint64_t small[] = {5, 7}, large[] = {4, 8};
	uint64_t out[2];

	CHECK(mont_is_less(small, large, 2) && !mont_is_less(large, small, 2));
	CHECK(!mont_is_less(small, small, 2));
	CHECK(mont_is_less(large, small, 1));
	CHECK(mont_sub(out, large, small, 2) == 0 && out[0] == UINT64_MAX && out[1] == 0);
	CHECK(mont_sub(out, small, large, 2) == 1 && out[0] == 1 && out[1] == UINT64_MAX);
}

static void reads_and_writes_any_length(void)
{
	unsigned char bytes[24], back[24];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(i + 1);
	for (size_t len = 0; len <= sizeof bytes; len++) {
		char *guarded = unit_guarded(bytes, len);
		uint64_t limbs[4];

		mont_load(limbs, 4, (const unsigned char *)guarded, len);
		CHECK(limbs[3] == 0);
		CHECK(len < 8 || (limbs[0] & 0xff) == len);
		CHECK(len != 3 || limbs[0] == 0x010203);
		mont_store(back, len, limbs);
		CHECK(memcmp(back, bytes, len) == 0);
		unit_guarded_free(guarded, len);
	}
}

UNIT_TESTS(TEST(multiplies), TEST(inverts), TEST(compares_and_subtracts),
	   TEST(reads_and_writes_any_length))

#else

static void is_not_here(void)
{
	unit_skip("no 128 bit products");
}

UNIT_TESTS(TEST(is_not_here))

#endif
