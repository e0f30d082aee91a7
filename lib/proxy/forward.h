/*
 * forward: the part of an exchange in which request and response travel.
 */
#ifndef PROXY_FORWARD_H
#define PROXY_FORWARD_H

#include <stdbool.h>

struct exchange;

/*
 * SESSION_FORWARD: both ways, as far as they go now. True when the session moved to another state.
 */
bool forward_run(struct exchange *x);

#endif
