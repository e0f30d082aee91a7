/*
 * logwriter: writes the access logs of all workers to one descriptor, in a thread of its own, so
 * that a reader who is slow or gone costs lines, which are counted, and never a request's time.
 *
 * Each worker has a ring: it alone puts lines in, the thread alone takes them out. Lines are
 * written whole, those of one worker in order.
 */
#ifndef PROXY_LOGWRITER_H
#define PROXY_LOGWRITER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

/*
 * A power of two. About a thousand lines: what comes in while a disk or a terminal takes a breath.
 */
#define LOGWRITER_RING_SIZE (256u << 10)

struct logwriter_ring {
	_Atomic uint64_t put;	/* bytes ever put in; the worker's */
	_Atomic uint64_t taken; /* bytes ever taken out; the thread's */
	_Atomic uint64_t lost;	/* lines there was no room for; the worker's */
	bool is_new;		/* lines since the last logwriter_wake; the worker's */
	char bytes[LOGWRITER_RING_SIZE];
};

struct logwriter {
	int fd;	     /* written to; the caller's */
	int wake_fd; /* an eventfd */
	atomic_bool sleeping;
	atomic_bool stop;
	atomic_bool failing; /* the last write failed */
	_Atomic uint64_t failed_bytes;
	pthread_t thread;
	bool has_thread;
	size_t ring_count;
	struct logwriter_ring *rings;
};

/* With a ring for each worker, for lines to `fd`. False when memory or descriptors are out. */
bool logwriter_start(struct logwriter *w, int fd, size_t ring_count, struct error *e);

/*
 * Writes what is left, then ends. A reader that takes nothing is waited for one to two seconds;
 * then the thread and its rings are left behind, for the process's end: false, and *w must stay as
 * it is.
 */
bool logwriter_stop(struct logwriter *w);

/* From a worker: one whole line, its end included. Without room it is lost and counted. */
void logwriter_put(struct logwriter_ring *ring, struct span line);
/* From a worker, once per turn: lines have been put. */
void logwriter_wake(struct logwriter *w, struct logwriter_ring *ring);

/* What was lost. */
void logwriter_print_metrics(const struct logwriter *w, struct buf *out);

#endif
