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
#include "kubeapi/access.h"

/* All is borrowed. */
struct live_settings {
	bool in_cluster;	 /* what fails is no reason to give up */
	struct access access;	 /* whom to ask; `instead` is filled in here */
	struct verb_words hosts; /* what all NAME_SERVICE_HOST of the environment say */
	const char *user_agent;
	uint32_t timeout_ms; /* of a request, with all its tries */
	bool probes;
	enum clusterinfo_guess guess;
	bool wants[CLUSTERKEYS_ROLES];
};

/* What all NAME_SERVICE_HOST of an environment say. False when memory is out. */
bool live_find_hosts(struct arena *arena, char *const *environment, struct verb_words *out);

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
