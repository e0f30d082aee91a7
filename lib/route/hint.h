/*
 * hint: how to register a host that was asked for and is not.
 */
#ifndef ROUTE_HINT_H
#define ROUTE_HINT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

/* The longest hint. */
#define HINT_MAX 800

/*
 * "; to register it: echo '{apiVersion: v1, ...}' | kubectl apply -f -; then call http://httpbin",
 * for a host that can be an external name; nothing for others. Port 443 becomes an https port.
 */
void hint_add(struct span host, uint16_t port, struct buf *out);

#endif
