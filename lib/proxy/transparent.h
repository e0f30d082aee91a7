/*
 * transparent: connections that a firewall's rules redirected to us, from their first moment to
 * what becomes of them.
 *
 * Those to the cluster and to this pod are passed on at once (relay.h). An external one is a
 * session that waits for its client's first bytes: HTTP is routed as that of any client, TLS for a
 * registered name is passed on to that name's addresses, all else follows the policy.
 */
#ifndef PROXY_TRANSPARENT_H
#define PROXY_TRANSPARENT_H

#include <stdbool.h>

#include "net/addr.h"
#include "proxy/reason.h"

struct exchange;
struct listener;
struct session;

/* Takes over what a listener of redirected connections has accepted. */
void transparent_accept(struct listener *l, int fd, const struct addr *peer);

/* SESSION_DETECT: looks at what has come. True when the session moved to another state. */
bool transparent_detect(struct session *s);
/* Its time is over: the client waits for the server's first word, or has nothing to say. */
void transparent_on_timeout(struct session *s);

/* May the connection be passed on as it is, when its request is for no registered host, or none? */
bool transparent_may_pass(const struct exchange *x);
/* Does so, from the request's first byte on; none may be consumed. The exchange is gone then. */
void transparent_pass(struct exchange *x);

/* Says and counts that a request on a redirected connection is refused. */
void transparent_note_refusal(const struct exchange *x);

#endif
