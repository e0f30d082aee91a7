/*
 * inputs: the files that an operator means by the paths of a command line.
 */
#ifndef SYS_INPUTS_H
#define SYS_INPUTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/diag.h"

/* What is read of a directory: *.yaml, *.yml and *.json; for file_list_dir. */
extern const char *const inputs_suffixes[];

struct inputs {
	const char *const *paths; /* files, directories, or "-" for standard input */
	size_t count;
	bool is_recursive; /* directories with all below them */
};

/*
 * Calls `visit` for each file, in the order given and in byte order within a directory. The paths
 * live in the arena, or are those given. A directory that can't be listed is reported as an error,
 * one with nothing in it as a warning. False when something could not be listed or a visit said so;
 * the others are visited all the same.
 */
bool inputs_visit(const struct inputs *in, struct arena *a, struct diag *diag,
		  bool (*visit)(void *context, const char *path), void *context);

/* What stands for a path in messages: "<stdin>" for "-". */
const char *inputs_name(const char *path);

/*
 * Whether all can be read a second time: none is standard input or a pipe. What is not there at all
 * may come yet.
 */
bool inputs_can_be_read_again(const struct inputs *in);

#endif
