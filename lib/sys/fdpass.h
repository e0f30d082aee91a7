/*
 * fdpass: descriptors through unix sockets of packets (SOCK_SEQPACKET), one byte with them each
 * time.
 */
#ifndef SYS_FDPASS_H
#define SYS_FDPASS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* In one packet; the kernel has a bound at 253. */
#define FDPASS_MAX 64

/*
 * A socket connected to `path`; with '@' in front, to a name in the network namespace. -1 with
 * errno alone set (ENOENT, ECONNREFUSED: nobody is there).
 */
int fdpass_connect(const char *path);
/*
 * One that listens there, non-blocking, for our user alone; a file that is left from one that has
 * ended is replaced. -1 with the error.
 */
int fdpass_listen(const char *path, struct error *e);
/* Is there a process of our user at the other end? */
bool fdpass_is_own(int fd);

/* Sends a byte with at most FDPASS_MAX descriptors, which stay open here too. */
bool fdpass_send(int fd, char byte, const int *fds, size_t count);
/*
 * Receives a byte with `*count` descriptors, which are closed on exec. False at the end, without
 * one, with errno 0, or when it fails.
 */
bool fdpass_receive(int fd, char *byte, int fds[static FDPASS_MAX], size_t *count);

#endif
