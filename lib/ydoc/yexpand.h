/*
 * yexpand: a document written anew, in lines, with aliases and merge keys written out.
 *
 * What is before and behind the document's node stays: markers, directives, comments. Comments and
 * the style of what is in it are lost. Used where text reached by an alias is to be changed in one
 * place only.
 */
#ifndef YDOC_YEXPAND_H
#define YDOC_YEXPAND_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "ydoc/ydoc.h"

/*
 * Appends the document to `out`. `text` is what `root`, a mapping or sequence, was read from;
 * `begin` and `end` are the document's offsets in it. The arena is for work. False when memory is
 * out, or the result is larger than out's bound or nested deeper than can be read again.
 */
bool yexpand_document(struct span text, const struct ydoc_node *root, size_t begin, size_t end,
		      struct arena *arena, struct buf *out);

#endif
