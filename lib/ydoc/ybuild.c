#include "ydoc/ybuild.h"

#include <string.h>

#include "base/hash.h"

/*
 * Enough for any file made by hand or by a template; both keep what a hostile file can cost small.
 */
#define MAX_ANCHORS 10000
#define MAX_ALIAS_WEIGHT 1000000

struct ybuild_anchor {
	struct ybuild_anchor *next; /* in its bucket, newest first: a name may be used again */
	struct span name;
	struct ydoc_node *node;
	uint32_t weight;
	bool is_open;
};

/* One allocation for a node and the entry that it hangs on, since nearly every node has both. */
struct entry {
	struct ydoc_item item;
	struct ydoc_node node;
};

void ybuild_init(struct ybuild *b, struct arena *arena, struct yproblem *problem)
{
	/*
	 * Field by field: the places in open[] are written before they are read, and there are
	 * many.
	 */
	b->arena = arena;
	b->problem = problem;
	b->root = NULL;
	b->depth = 0;
	memset(b->anchors, 0, sizeof b->anchors);
	b->anchor_count = 0;
	b->alias_weight = 0;
	b->end = 0;
}

static bool fail_for_memory(struct ybuild *b, struct ydoc_pos pos)
{
	b->problem->pos = pos;
	return error_set(&b->problem->error, "document is too large for the memory there is");
}

/*
 * Gives a node its place in the tree: root, a mapping's next key, or a value, for which `item` is
 * there. `alias` is what it came by, or NULL.
 */
static void attach(struct ybuild *b, const struct ydoc_node *node, const struct ydoc_alias *alias,
		   struct ydoc_item *item, uint32_t weight)
{
	struct ybuild_open *parent = b->depth > 0 ? &b->open[b->depth - 1] : NULL;

	if (parent == NULL) {
		b->root = node;
		return;
	}
	parent->weight += weight;
	if (parent->node->kind == YDOC_MAPPING && parent->key == NULL) {
		parent->key = node;
		parent->key_alias = alias;
		return;
	}
	*item = (struct ydoc_item){.key = parent->key,
				   .value = node,
				   .key_alias = parent->key_alias,
				   .value_alias = alias};
	if (parent->last == NULL)
		parent->node->items = item;
	else
		parent->last->next = item;
	parent->last = item;
	parent->key = NULL;
	parent->key_alias = NULL;
}

static struct ydoc_node *add_node(struct ybuild *b, const struct ydoc_node *node)
{
	struct entry *entry = arena_get(b->arena, sizeof *entry);

	if (entry == NULL) {
		fail_for_memory(b, node->pos);
		return NULL;
	}
	entry->node = *node;
	attach(b, &entry->node, NULL, &entry->item, 1);
	return &entry->node;
}

static struct ybuild_anchor **bucket_of(struct ybuild *b, struct span name)
{
	return &b->anchors[hash_finish(hash_span(HASH_INIT, name)) % YBUILD_BUCKETS];
}

static struct ybuild_anchor *add_anchor(struct ybuild *b, struct ydoc_node *node, struct span name)
{
	struct ybuild_anchor **bucket = bucket_of(b, name);
	struct ybuild_anchor *anchor;

	if (b->anchor_count == MAX_ANCHORS) {
		b->problem->pos = node->pos;
		error_set(&b->problem->error, "more than %d anchors in one document", MAX_ANCHORS);
		return NULL;
	}
	anchor = arena_get(b->arena, sizeof *anchor);
	if (anchor == NULL || !arena_copy(b->arena, name, &anchor->name)) {
		fail_for_memory(b, node->pos);
		return NULL;
	}
	b->anchor_count++;
	anchor->node = node;
	anchor->weight = 1;
	anchor->next = *bucket;
	*bucket = anchor;
	return anchor;
}

bool ybuild_add_scalar(struct ybuild *b, const struct ydoc_node *scalar, struct span anchor)
{
	struct ydoc_node *node = add_node(b, scalar);

	if (node == NULL)
		return false;
	b->end = node->end;
	return anchor.len == 0 || add_anchor(b, node, anchor) != NULL;
}

/* An alias and, since it may become a value, the entry that it hangs on then. */
struct alias_entry {
	struct ydoc_alias alias;
	struct ydoc_item item;
};

bool ybuild_add_alias(struct ybuild *b, struct ydoc_pos pos, uint32_t end, struct span name)
{
	struct ybuild_anchor *anchor = *bucket_of(b, name);
	struct alias_entry *entry;

	while (anchor != NULL && !span_eq(anchor->name, name))
		anchor = anchor->next;
	b->problem->pos = pos;
	if (anchor == NULL)
		return error_set(&b->problem->error, "*%.*s refers to no anchor before it",
				 SPAN_ARG(span_first(name, 100)));
	if (anchor->is_open)
		return error_set(&b->problem->error, "*%.*s refers to what it is part of",
				 SPAN_ARG(span_first(name, 100)));
	if (anchor->weight > MAX_ALIAS_WEIGHT - b->alias_weight)
		return error_set(&b->problem->error, "aliases stand for more than %d nodes",
				 MAX_ALIAS_WEIGHT);
	b->alias_weight += anchor->weight;
	entry = arena_get(b->arena, sizeof *entry);
	if (entry == NULL)
		return fail_for_memory(b, pos);
	entry->alias = (struct ydoc_alias){pos, end};
	anchor->node->is_aliased = true;
	b->end = end;
	attach(b, anchor->node, &entry->alias, &entry->item, anchor->weight);
	return true;
}

bool ybuild_open(struct ybuild *b, const struct ydoc_node *collection, struct span anchor)
{
	struct ybuild_open open = {.weight = 1};

	if (b->depth == YDOC_MAX_DEPTH) {
		b->problem->pos = collection->pos;
		return error_set(&b->problem->error, "nested deeper than %d levels",
				 YDOC_MAX_DEPTH);
	}
	open.node = add_node(b, collection);
	if (open.node == NULL)
		return false;
	if (anchor.len > 0) {
		open.anchor = add_anchor(b, open.node, anchor);
		if (open.anchor == NULL)
			return false;
		open.anchor->is_open = true;
	}
	b->open[b->depth++] = open;
	return true;
}

void ybuild_close(struct ybuild *b, uint32_t end)
{
	struct ybuild_open *closed = &b->open[--b->depth];

	if (closed->node->is_flow)
		b->end = end;
	closed->node->end = b->end;
	if (closed->anchor != NULL) {
		closed->anchor->is_open = false;
		closed->anchor->weight = closed->weight;
	}
	/* The node itself was counted when it was attached. */
	if (b->depth > 0)
		b->open[b->depth - 1].weight += closed->weight - 1;
}
