/*
 * lookup: the addresses of one name, waited for. A loop and a resolver for a single question, for
 * those who have no loop of their own.
 */
#ifndef KUBEAPI_LOOKUP_H
#define KUBEAPI_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"
#include "ev/resolver.h"
#include "net/addr.h"

#define LOOKUP_MAX RESOLVER_MAX_ADDRS

/*
 * Fills addrs with up to LOOKUP_MAX addresses of `name`, port 0, in the resolver's order; *count is
 * at least 1. `config` as for resolver_init; NULL: no server to ask. False when there are none, by
 * `deadline_ms` (clock_monotonic_ms) at the latest; the error names the name.
 */
bool lookup_name(struct span name, const struct resolver_config *config, uint64_t deadline_ms,
		 struct addr addrs[static LOOKUP_MAX], unsigned *count, struct error *e);

#endif
