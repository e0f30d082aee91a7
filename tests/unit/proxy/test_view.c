#include "../route/tables.h"

#include <pthread.h>

#include "base/alloc.h"
#include "proxy/view.h"

static const char *const rows[] = {"web.default a.example 80:http,443:https",
				   "other.default b.example 80:http", NULL};

/*
 * What a table and everything that was made of it is worth; who frees too little or twice, ASan
 * tells.
 */
static struct generation *generation(void)
{
	struct generation *g = view_generation_new(tables_new(rows));

	CHECK(g != NULL);
	return g;
}

static unsigned refs(const atomic_uint *count)
{
	return atomic_load(count);
}

static void endpoints_keep_a_copy_of_the_addresses(void)
{
	struct addr addrs[2] = {{.family = 4, .bytes = {192, 0, 2, 1}},
				{.family = 6, .port = 7, .bytes = {0x20, 0x01}}};
	struct endpoints *e = view_endpoints_new(RESOLVER_OK, addrs, 2);

	addrs[0].bytes[0] = 0;
	CHECK_INT(e->state, RESOLVER_OK);
	CHECK_INT(e->count, 2);
	CHECK_INT(e->addrs[0].bytes[0], 192);
	CHECK(addr_eq(&e->addrs[1], &addrs[1]));
	view_endpoints_unref(e);
	e = view_endpoints_new(RESOLVER_NXDOMAIN, NULL, 0);
	CHECK_INT(e->count, 0);
	CHECK_INT(refs(&e->refs), 1);
	view_endpoints_unref(e);
}

static void views_share_what_they_are_made_of(void)
{
	struct generation *g = generation();
	struct endpoints *e[3], *fresh;
	struct view *first, *second;

	CHECK_INT(g->table->target_count, 3);
	for (int i = 0; i < 3; i++)
		e[i] = view_endpoints_new(RESOLVER_PENDING, NULL, 0);
	first = view_new(g, e);
	CHECK(view_table(first) == g->table);
	CHECK_INT(refs(&g->refs), 2);
	CHECK_INT(refs(&e[0]->refs), 2);

	fresh = view_endpoints_new(RESOLVER_OK, NULL, 0);
	view_endpoints_unref(e[1]);
	e[1] = fresh;
	second = view_new(g, e);
	CHECK_INT(refs(&g->refs), 3);
	CHECK_INT(refs(&e[0]->refs), 3);
	CHECK(first->endpoints[1] != second->endpoints[1]);
	CHECK_INT(first->endpoints[1]->state, RESOLVER_PENDING);

	/* The owner leaves, then the views one after the other; the table goes with the last. */
	for (int i = 0; i < 3; i++)
		view_endpoints_unref(e[i]);
	view_generation_unref(g);
	view_ref(second);
	view_unref(first);
	CHECK_INT(refs(&second->refs), 2);
	CHECK_INT(refs(&second->generation->refs), 1);
	CHECK_INT(refs(&second->endpoints[0]->refs), 1);
	view_unref(second);
	CHECK_INT(second->endpoints[1]->state, RESOLVER_OK);
	CHECK_INT(view_table(second)->target_count, 3);
	view_unref(second);
}

static void nothing_is_let_go_of_harmlessly(void)
{
	view_unref(NULL);
	view_generation_unref(NULL);
	view_endpoints_unref(NULL);
}

static void without_memory_nothing_is_taken(void)
{
	struct generation *g = generation();
	struct route_table *table = tables_new(rows);
	struct endpoints *e = view_endpoints_new(RESOLVER_PENDING, NULL, 0);
	struct endpoints *all[] = {e, e, e};

	alloc_fail_after(0);
	CHECK(view_endpoints_new(RESOLVER_OK, NULL, 0) == NULL);
	CHECK(view_generation_new(table) == NULL);
	CHECK(view_new(g, all) == NULL);
	alloc_fail_after(-1);
	CHECK_INT(refs(&g->refs), 1);
	CHECK_INT(refs(&e->refs), 1);
	/* The table was not taken over. */
	CHECK_INT(table->target_count, 3);
	route_table_free(table);
	view_endpoints_unref(e);
	view_generation_unref(g);
}

#define HOLDERS 4
#define ROUNDS 20000

static void *hold_and_drop(void *context)
{
	struct view *v = context;

	for (int i = 0; i < ROUNDS; i++) {
		view_ref(v);
		if (v->generation->table->target_count != 3)
			abort();
		view_unref(v);
	}
	view_unref(v);
	return NULL;
}

static void any_thread_may_drop_the_last_reference(void)
{
	struct generation *g = generation();
	struct endpoints *e = view_endpoints_new(RESOLVER_PENDING, NULL, 0);
	struct endpoints *all[] = {e, e, e};
	struct view *v = view_new(g, all);
	pthread_t threads[HOLDERS];

	view_endpoints_unref(e);
	for (int i = 0; i < HOLDERS; i++) {
		view_ref(v);
		CHECK(pthread_create(&threads[i], NULL, hold_and_drop, v) == 0);
	}
	view_unref(v);
	for (int i = 0; i < HOLDERS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	/* The view is gone, and its references with it. */
	CHECK_INT(refs(&g->refs), 1);
	view_generation_unref(g);
}

UNIT_TESTS(TEST(endpoints_keep_a_copy_of_the_addresses), TEST(views_share_what_they_are_made_of),
	   TEST(nothing_is_let_go_of_harmlessly), TEST(without_memory_nothing_is_taken),
	   TEST(any_thread_may_drop_the_last_reference))
