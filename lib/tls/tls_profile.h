/*
 * tls_profile: what all TLS connections to servers have in common: trusted authorities, ciphers,
 * the implementations chosen for this CPU, and signatures that were verified. Made once; all
 * threads share it.
 *
 * TLS 1.2 only, ECDHE only (X25519, P-256, P-384, P-521), AES-128-GCM, AES-256-GCM and
 * ChaCha20-Poly1305, with AES first on a CPU that has instructions for it and ChaCha20 first
 * elsewhere; signatures with SHA-256 or better; no renegotiation; ALPN "http/1.1".
 */
#ifndef TLS_TLS_PROFILE_H
#define TLS_TLS_PROFILE_H

#include "tls/anchors.h"

struct tls_profile;

/* Borrows the anchors, which must outlive it. NULL when memory is out. */
struct tls_profile *tls_profile_new(const struct anchors *anchors);
/* NULL is fine. Connections started with it must not be used any more. */
void tls_profile_free(struct tls_profile *p);

#endif
