/*
 * verify: our judgement of a server's certificates, as an X.509 engine for BearSSL's handshake, in
 * place of its own. That one takes a common name for a name, does not know IP addresses, purposes
 * and name constraints, and refuses a chain whose authority marks the last two as critical, as RFC
 * 5280 wants it to. Hashes, RSA and ECDSA are BearSSL's.
 *
 * A chain is good (RFC 5280 section 6) when
 *
 *	- each certificate is signed by the next one, up to one that an anchor signed, or the first
 *	  is itself an anchor; what follows is not looked at. Certificates are in issuing order;
 *	- signatures are RSA PKCS#1 v1.5 or ECDSA with SHA-256, SHA-384 or SHA-512, keys RSA of 2048
 *	  to 4096 bits or EC on P-256, P-384 or P-521. Anchors are trusted as they are;
 *	- each is valid now, and has no critical extension that is not understood;
 *	- the first is for the server that was called (certname.h says when) and may sign, and each
 *	  that says what purposes it is for has serverAuth or anyExtendedKeyUsage among them;
 *	- each other one is an authority, may sign certificates, allows as many authorities below it
 *	  as there are, and no name below it breaks its name constraints (constraints.h).
 *
 * Not checked is revocation. For lib/tls only, like all headers here that show BearSSL.
 */
#ifndef TLS_VERIFY_H
#define TLS_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include <bearssl.h>

#include "base/slab.h"
#include "base/span.h"
#include "tls/anchors.h"
#include "tls/sigcache.h"
#include "tls/tls_error.h"

/*
 * Authorities between the server and the anchor, and the server. Real chains have two or three;
 * each costs the verification of a signature.
 */
#define VERIFY_CERTS_MAX 8
/* The largest modulus, and an exponent; no point of a curve is longer. */
#define VERIFY_KEY_MAX (4096 / 8 + 8)

struct verify_chain;

struct verify {
	const br_x509_class *vtable; /* first: BearSSL calls us through a pointer to this */
	const struct anchors *anchors;
	struct span names;
	int64_t now_s;
	bool is_unverified;
	struct slab *slab;	    /* of struct verify_chain */
	struct sigcache *cache;	    /* or NULL */
	struct verify_chain *chain; /* while one is coming in */
	unsigned certs;		    /* how many of it have begun */
	bool was_given;		    /* a chain has begun */
	bool is_trusted;
	enum tls_error error;
	int64_t not_after_s; /* when the first of its certificates expires */
	br_x509_pkey key;    /* of the first certificate, in key_bytes */
	unsigned char key_bytes[VERIFY_KEY_MAX];
};

/* Bytes of the blocks that a slab for verify_init must have. */
size_t verify_chain_size(void);

/*
 * Ready for one chain at a time, to be checked at `now_s` (seconds since 1970) for one of `names`,
 * DNS names and IP addresses separated by commas. Borrows all that it is given; must not move in
 * memory afterwards. While a chain comes in it takes one block of the slab.
 */
void verify_init(struct verify *v, const struct anchors *anchors, struct span names, uint64_t now_s,
		 struct slab *slab);

/* Spares it the signatures that were verified before. */
static inline void verify_remember(struct verify *v, struct sigcache *cache)
{
	v->cache = cache;
}

/* Takes any chain for good whose first certificate has a key that the server shows it has. */
void verify_nothing(struct verify *v);

/* Gives back what it holds, also in the middle of a chain. */
void verify_fini(struct verify *v);

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
