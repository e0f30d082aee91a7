/*
 * hello: recognises a TLS ClientHello (RFC 5246 section 7.4.1.2, RFC 8446 section 4.1.2) in the
 * first bytes of a connection, and reads the server name and the protocols it asks for.
 */
#ifndef TLS_HELLO_H
#define TLS_HELLO_H

#include <stdbool.h>

#include "base/span.h"

/* A record's header and the largest record: no more input is ever looked at. */
#define HELLO_MAX (5 + (16u << 10))

enum hello_result {
	HELLO_OK,   /* a ClientHello, whole and well-formed */
	HELLO_MORE, /* so far it is the beginning of one */
	HELLO_BAD,  /* not TLS, or a ClientHello that is malformed, too large or split over records
		     */
};

struct hello {
	bool is_tls;	   /* the bytes there are begin a TLS handshake, whatever follows */
	bool offers_tls13; /* supported_versions has 0x0304 */
	struct span sni;   /* host_name of server_name (RFC 6066 section 3); empty when none */
	struct span alpn;  /* the list of RFC 7301, with its length bytes; empty when none */
};

/*
 * Reads the first bytes of a connection, from their first one. Spans borrow from `bytes`; they are
 * set for HELLO_OK only. Until the whole record is there the work is constant, so it may be called
 * as bytes come in. The server name is not checked for being a host name; it has no NUL.
 */
enum hello_result hello_parse(struct span bytes, struct hello *out);

#endif
