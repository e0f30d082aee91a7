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
 *
 * A regular file is read straight into memory of its size; pipes, and files that don't say their
 * size or grow meanwhile, take up to three times theirs while they are read.
 */
bool file_read(struct arena *a, const char *path, size_t max_len, struct span *out,
	       struct error *e);

/*
 * The names in directory `path` that end in one of `suffixes` (NULL-terminated list) and don't
 * start with a dot, as full paths, in byte order. Directories, pipes and devices inside are left
 * out, links are followed.
 */
bool file_list_dir(struct arena *a, const char *path, const char *const *suffixes,
		   struct span **out, size_t *count, struct error *e);

/* How deep directories may be nested below the one that is listed. */
#define FILE_DEPTH_MAX 64

/*
 * The same for the directory and all below it, in byte order of the full paths. Hidden directories
 * are left out like hidden files. Links to files are followed, links to directories are not: there
 * are no circles, and nothing comes twice. More than FILE_DEPTH_MAX levels, or a directory that
 * can't be read, is an error that names the directory. `path` itself may be a link.
 */
bool file_list_tree(struct arena *a, const char *path, const char *const *suffixes,
		    struct span **out, size_t *count, struct error *e);

bool file_is_dir(const char *path);

#endif
