/*
 * limb: words of 64 bits as the digits of large numbers, least first, with their carries.
 *
 * Only where the compiler knows a product of 128 bits (LIMB_HAS_128): without one this is slower
 * than the 31 bit digits of BearSSL, which stay in use there. The inner loops of p256field, mont
 * and rsapublic; none of it is for secrets, though there is no branch here.
 */
#ifndef TLS_LIMB_H
#define TLS_LIMB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#ifdef __SIZEOF_INT128__
#define LIMB_HAS_128 1

/* a * b; returns the low half, *high is the other. */
static inline uint64_t limb_mul(uint64_t a, uint64_t b, uint64_t *high)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	*high = (uint64_t)(product >> 64);
	return (uint64_t)product;
}

/*
 * a + b + *carry with a carry of 0 or 1, and so is the new one. The x86-64 intrinsics are the only
 * way to have gcc 12 keep carries where the processor has them; they halve the instructions.
 */
static inline uint64_t limb_add(uint64_t a, uint64_t b, unsigned char *carry)
{
#ifdef __x86_64__
	unsigned long long sum;

	*carry = _addcarry_u64(*carry, a, b, &sum);
	return sum;
#else
	unsigned __int128 sum = (unsigned __int128)a + b + *carry;

	*carry = (unsigned char)(sum >> 64);
	return (uint64_t)sum;
#endif
}

/* a - b - *borrow with a borrow of 0 or 1, and so is the new one. */
static inline uint64_t limb_sub(uint64_t a, uint64_t b, unsigned char *borrow)
{
#ifdef __x86_64__
	unsigned long long difference;

	*borrow = _subborrow_u64(*borrow, a, b, &difference);
	return difference;
#else
	unsigned __int128 difference = (unsigned __int128)a - b - *borrow;

	*borrow = (unsigned char)(difference >> 64) & 1;
	return (uint64_t)difference;
#endif
}

/* a * b + c + d, which is at most 2^128 - 1; returns the low half, *high is the other. */
static inline uint64_t limb_mul_add(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t *high)
{
	uint64_t low = limb_mul(a, b, high);
	unsigned char carry = 0;

	low = limb_add(low, c, &carry);
	*high = limb_add(*high, 0, &carry);
	carry = 0;
	low = limb_add(low, d, &carry);
	*high += carry;
	return low;
}

/* a or b; mask is all ones for a, or 0. */
static inline uint64_t limb_select(uint64_t mask, uint64_t a, uint64_t b)
{
	return b ^ (mask & (a ^ b));
}

#else
#define LIMB_HAS_128 0
#endif
#endif
