/*
 * xtables: rulesets to the legacy tables of ip_tables and ip6_tables and away again, by getsockopt
 * and setsockopt. Each table is replaced in one swap; when one is refused, those before it are put
 * back.
 *
 * CAP_NET_ADMIN is enough: a datagram socket has the same options as the raw one that iptables
 * opens; only where the kernel knows them on raw sockets alone (gVisor) is one opened.
 *
 * The kernel notices a change by somebody else in between by the number of entries alone. iptables
 * has a lock file against the rest, which a read-only root has no place for; none is taken.
 */
#ifndef REDIRECT_XTABLES_H
#define REDIRECT_XTABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "redirect/backend.h"

/*
 * Puts the rulesets in force in place of what we had: foreign rules, chains and counters stay. IPv6
 * first. The same again changes nothing. Asking for a table makes the kernel create it: tables that
 * the rules don't need are only looked at when they are there.
 */
enum backend_result xtables_apply(const struct backend_wish *wish, struct backend_outcome *outcome,
				  struct error *e);

/* Are exactly these rules in force? BACKEND_DONE with *same. */
enum backend_result xtables_check(const struct backend_wish *wish, bool *same, struct error *e);

/* Removes what is ours from the tables that are there; `removed`: from which of IPv4 and IPv6. */
enum backend_result xtables_remove(bool removed[static 2], struct error *e);

/* Does the NAT table of IPv4, if it is there, have a chain whose name begins so? */
bool xtables_has_chain(const char *prefix);

#endif
