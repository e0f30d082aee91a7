#include "proxy/identity.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "sys/file.h"

/* Of all identities of one table. */
struct identities {
	struct arena arena;
	const struct identity_settings *settings; /* while they are made */
	struct span ca;				  /* the settings' file; as well */
	struct diag *diag;			  /* as well */
	size_t count;
	struct identity list[];
};

#define NAMES_MAX ((size_t)64 << 20)

static const uint8_t nothing[TLSCONN_IDENTITY_SIZE];

const uint8_t *identity_number(const struct route_target *target)
{
	return target->identity != NULL ? target->identity->number : nothing;
}

static void release(void *attached)
{
	struct identities *all = attached;

	for (size_t i = 0; i < all->count; i++) {
		if (all->list[i].anchors != NULL)
			tls_profile_free(all->list[i].profile);
		anchors_free(all->list[i].anchors);
		keypair_free(all->list[i].keypair);
	}
	arena_fini(&all->arena);
	alloc_put(all);
}

static bool report(struct diag *diag, const struct kube_tls_file *file, const char *annotation,
		   const struct error *e)
{
	diag_report(diag, DIAG_ERROR, "%s:%u:%u: metadata.annotations.%s%s: %s", file->pos.file,
		    file->pos.line, file->pos.col, KUBE_TLS_PREFIX, annotation, e->text);
	return false;
}

static bool read_path(const struct identities *all, struct arena *arena, const char *path,
		      size_t max_len, struct span *out, struct error *e)
{
	if (all->settings->on_file != NULL)
		all->settings->on_file(all->settings->context, path);
	return file_read(arena, path, max_len, out, e);
}

/* The text of a file, empty when none is named. */
static bool read_file(const struct identities *all, struct arena *arena,
		      const struct kube_tls_file *file, const char *annotation, size_t max_len,
		      struct span *out)
{
	struct error e;

	*out = SPAN("");
	if (file->path.ptr == NULL || read_path(all, arena, file->path.ptr, max_len, out, &e))
		return true;
	return report(all->diag, file, annotation, &e);
}

static bool trust(struct identity *id, const char *path, struct span text, struct error *e)
{
	id->anchors = anchors_from_pem(text, e);
	if (id->anchors == NULL)
		return error_prefix(e, "%s", path);
	id->profile = tls_profile_new(id->anchors);
	return id->profile != NULL || error_set(e, "out of memory");
}

static void load_trust(struct identity *id, const struct kube_tls *tls, struct span text,
		       struct diag *diag)
{
	struct error e;

	if (!trust(id, tls->ca.path.ptr, text, &e))
		report(diag, &tls->ca, "ca-file", &e);
}

static void load_keypair(struct identity *id, const struct kube_tls *tls, struct span chain,
			 struct span key, struct diag *diag)
{
	struct error e;

	id->keypair = keypair_from_pem(chain, key, &e);
	if (id->keypair == NULL)
		report(diag, &tls->cert, "cert-file", &e);
}

static void wipe(struct span text)
{
	if (text.len > 0)
		explicit_bzero((void *)(uintptr_t)text.ptr, text.len);
}

/* The files' texts live in `arena`, and are not needed afterwards. */
static void load(const struct identities *all, struct identity *id, const struct kube_tls *tls,
		 struct arena *arena)
{
	struct diag *diag = all->diag;
	struct span ca, chain, key;
	bool ok = read_file(all, arena, &tls->ca, "ca-file", ANCHORS_PEM_MAX, &ca);

	ok = read_file(all, arena, &tls->cert, "cert-file", KEYPAIR_PEM_MAX, &chain) && ok;
	ok = read_file(all, arena, &tls->key, "key-file", KEYPAIR_PEM_MAX, &key) && ok;
	if (tls->ca.path.ptr == NULL)
		ca = all->ca;
	id->is_unverified = tls->is_unverified;
	if (ok && tls->ca.path.ptr != NULL)
		load_trust(id, tls, ca, diag);
	if (ok && tls->cert.path.ptr != NULL)
		load_keypair(id, tls, chain, key, diag);
	tlsconn_identify((const struct span[]){ca, chain, tls->sni, tls->names,
					       id->is_unverified ? SPAN("any") : SPAN("")},
			 5, id->number);
	/* The key may be in the same file as the certificates. */
	wipe(chain);
	wipe(key);
}

static bool load_next(struct identities *all, const struct kube_tls *tls)
{
	struct identity *id = &all->list[all->count];
	struct arena texts;

	if (!arena_copy(&all->arena, tls->sni, &id->sni) ||
	    !arena_copy(&all->arena, tls->names, &id->names))
		return false;
	all->count++;
	arena_init(&texts, ANCHORS_PEM_MAX + 2 * KEYPAIR_PEM_MAX + 65536);
	load(all, id, tls, &texts);
	arena_fini(&texts);
	return true;
}

/* What is trusted where no Service says otherwise: the last in the list. */
static void load_common(struct identities *all, struct arena *texts)
{
	struct identity *id = &all->list[all->count];
	struct error e;

	if (!read_path(all, texts, all->settings->ca_file, ANCHORS_PEM_MAX, &all->ca, &e) ||
	    !trust(id, all->settings->ca_file, all->ca, &e)) {
		diag_report(all->diag, DIAG_ERROR, "%s", e.text);
		anchors_free(id->anchors);
		id->anchors = NULL;
	}
	tlsconn_identify(&all->ca, 1, id->number);
}

static void attach(struct route_table *table, struct identities *all, bool has_common)
{
	struct identity *common = has_common ? &all->list[all->count++] : NULL;

	table->attached = all;
	table->release = release;
	for (size_t i = 0; i < all->count && has_common; i++)
		if (all->list[i].profile == NULL)
			all->list[i].profile = common->profile;
	for (size_t i = 0; i < table->target_count; i++) {
		struct route_target *target = &table->targets[i];

		if (target->tls_service != 0)
			target->identity = &all->list[target->tls_service - 1];
		else if (target->tls)
			target->identity = common;
		/* Another content of the same files is another table. */
		if (target->identity != NULL)
			table->hash = hash_finish(
				hash_span(table->hash, span_of(target->identity->number,
							       TLSCONN_IDENTITY_SIZE)));
	}
}

void identity_attach(struct route_table *table, const struct kube_services *services,
		     const struct identity_settings *settings, struct diag *diag)
{
	bool has_common = settings->ca_file != NULL, ok = true;
	struct identities *all;
	struct arena texts;
	size_t count = 0;

	for (size_t i = 0; i < services->count; i++)
		count += services->list[i]->tls != NULL;
	if (count == 0 && !has_common)
		return;
	all = alloc_get_zeroed(sizeof *all + (count + 1) * sizeof all->list[0]);
	if (all == NULL) {
		diag_report(diag, DIAG_ERROR, "out of memory");
		return;
	}
	all->settings = settings;
	all->diag = diag;
	arena_init(&all->arena, NAMES_MAX);
	arena_init(&texts, ANCHORS_PEM_MAX + 65536);
	/* Its place in the list is behind those of the Services: they have their numbers. */
	all->count = count;
	if (has_common)
		load_common(all, &texts);
	all->count = 0;
	for (size_t i = 0; i < services->count && ok; i++)
		if (services->list[i]->tls != NULL)
			ok = load_next(all, services->list[i]->tls);
	arena_fini(&texts);
	if (!ok)
		diag_report(diag, DIAG_ERROR, "out of memory");
	all->count = count;
	attach(table, all, has_common);
}

struct route_table *identity_make_table(const struct kube_services *services,
					const struct route_options *options,
					const struct identity_settings *settings, struct diag *diag)
{
	struct error e;
	struct route_table *table = route_table_new(services, options, &e);

	if (table == NULL)
		diag_report(diag, DIAG_ERROR, "%s", e.text);
	else
		identity_attach(table, services, settings, diag);
	if (diag->errors == 0)
		return table;
	route_table_free(table);
	return NULL;
}
