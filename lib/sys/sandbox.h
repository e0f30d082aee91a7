/*
 * sandbox: gives up what the process does not need, so that whoever takes it over from outside does
 * not get it either. Each step works without rights, in any container; none can be taken back.
 */
#ifndef SYS_SANDBOX_H
#define SYS_SANDBOX_H

#include <stdbool.h>

#include "base/error.h"

/*
 * No privileges through programs (no_new_privs), and nobody reads our memory: no core dumps, no
 * debugger without rights. Before any thread is started, which inherit it.
 */
void sandbox_begin(void);

/*
 * The system calls of a proxy that serves, with the arguments that it has for them, and no others;
 * for all threads (seccomp(2)). What is left: sockets of IPv4 and IPv6, files for reading, memory,
 * which never becomes executable. A call beyond that is logged with its number, and the process
 * dies of SIGSYS. False, and nothing has changed, where the kernel has no such thing. After
 * sandbox_begin.
 */
bool sandbox_restrict_calls(struct error *e);

#endif
