/*
 * yscalar: a scalar as text, such that every reader of YAML 1.1, YAML 1.2 or JSON reads it back.
 */
#ifndef YDOC_YSCALAR_H
#define YDOC_YSCALAR_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/span.h"
#include "ydoc/ydoc.h"

enum yscalar_form {
	YSCALAR_BLOCK, /* in YAML without brackets, on one line */
	YSCALAR_FLOW,  /* inside brackets of YAML */
	YSCALAR_JSON,
};

/*
 * Appends a scalar's value: a number, true, false or null as such, text without quotes where every
 * reader takes it for that text, else in quotes.
 */
void yscalar_add(struct buf *out, const struct ydoc_node *scalar, enum yscalar_form form);

/* The same for text that was not read from anywhere, and never in single quotes. */
void yscalar_add_quoted(struct buf *out, struct span text);

/* Whether a text of several lines can stand behind a `|` as it is. */
bool yscalar_fits_literal(struct span text);

#endif
