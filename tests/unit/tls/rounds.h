/*
 * rounds: random inputs for tests that hold one implementation against another. The same ones each
 * time; EGRESSBOX_ROUNDS=N in the environment makes it N, of a sequence that N chooses.
 */
#ifndef ROUNDS_H
#define ROUNDS_H

#include <bearssl.h>

#include "../unit.h"

static br_hmac_drbg_context rounds_rng;

/* How many; a few thousand of what is cheap, fewer of the rest. */
__attribute__((unused)) static long rounds_start(long usual)
{
	const char *wanted = getenv("EGRESSBOX_ROUNDS");

	br_hmac_drbg_init(&rounds_rng, &br_sha256_vtable, wanted,
			  wanted != NULL ? strlen(wanted) : 0);
	return wanted != NULL ? strtol(wanted, NULL, 10) : usual;
}

__attribute__((unused)) static void rounds_fill(void *to, size_t len)
{
	br_hmac_drbg_generate(&rounds_rng, to, len);
}

/* Less than `bound`, about evenly. */
__attribute__((unused)) static unsigned rounds_below(unsigned bound)
{
	uint32_t v;

	rounds_fill(&v, sizeof v);
	return v % bound;
}

/* Numbers that carry far: of each limb, often all bits, none, or all but some. */
__attribute__((unused)) static void rounds_limbs(uint64_t *limbs, size_t count)
{
	rounds_fill(limbs, count * sizeof *limbs);
	for (size_t i = 0; i < count; i++) {
		switch (rounds_below(8)) {
		case 0:
			limbs[i] = 0;
			break;
		case 1:
			limbs[i] = UINT64_MAX;
			break;
		case 2:
			limbs[i] >>= rounds_below(64);
			break;
		case 3:
			limbs[i] = ~(limbs[i] >> rounds_below(64));
			break;
		default:
			break;
		}
	}
}

#endif
