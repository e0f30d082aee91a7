/*
 * metrics: counters of one worker. The worker alone writes them; the control thread reads them at
 * any time, so each is a relaxed atomic: a plain store on the machines we run on.
 */
#ifndef PROXY_METRICS_H
#define PROXY_METRICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/guard.h"
#include "proxy/reason.h"
#include "route/verdict.h"
#include "tls/tls_error.h"

#define METRICS_PREFIX "egressbox_"

#define metric _Atomic uint64_t

/* member, name behind "egressbox_", kind, help */
#define METRICS(X)                                                                                 \
	X(client_connections, "client_connections_total", "counter",                               \
	  "Connections accepted from clients.")                                                    \
	X(client_connections_open, "client_connections_open", "gauge",                             \
	  "Connections of clients that are open now.")                                             \
	X(client_connections_refused, "client_connections_refused_total", "counter",               \
	  "Connections closed at once because the proxy was full.")                                \
	X(requests_active, "requests_active", "gauge", "Requests under way now.")                  \
	X(received_bytes, "client_received_bytes_total", "counter",                                \
	  "Bytes of requests that were passed on.")                                                \
	X(sent_bytes, "client_sent_bytes_total", "counter", "Bytes sent to clients.")              \
	X(upstream_connections, "upstream_connections_total", "counter",                           \
	  "Connections begun to upstreams.")                                                       \
	X(upstream_connections_open, "upstream_connections_open", "gauge",                         \
	  "Connections to upstreams that are open now, idle ones included.")                       \
	X(upstream_connections_idle, "upstream_connections_idle", "gauge",                         \
	  "Connections to upstreams that wait for a request.")                                     \
	X(upstream_reused, "upstream_reused_total", "counter",                                     \
	  "Requests sent on a connection that had carried one before.")                            \
	X(upstream_retries, "upstream_retries_total", "counter",                                   \
	  "Requests sent again because a reused connection was found closed.")                     \
	X(address_failures, "address_failures_total", "counter",                                   \
	  "Connections to upstreams that failed, or took so long that another was used.")          \
	X(tls_handshakes, "tls_handshakes_total", "counter", "TLS handshakes completed.")          \
	X(tls_resumed, "tls_resumed_total", "counter",                                             \
	  "TLS handshakes among them that resumed a session.")                                     \
	X(tls_unverified, "tls_unverified_total", "counter",                                       \
	  "TLS handshakes among them with hosts that were not verified, as tls-verify says.")      \
	X(relays_open, "relays_open", "gauge",                                                     \
	  "Connections that are passed on as they are, open now.")                                 \
	X(relay_bytes, "relay_bytes_total", "counter", "Bytes passed on in them, both ways.")      \
	X(spliced_bytes, "relay_spliced_bytes_total", "counter",                                   \
	  "Those of them that never left the kernel.")

/* Of times: up to 2^8 us, 2^9 us ... 2^25 us (34 s), and above. */
#define METRICS_FIRST_BUCKET 8
#define METRICS_BUCKETS 19

struct metrics {
#define X(member, name, kind, help) metric member;
	METRICS(X)
#undef X
	metric requests[REASON_COUNT];
	metric durations[METRICS_BUCKETS];
	metric duration_us;  /* their sum */
	metric responses[6]; /* by the first digit of the status; 0: none was sent */
	metric tls_failures[TLS_ERROR_COUNT];
	metric denied[GUARD_VERDICT_COUNT];
	metric verdicts[VERDICT_COUNT]; /* of redirected connections; of HTTP, of requests */
	metric refused[REASON_COUNT];	/* of those, why */
};

static inline void metrics_add(metric *m, uint64_t n)
{
	/* Not a locked add: there is one writer. */
	atomic_store_explicit(m, atomic_load_explicit(m, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

static inline void metrics_sub(metric *m, uint64_t n)
{
	metrics_add(m, -n);
}

/* A request took so long, from its head to the end of its answer. */
static inline void metrics_add_duration(struct metrics *m, uint64_t us)
{
	unsigned bucket = 0;

	if (us > 1u << METRICS_FIRST_BUCKET)
		bucket = 64 - (unsigned)__builtin_clzll(us - 1) - METRICS_FIRST_BUCKET;
	if (bucket >= METRICS_BUCKETS)
		bucket = METRICS_BUCKETS - 1;
	metrics_add(&m->durations[bucket], 1);
	metrics_add(&m->duration_us, us);
}

static inline uint64_t metrics_get(const metric *m)
{
	return atomic_load_explicit(m, memory_order_relaxed);
}

/* The sum over all workers in Prometheus' text format (exposition format 0.0.4). */
void metrics_print(const struct metrics *const *workers, size_t count, struct buf *out);

/* The HELP and TYPE lines of a metric outside the tables. */
void metrics_print_head(const char *name, const char *kind, const char *help, struct buf *out);
/* One sample outside the tables, with these lines. */
void metrics_print_one(const char *name, const char *kind, const char *help, uint64_t value,
		       struct buf *out);

#endif
