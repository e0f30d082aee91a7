/*
 * clusterkeys: which keys, of all that tools and files write about a cluster, hold its ranges.
 *
 * Keys are compared in a normal form, in lower case and without `-`, `_`, `.`, `"` and blanks, so
 * that podSubnet, "Pod Subnet", pod_subnet and --pod-subnet are one.
 */
#ifndef KUBE_CLUSTERKEYS_H
#define KUBE_CLUSTERKEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum clusterkeys_role {
	CLUSTERKEYS_POD,
	CLUSTERKEYS_SERVICE,
	CLUSTERKEYS_ROLES,
};

/* How sure an answer is, surest first. */
#define CLUSTERKEYS_CONFIDENCES(X)                                                                 \
	X(CLUSTERKEYS_DECLARED, "declared")                                                        \
	X(CLUSTERKEYS_CONFIGURED, "configured")                                                    \
	X(CLUSTERKEYS_DERIVED, "derived")                                                          \
	X(CLUSTERKEYS_ASSUMED, "assumed")

enum clusterkeys_confidence {
#define X(member, name) member,
	CLUSTERKEYS_CONFIDENCES(X)
#undef X
		CLUSTERKEYS_CONFIDENCE_COUNT,
};

extern const char *const clusterkeys_confidences[CLUSTERKEYS_CONFIDENCE_COUNT + 1];
extern const char *const clusterkeys_roles[CLUSTERKEYS_ROLES];

/* The order in which sources are believed: of a role, only those of the first that has one. */
enum clusterkeys_rank {
	CLUSTERKEYS_RANK_PROVIDER, /* what a provider's tool or a file says of a cluster */
	CLUSTERKEYS_RANK_SERVICECIDR,
	CLUSTERKEYS_RANK_OPENSHIFT,
	CLUSTERKEYS_RANK_CILIUM, /* goes its own way, whatever kubeadm was told */
	CLUSTERKEYS_RANK_KUBEADM,
	CLUSTERKEYS_RANK_CNI,
	CLUSTERKEYS_RANK_FLAGS,
	CLUSTERKEYS_RANK_LOCAL,
	CLUSTERKEYS_RANK_VPC, /* where pods have addresses of their network */
	CLUSTERKEYS_RANK_PROBE,
	CLUSTERKEYS_RANK_NODES,
	CLUSTERKEYS_RANK_ROUTE,
	CLUSTERKEYS_RANK_FIRST_ADDRESS,
	CLUSTERKEYS_RANK_ADDRESSES, /* of Services and pods: only what is around them is known */
	CLUSTERKEYS_RANK_PRESET,
};

struct clusterkeys_rule {
	const char *key;    /* in normal form */
	const char *within; /* the key of the mapping directly around, lists aside; NULL: any */
	const char *kind;   /* of the object; NULL: any */
	uint8_t role, confidence, rank;
	const char *source; /* for people */
};

/* Longer keys are none of ours. */
#define CLUSTERKEYS_MAX 40

/* The normal form in `storage`, empty for a key that is too long. */
struct span clusterkeys_normal(struct span key, char storage[static CLUSTERKEYS_MAX]);

/* Whether what is under such a key (normal) is never a range of pods or services. */
bool clusterkeys_is_ignored(struct span key);

/* The rules of a key (normal), which stand in a row: the first, and how many. 0: it has none. */
size_t clusterkeys_find(struct span key, const struct clusterkeys_rule **first);

#endif
