/*
 * pipepool: pipes for splice, of one worker. One is held only while there is much to move, or
 * something is in it; so a few serve many connections. Those that nobody holds are closed soon:
 * they count towards what the kernel lets one user have.
 */
#ifndef PROXY_PIPEPOOL_H
#define PROXY_PIPEPOOL_H

#include <stddef.h>

#include "ev/loop.h"
#include "proxy/stream.h"

/* Pipes at a time; each has two descriptors. */
#define PIPEPOOL_MAX 32

struct pipepool_pipe {
	struct pipepool_pipe *next;
	int fds[2];  /* to read from, to write to; -1: not made */
	size_t size; /* bytes that it takes, when they come in whole pages */
};

struct pipepool {
	struct pipepool_pipe *free; /* newest first; those that are not made last */
	struct loop *loop;
	struct timer timer; /* since one has come back */
	struct pipepool_pipe pipes[PIPEPOOL_MAX];
};

void pipepool_init(struct pipepool *p, struct loop *loop);
/* Closes all; none may be in use. */
void pipepool_fini(struct pipepool *p);

/* An empty pipe, or NULL when there is none to be had: copy instead. */
struct pipepool_pipe *pipepool_get(struct pipepool *p);
/* Back; one that is not empty is closed. NULL is fine. */
void pipepool_put(struct pipepool *p, struct pipepool_pipe *pipe, size_t content);

/*
 * From the source, at most `max` bytes, into the pipe, which is empty; *got > 0 for STREAM_OK. And
 * out of it, which holds `count`; *put may be less. Both streams are plain, and told of what
 * happened as by stream_read and stream_write.
 */
enum stream_result pipepool_fill(struct pipepool_pipe *pipe, struct stream *source, size_t max,
				 size_t *got);
enum stream_result pipepool_drain(struct pipepool_pipe *pipe, size_t count, struct stream *sink,
				  size_t *put);

#endif
