/*
 * announce: tells the world where the proxy listens, once it does.
 */
#ifndef PROXY_ANNOUNCE_H
#define PROXY_ANNOUNCE_H

#include <stddef.h>

#include "net/addr.h"
#include "proxy/control.h"
#include "proxy/view.h"

/*
 * For whoever started us and asked to be told, which, where port 0 was given, needs to know: a line
 * each to the descriptor, which is closed. -1: to nobody.
 */
void announce_to_fd(int fd, const struct control_listen *listen, size_t count,
		    const struct addr *admin);

/* For people. */
void announce_in_log(const struct view *view, size_t workers, size_t names,
		     const struct control_listen *listen, size_t count, const struct addr *admin);

#endif
