/*
 * yemit: a tree as text, in the style of the text that it goes into.
 *
 * Block style is YAML in lines; flow style is in brackets, YAML or JSON, in one line or over many.
 * Merge keys are resolved and aliases written out, so a tree may give far more text than it came
 * from: out's bound decides, and out->truncated tells.
 */
#ifndef YDOC_YEMIT_H
#define YDOC_YEMIT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/span.h"
#include "ydoc/ydoc.h"

struct yemit_style {
	struct span eol; /* "\n" or "\r\n" */

	/* Block: columns that are added */
	unsigned map_step;  /* by a mapping in a mapping */
	unsigned dash_step; /* by a sequence in a mapping; 0: its dashes stand under the key */
	unsigned item_step; /* from a dash to what it holds, 2 in "- name" */
	bool has_literals;  /* text of several lines behind a `|`; else it is in quotes */

	/* Flow */
	bool is_json;		 /* keys and text in double quotes */
	bool is_tight;		 /* no blank behind ":" and "," */
	bool is_inline;		 /* all in one line; else an entry a line */
	struct span indent_step; /* what an entry is indented by more than its parent */
};

/*
 * The style when nothing says another: "\n", two columns each, dashes under the key; flow as YAML
 * in one line.
 */
extern const struct yemit_style yemit_default_style;

/*
 * Entries of a mapping or sequence as lines, each indented to `column` (from 0) and with its line
 * end. Nothing for an empty one. The arena is for resolved merges.
 */
void yemit_lines(struct buf *out, const struct ydoc_node *collection,
		 const struct yemit_style *style, unsigned column, struct arena *arena);

/*
 * Entries of a mapping or sequence for inside brackets, with the separators between them. When not
 * inline the first begins where the text is now and each other on a line that is indented by
 * `indent`.
 */
void yemit_entries(struct buf *out, const struct ydoc_node *collection,
		   const struct yemit_style *style, struct span indent, struct arena *arena);

/* What stands between two entries in brackets: `, ` or a comma and a new line. */
void yemit_separator(struct buf *out, const struct yemit_style *style, struct span indent);

/*
 * The mapping with what it merges among its own entries: itself when it merges nothing, else a new
 * one in the arena. NULL when memory is out.
 */
const struct ydoc_node *yemit_flatten(const struct ydoc_node *mapping, struct arena *arena);

#endif
