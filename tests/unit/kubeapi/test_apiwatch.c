#include "standin.h"

#include "kubeapi/apiwatch.h"
#include "sys/clock.h"

static struct loop loop;
static struct resolver resolver;
static struct apiwatch watch;
static struct talk *talk;
static char seen[1024];
static char trouble[2048]; /* the last */

static void note(const char *text)
{
	size_t len = strlen(seen);

	snprintf(seen + len, sizeof seen - len, "%s", text);
}

static void on_list(struct apiwatch *w)
{
	CHECK(w == &watch);
	note("[");
}

static void on_object(struct apiwatch *w, const struct objstream_object *o)
{
	char text[128];

	CHECK(w == &watch && o->json.len > 0);
	CHECK_SPAN(o->namespace, "n");
	CHECK(o->uid.len == o->name.len + 2);
	snprintf(text, sizeof text, "%c%.*s@%.*s", "?=+~-??"[o->type], SPAN_ARG(o->name),
		 SPAN_ARG(o->version));
	note(text);
}

static void on_listed(struct apiwatch *w)
{
	CHECK(w->is_listed);
	note("]");
}

static void on_trouble(struct apiwatch *w, const char *text, uint64_t wait_ms)
{
	CHECK(wait_ms <= w->settings->retry_max_ms);
	snprintf(trouble, sizeof trouble, "%s", text);
	note("!");
}

/* Watches Services, of whose namespace the stand-in makes a scenario, until `expected`. */
static void follow(const char *scenario, const char *expected)
{
	static const struct apiwatch_listener listener = {on_list, on_object, on_listed,
							  on_trouble};
	struct apiwatch_settings settings = {.resource = "services",
					     .namespace = span_from_cstr(scenario),
					     .first = SPAN("\"kind\":\"Service\""),
					     .retry_min_ms = 1,
					     .retry_max_ms = 20};
	struct resolver_config config = {.server_count = 0};
	uint64_t until = clock_monotonic_ms() + 20000;
	struct error e;

	seen[0] = trouble[0] = '\0';
	talk = talk_new("ip4", "https://127.0.0.1:%u");
	CHECK(loop_init(&loop, &e));
	resolver_init(&resolver, &loop, &config);
	CHECK(apiwatch_start(&watch, &settings, &talk->config, &listener, &loop, &resolver, &e));
	while ((strcmp(seen, expected) != 0 || !apiwatch_is_open(&watch)) &&
	       clock_monotonic_ms() < until && strlen(seen) <= strlen(expected))
		CHECK(loop_turn(&loop, 20, &e));
	CHECK_TEXT(seen, expected);
	apiwatch_stop(&watch);
	apiwatch_stop(&watch);
	resolver_fini(&resolver);
	CHECK(loop_turn(&loop, 0, &e));
	loop_fini(&loop);
	talk_free(talk);
}

static void lists_in_pages_and_goes_on_from_the_last_version(void)
{
	follow("steady", "[=a@1=b@2]+c@11~a@12-b@13+d@21");
	CHECK_INT(watch.stats.lists, 1);
	CHECK_INT(watch.stats.events, 5);
	CHECK_INT(watch.stats.failures, 0);
}

static void lists_anew_when_the_version_is_too_old(void)
{
	follow("too_old", "[=a@1]![=b@2]");
	CHECK(strstr(trouble, "the watch ended: 410 \"too old resource version: 1 (9)\"") != NULL);
	follow("too_old_at_once", "[=b@2]![=b@2]");
	CHECK(strstr(trouble, "410 for GET") != NULL);
}

static void watches_again_from_there_when_cut_off(void)
{
	follow("cut_in_an_event", "[=a@1]!+c@11");
	CHECK_INT(watch.stats.lists, 1);
}

static void begins_the_list_again_when_its_token_expires(void)
{
	follow("page_expires", "[=a@1![=b@2]");
}

static void names_the_right_that_is_missing(void)
{
	follow("not_yet", "[![![=a@1=b@2]+c@11~a@12-b@13+d@21");
	CHECK(strstr(trouble, "not allowed to list services in namespace not_yet: ") == trouble);
	CHECK(strstr(trouble, "cannot list resource") != NULL);
	follow("no_watch", "[=a@1]!![=a@1]![=a@1]");
	CHECK(strstr(trouble, "not allowed to watch services in namespace no_watch: ") == trouble);
}

static void whatever_comes_is_an_error_and_no_more(void)
{
	follow("nonsense", "[=a@1]!![=a@1]![=a@1]![=a@1]![=a@1]![=a@1]![=a@1]+c@11");
	CHECK(strstr(trouble, "ended the watch at once") != NULL);
}

UNIT_TESTS(TEST(lists_in_pages_and_goes_on_from_the_last_version),
	   TEST(lists_anew_when_the_version_is_too_old),
	   TEST(watches_again_from_there_when_cut_off),
	   TEST(begins_the_list_again_when_its_token_expires),
	   TEST(names_the_right_that_is_missing), TEST(whatever_comes_is_an_error_and_no_more))
