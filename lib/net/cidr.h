/*
 * cidr: a range of addresses, ADDRESS/LENGTH (RFC 4632 section 3.1, RFC 4291 section 2.3).
 */
#ifndef NET_CIDR_H
#define NET_CIDR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"
#include "net/addr.h"

struct cidr {
	struct addr network; /* without port; the bits behind the prefix are 0 */
	uint8_t length;	     /* of the prefix, in bits: 0 to 32, or to 128 for IPv6 */
};

/* Longest text of cidr_format with its NUL. */
#define CIDR_TEXT_MAX (ADDR_TEXT_MAX + 4)

/*
 * ADDRESS/LENGTH, or ADDRESS alone for that one. What addr_parse_ip refuses is refused here too
 * (leading zeroes, zone ids), and brackets are, and IPv6 forms of IPv4 addresses (::ffff:0:0/96):
 * the kernel compares them with no IPv4 packet. Bits behind the prefix are cleared, and
 * *had_host_bits (may be NULL) says so: 10.0.0.1/24 is 10.0.0.0/24. The error quotes the text and
 * says what was expected.
 */
bool cidr_parse(struct span text, struct cidr *out, bool *had_host_bits, struct error *e);

/* "10.4.0.0/14", "2001:db8::/32": RFC 5952, the length always there. */
void cidr_format(const struct cidr *c, struct buf *out);

/* Of one family, and inside. */
bool cidr_contains(const struct cidr *c, const struct addr *a);

#endif
