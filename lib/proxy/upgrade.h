/*
 * upgrade: a new process takes the place of a running one, without a moment in which nobody
 * listens: the listening sockets are passed on, with what waits in their queues.
 *
 * Whoever starts connects to the unix socket at the path. When nobody is there, it makes the
 * socket. Otherwise the running one sends its listening sockets (SCM_RIGHTS), the unix socket among
 * them, so that nothing has to be made, renamed or removed. Both accept connections now. The new
 * one says when it is ready; only then the old one stops. Should the new one fail before, nothing
 * has happened.
 *
 * The conversation, in packets (SOCK_SEQPACKET) of one byte:
 *   old  'f' with up to 64 descriptors, as often as needed; then 'e'
 *   new  'r': ready
 *   old  its end: it takes nothing new any more
 */
#ifndef PROXY_UPGRADE_H
#define PROXY_UPGRADE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "ev/loop.h"
#include "net/addr.h"

struct upgrade {
	int *taken; /* from the one before us; -1: claimed */
	size_t taken_count;
	int old;	     /* the connection to the one before us, until it has ended; else -1 */
	struct watch server; /* where the next one asks */
	struct watch peer;   /* the one before us; later, the next one */
	struct loop *loop;   /* NULL: not started */
	int server_fd;

	/*
	 * Writes the listening sockets to fds (as many as there are, at most max) and returns how
	 * many; the next one has them, and is ready. The owner's, as is the context.
	 */
	size_t (*list)(void *context, int *fds, size_t max);
	void (*on_handed_over)(void *context);
	void *context;
};

/*
 * Takes the sockets of the one that runs, or is the first. `path`: of a socket in the file system,
 * which only our user may connect to; or, with an '@' in front, a name in our network namespace,
 * which containers of one pod share. The other one must be of our user, whatever the path.
 */
bool upgrade_open(struct upgrade *u, const char *path, struct error *e);
/*
 * A socket that listens on *at, from those that were taken; -1 when there is none (any more). With
 * `any_family` as in listener.h.
 */
int upgrade_claim(struct upgrade *u, struct addr *at, bool any_family);
/* How many upgrade_claim still has. */
size_t upgrade_count(const struct upgrade *u, const struct addr *at, bool any_family);
/* Everything is claimed that will be: the rest is closed. */
void upgrade_claimed(struct upgrade *u);

/* In the loop from here on; `list` and the like are set. False without descriptors. */
bool upgrade_start(struct upgrade *u, struct loop *loop, struct error *e);
/* We are ready, the one before us is to stop. Harmless when there is none (any more). */
void upgrade_ready(struct upgrade *u);
/* Closes everything. Harmless twice. */
void upgrade_stop(struct upgrade *u);

#endif
