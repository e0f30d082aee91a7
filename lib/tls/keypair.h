/*
 * keypair: a client's certificate chain and the private key to it, for servers that ask for one.
 *
 * Keys are RSA of 2048 to 4096 bits, or EC on P-256 or P-384, in PEM as PKCS#1 ("RSA PRIVATE KEY"),
 * SEC1 ("EC PRIVATE KEY", RFC 5915) or PKCS#8 ("PRIVATE KEY", RFC 5958), without encryption. The
 * signatures they make are RSA PKCS#1 v1.5 and ECDSA, both in constant time.
 */
#ifndef TLS_KEYPAIR_H
#define TLS_KEYPAIR_H

#include "base/error.h"
#include "base/span.h"

struct keypair;

#define KEYPAIR_CHAIN_MAX 8
/* Of each of the two texts, and of one certificate. */
#define KEYPAIR_PEM_MAX (256u << 10)
#define KEYPAIR_CERT_MAX (16u << 10)

/*
 * `chain` is the client's own certificate and then those of its issuers, in order; `key` the key.
 * Other kinds of objects in either text are passed over, so that both may be the same text. The
 * key must be that of the first certificate. NULL with the reason and the line; it never holds
 * anything of the key. The texts are not needed afterwards.
 *
 * The result does not change, so any thread may read it. It must outlive all connections that were
 * started with it.
 */
struct keypair *keypair_from_pem(struct span chain, struct span key, struct error *e);

/* Overwrites and frees. NULL is fine. */
void keypair_free(struct keypair *k);

#endif
