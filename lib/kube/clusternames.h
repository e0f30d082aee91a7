/*
 * clusternames: ranges of GKE that a cluster's description only names. What they are stands where a
 * node pool uses them, or in the description of the subnet.
 */
#ifndef KUBE_CLUSTERNAMES_H
#define KUBE_CLUSTERNAMES_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/diag.h"
#include "kube/clusterinfo.h"
#include "kube/clustervalue.h"

struct clusternames_entry;

struct clusternames {
	struct clusternames_entry *last; /* zeroed: none */
};

/*
 * A name that is asked for (`range` empty), or one with its range. The texts are copied, `file`
 * must live as long as what is found. False when memory is out.
 */
bool clusternames_add(struct clusternames *names, struct arena *arena, struct span name,
		      struct span range, const char *file, struct clustervalue_pos at);

/*
 * Adds the ranges of all that are asked for, as pods'. Warns of those of which nothing said what
 * they are; false when there are some.
 */
bool clusternames_finish(const struct clusternames *names, struct clusterinfo *info,
			 bool allows_any, struct diag *diag);

#endif
