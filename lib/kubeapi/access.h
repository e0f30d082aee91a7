/*
 * access: the credentials that a program's options and environment lead to, in the one order that
 * all applets have: a server by its URL, a kubeconfig, the pod's service account.
 */
#ifndef KUBEAPI_ACCESS_H
#define KUBEAPI_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/error.h"
#include "kubeapi/credentials.h"
#include "sys/opt.h"
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

/* Rows of an option table for the first five members; `at` is where the struct is in its owner. */
#define ACCESS_ROW(at, option, value, member, text)                                                \
	{                                                                                          \
		.kind = OPT_TEXT, .name = option, .value_name = value,                             \
		.offset = (at) + offsetof(struct access, member), .help = text                     \
	}
#define ACCESS_ROWS(at)                                                                            \
	ACCESS_ROW(at, "kubeconfig", "FILE", kubeconfig,                                           \
		   "As a kubeconfig says; several as in $KUBECONFIG."),                            \
		ACCESS_ROW(at, "context", "NAME", context,                                         \
			   "The context of the kubeconfig. Without --kubeconfig: that of "         \
			   "$KUBECONFIG, or of ~/.kube/config."),                                  \
		ACCESS_ROW(at, "server", "URL", server,                                            \
			   "This API server; http:// for kubectl proxy."),                         \
		ACCESS_ROW(at, "token-file", "FILE", token_file, "The token for --server."),       \
		ACCESS_ROW(at, "certificate-authority", "FILE", ca_file,                           \
			   "Who has signed the certificate of --server. [default: the "            \
			   "authorities inside]")

/*
 * Of a kubeconfig, complaints go to the diag, and *e is empty. credentials_fini is due also after
 * false.
 */
bool access_credentials(const struct access *a, struct credentials *c, struct diag *diag,
			struct error *e);

#endif
