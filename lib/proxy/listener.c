#include "proxy/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/session.h"
#include "proxy/transparent.h"
#include "proxy/worker.h"
#include "sys/bpf.h"
#include "sys/fd.h"

/* Connections accepted in one turn, so that those that are there already get theirs. */
#define ACCEPTS_PER_TURN 64

/* How long a listener rests when descriptors are out. */
#define PAUSE_MS 50

/* How long a client's last word of the handshake may be under way when a listener ends. */
#define END_MS 50
/* Where nobody has come for so long, nobody is coming. */
#define QUIET_MS 1000

/* The kernel caps it at net.core.somaxconn. */
#define BACKLOG 4096

static void describe_failure(const struct addr *at, const char *what, struct error *e)
{
	char storage[ADDR_TEXT_MAX];
	struct buf text;
	const char *hint = "";

	if (errno == EACCES && at->port < 1024)
		hint = " (ports below 1024 need CAP_NET_BIND_SERVICE or a lower"
		       " net.ipv4.ip_unprivileged_port_start)";
	BUF_INIT_ARRAY(&text, storage);
	addr_format(at, &text);
	error_set_sys(e, "cannot %s %s%s", what, buf_cstr(&text), hint);
}

static bool set_options(int fd, const struct addr *at, bool any_family)
{
	int on = 1, only_v6 = !any_family;

	if (at->family == 6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6) != 0)
		return false;
	/* Accepted sockets inherit TCP_NODELAY: one call here instead of one per connection. */
	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 &&
	       setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0;
}

int listener_open(struct addr *at, bool any_family, struct error *e)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(at, &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1 && any_family && errno == EAFNOSUPPORT) {
		*at = (struct addr){.family = 4, .port = at->port};
		return listener_open(at, false, e);
	}
	if (fd == -1 || !set_options(fd, at, any_family)) {
		describe_failure(at, "make a socket for", e);
		fd_close(&fd);
		return -1;
	}
	if (bind(fd, (struct sockaddr *)&ss, len) != 0 || listen(fd, BACKLOG) != 0) {
		describe_failure(at, "listen on", e);
		fd_close(&fd);
		return -1;
	}
	len = sizeof ss;
	if (at->port == 0 && getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
		addr_from_sockaddr(&ss, at);
	return fd;
}

/* Takes one connection. 0, or what accept said when there is none (now). */
static int accept_one(struct listener *l)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;
	struct addr peer = {0};
	int fd = accept4(l->fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd == -1)
		return errno == ECONNABORTED || errno == EINTR ? 0 : errno;
	addr_from_sockaddr(&ss, &peer);
	addr_unmap(&peer);
	l->accepted_ms = loop_now_ms(&l->worker->loop);
	if (l->transparent)
		transparent_accept(l, fd, &peer);
	else
		session_start(l->worker, fd, &peer, NULL);
	return 0;
}

static bool is_out_of_descriptors(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void on_event(struct watch *watch, unsigned events)
{
	struct listener *l = LIST_OWNER(watch, struct listener, watch);
	int error = 0;

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN && error == 0; i++)
		error = accept_one(l);
	/*
	 * The connection stays in the queue, and we would be told of it again at once, for ever: so
	 * this listener is not listened to for a while.
	 */
	if (is_out_of_descriptors(error)) {
		loop_remove(&l->worker->loop, &l->watch);
		if (!l->ending)
			loop_timer_set(&l->worker->loop, &l->pause, PAUSE_MS);
	}
}

static void on_pause_over(struct timer *t)
{
	struct listener *l = LIST_OWNER(t, struct listener, pause);
	struct error e;

	if (l->ending) {
		listener_stop(l);
		worker_check_stopped(l->worker);
		return;
	}
	if (!loop_add_level(&l->worker->loop, &l->watch, l->fd, on_event, &e))
		loop_timer_set(&l->worker->loop, &l->pause, PAUSE_MS);
}

bool listener_start(struct listener *l, struct worker *w, struct error *e)
{
	l->worker = w;
	timer_init(&l->pause, on_pause_over);
	return loop_add_level(&w->loop, &l->watch, l->fd, on_event, e);
}

/*
 * The kernel throws away what has not been accepted when a listening socket is closed, and a client
 * whose handshake ends between our last accept and the close takes itself to be connected. So the
 * beginnings of handshakes are dropped first. Who asks again, a second later, is refused.
 */
static bool drop_syns(int fd)
{
	/* The socket's filter sees the TCP header: byte 13 has the flags, 2 is SYN. */
	static const struct bpf_step steps[] = {
		{BPF_LOAD_BYTE, 0, 0, 13},
		{BPF_IF_ANY_BIT, 0, 1, 2},
		{BPF_RETURN, 0, 0, 0},
		{BPF_RETURN, 0, 0, UINT32_MAX},
	};
	struct bpf_program program = {sizeof steps / sizeof steps[0], steps};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

void listener_end(struct listener *l)
{
	struct loop *loop;

	if (l->worker == NULL || l->fd == -1)
		return;
	loop = &l->worker->loop;
	if (loop_now_ms(loop) - l->accepted_ms >= QUIET_MS || !drop_syns(l->fd)) {
		listener_stop(l);
		return;
	}
	l->ending = true;
	loop_timer_set(loop, &l->pause, END_MS);
}

void listener_stop(struct listener *l)
{
	if (l->worker != NULL) {
		/* With SO_REUSEPORT what is in this socket's queue would be reset. */
		while (l->watch.fd != -1 && accept_one(l) == 0)
			;
		timer_cancel(&l->pause);
		loop_remove(&l->worker->loop, &l->watch);
	}
	fd_close(&l->fd);
}
