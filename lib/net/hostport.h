/*
 * hostport: the authority of a request, `host [":" port]` (RFC 9110 section 7.2, RFC 3986 3.2).
 */
#ifndef NET_HOSTPORT_H
#define NET_HOSTPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

struct hostport {
	struct span host; /* as it came, without port, without brackets; borrowed from the input */
	uint16_t port;	  /* 0 when none was given */
	bool is_ipv6;	  /* the host stood in brackets */
};

/*
 * Reads an authority. A host is letters, digits, "-", "." and "_", in any order: whether it can be
 * a name is not looked at here; or an IPv6 address in brackets. Refuses userinfo ("@"), an empty
 * host, an empty or bad port, more than one colon outside brackets, and every other byte, of RFC
 * 3986's reg-name "%" and sub-delims too: no DNS name needs them. Then *problem says why (a
 * constant text that goes behind a colon) and *out is as it was.
 */
bool hostport_parse(struct span text, struct hostport *out, const char **problem);

#endif
