/*
 * kubeconfig: what a kubeconfig says about one context: which server to call, whom to trust, and
 * who to be. No file but the given texts is looked at; credentials.c does that.
 *
 * What would be done differently here than kubectl does it is refused and not left out: running a
 * plugin, going through a proxy, impersonation, not verifying the server.
 */
#ifndef KUBEAPI_KUBECONFIG_H
#define KUBEAPI_KUBECONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/span.h"
#include "ydoc/ydoc.h"

#define KUBECONFIG_MAX_BYTES ((size_t)4 << 20)
#define KUBECONFIG_MAX_FILES 32

struct kubeconfig_file {
	const char *path; /* for complaints, and what relative paths in it are relative to */
	struct span text;
};

/* A value and where it stood, for complaints about what it leads to. */
struct kubeconfig_field {
	struct span text; /* ptr NULL: not given */
	const char *file;
	struct ydoc_pos pos;
	const char *path; /* "clusters[0].cluster.server" */
};

/*
 * Texts are in the arena, with a NUL behind them. Paths of files are absolute or relative to the
 * working directory. Where there is a file and data (`-data`, base64), kubectl takes the data; a
 * tokenFile goes before a token.
 */
struct kubeconfig {
	struct span context;
	struct kubeconfig_field server; /* always given */
	struct kubeconfig_field tls_server_name;
	struct kubeconfig_field ca_file, ca_data;
	struct kubeconfig_field token, token_file;
	struct kubeconfig_field cert_file, cert_data;
	struct kubeconfig_field key_file, key_data;
};

/*
 * Reads `context`, or what current-context says when that is empty, from up to
 * KUBECONFIG_MAX_FILES files: as in $KUBECONFIG, of each name the first entry counts, and so does
 * the first current-context. `instead` is a command whose output can be used where access fails,
 * for messages; NULL: one that gets the nodes. False when there was an error; all are reported.
 *
 * Entries of other contexts are not looked at. Paths in `files` must outlive *out.
 */
bool kubeconfig_read(const struct kubeconfig_file *files, size_t count, struct span context,
		     const char *instead, struct arena *arena, struct diag *diag,
		     struct kubeconfig *out);

/* Reports an error about a field that was given: `file:line:col: path: text`. False. */
bool kubeconfig_report(struct diag *diag, const struct kubeconfig_field *field, const char *format,
		       ...) __attribute__((format(printf, 3, 4)));

#endif
