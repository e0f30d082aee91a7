/*
 * filestream: a file or standard input in pieces, for readers that need no more at a time.
 */
#ifndef SYS_FILESTREAM_H
#define SYS_FILESTREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/span.h"

/* Bytes of a piece at most. */
#define FILESTREAM_PIECE 65536

/*
 * Calls `take` with the bytes of `path` ("-": standard input), in order, until it returns false,
 * which it does with the error filled. False then, and when the file can't be opened or read, or is
 * a directory: that error begins with the path.
 */
bool filestream_read(const char *path,
		     bool (*take)(void *context, struct span piece, struct error *e), void *context,
		     struct error *e);

/* "standard input" for "-", else the path: what messages call it. */
const char *filestream_name(const char *path);

#endif
