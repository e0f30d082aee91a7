/*
 * timer: a wheel of timeouts, one per loop. Setting one costs O(1) and usually no list operation.
 *
 * Time is monotonic milliseconds. A timer never fires early; it fires up to TIMER_TICK_MS late.
 * Moving a deadline further away only writes the field: the wheel finds out when the old slot comes
 * round.
 */
#ifndef EV_TIMER_H
#define EV_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

#define TIMER_TICK_MS 16
#define TIMER_SLOTS 256

struct timer {
	struct list node;
	uint64_t deadline_ms; /* UINT64_MAX: not set */
	uint64_t slot_tick;   /* the tick whose slot holds the node */
	void (*on_timeout)(struct timer *t);
};

struct timer_wheel {
	struct list slots[TIMER_SLOTS];
	uint64_t occupied[TIMER_SLOTS / 64]; /* bit per slot that may hold timers */
	uint64_t tick;			     /* all ticks before this one have been fired */
};

void timer_wheel_init(struct timer_wheel *w, uint64_t now_ms);
/* Milliseconds until the next slot that may hold a timer, -1 when there is none. */
int timer_wheel_wait_ms(const struct timer_wheel *w, uint64_t now_ms);
/* Fires what is due. A callback may set and cancel any timer, its own too, and free its owner. */
void timer_wheel_run(struct timer_wheel *w, uint64_t now_ms);

void timer_init(struct timer *t, void (*on_timeout)(struct timer *t));
/* (Re)sets the deadline. */
void timer_set(struct timer_wheel *w, struct timer *t, uint64_t deadline_ms);
/* Harmless when not set. Must be called before the owner's memory goes away. */
void timer_cancel(struct timer *t);

static inline bool timer_is_set(const struct timer *t)
{
	return t->deadline_ms != UINT64_MAX;
}

#endif
