/*
 * listener: sockets that take connections. Each worker has its own for every address, side by side
 * through SO_REUSEPORT, so that the kernel spreads the connections.
 */
#ifndef PROXY_LISTENER_H
#define PROXY_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "ev/loop.h"
#include "net/addr.h"

struct worker;

struct listener {
	struct watch watch;
	struct timer pause; /* runs while descriptors are out */
	int fd;
	uint16_t port;
	bool transparent; /* what it takes was redirected to it */
	bool ending;	  /* by listener_end */
	uint64_t accepted_ms;
	struct worker *worker;
};

/*
 * A listening socket on *at. Port 0 takes any free one and writes it to at->port, so that a second
 * call with the same `at` shares it. `any_family`: at is [::], and IPv4 is taken as well; where
 * there is no IPv6 at all it becomes 0.0.0.0. -1 on failure, with what to do about it.
 */
int listener_open(struct addr *at, bool any_family, struct error *e);

/* Begins to accept connections for the worker, in its loop. */
bool listener_start(struct listener *l, struct worker *w, struct error *e);
/*
 * Stops without loss: nobody new is let in, those are accepted who have been, or are just being,
 * told by the kernel that they are connected; the worker hears of the end through
 * worker_check_stopped.
 */
void listener_end(struct listener *l);
/* Stops and closes at once. Harmless twice. */
void listener_stop(struct listener *l);

#endif
