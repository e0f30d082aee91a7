#include "tls/p256field.h"

#if LIMB_HAS_128

/* out = t, or t - p where that is not negative; t has a fifth limb, `top`, and is less than 2p. */
static inline void subtract_p(uint64_t out[4], const uint64_t t[4], uint64_t top)
{
	unsigned char borrow = 0;
	uint64_t d0 = limb_sub(t[0], P256FIELD_P0, &borrow);
	uint64_t d1 = limb_sub(t[1], P256FIELD_P1, &borrow);
	uint64_t d2 = limb_sub(t[2], 0, &borrow);
	uint64_t d3 = limb_sub(t[3], P256FIELD_P3, &borrow);
	uint64_t keep;

	limb_sub(top, 0, &borrow);
	keep = 0 - (uint64_t)borrow;
	out[0] = limb_select(keep, t[0], d0);
	out[1] = limb_select(keep, t[1], d1);
	out[2] = limb_select(keep, t[2], d2);
	out[3] = limb_select(keep, t[3], d3);
}

/*
 * One turn of Montgomery's method: (t + m * p) / 2^64, with the m that makes the division exact. It
 * is t's lowest limb, because p is -1 modulo 2^64; and m * p is
 *
 *	m * (2^64 - 1) + m * (2^32 - 1) * 2^64 + m * P3 * 2^192
 *
 * of which -m takes the lowest limb away, and the rest is m * 2^96 and m * P3 * 2^192. The five
 * limbs that are left are in `out` and the returned one.
 */
static inline uint64_t reduce(uint64_t out[4], const uint64_t t[5])
{
	uint64_t m = t[0], high, low = limb_mul(m, P256FIELD_P3, &high);
	unsigned char carry = 0;

	out[0] = limb_add(t[1], m << 32, &carry);
	out[1] = limb_add(t[2], m >> 32, &carry);
	out[2] = limb_add(t[3], low, &carry);
	out[3] = limb_add(t[4], high, &carry);
	return carry;
}

/*
 * One limb of b at a time: t = (t + a * b[i] + m * p) / 2^64.
 *
 * Bounds: t < 2p after each turn, if it was before, as (2p + (2^64 - 1) * p + (2^64 - 1) * p) /
 * 2^64 is 2p; so t fits in 257 bits, and t + a * b[i] in 321, of which `over` is the last.
 */
void p256field_mul(uint64_t out[4], const uint64_t a[4], const uint64_t b[4])
{
	uint64_t t[5] = {0, 0, 0, 0, 0};

#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		uint64_t h0, h1, h2, h3, over;
		uint64_t l0 = limb_mul(a[0], b[i], &h0), l1 = limb_mul(a[1], b[i], &h1);
		uint64_t l2 = limb_mul(a[2], b[i], &h2), l3 = limb_mul(a[3], b[i], &h3);
		unsigned char carry = 0;

		l1 = limb_add(l1, h0, &carry);
		l2 = limb_add(l2, h1, &carry);
		l3 = limb_add(l3, h2, &carry);
		h3 += carry;
		carry = 0;
		t[0] = limb_add(t[0], l0, &carry);
		t[1] = limb_add(t[1], l1, &carry);
		t[2] = limb_add(t[2], l2, &carry);
		t[3] = limb_add(t[3], l3, &carry);
		t[4] = limb_add(t[4], h3, &carry);
		over = carry;
		t[4] = reduce(t, t) + over;
	}
	subtract_p(out, t, t[4]);
}

/*
 * The products of different limbs, which count twice, then the squares, then four turns on the
 * eight limbs as they are. What a turn carries out of its five limbs is `over`, and a bit: what is
 * in limbs 0 to i + 4 is less than 2^(64 * (i + 5)) of the square and as much of the multiples of
 * p.
 */
void p256field_square(uint64_t out[4], const uint64_t a[4])
{
	uint64_t h01, h02, h03, h12, h13, h23, t[8], over = 0;
	uint64_t l01 = limb_mul(a[0], a[1], &h01), l02 = limb_mul(a[0], a[2], &h02);
	uint64_t l03 = limb_mul(a[0], a[3], &h03), l12 = limb_mul(a[1], a[2], &h12);
	uint64_t l13 = limb_mul(a[1], a[3], &h13), l23 = limb_mul(a[2], a[3], &h23);
	unsigned char carry = 0;

	t[1] = l01;
	t[2] = limb_add(l02, h01, &carry);
	t[3] = limb_add(l03, h02, &carry);
	t[4] = limb_add(l13, h03, &carry);
	t[5] = limb_add(l23, h13, &carry);
	t[6] = h23 + carry;
	carry = 0;
	t[3] = limb_add(t[3], l12, &carry);
	t[4] = limb_add(t[4], h12, &carry);
	t[5] = limb_add(t[5], 0, &carry);
	t[6] += carry;
	t[0] = carry = 0;
#pragma GCC unroll 6
	for (int i = 1; i < 7; i++)
		t[i] = limb_add(t[i], t[i], &carry);
	t[7] = carry;
	carry = 0;
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		uint64_t high, low = limb_mul(a[i], a[i], &high);

		t[2 * i] = limb_add(t[2 * i], low, &carry);
		t[2 * i + 1] = limb_add(t[2 * i + 1], high, &carry);
	}
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		carry = 0;
		t[i + 4] = limb_add(t[i + 4], over, &carry);
		over = reduce(t + i + 1, t + i) + carry;
	}
	subtract_p(out, t + 4, over);
}

void p256field_add(uint64_t out[4], const uint64_t a[4], const uint64_t b[4])
{
	unsigned char carry = 0;
	uint64_t t[4];

	t[0] = limb_add(a[0], b[0], &carry);
	t[1] = limb_add(a[1], b[1], &carry);
	t[2] = limb_add(a[2], b[2], &carry);
	t[3] = limb_add(a[3], b[3], &carry);
	subtract_p(out, t, carry);
}

void p256field_sub(uint64_t out[4], const uint64_t a[4], const uint64_t b[4])
{
	unsigned char borrow = 0, carry = 0;
	uint64_t d0 = limb_sub(a[0], b[0], &borrow);
	uint64_t d1 = limb_sub(a[1], b[1], &borrow);
	uint64_t d2 = limb_sub(a[2], b[2], &borrow);
	uint64_t d3 = limb_sub(a[3], b[3], &borrow);
	uint64_t add_p = 0 - (uint64_t)borrow;

	out[0] = limb_add(d0, add_p & P256FIELD_P0, &carry);
	out[1] = limb_add(d1, add_p & P256FIELD_P1, &carry);
	out[2] = limb_add(d2, 0, &carry);
	out[3] = limb_add(d3, add_p & P256FIELD_P3, &carry);
}

#endif
