#include "ydoc/yexpand.h"

#include "ydoc/yemit.h"
#include "ydoc/yplace.h"

/* Behind the lines of a node. */
static size_t end_of_lines(struct span text, size_t end)
{
	bool ends_line = end > 0 && (text.ptr[end - 1] == '\n' || text.ptr[end - 1] == '\r');

	return ends_line ? end : yplace_line_end(text, end);
}

bool yexpand_document(struct span text, const struct ydoc_node *root, size_t begin, size_t end,
		      struct arena *arena, struct buf *out)
{
	struct yemit_style style = yemit_default_style;
	size_t start = root->pos.offset, behind = end_of_lines(text, root->end);

	style.eol = yplace_eol(text, start);
	style.has_literals = true;
	/* Brackets may begin behind `---`, lines may not. */
	if (yplace_is_first(text, start))
		start = yplace_line_start(text, start);
	buf_add(out, span_of(text.ptr + begin, start - begin));
	if (start > yplace_line_start(text, start))
		buf_add(out, style.eol);
	yemit_lines(out, root, &style, 0, arena);
	if (behind < end)
		buf_add(out, span_of(text.ptr + behind, end - behind));
	return !out->truncated;
}
