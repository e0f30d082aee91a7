/*
 * ybuild: the tree of one document while it grows, fed by yparse and yjson. Private to lib/ydoc.
 *
 * Keeps the bounds that ydoc.h promises. A mapping takes its entries as key, value, key, value ...
 * Functions return false with the problem filled; the build is then of no further use.
 */
#ifndef YDOC_YBUILD_H
#define YDOC_YBUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/span.h"
#include "ydoc/ydoc.h"

/* Why a document can't be read, and where. */
struct yproblem {
	struct ydoc_pos pos;
	struct error error;
};

struct ybuild_anchor;

/* A sequence or mapping that is not closed yet. */
struct ybuild_open {
	struct ydoc_node *node;
	struct ydoc_item *last;	     /* its newest entry, NULL at first */
	const struct ydoc_node *key; /* of a mapping, once read and until its value comes */
	const struct ydoc_alias *key_alias;
	struct ybuild_anchor *anchor; /* its own, or NULL */
	uint32_t weight;	      /* nodes in it, those behind aliases counted each time */
};

#define YBUILD_BUCKETS 64

struct ybuild {
	struct arena *arena;
	struct yproblem *problem;
	const struct ydoc_node *root; /* NULL until there is one */
	struct ybuild_open open[YDOC_MAX_DEPTH];
	unsigned depth;
	struct ybuild_anchor *anchors[YBUILD_BUCKETS];
	uint32_t anchor_count;
	uint32_t alias_weight; /* nodes that aliases stand for */
	uint32_t end;	       /* of the newest scalar, alias or closing bracket */
};

void ybuild_init(struct ybuild *b, struct arena *arena, struct yproblem *problem);

/*
 * Of the node that is given, place and form are taken, of a scalar also the text, which must live
 * as long as the arena. An empty `anchor` is none.
 */
bool ybuild_add_scalar(struct ybuild *b, const struct ydoc_node *scalar, struct span anchor);
bool ybuild_add_alias(struct ybuild *b, struct ydoc_pos pos, uint32_t end, struct span name);
bool ybuild_open(struct ybuild *b, const struct ydoc_node *collection, struct span anchor);
/* Closes the innermost, of which there must be one; `end` is behind its bracket, if it has one. */
void ybuild_close(struct ybuild *b, uint32_t end);

/* The innermost sequence or mapping that is open, NULL when there is none. */
static inline const struct ybuild_open *ybuild_innermost(const struct ybuild *b)
{
	return b->depth > 0 ? &b->open[b->depth - 1] : NULL;
}

#endif
