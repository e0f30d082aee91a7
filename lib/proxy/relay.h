/*
 * relay: a redirected connection that is passed on as it is, byte for byte: server-speaks-first,
 * half-closes and resets included.
 *
 * Its client has been told that the connection stands (a firewall's redirection does that) before
 * the other end was asked. So what would have been refused is reset.
 */
#ifndef PROXY_RELAY_H
#define PROXY_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "ev/loop.h"
#include "net/addr.h"
#include "proxy/flow.h"
#include "proxy/iobuf.h"
#include "proxy/outgoing.h"
#include "proxy/reason.h"
#include "proxy/stream.h"
#include "route/verdict.h"

struct upstream_pool;
struct worker;
struct worker_view;

enum relay_state {
	RELAY_RESOLVING,  /* the first answer for the name; resolve_ms */
	RELAY_CONNECTING, /* connect_ms for each address */
	RELAY_FLOWING,	  /* bytes both ways; tunnel_ms without any */
	RELAY_CLOSED,	  /* its memory goes at the end of the turn */
};

struct relay {
	struct stream client, upstream;
	struct flow out, back; /* client to upstream, upstream to client */
	struct timer timer;
	struct list node;      /* in worker->relays */
	struct list wait_node; /* in worker->waiting_relays */
	struct deferred later;
	struct worker *worker;
	/* Of the name whose addresses are tried; NULL: there is only `address`. */
	const struct upstream_pool *pool;
	struct worker_view *view;		/* until it is connected */
	uint32_t target, turn, tried_addresses; /* as in an exchange */
	struct addr peer, original;
	struct addr address; /* the one that is, or was last, connected to */
	struct outgoing outgoing;
	uint64_t started_us;
	uint64_t moved; /* bytes both ways when the timer was last set */
	enum relay_state state;
	uint8_t verdict; /* enum verdict */
	bool out_ended, back_ended;
	bool out_lost; /* the upstream takes no more, what it still sends is passed on */
};

/* Where a relay comes from. */
struct relay_client {
	int fd; /* taken over */
	struct addr peer, original;
	struct iobuf first; /* what it has sent so far; taken over too */
};

/* To an address. */
void relay_start(struct worker *w, const struct relay_client *client, enum verdict verdict,
		 const struct addr *to);
/* To the addresses of the view's target. */
void relay_start_to_name(struct worker *w, const struct relay_client *client, uint32_t target);

/* For relays that wait for a name: a new view is there. */
void relay_wake_waiting(struct worker *w);
/* For a worker that stops at once. */
void relay_close_all(struct worker *w);

#endif
