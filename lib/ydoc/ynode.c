#include "ydoc/ynode.h"

bool ynode_hang(struct ynode_list *list, struct arena *arena, const struct ydoc_node *key,
		const struct ydoc_node *value)
{
	struct ydoc_item *item = arena_get(arena, sizeof *item);

	if (item == NULL)
		return false;
	*item = (struct ydoc_item){.key = key, .value = value};
	if (list->last == NULL)
		list->first = item;
	else
		list->last->next = item;
	list->last = item;
	list->count++;
	return true;
}

const struct ydoc_node *ynode_collection(struct arena *arena, enum ydoc_kind kind,
					 const struct ynode_list *list)
{
	struct ydoc_node *node = arena_get(arena, sizeof *node);

	if (node == NULL)
		return NULL;
	node->kind = (uint8_t)kind;
	node->items = list->first;
	return node;
}

static const struct ydoc_node *new_scalar(struct arena *arena, struct span text, bool is_plain)
{
	struct ydoc_node *node = arena_get(arena, sizeof *node);

	if (node == NULL)
		return NULL;
	node->kind = YDOC_SCALAR;
	node->is_plain = is_plain;
	node->is_flow = true;
	node->text = text;
	return node;
}

const struct ydoc_node *ynode_text(struct arena *arena, struct span text)
{
	return new_scalar(arena, text, false);
}

const struct ydoc_node *ynode_plain(struct arena *arena, struct span text)
{
	return new_scalar(arena, text, true);
}
