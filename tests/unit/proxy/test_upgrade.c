#include "../unit.h"

#include <pthread.h>
#include <sys/socket.h>

#include "proxy/listener.h"
#include "proxy/upgrade.h"
#include "sys/fd.h"
#include "sys/log.h"

#define SOCKETS 150

static char path[64];
static struct loop loops[3];
static struct upgrade generations[3];
static struct addr places[3];
static int sockets[SOCKETS], handed_over;

static size_t list(void *context, int *fds, size_t max)
{
	CHECK(context == &loops[0] && max > SOCKETS);
	memcpy(fds, sockets, sizeof sockets);
	return SOCKETS;
}

static void on_handed_over(void *context)
{
	(void)context;
	handed_over++;
}

static void start(int number)
{
	struct upgrade *u = &generations[number];
	struct error e;

	u->list = list;
	u->on_handed_over = on_handed_over;
	u->context = &loops[0];
	CHECK(loop_init(&loops[number], &e));
	CHECK(upgrade_start(u, &loops[number], &e));
}

/* The sockets of the first: on three addresses in turn. */
static void setup(void)
{
	struct error e;

	log_set_level(LOG_ERROR);
	snprintf(path, sizeof path, "@test_upgrade.%d", (int)getpid());
	handed_over = 0;
	for (int i = 0; i < 3; i++)
		places[i] = (struct addr){.family = 4, .bytes = {127, 0, 0, 1}};
	for (int i = 0; i < SOCKETS; i++) {
		sockets[i] = listener_open(&places[i % 3], false, &e);
		CHECK(sockets[i] != -1);
	}
	CHECK(upgrade_open(&generations[0], path, &e));
	CHECK_INT(generations[0].taken_count, 0);
	CHECK_INT(upgrade_claim(&generations[0], &places[0], false), -1);
	start(0);
}

static void stop(int number)
{
	upgrade_stop(&generations[number]);
	upgrade_stop(&generations[number]);
	loop_fini(&loops[number]);
}

static void teardown(void)
{
	for (int i = 0; i < SOCKETS; i++)
		fd_close(&sockets[i]);
	log_set_level(LOG_INFO);
}

static void turn(int number)
{
	struct error e;

	for (int i = 0; i < 5; i++)
		CHECK(loop_turn(&loops[number], 2, &e));
}

static void *open_in_thread(void *next)
{
	static struct error e;

	return upgrade_open(next, path, &e) ? NULL : e.text;
}

/* upgrade_open waits for the one whose place is to be taken; what it said, NULL when it is well. */
static const char *open_next(int number, int running)
{
	void *said = NULL;
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, open_in_thread, &generations[number]) == 0);
	while (pthread_tryjoin_np(thread, &said) != 0)
		turn(running);
	return said;
}

static void sockets_are_passed_on_and_claimed_by_their_address(void)
{
	struct addr other = {.family = 4, .port = 1, .bytes = {127, 0, 0, 1}};
	struct upgrade *next = &generations[1];

	setup();
	CHECK(open_next(1, 0) == NULL);
	CHECK_INT(next->taken_count, SOCKETS);
	CHECK_INT(upgrade_count(next, &places[0], false), SOCKETS / 3);
	CHECK_INT(upgrade_count(next, &places[0], true), 0);
	CHECK_INT(upgrade_claim(next, &other, false), -1);
	for (int i = 0; i < SOCKETS / 3; i++) {
		int fd = upgrade_claim(next, &places[1], false);

		CHECK(fd != -1);
		fd_close(&fd);
	}
	CHECK_INT(upgrade_claim(next, &places[1], false), -1);
	CHECK_INT(upgrade_count(next, &places[2], false), SOCKETS / 3);
	upgrade_claimed(next);
	CHECK_INT(upgrade_count(next, &places[2], false), 0);
	stop(0);
	upgrade_stop(next);
	teardown();
}

static void the_old_one_stops_when_the_new_one_is_ready(void)
{
	setup();
	CHECK(open_next(1, 0) == NULL);
	upgrade_claimed(&generations[1]);
	start(1);
	turn(0);
	turn(1);
	CHECK_INT(handed_over, 0);
	upgrade_ready(&generations[1]);
	upgrade_ready(&generations[1]);
	turn(0);
	CHECK_INT(handed_over, 1);
	CHECK_INT(generations[0].server_fd, -1);
	/* The socket is the new one's now. */
	turn(1);
	CHECK(open_next(2, 1) == NULL);
	CHECK_INT(generations[2].taken_count, SOCKETS);
	upgrade_stop(&generations[2]);
	stop(1);
	stop(0);
	teardown();
}

static void one_that_goes_before_it_is_ready_changes_nothing(void)
{
	setup();
	CHECK(open_next(1, 0) == NULL);
	upgrade_stop(&generations[1]);
	turn(0);
	CHECK_INT(handed_over, 0);
	CHECK(open_next(1, 0) == NULL);
	CHECK_INT(generations[1].taken_count, SOCKETS);
	upgrade_stop(&generations[1]);
	stop(0);
	teardown();
}

static void two_at_a_time_are_one_too_many(void)
{
	const char *said;

	setup();
	CHECK(open_next(1, 0) == NULL);
	said = open_next(2, 0);
	CHECK(said != NULL && strstr(said, "another may be taking its place") != NULL);
	CHECK_INT(generations[2].old, -1);
	upgrade_stop(&generations[1]);
	stop(0);
	teardown();
}

UNIT_TESTS(TEST(sockets_are_passed_on_and_claimed_by_their_address),
	   TEST(the_old_one_stops_when_the_new_one_is_ready),
	   TEST(one_that_goes_before_it_is_ready_changes_nothing),
	   TEST(two_at_a_time_are_one_too_many))
