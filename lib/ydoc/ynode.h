/*
 * ynode: trees that were not read from anywhere, for yemit to write.
 *
 * All of it lives in an arena; NULL and false mean that memory is out.
 */
#ifndef YDOC_YNODE_H
#define YDOC_YNODE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/span.h"
#include "ydoc/ydoc.h"

/* Entries of a mapping or, with key NULL, of a sequence, in order. Starts zeroed. */
struct ynode_list {
	struct ydoc_item *first, *last;
	size_t count;
};

bool ynode_hang(struct ynode_list *list, struct arena *arena, const struct ydoc_node *key,
		const struct ydoc_node *value);

/* A mapping or sequence of the entries, which are kept. */
const struct ydoc_node *ynode_collection(struct arena *arena, enum ydoc_kind kind,
					 const struct ynode_list *list);
/* Text, borrowed: also `80` and `true`. */
const struct ydoc_node *ynode_text(struct arena *arena, struct span text);
/* A scalar without quotes, borrowed: `80` is a number. */
const struct ydoc_node *ynode_plain(struct arena *arena, struct span text);

#endif
