/*
 * view: what the control thread tells the workers: a route table and, for each of its targets, the
 * addresses known now. Immutable once published, shared by reference counts; any thread may drop
 * the last reference.
 */
#ifndef PROXY_VIEW_H
#define PROXY_VIEW_H

#include <stdatomic.h>
#include <stddef.h>

#include "ev/resolver.h"
#include "net/addr.h"
#include "route/table.h"

struct tally_part;

/* The answer for one name. */
struct endpoints {
	atomic_uint refs;
	enum resolver_state state;
	bool trusted;	     /* the operator's own word: the guard has no say; false when new */
	unsigned count;	     /* > 0 only for RESOLVER_OK */
	struct addr addrs[]; /* port 0: the target's */
};

/* One route table, kept alive by all views of it. */
struct generation {
	atomic_uint refs;
	struct route_table *table;
	struct tally_part **tallies; /* tally_routes'; NULL: nothing is counted by Service */
};

struct view {
	atomic_uint refs;
	struct generation *generation;
	struct endpoints *endpoints[]; /* by target index */
};

/*
 * Each with one reference, NULL when memory is out. The generation takes the table over, on
 * success.
 */
struct endpoints *view_endpoints_new(enum resolver_state state, const struct addr *addrs,
				     unsigned count);
struct generation *view_generation_new(struct route_table *table);

/*
 * A view of the generation with these endpoints, one per target; takes a reference of its own on
 * each and on the generation.
 */
struct view *view_new(struct generation *g, struct endpoints *const *endpoints);

void view_ref(struct view *v);
void view_endpoints_ref(struct endpoints *e);
/* NULL is fine, in all three. */
void view_unref(struct view *v);
void view_generation_unref(struct generation *g);
void view_endpoints_unref(struct endpoints *e);

static inline const struct route_table *view_table(const struct view *v)
{
	return v->generation->table;
}

#endif
