#include "proxy/pipepool.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "sys/fd.h"

/*
 * What a pipe is asked to hold. The kernel lets a user have 64 MiB of pipes (pipe-user-pages-soft)
 * before it gives smaller ones: all proxies of a node are one user.
 */
#define PIPE_SIZE (256 << 10)
/* One that takes less is not worth two calls. */
#define PIPE_SIZE_MIN (64 << 10)

#define IDLE_MS 1000

static void close_both(struct pipepool_pipe *pipe)
{
	fd_close(&pipe->fds[0]);
	fd_close(&pipe->fds[1]);
}

static void close_free(struct pipepool *p)
{
	for (struct pipepool_pipe *pipe = p->free; pipe != NULL; pipe = pipe->next)
		close_both(pipe);
}

static void on_timeout(struct timer *t)
{
	close_free(LIST_OWNER(t, struct pipepool, timer));
}

void pipepool_init(struct pipepool *p, struct loop *loop)
{
	p->free = NULL;
	p->loop = loop;
	timer_init(&p->timer, on_timeout);
	for (size_t i = 0; i < PIPEPOOL_MAX; i++) {
		p->pipes[i] = (struct pipepool_pipe){.next = p->free, .fds = {-1, -1}};
		p->free = &p->pipes[i];
	}
}

void pipepool_fini(struct pipepool *p)
{
	timer_cancel(&p->timer);
	close_free(p);
	p->free = NULL;
}

static bool make(struct pipepool_pipe *pipe)
{
	int size;

	if (pipe2(pipe->fds, O_NONBLOCK | O_CLOEXEC) != 0) {
		pipe->fds[0] = pipe->fds[1] = -1;
		return false;
	}
	size = fcntl(pipe->fds[0], F_SETPIPE_SZ, PIPE_SIZE);
	if (size < 0)
		size = fcntl(pipe->fds[0], F_GETPIPE_SZ);
	if (size < PIPE_SIZE_MIN) {
		close_both(pipe);
		return false;
	}
	pipe->size = (size_t)size;
	return true;
}

struct pipepool_pipe *pipepool_get(struct pipepool *p)
{
	struct pipepool_pipe *pipe = p->free;

	if (pipe == NULL || (pipe->fds[0] == -1 && !make(pipe)))
		return NULL;
	p->free = pipe->next;
	return pipe;
}

void pipepool_put(struct pipepool *p, struct pipepool_pipe *pipe, size_t content)
{
	if (pipe == NULL)
		return;
	if (content > 0)
		close_both(pipe);
	pipe->next = p->free;
	p->free = pipe;
	if (!timer_is_set(&p->timer))
		loop_timer_set(p->loop, &p->timer, IDLE_MS);
}

/* splice with its result in the terms of a stream. `s` is the one of both ends that is a socket. */
static enum stream_result splice_some(int from, int to, size_t max, struct stream *s, size_t *moved)
{
	ssize_t n;

	*moved = 0;
	do
		n = splice(from, NULL, to, NULL, max, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		*moved = (size_t)n;
		return STREAM_OK;
	}
	if (n == 0)
		return STREAM_EOF;
	if (errno == EAGAIN)
		return STREAM_AGAIN;
	s->error = errno;
	return STREAM_FAILED;
}

enum stream_result pipepool_fill(struct pipepool_pipe *pipe, struct stream *source, size_t max,
				 size_t *got)
{
	size_t room = max < pipe->size ? max : pipe->size;
	enum stream_result r = splice_some(source->watch.fd, pipe->fds[1], room, source, got);

	if (r == STREAM_AGAIN)
		source->readable = false;
	if (r == STREAM_EOF)
		source->at_eof = true;
	return r;
}

enum stream_result pipepool_drain(struct pipepool_pipe *pipe, size_t count, struct stream *sink,
				  size_t *put)
{
	enum stream_result r;

	*put = 0;
	if (!sink->writable)
		return STREAM_AGAIN;
	r = splice_some(pipe->fds[0], sink->watch.fd, count, sink, put);
	if (r == STREAM_AGAIN)
		sink->writable = false;
	return r;
}
