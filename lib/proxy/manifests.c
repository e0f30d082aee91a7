#include "proxy/manifests.h"

#include "base/arena.h"
#include "kube/services.h"
#include "sys/file.h"

static const char *const suffixes[] = {".yaml", ".yml", ".json", NULL};

/* The bytes of one file are freed before the next is read. */
static void read_file(struct kube_services *services, const char *path, struct diag *diag)
{
	const char *name = strcmp(path, "-") == 0 ? "<stdin>" : path;
	struct arena arena;
	struct span text;
	struct error e;

	arena_init(&arena, MANIFEST_MAX + 65536);
	if (file_read(&arena, path, MANIFEST_MAX, &text, &e))
		kube_services_read(services, name, text);
	else
		diag_report(diag, DIAG_ERROR, "%s", e.text);
	arena_fini(&arena);
}

static void read_dir(struct kube_services *services, const char *path, struct diag *diag)
{
	struct span *files;
	struct arena arena;
	struct error e;
	size_t count;

	arena_init(&arena, 16u << 20);
	if (!file_list_dir(&arena, path, suffixes, &files, &count, &e)) {
		diag_report(diag, DIAG_ERROR, "%s", e.text);
	} else {
		if (count == 0)
			diag_report(diag, DIAG_WARNING, "%s: no *.yaml, *.yml or *.json in it",
				    path);
		for (size_t i = 0; i < count; i++)
			read_file(services, files[i].ptr, diag);
	}
	arena_fini(&arena);
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

struct route_table *manifests_load(const struct manifests *m, struct diag *diag,
				   struct buf *summary)
{
	struct route_options options = {m->namespace, m->cluster_domain};
	struct route_table *table = NULL;
	struct kube_services services;
	struct error e;

	kube_services_init(&services, m->namespace, diag);
	for (size_t i = 0; i < m->path_count; i++) {
		if (file_is_dir(m->paths[i]))
			read_dir(&services, m->paths[i], diag);
		else
			read_file(&services, m->paths[i], diag);
	}
	if (diag->errors == 0) {
		table = route_table_new(&services, &options, &e);
		if (table == NULL)
			diag_report(diag, DIAG_ERROR, "%s", e.text);
		else if (summary != NULL)
			summarise(&services, table, summary);
	}
	kube_services_fini(&services);
	return table;
}
