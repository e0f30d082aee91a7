/*
 * ranges: lists of address ranges and of ports in the one form that rules are made of: sorted,
 * without overlaps, as few entries as say the same.
 *
 * The kernel's interval sets refuse overlaps, and a list that is always in one form makes the same
 * rules of the same meaning, however it was written.
 */
#ifndef REDIRECT_RANGES_H
#define REDIRECT_RANGES_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/cidr.h"
#include "net/portrange.h"

struct ranges_cidrs {
	struct cidr *items;
	size_t count;
};

struct ranges_ports {
	struct portrange *items;
	size_t count;
};

/* All addresses from first to last, as the network has them: 4 or 16 bytes used. */
struct ranges_span {
	uint8_t first[16], last[16];
};

/* Into that form, in place. The ranges must be of one family. */
void ranges_merge_cidrs(struct ranges_cidrs *list);
void ranges_merge_ports(struct ranges_ports *list);

bool ranges_has_port(const struct ranges_ports *list, uint16_t port);

/*
 * Takes the next run of addresses off the front of a merged list: neighbours that together are no
 * CIDR, such as 11.0.0.0/8 and 12.0.0.0/8, are one run. False at the end.
 */
bool ranges_next(struct ranges_cidrs *rest, struct ranges_span *run);
/* How many runs there are. */
size_t ranges_count(struct ranges_cidrs list);

/* Adds 1 to an address of `size` bytes; false when it was the last there is. */
bool ranges_successor(uint8_t *bytes, size_t size);

/*
 * "10.0.0.0/8" when the run is a CIDR, "192.0.2.1" for one address, else "11.0.0.0-12.255.255.255":
 * as nft writes it.
 */
void ranges_format(const struct ranges_span *run, uint8_t family, struct buf *out);

#endif
