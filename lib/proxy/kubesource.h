/*
 * kubesource: routes from the Kubernetes API: the ExternalName Services of a namespace or of all,
 * followed for as long as the proxy runs, together with those of files.
 *
 * What is offered is always whole: nothing before the first complete list, then a new table at most
 * every KUBESOURCE_PAUSE_MS. While the API server is away, the last one stays. A Service that is no
 * good routes nothing and is told of, in the log and in an Event; all others are as if it were not
 * there. Where a file has a Service of the same name, the file wins. Lives in the control thread.
 */
#ifndef PROXY_KUBESOURCE_H
#define PROXY_KUBESOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/error.h"
#include "ev/loop.h"
#include "ev/resolver.h"
#include "kube/services.h"
#include "kube/servicestore.h"
#include "kubeapi/apievents.h"
#include "kubeapi/apiwatch.h"
#include "kubeapi/client.h"
#include "proxy/identity.h"
#include "route/table.h"

#define KUBESOURCE_PAUSE_MS 100

/* All is borrowed until kubesource_stop. */
struct kubesource_settings {
	struct client_config client; /* whom to ask, and as whom; the resolver is not looked at */
	struct span watched;	     /* namespace; empty: all */
	struct span selector;	     /* of labels; may be empty */
	struct route_options routes;
	struct identity_settings identities; /* on_file is not told of what is read once more */
};

struct kubesource {
	/* Puts the table, which it takes over, in force. The owner's, as is the context. */
	void (*offer)(void *context, struct route_table *table);
	void *context;
	bool is_complete; /* a table with the first whole list has been offered */

	/* private */
	const struct kubesource_settings *settings;
	struct loop *loop; /* NULL: not started */
	struct apiwatch_settings watch_settings;
	struct apiwatch watch;
	struct apievents events;
	struct servicestore store;
	struct diag files_diag;
	struct kube_services files; /* as they were read last */
	bool is_listing;
	uint64_t trouble; /* hash of what was told last, and nothing good since; or 0 */
	struct timer timer;
	uint64_t built_ms;
	uint64_t builds;
	size_t conflicts;
	uint64_t conflicts_hash; /* of those that were told of */
};

void kubesource_init(struct kubesource *k, const struct kubesource_settings *settings);
/*
 * A table of what is known now, these files' Services and the API's. NULL, and all that is wrong is
 * reported.
 */
struct route_table *kubesource_build(struct kubesource *k, const struct kube_services *files,
				     const struct identity_settings *identities, struct diag *diag);
/*
 * The files that later tables are made of as well; takes them over, and *files is empty. Those of
 * before are freed.
 */
void kubesource_take_files(struct kubesource *k, struct kube_services *files);
/* Begins to watch. */
bool kubesource_start(struct kubesource *k, struct loop *loop, struct resolver *resolver,
		      struct error *e);
/* Harmless twice, and when it was not started. */
void kubesource_stop(struct kubesource *k);

/* What is read again for each request to the API server; NULL for nothing. `k` may be NULL. */
const char *kubesource_token_file(const struct kubesource *k);

void kubesource_print_metrics(const struct kubesource *k, struct buf *out);

#endif
