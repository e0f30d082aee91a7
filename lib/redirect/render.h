/*
 * render: rules as text for nft and for iptables-restore, and in words for messages.
 */
#ifndef REDIRECT_RENDER_H
#define REDIRECT_RENDER_H

#include "base/buf.h"
#include "redirect/ruleset.h"

/*
 * A table for `nft -f`, in place of one that is there, in one transaction. Loaded, it gives the
 * same rules as nft_apply. Nothing for a ruleset of family 0.
 */
void render_nft(const struct ruleset *r, struct buf *out);

/*
 * Text for `iptables-restore --noflush` or ip6tables-restore, with its comment line that says for
 * which. Our jumps come before what is in the hooks' chains. Loaded where none of our chains are,
 * it gives the same rules as xtables_apply.
 */
void render_iptables(const struct ruleset *r, struct buf *out);

/* One rule as nft writes it, without counter and comment: "meta skuid 1337 return". */
void render_rule(const struct rule *rule, uint8_t family, struct buf *out);

#endif
