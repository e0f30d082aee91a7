/*
 * apply: rulesets to the kernel, by whichever backend it has.
 */
#ifndef REDIRECT_APPLY_H
#define REDIRECT_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/error.h"
#include "redirect/backend.h"

enum apply_backend {
	APPLY_AUTO, /* nf_tables, and where the kernel has none, legacy */
	APPLY_NFT,
	APPLY_LEGACY,
};
extern const char *const apply_backend_names[];

struct apply_wish {
	struct backend_wish rules;
	enum apply_backend backend;
};

struct apply_report {
	enum apply_backend backend; /* the one that has the rules */
	bool has_v6;		    /* IPv6 was taken */
	bool changed;		    /* false: the same rules were in force before */
};

/*
 * Puts the rulesets in force; what an earlier run left in the other backend goes. When it fails
 * nothing has changed, and the error says what was refused and what to load or grant. Warnings,
 * as of a fallback, go to `d`.
 */
bool apply_run(const struct apply_wish *wish, struct diag *d, struct apply_report *report,
	       struct error *e);

/* Are exactly these rules in force, in a backend that the wish allows? */
bool apply_check(const struct apply_wish *wish, struct apply_report *report, struct error *e);

/* Removes what is ours from both backends; adds "nft=ip,ip6 legacy=none" to `out`. */
bool apply_cleanup(struct buf *out, struct error *e);

#endif
