/*
 * range: addresses of one family from a first to a last, as numbers. A CIDR is one, an address
 * alone is one, FIRST-LAST is one.
 */
#ifndef NET_RANGE_H
#define NET_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"
#include "net/addr.h"
#include "net/wide.h"

struct range {
	struct wide first, last; /* first <= last; of IPv4 in the lowest 32 bits */
	uint8_t family;		 /* 4 or 6 */
};

/* Longest text of range_format with its NUL: two addresses and a hyphen. */
#define RANGE_TEXT_MAX 96

/* Bits of an address: 32 or 128. */
static inline unsigned range_width(const struct range *r)
{
	return r->family == 4 ? 32 : 128;
}

/*
 * ADDRESS/LENGTH, ADDRESS alone, or FIRST-LAST. What cidr_parse refuses is refused here; of a
 * prefix, bits behind its length are cleared, and *had_host_bits (may be NULL) says so. The error
 * quotes the text and says what was expected. `10.4.0.0/14` and the like take no detour.
 */
bool range_parse(struct span text, struct range *out, bool *had_host_bits, struct error *e);

/* The length of the prefix that this is, or -1 when it takes more than one to say it. */
int range_length(const struct range *r);
/* The largest prefix that begins where the range does and is inside: the first of a minimal list.
 */
struct range range_first_prefix(const struct range *r);
/* The smallest prefix that holds both, of one family. */
struct range range_cover(const struct range *a, const struct range *b);

/* Of one family and with an address in common. */
bool range_overlaps(const struct range *a, const struct range *b);
/* `inner` is all in `outer`. */
bool range_contains(const struct range *outer, const struct range *inner);
bool range_eq(const struct range *a, const struct range *b);
/* Everything, of its family. */
bool range_is_all(const struct range *r);

/* The one address; its port has no part in it. */
struct range range_of_addr(const struct addr *a);
/* An address by its number: "10.4.0.0", "2001:db8::" (RFC 5952). */
void range_format_address(uint8_t family, struct wide number, struct buf *out);
/* "10.4.0.0/14"; "10.0.0.5-10.0.0.77" for what is no prefix. */
void range_format(const struct range *r, struct buf *out);
/* "10.4.0.0-10.7.255.255" */
void range_format_ends(const struct range *r, struct buf *out);
/* How many addresses, in decimal. */
void range_format_count(const struct range *r, struct buf *out);

#endif
