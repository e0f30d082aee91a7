/*
 * xtrule: one rule as an entry of a legacy xtables table (<linux/netfilter_ipv4/ip_tables.h>).
 * Pure.
 *
 * An entry is a fixed head, matches, and a target, each at a multiple of eight bytes. IPv4 and IPv6
 * differ in the head.
 */
#ifndef REDIRECT_XTRULE_H
#define REDIRECT_XTRULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "redirect/ruleset.h"

/* Where things are in an entry's head. */
struct xtrule_head {
	size_t size, target_offset, next_offset, comefrom, counters;
};
struct xtrule_head xtrule_head_of(uint8_t family);

/*
 * Appends the entry of a rule that has at most one range and fifteen slots of ports (see
 * ruleset_next_slice). A jump has its target's number where the offset belongs, until
 * xtrule_set_verdict puts that in.
 */
void xtrule_put(struct buf *out, const struct rule *rule, uint8_t family, bool with_comment);
/* The entry that begins a chain, and, named "ERROR", ends a table. */
void xtrule_put_head(struct buf *out, const char *chain, uint8_t family);
/* The entry that ends a chain of ours. */
void xtrule_put_return(struct buf *out, uint8_t family);

/* Of a standard target: the offset to go to, or a negative verdict. */
void xtrule_set_verdict(char *entry, uint8_t family, int32_t verdict);

/* An extension that a rule needs, for messages. */
struct xtrule_extension {
	const char *name;
	uint8_t revision;
	bool is_target;
};
#define XTRULE_EXTENSIONS_MAX 6
/* Returns how many. */
size_t xtrule_extensions(const struct rule *rule, bool with_comment,
			 struct xtrule_extension out[static XTRULE_EXTENSIONS_MAX]);

#endif
