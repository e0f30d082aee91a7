/*
 * policy: whether a pod is injected, and what its labels and annotations say about how.
 *
 * Not injected: pods on the host's network, in namespaces of the system, on Windows, and those that
 * say no: label or annotation egressbox.io/inject, or Istio's sidecar.istio.io/inject, where the
 * label goes before the annotation and ours before Istio's. As there, only "true" and "false" are
 * answers.
 */
#ifndef INJECT_POLICY_H
#define INJECT_POLICY_H

#include <stdbool.h>

#include "base/arena.h"
#include "inject/capture.h"
#include "inject/settings.h"
#include "kube/workload.h"

struct policy {
	const char *skip_reason; /* NULL: it is injected */
	struct capture capture;	 /* the flags' with the annotations' in their place */
};

/*
 * False when an annotation is wrong, or a field that must be looked at is of the wrong type: all of
 * that is reported to the workload's diag. Lists live in the arena or are the settings'.
 */
bool policy_read(const struct kube_workload *w, const struct inject_settings *settings,
		 struct arena *arena, struct policy *out);

#endif
