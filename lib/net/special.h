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
	struct span prefix, name, rfc;	   /* as the registry has them */
	bool is_reachable, is_unreachable; /* globally; or neither is said */
	bool is_reserved;		   /* by protocol */
};

/* The smallest entry that holds all of the range. */
bool special_find(const struct range *r, struct special *out);
/* The first entry, largest first, of which the range holds some addresses but not only such. */
bool special_find_inside(const struct range *r, struct special *out);

enum special_role {
	SPECIAL_POD = 1,
	SPECIAL_SERVICE = 2,
	SPECIAL_OTHER = 4,
};

struct special_kube {
	struct range range;
	struct span prefix, use;
	bool is_exact; /* it is the range that was asked for */
};

/* The smallest known use that holds the range, of those with one of `roles`. */
bool special_find_kube(const struct range *r, unsigned roles, struct special_kube *out);

/* The known use of `roles` that begins with this address, when there is exactly one. */
bool special_find_base(uint8_t family, struct wide first, unsigned roles, struct range *out);

/* The range of an entry's prefix. */
struct range special_range(struct span prefix);

#endif
