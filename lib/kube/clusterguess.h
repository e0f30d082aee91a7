/*
 * clusterguess: what a pod can tell of its cluster's ranges without asking anyone.
 *
 * The Service `kubernetes` has the first address of the service range (kube-apiserver gives it that
 * one), so the range begins one before it. How long it is shows only where the beginning is a known
 * one, or by alignment: at most as long as the address allows, and at most 2^20 addresses.
 */
#ifndef KUBE_CLUSTERGUESS_H
#define KUBE_CLUSTERGUESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "kube/clusterinfo.h"

/*
 * Adds the service range that begins before the first address, info->first_address: the known one
 * that begins there; else, for NARROW, the smallest that holds it and the addresses of Services
 * that are known, for WIDE the largest that may begin there, for NO nothing. False when nothing was
 * added; then *widest and *narrowest are the lengths between which it is, 0 when there is no first
 * address that a range can begin before.
 */
bool clusterguess_services(struct clusterinfo *info, enum clusterinfo_guess guess, unsigned *widest,
			   unsigned *narrowest);

/*
 * Adds the pods' range from the texts of /proc/net/route and /proc/net/ipv6_route: with Flannel,
 * k3s and RKE2 a pod has a route by a gateway to the whole range beside the one to its node's part
 * of it; with Weave, nodes and pods have a route to all of it on their link. Of a node's routes
 * only such count.
 */
bool clusterguess_pods(struct span route, const char *file, bool is_node, struct clusterinfo *info);

#endif
