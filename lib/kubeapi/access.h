/*
 * access: the credentials that a program's options and environment lead to, in the one order that
 * all applets have: a server by its URL, a kubeconfig, the pod's service account.
 */
#ifndef KUBEAPI_ACCESS_H
#define KUBEAPI_ACCESS_H

#include <stdbool.h>

#include "base/diag.h"
#include "base/error.h"
#include "kubeapi/credentials.h"
#include "tls/anchors.h"

/* NULL for what was not given. */
struct access {
	const char *server, *token_file, *ca_file;

	const char *kubeconfig, *context; /* one of them: a kubeconfig is used */
	const char *kubeconfig_env;	  /* $KUBECONFIG: instead of the former, with the latter */
	const char *home;		  /* $HOME, where .kube/config is when there is neither */

	/* KUBERNETES_SERVICE_HOST; KUBERNETES_SERVICE_PORT_HTTPS, or KUBERNETES_SERVICE_PORT */
	const char *host, *port;

	const char *instead;		 /* see kubeconfig_read */
	const struct anchors *otherwise; /* trusted when nothing says whom */
};

/*
 * Of a kubeconfig, complaints go to the diag, and *e is empty. credentials_fini is due also after
 * false.
 */
bool access_credentials(const struct access *a, struct credentials *c, struct diag *diag,
			struct error *e);

#endif
