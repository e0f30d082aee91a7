/*
 * remove: a directory that a test has made, with all that is in it.
 */
#ifndef REMOVE_H
#define REMOVE_H

#include <ftw.h>
#include <stdio.h>

static inline int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st;
	(void)kind;
	(void)walk;
	return remove(path);
}

static inline void remove_all(const char *dir)
{
	CHECK_INT(nftw(dir, remove_one, 100, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
