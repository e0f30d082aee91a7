/*
 * files: the manifests of a run, and where they go once they are changed. All or nothing:
 * everything is read before anything is written, and what is written appears at once.
 */
#ifndef INJECT_FILES_H
#define INJECT_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/error.h"
#include "base/span.h"
#include "base/textedit.h"
#include "sys/newfile.h"

/* One file, and what becomes of it. */
struct files_one {
	const char *path; /* as given, or found; "-" for standard input */
	const char *name; /* for messages */
	struct span text;
	struct textedits edits; /* sorted, once they are all there */
	struct newfile target;	/* files.c's own */
};

struct files {
	struct arena *arena;
	struct files_one *list;
	size_t count, capacity;
};

/* Texts and names live in the arena. */
void files_init(struct files *f, struct arena *arena);
void files_fini(struct files *f);

/*
 * Reads files, "-" (standard input), and of directories the *.yaml, *.yml and *.json in them, or
 * below them when `is_recursive`. Reports all that can't be read; then it is false.
 */
bool files_read(struct files *f, const char *const *paths, size_t count, bool is_recursive,
		struct diag *diag);

/*
 * Writes all of the new texts to a descriptor, as one stream of documents: between two files a
 * marker, `---`, unless one is there or both are JSON.
 */
bool files_write(const struct files *f, int fd, struct error *e);
/* The same to a file, which may be one of those that were read. */
bool files_write_to(const struct files *f, const char *path, struct error *e);
/* Each back to where it came from. */
bool files_write_back(struct files *f, struct error *e);
/* What the edits change, as diff -u prints it. */
bool files_write_diff(const struct files *f, int fd, struct error *e);

#endif
