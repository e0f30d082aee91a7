/*
 * file: whole files and directory listings, with bounds.
 */
#ifndef SYS_FILE_H
#define SYS_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/span.h"

/*
 * Reads all of `path` ("-": standard input) into the arena. More than `max_len` bytes, a directory,
 * or a failed read is an error that names the path. The text is NUL-terminated behind its length.
 */
bool file_read(struct arena *a, const char *path, size_t max_len, struct span *out,
	       struct error *e);

/*
 * The names in directory `path` that end in one of `suffixes` (NULL-terminated list) and don't
 * start with a dot, as full paths, in byte order. Directories inside are left out, links are
 * followed.
 */
bool file_list_dir(struct arena *a, const char *path, const char *const *suffixes,
		   struct span **out, size_t *count, struct error *e);

bool file_is_dir(const char *path);

#endif
