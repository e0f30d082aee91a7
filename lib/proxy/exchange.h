/*
 * exchange: one request and its response.
 *
 * It begins when the first bytes of a request are there. request.h reads and routes it, dial.h
 * finds it a connection, forward.h passes request and response on, tunnel.h what follows a 101,
 * reply.h refuses; the session says which of these is at work. Here is what they share: its life,
 * its end, its timeouts.
 */
#ifndef PROXY_EXCHANGE_H
#define PROXY_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "http/h1frame.h"
#include "http/h1head.h"
#include "proxy/dial.h"
#include "proxy/iobuf.h"
#include "proxy/pump.h"
#include "proxy/reason.h"
#include "proxy/record.h"
#include "proxy/session.h"
#include "proxy/upstream.h"

struct worker_view;

/* Bytes kept of an Upgrade field: what lies beyond counts as not offered. */
#define EXCHANGE_OFFER_MAX 128

struct exchange {
	struct session *session;
	struct list wait_node; /* in worker->waiting */

	struct h1_scan scan;	   /* of the head being read: the request's, then the response's */
	struct pump request;	   /* client to upstream */
	struct pump response;	   /* upstream to client */
	struct h1_framing framing; /* of the request */

	struct worker_view *view; /* that it started with */
	const struct route *route;
	struct upstream_pool *pool;
	struct upstream *upstream;
	struct addr address; /* last tried */
	/* dial.h: while there is no upstream yet */
	struct dial_attempt attempts[DIAL_ATTEMPTS_MAX];
	unsigned turn;		   /* of its connection in the pool */
	uint32_t tried_addresses;  /* bit per index of the endpoints */
	uint64_t connect_until_ms; /* then it is a 504 */
	enum reason failure;	   /* of the addresses tried so far; REASON_OK: none */
	const char *failure_detail;
	uint8_t next_family;

	enum reason reason;
	const char *detail;  /* finer, a constant text, or NULL */
	unsigned status;     /* sent to the client */
	unsigned head_bytes; /* of the request's head, as it came */
	unsigned interim_responses;
	uint64_t moved;		   /* bytes both ways when the timer was last set */
	uint64_t collect_until_ms; /* SESSION_COLLECT: then the upstream is told, come what may */
	uint8_t method;		   /* enum h1_method of the request */

	bool client_is_11 : 1;	      /* the request came as HTTP/1.1 */
	bool keep_alive : 1;	      /* the client's connection may carry another request */
	bool upstream_keep_alive : 1; /* and so may the upstream's */
	bool request_done : 1;	      /* all of it has been sent */
	bool request_abandoned : 1;   /* the upstream takes no more of it */
	bool head_passed : 1;	      /* the final response's head is on its way to the client */
	bool was_reused : 1;	      /* sent on a connection that had carried a request */
	bool retried : 1;
	bool client_ended : 1;	  /* in a tunnel: the client's end was passed on */
	bool upstream_ended : 1;  /* in a tunnel: the upstream's end was passed on */
	bool resets_on_abort : 1; /* the end of the response's body is the end of the connection */

	struct buf trailers;
	struct iobuf trailers_block;
	uint16_t offer_len;
	char offer[EXCHANGE_OFFER_MAX]; /* the request's Upgrade */
	struct record record;
	struct h1_head head; /* the request's, then the response's */
};

static inline struct worker *exchange_worker(const struct exchange *x)
{
	return x->session->worker;
}

/* Makes a new exchange for the session; NULL without memory. */
struct exchange *exchange_new(struct session *s);
/* Starts over for the next request, keeping the bytes that are there already. */
void exchange_restart(struct exchange *x);
/* Gives everything back that it holds. */
void exchange_free(struct exchange *x);

/* Lets go of the upstream: back to its pool, or closed. */
void exchange_drop_upstream(struct exchange *x, bool reusable);

/* The response has been passed on whole: log, and what comes next on the connection. */
void exchange_finish(struct exchange *x);

/* The state's timer has fired. */
void exchange_on_timeout(struct exchange *x);
/* The exchange ends without (more of) a response: log, and the connection's end. */
void exchange_end(struct exchange *x, enum reason reason, const char *detail, enum session_end end);
/* The client has reset its connection, or it must be closed: whatever is under way ends. */
void exchange_abort(struct exchange *x, enum reason reason, const char *detail);

#endif
