#include "base/textedit.h"

#include "base/alloc.h"

void textedit_init(struct textedits *e)
{
	*e = (struct textedits){.list = NULL};
}

void textedit_fini(struct textedits *e)
{
	alloc_put(e->list);
	textedit_init(e);
}

void textedit_add(struct textedits *e, struct textedit edit)
{
	if (e->count == e->capacity) {
		size_t capacity = e->capacity > 0 ? e->capacity * 2 : 16;
		struct textedit *list = alloc_resize(e->list, capacity * sizeof *list);

		if (list == NULL) {
			e->is_out_of_memory = true;
			return;
		}
		e->list = list;
		e->capacity = capacity;
	}
	e->list[e->count++] = edit;
}

static bool is_before(const struct textedit *a, const struct textedit *b)
{
	if (a->offset != b->offset)
		return a->offset < b->offset;
	return !a->belongs_behind && b->belongs_behind;
}

/* Takes what is removed before from each. */
static void part(struct textedits *e)
{
	size_t end = 0;

	for (size_t i = 0; i < e->count; i++) {
		struct textedit *edit = &e->list[i];
		size_t again = edit->offset < end ? end - edit->offset : 0;

		edit->offset += again;
		edit->removed -= again < edit->removed ? again : edit->removed;
		end = edit->offset + edit->removed;
	}
}

/*
 * By insertion: they come nearly in order, document by document, and few of a document's are out of
 * place.
 */
void textedit_sort(struct textedits *e)
{
	for (size_t i = 1; i < e->count; i++) {
		struct textedit edit = e->list[i];
		size_t at = i;

		for (; at > 0 && is_before(&edit, &e->list[at - 1]); at--)
			e->list[at] = e->list[at - 1];
		e->list[at] = edit;
	}
	part(e);
}

bool textedit_write(const struct textedits *e, struct span text,
		    bool (*write)(void *context, struct span piece), void *context)
{
	size_t at = 0;

	for (size_t i = 0; i < e->count; i++) {
		const struct textedit *edit = &e->list[i];

		if (!write(context, span_first(span_from(text, at), edit->offset - at)) ||
		    !write(context, edit->inserted))
			return false;
		at = edit->offset + edit->removed;
	}
	return write(context, span_from(text, at));
}

static bool add_piece(void *context, struct span piece)
{
	buf_add(context, piece);
	return true;
}

void textedit_apply(const struct textedits *e, struct span text, struct buf *out)
{
	textedit_write(e, text, add_piece, out);
}
