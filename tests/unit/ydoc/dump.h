/*
 * dump: a tree as text, for tests: {key=value,...}, [value,...], plain scalars as they are, others
 * in quotes.
 */
#ifndef DUMP_H
#define DUMP_H

#include "base/buf.h"
#include "ydoc/ydoc.h"

static inline void dump(const struct ydoc_node *node, struct buf *out)
{
	bool is_mapping = node->kind == YDOC_MAPPING;

	if (node->kind == YDOC_SCALAR) {
		buf_add_cstr(out, node->is_plain ? "" : "\"");
		buf_add_escaped(out, node->text, SIZE_MAX);
		buf_add_cstr(out, node->is_plain ? "" : "\"");
		return;
	}
	buf_add_byte(out, is_mapping ? '{' : '[');
	for (const struct ydoc_item *i = node->items; i != NULL; i = i->next) {
		if (i->key != NULL) {
			dump(i->key, out);
			buf_add_byte(out, '=');
		}
		dump(i->value, out);
		if (i->next != NULL)
			buf_add_byte(out, ',');
	}
	buf_add_byte(out, is_mapping ? '}' : ']');
}

#endif
