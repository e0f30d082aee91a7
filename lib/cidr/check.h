/*
 * check: what is wrong with ranges that traffic is to be redirected for, before it breaks a mesh.
 *
 * Problems: a role that is missing; bits behind a length; everything; what no cluster has
 * (loopback, link local with the cloud's metadata service, multicast, documentation, public
 * addresses but GKE's services); two ranges of which neither is inside the other and that overlap
 * all the same; a name server among the pods' or given ranges; two clusters with
 * addresses in common; ranges that a list to compare with does not have, or has and the cluster
 * does not.
 * Notes: a range inside another, as GKE with routes has it; Istio's made-up addresses outside.
 */
#ifndef CIDR_CHECK_H
#define CIDR_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "kube/clusterinfo.h"
#include "net/rangelist.h"

/* The ranges of one cluster, or of one list. */
struct check_cluster {
	const char *name; /* the file, the list: for messages */
	const struct clusterinfo_range *list;
	size_t count;
	bool has_roles; /* of a list nobody knows which is which */
};

struct check {
	struct buf *out; /* a line for each finding: "problem: ..." or "note: ..." */
	size_t problems, notes;
};

/*
 * One cluster by itself. `servers`: the name servers of the machine, which is not to be found
 * inside but where services are.
 */
void check_cluster(struct check *c, const struct check_cluster *cluster,
		   const struct rangelist *servers);
/* Two clusters beside each other. */
void check_pair(struct check *c, const struct check_cluster *a, const struct check_cluster *b);
/*
 * A cluster against a list that is in use. False when memory is out.
 */
bool check_drift(struct check *c, const struct check_cluster *cluster,
		 const struct rangelist *in_use);

#endif
