/*
 * services: the ExternalName Services of all manifests.
 *
 *   struct kube_services s;
 *
 *   kube_services_init(&s, SPAN("default"), diag);
 *   for each file: kube_services_read(&s, "services.yaml", text);
 *   diag->errors == 0: s.list[0 .. s.count) is what the files say
 *   kube_services_fini(&s);
 *
 * What counts is `apiVersion: v1`, `kind: Service`, `spec.type: ExternalName`, alone, in
 * multi-document files, and as items of a List (any object with `items`, as kubectl has it). All
 * else is counted and left alone, with a warning where it looks like a slip (`kind: Servcie`,
 * externalName without its type).
 *
 * All errors of all files are reported, as `file:line:col: spec.externalName: text`; what service.h
 * and port.h call one, a Service given twice, a type that is nearly ExternalName, text that is no
 * manifest.
 */
#ifndef KUBE_SERVICES_H
#define KUBE_SERVICES_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/span.h"
#include "kube/service.h"

struct kube_ignored;

struct kube_services {
	struct arena arena;
	struct kube_service **list; /* in the order of the files */
	size_t count;

	/* services.c's own */
	size_t capacity;
	struct span default_namespace;
	struct diag *diag;
	uint32_t *index; /* open addressing over (namespace, name): position in list + 1 */
	size_t index_size;
	struct kube_ignored *ignored; /* kinds that were counted, in order of appearance */
	bool is_out_of_memory;
};

/* `default_namespace`, which must outlive the services, is that of Services that name none. */
void kube_services_init(struct kube_services *s, struct span default_namespace, struct diag *diag);
void kube_services_fini(struct kube_services *s);

/*
 * Reads one file's bytes; `file` (for messages and positions) is copied. Complaints go to the diag.
 */
void kube_services_read(struct kube_services *s, const char *file, struct span text);

/*
 * Puts a Service that was read elsewhere, and stays the caller's, at the end of the list. The first
 * of a name stays: what the list has instead of this one comes back, NULL when it was added, or
 * when memory is out, which goes to the diag.
 */
const struct kube_service *kube_services_add(struct kube_services *s, struct kube_service *service);

/* "3 Deployment, 1 ConfigMap, 2 Service of type ClusterIP"; nothing when nothing was ignored. */
void kube_services_print_ignored(const struct kube_services *s, struct buf *out);

#endif
