/*
 * upstream: connections to external hosts, and the pool that keeps them for the next request.
 *
 * A pool belongs to one worker and one (host, port, TLS or not, identity): a connection that was
 * verified for one name, or in one way, never serves another. An idle connection is watched;
 * whatever it says, it is closed: bytes that nobody asked for are never a response (RFC 9112
 * section 6.3).
 */
#ifndef PROXY_UPSTREAM_H
#define PROXY_UPSTREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "net/addr.h"
#include "net/hostname.h"
#include "proxy/addresses.h"
#include "proxy/identity.h"
#include "proxy/reason.h"
#include "proxy/stream.h"
#include "route/table.h"

struct worker;

struct upstream_pool {
	struct list node; /* in the worker's bucket */
	uint64_t hash;
	struct list idle; /* most recently used first */
	unsigned idle_count;
	unsigned connections; /* that were needed so far: whose turn it is among the addresses */
	struct addresses_family family;
	uint16_t port;
	bool tls;
	bool told_unverified; /* the log has been told that its host is not verified */
	uint8_t identity[TLSCONN_IDENTITY_SIZE];
	char host[HOSTNAME_MAX + 1];
};

#define UPSTREAM_BUCKETS 256

struct upstream_pools {
	struct list buckets[UPSTREAM_BUCKETS];
};

enum upstream_phase {
	UPSTREAM_CONNECTING,  /* TCP: waits for the descriptor to become writable */
	UPSTREAM_HANDSHAKING, /* TLS */
	UPSTREAM_READY,
	UPSTREAM_FAILED, /* see reason and detail */
};

struct upstream {
	struct stream stream;
	struct list node;   /* in pool->idle */
	struct timer timer; /* idle limit */
	struct deferred release;
	struct worker *worker;
	struct upstream_pool *pool;
	const struct identity *identity; /* of its target; until READY, NULL: the proxy's own */
	void *user;			 /* NULL while idle */
	void (*on_event)(struct upstream *u);
	struct addr addr;
	enum upstream_phase phase;
	enum reason reason; /* UPSTREAM_FAILED */
	const char *detail; /* finer, or NULL */
	uint64_t idle_since_ms;
	uint32_t requests; /* carried before the present one */
};

void upstream_pools_init(struct upstream_pools *pools);
/* Closes all idle connections and frees the pools. None may be in use. */
void upstream_pools_fini(struct upstream_pools *pools);

/* The pool for a target, made on first use; NULL when memory is out. */
struct upstream_pool *upstream_pool_for(struct worker *w, const struct route_target *target);

/*
 * An idle connection, ready for a request, or NULL. With `check` the kernel is asked whether it is
 * still whole, for a request that could not be sent a second time.
 */
struct upstream *upstream_take_idle(struct upstream_pool *pool, void *user,
				    void (*on_event)(struct upstream *), bool check);

/*
 * Begins a new connection; `user` hears of it through on_event (never from within this call). NULL
 * with *reason when it failed at once. `identity`, NULL or that of a target of this pool, must last
 * until the connection is READY or closed.
 */
struct upstream *upstream_connect(struct upstream_pool *pool, struct worker *w,
				  const struct identity *identity, const struct addr *addr,
				  void *user, void (*on_event)(struct upstream *),
				  enum reason *reason);

/* A socket, non-blocking and without Nagle's delay, on its way to *addr; -1 with errno. */
int upstream_dial(const struct addr *addr);
/* What such an errno, or that of a connection that did not come about, means. */
enum reason upstream_connect_reason(int error);

/* Moves the set-up on after an event; READY and FAILED are final. */
enum upstream_phase upstream_advance(struct upstream *u);

/*
 * Back to the pool: the response was read to its end and the connection may carry another request.
 */
void upstream_give_back(struct upstream *u);

/* Closes it, whatever it is doing. Its memory goes at the end of the turn. */
void upstream_close(struct upstream *u);

#endif
