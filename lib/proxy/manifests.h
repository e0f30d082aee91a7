/*
 * manifests: from the files that the operator names to a route table.
 */
#ifndef PROXY_MANIFESTS_H
#define PROXY_MANIFESTS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/span.h"
#include "proxy/identity.h"
#include "route/table.h"
#include "sys/inputs.h"

struct kubesource;

/* A manifest file's bound; a cluster's whole Service list has a tenth of it. */
#define MANIFEST_MAX (64u << 20)

struct manifests {
	struct inputs inputs;
	struct span namespace;
	struct span cluster_domain;
	struct kubesource *kube;  /* gets the Services, and makes the table; or NULL */
	struct span gateway_host; /* as in struct route_options */
	uint16_t gateway_port;
	struct identity_settings identities;
};

/* What is told apart from the Services, for a table of other ones. */
struct route_options manifests_route_options(const struct manifests *m);

/*
 * Reads all, reports every problem to the diag, and builds the table. NULL when there was any
 * error. *summary, when not NULL, gets "2 Services, 2 routes; ignored: 3 Deployment".
 */
struct route_table *manifests_load(const struct manifests *m, struct diag *diag,
				   struct buf *summary);

#endif
