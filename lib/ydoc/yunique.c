#include "ydoc/yunique.h"

#include "base/alloc.h"
#include "base/hash.h"

/* Keys of a mapping that are compared each with each; with more, a table is made. */
#define FEW 16

static bool is_same(const struct ydoc_item *a, const struct ydoc_item *b)
{
	return a->key->kind == YDOC_SCALAR && b->key->kind == YDOC_SCALAR &&
	       span_eq(a->key->text, b->key->text) && !ydoc_is_merge(a);
}

static void report(const struct ykeys_context *context, const struct ydoc_item *first,
		   const struct ydoc_item *again)
{
	struct ydoc_pos pos = again->key_alias != NULL ? again->key_alias->pos : again->key->pos;
	char shown[YDOC_ESCAPED_MAX];

	ykeys_report(context, DIAG_ERROR, pos, ydoc_escape(again->key->text, shown),
		     "key is given twice, first on line %u", first->key->pos.line);
}

static bool check_few(const struct ykeys_context *context, const struct ydoc_node *mapping)
{
	bool ok = true;

	for (const struct ydoc_item *i = mapping->items; i != NULL; i = i->next) {
		const struct ydoc_item *first = mapping->items;

		while (first != i && !is_same(first, i))
			first = first->next;
		if (first == i)
			continue;
		if (context != NULL)
			report(context, first, i);
		ok = false;
	}
	return ok;
}

/* The slot of a key in an open table, or the free one where it belongs. */
static const struct ydoc_item **slot_of(const struct ydoc_item **table, size_t mask,
					const struct ydoc_item *item)
{
	size_t at = hash_finish(hash_span(HASH_INIT, item->key->text)) & mask;

	while (table[at] != NULL && !is_same(table[at], item))
		at = (at + 1) & mask;
	return &table[at];
}

static bool check_many(const struct ykeys_context *context, const struct ydoc_node *mapping,
		       size_t count)
{
	const struct ydoc_item **table;
	size_t size = 64;
	bool ok = true;

	while (size < count * 2)
		size *= 2;
	table = alloc_get_zeroed(size * sizeof(const struct ydoc_item *));
	if (table == NULL)
		return context != NULL &&
		       ykeys_report(context, DIAG_ERROR, mapping->pos, NULL, "out of memory");
	for (const struct ydoc_item *i = mapping->items; i != NULL; i = i->next) {
		const struct ydoc_item **slot;

		if (i->key->kind != YDOC_SCALAR || ydoc_is_merge(i))
			continue;
		slot = slot_of(table, size - 1, i);
		if (*slot != NULL && context != NULL)
			report(context, *slot, i);
		ok = ok && *slot == NULL;
		if (*slot == NULL)
			*slot = i;
	}
	alloc_put(table);
	return ok;
}

/* Reports with a context; without one only answers. */
static bool check_mapping(const struct ykeys_context *context, const struct ydoc_node *mapping)
{
	size_t count = 0;

	for (const struct ydoc_item *i = mapping->items; i != NULL; i = i->next)
		count++;
	return count <= FEW ? check_few(context, mapping) : check_many(context, mapping, count);
}

/*
 * What an alias stands for is looked at where it stands; so recursion is as deep as the text is.
 */
static bool is_to_enter(const struct ydoc_item *item)
{
	return item->value_alias == NULL && item->value->kind != YDOC_SCALAR;
}

static bool is_unique(const struct ydoc_node *node)
{
	if (node->kind == YDOC_MAPPING && !check_mapping(NULL, node))
		return false;
	for (const struct ydoc_item *i = node->items; i != NULL; i = i->next)
		if (is_to_enter(i) && !is_unique(i->value))
			return false;
	return true;
}

static void report_all(const struct ykeys_context *context, const struct ydoc_node *node)
{
	struct ydoc_path path = {.parent = context->path};
	struct ykeys_context inner = {context->diag, context->file, &path};
	char name[YDOC_ESCAPED_MAX];

	if (node->kind == YDOC_MAPPING)
		check_mapping(context, node);
	for (const struct ydoc_item *i = node->items; i != NULL; i = i->next, path.index++) {
		if (!is_to_enter(i))
			continue;
		if (i->key != NULL)
			path.key = i->key->kind == YDOC_SCALAR ? ydoc_escape(i->key->text, name)
							       : "{}";
		report_all(&inner, i->value);
	}
}

bool yunique_check(const struct ykeys_context *context, const struct ydoc_node *node)
{
	/* Nearly always all is well: paths are made only when it is not. */
	if (node->kind == YDOC_SCALAR || is_unique(node))
		return true;
	report_all(context, node);
	return false;
}
