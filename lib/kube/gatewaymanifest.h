/*
 * gatewaymanifest: the egress gateway for a real cluster, as YAML for kubectl.
 *
 * ServiceAccount, Deployment, Service, PodDisruptionBudget and HorizontalPodAutoscaler
 * `egress-gateway`. One that reads files has the ConfigMap `egress-services` besides, with the
 * page's two Services as an example, and no rights; one that follows the API server has a role and
 * its binding.
 */
#ifndef KUBE_GATEWAYMANIFEST_H
#define KUBE_GATEWAYMANIFEST_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/span.h"

/*
 * `namespace` MUST be a name of one and `image` one that imagename_choose made: both are put in
 * double quotes as they are.
 */
struct gatewaymanifest {
	struct span namespace, image;
	bool follows;	     /* the API server */
	bool all_namespaces; /* not only its own */
};

/* Appends it. */
void gatewaymanifest_add(struct buf *out, const struct gatewaymanifest *g);

/* The role that following takes, in one namespace, or (empty) in the cluster. */
void gatewaymanifest_add_role(struct buf *out, const char *name, struct span namespace);

#endif
