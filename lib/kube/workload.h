/*
 * workload: the pod template of an object that runs pods, and what is needed to speak of it.
 *
 * Kinds that are known, in every version of the API groups that they were ever in: Pod (its own
 * template), ReplicationController, Deployment, DaemonSet, ReplicaSet, StatefulSet, Job, CronJob,
 * and OpenShift's DeploymentConfig. An object without apiVersion is judged by its kind. Others are
 * found when the caller names them, as KIND or KIND.GROUP, if they have spec.template.spec.
 *
 * A workload holds pointers into itself (its paths): it is not to be copied.
 */
#ifndef KUBE_WORKLOAD_H
#define KUBE_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/span.h"
#include "ydoc/ydoc.h"
#include "ydoc/ykeys.h"

/* items, its entry, spec, jobTemplate, spec, template */
#define KUBE_WORKLOAD_PATH_MAX 6

struct kube_workload {
	struct span kind;
	struct span name;      /* or generateName; empty when it has neither */
	struct span namespace; /* empty when the object names none */
	struct ydoc_pos pos;   /* of the object */
	/* For complaints about what is in the template: file, diag, path of the template. */
	struct ykeys_context context;
	const struct ydoc_node *template; /* a mapping: what holds metadata and spec */
	const struct ydoc_node *spec;	  /* a mapping: the pod's */
	const struct ydoc_node *containers;
	const struct ydoc_node *metadata; /* a mapping, or NULL: the template's */
	bool is_shared;			  /* an alias or a merge leads to the template's spec */
	struct ydoc_pos shared_at;	  /* where, when it is */
	struct ydoc_path path[KUBE_WORKLOAD_PATH_MAX];
	unsigned path_len;
};

enum kube_workload_result {
	KUBE_WORKLOAD_NONE, /* another kind of object */
	KUBE_WORKLOAD_FOUND,
	KUBE_WORKLOAD_BAD,   /* reported: no template, none with containers, one of another type */
	KUBE_WORKLOAD_EMPTY, /* of a kind that the caller named, but without a template of pods */
};

/* What the caller asks for beyond the known kinds; `count` may be 0. */
struct kube_workload_kinds {
	const char *const *also;
	size_t count;
};

/* An object, or the items of a List; see kube_workload_list. */
struct kube_workload_object {
	const struct ydoc_node *node;
	const struct ydoc_item *item; /* of the List that it is in, or NULL */
	const struct ydoc_node *list; /* that List, or NULL */
	size_t index;		      /* in it */
};

/*
 * The sequence of a List's objects, or NULL when the document is one object itself. As to kubectl,
 * whatever has `items` is a List; Lists in it are not opened.
 */
const struct ydoc_node *kube_workload_list(const struct ydoc_node *root);

/* Looks at one object. Complaints name `file` and go to the diag. */
enum kube_workload_result kube_workload_read(struct kube_workload *w, const char *file,
					     struct diag *diag,
					     const struct kube_workload_object *object,
					     const struct kube_workload_kinds *asked);

#endif
