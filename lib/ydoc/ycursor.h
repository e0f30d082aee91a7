/*
 * ycursor: a place in a text that moves forward and counts lines and columns as it goes.
 */
#ifndef YDOC_YCURSOR_H
#define YDOC_YCURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/*
 * Where a node begins. Lines and columns count from 1, columns in characters, as editors show them.
 */
struct ydoc_pos {
	uint32_t line;
	uint32_t col;
	uint32_t offset; /* in bytes from the start of the file */
};

struct ycursor {
	struct span text;
	struct ydoc_pos pos;
	uint32_t index; /* characters from the start, libyaml's unit */
};

static inline struct ycursor ycursor_at_start(struct span text)
{
	return (struct ycursor){.text = text, .pos = {.line = 1, .col = 1}};
}

static inline bool ycursor_is_at_end(const struct ycursor *c)
{
	return c->pos.offset >= c->text.len;
}

/* The byte at the cursor, or '\0' at the end. */
static inline char ycursor_byte(const struct ycursor *c)
{
	return ycursor_is_at_end(c) ? '\0' : c->text.ptr[c->pos.offset];
}

/* What is left, from the cursor on. */
static inline struct span ycursor_rest(const struct ycursor *c)
{
	return span_from(c->text, c->pos.offset);
}

/* Moves one character on; not at the end. A line ends with LF, CR LF or CR. */
void ycursor_step(struct ycursor *c);
/* Moves on to a byte offset or a character index, at most to the end. Never moves back. */
void ycursor_to_offset(struct ycursor *c, size_t offset);
void ycursor_to_index(struct ycursor *c, size_t index);
/* Moves on past spaces, tabs, line ends and byte order marks. */
void ycursor_skip_blank(struct ycursor *c);

#endif
