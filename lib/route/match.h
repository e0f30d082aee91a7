/*
 * match: (table, authority of a request) -> decision. Pure; no allocation, one hash look-up when it
 * matches.
 */
#ifndef ROUTE_MATCH_H
#define ROUTE_MATCH_H

#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "route/table.h"

/* Member, name for logs and metrics. */
#define ROUTE_VERDICTS(X)                                                                          \
	X(ROUTE_FOUND, "found")                                                                    \
	X(ROUTE_UNKNOWN_HOST, "unknown_host")                                                      \
	X(ROUTE_UNKNOWN_PORT, "unknown_port") /* the Service is known, this port of it is not */   \
	X(ROUTE_WRONG_NAMESPACE, "wrong_namespace") /* a Service of that name is in another one */ \
	X(ROUTE_BAD_AUTHORITY, "bad_authority")	    /* not `host[:port]` */

enum route_verdict {
#define X(member, name) member,
	ROUTE_VERDICTS(X)
#undef X
};

extern const char *const route_match_verdict_names[];

struct route_decision {
	enum route_verdict verdict;
	const struct route *route; /* ROUTE_FOUND, else NULL */
	/* ROUTE_FOUND, ROUTE_UNKNOWN_PORT, ROUTE_WRONG_NAMESPACE: whose name it is; else NULL. */
	const struct route_service *service;
	const char *problem; /* ROUTE_BAD_AUTHORITY: why, a constant text, else NULL */
	uint16_t port;	     /* the port asked for; 80 when none was given */
};

/*
 * Decides for an authority as it came in Host or the request target: `host[:port]`, no port means
 * 80.
 */
struct route_decision route_match(const struct route_table *t, struct span authority);

/*
 * One line, without a line end, that says what was asked and what would match, for the body of the
 * answer and the log. The request's bytes are escaped; at most some 600 bytes are added,
 * and a hint (hint.h) where the host could be registered; bounded work.
 */
#define ROUTE_EXPLAIN_MAX 2048
void route_match_explain(const struct route_table *t, struct span authority,
			 const struct route_decision *decision, struct buf *out);

#endif
