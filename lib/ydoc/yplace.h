/*
 * yplace: where in a document's text the lines and entries begin and end that edits keep whole.
 *
 * Offsets are of the whole text that the nodes were read from. Entries are those of one collection;
 * where an entry came by an alias, its place is the alias's. Lines are those of YAML 1.1, where
 * U+0085, U+2028 and U+2029 end them too.
 */
#ifndef YDOC_YPLACE_H
#define YDOC_YPLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "ydoc/ydoc.h"

/* Start of the line that holds `offset`, behind a byte order mark. */
size_t yplace_line_start(struct span text, size_t offset);
/* Behind the end of that line: the start of the next, or the end of the text. */
size_t yplace_line_end(struct span text, size_t offset);
/* Whether only blanks stand before `offset` in its line. */
bool yplace_is_first(struct span text, size_t offset);
/*
 * Characters between the start of the line and `offset`: the column, from 0, that YAML sees. A byte
 * order mark on a later line is one of them.
 */
unsigned yplace_column(struct span text, size_t offset);
/*
 * "\r\n" or "\n", as the first line that ends behind `offset`, or else the last before it, has it;
 * "\n" when there is none near: a whole file may be one line.
 */
struct span yplace_eol(struct span text, size_t offset);

/* Where an entry begins: at its `-`, its `?`, its key, or, in brackets, its value. */
size_t yplace_entry_start(struct span text, const struct ydoc_node *collection,
			  const struct ydoc_item *item);
/* Behind the last byte of its value, comments and line end aside. */
size_t yplace_entry_end(const struct ydoc_item *item);

/*
 * Where lines begin that can be put before an entry that is first on its line: above the comments
 * that stand directly over it, at its column.
 */
size_t yplace_above(struct span text, const struct ydoc_node *collection,
		    const struct ydoc_item *item);

/*
 * Where lines begin that can be put behind the last entry of a collection without brackets: behind
 * the rest of its line and the comments below that are indented deeper than the entry. SIZE_MAX
 * when its last text has no line end and would get one (a `|` at the end of the file).
 */
size_t yplace_below(struct span text, const struct ydoc_node *collection);

/* Behind the last line of an entry, comments below it left out. */
size_t yplace_after_lines(struct span text, const struct ydoc_item *item);

#endif
