#include "proxy/view.h"

#include <string.h>

#include "base/alloc.h"

/*
 * True when that was the last one. Everything done before by any holder happens before the freeing.
 */
static bool drop(atomic_uint *refs)
{
	return atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel) == 1;
}

static void take(atomic_uint *refs)
{
	atomic_fetch_add_explicit(refs, 1, memory_order_relaxed);
}

struct endpoints *view_endpoints_new(enum resolver_state state, const struct addr *addrs,
				     unsigned count)
{
	struct endpoints *e = alloc_get(sizeof *e + count * sizeof e->addrs[0]);

	if (e == NULL)
		return NULL;
	atomic_init(&e->refs, 1);
	e->state = state;
	e->trusted = false;
	e->count = count;
	if (count > 0)
		memcpy(e->addrs, addrs, count * sizeof e->addrs[0]);
	return e;
}

void view_endpoints_ref(struct endpoints *e)
{
	take(&e->refs);
}

void view_endpoints_unref(struct endpoints *e)
{
	if (e != NULL && drop(&e->refs))
		alloc_put(e);
}

struct generation *view_generation_new(struct route_table *table)
{
	struct generation *g = alloc_get(sizeof *g);

	if (g == NULL)
		return NULL;
	atomic_init(&g->refs, 1);
	g->table = table;
	g->tallies = NULL;
	return g;
}

void view_generation_unref(struct generation *g)
{
	if (g == NULL || !drop(&g->refs))
		return;
	route_table_free(g->table);
	alloc_put(g->tallies);
	alloc_put(g);
}

struct view *view_new(struct generation *g, struct endpoints *const *endpoints)
{
	size_t count = g->table->target_count;
	struct view *v = alloc_get(sizeof *v + count * sizeof(struct endpoints *));

	if (v == NULL)
		return NULL;
	atomic_init(&v->refs, 1);
	v->generation = g;
	take(&g->refs);
	for (size_t i = 0; i < count; i++) {
		v->endpoints[i] = endpoints[i];
		view_endpoints_ref(endpoints[i]);
	}
	return v;
}

void view_ref(struct view *v)
{
	take(&v->refs);
}

void view_unref(struct view *v)
{
	if (v == NULL || !drop(&v->refs))
		return;
	for (size_t i = 0; i < v->generation->table->target_count; i++)
		view_endpoints_unref(v->endpoints[i]);
	view_generation_unref(v->generation);
	alloc_put(v);
}
