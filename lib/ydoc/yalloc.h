/*
 * yalloc: the memory that libyaml asks for. Private to lib/ydoc: libyaml is compiled with malloc,
 * realloc, free and strdup renamed to these.
 *
 * libyaml takes and gives back a few small blocks for each token; they come from lists of blocks of
 * one size, by thread, in chunks that are returned once nothing of them is in use. That makes
 * reading a third faster than with musl's malloc. Big blocks are the heap's. NULL on failure, and
 * everything comes by alloc.h, so that tests can make it fail.
 */
#ifndef YDOC_YALLOC_H
#define YDOC_YALLOC_H

#include <stddef.h>

void *yalloc_get(size_t size);
/* Like realloc, also for NULL. */
void *yalloc_resize(void *ptr, size_t size);
/* NULL is fine. A block goes back on the thread that it came from. */
void yalloc_put(void *ptr);
char *yalloc_copy(const char *text);

#endif
