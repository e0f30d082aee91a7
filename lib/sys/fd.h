/*
 * fd: descriptors.
 */
#ifndef SYS_FD_H
#define SYS_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/span.h"

/* Closes *fd unless it is -1, sets it to -1, keeps errno. */
void fd_close(int *fd);
/* Writes all of it, through EINTR and short writes, to a blocking descriptor. */
bool fd_write_all(int fd, struct span bytes, struct error *e);
/* Raises the soft limit of open files to the hard one; returns the limit in force. */
size_t fd_raise_limit(void);

#endif
