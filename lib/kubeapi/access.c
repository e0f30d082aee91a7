#include "kubeapi/access.h"

#include <string.h>

#include "base/buf.h"
#include "kubeapi/kubeconfig.h"

/* Of all names together. */
#define NAMES_MAX ((size_t)64 << 10)

/* FILE[:FILE]..., without the empty ones; the names are in the arena. False when memory is out. */
static bool split(struct span list, struct arena *arena, const char **files, size_t *count)
{
	struct span one;

	*count = 0;
	while (*count < KUBECONFIG_MAX_FILES && span_split(&list, ':', &one)) {
		if (one.len == 0)
			continue;
		if (!arena_copy(arena, one, &one))
			return false;
		files[(*count)++] = one.ptr;
	}
	return true;
}

static bool from_kubeconfigs(const struct access *a, struct credentials *c, struct diag *diag,
			     struct error *e)
{
	const char *given = a->kubeconfig != NULL ? a->kubeconfig : a->kubeconfig_env;
	const char *files[KUBECONFIG_MAX_FILES];
	char storage[4096];
	struct arena names;
	struct buf path;
	size_t count;
	bool ok;

	arena_init(&names, NAMES_MAX);
	BUF_INIT_ARRAY(&path, storage);
	if (given == NULL || given[0] == '\0') {
		buf_printf(&path, "%s/.kube/config", a->home != NULL ? a->home : "");
		given = buf_cstr(&path);
	}
	e->text[0] = '\0';
	ok = split(span_from_cstr(given), &names, files, &count) || error_set(e, "out of memory");
	ok = ok && credentials_from_kubeconfig(c, files, count, a->context, a->instead,
					       a->otherwise, diag);
	/* What the credentials point to is in their own arena. */
	arena_fini(&names);
	return ok;
}

bool access_credentials(const struct access *a, struct credentials *c, struct diag *diag,
			struct error *e)
{
	*c = (struct credentials){.own_anchors = NULL};
	if (a->server != NULL)
		return credentials_from_server(c, a->server, a->token_file, a->ca_file,
					       a->otherwise, e);
	if (a->kubeconfig != NULL || a->context != NULL)
		return from_kubeconfigs(a, c, diag, e);
	return credentials_in_cluster(c, a->host, a->port, a->token_file, a->ca_file, e);
}
