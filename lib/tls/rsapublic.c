#include "tls/rsapublic.h"

#include <string.h>

#include "base/span.h"
#include "tls/mont.h"

#if LIMB_HAS_128

#define BYTES_MAX (8 * MONT_LIMBS_MAX)

/* BearSSL's check of the padding. It has no public header, but its own RSA code calls it so. */
uint32_t br_rsa_pkcs1_sig_unpad(const unsigned char *sig, size_t len, const unsigned char *hash_oid,
				size_t hash_len, unsigned char *hash_out);

static struct span without_zeroes(const unsigned char *bytes, size_t len)
{
	while (len > 0 && *bytes == 0) {
		bytes++;
		len--;
	}
	return span_of(bytes, len);
}

static bool bit_at(struct span exponent, size_t bit)
{
	return ((unsigned char)exponent.ptr[exponent.len - 1 - bit / 8] >> bit % 8 & 1) != 0;
}

static void shift_left(uint64_t *a, unsigned bits, size_t count)
{
	for (size_t i = count; bits != 0 && i-- > 0;)
		a[i] = a[i] << bits | (i > 0 ? a[i - 1] >> (64 - bits) : 0);
}

static void shift_right(uint64_t *a, unsigned bits, size_t count)
{
	for (size_t i = 0; bits != 0 && i < count; i++)
		a[i] = a[i] >> bits | (i + 1 < count ? a[i + 1] << (64 - bits) : 0);
}

/* (2^128 - 1) / d - 2^64, rounded down, where d has its highest bit. */
static uint64_t reciprocal(uint64_t d)
{
	uint64_t rest = ~d, quotient = 0;

	for (int i = 0; i < 64; i++) {
		bool is_longer = rest >> 63 != 0;

		rest = rest << 1 | 1;
		quotient <<= 1;
		if (is_longer || rest >= d) {
			rest -= d;
			quotient |= 1;
		}
	}
	return quotient;
}

/*
 * r = r * 2^64 modulo d, where r is less than d, and d has its highest bit; v is the reciprocal of
 * its highest limb. The quotient is estimated from the two highest limbs, and 2 too large or too
 * small at most; what is wrong then is a small multiple of d, whose limb above is `top`.
 */
static void shift_in_limb(uint64_t *r, const uint64_t *d, uint64_t v, size_t count)
{
	uint64_t first = r[count - 1], second = count > 1 ? r[count - 2] : 0, quotient = UINT64_MAX;
	uint64_t from_product = 0, before = 0, top;
	unsigned char borrow = 0;

	if (first < d[count - 1]) {
		limb_mul_add(v, first, second, 0, &quotient);
		quotient += first;
	}
	for (size_t i = 0; i < count; i++) {
		uint64_t low = limb_mul_add(quotient, d[i], from_product, 0, &from_product);
		uint64_t limb = r[i];

		r[i] = limb_sub(before, low, &borrow);
		before = limb;
	}
	top = limb_sub(before, from_product, &borrow);
	while (top >> 63 != 0) {
		unsigned char carry = 0;

		for (size_t i = 0; i < count; i++)
			r[i] = limb_add(r[i], d[i], &carry);
		top += carry;
	}
	while (top != 0 || !mont_is_less(r, d, count))
		top -= mont_sub(r, r, d, count);
}

/* out = x * 2^(64 * count) modulo n, where x is less than n: digit by digit, as on paper. */
static void to_form(uint64_t *out, const uint64_t *x, const uint64_t *n, size_t count)
{
	unsigned zeroes = (unsigned)__builtin_clzll(n[count - 1]);
	uint64_t d[MONT_LIMBS_MAX], v;

	memcpy(d, n, count * sizeof *d);
	memcpy(out, x, count * sizeof *out);
	shift_left(d, zeroes, count);
	shift_left(out, zeroes, count);
	v = reciprocal(d[count - 1]);
	for (size_t i = 0; i < count; i++)
		shift_in_limb(out, d, v, count);
	shift_right(out, zeroes, count);
}

uint32_t rsapublic_power(unsigned char *x, size_t len, const br_rsa_public_key *key)
{
	uint64_t n[MONT_LIMBS_MAX], base[MONT_LIMBS_MAX], form[MONT_LIMBS_MAX],
		power[MONT_LIMBS_MAX];
	struct span modulus = without_zeroes(key->n, key->nlen);
	struct span exponent = without_zeroes(key->e, key->elen);
	size_t count = (len + 7) / 8, bit;
	uint64_t n0;

	if (len == 0 || len > BYTES_MAX || len != modulus.len || exponent.len == 0 ||
	    !bit_at(exponent, 0) || (exponent.len == 1 && exponent.ptr[0] == 1))
		return 0;
	mont_load(n, count, (const unsigned char *)modulus.ptr, len);
	mont_load(base, count, x, len);
	if ((n[0] & 1) == 0 || !mont_is_less(base, n, count))
		return 0;
	n0 = mont_negated_inverse(n[0]);
	to_form(form, base, n, count);

	/* From the second bit down; the last one takes the result out of Montgomery's form. */
	memcpy(power, form, count * sizeof *power);
	bit = 8 * exponent.len - 1;
	while (!bit_at(exponent, bit))
		bit--;
	while (bit-- > 0) {
		mont_mul(power, power, power, n, n0, count);
		if (bit_at(exponent, bit))
			mont_mul(power, power, bit > 0 ? form : base, n, n0, count);
	}
	mont_store(x, len, power);
	return 1;
}

uint32_t rsapublic_pkcs1_vrfy(const unsigned char *sig, size_t len, const unsigned char *hash_oid,
			      size_t hash_len, const br_rsa_public_key *key,
			      unsigned char *hash_out)
{
	unsigned char padded[BYTES_MAX];

	if (len > sizeof padded)
		return 0;
	memcpy(padded, sig, len);
	return rsapublic_power(padded, len, key) != 0
		       ? br_rsa_pkcs1_sig_unpad(padded, len, hash_oid, hash_len, hash_out)
		       : 0;
}

#else

uint32_t rsapublic_power(unsigned char *x, size_t len, const br_rsa_public_key *key)
{
	return br_rsa_public_get_default()(x, len, key);
}

uint32_t rsapublic_pkcs1_vrfy(const unsigned char *sig, size_t len, const unsigned char *hash_oid,
			      size_t hash_len, const br_rsa_public_key *key,
			      unsigned char *hash_out)
{
	return br_rsa_pkcs1_vrfy_get_default()(sig, len, hash_oid, hash_len, key, hash_out);
}

#endif
