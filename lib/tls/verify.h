/*
 * verify: our judgement of a server's certificates, as an X.509 engine for BearSSL's handshake.
 *
 * Inside is BearSSL's "minimal" engine, which checks signatures, dates, issuers, basicConstraints
 * and keyUsage up to a trusted authority, and the name against subjectAltName, with wildcards for
 * one whole leftmost label (RFC 6125 section 6.4.3). On top of it:
 *
 *	- the name is always checked: a chain without a name to check it against is refused;
 *	- the common name does not count (RFC 9525 section 6.3): a DNS subjectAltName is required;
 *	- signatures with SHA-1 or MD5 do not count, and RSA keys of servers and intermediates have
 *	  2048 bits or more;
 *	- refusals are told apart more finely than BearSSL's numbers do.
 *
 * A server that was called by its IP address has no name to check: then an iPAddress of the first
 * certificate's subjectAltName must be that address (RFC 9110 section 4.3.4), which BearSSL's
 * engine does not look at.
 *
 * Not checked here: extendedKeyUsage, name constraints (a critical one is refused), revocation. For
 * lib/tls only, like all headers here that show BearSSL.
 */
#ifndef TLS_VERIFY_H
#define TLS_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include <bearssl.h>

#include "net/addr.h"
#include "tls/anchors.h"
#include "tls/certscan.h"
#include "tls/sanscan.h"
#include "tls/tls_error.h"

struct verify {
	const br_x509_class *vtable; /* first: BearSSL calls us through a pointer to this */
	br_x509_minimal_context engine;
	struct certscan scan;	 /* of the certificate that is coming in */
	struct sanscan san;	 /* of the first one, when there is an address to check */
	struct addr addr;	 /* to check instead of a name; family 0: none */
	unsigned certs;		 /* how many of the chain have begun */
	int64_t now_s;		 /* seconds since 1970 */
	bool has_name;		 /* there is a name to check */
	bool saw_weak_signature; /* a certificate so far had one */
	enum tls_error bad_date; /* what is wrong with the first certificate whose dates are */
	br_name_element dns_name;
	char dns_name_text[1]; /* only whether there is a name matters */
	enum tls_error error;  /* set when the chain ended */
};

/*
 * Ready for one chain at a time, to be checked at `now_s` (seconds since 1970). Borrows the
 * anchors; must not move in memory afterwards.
 */
void verify_init(struct verify *v, const struct anchors *anchors, uint64_t now_s);

/*
 * Checks for this address (the port does not count) instead of the name that the engine is given,
 * which should be none then. Family 0: checks for the name after all.
 */
void verify_expect_addr(struct verify *v, const struct addr *addr);

/* For br_ssl_engine_set_x509. */
static inline const br_x509_class **verify_engine(struct verify *v)
{
	return &v->vtable;
}

/* Why the last chain was refused; TLS_OK when it was not, or did not end. */
static inline enum tls_error verify_error(const struct verify *v)
{
	return v->error;
}

#endif
