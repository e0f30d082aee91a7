/*
 * identity: what Services say about TLS with their external hosts (kube/tls.h), with the files they
 * name read. Immutable once loaded; any thread may read it.
 *
 * One identity is whom we trust and who we are, for one Service. Its number tells it from all with
 * other contents, in pools of connections and among sessions: what was verified in one way never
 * serves where another is asked for. It holds no matter which generation of manifests it is of.
 */
#ifndef PROXY_IDENTITY_H
#define PROXY_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/diag.h"
#include "kube/services.h"
#include "route/table.h"
#include "tls/tlsconn.h"

struct identity {
	uint8_t number[TLSCONN_IDENTITY_SIZE];
	struct tls_profile *profile; /* NULL: the proxy's own */
	struct anchors *anchors;     /* NULL: the profile is another identity's */
	struct keypair *keypair;     /* NULL: none */
	struct span sni;	     /* empty: the external name; both have a NUL behind them */
	struct span names;	     /* empty: the name asked for */
	bool is_unverified;
};

struct identity_settings {
	const char *ca_file; /* trusted where a Service names none; NULL: the proxy's own profile */
	/* Told of each file that a Service names, and the one above, before it is read; or NULL. */
	void (*on_file)(void *context, const char *path);
	void *context;
};

/*
 * A table of the Services, with the files that they name read and attached. NULL, and all that is
 * wrong is reported.
 */
struct route_table *identity_make_table(const struct kube_services *services,
					const struct route_options *options,
					const struct identity_settings *settings,
					struct diag *diag);

/*
 * Reads the files that the Services name, and attaches what they hold to the table that was made of
 * them, which releases it. What is wrong with a file is reported at the annotation that names it.
 */
void identity_attach(struct route_table *table, const struct kube_services *services,
		     const struct identity_settings *settings, struct diag *diag);

/* The number of the target's identity; zeroes when its Service says nothing. */
const uint8_t *identity_number(const struct route_target *target);

#endif
