/*
 * tunnel: an exchange after 101: bytes both ways until both sides have ended.
 */
#ifndef PROXY_TUNNEL_H
#define PROXY_TUNNEL_H

#include <stdbool.h>

struct exchange;

/* SESSION_TUNNEL. True when the session moved to another state. */
bool tunnel_run(struct exchange *x);

#endif
