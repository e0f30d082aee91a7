/*
 * p256field: numbers modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1, the field of P-256 (FIPS 186-5,
 * SP 800-186 section 3.2.1.3).
 *
 * A number is four limbs, and always less than p, going in and coming out, so that there is one
 * form of zero, and equal numbers have equal limbs. The result may be in the place of an operand.
 */
#ifndef TLS_P256FIELD_H
#define TLS_P256FIELD_H

#include <string.h>

#include "tls/limb.h"

#if LIMB_HAS_128

/* Of p; the one of limb 2 is 0. */
#define P256FIELD_P0 UINT64_C(0xffffffffffffffff)
#define P256FIELD_P1 UINT64_C(0x00000000ffffffff)
#define P256FIELD_P3 UINT64_C(0xffffffff00000001)

/* a * b / 2^256: for numbers in Montgomery's form, x * 2^256, the product in the same form. */
void p256field_mul(uint64_t out[4], const uint64_t a[4], const uint64_t b[4]);
/* The same with a for b, and faster. */
void p256field_square(uint64_t out[4], const uint64_t a[4]);
void p256field_add(uint64_t out[4], const uint64_t a[4], const uint64_t b[4]);
void p256field_sub(uint64_t out[4], const uint64_t a[4], const uint64_t b[4]);

static inline bool p256field_is_zero(const uint64_t a[4])
{
	return (a[0] | a[1] | a[2] | a[3]) == 0;
}

#endif
#endif
