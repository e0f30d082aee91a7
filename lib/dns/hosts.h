/*
 * hosts: the text of /etc/hosts: `ADDR NAME ALIAS...`, `#` begins a comment (hosts(5)).
 *
 * Lines whose address is none (zone ids included) and names that are no host names are passed over,
 * as every other reader of this file does. Opening the file is the caller's business.
 */
#ifndef DNS_HOSTS_H
#define DNS_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/span.h"
#include "net/addr.h"

/* One name and one of its addresses. A name with several has several entries. */
struct hosts_entry {
	struct span name; /* without trailing dot; case as it came; borrowed */
	struct addr addr; /* port 0 */
};

/*
 * All entries in the order of the file, in the arena; the names borrow from `text`. False when the
 * arena is full: then there are none.
 */
bool hosts_parse(struct span text, struct arena *arena, struct hosts_entry **entries,
		 size_t *count);

#endif
