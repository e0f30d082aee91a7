/*
 * landlock: of all files, only those in some directories, and those only for reading
 * (landlock(7)).
 */
#ifndef SYS_LANDLOCK_H
#define SYS_LANDLOCK_H

#include <stdbool.h>

#include "base/error.h"
#include "sys/filewatch.h"

/*
 * For this thread and those that it starts: files can be opened only for reading, and only below
 * the directories from which *w says that something is read, and below that of `file` (NULL: none).
 * Descriptors that are open stay usable. False, and nothing has changed, where the kernel has no
 * such thing. After sandbox_begin.
 */
bool landlock_restrict(const struct filewatch *w, const char *file, struct error *e);

#endif
