/*
 * xtblob: a legacy table as the kernel hands it out, read, and built again with our rules in it or
 * without. Pure; the bytes may be anybody's.
 *
 * A table is entries one after the other. A built-in chain begins at its hook's entry and ends with
 * its policy; another chain begins with an entry whose target is ERROR and carries the name, and a
 * jump goes to the offset behind that. The last entry is an ERROR named "ERROR". Foreign entries
 * are kept byte for byte, but for the offsets their jumps go to.
 */
#ifndef REDIRECT_XTBLOB_H
#define REDIRECT_XTBLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "redirect/ruleset.h"

/* NF_INET_NUMHOOKS of <linux/netfilter.h>. */
#define XTBLOB_HOOKS 5

struct xtblob {
	uint8_t family;
	uint32_t valid_hooks; /* bits by hook */
	uint32_t hook_entry[XTBLOB_HOOKS], underflow[XTBLOB_HOOKS];
	uint32_t num_entries;
	struct span entries;
};

/* What xtblob_rebuild made. */
struct xtblob_result {
	struct xtblob blob; /* its entries are in the buffer */
	/* Of each new entry: which it was in the old table, SIZE_MAX for ours. In the arena. */
	const size_t *origins;
	bool is_same; /* nothing to do: the old table is this one already */
	bool had_ours;
};

/*
 * The table with our chains of `table` in it as the ruleset has them, in place of those that were
 * there; with a ruleset of family 0 without. Our jumps come first in their hooks' chains. False
 * when the bytes are no table, or memory is out.
 */
bool xtblob_rebuild(const struct xtblob *old, const struct ruleset *r, enum ruleset_table table,
		    bool with_comments, struct arena *arena, struct buf *bytes,
		    struct xtblob_result *out, struct error *e);

/* Does the table have a chain whose name begins so? */
bool xtblob_has_chain(const struct xtblob *b, const char *prefix);

#endif
