/*
 * special: what is known of address space before one has seen a packet: the IANA special-purpose
 * registries (RFC 6890, with what was added since, and multicast, which has registries of its own),
 * and what Kubernetes distributions use by default.
 */
#ifndef NET_SPECIAL_H
#define NET_SPECIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "net/range.h"

struct special {
	const char *prefix;
	const char *name; /* as the registry has it */
	const char *rfc;
	/*
	 * Five letters, T, F or - (does not apply): as source, as destination, forwardable,
	 * globally reachable, reserved by protocol.
	 */
	const char *flags;
};

/* Positions in `flags`. */
enum {
	SPECIAL_SOURCE,
	SPECIAL_DESTINATION,
	SPECIAL_FORWARDABLE,
	SPECIAL_GLOBAL,
	SPECIAL_RESERVED,
};

/* The smallest entry that holds all of the range, or NULL. */
const struct special *special_find(const struct range *r);
/* The first entry, largest first, of which the range holds some addresses but not only such. */
const struct special *special_find_inside(const struct range *r);

enum special_role {
	SPECIAL_POD = 1,
	SPECIAL_SERVICE = 2,
	SPECIAL_OTHER = 4,
};

struct special_kube {
	const char *prefix;
	unsigned roles; /* of enum special_role */
	const char *use;
};

/*
 * Known uses: the entry that is the range; else the smallest that holds it; NULL when none does.
 * *is_exact says which. Only entries with one of `roles` count.
 */
const struct special_kube *special_find_kube(const struct range *r, unsigned roles, bool *is_exact);

/* The known use of `roles` that begins with this address, when there is exactly one, or NULL. */
const struct special_kube *special_find_base(uint8_t family, struct wide first, unsigned roles);

/* The range of an entry's prefix. */
struct range special_range(const char *prefix);

#endif
