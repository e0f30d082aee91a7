#include "tls/mont.h"

#include <string.h>

#if LIMB_HAS_128

void mont_load(uint64_t *limbs, size_t count, const unsigned char *bytes, size_t len)
{
	memset(limbs, 0, count * sizeof *limbs);
	for (size_t i = 0; i < len; i++)
		limbs[i / 8] |= (uint64_t)bytes[len - 1 - i] << i % 8 * 8;
}

void mont_store(unsigned char *bytes, size_t len, const uint64_t *limbs)
{
	for (size_t i = 0; i < len; i++)
		bytes[len - 1 - i] = (unsigned char)(limbs[i / 8] >> i % 8 * 8);
}

uint64_t mont_sub(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t count)
{
	unsigned char borrow = 0;

	for (size_t i = 0; i < count; i++)
		out[i] = limb_sub(a[i], b[i], &borrow);
	return borrow;
}

bool mont_is_less(const uint64_t *a, const uint64_t *b, size_t count)
{
	while (count-- > 0)
		if (a[count] != b[count])
			return a[count] < b[count];
	return false;
}

/* Each turn of Newton's iteration doubles the bits that are right, from the three of n itself. */
uint64_t mont_negated_inverse(uint64_t n)
{
	uint64_t inverse = n;

	for (int right_bits = 3; right_bits < 64; right_bits *= 2)
		inverse *= 2 - n * inverse;
	return 0 - inverse;
}

/*
 * One limb of b at a time: t = (t + a * b[i] + m * n) / 2^64, with the m that makes the division
 * exact. Bounds, with W = 2^64, R = W^count, and i the turns that have been: t is less than
 * (a * (b modulo W^i) + n * W^i) / W^i, so less than a + n and in the end less than a * b / R + n,
 * which is at most 2n, as one of a and b is less than n, the other less than R. Meanwhile a + n is
 * less than 2R: `top` is a bit.
 */
void mont_mul(uint64_t *out, const uint64_t *a, const uint64_t *b, const uint64_t *n, uint64_t n0,
	      size_t count)
{
	uint64_t t[MONT_LIMBS_MAX];
	unsigned char top = 0;

	memset(t, 0, count * sizeof *t);
	for (size_t i = 0; i < count; i++) {
		uint64_t b_i = b[i], from_a, from_n = 0, m, low;

		low = limb_mul_add(a[0], b_i, t[0], 0, &from_a);
		m = low * n0;
		limb_mul_add(m, n[0], low, 0, &from_n);
#pragma GCC unroll 2
		for (size_t j = 1; j < count; j++) {
			low = limb_mul_add(a[j], b_i, t[j], from_a, &from_a);
			t[j - 1] = limb_mul_add(m, n[j], low, from_n, &from_n);
		}
		t[count - 1] = limb_add(from_a, from_n, &top);
	}
	if (top != 0 || !mont_is_less(t, n, count))
		mont_sub(out, t, n, count);
	else
		memcpy(out, t, count * sizeof *t);
}

#endif
