/*
 * apistatus: the Status object that a Kubernetes API server puts into the body of a refusal.
 *
 *	{"kind":"Status","apiVersion":"v1","status":"Failure","message":"nodes is forbidden: ...",
 *	 "reason":"Forbidden","details":{"kind":"nodes","retryAfterSeconds":1},"code":403}
 */
#ifndef KUBEAPI_APISTATUS_H
#define KUBEAPI_APISTATUS_H

#include "base/arena.h"
#include "base/span.h"

/* Empty where it was not said. */
struct apistatus {
	struct span message;
	struct span reason;
};

/* False when the body is no Status. The texts are copied into the arena; nothing is escaped. */
bool apistatus_parse(struct span body, struct arena *arena, struct apistatus *out);

#endif
