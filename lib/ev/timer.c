#include "ev/timer.h"

static uint64_t tick_of(uint64_t ms)
{
	return ms / TIMER_TICK_MS;
}

void timer_wheel_init(struct timer_wheel *w, uint64_t now_ms)
{
	for (int i = 0; i < TIMER_SLOTS; i++)
		list_init(&w->slots[i]);
	for (int i = 0; i < TIMER_SLOTS / 64; i++)
		w->occupied[i] = 0;
	w->tick = tick_of(now_ms);
}

void timer_init(struct timer *t, void (*on_timeout)(struct timer *t))
{
	list_init(&t->node);
	t->deadline_ms = UINT64_MAX;
	t->slot_tick = 0;
	t->on_timeout = on_timeout;
}

/*
 * Puts the timer where its deadline is due. The tick is the one that begins at or after the
 * deadline, so that nothing fires early. What lies beyond the wheel's horizon waits in the last
 * slot and is queued again from there.
 */
static void enqueue(struct timer_wheel *w, struct timer *t)
{
	uint64_t tick = tick_of(t->deadline_ms + TIMER_TICK_MS - 1);
	unsigned slot;

	if (tick < w->tick)
		tick = w->tick;
	if (tick > w->tick + TIMER_SLOTS - 1)
		tick = w->tick + TIMER_SLOTS - 1;
	slot = (unsigned)(tick % TIMER_SLOTS);
	t->slot_tick = tick;
	list_push_back(&w->slots[slot], &t->node);
	w->occupied[slot / 64] |= UINT64_C(1) << slot % 64;
}

void timer_set(struct timer_wheel *w, struct timer *t, uint64_t deadline_ms)
{
	bool later = list_is_linked(&t->node) && t->deadline_ms != UINT64_MAX &&
		     t->slot_tick * TIMER_TICK_MS <= deadline_ms;

	t->deadline_ms = deadline_ms;
	if (later)
		return;
	list_remove(&t->node);
	enqueue(w, t);
}

void timer_cancel(struct timer *t)
{
	list_remove(&t->node);
	t->deadline_ms = UINT64_MAX;
}

/* The first occupied slot at or after tick `from`, within one round; TIMER_SLOTS when none. */
static unsigned next_occupied(const struct timer_wheel *w, uint64_t from)
{
	for (unsigned ahead = 0; ahead < TIMER_SLOTS;) {
		unsigned slot = (unsigned)((from + ahead) % TIMER_SLOTS);
		uint64_t word = w->occupied[slot / 64] >> slot % 64;

		if (word != 0)
			return ahead + (unsigned)__builtin_ctzll(word);
		ahead += 64 - slot % 64;
	}
	return TIMER_SLOTS;
}

int timer_wheel_wait_ms(const struct timer_wheel *w, uint64_t now_ms)
{
	unsigned ahead = next_occupied(w, w->tick);
	uint64_t due_ms;

	if (ahead >= TIMER_SLOTS)
		return -1;
	due_ms = (w->tick + ahead) * TIMER_TICK_MS;
	return due_ms > now_ms ? (int)(due_ms - now_ms) : 0;
}

static void fire_slot(struct timer_wheel *w, unsigned slot, uint64_t now_ms)
{
	struct list due;

	list_init(&due);
	list_move_all(&w->slots[slot], &due);
	w->occupied[slot / 64] &= ~(UINT64_C(1) << slot % 64);
	/* A callback may cancel others in `due`, so always take the first. */
	while (!list_is_empty(&due)) {
		struct timer *t = LIST_OWNER(due.next, struct timer, node);

		list_remove(&t->node);
		if (t->deadline_ms > now_ms) {
			enqueue(w, t);
			continue;
		}
		t->deadline_ms = UINT64_MAX;
		t->on_timeout(t);
	}
}

void timer_wheel_run(struct timer_wheel *w, uint64_t now_ms)
{
	uint64_t now_tick = tick_of(now_ms);

	while (w->tick <= now_tick) {
		unsigned ahead = next_occupied(w, w->tick);
		unsigned slot;

		if (ahead >= TIMER_SLOTS || w->tick + ahead > now_tick) {
			w->tick = now_tick + 1;
			return;
		}
		w->tick += ahead;
		slot = (unsigned)(w->tick % TIMER_SLOTS);
		/* Past this tick before its timers fire: what they set goes into a later slot. */
		w->tick++;
		fire_slot(w, slot, now_ms);
	}
}
