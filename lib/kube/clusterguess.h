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
 * Adds the service range whose first address is `first` (text): the known one that begins there;
 * else, for NARROW, the smallest that holds it and `others` (addresses of services, name servers
 * for example), for WIDE the largest that may begin there, for NO nothing. False when nothing was
 * added; then *widest and *narrowest are the lengths between which it is, 0 when `first` is no
 * address that a range begins before.
 */
bool clusterguess_services(struct span first, const struct span *others, size_t count,
			   enum clusterinfo_guess guess, struct clusterinfo *info, unsigned *widest,
			   unsigned *narrowest);

/*
 * Adds the pods' range from the text of /proc/net/route: with Flannel, k3s and RKE2 a pod has a
 * route by a gateway to the whole range beside the one to its node's part of it.
 */
bool clusterguess_pods(struct span route, const char *file, struct clusterinfo *info);

#endif
