/*
 * capture: what of a pod's traffic is redirected to the sidecar, as flags and annotations say it.
 *
 * Both have the same seven settings, each a comma-separated list. Annotations are those of Istio
 * (traffic.sidecar.istio.io/NAME), judged as Istio judges them, and the same names under
 * egressbox.io/, which win.
 */
#ifndef INJECT_CAPTURE_H
#define INJECT_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

/* member, name of the annotation, what its list holds, whether `*` may stand for all */
#define CAPTURE_FIELDS(X)                                                                          \
	X(CAPTURE_INCLUDE_RANGES, "includeOutboundIPRanges", CAPTURE_RANGES, true)                 \
	X(CAPTURE_EXCLUDE_RANGES, "excludeOutboundIPRanges", CAPTURE_RANGES, false)                \
	X(CAPTURE_INCLUDE_INBOUND, "includeInboundPorts", CAPTURE_PORTS, true)                     \
	X(CAPTURE_EXCLUDE_INBOUND, "excludeInboundPorts", CAPTURE_PORTS, false)                    \
	X(CAPTURE_INCLUDE_OUTBOUND, "includeOutboundPorts", CAPTURE_PORTS, false)                  \
	X(CAPTURE_EXCLUDE_OUTBOUND, "excludeOutboundPorts", CAPTURE_PORTS, false)                  \
	X(CAPTURE_EXCLUDE_INTERFACES, "excludeInterfaces", CAPTURE_INTERFACES, false)

enum capture_field {
#define X(member, annotation, kind, star) member,
	CAPTURE_FIELDS(X)
#undef X
		CAPTURE_FIELD_COUNT
};

extern const char *const capture_annotations[CAPTURE_FIELD_COUNT];

struct capture {
	/* Normalised: no blanks, ranges without host bits; `*`, or empty for none. */
	struct span list[CAPTURE_FIELD_COUNT];
	bool is_set[CAPTURE_FIELD_COUNT];
};

/*
 * Reads a list into c->list[field], in the arena. Ranges that had host bits are named in `note`
 * ("10.0.0.1/24 is taken as 10.0.0.0/24, ..."), which stays empty else. The error quotes the entry
 * and says which it is.
 */
bool capture_parse(struct capture *c, enum capture_field field, struct span text,
		   struct arena *arena, struct buf *note, struct error *e);

/*
 * The arguments of iptables-setup that do it, besides the proxy's port and uid: each with a line
 * end behind it. `admin_port` is never redirected, so that probes reach it.
 */
void capture_arguments(const struct capture *c, unsigned admin_port, struct buf *out);

#endif
