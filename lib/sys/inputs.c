#include "sys/inputs.h"

#include <string.h>
#include <sys/stat.h>

#include "sys/file.h"

const char *const inputs_suffixes[] = {".yaml", ".yml", ".json", NULL};

static bool visit_dir(const struct inputs *in, const char *path, struct arena *a, struct diag *diag,
		      bool (*visit)(void *context, const char *path), void *context)
{
	struct span *found;
	struct error e;
	size_t count;
	bool ok;

	ok = in->is_recursive ? file_list_tree(a, path, inputs_suffixes, &found, &count, &e)
			      : file_list_dir(a, path, inputs_suffixes, &found, &count, &e);
	if (!ok)
		return diag_report(diag, DIAG_ERROR, "%s", e.text);
	if (count == 0)
		diag_report(diag, DIAG_WARNING, "%s: no *.yaml, *.yml or *.json in it", path);
	for (size_t i = 0; i < count; i++)
		ok = visit(context, found[i].ptr) && ok;
	return ok;
}

bool inputs_visit(const struct inputs *in, struct arena *a, struct diag *diag,
		  bool (*visit)(void *context, const char *path), void *context)
{
	bool ok = true;

	for (size_t i = 0; i < in->count; i++) {
		const char *path = in->paths[i];
		bool visited = file_is_dir(path) ? visit_dir(in, path, a, diag, visit, context)
						 : visit(context, path);

		ok = ok && visited;
	}
	return ok;
}

const char *inputs_name(const char *path)
{
	return strcmp(path, "-") == 0 ? "<stdin>" : path;
}

bool inputs_can_be_read_again(const struct inputs *in)
{
	for (size_t i = 0; i < in->count; i++) {
		struct stat st;

		if (strcmp(in->paths[i], "-") == 0 ||
		    (stat(in->paths[i], &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
			return false;
	}
	return true;
}
