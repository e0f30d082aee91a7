/*
 * dial: a connection to the upstream for an exchange: idle or new, to one of its name's addresses.
 *
 * New ones race as RFC 8305 says: the preferred family first, another address every 250 ms or when
 * one fails, and the first with a TCP connection is used. What addresses.h remembers decides the
 * order, and net/guard.h which are not connected to at all.
 */
#ifndef PROXY_DIAL_H
#define PROXY_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "ev/resolver.h"
#include "net/guard.h"
#include "proxy/reason.h"

struct endpoints;
struct exchange;
struct upstream;
struct worker;

#define DIAL_ATTEMPTS_MAX 4 /* at a time */

struct dial_attempt {
	struct upstream *upstream; /* NULL: none */
	uint64_t since_ms;
};

/*
 * SESSION_RESOLVE: waits for the name's first answer. Both return true when the session moved on.
 */
bool dial_resolve(struct exchange *x);
/* SESSION_CONNECT: waits for TCP and TLS; an address that fails makes way for the next at once. */
bool dial_advance(struct exchange *x);

/* Takes an idle connection, if it may, or tries (the next of) the addresses. */
void dial_start(struct exchange *x, bool may_reuse);

/* SESSION_CONNECT: time for another address, or for 504. */
void dial_on_timeout(struct exchange *x);

/* Why a name in this state, other than OK, has no address. */
enum reason dial_reason_of(enum resolver_state state);
/* Closes what is being connected. */
void dial_stop(struct exchange *x);

/* What is connected to, for dial_judge. */
struct dial_name {
	const struct endpoints *endpoints;
	struct span host;
	struct span source; /* where it is registered, for the log */
};

/* May an address of a name be connected to? Counts and logs when it may not. */
enum guard_verdict dial_judge(struct worker *w, const struct addr *addr,
			      const struct dial_name *name);

/* A newer view has come: what waits for a name looks again. */
void dial_wake_waiting(struct worker *w);

#endif
