/*
 * linediff: what edits change in a text, as `diff -u` prints it and `patch` applies it.
 *
 * The edits say where to look, so nothing has to be found by comparing whole files: the cost is one
 * pass over the text to count its lines, plus what the touched lines need. Neither text is copied
 * but for the new text of touched lines, and that only while the hunk that shows it is built.
 *
 * Edits are bytes, a diff is lines: each edit is widened to whole lines, edits that share a line or
 * touch become one change, and of a change only the lines that differ are shown. They are a
 * smallest possible set, unless a change is so large that the comparison would need more than some
 * millions of steps; what is between its first and last differing line is then shown as removed
 * and added. Lines end in LF; a CR before it is a byte like any other.
 *
 * Where a line was added next to equal ones, the diff shows the one that the edit added, while GNU
 * diff shows the last of them. Both are the same patch.
 */
#ifndef BASE_LINEDIFF_H
#define BASE_LINEDIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/span.h"
#include "base/textedit.h"

/*
 * Appends the difference to `out`; nothing when the edits change nothing. The edits MUST be sorted
 * by offset, not overlap, and lie within the text; several may add at one offset, in their order.
 *
 * Names go into the two header lines as they are, without a date, or quoted as GNU diff does it
 * when they hold blanks, quotes or control characters. Context is three lines.
 *
 * False when memory is out or `out` is full (out->truncated); what was appended is then worthless.
 */
bool linediff_print(struct span old_text, const struct textedit *edits, size_t count,
		    const char *old_name, const char *new_name, struct buf *out);

#endif
