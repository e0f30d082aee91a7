/*
 * certname: is a certificate for the server that was called? RFC 9525, and for addresses RFC 9110
 * section 4.3.4.
 *
 * A DNS name matches a dNSName of subjectAltName in any case of letters, or one that is `*.` and
 * the name without its first label. An IP address matches an iPAddress with the same bytes: never a
 * dNSName, and IPv4 never its mapped IPv6 form. The common name does not count.
 */
#ifndef TLS_CERTNAME_H
#define TLS_CERTNAME_H

#include <stdbool.h>

#include "base/span.h"
#include "net/addr.h"

enum certname_result {
	CERTNAME_MATCH,
	CERTNAME_NO_MATCH,
	CERTNAME_NONE,	    /* no DNS name at all, though one was wanted */
	CERTNAME_MALFORMED, /* the names are no GeneralNames (RFC 5280 section 4.2.1.6) */
};

/*
 * `names` is what is in the SEQUENCE of subjectAltName, empty when there is none. `wanted` is one
 * or more of DNS names and IP addresses, separated by commas: any of them will do.
 */
enum certname_result certname_match(struct span names, struct span wanted);

/* Takes the next GeneralName off *names; false when it is malformed. */
bool certname_take(struct span *names, unsigned *tag, struct span *content);

/* Are these the bytes of an address? */
bool certname_is_addr(struct span bytes, const struct addr *addr);

#endif
