/*
 * ystyle: how a document is written, so that what is added to it looks alike.
 */
#ifndef YDOC_YSTYLE_H
#define YDOC_YSTYLE_H

#include "base/span.h"
#include "ydoc/ydoc.h"
#include "ydoc/yemit.h"

/*
 * The style of lines as a mapping has it, such as a pod's spec, and the mapping that it is in (or
 * NULL): line ends, indents, where dashes stand. What it does not show is as in
 * yemit_default_style.
 */
struct yemit_style ystyle_of_lines(struct span text, const struct ydoc_node *parent,
				   const struct ydoc_node *sample);

/* What is around a collection in brackets, for what an empty one says nothing about. */
struct ystyle_around {
	const struct yemit_style *style; /* of the brackets that it is in, NULL: in lines */
	struct span indent;		 /* of the entry that it is the value of */
};

/*
 * The style of a collection in brackets that is in lines of the style `lines`. When its entries
 * have lines of their own, *indent is what stands before each, else empty. Borrows from the text.
 */
struct yemit_style ystyle_of_brackets(struct span text, const struct ydoc_node *node,
				      const struct yemit_style *lines,
				      const struct ystyle_around *around, struct span *indent);

#endif
