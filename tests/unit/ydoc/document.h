/*
 * document: the first document of a text, which ends flush against an unreadable page, for tests.
 *
 *   struct document d;
 *
 *   document_open(&d, SPAN("a: {b: [c]}\n"));
 *   document_at(&d, "a.b.0")
 *   document_close(&d);
 */
#ifndef DOCUMENT_H
#define DOCUMENT_H

#include "../unit.h"

#include "../ydoc/collect.h"
#include "ydoc/ydoc.h"

struct document {
	struct span text;
	const struct ydoc_node *root;
	struct ydoc_reader reader;
	struct collect c;
	char *bytes;
};

/* In place; the text must hold a document that can be read. */
static inline void document_open(struct document *d, struct span text)
{
	d->bytes = unit_guarded(text.ptr, text.len);
	d->text = span_of(d->bytes, text.len);
	d->root = NULL;
	collect_init(&d->c);
	ydoc_reader_init(&d->reader, "f.yaml", d->text, &d->c.diag);
	if (!ydoc_reader_next(&d->reader, &d->root))
		unit_fail(__FILE__, __LINE__, "[%.*s] is no document: %s", SPAN_ARG(text),
			  d->c.storage);
}

static inline void document_close(struct document *d)
{
	ydoc_reader_fini(&d->reader);
	unit_guarded_free(d->bytes, d->text.len);
}

/* The node at a path of keys and, for sequences, positions, `spec.ports.0`; "" is the root. */
static inline const struct ydoc_node *document_at(const struct document *d, const char *path)
{
	struct span rest = span_from_cstr(path), step;
	const struct ydoc_node *node = d->root;

	while (rest.len > 0 && span_split(&rest, '.', &step)) {
		const struct ydoc_item *item = node->items;

		if (node->kind == YDOC_MAPPING) {
			node = ydoc_get(node, step);
		} else {
			for (int i = atoi(step.ptr); i > 0 && item != NULL; i--)
				item = item->next;
			node = item != NULL ? item->value : NULL;
		}
		if (node == NULL)
			unit_fail(__FILE__, __LINE__, "nothing at %s", path);
	}
	return node;
}

#endif
