/*
 * loop: one epoll set, one timer wheel, one thread. The only place that calls epoll.
 *
 * Descriptors are watched edge-triggered and registered once, for reading and writing together, so
 * that steady traffic needs no epoll_ctl. The owner keeps in mind what it may still read or write
 * and works until the kernel says EAGAIN.
 *
 * Phases of a turn, in order:
 *   1. wait, at most until the next timer
 *   2. the clock is read once; loop_now_ms() is that reading until the next turn
 *   3. each ready descriptor's callback
 *   4. due timers
 *   5. each deferred call, in the order deferred; what these defer waits for the next turn,
 *      which then doesn't wait
 *   6. the owner's end_of_turn, if any
 * A watch that was removed in phase 3 gets no more events, not even those already fetched in this
 * turn. Its memory may be freed from phase 5 on: defer that.
 */
#ifndef EV_LOOP_H
#define EV_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"
#include "ev/timer.h"

enum loop_event {
	LOOP_READABLE = 1, /* there may be something to read, or end of stream */
	LOOP_WRITABLE = 2, /* there may be room to write, or the connection has come about */
	LOOP_HANGUP =
		4, /* the peer has shut down its side, or the connection failed: read to learn */
	LOOP_FAILED = 8, /* with LOOP_HANGUP: it failed */
};

struct watch {
	int fd; /* -1: not watched */
	void (*on_event)(struct watch *w, unsigned events);
};

struct deferred {
	struct list node;
	void (*call)(struct deferred *d);
};

struct loop {
	int epoll_fd;
	bool stop;
	uint64_t now_ms;
	struct timer_wheel timers;
	struct list deferred;
	void (*end_of_turn)(struct loop *l); /* may be NULL */
	void *batch;			     /* the events of this turn, while they are told */
};

bool loop_init(struct loop *l, struct error *e);
void loop_fini(struct loop *l);

/* Watches `fd` (non-blocking, the caller's to close, after loop_remove). `w` must stay in place. */
bool loop_add(struct loop *l, struct watch *w, int fd, void (*on_event)(struct watch *, unsigned),
	      struct error *e);
/* Level-triggered and for reading only: for listeners, signal and event descriptors. */
bool loop_add_level(struct loop *l, struct watch *w, int fd,
		    void (*on_event)(struct watch *, unsigned), struct error *e);
/* Forgets the watch, this turn's fetched events included. Harmless when not watched. */
void loop_remove(struct loop *l, struct watch *w);

/* The same, and closes the descriptor, which must have no duplicate: one call less. */
void loop_close(struct loop *l, struct watch *w);

/* Calls `d->call` in phase 5. Deferring what is already deferred does nothing. */
void loop_defer(struct loop *l, struct deferred *d, void (*call)(struct deferred *));
/* Takes a deferred call back. */
void loop_undefer(struct deferred *d);
void loop_deferred_init(struct deferred *d);

/* One turn; waits at most `max_wait_ms` (-1: as long as it takes). False: epoll itself failed. */
bool loop_turn(struct loop *l, int max_wait_ms, struct error *e);
/* Turns until loop_stop. */
bool loop_run(struct loop *l, struct error *e);
void loop_stop(struct loop *l);

static inline uint64_t loop_now_ms(const struct loop *l)
{
	return l->now_ms;
}

static inline void loop_timer_set(struct loop *l, struct timer *t, uint64_t after_ms)
{
	timer_set(&l->timers, t, l->now_ms + after_ms);
}

#endif
