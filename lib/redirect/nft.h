/*
 * nft: rulesets to nf_tables and away again, over netlink. One transaction: all of it or nothing,
 * for both families.
 *
 * Nothing but a socket and CAP_NET_ADMIN is needed: no file, no lock, no module loader.
 */
#ifndef REDIRECT_NFT_H
#define REDIRECT_NFT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "redirect/backend.h"

/*
 * Puts the rulesets in force in place of what we had. The same again changes nothing: no counter,
 * no handle. The error says which rule was refused, and what to load or grant.
 */
enum backend_result nft_apply(const struct backend_wish *wish, struct backend_outcome *outcome,
			      struct error *e);

/* Are exactly these rules in force? BACKEND_DONE with *same. */
enum backend_result nft_check(const struct backend_wish *wish, bool *same, struct error *e);

/* Removes our tables; `removed` says which of IPv4 and IPv6 there was. */
enum backend_result nft_remove(bool removed[static 2], struct error *e);

/* A chain, or with chain NULL a table. */
struct nft_place {
	uint8_t family;
	const char *table, *chain;
};
/* Is one of them there? False also when it cannot be asked. */
bool nft_has_any(const struct nft_place *places, size_t count);

#endif
