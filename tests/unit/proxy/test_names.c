#include "../route/tables.h"

#include "base/alloc.h"
#include "proxy/names.h"
#include "sys/log.h"

static const char *const rows[] = {
	"a.default pinned.example 80:http,443:https", "b.default 192.0.2.7 80:http",
	"c.default nowhere.example 80:http", "d.default PINNED.example 8080:http", NULL};
static struct hosts_entry pins[2];
static struct loop loop;
static struct resolver resolver;
static struct names names;
static struct generation *table;

static void setup(void)
{
	struct resolver_config settings = {.pins = pins, .pin_count = 2};
	struct error e;

	for (uint8_t i = 0; i < 2; i++)
		pins[i] = (struct hosts_entry){.name = SPAN("pinned.example"),
					       .addr = {.family = 4, .bytes = {192, 0, 2, i}}};
	log_set_level(LOG_ERROR);
	CHECK(loop_init(&loop, &e));
	resolver_init(&resolver, &loop, &settings);
	table = view_generation_new(tables_new(rows));
	CHECK(table != NULL);
}

static void teardown(void)
{
	names_stop(&names);
	CHECK_INT(resolver.watched, 0);
	resolver_fini(&resolver);
	loop_fini(&loop);
	view_generation_unref(table);
	log_set_level(LOG_INFO);
}

static size_t target_of(const char *host, uint16_t port)
{
	const struct route_table *t = table->table;

	for (size_t i = 0; i < t->target_count; i++)
		if (span_eq(t->targets[i].host, span_from_cstr(host)) && t->targets[i].port == port)
			return i;
	unit_fail(__FILE__, __LINE__, "no target %s", host);
}

static void turn_until_all_answered(void)
{
	struct error e;

	for (int i = 0; i < 5000 && names.answered < names.count; i++)
		CHECK(loop_turn(&loop, 1, &e));
	CHECK_INT(names.answered, names.count);
}

static void watches_each_name_once_whatever_its_ports(void)
{
	struct error e;

	setup();
	CHECK(names_change(&names, &resolver, table->table, &e));
	CHECK_INT(names.target_count, 5);
	CHECK_INT(names.count, 3);
	CHECK_INT(resolver.watched, 3);
	teardown();
}

static void literal_and_pinned_addresses_are_there_at_once(void)
{
	struct error e;
	struct view *view;

	setup();
	CHECK(names_change(&names, &resolver, table->table, &e));
	CHECK_INT(names.answered, 2);
	CHECK_INT(names_count_state(&names, RESOLVER_OK), 2);
	CHECK_INT(names_count_state(&names, RESOLVER_PENDING), 1);
	view = names_view(&names, table);
	CHECK(view != NULL);
	CHECK(!names.changed);
	CHECK_INT(view->endpoints[target_of("pinned.example", 80)]->count, 2);
	CHECK(view->endpoints[target_of("pinned.example", 80)] ==
	      view->endpoints[target_of("pinned.example", 8080)]);
	CHECK_INT(view->endpoints[target_of("192.0.2.7", 80)]->count, 1);
	CHECK_INT(view->endpoints[target_of("nowhere.example", 80)]->state, RESOLVER_PENDING);
	view_unref(view);
	teardown();
}

static void what_is_pinned_is_trusted_and_nothing_else(void)
{
	struct error e;

	setup();
	CHECK(names_change(&names, &resolver, table->table, &e));
	CHECK(names.endpoints[target_of("pinned.example", 443)]->trusted);
	CHECK(!names.endpoints[target_of("192.0.2.7", 80)]->trusted);
	CHECK(!names.endpoints[target_of("nowhere.example", 80)]->trusted);
	teardown();
}

static void tells_each_name_with_its_targets(void)
{
	size_t seen = 0;
	struct error e;

	setup();
	CHECK(names_change(&names, &resolver, table->table, &e));
	for (size_t i = 0; i < names.count; i++) {
		const uint32_t *targets;
		size_t count;
		const struct resolver_name *name = names_at(&names, i, &targets, &count);

		for (size_t t = 0; t < count; t++)
			CHECK(span_eq(table->table->targets[targets[t]].host, name->name));
		seen += count;
	}
	CHECK_INT(seen, names.target_count);
	teardown();
}

/* Without a server every question fails at once: that is an answer too, and the view says which. */
static void a_change_makes_a_new_view_and_leaves_the_old_one_alone(void)
{
	struct view *before, *after;
	struct error e;
	size_t nowhere;

	setup();
	nowhere = target_of("nowhere.example", 80);
	CHECK(names_change(&names, &resolver, table->table, &e));
	before = names_view(&names, table);
	turn_until_all_answered();
	CHECK(names.changed);
	after = names_view(&names, table);
	CHECK(!names.changed);
	CHECK_INT(before->endpoints[nowhere]->state, RESOLVER_PENDING);
	CHECK_INT(after->endpoints[nowhere]->state, RESOLVER_SERVFAIL);
	CHECK_INT(after->endpoints[nowhere]->count, 0);
	CHECK_INT(names_count_state(&names, RESOLVER_SERVFAIL), 1);
	/* What did not change is shared. */
	CHECK(span_eq(table->table->targets[0].host, SPAN("pinned.example")));
	view_unref(before);
	/* A view outlives the names it was made of. */
	names_stop(&names);
	CHECK_INT(after->endpoints[target_of("192.0.2.7", 80)]->count, 1);
	view_unref(after);
	teardown();
}

static void an_empty_table_needs_nothing(void)
{
	static const char *const none[] = {NULL};
	struct generation *empty = view_generation_new(tables_new(none));
	struct error e;
	struct view *view;

	setup();
	CHECK(names_change(&names, &resolver, empty->table, &e));
	CHECK_INT(names.count, 0);
	view = names_view(&names, empty);
	CHECK(view != NULL);
	view_unref(view);
	teardown();
	view_generation_unref(empty);
}

/* Another table: one name stays under another index, one is new, the others go. */
static const char *const other_rows[] = {"x.default new.example 80:http",
					 "a.default Pinned.example 443:https",
					 "c.default nowhere.example 81:http", NULL};

static void names_that_stay_keep_what_is_known(void)
{
	struct generation *other = view_generation_new(tables_new(other_rows));
	struct view *before, *after;
	struct error e;

	setup();
	CHECK(names_change(&names, &resolver, table->table, &e));
	turn_until_all_answered();
	before = names_view(&names, table);
	CHECK(names_change(&names, &resolver, other->table, &e));
	CHECK(names.changed);
	CHECK_INT(names.count, 3);
	CHECK_INT(names.answered, 2);
	CHECK_INT(resolver.watched, 3);
	after = names_view(&names, other);
	CHECK_INT(after->endpoints[0]->state, RESOLVER_PENDING);
	CHECK(after->endpoints[1] == before->endpoints[target_of("pinned.example", 443)]);
	CHECK_INT(after->endpoints[2]->state, RESOLVER_SERVFAIL);
	turn_until_all_answered();
	CHECK(names.changed);
	view_unref(before);
	view_unref(after);
	CHECK(names_change(&names, &resolver, table->table, &e));
	CHECK_INT(names.answered, 3);
	teardown();
	view_generation_unref(other);
}

static void a_change_without_memory_changes_nothing(void)
{
	struct generation *other = view_generation_new(tables_new(other_rows));
	int failures = 0;
	struct error e;

	setup();
	CHECK(names_change(&names, &resolver, table->table, &e));
	turn_until_all_answered();
	for (bool ok = false; !ok; failures++) {
		alloc_fail_after(failures);
		ok = names_change(&names, &resolver, other->table, &e);
		alloc_fail_after(-1);
		if (ok)
			break;
		CHECK_INT(names.count, 3);
		CHECK_INT(names.answered, 3);
		CHECK_INT(resolver.watched, 3);
		CHECK_INT(names.endpoints[target_of("192.0.2.7", 80)]->state, RESOLVER_OK);
	}
	CHECK(failures > 5);
	CHECK_INT(names.target_count, 3);
	teardown();
	view_generation_unref(other);
}

static void starts_whole_or_not_at_all_without_memory(void)
{
	int failures = 0;

	for (int n = 0;; n++) {
		struct error e;
		struct view *view;
		bool started;

		CHECK(n < 200);
		setup();
		alloc_fail_after(n);
		started = names_change(&names, &resolver, table->table, &e);
		alloc_fail_after(0);
		view = started ? names_view(&names, table) : NULL;
		alloc_fail_after(-1);
		CHECK(view == NULL);
		CHECK(!started || names.changed);
		teardown();
		CHECK_INT(names.count, 0);
		if (started)
			break;
		failures++;
	}
	CHECK(failures > 5);
}

UNIT_TESTS(TEST(watches_each_name_once_whatever_its_ports),
	   TEST(literal_and_pinned_addresses_are_there_at_once),
	   TEST(what_is_pinned_is_trusted_and_nothing_else), TEST(tells_each_name_with_its_targets),
	   TEST(a_change_makes_a_new_view_and_leaves_the_old_one_alone),
	   TEST(an_empty_table_needs_nothing), TEST(names_that_stay_keep_what_is_known),
	   TEST(a_change_without_memory_changes_nothing),
	   TEST(starts_whole_or_not_at_all_without_memory))
