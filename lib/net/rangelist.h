/*
 * rangelist: ranges in an order of their own, each as it came.
 */
#ifndef NET_RANGELIST_H
#define NET_RANGELIST_H

#include <stdbool.h>
#include <stddef.h>

#include "net/range.h"

struct rangelist {
	struct range *list;
	size_t count, capacity;
};

void rangelist_init(struct rangelist *l);
void rangelist_fini(struct rangelist *l);
/* False when memory is out. */
bool rangelist_add(struct rangelist *l, const struct range *r);

/* By family, first address, and the larger before the smaller. */
void rangelist_sort(struct rangelist *l);

/*
 * Calls `each` with every pair that has an address in common, of a list that is sorted, the one
 * that begins first as `a`, until it returns false. O(n) and a step for each pair.
 */
bool rangelist_overlaps(const struct rangelist *l,
			bool (*each)(void *context, const struct range *a, const struct range *b),
			void *context);

#endif
