/*
 * wide: unsigned numbers of 128 bits, for addresses of both families as numbers, and their counts.
 *
 * Two halves and not a type of the compiler's, which 32-bit machines do not have.
 */
#ifndef NET_WIDE_H
#define NET_WIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct wide {
	uint64_t high, low;
};

static inline struct wide wide_of(uint64_t high, uint64_t low)
{
	return (struct wide){high, low};
}

static inline bool wide_is_less(struct wide a, struct wide b)
{
	return a.high != b.high ? a.high < b.high : a.low < b.low;
}

static inline bool wide_eq(struct wide a, struct wide b)
{
	return a.high == b.high && a.low == b.low;
}

/* The number behind; 0 behind the last. */
static inline struct wide wide_next(struct wide a)
{
	return (struct wide){a.high + (a.low == UINT64_MAX), a.low + 1};
}

/* The number before; the last before 0. */
static inline struct wide wide_prev(struct wide a)
{
	return (struct wide){a.high - (a.low == 0), a.low - 1};
}

static inline struct wide wide_sub(struct wide a, struct wide b)
{
	return (struct wide){a.high - b.high - (a.low < b.low), a.low - b.low};
}

static inline struct wide wide_add(struct wide a, struct wide b)
{
	uint64_t low = a.low + b.low;

	return (struct wide){a.high + b.high + (low < a.low), low};
}

static inline struct wide wide_xor(struct wide a, struct wide b)
{
	return (struct wide){a.high ^ b.high, a.low ^ b.low};
}

/* Up by `bits`, 0 to 128; what goes over the top is lost. */
static inline struct wide wide_shifted(struct wide a, unsigned bits)
{
	return bits == 0   ? a
	       : bits < 64 ? wide_of(a.high << bits | a.low >> (64 - bits), a.low << bits)
			   : wide_of(bits < 128 ? a.low << (bits - 64) : 0, 0);
}

/* All ones in the lowest `bits`, 0 to 128. */
static inline struct wide wide_ones(unsigned bits)
{
	return (struct wide){
		bits <= 64   ? 0
		: bits < 128 ? (UINT64_C(1) << (bits - 64)) - 1
			     : UINT64_MAX,
		bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX,
	};
}

/* How many bits are 0 at the low end; 128 for 0. */
static inline unsigned wide_trailing_zeros(struct wide a)
{
	return a.low != 0    ? (unsigned)__builtin_ctzll(a.low)
	       : a.high != 0 ? 64 + (unsigned)__builtin_ctzll(a.high)
			     : 128;
}

/* How many bits it takes to write it: 0 for 0. */
static inline unsigned wide_bits(struct wide a)
{
	return a.high != 0  ? 128 - (unsigned)__builtin_clzll(a.high)
	       : a.low != 0 ? 64 - (unsigned)__builtin_clzll(a.low)
			    : 0;
}

/*
 * How many numbers there are from 0 to `last`, in decimal: last + 1, also where that has 129 bits.
 */
void wide_format_count(struct wide last, struct buf *out);

#endif
