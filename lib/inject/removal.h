/*
 * removal: takes out of a pod template what was injected.
 */
#ifndef INJECT_REMOVAL_H
#define INJECT_REMOVAL_H

#include <stdbool.h>

#include "inject/status.h"
#include "kube/workload.h"
#include "ydoc/yedit.h"

/*
 * Whether an alias or a merge stands between the template and what is to be taken out; the text
 * must be written out first then.
 */
bool removal_is_shared(const struct kube_workload *w, const struct status *status);

/*
 * Adds the edits that take out the entries that the status names, keys that were made for them if
 * nothing else is under them now, and the status. Where nobody changed any of it, what is left are
 * the bytes from before. False when memory is out.
 */
bool removal_add(struct yedit *e, const struct kube_workload *w, const struct status *status);

/* Whether everything that the status names is there. */
bool removal_is_complete(const struct kube_workload *w, const struct status *status);

#endif
