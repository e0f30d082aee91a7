#include "kube/imagename.h"

#include "base/ascii.h"
#include "base/buf.h"

/* github.com/distribution/reference is stricter about where each may stand; the kubelet asks it. */
static bool is_allowed(char c)
{
	return ascii_is_alnum(c) || span_find(SPAN("._-/:@+[]"), c) != SIZE_MAX;
}

bool imagename_choose(const struct imagename_choice *choice, struct arena *arena, struct span *name,
		      struct error *e)
{
	const char *hub = choice->hub;
	char storage[512];
	struct buf b;
	size_t i = 0;

	BUF_INIT_ARRAY(&b, storage);
	if (choice->image != NULL)
		buf_add_cstr(&b, choice->image);
	else
		buf_printf(&b, "%s%segressbox:%s", hub, hub[0] != '\0' ? "/" : "", choice->tag);
	while (i < b.len && is_allowed(storage[i]))
		i++;
	if (i == 0 || i < b.len || b.truncated)
		return error_set(e, "\"%s\" is no name of an image", buf_cstr(&b));
	return arena_copy(arena, buf_span(&b), name) || error_set(e, "out of memory");
}
