/*
 * resolver: an asynchronous stub resolver that keeps the addresses of a set of names up to date. It
 * lives in one loop; nothing here blocks, and nothing may be called from another thread.
 *
 * Who watches a name is told when its state or its set of addresses changes, and only then. Each
 * name is asked for as A and AAAA in parallel, as an absolute name (never with search domains), and
 * again shortly before its TTL ends. Literal addresses and names in the pins or hosts are never
 * asked.
 *
 * What the servers say decides:
 *   - an answer replaces the set. It is published when both types are in, or RESOLVER_DELAY_MS
 *     after the first positive (RFC 8305 section 3).
 *   - NXDOMAIN or NODATA, for a name that had addresses, has to come `negative_confirm` times in a
 *     row, negative_min_ms apart, before the addresses are given up.
 *   - a failing type keeps its last good addresses for `stale_max_ms` past their TTL (RFC 8767)
 *     while asking goes on at growing intervals. Then, or when there never were any, the state says
 *     which failure it is.
 *
 * On the wire: a new connected socket (so a random port), id and mix of capitals for each query;
 * servers are tried in order, those that were just silent last; TCP when the answer is truncated.
 * Whatever does not answer the question is ignored. At most `max_in_flight` queries are out; other
 * names wait in line.
 */
#ifndef EV_RESOLVER_H
#define EV_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"
#include "base/span.h"
#include "dns/hosts.h"
#include "ev/dnsquery.h"
#include "ev/loop.h"
#include "ev/timer.h"
#include "net/addr.h"

#define RESOLVER_MAX_SERVERS DNSQUERY_MAX_SERVERS
#define RESOLVER_MAX_ADDRS 32 /* kept per name; both families get their share */
#define RESOLVER_DELAY_MS 50

/*
 * PENDING   no answer yet
 * OK        addr_count > 0 addresses; `stale` when they have outlived their TTL
 * NXDOMAIN  no such name
 * NODATA    the name has neither A nor AAAA
 * SERVFAIL  a server answered, but with an error or nonsense (or there is no server to ask)
 * TIMEOUT   no server answered, or none could be reached
 */
#define RESOLVER_STATES(X)                                                                         \
	X(RESOLVER_PENDING, "pending")                                                             \
	X(RESOLVER_OK, "ok")                                                                       \
	X(RESOLVER_NXDOMAIN, "nxdomain")                                                           \
	X(RESOLVER_NODATA, "nodata")                                                               \
	X(RESOLVER_SERVFAIL, "servfail")                                                           \
	X(RESOLVER_TIMEOUT, "timeout")

enum resolver_state {
#define X(member, name) member,
	RESOLVER_STATES(X)
#undef X
};

extern const char *const resolver_state_names[];

/* Where a name's addresses come from. Only those from RESOLVER_DNS ever change. */
#define RESOLVER_SOURCES(X)                                                                        \
	X(RESOLVER_DNS, "dns")                                                                     \
	X(RESOLVER_LITERAL, "literal") /* the name is an address */                                \
	X(RESOLVER_PINNED, "pinned")   /* config.pins: the operator's word */                      \
	X(RESOLVER_HOSTS, "hosts")     /* config.hosts: /etc/hosts */

enum resolver_source {
#define X(member, name) member,
	RESOLVER_SOURCES(X)
#undef X
};

extern const char *const resolver_source_names[];

/* 0 in a number means the default in brackets. Pins and hosts are borrowed until resolver_fini. */
struct resolver_config {
	struct addr servers[RESOLVER_MAX_SERVERS]; /* port 0 means 53 */
	unsigned server_count;			   /* 0: every question fails with SERVFAIL */
	uint32_t timeout_ms;			   /* per server and attempt (2000) */
	unsigned attempts;			   /* rounds over all servers (3) */
	bool rotate;				   /* begin each question at another server */

	const struct hosts_entry *pins; /* win over everything but literals */
	size_t pin_count;
	const struct hosts_entry *hosts; /* looked at next; names compare without case */
	size_t host_count;

	unsigned max_in_flight;	   /* queries, two per name (64); at least 2 */
	uint32_t ttl_min_ms;	   /* (1000) */
	uint32_t ttl_max_ms;	   /* (300000) */
	uint32_t negative_min_ms;  /* (1000) */
	uint32_t negative_max_ms;  /* (30000) */
	unsigned negative_confirm; /* (3) */
	uint32_t retry_min_ms;	   /* after a failure, doubled each time (1000) */
	uint32_t retry_max_ms;	   /* (30000) */
	uint32_t stale_max_ms;	   /* (3600000) */
};

/* One type of one name. Private. */
struct resolver_half {
	struct dnsquery *query;	   /* NULL when there is none out */
	enum resolver_state state; /* what this round has brought; PENDING while the query is out */
	uint32_t ttl_ms;
	unsigned addr_count;
	struct addr *addrs;	/* this round's, until it is over */
	uint64_t good_until_ms; /* end of the TTL of the last positive answer */
};

/*
 * One watched name, in the caller's storage, which must stay in place while watched. The caller
 * reads the first part at any time and may set `context`; the addresses are the resolver's and
 * change only right before on_change.
 */
struct resolver_name {
	struct span name; /* the resolver's copy, lower case, no trailing dot; empty: not watched */
	enum resolver_state state;
	enum resolver_source source;
	struct addr *addrs; /* IPv6 first, else in the server's order; no duplicates; port 0 */
	unsigned addr_count;
	bool stale;		     /* OK, but from before: the last round brought no address */
	enum resolver_state failure; /* what of the last round was no good; OK when all was */
	uint32_t ttl_s;	     /* of the last good answer, as clamped; 0 for sources other than DNS */
	uint64_t good_at_ms; /* loop_now_ms() of the last good answer */
	void (*on_change)(struct resolver_name *n);
	void *context;

	/* private */
	struct resolver *resolver;
	char *text;	       /* of `name` */
	struct list node;      /* in resolver.names */
	struct list wait_node; /* in resolver.waiting */
	struct timer timer;    /* between rounds: when to ask again; in one: the resolution delay */
	struct resolver_half halves[2]; /* A, AAAA */
	unsigned failures;		/* rounds in a row with a failing half */
	unsigned negatives;		/* negative answers in a row */
};

/* For metrics: `watched`, `waiting_count`, `pool.stats`, and `pool.queries.in_use` (in flight). */
struct resolver {
	struct resolver_config config; /* with defaults filled in */
	struct dnsquery_pool pool;
	struct list names;
	unsigned watched; /* names */
	struct list waiting;
	unsigned waiting_count; /* names in line for their round */
	struct deferred start;	/* of rounds */
	uint64_t jitter;	/* state of a cheap generator; nothing secret */
};

/* `r` and the loop must stay in place. Takes no memory and opens nothing until a name is asked. */
void resolver_init(struct resolver *r, struct loop *loop, const struct resolver_config *config);
/* Unwatches all names, closes and frees everything. Not from within on_change. */
void resolver_fini(struct resolver *r);

/*
 * Begins to watch `name` (with or without trailing dot; copied). `n` need not be initialised,
 * except that `context` is left alone. on_change is called from the loop only, never from here. A
 * name that is not asked over DNS has its addresses on return, and is told once all the same. False
 * for what is no host name, or when memory is out.
 */
bool resolver_watch(struct resolver *r, struct resolver_name *n, struct span name,
		    void (*on_change)(struct resolver_name *n), struct error *e);
/*
 * Ends it, also in the middle of a query and from within on_change (of this or any other name); the
 * storage is the caller's again at once. Harmless when it is not watched (name.len == 0).
 */
void resolver_unwatch(struct resolver_name *n);

#endif
