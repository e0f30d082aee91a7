/*
 * credentials: whom to call and as whom, for client_new: from the service account of a pod, from a
 * kubeconfig, or from options. Files are read here; the environment is the caller's.
 */
#ifndef KUBEAPI_CREDENTIALS_H
#define KUBEAPI_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/error.h"
#include "base/span.h"
#include "kubeapi/client.h"
#include "tls/anchors.h"
#include "tls/keypair.h"

#define CREDENTIALS_TOKEN_FILE "/var/run/secrets/kubernetes.io/serviceaccount/token"
#define CREDENTIALS_CA_FILE "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"

struct credentials {
	/*
	 * server, tls_server_name, anchors, keypair, token and token_file are set, the rest is the
	 * caller's to set: it goes to client_new as it is. Points into what is below.
	 */
	struct client_config config;
	struct span context; /* of a kubeconfig: its name */

	struct anchors *own_anchors;
	struct keypair *keypair;
	struct arena arena;
};

/*
 * The service account of the pod. `host` and `port` are what KUBERNETES_SERVICE_HOST and
 * KUBERNETES_SERVICE_PORT_HTTPS (or KUBERNETES_SERVICE_PORT) say, NULL or "" when not set; an IPv6
 * host has no brackets there. The files are NULL for those above. Says what a pod without a service
 * account lacks. The token file is read anew for each request, as it is replaced every hour.
 */
bool credentials_in_cluster(struct credentials *c, const char *host, const char *port,
			    const char *token_file, const char *ca_file, struct error *e);

/*
 * A server by its URL. `token_file` may be NULL, `ca_file` too: then `otherwise` is trusted, the
 * public authorities for example; borrowed, may be NULL for http.
 */
bool credentials_from_server(struct credentials *c, const char *server, const char *token_file,
			     const char *ca_file, const struct anchors *otherwise, struct error *e);

/*
 * A context of kubeconfig files, as kubeconfig_read, which see; `context` NULL: the current one. In
 * `files` the first file may be one of many, as in $KUBECONFIG; there, files that are not there are
 * passed over as long as one is. `otherwise` is trusted when no authority is given. Errors are
 * `file:line:col: path: text`, all in one run; never with anything of a token or key.
 */
bool credentials_from_kubeconfig(struct credentials *c, const char *const *files, size_t count,
				 const char *context, const char *instead,
				 const struct anchors *otherwise, struct diag *diag);

/* Frees what one of the above has made, also when it failed. Not before client_free. */
void credentials_fini(struct credentials *c);

#endif
