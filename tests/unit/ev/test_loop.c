#include "../unit.h"

#include <sys/socket.h>

#include "ev/loop.h"
#include "sys/clock.h"
#include "sys/fd.h"

#define DEADLINE_MS 5000

static struct loop loop;

/* What was called, in order, one letter each. */
static char story[64];

static void tell(char letter)
{
	size_t len = strlen(story);

	if (len + 1 < sizeof story)
		story[len] = letter;
}

/* A watch and a deferred call that tell a letter and then do one thing. */
struct actor {
	struct watch watch;
	struct deferred deferred;
	struct timer timer;
	char letter;
	int fd, peer;
	unsigned events;
	struct actor *removes; /* another's watch */
	struct actor *defers;  /* another's deferred call */
	struct actor *undefers;
};

static void on_deferred(struct deferred *d);

static void act(struct actor *a)
{
	tell(a->letter);
	if (a->removes != NULL)
		loop_remove(&loop, &a->removes->watch);
	if (a->undefers != NULL)
		loop_undefer(&a->undefers->deferred);
	if (a->defers != NULL)
		loop_defer(&loop, &a->defers->deferred, on_deferred);
}

static void on_event(struct watch *w, unsigned events)
{
	struct actor *a = LIST_OWNER(w, struct actor, watch);

	a->events = events;
	act(a);
}

static void on_deferred(struct deferred *d)
{
	act(LIST_OWNER(d, struct actor, deferred));
}

static void on_timeout(struct timer *t)
{
	act(LIST_OWNER(t, struct actor, timer));
}

static void on_end_of_turn(struct loop *l)
{
	CHECK(l == &loop);
	tell('.');
}

static void setup(struct actor *actors, size_t count)
{
	struct error e;

	memset(story, 0, sizeof story);
	CHECK(loop_init(&loop, &e));
	for (size_t i = 0; i < count; i++) {
		struct actor *a = &actors[i];
		int pair[2];

		*a = (struct actor){.letter = (char)('a' + i), .watch.fd = -1};
		CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
		a->fd = pair[0];
		a->peer = pair[1];
		loop_deferred_init(&a->deferred);
		timer_init(&a->timer, on_timeout);
	}
}

static void teardown(struct actor *actors, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		loop_remove(&loop, &actors[i].watch);
		fd_close(&actors[i].fd);
		fd_close(&actors[i].peer);
	}
	loop_fini(&loop);
	CHECK_INT(loop.epoll_fd, -1);
}

static void turn(void)
{
	struct error e;

	memset(story, 0, sizeof story);
	CHECK(loop_turn(&loop, 0, &e));
}

static void add(struct actor *a)
{
	struct error e;

	CHECK(loop_add(&loop, &a->watch, a->fd, on_event, &e));
}

static void tells_an_edge_once(void)
{
	struct actor a;

	setup(&a, 1);
	add(&a);
	turn();
	CHECK_TEXT(story, "a");
	CHECK_INT(a.events, LOOP_WRITABLE);
	turn();
	CHECK_TEXT(story, "");
	CHECK(write(a.peer, "x", 1) == 1);
	turn();
	CHECK_TEXT(story, "a");
	CHECK(a.events & LOOP_READABLE);
	/* Not read, and still not told again until more comes. */
	turn();
	CHECK_TEXT(story, "");
	CHECK(write(a.peer, "x", 1) == 1);
	turn();
	CHECK_TEXT(story, "a");
	CHECK(!(a.events & LOOP_HANGUP));
	teardown(&a, 1);
}

static void tells_a_level_again_and_only_for_reading(void)
{
	struct actor a;
	struct error e;

	setup(&a, 1);
	CHECK(loop_add_level(&loop, &a.watch, a.fd, on_event, &e));
	turn();
	CHECK_TEXT(story, "");
	CHECK(write(a.peer, "x", 1) == 1);
	for (int i = 0; i < 3; i++) {
		turn();
		CHECK_TEXT(story, "a");
		CHECK_INT(a.events, LOOP_READABLE);
	}
	teardown(&a, 1);
}

static void tells_a_hangup_together_with_readable(void)
{
	struct actor a;

	setup(&a, 1);
	add(&a);
	turn();
	CHECK(shutdown(a.peer, SHUT_WR) == 0);
	turn();
	CHECK_TEXT(story, "a");
	CHECK((a.events & (LOOP_HANGUP | LOOP_READABLE)) == (LOOP_HANGUP | LOOP_READABLE));
	fd_close(&a.peer);
	turn();
	CHECK_INT(a.events, LOOP_HANGUP | LOOP_READABLE | LOOP_WRITABLE);
	teardown(&a, 1);
}

static void silences_an_event_already_fetched_when_its_watch_is_removed(void)
{
	struct actor a[2];

	setup(a, 2);
	add(&a[0]);
	add(&a[1]);
	/* Whichever is told first removes the other: both events are in one batch. */
	a[0].removes = &a[1];
	a[1].removes = &a[0];
	turn();
	CHECK_INT(strlen(story), 1);
	CHECK_INT((a[0].watch.fd == -1) + (a[1].watch.fd == -1), 1);
	turn();
	CHECK_TEXT(story, "");
	teardown(a, 2);
}

static void does_not_tell_an_old_event_to_a_watch_added_again(void)
{
	struct actor a[2];

	setup(a, 2);
	add(&a[0]);
	add(&a[1]);
	turn();
	CHECK(write(a[0].peer, "x", 1) == 1);
	turn();
	CHECK_TEXT(story, "a");
	loop_remove(&loop, &a[0].watch);
	loop_remove(&loop, &a[0].watch);
	CHECK_INT(a[0].watch.fd, -1);
	turn();
	CHECK_TEXT(story, "");
	add(&a[0]);
	turn();
	CHECK_TEXT(story, "a");
	CHECK_INT(a[0].events, LOOP_READABLE | LOOP_WRITABLE);
	teardown(a, 2);
}

static void goes_through_the_phases_in_order(void)
{
	struct actor a[3];

	setup(a, 3);
	loop.end_of_turn = on_end_of_turn;
	add(&a[0]);
	a[0].defers = &a[2];
	loop_timer_set(&loop, &a[1].timer, 1);
	/* The timer's tick has to have passed for it to be due in the same turn. */
	for (uint64_t until = clock_monotonic_ms() + 4 * TIMER_TICK_MS;
	     clock_monotonic_ms() < until;)
		usleep(1000);
	turn();
	CHECK_TEXT(story, "abc.");
	teardown(a, 3);
}

static void leaves_what_deferred_calls_defer_for_the_next_turn(void)
{
	struct actor a[3];
	uint64_t before = clock_monotonic_ms();
	struct error e;

	setup(a, 3);
	loop.end_of_turn = on_end_of_turn;
	a[0].defers = &a[0];
	a[1].defers = &a[2];
	loop_defer(&loop, &a[1].deferred, on_deferred);
	loop_defer(&loop, &a[0].deferred, on_deferred);
	loop_defer(&loop, &a[1].deferred, on_deferred);
	turn();
	CHECK_TEXT(story, "ba.");
	/* It doesn't wait: something is to be done. */
	memset(story, 0, sizeof story);
	CHECK(loop_turn(&loop, DEADLINE_MS, &e));
	CHECK_TEXT(story, "ca.");
	a[0].defers = NULL;
	turn();
	CHECK_TEXT(story, "a.");
	turn();
	CHECK_TEXT(story, ".");
	CHECK(clock_monotonic_ms() - before < DEADLINE_MS);
	teardown(a, 3);
}

static void takes_a_deferred_call_back_even_in_its_phase(void)
{
	struct actor a[3];

	setup(a, 3);
	a[0].undefers = &a[1];
	for (int i = 0; i < 3; i++)
		loop_defer(&loop, &a[i].deferred, on_deferred);
	turn();
	CHECK_TEXT(story, "ac");
	loop_defer(&loop, &a[2].deferred, on_deferred);
	loop_undefer(&a[2].deferred);
	loop_undefer(&a[2].deferred);
	turn();
	CHECK_TEXT(story, "");
	teardown(a, 3);
}

static void waits_for_timers_and_reads_the_clock_once_per_turn(void)
{
	struct actor a;
	struct error e;
	uint64_t start, seen;

	setup(&a, 1);
	start = loop_now_ms(&loop);
	loop_timer_set(&loop, &a.timer, 40);
	memset(story, 0, sizeof story);
	while (story[0] == 0) {
		CHECK(loop_turn(&loop, -1, &e));
		CHECK(loop_now_ms(&loop) - start < DEADLINE_MS);
	}
	CHECK_TEXT(story, "a");
	CHECK(loop_now_ms(&loop) >= start + 40);
	seen = loop_now_ms(&loop);
	usleep(3000);
	CHECK_INT(loop_now_ms(&loop), seen);
	turn();
	CHECK(loop_now_ms(&loop) >= seen + 3);
	teardown(&a, 1);
}

static void stop(struct deferred *d)
{
	on_deferred(d);
	loop_stop(&loop);
}

static void runs_until_stopped(void)
{
	struct actor a;
	struct error e;

	setup(&a, 1);
	loop.end_of_turn = on_end_of_turn;
	loop_defer(&loop, &a.deferred, stop);
	CHECK(loop_run(&loop, &e));
	CHECK_TEXT(story, "a.");
	teardown(&a, 1);
}

static void refuses_what_cannot_be_watched(void)
{
	struct actor a;
	struct error e;

	setup(&a, 1);
	CHECK(!loop_add(&loop, &a.watch, -1, on_event, &e));
	CHECK_INT(a.watch.fd, -1);
	CHECK(span_starts_with(span_from_cstr(e.text), SPAN("cannot watch a descriptor: ")));
	teardown(&a, 1);
	CHECK(!loop_turn(&loop, 0, &e));
}

static void closing_silences_a_watch_and_takes_its_descriptor_out_of_the_set(void)
{
	struct actor a[2];
	int fd;

	setup(a, 2);
	add(&a[0]);
	add(&a[1]);
	turn();
	CHECK(send(a[0].peer, "x", 1, 0) == 1);
	CHECK(send(a[1].peer, "x", 1, 0) == 1);
	fd = a[0].watch.fd;
	loop_close(&loop, &a[0].watch);
	CHECK_INT(a[0].watch.fd, -1);
	CHECK(send(a[0].peer, "x", 1, MSG_NOSIGNAL) == -1);
	/* A new one of the same number has none of the old one's events. */
	CHECK_INT(dup(a[1].fd), fd);
	turn();
	CHECK_TEXT(story, "b");
	loop_close(&loop, &a[0].watch);
	a[0].fd = fd;
	teardown(a, 2);
}

UNIT_TESTS(TEST(closing_silences_a_watch_and_takes_its_descriptor_out_of_the_set),
	   TEST(tells_an_edge_once), TEST(tells_a_level_again_and_only_for_reading),
	   TEST(tells_a_hangup_together_with_readable),
	   TEST(silences_an_event_already_fetched_when_its_watch_is_removed),
	   TEST(does_not_tell_an_old_event_to_a_watch_added_again),
	   TEST(goes_through_the_phases_in_order),
	   TEST(leaves_what_deferred_calls_defer_for_the_next_turn),
	   TEST(takes_a_deferred_call_back_even_in_its_phase),
	   TEST(waits_for_timers_and_reads_the_clock_once_per_turn), TEST(runs_until_stopped),
	   TEST(refuses_what_cannot_be_watched))
