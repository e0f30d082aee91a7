#include "kube/servicestore.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/hash.h"

#define BUCKETS_MIN 64

struct servicestore_entry {
	struct servicestore_entry *next; /* of its bucket */
	uint64_t hash;
	uint32_t round; /* of the list that had it last */
	struct kube_service service;
	struct kube_tls tls;
	struct kube_port ports[]; /* then the texts, each with a NUL */
};

static uint64_t hash_of(struct span namespace, struct span name)
{
	return hash_finish(hash_span(hash_byte(hash_span(HASH_INIT, namespace), '/'), name));
}

/* Where the pointer to the entry is, or would be: at the end of its bucket. */
static struct servicestore_entry **find(struct servicestore *s, struct span namespace,
					struct span name)
{
	uint64_t hash = hash_of(namespace, name);
	struct servicestore_entry **at = &s->buckets[hash & (s->bucket_count - 1)];

	while (*at != NULL && ((*at)->hash != hash || !span_eq((*at)->service.name, name) ||
			       !span_eq((*at)->service.namespace, namespace)))
		at = &(*at)->next;
	return at;
}

static bool is_unusable(const struct servicestore_entry *entry)
{
	return entry->service.external_name.len == 0;
}

/* At least as many buckets as entries; without memory for more, those that are there do. */
static bool make_buckets(struct servicestore *s)
{
	size_t count = s->bucket_count > 0 ? s->bucket_count * 2 : BUCKETS_MIN;
	struct servicestore_entry **buckets;

	if (s->count < s->bucket_count)
		return true;
	buckets = alloc_get_zeroed(count * sizeof(struct servicestore_entry *));
	if (buckets == NULL)
		return s->bucket_count > 0;
	for (size_t i = 0; i < s->bucket_count; i++) {
		struct servicestore_entry *entry, *next;

		for (entry = s->buckets[i]; entry != NULL; entry = next) {
			struct servicestore_entry **at = &buckets[entry->hash & (count - 1)];

			next = entry->next;
			entry->next = *at;
			*at = entry;
		}
	}
	alloc_put(s->buckets);
	s->buckets = buckets;
	s->bucket_count = count;
	return true;
}

static void drop(struct servicestore *s, struct servicestore_entry **at)
{
	struct servicestore_entry *entry = *at;

	*at = entry->next;
	s->count--;
	s->unusable -= is_unusable(entry);
	s->changed = true;
	alloc_put(entry);
}

/* Copies the text to *at, which moves behind it. */
static struct span copy(struct span text, char **at)
{
	struct span copied = span_of(*at, text.len);

	if (text.len > 0)
		memcpy(*at, text.ptr, text.len);
	(*at)[text.len] = '\0';
	*at += text.len + 1;
	return copied;
}

static struct servicestore_entry *entry_new(const struct kube_service *from)
{
	struct span file = span_from_cstr(from->pos.file);
	size_t size = sizeof(struct servicestore_entry) + from->port_count * sizeof from->ports[0];
	struct servicestore_entry *entry;
	char *at;

	size += from->name.len + from->namespace.len + from->external_name.len + file.len + 4;
	if (from->tls != NULL)
		size += from->tls->sni.len + from->tls->names.len + 2;
	for (size_t i = 0; i < from->port_count; i++)
		size += from->ports[i].name.len + 1;
	entry = alloc_get(size);
	if (entry == NULL)
		return NULL;
	entry->hash = hash_of(from->namespace, from->name);
	entry->service = *from;
	entry->service.ports = entry->ports;
	at = (char *)&entry->ports[from->port_count];
	entry->service.name = copy(from->name, &at);
	entry->service.namespace = copy(from->namespace, &at);
	entry->service.external_name = copy(from->external_name, &at);
	entry->service.pos = (struct kube_pos){.file = copy(file, &at).ptr};
	if (from->tls != NULL) {
		entry->tls = (struct kube_tls){
			.sni = copy(from->tls->sni, &at),
			.names = copy(from->tls->names, &at),
			.is_unverified = from->tls->is_unverified,
			.pos = entry->service.pos,
		};
		entry->service.tls = &entry->tls;
	}
	for (size_t i = 0; i < from->port_count; i++) {
		entry->ports[i] = from->ports[i];
		entry->ports[i].name = copy(from->ports[i].name, &at);
		entry->ports[i].pos = entry->service.pos;
	}
	return entry;
}

bool servicestore_renew(struct servicestore *s, struct span namespace, struct span name,
			const char *source)
{
	struct servicestore_entry *entry = s->bucket_count > 0 ? *find(s, namespace, name) : NULL;

	if (entry == NULL || strcmp(entry->service.pos.file, source) != 0)
		return false;
	entry->round = s->round;
	return true;
}

bool servicestore_put(struct servicestore *s, const struct kube_service *service)
{
	struct servicestore_entry **at, *entry;

	if (!make_buckets(s))
		return false;
	at = find(s, service->namespace, service->name);
	entry = entry_new(service);
	if (entry == NULL)
		return false;
	if (*at != NULL)
		drop(s, at);
	entry->round = s->round;
	entry->next = *at;
	*at = entry;
	s->count++;
	s->unusable += is_unusable(entry);
	s->changed = true;
	return true;
}

void servicestore_remove(struct servicestore *s, struct span namespace, struct span name)
{
	struct servicestore_entry **at;

	if (s->bucket_count == 0)
		return;
	at = find(s, namespace, name);
	if (*at != NULL)
		drop(s, at);
}

void servicestore_begin(struct servicestore *s)
{
	s->round++;
}

void servicestore_sweep(struct servicestore *s)
{
	for (size_t i = 0; i < s->bucket_count; i++) {
		struct servicestore_entry **at = &s->buckets[i];

		while (*at != NULL) {
			if ((*at)->round != s->round)
				drop(s, at);
			else
				at = &(*at)->next;
		}
	}
}

static int compare_spans(struct span a, struct span b)
{
	int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare(const void *a, const void *b)
{
	const struct kube_service *x = *(struct kube_service *const *)a;
	const struct kube_service *y = *(struct kube_service *const *)b;
	int order = compare_spans(x->namespace, y->namespace);

	return order != 0 ? order : compare_spans(x->name, y->name);
}

struct kube_service **servicestore_sorted(struct servicestore *s)
{
	size_t count = 0;

	if (s->sorted == NULL || s->sorted_capacity < s->count) {
		alloc_put(s->sorted);
		s->sorted_capacity = s->count + s->count / 4 + 1;
		s->sorted = alloc_get(s->sorted_capacity * sizeof(struct kube_service *));
	}
	if (s->sorted == NULL)
		return NULL;
	for (size_t i = 0; i < s->bucket_count; i++)
		for (struct servicestore_entry *e = s->buckets[i]; e != NULL; e = e->next)
			s->sorted[count++] = &e->service;
	qsort(s->sorted, count, sizeof(struct kube_service *), compare);
	return s->sorted;
}

void servicestore_fini(struct servicestore *s)
{
	servicestore_begin(s);
	servicestore_sweep(s);
	alloc_put(s->buckets);
	alloc_put(s->sorted);
	*s = (struct servicestore){0};
}
