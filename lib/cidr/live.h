/*
 * live: the ranges of a cluster that runs, from its API server, and where a pod may ask nothing,
 * from what it knows by itself.
 */
#ifndef CIDR_LIVE_H
#define CIDR_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "cidr/discover.h"
#include "cidr/verb.h"
#include "tls/anchors.h"

/* One of three ways to the server is given. */
struct live_settings {
	bool in_cluster;
	/* What KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT_HTTPS say; NULL: not set. */
	const char *host, *port;
	struct verb_words hosts; /* what all NAME_SERVICE_HOST of the environment say */

	struct verb_words kubeconfigs; /* files, as in $KUBECONFIG; none: not this way */
	const char *context;	       /* NULL: the current one */

	const char *server; /* its URL; NULL: not this way */
	const char *token_file, *ca_file;

	const struct anchors *otherwise; /* trusted when nothing says whom; may be NULL */
	const char *user_agent;
	uint32_t timeout_ms; /* of a request, with all its tries */
	bool probes;
	enum clusterinfo_guess guess;
	bool wants[CLUSTERKEYS_ROLES];
};

/*
 * Adds what is found to d. VERB_FAILED with the error when the server can't be asked, VERB_REFUSED
 * when it is not clear whom to ask: with the error, or with complaints and an empty one.
 *
 * In a cluster neither ends it: without a token, without rights, or without an answer the first
 * address of the services (the pod's environment) and the routes of the pod are looked at, with a
 * warning.
 */
enum verb_answer live_read(const struct live_settings *s, struct discover *d, struct error *e);

#endif
