/*
 * outgoing: which connections are our own. Where a firewall's rules redirect the proxy's traffic as
 * well (they name another user, say), a connection that we pass on comes back to us as a new one,
 * and would for ever; here it is recognised.
 *
 * One table for all workers, without locks. It forgets a connection when another of ours has the
 * same local port, towards another address: what comes back does so at once, and is seen one round
 * later at worst.
 */
#ifndef PROXY_OUTGOING_H
#define PROXY_OUTGOING_H

#include <stdbool.h>
#include <stdint.h>

#include "net/addr.h"

/* A connection of ours; tag 0: none. */
struct outgoing {
	uint32_t tag;
	uint16_t port;
};

/* From `local` to `to`. */
struct outgoing outgoing_add(const struct addr *local, const struct addr *to);
/* It is closed; *o is none then. Harmless when it is none. */
void outgoing_remove(struct outgoing *o);

/* Is there one from `peer` to `original`? */
bool outgoing_has(const struct addr *peer, const struct addr *original);

#endif
