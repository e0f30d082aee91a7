/*
 * tls: what a Service's annotations say about TLS with its external host.
 *
 *	egressbox.io/tls-ca-file	PEM bundle to trust instead of the proxy's own
 *	egressbox.io/tls-cert-file	client certificate, and its issuers, in PEM; needs the next
 *	egressbox.io/tls-key-file	its private key in PEM
 *	egressbox.io/tls-sni		name to ask for instead of the external name
 *	egressbox.io/tls-names		DNS names and IP addresses, separated by commas: any
 *					of which the certificate may be for, and no other
 *	egressbox.io/tls-min-version	"1.2"; "1.0" and "1.1" come to the same, "1.3" is an error
 *	egressbox.io/tls-verify		"false" takes any certificate, with a warning
 *
 * Paths are absolute. Others that begin with egressbox.io/tls- are errors: one that was misspelt
 * would leave open what it was to close.
 */
#ifndef KUBE_TLS_H
#define KUBE_TLS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/span.h"
#include "kube/port.h"
#include "ydoc/ykeys.h"

#define KUBE_TLS_PREFIX "egressbox.io/tls-"

struct kube_tls_file {
	struct span path; /* ptr NULL: none */
	struct kube_pos pos;
};

/* All text has a NUL behind it. */
struct kube_tls {
	struct kube_tls_file ca, cert, key;
	struct span sni;   /* empty: none, for both */
	struct span names; /* without blanks */
	bool is_unverified;
	struct kube_pos pos; /* of one of the annotations */
};

/*
 * Reads them out of metadata.annotations; the context's path is that mapping's. *out, in the arena,
 * is NULL when there are none. What is wrong is reported; false when memory is out.
 */
bool kube_tls_read(const struct ykeys_context *context, const struct ydoc_node *annotations,
		   struct arena *arena, const struct kube_tls **out);

#endif
