/*
 * namespage: the external names and their addresses, for the operator: a part of /routes and of
 * /metrics. Control thread.
 */
#ifndef PROXY_NAMESPAGE_H
#define PROXY_NAMESPAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct guard;
struct names;
struct resolver;
struct route_table;
struct worker;

struct namespage {
	const struct names *names;
	const struct route_table *table; /* that the names are of */
	const struct resolver *resolver;
	const struct guard *guard; /* NULL: none */
	const struct worker *workers;
	size_t worker_count;
	uint64_t now_ms;
};

/*
 * One line per name: state, source, TTL and addresses, with what is held against each: "resting 4s"
 * by some worker, or why it is denied. In JSON one object per line.
 */
void namespage_print(const struct namespage *p, bool json, struct buf *out);

void namespage_print_metrics(const struct namespage *p, struct buf *out);

#endif
