/*
 * cert: reads out of an X.509 certificate (RFC 5280 section 4.1) what makes it a trust anchor: its
 * name, its key, and whether it may issue. Nothing is verified: its reader has reasons to trust it.
 *
 * BearSSL's decoder does the same in an interpreter, twenty times slower. That counts when a bundle
 * of a hundred and fifty is read at start.
 */
#ifndef TLS_CERT_H
#define TLS_CERT_H

#include <stdbool.h>

#include <bearssl.h>

#include "base/span.h"

enum cert_result {
	CERT_OK,
	CERT_UNSUPPORTED, /* its key is neither RSA nor on P-256, P-384 or P-521 */
	CERT_MALFORMED,
};

struct cert {
	struct span subject; /* the whole Name element, as issuers are compared with it */
	br_x509_pkey key;
	bool is_ca; /* basicConstraints say so */
};

/* *out points into `der`, which BearSSL's types do not say is read only, and nobody writes to. */
enum cert_result cert_parse(struct span der, struct cert *out);

#endif
