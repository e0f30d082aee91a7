#include "kubeapi/apistatus.h"

#include "ydoc/ydoc.h"

static bool copy_text(const struct ydoc_node *root, struct span key, struct arena *arena,
		      struct span *out)
{
	const struct ydoc_node *node = ydoc_get(root, key);

	if (node == NULL || node->kind != YDOC_SCALAR)
		return true;
	return arena_copy(arena, node->text, out);
}

static bool is_status(const struct ydoc_node *root)
{
	const struct ydoc_node *kind = ydoc_get(root, SPAN("kind"));

	return kind != NULL && kind->kind == YDOC_SCALAR && span_eq(kind->text, SPAN("Status"));
}

bool apistatus_parse(struct span body, struct arena *arena, struct apistatus *out)
{
	struct diag nobody = {.emit = NULL};
	const struct ydoc_node *root;
	struct ydoc_reader reader;
	bool ok;

	*out = (struct apistatus){{NULL, 0}, {NULL, 0}};
	/* Only JSON was asked for; a proxy's page of HTML need not be tried as YAML. */
	if (body.len == 0 || body.ptr[0] != '{')
		return false;
	ydoc_reader_init(&reader, "", body, &nobody);
	ok = ydoc_reader_next(&reader, &root) && is_status(root) &&
	     copy_text(root, SPAN("message"), arena, &out->message) &&
	     copy_text(root, SPAN("reason"), arena, &out->reason);
	ydoc_reader_fini(&reader);
	return ok;
}
