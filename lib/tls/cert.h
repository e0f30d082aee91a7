/*
 * cert: an X.509 certificate (RFC 5280 section 4.1), read out of its bytes. Nothing is judged here
 * but its form: signature, dates, names and purposes are verify's business.
 *
 * Strict: DER lengths, whole bytes, the same signature algorithm inside and outside of what is
 * signed, no extension twice. BearSSL's decoder does the same in an interpreter, twenty times
 * slower, and does not tell half of it.
 */
#ifndef TLS_CERT_H
#define TLS_CERT_H

#include <stdbool.h>
#include <stdint.h>

#include <bearssl.h>

#include "base/span.h"

enum cert_result {
	CERT_OK,
	CERT_UNSUPPORTED, /* its key is neither RSA nor on P-256, P-384 or P-521 */
	CERT_MALFORMED,
};

/* The first bits of KeyUsage (RFC 5280 section 4.2.1.3). */
#define CERT_DIGITAL_SIGNATURE 0x80
#define CERT_NON_REPUDIATION 0x40
#define CERT_KEY_CERT_SIGN 0x04

struct cert {
	struct span tbs;       /* the whole element that is signed */
	struct span algorithm; /* OBJECT IDENTIFIER of the signature */
	struct span signature;
	struct span issuer; /* the whole Name element, as it is compared with a subject */
	struct span subject;
	int64_t not_before_s; /* seconds since 1970, UTC */
	int64_t not_after_s;
	br_x509_pkey key;
	/* What is in each of these extensions' SEQUENCE; ptr NULL when it is not there. */
	struct span names;	 /* subjectAltName */
	struct span purposes;	 /* extKeyUsage */
	struct span constraints; /* nameConstraints */
	unsigned key_usage;	 /* CERT_* of keyUsage; all of them when it is not there */
	int path_len;		 /* of basicConstraints; INT_MAX when it says none */
	bool is_ca;
	bool has_unknown_critical; /* an extension that nobody here understands */
};

/* *out points into `der`, which BearSSL's types do not say is read only, and nobody writes to. */
enum cert_result cert_parse(struct span der, struct cert *out);

#endif
