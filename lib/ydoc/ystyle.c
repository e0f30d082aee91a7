#include "ydoc/ystyle.h"

#include <string.h>

#include "ydoc/yplace.h"

static unsigned distance(unsigned from, unsigned to, unsigned fallback)
{
	return to > from && to - from <= 16 ? to - from : fallback;
}

static bool is_block(const struct ydoc_node *node, enum ydoc_kind kind)
{
	return node->kind == kind && !node->is_flow && node->items != NULL;
}

/* From the first sequence in lines that is a value of the mapping. */
static void learn_dashes(struct yemit_style *style, struct span text,
			 const struct ydoc_node *mapping, unsigned column)
{
	for (const struct ydoc_item *i = mapping->items; i != NULL; i = i->next) {
		unsigned dash, item;
		size_t first;

		if (i->value_alias != NULL || !is_block(i->value, YDOC_SEQUENCE))
			continue;
		first = i->value->items->value->pos.offset;
		dash = yplace_column(text, i->value->body);
		style->dash_step = distance(column, dash, 0);
		item = yplace_column(text, first);
		/* Nothing behind the dash says nothing. */
		if (item > dash + 1 &&
		    yplace_line_start(text, first) == yplace_line_start(text, i->value->body))
			style->item_step = distance(dash, item, 2);
		return;
	}
}

static bool is_tight_at(struct span text, const struct ydoc_node *key)
{
	size_t colon = key->end;

	return colon + 1 < text.len && text.ptr[colon] == ':' &&
	       strchr(" \t\r\n", text.ptr[colon + 1]) == NULL;
}

struct yemit_style ystyle_of_lines(struct span text, const struct ydoc_node *parent,
				   const struct ydoc_node *sample)
{
	struct yemit_style style = yemit_default_style;
	unsigned column;

	style.eol = yplace_eol(text, sample->pos.offset);
	if (!is_block(sample, YDOC_MAPPING))
		return style;
	column = yplace_column(text, sample->body);
	if (parent != NULL && is_block(parent, YDOC_MAPPING))
		style.map_step = distance(yplace_column(text, parent->body), column, 2);
	learn_dashes(&style, text, sample, column);
	return style;
}

/* The first key in a collection in brackets, or in what is in it. */
static const struct ydoc_node *first_key(const struct ydoc_node *node)
{
	while (node->kind != YDOC_SCALAR && node->is_flow && node->items != NULL) {
		if (node->items->key != NULL)
			return node->items->key;
		node = node->items->value;
	}
	return NULL;
}

/* The blanks before an entry that is first on its line. */
static struct span blanks_before(struct span text, size_t entry)
{
	size_t start = yplace_line_start(text, entry);

	return span_of(text.ptr + start, entry - start);
}

/* How the closing bracket is indented less than the entries. */
static struct span indent_step(struct span text, const struct ydoc_node *node, struct span indent)
{
	size_t closing = node->end - 1;
	struct span outer;

	if (!yplace_is_first(text, closing))
		return yemit_default_style.indent_step;
	outer = blanks_before(text, closing);
	if (outer.len < indent.len && span_starts_with(indent, outer))
		return span_from(indent, outer.len);
	return yemit_default_style.indent_step;
}

struct yemit_style ystyle_of_brackets(struct span text, const struct ydoc_node *node,
				      const struct yemit_style *lines,
				      const struct ystyle_around *around, struct span *indent)
{
	struct yemit_style style = around->style != NULL ? *around->style : *lines;
	const struct ydoc_node *key = first_key(node);
	size_t first;

	*indent = SPAN("");
	if (key != NULL) {
		style.is_json = text.ptr[key->pos.offset] == '"';
		style.is_tight = style.is_json && is_tight_at(text, key);
	}
	if (node->items == NULL) {
		/* `{ }`: what is in it stays. */
		style.is_inline = style.is_inline || node->end - node->body != 1;
		return style;
	}
	first = yplace_entry_start(text, node, node->items);
	style.is_inline = !yplace_is_first(text, first) ||
			  yplace_line_start(text, first) < node->body;
	if (!style.is_inline) {
		*indent = blanks_before(text, first);
		style.indent_step = indent_step(text, node, *indent);
	}
	return style;
}
