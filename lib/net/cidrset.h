/*
 * cidrset: a set of addresses of both families, as sorted ranges that neither overlap nor touch.
 *
 *   cidrset_init(&s);
 *   cidrset_add(&s, &range) ...           any order, any overlap
 *   cidrset_merge(&s);                    O(n): a radix sort, then one pass
 *   cidrset_prefixes(&s, print, context); the fewest prefixes that are exactly the set
 *   cidrset_fini(&s);
 *
 * All but add, merge and fini MUST be given merged sets. A range of IPv4 takes 8 bytes, one of IPv6
 * 32, and merging as much again for the larger family while it sorts.
 */
#ifndef NET_CIDRSET_H
#define NET_CIDRSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/range.h"

/* Ranges of one family in one set. */
#define CIDRSET_MAX ((size_t)1 << 28)

struct cidrset_wide {
	struct wide first, last;
};

struct cidrset {
	uint64_t *v4; /* first << 32 | last */
	size_t count4, capacity4;
	struct cidrset_wide *v6;
	size_t count6, capacity6;
};

void cidrset_init(struct cidrset *s);
void cidrset_fini(struct cidrset *s);

/* False when memory is out; the set is then as it was. */
bool cidrset_add(struct cidrset *s, const struct range *r);
/* False when memory is out; the set is then unmerged and may only be freed. */
bool cidrset_merge(struct cidrset *s);

/* How many ranges there are, and the one at `index`: those of IPv4 first. */
static inline size_t cidrset_count(const struct cidrset *s)
{
	return s->count4 + s->count6;
}
struct range cidrset_at(const struct cidrset *s, size_t index);

/*
 * What is in `a` and not in `b`; what is in both. *out must be initialized and empty, and is
 * merged. False when memory is out.
 */
bool cidrset_exclude(const struct cidrset *a, const struct cidrset *b, struct cidrset *out);
bool cidrset_intersect(const struct cidrset *a, const struct cidrset *b, struct cidrset *out);

/* All of the range is in the set. O(log n). */
bool cidrset_contains(const struct cidrset *s, const struct range *r);

/* The smallest prefix that holds all of `family`; false when there is none of it. */
bool cidrset_cover(const struct cidrset *s, uint8_t family, struct range *out);
/*
 * How many addresses of `family` there are, less one, as range counts are: false for none of it.
 */
bool cidrset_size(const struct cidrset *s, uint8_t family, struct wide *less_one);

/*
 * Calls `each` with the prefixes of the minimal list, IPv4 first, ascending, until it returns
 * false.
 */
bool cidrset_prefixes(const struct cidrset *s,
		      bool (*each)(void *context, const struct range *prefix), void *context);
/* How many that are, counted up to `max`. */
size_t cidrset_prefix_count(const struct cidrset *s, size_t max);

#endif
