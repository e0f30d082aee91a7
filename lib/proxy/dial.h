/*
 * dial: a connection to the upstream for an exchange: idle or new, to one of its name's addresses.
 */
#ifndef PROXY_DIAL_H
#define PROXY_DIAL_H

#include <stdbool.h>

#include "ev/resolver.h"
#include "proxy/reason.h"

struct exchange;
struct worker;

/*
 * SESSION_RESOLVE: waits for the name's first answer. Both return true when the session moved on.
 */
bool dial_resolve(struct exchange *x);
/* SESSION_CONNECT: waits for TCP and TLS; an address that fails makes way for the next. */
bool dial_advance(struct exchange *x);

/* Takes an idle connection, if it may, or tries (the next of) the addresses. */
void dial_start(struct exchange *x, bool may_reuse);

/* SESSION_CONNECT took too long: the next address, or 504. */
void dial_on_timeout(struct exchange *x);

/* Why a name in this state, other than OK, has no address. */
enum reason dial_reason_of(enum resolver_state state);

/* A newer view has come: what waits for a name looks again. */
void dial_wake_waiting(struct worker *w);

#endif
