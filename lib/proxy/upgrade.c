#include "proxy/upgrade.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/time.h>

#include "base/alloc.h"
#include "sys/fd.h"
#include "sys/fdpass.h"
#include "sys/log.h"

/* 256 workers with a socket for each of 16 listeners, one for the admin, one for the next one. */
#define FDS_MAX (256 * 16 + 2)

/* What the running one may take to send its sockets. */
#define PATIENCE_S 5

static bool add_taken(struct upgrade *u, const int *fds, size_t count)
{
	int domain;
	socklen_t len = sizeof domain;

	for (size_t i = 0; i < count; i++) {
		if (getsockopt(fds[i], SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
		    domain == AF_UNIX)
			u->server_fd = fds[i];
		else if (u->taken_count < FDS_MAX)
			u->taken[u->taken_count++] = fds[i];
	}
	return u->taken_count < FDS_MAX;
}

/* All that the one at the other end has. */
static bool take(struct upgrade *u, struct error *e)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};
	int fds[FDPASS_MAX];
	size_t count;
	char byte;

	u->taken = alloc_get(FDS_MAX * sizeof *u->taken);
	if (u->taken == NULL)
		return error_set(e, "out of memory");
	if (!fdpass_is_own(u->old))
		return error_set(e, "the process there is another user's");
	setsockopt(u->old, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	do {
		if (!fdpass_receive(u->old, &byte, fds, &count))
			return errno == 0 ? error_set(e, "the process there gives nothing: another "
							 "may be taking its place already")
					  : error_set_sys(e, "the process there gives nothing");
		if (!add_taken(u, fds, count))
			return error_set(e, "the process there has too many sockets");
	} while (byte == 'f');
	return u->server_fd != -1 || error_set(e, "the process there is no egress-proxy");
}

bool upgrade_open(struct upgrade *u, const char *path, struct error *e)
{
	*u = (struct upgrade){
		.old = fdpass_connect(path),
		.server = {.fd = -1},
		.peer = {.fd = -1},
		.server_fd = -1,
	};
	if (u->old == -1 && errno != ENOENT && errno != ECONNREFUSED) {
		error_set_sys(e, "cannot connect");
		return error_prefix_path(e, path);
	}
	if (u->old == -1) {
		u->server_fd = fdpass_listen(path, e);
		return u->server_fd != -1;
	}
	if (take(u, e))
		return true;
	upgrade_stop(u);
	return error_prefix_path(e, path);
}

static bool listens_at(int fd, const struct addr *at, bool any_family)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss, only_len = sizeof(int);
	struct addr bound;
	int only_v6 = 1;

	if (fd == -1 || getsockname(fd, (struct sockaddr *)&ss, &len) != 0 ||
	    !addr_from_sockaddr(&ss, &bound) || !addr_eq(&bound, at))
		return false;
	if (at->family == 6)
		getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, &only_len);
	return any_family == (only_v6 == 0);
}

int upgrade_claim(struct upgrade *u, struct addr *at, bool any_family)
{
	for (size_t i = 0; i < u->taken_count; i++) {
		int fd = u->taken[i];

		if (listens_at(fd, at, any_family)) {
			u->taken[i] = -1;
			return fd;
		}
	}
	return -1;
}

size_t upgrade_count(const struct upgrade *u, const struct addr *at, bool any_family)
{
	size_t count = 0;

	for (size_t i = 0; i < u->taken_count; i++)
		count += listens_at(u->taken[i], at, any_family);
	return count;
}

void upgrade_claimed(struct upgrade *u)
{
	for (size_t i = 0; i < u->taken_count; i++)
		fd_close(&u->taken[i]);
	alloc_put(u->taken);
	u->taken = NULL;
	u->taken_count = 0;
}

static void close_watched(struct upgrade *u, struct watch *watch)
{
	int fd = watch->fd;

	if (fd == -1)
		return;
	loop_remove(u->loop, watch);
	fd_close(&fd);
}

static bool send_all(const struct upgrade *u, int *fds)
{
	size_t count = u->list(u->context, fds, FDS_MAX - 1), part;

	fds[count++] = u->server_fd;
	for (size_t at = 0; at < count; at += part) {
		part = count - at < FDPASS_MAX ? count - at : FDPASS_MAX;
		if (!fdpass_send(u->peer.fd, 'f', fds + at, part))
			return false;
	}
	return fdpass_send(u->peer.fd, 'e', NULL, 0);
}

/* The next one is ready, or it has given up, or failed. */
static void on_next(struct watch *watch, unsigned events)
{
	struct upgrade *u = LIST_OWNER(watch, struct upgrade, peer);
	int fds[FDPASS_MAX];
	size_t count;
	char byte;

	(void)events;
	if (fdpass_receive(watch->fd, &byte, fds, &count) && byte == 'r') {
		log_event(LOG_INFO, "another process has taken this one's place");
		u->on_handed_over(u->context);
		/* Our end of the connection tells it that nothing comes here any more. */
		upgrade_stop(u);
		return;
	}
	while (count > 0)
		fd_close(&fds[--count]);
	log_event(LOG_WARN, "the process that was to take this one's place has gone");
	close_watched(u, watch);
}

static void on_asked(struct watch *watch, unsigned events)
{
	struct upgrade *u = LIST_OWNER(watch, struct upgrade, server);
	int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct error e;
	int *fds;

	(void)events;
	if (fd == -1)
		return;
	fds = alloc_get(FDS_MAX * sizeof *fds);
	if (fds != NULL && u->peer.fd == -1 && fdpass_is_own(fd) &&
	    loop_add_level(u->loop, &u->peer, fd, on_next, &e)) {
		log_event(LOG_INFO, "another process is about to take this one's place");
		if (!send_all(u, fds))
			close_watched(u, &u->peer);
	} else {
		fd_close(&fd);
	}
	alloc_put(fds);
}

static bool serve(struct upgrade *u, struct error *e)
{
	return loop_add_level(u->loop, &u->server, u->server_fd, on_asked, e);
}

/* The one before us takes nothing new any more: whoever comes next asks us. */
static void on_old_ended(struct watch *watch, unsigned events)
{
	struct upgrade *u = LIST_OWNER(watch, struct upgrade, peer);
	struct error e;

	(void)events;
	close_watched(u, watch);
	u->old = -1;
	if (!serve(u, &e))
		log_event(LOG_ERROR, "no process can take this one's place");
}

bool upgrade_start(struct upgrade *u, struct loop *loop, struct error *e)
{
	u->loop = loop;
	if (u->old == -1)
		return serve(u, e);
	return loop_add_level(loop, &u->peer, u->old, on_old_ended, e);
}

void upgrade_ready(struct upgrade *u)
{
	if (u->old == -1 || u->peer.fd == -1)
		return;
	if (!fdpass_send(u->old, 'r', NULL, 0))
		log_event(LOG_WARN, "the process before this one has gone by itself");
	u->old = -1;
}

void upgrade_stop(struct upgrade *u)
{
	upgrade_claimed(u);
	close_watched(u, &u->peer);
	if (u->server.fd != -1)
		loop_remove(u->loop, &u->server);
	if (u->loop == NULL)
		fd_close(&u->old);
	fd_close(&u->server_fd);
}
