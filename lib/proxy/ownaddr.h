/*
 * ownaddr: is an address one of this machine's (or pod's)?
 */
#ifndef PROXY_OWNADDR_H
#define PROXY_OWNADDR_H

#include <stdbool.h>

#include "net/addr.h"

/*
 * Asks the kernel from where it would send to this address: for one of its own, from that address.
 * Sends nothing. False also when the kernel does not say, and for a second IPv4 address of one
 * network, which the kernel sends from the first.
 */
bool ownaddr_is(const struct addr *a);

#endif
