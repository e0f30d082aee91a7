#include "../unit.h"

#include "ev/timer.h"

struct probe {
	struct timer timer;
	struct timer_wheel *wheel;
	uint64_t now_ms; /* what the test says the time is */
	uint64_t fired_at_ms;
	int fired;
	uint64_t again_after_ms; /* set itself again, once */
	struct timer *cancels;
};

static void on_timeout(struct timer *t)
{
	struct probe *p = LIST_OWNER(t, struct probe, timer);

	p->fired++;
	p->fired_at_ms = p->now_ms;
	if (p->cancels != NULL)
		timer_cancel(p->cancels);
	if (p->again_after_ms > 0) {
		timer_set(p->wheel, t, p->now_ms + p->again_after_ms);
		p->again_after_ms = 0;
	}
}

/* Advances the wheel as a loop does: to the time that it asks to be woken at, until `until_ms`. */
static void advance(struct timer_wheel *w, struct probe *probes, int count, uint64_t from_ms,
		    uint64_t until_ms)
{
	uint64_t now_ms = from_ms;

	while (now_ms <= until_ms) {
		int wait_ms;

		for (int i = 0; i < count; i++)
			probes[i].now_ms = now_ms;
		timer_wheel_run(w, now_ms);
		wait_ms = timer_wheel_wait_ms(w, now_ms);
		if (wait_ms < 0)
			return;
		now_ms += wait_ms > 0 ? (uint64_t)wait_ms : 1;
	}
}

static void setup(struct timer_wheel *w, struct probe *probes, int count, uint64_t now_ms)
{
	timer_wheel_init(w, now_ms);
	memset(probes, 0, sizeof *probes * (size_t)count);
	for (int i = 0; i < count; i++) {
		timer_init(&probes[i].timer, on_timeout);
		probes[i].wheel = w;
	}
}

static void fires_never_early_and_within_one_tick(void)
{
	static const uint64_t delays[] = {0,   1,    15,   16,	 17,	100,
					  999, 4095, 4096, 5000, 60000, 3600000};
	struct timer_wheel w;
	struct probe p;

	for (uint64_t start = 1000; start < 1020; start++)
		for (size_t i = 0; i < sizeof delays / sizeof delays[0]; i++) {
			setup(&w, &p, 1, start);
			timer_set(&w, &p.timer, start + delays[i]);
			advance(&w, &p, 1, start, start + delays[i] + 1000);
			CHECK_INT(p.fired, 1);
			CHECK(p.fired_at_ms >= start + delays[i]);
			CHECK(p.fired_at_ms <= start + delays[i] + TIMER_TICK_MS);
		}
}

static void a_deadline_moved_away_fires_once_at_the_new_time(void)
{
	struct timer_wheel w;
	struct probe p;

	setup(&w, &p, 1, 0);
	timer_set(&w, &p.timer, 100);
	timer_set(&w, &p.timer, 5000);
	advance(&w, &p, 1, 0, 10000);
	CHECK_INT(p.fired, 1);
	CHECK(p.fired_at_ms >= 5000 && p.fired_at_ms <= 5000 + TIMER_TICK_MS);
}

static void a_deadline_moved_closer_fires_at_the_new_time(void)
{
	struct timer_wheel w;
	struct probe p;

	setup(&w, &p, 1, 0);
	timer_set(&w, &p.timer, 5000);
	timer_set(&w, &p.timer, 100);
	advance(&w, &p, 1, 0, 10000);
	CHECK_INT(p.fired, 1);
	CHECK(p.fired_at_ms >= 100 && p.fired_at_ms <= 100 + TIMER_TICK_MS);
}

static void a_cancelled_timer_stays_silent(void)
{
	struct timer_wheel w;
	struct probe p;

	setup(&w, &p, 1, 0);
	timer_set(&w, &p.timer, 100);
	CHECK(timer_is_set(&p.timer));
	timer_cancel(&p.timer);
	timer_cancel(&p.timer);
	CHECK(!timer_is_set(&p.timer));
	advance(&w, &p, 1, 0, 10000);
	CHECK_INT(p.fired, 0);
}

static void a_callback_may_set_its_own_timer_again(void)
{
	struct timer_wheel w;
	struct probe p;

	setup(&w, &p, 1, 0);
	p.again_after_ms = 300;
	timer_set(&w, &p.timer, 100);
	advance(&w, &p, 1, 0, 10000);
	CHECK_INT(p.fired, 2);
	CHECK(p.fired_at_ms >= 400);
}

static void a_callback_may_cancel_another_of_the_same_tick(void)
{
	struct timer_wheel w;
	struct probe p[2];

	setup(&w, p, 2, 0);
	p[0].cancels = &p[1].timer;
	timer_set(&w, &p[0].timer, 100);
	timer_set(&w, &p[1].timer, 100);
	advance(&w, p, 2, 0, 1000);
	CHECK_INT(p[0].fired, 1);
	CHECK_INT(p[1].fired, 0);
}

static void an_empty_wheel_asks_for_no_wake_up(void)
{
	struct timer_wheel w;
	struct probe p;

	setup(&w, &p, 1, 0);
	CHECK_INT(timer_wheel_wait_ms(&w, 0), -1);
	timer_set(&w, &p.timer, 50);
	CHECK(timer_wheel_wait_ms(&w, 0) > 0);
	advance(&w, &p, 1, 0, 100);
	CHECK_INT(timer_wheel_wait_ms(&w, 200), -1);
}

static void a_long_pause_fires_everything_that_is_due(void)
{
	struct timer_wheel w;
	struct probe p[64];

	setup(&w, p, 64, 0);
	for (int i = 0; i < 64; i++)
		timer_set(&w, &p[i].timer, (uint64_t)i * 50);
	timer_wheel_run(&w, 100000);
	for (int i = 0; i < 64; i++)
		CHECK_INT(p[i].fired, 1);
}

UNIT_TESTS(TEST(fires_never_early_and_within_one_tick),
	   TEST(a_deadline_moved_away_fires_once_at_the_new_time),
	   TEST(a_deadline_moved_closer_fires_at_the_new_time),
	   TEST(a_cancelled_timer_stays_silent), TEST(a_callback_may_set_its_own_timer_again),
	   TEST(a_callback_may_cancel_another_of_the_same_tick),
	   TEST(an_empty_wheel_asks_for_no_wake_up),
	   TEST(a_long_pause_fires_everything_that_is_due))
