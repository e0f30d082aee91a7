/*
 * h1field: the field names a proxy has to know, and what it has to know about them.
 *
 * Everything else passes through unread (RFC 9110 section 5.1).
 */
#ifndef HTTP_H1FIELD_H
#define HTTP_H1FIELD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

enum h1_field_trait {
	/* Means this connection only: never forwarded, written anew where we need it (RFC
	   9110 7.6.1). */
	H1_TRAIT_HOP = 1 << 0,
	/* Facts about the cluster: not forwarded unless the operator asks for it. */
	H1_TRAIT_INTERNAL = 1 << 1,
	/* For all recipients: a Connection option naming it is ignored, or a client could make us
	 * drop what upstream relies on. */
	H1_TRAIT_END_TO_END = 1 << 2,
	/* Framing, routing, authentication, modifiers: never from a trailer (RFC 9110 6.5.1). */
	H1_TRAIT_NOT_IN_TRAILERS = 1 << 3,
};

/*
 * X(MEMBER, name, first, last, traits): first and last byte of the name in lower case, which
 * together with its length make the slot of the look-up table. Two names in one slot do not
 * compile.
 */
#define H1_HOP (H1_TRAIT_HOP | H1_TRAIT_NOT_IN_TRAILERS)
#define H1_END (H1_TRAIT_END_TO_END | H1_TRAIT_NOT_IN_TRAILERS)
#define H1_INT (H1_TRAIT_INTERNAL | H1_TRAIT_NOT_IN_TRAILERS)
#define H1_FIELDS(X)                                                                               \
	/* which the code asks for by name */                                                      \
	X(HOST, "Host", 'h', 't', H1_END)                                                          \
	X(CONTENT_LENGTH, "Content-Length", 'c', 'h', H1_END)                                      \
	X(TRANSFER_ENCODING, "Transfer-Encoding", 't', 'g', H1_HOP)                                \
	X(CONNECTION, "Connection", 'c', 'n', H1_HOP)                                              \
	X(TE, "TE", 't', 'e', H1_HOP)                                                              \
	X(TRAILER, "Trailer", 't', 'r', H1_HOP)                                                    \
	X(UPGRADE, "Upgrade", 'u', 'e', H1_HOP)                                                    \
	X(EXPECT, "Expect", 'e', 't', H1_END)                                                      \
	X(VIA, "Via", 'v', 'a', H1_END)                                                            \
	X(DATE, "Date", 'd', 'e', H1_END)                                                          \
	X(MAX_FORWARDS, "Max-Forwards", 'm', 's', H1_END)                                          \
	/* which are only classed */                                                               \
	X(KEEP_ALIVE, "Keep-Alive", 'k', 'e', H1_HOP)                                              \
	X(PROXY_CONNECTION, "Proxy-Connection", 'p', 'n', H1_HOP)                                  \
	X(PROXY_AUTHENTICATE, "Proxy-Authenticate", 'p', 'e', H1_HOP)                              \
	X(PROXY_AUTHORIZATION, "Proxy-Authorization", 'p', 'n', H1_HOP)                            \
	X(PROXY_AUTH_INFO, "Proxy-Authentication-Info", 'p', 'o', H1_HOP)                          \
	X(HTTP2_SETTINGS, "HTTP2-Settings", 'h', 's', H1_HOP)                                      \
	X(AUTHORIZATION, "Authorization", 'a', 'n', H1_END)                                        \
	X(WWW_AUTHENTICATE, "WWW-Authenticate", 'w', 'e', H1_END)                                  \
	X(COOKIE, "Cookie", 'c', 'e', H1_END)                                                      \
	X(SET_COOKIE, "Set-Cookie", 's', 'e', H1_END)                                              \
	X(CACHE_CONTROL, "Cache-Control", 'c', 'l', H1_END)                                        \
	X(PRAGMA, "Pragma", 'p', 'a', H1_END)                                                      \
	X(RANGE, "Range", 'r', 'e', H1_END)                                                        \
	X(IF_MATCH, "If-Match", 'i', 'h', H1_END)                                                  \
	X(IF_NONE_MATCH, "If-None-Match", 'i', 'h', H1_END)                                        \
	X(IF_RANGE, "If-Range", 'i', 'e', H1_END)                                                  \
	X(IF_MODIFIED_SINCE, "If-Modified-Since", 'i', 'e', H1_END)                                \
	X(IF_UNMODIFIED_SINCE, "If-Unmodified-Since", 'i', 'e', H1_END)                            \
	X(CONTENT_TYPE, "Content-Type", 'c', 'e', H1_END)                                          \
	X(CONTENT_ENCODING, "Content-Encoding", 'c', 'g', H1_END)                                  \
	X(CONTENT_RANGE, "Content-Range", 'c', 'e', H1_END)                                        \
	X(AGE, "Age", 'a', 'e', H1_END)                                                            \
	X(EXPIRES, "Expires", 'e', 's', H1_END)                                                    \
	X(LOCATION, "Location", 'l', 'n', H1_END)                                                  \
	X(RETRY_AFTER, "Retry-After", 'r', 'r', H1_END)                                            \
	X(VARY, "Vary", 'v', 'y', H1_END)                                                          \
	X(FORWARDED, "Forwarded", 'f', 'd', H1_END)                                                \
	X(X_FORWARDED_FOR, "X-Forwarded-For", 'x', 'r', H1_END)                                    \
	/* the mesh's own, besides the prefixes of H1_INTERNAL_PREFIXES */                         \
	X(B3, "b3", 'b', '3', H1_INT)                                                              \
	X(X_OT_SPAN_CONTEXT, "X-Ot-Span-Context", 'x', 't', H1_INT)                                \
	X(X_FORWARDED_CLIENT_CERT, "X-Forwarded-Client-Cert", 'x', 't', H1_INT)

/* Any name that starts so, in any case, has the id H1_FIELD_INTERNAL. */
#define H1_INTERNAL_PREFIXES(X) X("x-envoy-") X("x-istio-") X("x-b3-")

#define H1_FIELD_MEMBER(member, name, first, last, traits) H1_FIELD_##member,
enum h1_field_id {
	H1_FIELD_OTHER, /* not in the list */
	H1_FIELDS(H1_FIELD_MEMBER) H1_FIELD_INTERNAL,
	H1_FIELD_IDS
};
#undef H1_FIELD_MEMBER

/* The id of a field name, in any case. */
enum h1_field_id h1field_lookup(struct span name);
/* The name as RFC 9110 writes it; "" for OTHER and INTERNAL. */
const char *h1field_name(enum h1_field_id id);
/* A set of h1_field_trait; none for OTHER. */
unsigned h1field_traits(enum h1_field_id id);

#endif
