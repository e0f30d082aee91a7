#include "proxy/names.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "sys/log.h"

struct names_entry {
	struct resolver_name name;
	struct names *owner;
	const uint32_t *targets;
	size_t target_count;
};

/* qsort has no context: the table whose targets are being sorted. Control thread only. */
static const struct route_table *sorting;

static int compare_hosts(const void *a, const void *b)
{
	struct span x = sorting->targets[*(const uint32_t *)a].host;
	struct span y = sorting->targets[*(const uint32_t *)b].host;
	size_t shorter = x.len < y.len ? x.len : y.len;
	int order = memcmp(x.ptr, y.ptr, shorter);

	if (order != 0)
		return order;
	return x.len < y.len ? -1 : x.len > y.len;
}

static void log_change(const struct resolver_name *name)
{
	struct log_line line;

	log_begin(&line, name->state == RESOLVER_OK ? LOG_DEBUG : LOG_WARN, "external name");
	log_text(&line, "name", name->name);
	log_cstr(&line, "state", resolver_state_names[name->state]);
	log_u64(&line, "addresses", name->addr_count);
	log_u64(&line, "ttl", name->ttl_s);
	log_end(&line);
}

/* Puts the name's present answer into all its targets. */
static void refresh(struct names_entry *entry)
{
	struct names *n = entry->owner;
	const struct resolver_name *name = &entry->name;
	struct endpoints *fresh = view_endpoints_new(
		name->state, name->addrs, name->state == RESOLVER_OK ? name->addr_count : 0);

	/* Without memory the old answer stands; the next change tries again. */
	if (fresh == NULL)
		return;
	for (size_t i = 0; i < entry->target_count; i++) {
		struct endpoints **slot = &n->endpoints[entry->targets[i]];

		view_endpoints_unref(*slot);
		*slot = fresh;
		view_endpoints_ref(fresh);
	}
	view_endpoints_unref(fresh);
	n->changed = true;
}

static void on_change(struct resolver_name *name)
{
	struct names_entry *entry = LIST_OWNER(name, struct names_entry, name);
	bool was_pending = entry->owner->endpoints[entry->targets[0]]->state == RESOLVER_PENDING;

	refresh(entry);
	if (was_pending && name->state != RESOLVER_PENDING)
		entry->owner->answered++;
	log_change(name);
}

/* Counts the groups of equal hosts in the sorted targets, and fills in their first and number. */
static size_t group(struct names *n, const struct route_table *table)
{
	size_t count = 0;

	for (size_t i = 0; i < n->target_count; i++) {
		struct span host = table->targets[n->targets[i]].host;

		if (i == 0 || !span_eq(host, table->targets[n->targets[i - 1]].host)) {
			n->entries[count].owner = n;
			n->entries[count++].targets = &n->targets[i];
		}
		n->entries[count - 1].target_count++;
	}
	return count;
}

static bool watch(struct names_entry *entry, struct resolver *r, const struct route_table *table,
		  struct error *e)
{
	struct span host = table->targets[entry->targets[0]].host;

	if (!resolver_watch(r, &entry->name, host, on_change, e))
		return error_prefix(e, "%.*s", SPAN_ARG(host));
	refresh(entry);
	/* Literal and pinned addresses are there at once; on_change will not see them pending. */
	if (entry->name.state != RESOLVER_PENDING)
		entry->owner->answered++;
	return true;
}

bool names_start(struct names *n, struct resolver *r, const struct route_table *table,
		 struct error *e)
{
	size_t count = table->target_count, groups;

	*n = (struct names){.target_count = count, .changed = true};
	if (count == 0)
		return true;
	n->targets = alloc_get_zeroed(count * sizeof *n->targets);
	n->endpoints = alloc_get_zeroed(count * sizeof(struct endpoints *));
	n->entries = alloc_get_zeroed(count * sizeof *n->entries);
	if (n->targets == NULL || n->endpoints == NULL || n->entries == NULL)
		return error_set(e, "out of memory");
	for (size_t i = 0; i < count; i++) {
		n->targets[i] = (uint32_t)i;
		n->endpoints[i] = view_endpoints_new(RESOLVER_PENDING, NULL, 0);
		if (n->endpoints[i] == NULL)
			return error_set(e, "out of memory");
	}
	sorting = table;
	qsort(n->targets, count, sizeof *n->targets, compare_hosts);
	groups = group(n, table);
	for (; n->count < groups; n->count++)
		if (!watch(&n->entries[n->count], r, table, e))
			return false;
	return true;
}

void names_stop(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		resolver_unwatch(&n->entries[i].name);
	for (size_t i = 0; n->endpoints != NULL && i < n->target_count; i++)
		view_endpoints_unref(n->endpoints[i]);
	alloc_put(n->entries);
	alloc_put(n->endpoints);
	alloc_put(n->targets);
	*n = (struct names){0};
}

struct view *names_view(struct names *n, struct generation *g)
{
	struct view *view = view_new(g, n->endpoints);

	if (view != NULL)
		n->changed = false;
	return view;
}

size_t names_count_state(const struct names *n, enum resolver_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < n->count; i++)
		count += n->entries[i].name.state == state;
	return count;
}
