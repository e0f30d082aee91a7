/*
 * textedit: changes to a text, collected first and made all at once.
 *
 *   struct textedits edits;
 *
 *   textedit_init(&edits);
 *   textedit_add(&edits, (struct textedit){.offset = 7, .removed = 2, .inserted = SPAN("new")});
 *   textedit_sort(&edits);
 *   textedit_apply(&edits, text, out);
 *   textedit_fini(&edits);
 *
 * Nothing may be inserted into what is removed. What is inserted is borrowed.
 */
#ifndef BASE_TEXTEDIT_H
#define BASE_TEXTEDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

struct textedit {
	size_t offset;	/* in the old text */
	size_t removed; /* bytes from there on */
	struct span inserted;
	/* Of several at one offset: those that belong to what is before it come first. */
	bool belongs_behind;
};

struct textedits {
	struct textedit *list;
	size_t count, capacity;
	bool is_out_of_memory; /* some are missing */
};

void textedit_init(struct textedits *e);
void textedit_fini(struct textedits *e);
void textedit_add(struct textedits *e, struct textedit edit);

/*
 * By offset; what is of one place stays in the order in which it was added. Bytes that two of them
 * remove are removed by the first.
 */
void textedit_sort(struct textedits *e);

/*
 * Calls `write` with the pieces of the new text, in order; the edits must be sorted. False as soon
 * as it returns false.
 */
bool textedit_write(const struct textedits *e, struct span text,
		    bool (*write)(void *context, struct span piece), void *context);
/* The new text at the end of a buffer. */
void textedit_apply(const struct textedits *e, struct span text, struct buf *out);

#endif
