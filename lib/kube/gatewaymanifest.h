/*
 * gatewaymanifest: the egress gateway for a real cluster, as YAML for kubectl.
 *
 * ConfigMap `egress-services` with the page's two Services as an example, ServiceAccount,
 * Deployment, Service, PodDisruptionBudget and HorizontalPodAutoscaler `egress-gateway`. No Role:
 * the gateway reads files and asks nothing of the API server.
 */
#ifndef KUBE_GATEWAYMANIFEST_H
#define KUBE_GATEWAYMANIFEST_H

#include "base/buf.h"
#include "base/span.h"

/*
 * Appends it. `namespace` MUST be a name of one and `image` one that imagename_choose made: both
 * are put in double quotes as they are.
 */
void gatewaymanifest_add(struct buf *out, struct span namespace, struct span image);

#endif
