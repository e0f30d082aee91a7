/*
 * apicall: requests to a Kubernetes API server from within a loop, one at a time, over a connection
 * that is kept from one to the next. What a request is, and what its answer comes to, client.h
 * says; the bytes move here, and nothing waits.
 *
 *	apicall_init(&c, &config, loop, resolver, on_done, &e)
 *	apicall_get(&c, "/api/v1/services?limit=500", &sink, &times)	on_done: c.answer
 *	apicall_fini(&c)
 *
 * There is one try; whoever calls decides about the next. Only a kept connection that had died
 * meanwhile is made anew without asking. The token file is read for each request, the one thing
 * here that touches a disk.
 */
#ifndef KUBEAPI_APICALL_H
#define KUBEAPI_APICALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "ev/loop.h"
#include "ev/resolver.h"
#include "http/h1body.h"
#include "http/h1head.h"
#include "kubeapi/client.h"
#include "kubeapi/client_inner.h"

/* In milliseconds. */
struct apicall_times {
	uint64_t idle_ms;  /* without progress, connecting included */
	uint64_t total_ms; /* the whole request */
};

enum apicall_state {
	APICALL_IDLE,
	APICALL_RESOLVING,
	APICALL_CONNECTING,
	APICALL_SECURING,
	APICALL_SENDING,
	APICALL_HEAD,
	APICALL_BODY,
};

struct apicall {
	struct client_answer
		answer;		 /* of the request that is over; status as soon as it is there */
	uint32_t retry_after_ms; /* what a refusal asked for, or 0 */
	enum apicall_state state;

	/* private */
	void (*on_done)(struct apicall *c);
	struct client *client;
	struct loop *loop;
	struct resolver *resolver;
	struct resolver_name name; /* watched from the first time that it is needed */
	struct watch watch;
	struct timer timer;
	struct deferred again, done;
	struct apicall_times times;
	uint64_t until_ms;
	struct client_request request;
	struct client_sink sink;
	struct buf path, json;
	struct span unsent;
	unsigned next_addr;
	bool is_body_sent;
	bool keeps_alive;
	unsigned interim; /* answers before the one that counts */
	struct h1_scan scan;
	struct h1_body body;
};

/*
 * Checks the config as client_new, of which the timeouts and tries mean nothing here. All is
 * borrowed until apicall_fini, which is due also after false; *c must stay in place. on_done is
 * called once for each request, from the loop only, and may begin the next one.
 */
bool apicall_init(struct apicall *c, const struct client_config *config, struct loop *loop,
		  struct resolver *resolver, void (*on_done)(struct apicall *c), struct error *e);
void apicall_fini(struct apicall *c);

/*
 * Begins a request; there must be none under way. Path and JSON are copied, the sink (NULL: the
 * body is dropped) too. The sink's on_piece must not call anything here.
 */
void apicall_get(struct apicall *c, struct span path, const struct client_sink *sink,
		 const struct apicall_times *times);
void apicall_post(struct apicall *c, struct span path, struct span json,
		  const struct apicall_times *times);

static inline bool apicall_is_idle(const struct apicall *c)
{
	return c->state == APICALL_IDLE && !list_is_linked(&c->done.node);
}

#endif
