/*
 * servicestore: the ExternalName Services that an API server has, kept up to date one by one. Each
 * has a block of memory to itself, so that what changes often leaves nothing behind.
 *
 *	servicestore_begin(&s); servicestore_put(&s, ...) ...; servicestore_sweep(&s);	a list
 *	servicestore_put, servicestore_remove					changes
 *	servicestore_sorted(&s)							what there is
 */
#ifndef KUBE_SERVICESTORE_H
#define KUBE_SERVICESTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "kube/service.h"

struct servicestore_entry; /* one Service and all its texts */

struct servicestore {
	size_t count;
	size_t unusable; /* of them: without external_name, see kube_service */
	bool changed;	 /* something was put, replaced or removed; the owner's to clear */

	/* private */
	struct servicestore_entry **buckets;
	size_t bucket_count; /* a power of 2 */
	uint32_t round;	     /* of lists */
	struct kube_service **sorted;
	size_t sorted_capacity;
};

/* All zeroes is an empty one. */
void servicestore_fini(struct servicestore *s);

/*
 * Whether this very version of the Service is there; `source`, the pos.file it was put with, tells
 * versions apart. Then a sweep leaves it.
 */
bool servicestore_renew(struct servicestore *s, struct span namespace, struct span name,
			const char *source);
/*
 * Copies the Service, in place of the one of its name, but for the files that it names. False when
 * memory is out.
 */
bool servicestore_put(struct servicestore *s, const struct kube_service *service);
/* Harmless when there is none. */
void servicestore_remove(struct servicestore *s, struct span namespace, struct span name);

/* A list begins: sweep removes what has not been put or renewed since. */
void servicestore_begin(struct servicestore *s);
void servicestore_sweep(struct servicestore *s);

/*
 * All `count` of them by namespace and name, until the next call of anything here. NULL when memory
 * is out.
 */
struct kube_service **servicestore_sorted(struct servicestore *s);

#endif
