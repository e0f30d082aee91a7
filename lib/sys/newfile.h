/*
 * newfile: writes a file so that others see the old content or all of the new one, never a part.
 *
 *   struct newfile f = {0};
 *
 *   ok = newfile_open(&f, &arena, path, &e) && newfile_write(&f, text, &e) &&
 *        newfile_finish(&f, &e) && newfile_commit(&f, &e);
 *   newfile_abort(&f);
 *
 * The content goes into a temporary file beside the target: hidden, named after it, `.tmp` at the
 * end. finish brings it to the disk, commit gives it the target's name. Who writes several files
 * finishes all of them before the first commit: a full disk then changes none.
 *
 * - A link is followed: what it points to is replaced, or made where it points to nothing yet.
 * - The permissions of a file that is replaced stay, and its owner and group where the kernel lets
 *   us. A group that can't be kept gets no more than everyone, and set-id bits go with the owner.
 *   Access lists, extended attributes and further hard links are not kept. As in any replacement,
 *   what counts is the right to write the directory, not the file.
 * - A new file has 0666 without the umask.
 * - A target that is there and no regular file (a pipe, a terminal, /dev/null) can't be replaced.
 *   The same goes for links in /proc, such as /dev/stdout: they are open files, whatever is behind
 *   them. Such a target is opened (a pipe waits for its reader), what comes is appended to it as
 *   it comes, and commit has nothing to do; abort takes nothing back.
 * - A directory is an error.
 *
 * Errors begin with the path as it was given.
 */
#ifndef SYS_NEWFILE_H
#define SYS_NEWFILE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

enum newfile_state {
	NEWFILE_CLOSED, /* 0: never opened, committed or aborted */
	NEWFILE_OPEN,
	NEWFILE_FINISHED,
};

/* Zeroed is as good as closed. The paths are the arena's; no descriptor is open once finished. */
struct newfile {
	enum newfile_state state;
	int fd;		      /* while open */
	const char *path;     /* as it was given */
	const char *target;   /* the same with links followed */
	const char *dir;      /* the one that holds the target */
	const char *temp;     /* the temporary file; NULL: written directly */
	struct buf unwritten; /* small pieces are gathered */
};

/* On failure there is nothing to abort. */
bool newfile_open(struct newfile *f, struct arena *a, const char *path, struct error *e);

/* Appends to the new content. */
bool newfile_write(struct newfile *f, struct span bytes, struct error *e);

/* All is written, on the disk, and closed, still under the temporary name. */
bool newfile_finish(struct newfile *f, struct error *e);

/*
 * Gives a finished file its name and brings the directory to the disk. Only a directory that fails
 * at the latter leaves the new content in place although this returns false.
 */
bool newfile_commit(struct newfile *f, struct error *e);

/*
 * Closes and removes the temporary file, and keeps errno. Harmless after commit, after another
 * abort, and on what was never opened, so it can end every use. MUST follow a write, finish or
 * commit that failed.
 */
void newfile_abort(struct newfile *f);

#endif
