/*
 * verdict: what is to be done with a connection that the kernel redirected to us. Pure: facts in,
 * decision out.
 */
#ifndef ROUTE_VERDICT_H
#define ROUTE_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "net/addr.h"
#include "net/cidrset.h"

/* Member, name for logs and metrics. */
#define VERDICTS(X)                                                                                \
	X(VERDICT_NONE, "none")		       /* not redirected, and not meant to be */           \
	X(VERDICT_INTERNAL, "passed_internal") /* to an address of the cluster, as it is */        \
	X(VERDICT_INBOUND, "passed_inbound")   /* to an address of this pod, as it is */           \
	X(VERDICT_ANY, "passed_any")	       /* to the outside, as it is: the policy is any */   \
	X(VERDICT_SNI, "tunnelled_sni")	       /* the client's TLS, to a registered name */        \
	X(VERDICT_HTTP, "routed_http")	       /* a request for a registered host */               \
	X(VERDICT_GATEWAY, "gateway")	       /* a request that the egress gateway decides on */  \
	X(VERDICT_REFUSED, "refused")                                                              \
	X(VERDICT_EXTERNAL, "external") /* its first bytes will tell which of those above */

enum verdict {
#define X(member, name) member,
	VERDICTS(X)
#undef X
		VERDICT_COUNT,
};

extern const char *const verdict_names[];

/* What becomes of external connections that are for nothing that is registered. */
#define VERDICT_POLICIES(X)                                                                        \
	X(VERDICT_POLICY_REGISTERED, "registered") /* refused */                                   \
	X(VERDICT_POLICY_ANY, "any")		   /* passed on as they are */

enum verdict_policy {
#define X(member, name) member,
	VERDICT_POLICIES(X)
#undef X
};

/* The names, in order, NULL-terminated: for the option table. */
extern const char *const verdict_policy_names[];

struct verdict_facts {
	const struct cidrset *cluster; /* merged */
	struct addr original;	       /* where the client wanted to go; family 0: not redirected */
	struct addr local;	       /* the listener's address as the connection has it */
	bool is_ours;	      /* the client is a connection of ours, by which we pass one on */
	bool own_is_captured; /* what we send to an address of this pod comes back to us */
	/* Is this, without its port, an address of this pod? Only asked where it matters. */
	bool (*is_own)(const struct addr *a);
};

struct verdict_decision {
	enum verdict verdict; /* INTERNAL, INBOUND, EXTERNAL or REFUSED */
	bool is_loop;	      /* REFUSED: it came from us; else it was not redirected */
	struct addr to;	      /* INTERNAL, INBOUND: where it goes */
};

/*
 * A connection made straight to the listener is refused: its destination is the listener itself. So
 * is one of our own that came back, unless it was for an address of this pod: rules that capture
 * all that a pod sends to itself (those of Istio's first releases) do so to its sidecar too, and
 * the way to the application is then the loopback address, which they leave alone.
 */
struct verdict_decision verdict_decide(const struct verdict_facts *facts);

#endif
