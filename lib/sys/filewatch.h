/*
 * filewatch: a descriptor that becomes readable when files that were read may say something else
 * now (inotify(7)).
 *
 * Directories are watched, not files: that shows files that are replaced by a rename, as editors
 * do, and links that are swapped, as the kubelet does with the `..data` of a mounted ConfigMap. A
 * file that is written to in place counts when its writer closes it, so that one that was just
 * truncated is not read.
 *
 * What is behind a link is watched too, as it was when the watch was opened: open it anew for each
 * reading, before the reading, and nothing is missed.
 */
#ifndef SYS_FILEWATCH_H
#define SYS_FILEWATCH_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "sys/inputs.h"

struct filewatch_place; /* a directory, and what matters in it */

struct filewatch {
	int fd; /* non-blocking; -1: nothing is watched */
	struct filewatch_place *places;
	struct arena arena;
};

/*
 * Watches what inputs_visit would read, without what is below the directories. Its texts are
 * borrowed. What does not exist is waited for. False when the system lets nothing, or not all of
 * it, be watched; then nothing is.
 */
bool filewatch_open(struct filewatch *w, const struct inputs *in, struct error *e);
/* One more file, whose path is copied. After false what was watched before still is. */
bool filewatch_add(struct filewatch *w, const char *path, struct error *e);
/* Takes what has happened since off the descriptor: does any of it matter? */
bool filewatch_has_changed(struct filewatch *w);
/* Calls `visit` for each directory from which something is read. */
void filewatch_visit_dirs(const struct filewatch *w, void (*visit)(void *context, const char *dir),
			  void *context);
/* Harmless when fd is -1. */
void filewatch_close(struct filewatch *w);

#endif
