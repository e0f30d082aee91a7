/*
 * names: the external names of one route table, watched through the resolver, as endpoint sets
 * ready to be published. Lives in the control thread.
 */
#ifndef PROXY_NAMES_H
#define PROXY_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "ev/resolver.h"
#include "proxy/view.h"

struct names_entry; /* one name, and the targets that it is for */

struct names {
	struct names_entry **entries; /* in the order of their hosts */
	size_t count;
	size_t answered;	      /* entries that are no longer pending */
	struct endpoints **endpoints; /* by target; each target holds a reference of its own */
	size_t target_count;
	uint32_t *targets; /* target indices, grouped by entry */
	bool changed;	   /* endpoints differ from what names_view last gave */
};

/*
 * Watches the names of the table, which must outlive this or the next change. Names that *n (all
 * zeroes at first) has already stay as they are, with the addresses that are known; those that the
 * table lacks are let go. False, and nothing has changed, for what is no host name or when memory
 * is out.
 */
bool names_change(struct names *n, struct resolver *r, const struct route_table *table,
		  struct error *e);
void names_stop(struct names *n);

/* A view with what is known now; NULL when memory is out (and then `changed` stays). */
struct view *names_view(struct names *n, struct generation *g);

/* The name at `index`, below `count`, and the targets that it is for. */
const struct resolver_name *names_at(const struct names *n, size_t index, const uint32_t **targets,
				     size_t *target_count);

/* How many names are in this state. */
size_t names_count_state(const struct names *n, enum resolver_state state);

#endif
