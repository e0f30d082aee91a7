/*
 * confine: what serving does not need is given up, as far as the kernel can take it; the log says
 * what it can't (sys/landlock.h, sys/sandbox.h).
 */
#ifndef PROXY_CONFINE_H
#define PROXY_CONFINE_H

struct reload;

/*
 * Files, but for those that a reload reads again (NULL: none is) and the one at `token_file` (NULL:
 * none). For this thread and those that it starts, so before any is.
 */
void confine_files(const struct reload *r, const char *token_file);

/* System calls, of all threads; when all is set up. */
void confine_calls(void);

#endif
