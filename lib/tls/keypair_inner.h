/*
 * keypair_inner: what tlsconn does with a key pair, for lib/tls only.
 */
#ifndef TLS_KEYPAIR_INNER_H
#define TLS_KEYPAIR_INNER_H

#include <bearssl.h>

#include "tls/keypair.h"

/* Makes the client answer a server's request for a certificate with this one. */
void keypair_offer(const struct keypair *k, br_ssl_client_context *cc);

#endif
