/*
 * drain: waits, from outside, until a proxy on this machine has nothing to do.
 */
#ifndef PROXY_DRAIN_H
#define PROXY_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "net/addr.h"

/*
 * Asks the proxy's admin listener for the connections of clients that are open, until there has
 * been none for two seconds (one that is about to end may open another yet), or nobody answers any
 * more: then it is gone. False when `limit_ms` pass before.
 */
bool drain_wait(const struct addr *admin, uint64_t limit_ms, struct error *e);

#endif
