/*
 * wrap: text for people, broken between words into lines of at most 80 columns, one per byte.
 */
#ifndef BASE_WRAP_H
#define BASE_WRAP_H

#include <stddef.h>

#include "base/buf.h"
#include "base/span.h"

#define WRAP_COLUMNS 80

/*
 * One line, with a line end behind it. The first of what it is broken into begins at `column`,
 * where the output is already, the others are indented to `indent`; both are deeper by the blanks
 * that the line itself begins with. Blanks inside become one. A word that is too long stays whole.
 */
void wrap_line(struct span line, size_t column, size_t indent, struct buf *out);

/*
 * Each line of a text by itself, at `indent`; the output is at `column` already, which may be less.
 * Empty lines stay empty.
 */
void wrap_text(struct span text, size_t column, size_t indent, struct buf *out);

#endif
