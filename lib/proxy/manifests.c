#include "proxy/manifests.h"

#include "base/arena.h"
#include "kube/services.h"
#include "proxy/kubesource.h"
#include "sys/file.h"
#include "sys/inputs.h"

/* What the names of the files in directories may take. */
#define PATHS_MAX ((size_t)64 << 20)

/* Where the Services go, and complaints. */
struct reading {
	struct kube_services *services;
	struct diag *diag;
};

/* The bytes of one file are freed before the next is read. */
static bool read_file(void *context, const char *path)
{
	const struct reading *r = context;
	struct arena arena;
	struct span text;
	struct error e;
	bool ok;

	arena_init(&arena, MANIFEST_MAX + 65536);
	ok = file_read(&arena, path, MANIFEST_MAX, &text, &e);
	if (ok)
		kube_services_read(r->services, inputs_name(path), text);
	else
		diag_report(r->diag, DIAG_ERROR, "%s", e.text);
	arena_fini(&arena);
	return ok;
}

static void add_count(struct buf *out, size_t count, const char *noun)
{
	buf_printf(out, "%zu %s%s", count, noun, count == 1 ? "" : "s");
}

static void summarise(const struct kube_services *services, const struct route_table *table,
		      struct buf *out)
{
	char storage[1024];
	struct buf ignored;

	BUF_INIT_ARRAY(&ignored, storage);
	kube_services_print_ignored(services, &ignored);
	add_count(out, services->count, "Service");
	buf_add_cstr(out, ", ");
	add_count(out, table->route_count, "route");
	if (ignored.len > 0)
		buf_printf(out, "; ignored: %s", buf_cstr(&ignored));
}

struct route_options manifests_route_options(const struct manifests *m)
{
	return (struct route_options){m->namespace, m->cluster_domain, m->gateway_host,
				      m->gateway_port};
}

struct route_table *manifests_load(const struct manifests *m, struct diag *diag,
				   struct buf *summary)
{
	struct route_options options = manifests_route_options(m);
	struct route_table *table = NULL;
	struct kube_services services;
	struct arena paths;

	kube_services_init(&services, m->namespace, diag);
	arena_init(&paths, PATHS_MAX);
	inputs_visit(&m->inputs, &paths, diag, read_file, &(struct reading){&services, diag});
	if (diag->errors == 0)
		table = m->kube != NULL
				? kubesource_build(m->kube, &services, &m->identities, diag)
				: identity_make_table(&services, &options, &m->identities, diag);
	if (table != NULL && summary != NULL)
		summarise(&services, table, summary);
	/* Only files that are good take the place of those of before. */
	if (table != NULL && m->kube != NULL)
		kubesource_take_files(m->kube, &services);
	kube_services_fini(&services);
	arena_fini(&paths);
	return table;
}
