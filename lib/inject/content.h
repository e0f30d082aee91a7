/*
 * content: what is grafted onto a pod template: the filled-in template, and the status annotation.
 */
#ifndef INJECT_CONTENT_H
#define INJECT_CONTENT_H

#include "base/arena.h"
#include "inject/status.h"
#include "inject/template.h"
#include "kube/workload.h"
#include "ydoc/yedit.h"

/* What a pod lacks and has, as far as it makes a difference to what is grafted onto it. */
struct content_need {
	const struct template_instance *instance;
	bool is_created[STATUS_KEY_COUNT];	/* keys that are not there */
	struct span replaced[STATUS_KEY_COUNT]; /* words for null that are, else empty */
	/* Of the template's annotations and labels, by position, those that the pod has itself. */
	uint64_t own_annotations, own_labels;
};

/* Contents that were made: for pods that are alike it is the same one. */
struct content {
	struct content *next;
	struct content_need need;
	const struct ydoc_node *root; /* with metadata and spec, for yedit_graft */
};

struct contents {
	struct content *newest;
	struct arena *arena;
};

/*
 * The content for a workload, with what is missing there said in the status. NULL when memory is
 * out. Labels and annotations that the pod has already are its own: they are not in the status.
 */
const struct content *content_for(struct contents *made, const struct kube_workload *w,
				  const struct template_instance *instance, struct span version);

/* Where in a pod template each part goes, for yedit_graft. */
const struct yedit_place *content_places(bool is_native);

#endif
