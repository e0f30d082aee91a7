/*
 * service: one Service of type ExternalName, read from its manifest.
 *
 * What kubectl or the API server would refuse is an error: name, namespace, port, protocol,
 * externalName (missing or no DNS name), a port number given twice. Of the annotations, those are
 * looked at that tls.h knows; on a Service without https they are useless, with a warning.
 *
 * A Service without ports, or none of whose ports is routed (port.h says which are), routes
 * nothing, with a warning. An externalName that is an IPv4 address is taken as one, with a warning
 * (to Kubernetes it is a DNS name made of digits that nothing resolves); upper case is lowered with
 * a warning; one trailing dot is dropped.
 */
#ifndef KUBE_SERVICE_H
#define KUBE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/span.h"
#include "kube/port.h"
#include "kube/tls.h"
#include "ydoc/ykeys.h"

/* All text has a NUL behind it. */
struct kube_service {
	struct span name;
	struct span namespace;
	/* Lower case, without trailing dot; empty when there was something wrong with it. */
	struct span external_name;
	const struct kube_tls *tls; /* NULL: nothing is said about it */
	struct kube_port *ports;    /* routed or not; those in the wrong are left out */
	size_t port_count;
	struct kube_pos pos; /* of metadata.name */
};

/*
 * Reads a Service of type ExternalName; the context's path is the object's. The result lives in the
 * arena and keeps context->file. NULL when it has no usable name or memory is out; whatever is
 * wrong with it is reported. A Service without namespace gets `default_namespace`, which is kept.
 */
struct kube_service *kube_service_read(const struct ykeys_context *context,
				       const struct ydoc_node *object,
				       struct span default_namespace, struct arena *arena);

#endif
