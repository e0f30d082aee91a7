/*
 * hostns: is this the network namespace of the machine? There, redirecting would take the whole
 * node's traffic. A pod with hostNetwork: true is in it.
 */
#ifndef REDIRECT_HOSTNS_H
#define REDIRECT_HOSTNS_H

#include <stdbool.h>

#include "base/buf.h"

/*
 * Looks for signs, and adds the one found to `sign`, in words. False is no proof: a machine without
 * kube-proxy, container runtime or network plugin gives itself away to a process with its own pid
 * namespace in no way.
 */
bool hostns_is_here(struct buf *sign);

#endif
