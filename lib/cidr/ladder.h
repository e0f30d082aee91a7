/*
 * ladder: a cluster's ranges from its API server, by GETs, from what is surest down to what is only
 * derived, and no further than is needed for each role.
 *
 *   services                               pods
 *   ServiceCIDRs                           -
 *   OpenShift's network                    OpenShift's network
 *   -                                      Cilium's configuration and pools
 *   kubeadm's configuration                kubeadm's configuration
 *   -                                      kube-proxy, Flannel, Calico's pools
 *   flags of the control plane's pods      flags of the control plane's pods
 *   -                                      slices of nodes
 *   address of the Service `kubernetes`    -
 *   addresses of Services, for a guess     addresses of pods, for a guess
 *   a dry run, when asked for              -
 *
 * 404 means that the cluster is not made that way. What is forbidden is remembered, and the rest of
 * the ladder may do without it.
 */
#ifndef CIDR_LADDER_H
#define CIDR_LADDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "kube/clusterfind.h"
#include "kube/clusterinfo.h"
#include "kubeapi/client.h"

/* An API server, as client.h has it; tests have others. */
struct ladder_server {
	bool (*get)(void *context, const char *path, const struct client_sink *sink,
		    struct client_answer *answer);
	/* NULL: nothing is ever posted. */
	bool (*post)(void *context, const char *path, struct span json,
		     const struct client_sink *sink, struct client_answer *answer);
	void *context;
};

struct ladder {
	const struct ladder_server *server;
	struct clusterfind *find;
	struct clusterinfo *info;
	bool guesses; /* addresses are of use as well */
	bool probes;  /* ask by a Service that is never made (dryRun=All) */
	bool wants[CLUSTERKEYS_ROLES];
	size_t forbidden; /* how many paths were */
	char first_forbidden[128];
};

/* The server of a client. */
struct ladder_server ladder_server_of(struct client *client);

/*
 * Climbs. False with the error when the server can't be asked (unreachable, TLS, 401) or an answer
 * is broken; what was found until then stays.
 */
bool ladder_climb(struct ladder *l, struct error *e);

/* Roles that allow all of it, as YAML for kubectl. */
void ladder_rbac(bool probes, bool guesses, struct buf *out);

#endif
