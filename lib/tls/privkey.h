/*
 * privkey: private keys in DER, as their numbers. BearSSL's own decoder of keys writes past its
 * buffer for crafted ones in version 0.6; this one only points into what it is given.
 */
#ifndef TLS_PRIVKEY_H
#define TLS_PRIVKEY_H

#include <bearssl.h>

#include "base/span.h"

enum privkey_form {
	PRIVKEY_PKCS1, /* RSAPrivateKey, RFC 8017 appendix A.1.2 */
	PRIVKEY_SEC1,  /* ECPrivateKey, RFC 5915 section 3 */
	PRIVKEY_PKCS8, /* OneAsymmetricKey, RFC 5958 section 2 */
};

struct privkey {
	int type; /* BR_KEYTYPE_RSA or BR_KEYTYPE_EC */
	union {
		br_rsa_private_key rsa;
		br_ec_private_key ec;
	};
	struct span modulus; /* RSA: without leading zeroes */
};

/*
 * Reads a key; *out points into `der`, which BearSSL's types do not say is read only, and nobody
 * writes to. NULL when it could be read, else why not: a constant text that goes behind a colon.
 */
const char *privkey_parse(enum privkey_form form, struct span der, struct privkey *out);

#endif
