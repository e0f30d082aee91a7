#include "sys/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "sys/fd.h"

/* Puts the path before the error that is there, safe to print. */
static bool blame_path(struct error *e, const char *path)
{
	char storage[256];
	struct buf b;

	BUF_INIT_ARRAY(&b, storage);
	buf_add_escaped(&b, span_from_cstr(path), sizeof storage - 4);
	return error_prefix(e, "%s", storage);
}

/* Appends all that comes from `fd`, up to the buffer's bound of max_len. */
static bool read_to_end(int fd, size_t max_len, struct buf *text, struct error *e)
{
	char block[16384];

	while (!text->truncated) {
		ssize_t n = read(fd, block, sizeof block);

		if (n == 0)
			return true;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set_sys(e, "cannot be read");
		buf_add(text, span_of(block, (size_t)n));
	}
	if (text->len < max_len)
		return error_set(e, "out of memory");
	return error_set(e, "is larger than %zu bytes", max_len);
}

/* Opens "-" as standard input. The descriptor is to be closed unless it is STDIN_FILENO. */
static bool open_file(const char *path, int *fd, struct error *e)
{
	struct stat st;

	if (strcmp(path, "-") == 0) {
		*fd = STDIN_FILENO;
		return true;
	}
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (*fd == -1)
		return error_set_sys(e, "cannot be opened");
	if (fstat(*fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		fd_close(fd);
		return error_set(e, "is a directory");
	}
	return true;
}

bool file_read(struct arena *a, const char *path, size_t max_len, struct span *out, struct error *e)
{
	const char *shown = strcmp(path, "-") == 0 ? "standard input" : path;
	bool ok = false;
	struct buf text;
	int fd;

	if (!open_file(path, &fd, e))
		return blame_path(e, shown);
	buf_init_heap(&text, max_len);
	if (!read_to_end(fd, max_len, &text, e))
		goto out;
	ok = arena_copy(a, buf_span(&text), out);
	if (!ok)
		error_set(e, "out of memory");
out:
	buf_fini(&text);
	if (fd != STDIN_FILENO)
		fd_close(&fd);
	return ok || blame_path(e, shown);
}

struct found {
	struct found *next;
	struct span path;
};

static bool is_wanted(struct span name, const char *const *suffixes)
{
	if (name.ptr[0] == '.')
		return false;
	for (; *suffixes != NULL; suffixes++)
		if (span_ends_with(name, span_from_cstr(*suffixes)))
			return true;
	return false;
}

/* DIR/NAME in the arena; NULL when memory is out. */
static const char *join(struct arena *a, struct span dir, struct span name)
{
	bool has_slash = span_ends_with(dir, SPAN("/"));
	char *path = arena_get(a, dir.len + !has_slash + name.len + 1);
	struct buf b;

	if (path == NULL)
		return NULL;
	buf_init(&b, path, dir.len + !has_slash + name.len + 1);
	buf_add(&b, dir);
	buf_add(&b, has_slash ? SPAN("") : SPAN("/"));
	buf_add(&b, name);
	return path;
}

static bool find_files(struct arena *a, DIR *dir, const char *path, const char *const *suffixes,
		       struct found **list, size_t *count, struct error *e)
{
	for (;;) {
		const struct dirent *entry;
		struct found *found;
		const char *full;

		errno = 0;
		entry = readdir(dir);
		if (entry == NULL)
			return errno == 0 || error_set_sys(e, "cannot be read");
		if (!is_wanted(span_from_cstr(entry->d_name), suffixes))
			continue;
		full = join(a, span_from_cstr(path), span_from_cstr(entry->d_name));
		found = arena_get(a, sizeof *found);
		if (full == NULL || found == NULL)
			return error_set(e, "out of memory");
		/* A link to nowhere stays in: reading it gives the error that the user needs. */
		if (file_is_dir(full))
			continue;
		*found = (struct found){*list, span_from_cstr(full)};
		*list = found;
		++*count;
	}
}

static int compare_paths(const void *left, const void *right)
{
	const struct span *a = left, *b = right;

	return strcmp(a->ptr, b->ptr);
}

bool file_list_dir(struct arena *a, const char *path, const char *const *suffixes,
		   struct span **out, size_t *count, struct error *e)
{
	DIR *dir = opendir(path);
	struct found *list = NULL;
	struct span *paths;
	size_t n = 0;
	bool ok;

	if (dir == NULL) {
		error_set_sys(e, "cannot be opened");
		return blame_path(e, path);
	}
	ok = find_files(a, dir, path, suffixes, &list, &n, e);
	closedir(dir);
	if (!ok)
		return blame_path(e, path);
	paths = arena_get_array(a, n, sizeof *paths);
	if (paths == NULL) {
		error_set(e, "out of memory");
		return blame_path(e, path);
	}
	*out = paths;
	*count = n;
	for (; list != NULL; list = list->next)
		*paths++ = list->path;
	qsort(*out, n, sizeof **out, compare_paths);
	return true;
}

bool file_is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}
