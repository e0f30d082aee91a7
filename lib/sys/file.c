#include "sys/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "sys/fd.h"

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

/*
 * Into the arena, at the size that the file says it has. One byte more is asked for: when it is
 * there, the file is larger than it said, and all of it is in `text`, where reading can go on.
 */
static bool read_sized(struct arena *a, int fd, size_t size, struct buf *text, struct span *out,
		       bool *is_whole, struct error *e)
{
	char *at = arena_get(a, size + 1);
	size_t len = 0;

	if (at == NULL)
		return error_set(e, "out of memory");
	while (len <= size) {
		ssize_t n = read(fd, at + len, size + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set_sys(e, "cannot be read");
		if (n == 0) {
			at[len] = '\0';
			*out = span_of(at, len);
			*is_whole = true;
			return true;
		}
		len += (size_t)n;
	}
	buf_add(text, span_of(at, len));
	return true;
}

/* Of a regular file that has one and may be read; else 0, and only reading tells. */
static size_t known_size(int fd, size_t max_len)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
	    (uintmax_t)st.st_size > max_len || (uintmax_t)st.st_size >= SIZE_MAX)
		return 0;
	return (size_t)st.st_size;
}

static bool read_fd(struct arena *a, int fd, size_t max_len, struct span *out, struct error *e)
{
	size_t size = known_size(fd, max_len);
	bool is_whole = false, ok;
	struct buf text;

	buf_init_heap(&text, max_len);
	ok = size == 0 || read_sized(a, fd, size, &text, out, &is_whole, e);
	if (ok && !is_whole) {
		ok = read_to_end(fd, max_len, &text, e);
		if (ok && !arena_copy(a, buf_span(&text), out))
			ok = error_set(e, "out of memory");
	}
	buf_fini(&text);
	return ok;
}

bool file_read(struct arena *a, const char *path, size_t max_len, struct span *out, struct error *e)
{
	const char *shown = strcmp(path, "-") == 0 ? "standard input" : path;
	bool ok;
	int fd;

	if (!open_file(path, &fd, e))
		return error_prefix_path(e, shown);
	ok = read_fd(a, fd, max_len, out, e);
	if (fd != STDIN_FILENO)
		fd_close(&fd);
	return ok || error_prefix_path(e, shown);
}

struct found {
	struct found *next;
	struct span path;
	int depth; /* of directories between it and the top */
};

struct listing {
	struct arena *arena;
	const char *const *suffixes;
	struct error *e;
	struct found *files;
	size_t count;
	struct found *dirs; /* still to be read */
	int depth_max;
};

static bool is_wanted(const struct listing *l, struct span name)
{
	for (const char *const *suffix = l->suffixes; *suffix != NULL; suffix++)
		if (span_ends_with(name, span_from_cstr(*suffix)))
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

/* A directory itself, not a link to one: links could lead around in circles. */
static bool is_dir_itself(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A directory, a pipe, a device: reading it would fail, or wait for ever. */
static bool is_no_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static bool add_found(struct listing *l, struct found **list, const char *path, int depth)
{
	struct found *found = arena_get(l->arena, sizeof *found);

	if (found == NULL)
		return error_set(l->e, "out of memory");
	*found = (struct found){*list, span_from_cstr(path), depth};
	*list = found;
	return true;
}

static bool add_entry(struct listing *l, const struct found *dir, const struct dirent *entry)
{
	struct span name = span_from_cstr(entry->d_name);
	/* Some file systems don't say what an entry is. */
	bool may_be_dir = entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN;
	bool is_file = is_wanted(l, name);
	const char *path;

	if (name.ptr[0] == '.' || (!is_file && !(l->depth_max > 0 && may_be_dir)))
		return true;
	path = join(l->arena, dir->path, name);
	if (path == NULL)
		return error_set(l->e, "out of memory");
	if (l->depth_max > 0 && may_be_dir && is_dir_itself(path)) {
		if (dir->depth == l->depth_max)
			return error_set(l->e, "holds directories that are nested too deep");
		return add_found(l, &l->dirs, path, dir->depth + 1);
	}
	/* A link to nowhere stays in: reading it gives the error that the user needs. */
	if (!is_file || is_no_file(path))
		return true;
	l->count++;
	return add_found(l, &l->files, path, 0);
}

static bool add_entries(struct listing *l, const struct found *at, DIR *dir)
{
	for (;;) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (entry == NULL)
			return errno == 0 || error_set_sys(l->e, "cannot be read");
		if (!add_entry(l, at, entry))
			return false;
	}
}

static bool read_dir(struct listing *l, const struct found *at)
{
	DIR *dir = opendir(at->path.ptr);
	bool ok;

	if (dir == NULL) {
		error_set_sys(l->e, "cannot be opened");
		return error_prefix_path(l->e, at->path.ptr);
	}
	ok = add_entries(l, at, dir);
	closedir(dir);
	return ok || error_prefix_path(l->e, at->path.ptr);
}

static int compare_paths(const void *left, const void *right)
{
	const struct span *a = left, *b = right;

	return strcmp(a->ptr, b->ptr);
}

/* A directory is read to its end before those in it are opened: one is open at a time. */
static bool list(struct listing *l, const char *top, struct span **out, size_t *count)
{
	struct found start = {NULL, span_from_cstr(top), 0};
	struct span *paths;

	if (!read_dir(l, &start))
		return false;
	while (l->dirs != NULL) {
		const struct found *dir = l->dirs;

		l->dirs = dir->next;
		if (!read_dir(l, dir))
			return false;
	}
	paths = arena_get_array(l->arena, l->count, sizeof *paths);
	if (paths == NULL) {
		error_set(l->e, "out of memory");
		return error_prefix_path(l->e, top);
	}
	*out = paths;
	*count = l->count;
	for (const struct found *file = l->files; file != NULL; file = file->next)
		*paths++ = file->path;
	qsort(*out, *count, sizeof **out, compare_paths);
	return true;
}

bool file_list_dir(struct arena *a, const char *path, const char *const *suffixes,
		   struct span **out, size_t *count, struct error *e)
{
	struct listing l = {.arena = a, .suffixes = suffixes, .e = e};

	return list(&l, path, out, count);
}

bool file_list_tree(struct arena *a, const char *path, const char *const *suffixes,
		    struct span **out, size_t *count, struct error *e)
{
	struct listing l = {.arena = a, .suffixes = suffixes, .e = e, .depth_max = FILE_DEPTH_MAX};

	return list(&l, path, out, count);
}

bool file_is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}
