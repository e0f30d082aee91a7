/*
 * clusterpreset: the ranges that clusters of a kind have when nobody chose others. Assumptions, and
 * versioned, because two of them were wrong within a year of being written down.
 */
#ifndef KUBE_CLUSTERPRESET_H
#define KUBE_CLUSTERPRESET_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/error.h"
#include "kube/clusterinfo.h"

/*
 * Adds the ranges of NAME or NAME@VERSION, with a note that they are assumed. *is_complete is set
 * where there is no other range to be known, though a role has none. The error of an unknown name
 * says the nearest, or how to learn the ranges where they are not fixed (GKE, AKS).
 */
bool clusterpreset_add(const char *name, struct clusterinfo *info, struct diag *diag,
		       bool *is_complete, struct error *e);

/* NAME, pod ranges, service ranges, a line each. */
void clusterpreset_list(struct buf *out);

#endif
