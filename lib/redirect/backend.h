/*
 * backend: what nf_tables (nft) and the legacy tables (xtables) have in common: the wish, and what
 * comes of it. Both offer the same three functions, so that apply can take one after the other.
 */
#ifndef REDIRECT_BACKEND_H
#define REDIRECT_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "redirect/ruleset.h"

enum backend_result {
	BACKEND_DONE,
	BACKEND_MISSING, /* the kernel has it not, or not what the rules need: nothing changed */
	BACKEND_FAILED,	 /* refused, or not permitted: nothing changed */
};

struct backend_wish {
	const struct ruleset *v4, *v6; /* family 0: what is ours of that family goes */
	bool v6_may_fail;	       /* then v4 alone is applied */
	uint64_t timeout_ms;	       /* how long changes by others at the same time are retried */
};

struct backend_outcome {
	bool changed;
	struct error v6_problem; /* text empty: IPv6 is as wished */
};

#endif
