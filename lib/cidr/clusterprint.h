/*
 * clusterprint: a cluster's ranges in every format of -o.
 */
#ifndef CIDR_CLUSTERPRINT_H
#define CIDR_CLUSTERPRINT_H

#include "base/buf.h"
#include "cidr/rangewriter.h"
#include "kube/clusterinfo.h"

/*
 * describe: lines as gcloud has them, the first range of each role and family; what is beyond is in
 * lists, additionalClusterCidrs and additionalServicesCidrs. json, yaml and csv say of each range
 * its role, family, source, place, confidence, first and last address, count and note; the other
 * formats are of all ranges together.
 */
void clusterprint(const struct clusterinfo_answer *answer, enum rangewriter_format format,
		  struct buf *out);

#endif
