/*
 * guard: may a connection be made to an address that a name has led to? Decided when it is about to
 * be made, of the address itself: a filter of names is passed by whoever owns a name.
 *
 * In this order:
 *   1. a listener of our own is denied
 *   2. what `allow` holds is allowed, what `deny` holds is denied
 *   3. loopback, link-local, multicast and unspecified addresses are denied, and those of clouds'
 *      metadata services
 *   4. an IPv6 address with an IPv4 address inside (mapped, compatible, translated, NAT64, 6to4,
 *      Teredo, ISATAP) is what that address is: all of the above holds for it as well
 *   5. with `deny_private`, what is not globally reachable by IANA's registries is denied
 *
 * A NAT64 prefix of a network's own, outside 64:ff9b::/96 and 64:ff9b:1::/48, cannot be known here.
 */
#ifndef NET_GUARD_H
#define NET_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/span.h"
#include "net/addr.h"
#include "net/cidr.h"

#define GUARD_LISTENERS_MAX 32

#define GUARD_VERDICTS(X)                                                                          \
	X(GUARD_ALLOWED, "allowed")                                                                \
	X(GUARD_LISTENER, "denied_own_listener")                                                   \
	X(GUARD_LISTED, "denied_by_list")                                                          \
	X(GUARD_LOOPBACK, "denied_loopback")                                                       \
	X(GUARD_LINK_LOCAL, "denied_link_local")                                                   \
	X(GUARD_MULTICAST, "denied_multicast")                                                     \
	X(GUARD_UNSPECIFIED, "denied_unspecified")                                                 \
	X(GUARD_METADATA, "denied_metadata")                                                       \
	X(GUARD_PRIVATE, "denied_private")

enum guard_verdict {
#define X(member, name) member,
	GUARD_VERDICTS(X)
#undef X
		GUARD_VERDICT_COUNT,
};

/* For logs and metrics; constant texts. */
extern const char *const guard_verdict_names[];

/* The lists are borrowed. All zero: the default ranges are denied. */
struct guard {
	bool deny_private;
	const struct cidr *allow, *deny;
	size_t allow_count, deny_count;
	struct addr listeners[GUARD_LISTENERS_MAX];
	unsigned listener_count;
	/*
	 * Is it an address of this machine? Only asked for one with the port of a listener on all
	 * addresses. NULL: only loopback is.
	 */
	bool (*is_own)(const struct addr *a);
};

/* Those beyond GUARD_LISTENERS_MAX are dropped. The unspecified address stands for all. */
void guard_add_listener(struct guard *g, const struct addr *at);

enum guard_verdict guard_judge(const struct guard *g, const struct addr *a);

/*
 * Adds CIDR[,CIDR]... to an array with room for `max`; bits behind a prefix are an error, since
 * they are in most cases a slip that makes the range another one.
 */
bool guard_parse_list(struct span text, struct cidr *list, size_t max, size_t *count,
		      struct error *e);

#endif
