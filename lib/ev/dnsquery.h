/*
 * dnsquery: one question (name and type) carried to one name server after another until it is
 * settled.
 *
 * Each try has a socket of its own: connected UDP on a random port with a random id and random
 * capitals. A truncated answer is asked for again over TCP, of the same server. What does not
 * answer the question is ignored and counted, and after DNSQUERY_MAX_IGNORED of those the socket is
 * given up, for someone is guessing. All queries of one pool share what they learn about the
 * servers.
 *
 * A server that was silent, or could not be reached, is asked again in the next round; one that
 * answered with an error or with nonsense is not asked again for this question.
 */
#ifndef EV_DNSQUERY_H
#define EV_DNSQUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slab.h"
#include "base/span.h"
#include "dns/dnsmsg.h"
#include "ev/loop.h"
#include "ev/timer.h"
#include "net/addr.h"

#define DNSQUERY_MAX_SERVERS 8
#define DNSQUERY_MAX_IGNORED 64
/* A server that was silent is asked last for so long. */
#define DNSQUERY_AVOID_MS 10000

enum dnsquery_end {
	DNSQUERY_OK,	   /* addresses */
	DNSQUERY_NXDOMAIN, /* no such name */
	DNSQUERY_NODATA,   /* no address of this type */
	DNSQUERY_SERVFAIL, /* no answer, but an error from one server at least; or no server */
	DNSQUERY_TIMEOUT,  /* no server could be heard at all */
};

struct dnsquery_server {
	struct addr addr;
	bool folds_case;	 /* learnt: do not mix capitals */
	bool no_edns;		 /* learnt: leave EDNS out */
	uint64_t avoid_until_ms; /* was silent: ask others first */
};

struct dnsquery_stats {
	uint64_t over_udp; /* queries sent, each try counts */
	uint64_t over_tcp;
	uint64_t answers;  /* that settled a question: OK, NXDOMAIN, NODATA */
	uint64_t errors;   /* answers that did not: errors, nonsense, failures of TCP */
	uint64_t timeouts; /* tries without an answer, refused ones included */
	uint64_t ignored;  /* datagrams that did not answer the question */
};

/* The settings are the owner's to fill in before the first dnsquery_start. */
struct dnsquery_pool {
	struct loop *loop;
	struct dnsquery_server servers[DNSQUERY_MAX_SERVERS];
	unsigned server_count;
	uint32_t timeout_ms; /* per try */
	unsigned attempts;   /* rounds over all servers */
	bool rotate;	     /* begin each question at another server */

	unsigned next_server;
	struct dnsquery_stats stats;
	struct slab queries;
};

struct dnsquery;

/*
 * Told once, from the loop, when the query has been released. `answer` is valid during the call,
 * and NULL for SERVFAIL and TIMEOUT.
 */
typedef void dnsquery_on_end(void *context, enum dnsmsg_type type, enum dnsquery_end how,
			     const struct dnsmsg_answer *answer);

/* At most `max_in_flight` queries at a time. Sets everything else to zero. */
void dnsquery_pool_init(struct dnsquery_pool *pool, struct loop *loop, unsigned max_in_flight);
/* All queries must have ended or been cancelled. */
void dnsquery_pool_fini(struct dnsquery_pool *pool);
/* How many more queries could be started now. */
unsigned dnsquery_pool_room(const struct dnsquery_pool *pool);

/*
 * Asks. `name` is a host name (hostname_problem), borrowed until the end. NULL when the pool is
 * full or memory is out; otherwise on_end is called later.
 */
struct dnsquery *dnsquery_start(struct dnsquery_pool *pool, struct span name, enum dnsmsg_type type,
				dnsquery_on_end *on_end, void *context);
/* Ends it without on_end. NULL is fine. */
void dnsquery_cancel(struct dnsquery *q);

#endif
