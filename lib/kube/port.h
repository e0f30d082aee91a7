/*
 * port: one entry of a Service's spec.ports, and the protocol that is spoken behind it.
 *
 * The protocol, in this order:
 *   protocol UDP or SCTP            not routed
 *   appProtocol                     http, https, kubernetes.io/ws (http), kubernetes.io/wss
 *                                   (https), in any case of letters; all else is not routed
 *   name up to the first `-`        http, https, in any case though Kubernetes wants lower case;
 *                                   http2, grpc, tcp, tls, udp, mongo, redis, mysql are not routed
 *   number, when that says nothing  80 is http, 443 is https; others are not routed
 * All but the plain http and https of the second and third line come with a warning that says what
 * to write. targetPort has no meaning for an external name; one that differs from port gets a
 * warning as well.
 */
#ifndef KUBE_PORT_H
#define KUBE_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"
#include "ydoc/ykeys.h"

#define KUBE_PROTOCOLS(X)                                                                          \
	X(KUBE_NOT_ROUTED, "none")                                                                 \
	X(KUBE_HTTP, "http")                                                                       \
	X(KUBE_HTTPS, "https")

enum kube_protocol {
#define X(member, name) member,
	KUBE_PROTOCOLS(X)
#undef X
};

extern const char *const kube_port_protocol_names[];

struct kube_pos {
	const char *file;
	uint32_t line, col; /* from 1; 0 where `file` says it all: "default/web@4711" */
};

struct kube_port {
	struct span name; /* empty when it has none */
	uint16_t number;
	uint8_t protocol;  /* enum kube_protocol */
	uint8_t transport; /* enum kube_transport */
	struct kube_pos pos;
};

/* Kubernetes' `protocol`. A Service may have the same port number once for each. */
enum kube_transport {
	KUBE_TCP,
	KUBE_UDP,
	KUBE_SCTP,
};

/*
 * Reads an entry of spec.ports; the context's path is its own. False when it has no usable number,
 * or a protocol that is none; errors and warnings are reported either way. The name is copied to
 * the arena; context->file is kept.
 */
bool kube_port_read(const struct ykeys_context *context, const struct ydoc_node *node,
		    struct arena *arena, struct kube_port *out);

#endif
