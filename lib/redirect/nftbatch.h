/*
 * nftbatch: a ruleset as messages of nf_tables (<linux/netfilter/nf_tables.h>). Pure.
 *
 * Integers in attributes are big-endian; what is compared with a register is in the register's own
 * order: host order for ids and states, network order for ports and addresses.
 */
#ifndef REDIRECT_NFTBATCH_H
#define REDIRECT_NFTBATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "redirect/nlmsg.h"
#include "redirect/ruleset.h"

struct nftbatch {
	struct nlmsg out;
	uint32_t wanted_seq; /* the message whose origin is looked for; 0: none */
	/* Where that message came from: neither for the table, no rule for the chain. */
	uint8_t found_family;
	const struct chain *found_chain;
	const struct rule *found_rule;
};

/* How netfilter numbers family 4 or 6. */
uint8_t nftbatch_family(uint8_t family);

/* Everything of our table: itself, its chains, their lists and rules. */
void nftbatch_put_table(struct nftbatch *b, const struct ruleset *r);

/*
 * Are all messages of `type` (NFT_MSG_NEWCHAIN, NFT_MSG_NEWRULE) in `ours` in `dump` too, in that
 * order and no others, each attribute the same? The kernel adds handles and counters, and chains of
 * other tables; those may be there.
 */
bool nftbatch_is_dumped(struct span ours, struct span dump, int type);

#endif
