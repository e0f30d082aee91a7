/*
 * hash: FNV-1a over bytes, for tables of our own whose size is fixed when they are built.
 *
 * Not for tables that a peer can fill: it has no secret. Look-ups with a peer's key are safe, since
 * only the operator's manifests put keys in and the probe length is theirs.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdint.h>

#include "base/ascii.h"
#include "base/span.h"

#define HASH_INIT UINT64_C(0xcbf29ce484222325)

static inline uint64_t hash_byte(uint64_t hash, char byte)
{
	return (hash ^ (unsigned char)byte) * UINT64_C(0x100000001b3);
}

static inline uint64_t hash_span(uint64_t hash, struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		hash = hash_byte(hash, s.ptr[i]);
	return hash;
}

/* A number of up to 64 bits in one step. */
static inline uint64_t hash_u64(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * UINT64_C(0x100000001b3);
}

/* Spreads the entropy to the low bits, which tables use. */
static inline uint64_t hash_finish(uint64_t hash)
{
	hash ^= hash >> 32;
	hash *= UINT64_C(0xd6e8feb86659fd93);
	return hash ^ hash >> 32;
}

#endif
