#include "proxy/names.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "sys/log.h"

/* The targets of one host: a part of names.targets. */
struct group {
	const uint32_t *targets;
	size_t count;
};

struct names_entry {
	struct resolver_name name;
	struct names *owner; /* NULL until it has its group */
	struct group group;
	bool is_kept; /* only while tables change: the next one has this name too */
};

/* qsort has no context: the table whose targets are being sorted. Control thread only. */
static const struct route_table *sorting;

static int compare(struct span x, struct span y)
{
	size_t shorter = x.len < y.len ? x.len : y.len;
	int order = memcmp(x.ptr, y.ptr, shorter);

	if (order != 0)
		return order;
	return x.len < y.len ? -1 : x.len > y.len;
}

static int compare_hosts(const void *a, const void *b)
{
	return compare(sorting->targets[*(const uint32_t *)a].host,
		       sorting->targets[*(const uint32_t *)b].host);
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
	fresh->trusted = name->source == RESOLVER_PINNED;
	for (size_t i = 0; i < entry->group.count; i++) {
		struct endpoints **slot = &n->endpoints[entry->group.targets[i]];

		view_endpoints_unref(*slot);
		*slot = fresh;
		view_endpoints_ref(fresh);
	}
	view_endpoints_unref(fresh);
	n->changed = true;
}

/* What its targets have now. */
static struct endpoints *endpoints_of(const struct names_entry *entry)
{
	return entry->owner->endpoints[entry->group.targets[0]];
}

static void on_change(struct resolver_name *name)
{
	struct names_entry *entry = LIST_OWNER(name, struct names_entry, name);
	bool was_pending = endpoints_of(entry)->state == RESOLVER_PENDING;

	refresh(entry);
	if (was_pending && name->state != RESOLVER_PENDING)
		entry->owner->answered++;
	log_change(name);
}

/* The groups of equal hosts in the sorted targets; returns how many. */
static size_t find_groups(const struct names *n, const struct route_table *table,
			  struct group *groups)
{
	size_t count = 0;

	for (size_t i = 0; i < n->target_count; i++) {
		struct span host = table->targets[n->targets[i]].host;

		if (i == 0 || !span_eq(host, table->targets[n->targets[i - 1]].host))
			groups[count++].targets = &n->targets[i];
		groups[count - 1].count++;
	}
	return count;
}

/* Room for the table's targets, sorted, none of which has an answer, and for as many names. */
static bool make_room(struct names *n, const struct route_table *table)
{
	size_t count = table->target_count;

	*n = (struct names){.target_count = count, .changed = true};
	if (count == 0)
		return true;
	n->targets = alloc_get_zeroed(count * sizeof *n->targets);
	n->endpoints = alloc_get_zeroed(count * sizeof(struct endpoints *));
	n->entries = alloc_get_zeroed(count * sizeof(struct names_entry *));
	if (n->targets == NULL || n->endpoints == NULL || n->entries == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		n->targets[i] = (uint32_t)i;
		n->endpoints[i] = view_endpoints_new(RESOLVER_PENDING, NULL, 0);
		if (n->endpoints[i] == NULL)
			return false;
	}
	sorting = table;
	qsort(n->targets, count, sizeof *n->targets, compare_hosts);
	return true;
}

/* With the entries that are not kept. */
static void free_room(struct names *n)
{
	for (size_t i = 0; i < n->count; i++) {
		struct names_entry *entry = n->entries[i];

		if (entry->is_kept) {
			entry->is_kept = false;
			continue;
		}
		resolver_unwatch(&entry->name);
		alloc_put(entry);
	}
	for (size_t i = 0; n->endpoints != NULL && i < n->target_count; i++)
		view_endpoints_unref(n->endpoints[i]);
	alloc_put(n->entries);
	alloc_put(n->endpoints);
	alloc_put(n->targets);
}

static struct names_entry *watch(struct resolver *r, struct span host, struct error *e)
{
	struct names_entry *entry = alloc_get_zeroed(sizeof *entry);

	if (entry == NULL) {
		error_set(e, "out of memory");
		return NULL;
	}
	if (resolver_watch(r, &entry->name, host, on_change, e))
		return entry;
	error_prefix(e, "%.*s", SPAN_ARG(host));
	alloc_put(entry);
	return NULL;
}

/*
 * An entry for each group: the one that `before` has, else a new one. The hosts of both are in
 * order, so one pass over them does.
 */
static bool find_entries(struct names *n, struct names *before, const struct group *groups,
			 size_t count, struct resolver *r, const struct route_table *table,
			 struct error *e)
{
	size_t at = 0;

	for (; n->count < count; n->count++) {
		struct span host = table->targets[groups[n->count].targets[0]].host;
		struct names_entry *entry = NULL;

		while (at < before->count && compare(before->entries[at]->name.name, host) < 0)
			at++;
		if (at < before->count && span_eq(before->entries[at]->name.name, host)) {
			entry = before->entries[at];
			entry->is_kept = true;
		} else {
			entry = watch(r, host, e);
		}
		if (entry == NULL)
			return false;
		n->entries[n->count] = entry;
	}
	return true;
}

/* Gives an entry its targets, which have at once what is known of the name. */
static void settle(struct names *n, const struct names *before, struct names_entry *entry,
		   struct group group)
{
	struct endpoints *known = entry->owner != NULL ? before->endpoints[entry->group.targets[0]]
						       : NULL;

	entry->owner = n;
	entry->group = group;
	/* Literal and pinned addresses are there at once; on_change will not see them pending. */
	if (entry->name.state != RESOLVER_PENDING)
		n->answered++;
	if (known == NULL) {
		refresh(entry);
		return;
	}
	for (size_t i = 0; i < group.count; i++) {
		view_endpoints_unref(n->endpoints[group.targets[i]]);
		n->endpoints[group.targets[i]] = known;
		view_endpoints_ref(known);
	}
}

bool names_change(struct names *n, struct resolver *r, const struct route_table *table,
		  struct error *e)
{
	struct group *groups = alloc_get_zeroed((table->target_count + 1) * sizeof *groups);
	struct names before = *n, fresh;
	bool ok = make_room(&fresh, table) && groups != NULL;

	if (!ok)
		error_set(e, "out of memory");
	else
		ok = find_entries(&fresh, &before, groups, find_groups(&fresh, table, groups), r,
				  table, e);
	if (ok) {
		*n = fresh;
		for (size_t i = 0; i < n->count; i++)
			settle(n, &before, n->entries[i], groups[i]);
	}
	free_room(ok ? &before : &fresh);
	alloc_put(groups);
	return ok;
}

void names_stop(struct names *n)
{
	free_room(n);
	*n = (struct names){0};
}

struct view *names_view(struct names *n, struct generation *g)
{
	struct view *view = view_new(g, n->endpoints);

	if (view != NULL)
		n->changed = false;
	return view;
}

const struct resolver_name *names_at(const struct names *n, size_t index, const uint32_t **targets,
				     size_t *target_count)
{
	const struct names_entry *entry = n->entries[index];

	*targets = entry->group.targets;
	*target_count = entry->group.count;
	return &entry->name;
}

size_t names_count_state(const struct names *n, enum resolver_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < n->count; i++)
		count += n->entries[i]->name.state == state;
	return count;
}
