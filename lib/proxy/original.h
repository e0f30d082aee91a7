/*
 * original: what the kernel knows of a connection that it redirected.
 */
#ifndef PROXY_ORIGINAL_H
#define PROXY_ORIGINAL_H

#include <stdint.h>

#include "net/addr.h"

/*
 * Where the client of this accepted connection wanted to go, before the rules of a firewall sent it
 * here; its own end's address when they did not touch it but the kernel tracks it. `family`: 4 or
 * 6, of the client. family 0 when there is no answer: nothing tracks connections here.
 */
struct addr original_of(int fd, uint8_t family);

/* The address of our end of a socket; family 0 when there is none. */
struct addr original_local(int fd);

#endif
