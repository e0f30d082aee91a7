/*
 * tls_profile_inner: the inside of struct tls_profile, for lib/tls only.
 */
#ifndef TLS_TLS_PROFILE_INNER_H
#define TLS_TLS_PROFILE_INNER_H

#include <bearssl.h>

#include "tls/sigcache.h"
#include "tls/tls_profile.h"

struct tls_profile {
	const struct anchors *anchors;
	struct sigcache *signatures;
	/*
	 * Configured, but never reset and never seeded: no connection can start with a copy of it
	 * without entropy of its own, and resetting sets pointers into the context itself.
	 */
	br_ssl_client_context template;
};

#endif
