#include "standin.h"

#include "kubeapi/apievents.h"
#include "sys/clock.h"

static struct loop loop;
static struct resolver resolver;
static struct apievents events;
static struct talk *talk;
static char refused[512];

static void on_refused(struct apievents *a, const char *text)
{
	CHECK(a == &events);
	snprintf(refused, sizeof refused, "%s", text);
}

static void setup(void)
{
	struct resolver_config config = {.server_count = 0};
	struct error e;

	refused[0] = '\0';
	talk = talk_new("plain", "http://127.0.0.1:%u");
	CHECK(loop_init(&loop, &e));
	resolver_init(&resolver, &loop, &config);
	CHECK(apievents_init(&events, &talk->config, "Service", "tester", &loop, &resolver, &e));
	events.on_refused = on_refused;
}

static void teardown(void)
{
	struct error e;

	apievents_fini(&events);
	apievents_fini(&events);
	resolver_fini(&resolver);
	CHECK(loop_turn(&loop, 0, &e));
	loop_fini(&loop);
	talk_free(talk);
}

static void warn(const char *namespace, const char *message)
{
	struct objstream_object object = {.namespace = span_from_cstr(namespace),
					  .name = SPAN("web"),
					  .uid = SPAN("u-1"),
					  .version = SPAN("7")};

	apievents_warn(&events, &object, "NotRouted", span_from_cstr(message));
}

static void turn_until_all_done(void)
{
	uint64_t until = clock_monotonic_ms() + 20000;
	struct error e;

	while (events.count > 0) {
		CHECK(clock_monotonic_ms() < until);
		CHECK(loop_turn(&loop, 20, &e));
	}
}

static void writes_an_event_as_the_server_wants_it(void)
{
	setup();
	warn("takes", "spec.externalName: \"x\" is no\nname");
	CHECK_INT(events.count, 1);
	warn("takes", "another");
	turn_until_all_done();
	CHECK_TEXT(refused, "");
	CHECK_INT(events.sent, 2);
	CHECK_INT(events.dropped, 0);
	teardown();
}

static void is_quiet_where_it_may_not(void)
{
	setup();
	warn("refuses", "one");
	warn("refuses", "two");
	turn_until_all_done();
	CHECK(strstr(refused, "403 for POST /api/v1/namespaces/refuses/events") != NULL);
	warn("takes", "three");
	CHECK_INT(events.count, 0);
	CHECK_INT(events.sent, 0);
	CHECK_INT(events.dropped, 3);
	teardown();
}

static void drops_what_would_be_too_many_or_too_long(void)
{
	static char name[300];

	setup();
	for (unsigned i = 0; i < APIEVENTS_WAITING_MAX + 3; i++)
		warn("takes", "again");
	CHECK_INT(events.count, APIEVENTS_WAITING_MAX);
	CHECK_INT(events.dropped, 3);
	turn_until_all_done();
	CHECK_INT(events.sent, APIEVENTS_WAITING_MAX);
	memset(name, 'n', sizeof name - 1);
	warn(name, "no such namespace");
	CHECK_INT(events.count, 0);
	warn("takes", "one that is under way");
	teardown();
}

UNIT_TESTS(TEST(writes_an_event_as_the_server_wants_it), TEST(is_quiet_where_it_may_not),
	   TEST(drops_what_would_be_too_many_or_too_long))
