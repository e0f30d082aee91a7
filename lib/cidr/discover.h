/*
 * discover: a cluster's ranges from files, standard input, a node's own files, or a preset.
 */
#ifndef CIDR_DISCOVER_H
#define CIDR_DISCOVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/error.h"
#include "cidr/rangewriter.h"
#include "cidr/verb.h"
#include "kube/clusterfind.h"
#include "kube/clusterinfo.h"

struct discover {
	struct arena *arena;
	struct diag *diag; /* complaints about what is in files */
	struct clusterinfo info;
	struct clusterfind find;
	size_t sources;	  /* that were looked at */
	const char *name; /* of the last one, for messages */
};

void discover_init(struct discover *d, struct arena *arena, struct diag *diag);
void discover_fini(struct discover *d);

/* `pod,service,-`: what the columns of values without labels are. False with the error. */
bool discover_labels(struct discover *d, const char *list, struct error *e);

/*
 * One file, "-" for standard input, or a directory: its *.yaml, *.yml, *.json, *.conf, *.conflist
 * and *.env. False with the error, or with complaints about what is in it.
 */
bool discover_file(struct discover *d, const char *path, struct error *e);

/*
 * What a node whose file system is at `root` knows: static pods of the control plane, configuration
 * of k3s, RKE2, k0s, MicroK8s, Flannel's subnet.env, CNI configurations, command lines of processes
 * that are Kubernetes' own, Weave's route. What is not there is passed over.
 */
bool discover_node(struct discover *d, const char *root, struct error *e);

/*
 * What is chosen of all that was found; guesses the service range from its first address where
 * nothing else says it. False when memory is out.
 */
bool discover_choose(struct discover *d, const struct clusterinfo_choice *choice,
		     struct clusterinfo_answer *answer);

struct discover_demand {
	struct clusterinfo_choice choice;
	bool allows_partial;
	bool is_aggregated;
	enum rangewriter_format format;
};

/*
 * What was found, as text in `out`. VERB_NO, with the error, when a role is missing and that is not
 * allowed; VERB_REFUSED when there were errors, which were reported.
 */
enum verb_answer discover_answer(struct discover *d, const struct discover_demand *demand,
				 struct buf *out, struct error *e);

#endif
