/*
 * apievents: Kubernetes Events, for whoever looks at an object with `kubectl describe`: warnings of
 * ours about it. They are a courtesy: a few wait in line, the rest is dropped, and where they are
 * not allowed nobody is asked again for a while.
 */
#ifndef KUBEAPI_APIEVENTS_H
#define KUBEAPI_APIEVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"
#include "ev/loop.h"
#include "ev/resolver.h"
#include "kubeapi/apicall.h"
#include "kubeapi/objstream.h"

#define APIEVENTS_WAITING_MAX 16

struct apievent; /* one in line */

struct apievents {
	uint64_t sent, dropped; /* for metrics */
	/* Told once for each time that the server says no; `text` is the answer's. May be NULL. */
	void (*on_refused)(struct apievents *a, const char *text);

	/* private */
	const char *kind, *component;
	struct loop *loop;
	struct apicall call;
	struct apievent *waiting[APIEVENTS_WAITING_MAX]; /* a ring */
	unsigned first, count;
	uint64_t quiet_until_ms;
};

/*
 * About objects of this kind ("Service", of the core group), from this component ("egress-proxy").
 * `config` is as for apicall_init, all is borrowed. apievents_fini is due also after false.
 */
bool apievents_init(struct apievents *a, const struct client_config *config, const char *kind,
		    const char *component, struct loop *loop, struct resolver *resolver,
		    struct error *e);
/* Harmless when all is zero. What waits is dropped. */
void apievents_fini(struct apievents *a);

/* A Warning about the object; `reason` is one word in CamelCase, 1000 bytes of message count. */
void apievents_warn(struct apievents *a, const struct objstream_object *object, const char *reason,
		    struct span message);

#endif
