#include "tls/p256verify.h"

#include <string.h>

#include "tls/mont.h"
#include "tls/p256field.h"

#if LIMB_HAS_128

#define POINT_BYTES 65
#define UNCOMPRESSED 4
/* The longest signature that BearSSL looks at; its conversion in place may double the length. */
#define SIGNATURE_MAX 144

/*
 * The widths of the windows of odd multiples, in bits. G's multiples are stored, half a KiB for
 * a width of 5 and twice as much for each one more; those of the key are made for each signature.
 */
#define G_WIDTH 6
#define Q_WIDTH 5
#define MULTIPLES(width) (1 << ((width)-2))
/* The digits of a scalar, one for each bit, and the last carry. */
#define DIGITS 257

/* What is below is in Montgomery's form, like all coordinates. */
struct affine {
	uint64_t x[4], y[4];
};

/* Jacobian: the point (x / z^2, y / z^3); infinity has a z of 0. */
struct point {
	uint64_t x[4], y[4], z[4];
};

static const uint64_t one[4] = {1, 0xffffffff00000000, 0xffffffffffffffff, 0x00000000fffffffe};
/* y^2 = x^3 - 3x + b */
static const uint64_t curve_b[4] = {0xd89cdf6229c4bddf, 0xacf005cd78843090, 0xe5a220abf7212ed6,
				    0xdc30061d04874834};
/* 2^512: times this, a number gets Montgomery's form. Not in that form itself. */
static const uint64_t to_form[4] = {0x0000000000000003, 0xfffffffbffffffff, 0xfffffffffffffffe,
				    0x00000004fffffffd};
/* Plain numbers: p, and the order of the curve. */
static const uint64_t field_p[4] = {P256FIELD_P0, P256FIELD_P1, 0, P256FIELD_P3};
static const uint64_t order[4] = {0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff,
				  0xffffffff00000000};
#define ORDER_N0 UINT64_C(0xccd1c8aaee00bc4f)

/* G, 3G, 5G and so on. */
static const struct affine multiples_of_g[MULTIPLES(G_WIDTH)] = {
	{{0x79e730d418a9143c, 0x75ba95fc5fedb601, 0x79fb732b77622510, 0x18905f76a53755c6},
	 {0xddf25357ce95560a, 0x8b4ab8e4ba19e45c, 0xd2e88688dd21f325, 0x8571ff1825885d85}},
	{{0xffac3f904eebc127, 0xb027f84a087d81fb, 0x66ad77dd87cbbc98, 0x26936a3fb6ff747e},
	 {0xb04c5c1fc983a7eb, 0x583e47ad0861fe1a, 0x788208311a2ee98e, 0xd5f06a29e587cc07}},
	{{0xbe1b8aaec45c61f5, 0x90ec649a94b9537d, 0x941cb5aad076c20c, 0xc9079605890523c8},
	 {0xeb309b4ae7ba4f10, 0x73c568efe5eb882b, 0x3540a9877e7a1f68, 0x73a076bb2dd1e916}},
	{{0x0746354ea0173b4f, 0x2bd20213d23c00f7, 0xf43eaab50c23bb08, 0x13ba5119c3123e03},
	 {0x2847d0303f5b9d4d, 0x6742f2f25da67bdd, 0xef933bdc77c94195, 0xeaedd9156e240867}},
	{{0x75c96e8f264e20e8, 0xabe6bfed59a7a841, 0x2cc09c0444c8eb00, 0xe05b3080f0c4e16b},
	 {0x1eb7777aa45f3314, 0x56af7bedce5d45e3, 0x2b6e019a88b12f1a, 0x086659cdfd835f9b}},
	{{0xea7d260a6245e404, 0x9de407956e7fdfe0, 0x1ff3a4158dac1ab5, 0x3e7090f1649c9073},
	 {0x1a7685612b944e88, 0x250f939ee57f61c8, 0x0c0daa891ead643d, 0x68930023e125b88e}},
	{{0xccc425634b2ed709, 0x0e356769856fd30d, 0xbcbcd43f559e9811, 0x738477ac5395b759},
	 {0x35752b90c00ee17f, 0x68748390742ed2e3, 0x7cd06422bd1f5bc1, 0xfbc08769c9e7b797}},
	{{0x72bcd8b7bc60055b, 0x03cc23ee56e27e4b, 0xee337424e4819370, 0xe2aa0e430ad3da09},
	 {0x40b8524f6383c45d, 0xd766355442a41b25, 0x64efa6de778a4797, 0x2042170a7079adf4}},
	{{0x97091dcbd53c5c9d, 0xf17624b6ac0a177b, 0xb0f139752cfe2dff, 0xc1a35c0a6c7a574e},
	 {0x227d314693e79987, 0x0575bf30e89cb80e, 0x2f4e247f0d1883bb, 0xebd512263274c3d0}},
	{{0xfea912baa5659ae8, 0x68363aba25e1a16e, 0xb8842277752c41ac, 0xfe545c282897c3fc},
	 {0x2d36e9e7dc4c696b, 0x5806244afba977c5, 0x85665e9be39508c1, 0xf720ee256d12597b}},
	{{0x562e4cecc135b208, 0x74e1b2654783f47d, 0x6d2a506c5a3f3b30, 0xecead9f4c16762fc},
	 {0xf29dd4b2e286e5b9, 0x1b0fadc083bb3c61, 0x7a75023e7fac29a4, 0xc086d5f1c9477fa3}},
	{{0xf4f876532de45068, 0x37c7a7e89e2e1f6e, 0xd0825fa2a3584069, 0xaf2cea7c1727bf42},
	 {0x0360a4fb9e4785a9, 0xe5fda49c27299f4a, 0x48068e1371ac2f71, 0x83d0687b9077666f}},
	{{0xa4a319acd837879f, 0x6fc1b49eed6b67b0, 0xe395993332f1f3af, 0x966742eb65432a2e},
	 {0x4b8dc9feb4966228, 0x96cc631243f43950, 0x12068859c9b731ee, 0x7b948dc356f79968}},
	{{0x042c2af497e2feb4, 0xd36a42d7aebf7313, 0x49d2c9eb084ffdd7, 0x9f8aa54b2ef7c76a},
	 {0x9200b7ba09895e70, 0x3bd0c66fddb7fb58, 0x2d97d10878eb4cbb, 0x2d431068d84bde31}},
	{{0x5e5db46acb66e132, 0xf1be963a0d925880, 0x944a70270317b9e2, 0xe266f95948603d48},
	 {0x98db66735c208899, 0x90472447a2fb18a3, 0x8a966939777c619f, 0x3798142a2a3be21b}},
	{{0xe2f73c696755ff89, 0xdd3cf7e7473017e6, 0x8ef5689d3cf7600d, 0x948dc4f8b1fc87b4},
	 {0xd9e9fe814ea53299, 0x2d921ca298eb6028, 0xfaecedfd0c9803fc, 0xf38ae8914d7b4745}},
};

static void twice(uint64_t out[4], const uint64_t a[4])
{
	p256field_add(out, a, a);
}

/* Right for infinity too: z stays 0. No point has a y of 0, as the order is odd. */
static void point_double(struct point *p)
{
	uint64_t zz[4], m[4], g[4], s[4], t[4];

	p256field_square(zz, p->z);
	p256field_add(m, p->x, zz);
	p256field_sub(t, p->x, zz);
	p256field_mul(t, m, t);
	twice(m, t);
	p256field_add(m, m, t); /* 3 (x - z^2) (x + z^2) */

	p256field_mul(p->z, p->y, p->z);
	twice(p->z, p->z);

	p256field_square(g, p->y);
	twice(g, g); /* 2 y^2 */
	p256field_mul(s, p->x, g);
	twice(s, s); /* 4 x y^2 */
	p256field_square(g, g);
	twice(g, g); /* 8 y^4 */

	p256field_square(p->x, m);
	p256field_sub(p->x, p->x, s);
	p256field_sub(p->x, p->x, s);
	p256field_sub(s, s, p->x);
	p256field_mul(p->y, m, s);
	p256field_sub(p->y, p->y, g);
}

/* p += (x, y, z), which is not infinity; z NULL is 1. */
static void point_add(struct point *p, const uint64_t x[4], const uint64_t y[4], const uint64_t *z)
{
	uint64_t u1[4], u2[4], s1[4], s2[4], t[4];

	if (p256field_is_zero(p->z)) {
		memcpy(p->x, x, sizeof p->x);
		memcpy(p->y, y, sizeof p->y);
		memcpy(p->z, z != NULL ? z : one, sizeof p->z);
		return;
	}
	p256field_square(t, p->z);
	p256field_mul(u2, x, t);
	p256field_mul(t, t, p->z);
	p256field_mul(s2, y, t);
	memcpy(u1, p->x, sizeof u1);
	memcpy(s1, p->y, sizeof s1);
	if (z != NULL) {
		p256field_square(t, z);
		p256field_mul(u1, u1, t);
		p256field_mul(t, t, z);
		p256field_mul(s1, s1, t);
	}
	p256field_sub(u2, u2, u1);
	p256field_sub(s2, s2, s1);
	if (p256field_is_zero(u2)) {
		if (p256field_is_zero(s2))
			point_double(p);
		else
			memset(p->z, 0, sizeof p->z);
		return;
	}
	p256field_mul(p->z, p->z, u2);
	if (z != NULL)
		p256field_mul(p->z, p->z, z);

	p256field_square(t, u2);
	p256field_mul(u1, u1, t);
	p256field_mul(t, t, u2); /* (u2 - u1)^3 */
	p256field_square(p->x, s2);
	p256field_sub(p->x, p->x, t);
	p256field_sub(p->x, p->x, u1);
	p256field_sub(p->x, p->x, u1);
	p256field_sub(u1, u1, p->x);
	p256field_mul(p->y, s2, u1);
	p256field_mul(t, s1, t);
	p256field_sub(p->y, p->y, t);
}

/* p += digit * the point whose odd multiples these are. */
static void point_add_multiple(struct point *p, const uint64_t x[4], const uint64_t y[4],
			       const uint64_t *z, int digit)
{
	static const uint64_t zero[4];
	uint64_t negative[4];

	if (digit < 0) {
		p256field_sub(negative, zero, y);
		y = negative;
	}
	point_add(p, x, y, z);
}

static unsigned bits_at(const uint64_t k[4], unsigned at, unsigned count)
{
	uint64_t bits = k[at / 64] >> at % 64;

	if (at % 64 + count > 64)
		bits |= k[at / 64 + 1] << (64 - at % 64);
	return (unsigned)bits & ((1u << count) - 1);
}

/*
 * The scalar as the sum of digits[i] * 2^i, where each digit is 0 or odd and less than
 * 2^(width - 1) either way, and `width` zeroes at least are between two others.
 */
static void recode(int16_t digits[DIGITS], const uint64_t k[4], unsigned width)
{
	unsigned at = 0, carry = 0;

	memset(digits, 0, DIGITS * sizeof digits[0]);
	while (at < 256) {
		unsigned count = width < 256 - at ? width : 256 - at, bits;

		if (bits_at(k, at, 1) == carry) {
			at++;
			continue;
		}
		/* Odd, as bit and carry differ; so 2^(width - 1) itself is not among them. */
		bits = bits_at(k, at, count) + carry;
		carry = bits >> (width - 1);
		digits[at] = (int16_t)((int)bits - (int)(carry << width));
		at += count;
	}
	digits[256] = (int16_t)carry;
}

/* out = g * G + q * Q */
static void multiply(struct point *out, const uint64_t g[4], const uint64_t q[4],
		     const struct affine *point_q)
{
	int16_t g_digits[DIGITS], q_digits[DIGITS];
	struct point multiples[MULTIPLES(Q_WIDTH)], twice_q;

	recode(g_digits, g, G_WIDTH);
	recode(q_digits, q, Q_WIDTH);

	memset(out, 0, sizeof *out);
	point_add(out, point_q->x, point_q->y, NULL);
	twice_q = multiples[0] = *out;
	point_double(&twice_q);
	for (int i = 1; i < MULTIPLES(Q_WIDTH); i++) {
		multiples[i] = multiples[i - 1];
		point_add(&multiples[i], twice_q.x, twice_q.y, twice_q.z);
	}

	memset(out, 0, sizeof *out);
	for (int i = DIGITS - 1; i >= 0; i--) {
		int digit = q_digits[i];

		point_double(out);
		if (digit != 0) {
			const struct point *m = &multiples[(digit < 0 ? -digit : digit) / 2];

			point_add_multiple(out, m->x, m->y, m->z, digit);
		}
		digit = g_digits[i];
		if (digit != 0) {
			const struct affine *m = &multiples_of_g[(digit < 0 ? -digit : digit) / 2];

			point_add_multiple(out, m->x, m->y, NULL, digit);
		}
	}
}

/* Divides *odd, which is even and not 0, until it is odd; *other is multiplied as much. */
static unsigned halve(uint64_t odd[4], uint64_t other[4])
{
	unsigned all = 0;

	while ((odd[0] & 1) == 0) {
		unsigned bits = odd[0] != 0 ? (unsigned)__builtin_ctzll(odd[0]) : 63;

		for (int i = 0; i < 3; i++)
			odd[i] = odd[i] >> bits | odd[i + 1] << (64 - bits);
		odd[3] >>= bits;
		for (int i = 3; i > 0; i--)
			other[i] = other[i] << bits | other[i - 1] >> (64 - bits);
		other[0] <<= bits;
		all += bits;
	}
	return all;
}

/* Returns the carry. */
static unsigned char add_limbs(uint64_t a[4], const uint64_t b[4])
{
	unsigned char carry = 0;

	for (int i = 0; i < 4; i++)
		a[i] = limb_add(a[i], b[i], &carry);
	return carry;
}

/*
 * out = 2^256 / a modulo the order, where a is less and not 0.
 *
 * First Kaliski's almost inverse. Always a * s = v * 2^k, a * r = -u * 2^k modulo the order, and
 * u * s + v * r is the order; as u and v are 1 at least, r and s are less than the order. u and v
 * start as the order and a, halved until it is odd, and end as 1, as the order is prime. Then s is
 * 2^k / a. As u * v * 2^k never grows, and is less than 2^512 first, k is at most 511; as neither r
 * nor s is ever more than 2^k, and their sum is the order last, which is more than 2^255, k is at
 * least 255.
 */
static void invert(uint64_t out[4], const uint64_t a[4])
{
	uint64_t u[4], v[4], r[4] = {0, 0, 0, 0}, s[4] = {1, 0, 0, 0}, power[4] = {0, 0, 0, 0};
	unsigned k, missing, shift;

	memcpy(u, order, sizeof u);
	memcpy(v, a, sizeof v);
	k = halve(v, r);
	while (memcmp(u, v, sizeof u) != 0) {
		if (mont_is_less(v, u, 4)) {
			mont_sub(u, u, v, 4);
			add_limbs(r, s);
			k += halve(u, s);
		} else {
			mont_sub(v, v, u, 4);
			add_limbs(s, r);
			k += halve(v, r);
		}
	}
	/*
	 * s * 2^(512 - k) / 2^256 = 2^256 / a; what four limbs can't shift, for the smallest of k,
	 * after.
	 */
	missing = 512 - k;
	shift = missing < 255 ? missing : 255;
	power[shift / 64] = (uint64_t)1 << shift % 64;
	mont_mul(out, s, power, order, ORDER_N0, 4);
	for (; shift < missing; shift++)
		if (add_limbs(out, out) != 0 || !mont_is_less(out, order, 4))
			mont_sub(out, out, order, 4);
}

/* A number of one coordinate. */
static bool load_coordinate(uint64_t out[4], const unsigned char bytes[32])
{
	mont_load(out, 4, bytes, 32);
	if (!mont_is_less(out, field_p, 4))
		return false;
	p256field_mul(out, out, to_form);
	return true;
}

static bool load_point(struct affine *out, const br_ec_public_key *key)
{
	uint64_t left[4], right[4];

	if (key->qlen != POINT_BYTES || key->q[0] != UNCOMPRESSED ||
	    !load_coordinate(out->x, key->q + 1) || !load_coordinate(out->y, key->q + 33))
		return false;
	p256field_square(left, out->y);
	p256field_square(right, out->x);
	p256field_mul(right, right, out->x);
	for (int i = 0; i < 3; i++)
		p256field_sub(right, right, out->x);
	p256field_add(right, right, curve_b);
	return memcmp(left, right, sizeof left) == 0;
}

/* A number of a signature: from 1 up to the order, without it. */
static bool load_scalar(uint64_t out[4], const unsigned char *bytes, size_t len)
{
	mont_load(out, 4, bytes, len);
	return !p256field_is_zero(out) && mont_is_less(out, order, 4);
}

/* Is the point's x, modulo the order, r? It is r or, where that is less than p, r + order. */
static bool has_x(const struct point *p, const uint64_t r[4])
{
	uint64_t x[4], zz[4], t[4], candidate[4];
	unsigned char carry = 0;
	static const uint64_t plain_one[4] = {1, 0, 0, 0};

	if (p256field_is_zero(p->z))
		return false;
	/* x / z^2 = r is x = r * z^2; one operand in Montgomery's form makes a plain product. */
	p256field_mul(x, p->x, plain_one);
	p256field_square(zz, p->z);
	p256field_mul(t, r, zz);
	if (memcmp(t, x, sizeof t) == 0)
		return true;
	for (int i = 0; i < 4; i++)
		candidate[i] = limb_add(r[i], order[i], &carry);
	if (carry != 0 || !mont_is_less(candidate, field_p, 4))
		return false;
	p256field_mul(t, candidate, zz);
	return memcmp(t, x, sizeof t) == 0;
}

static bool verify(const void *hash, size_t hash_len, const br_ec_public_key *key,
		   const unsigned char *r_bytes, const unsigned char *s_bytes, size_t len)
{
	uint64_t r[4], s[4], e[4], g[4], q[4];
	struct affine point_q;
	struct point sum;

	if (len > 32 || !load_scalar(r, r_bytes, len) || !load_scalar(s, s_bytes, len) ||
	    !load_point(&point_q, key))
		return false;
	mont_load(e, 4, hash, hash_len < 32 ? hash_len : 32);
	invert(s, s);
	mont_mul(g, e, s, order, ORDER_N0, 4);
	mont_mul(q, r, s, order, ORDER_N0, 4);
	multiply(&sum, g, q, &point_q);
	return has_x(&sum, r);
}

uint32_t p256verify_asn1(const br_ec_impl *impl, const void *hash, size_t hash_len,
			 const br_ec_public_key *key, const void *sig, size_t sig_len)
{
	unsigned char raw[2 * SIGNATURE_MAX];
	size_t len;

	if (key->curve != BR_EC_secp256r1)
		return br_ecdsa_vrfy_asn1_get_default()(impl, hash, hash_len, key, sig, sig_len);
	if (sig_len > SIGNATURE_MAX)
		return 0;
	memcpy(raw, sig, sig_len);
	len = br_ecdsa_asn1_to_raw(raw, sig_len) / 2;
	return verify(hash, hash_len, key, raw, raw + len, len);
}

#else

uint32_t p256verify_asn1(const br_ec_impl *impl, const void *hash, size_t hash_len,
			 const br_ec_public_key *key, const void *sig, size_t sig_len)
{
	return br_ecdsa_vrfy_asn1_get_default()(impl, hash, hash_len, key, sig, sig_len);
}

#endif
