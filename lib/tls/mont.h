/*
 * mont: products modulo any odd number (Montgomery's method), for numbers that are no secret.
 *
 * Numbers are `count` limbs, at most MONT_LIMBS_MAX.
 */
#ifndef TLS_MONT_H
#define TLS_MONT_H

#include "tls/limb.h"

#if LIMB_HAS_128

#define MONT_LIMBS_MAX 64

/* The first `len` bytes, most significant first, at most 8 * count of them. */
void mont_load(uint64_t *limbs, size_t count, const unsigned char *bytes, size_t len);
/* The other way; what does not fit in `len` bytes, at most 8 * count, is left out. */
void mont_store(unsigned char *bytes, size_t len, const uint64_t *limbs);

bool mont_is_less(const uint64_t *a, const uint64_t *b, size_t count);
/* out = a - b modulo 2^(64 * count), out may be a or b. Returns the borrow. */
uint64_t mont_sub(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t count);

/* -1 / n modulo 2^64, where n is odd. */
uint64_t mont_negated_inverse(uint64_t n);
/*
 * out = a * b / 2^(64 * count) modulo n, less than n. One of a and b must be less than n. n0 is
 * mont_negated_inverse(n[0]). out may be a or b.
 */
void mont_mul(uint64_t *out, const uint64_t *a, const uint64_t *b, const uint64_t *n, uint64_t n0,
	      size_t count);

#endif
#endif
