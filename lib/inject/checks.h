/*
 * checks: what in a pod would not go together with what is injected.
 */
#ifndef INJECT_CHECKS_H
#define INJECT_CHECKS_H

#include <stdbool.h>

#include "inject/settings.h"
#include "inject/status.h"
#include "inject/template.h"
#include "kube/workload.h"

/*
 * Reports to the workload's diag, with what to do about it. Errors: lists that are none, entries
 * that are no mappings, a container or volume of the pod's own with a name of the template's, a
 * port of the sidecar's that a container has. Warnings: containers that run as the sidecar's user,
 * whose traffic is never redirected; a Job whose sidecar keeps it from ending. `status` (or NULL)
 * tells what was injected before and is no concern. False when there was an error.
 */
bool checks_run(const struct kube_workload *w, const struct inject_settings *settings,
		const struct template *template, const struct status *status);

#endif
