/*
 * sniff: what a client speaks, by its first bytes.
 */
#ifndef PROXY_SNIFF_H
#define PROXY_SNIFF_H

#include "base/span.h"
#include "tls/hello.h"

enum sniff_result {
	SNIFF_MORE, /* could still become one of those below */
	SNIFF_HTTP, /* the beginning of an HTTP/1 request, well-formed or not */
	SNIFF_TLS,  /* a whole ClientHello: see *hello */
	SNIFF_OTHER,
};

/* No more bytes than this are ever needed to say. */
#define SNIFF_MAX HELLO_MAX

/*
 * Looks at all bytes that there are, from the first one. A request begins with a token that is a
 * known method, or with any token when what follows it can be a target: "SSH-2.0-x y" is none. The
 * hello's spans borrow from `bytes`.
 */
enum sniff_result sniff_bytes(struct span bytes, struct hello *hello);

#endif
