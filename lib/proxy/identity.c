#include "proxy/identity.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "sys/file.h"

/* Of all identities of one table. */
struct identities {
	struct arena arena;
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

/* The text of a file, empty when none is named. */
static bool read_file(struct arena *arena, const struct kube_tls_file *file, const char *annotation,
		      size_t max_len, struct diag *diag, struct span *out)
{
	struct error e;

	*out = SPAN("");
	if (file->path.ptr == NULL || file_read(arena, file->path.ptr, max_len, out, &e))
		return true;
	return report(diag, file, annotation, &e);
}

static void load_trust(struct identity *id, const struct kube_tls *tls, struct span text,
		       struct diag *diag)
{
	struct error e;

	id->anchors = anchors_from_pem(text, &e);
	if (id->anchors == NULL) {
		error_prefix(&e, "%s", tls->ca.path.ptr);
		report(diag, &tls->ca, "ca-file", &e);
		return;
	}
	id->profile = tls_profile_new(id->anchors);
	if (id->profile == NULL) {
		error_set(&e, "out of memory");
		report(diag, &tls->ca, "ca-file", &e);
	}
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
static void load(struct identity *id, const struct kube_tls *tls, struct arena *arena,
		 struct diag *diag)
{
	struct span ca, chain, key;
	bool ok = read_file(arena, &tls->ca, "ca-file", ANCHORS_PEM_MAX, diag, &ca);

	ok = read_file(arena, &tls->cert, "cert-file", KEYPAIR_PEM_MAX, diag, &chain) && ok;
	ok = read_file(arena, &tls->key, "key-file", KEYPAIR_PEM_MAX, diag, &key) && ok;
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

static bool load_next(struct identities *all, const struct kube_tls *tls, struct diag *diag)
{
	struct identity *id = &all->list[all->count];
	struct arena texts;

	if (!arena_copy(&all->arena, tls->sni, &id->sni) ||
	    !arena_copy(&all->arena, tls->names, &id->names))
		return false;
	all->count++;
	arena_init(&texts, ANCHORS_PEM_MAX + 2 * KEYPAIR_PEM_MAX + 65536);
	load(id, tls, &texts, diag);
	arena_fini(&texts);
	return true;
}

void identity_attach(struct route_table *table, const struct kube_services *services,
		     struct diag *diag)
{
	struct identities *all;
	size_t count = 0;
	bool ok = true;

	for (size_t i = 0; i < services->count; i++)
		count += services->list[i]->tls != NULL;
	if (count == 0)
		return;
	all = alloc_get_zeroed(sizeof *all + count * sizeof all->list[0]);
	if (all == NULL) {
		diag_report(diag, DIAG_ERROR, "out of memory");
		return;
	}
	arena_init(&all->arena, NAMES_MAX);
	for (size_t i = 0; i < services->count && ok; i++)
		if (services->list[i]->tls != NULL)
			ok = load_next(all, services->list[i]->tls, diag);
	if (!ok)
		diag_report(diag, DIAG_ERROR, "out of memory");
	table->attached = all;
	table->release = release;
	for (size_t i = 0; i < table->target_count && ok; i++) {
		struct route_target *target = &table->targets[i];

		if (target->tls_service == 0)
			continue;
		target->identity = &all->list[target->tls_service - 1];
		/* Another content of the same files is another table. */
		table->hash = hash_finish(hash_span(
			table->hash, span_of(target->identity->number, TLSCONN_IDENTITY_SIZE)));
	}
}
