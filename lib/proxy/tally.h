/*
 * tally: requests by Service, code and reason.
 *
 * The control thread makes a place for each route of a table before the table is published; each
 * worker counts in its own part of it. A Service that stays goes on where it was. The number of
 * series is bounded: TALLY_SERVICES_MAX routes, after which all that come are counted together as
 * "other", with TALLY_CELLS different ends each.
 */
#ifndef PROXY_TALLY_H
#define PROXY_TALLY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "proxy/metrics.h"
#include "proxy/reason.h"
#include "route/table.h"

#define TALLY_SERVICES_MAX 1000
#define TALLY_SLOTS 2048 /* a power of two */

/* Ways to end that a worker saw for one route; the last one is for all that came after. */
#define TALLY_CELLS 12
#define TALLY_KEY_OTHER UINT32_MAX

struct tally_cell {
	_Atomic uint32_t key; /* 1 + 6 * reason + the status's first digit; 0: free */
	metric count;
};

/* One worker's, on cache lines of its own. */
struct tally_part {
	_Alignas(64) struct tally_cell cells[TALLY_CELLS];
};

struct tally_service; /* one route of one Service */

struct tally {
	size_t workers;
	struct tally_service *slots[TALLY_SLOTS]; /* open addressing, by name */
	struct tally_service *other;
	size_t count;
};

void tally_init(struct tally *t, size_t workers);
/* No worker may count any more. */
void tally_fini(struct tally *t);

/*
 * For each route of the table, by its index, and behind them for that to its gateway, if there is
 * one, the parts of all workers. From the heap, to be freed
 * with alloc_put; NULL without memory: then nothing is counted.
 */
struct tally_part **tally_routes(struct tally *t, const struct route_table *table);

/* From the worker whose part it is. */
static inline void tally_add(struct tally_part *part, enum reason reason, unsigned status)
{
	uint32_t key = 1 + 6 * (uint32_t)reason + status / 100 % 6, found = 0;
	struct tally_cell *cell = part->cells, *last = cell + TALLY_CELLS - 1;

	for (; cell < last; cell++) {
		found = atomic_load_explicit(&cell->key, memory_order_relaxed);
		if (found == key || found == 0)
			break;
	}
	metrics_add(&cell->count, 1);
	if (found != key)
		atomic_store_explicit(&cell->key, cell < last ? key : TALLY_KEY_OTHER,
				      memory_order_release);
}

/* In Prometheus' text format; what has not happened is left out. */
void tally_print(const struct tally *t, struct buf *out);

#endif
