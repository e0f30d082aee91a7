/*
 * worker: one thread that carries traffic. It has its own loop, listeners, memory and pools, and
 * shares nothing but the views it is sent and the counters it publishes.
 *
 * It never reads a file, never resolves a name, takes no lock, and once warm does not allocate.
 */
#ifndef PROXY_WORKER_H
#define PROXY_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/slab.h"
#include "ev/loop.h"
#include "proxy/addresses.h"
#include "proxy/config.h"
#include "proxy/listener.h"
#include "proxy/logwriter.h"
#include "proxy/metrics.h"
#include "proxy/pipepool.h"
#include "proxy/upstream.h"
#include "proxy/view.h"
#include "sys/clock.h"

/* A view as one worker holds it: counted without atomics, one reference on the view for all. */
struct worker_view {
	struct view *view;
	unsigned refs; /* the worker's own while it is the newest, and one per exchange */
};

struct worker {
	struct loop loop;
	const struct proxy_config *config;
	unsigned index;

	/* Written by the control thread. */
	_Atomic(struct view *) mailbox;	  /* the newest view that was not adopted yet, or NULL */
	atomic_bool stop_asked;		  /* finish what is under way, take nothing new */
	atomic_bool abort_asked;	  /* and don't wait for it */
	atomic_bool listeners_are_shared; /* with a process that accepts what is in their queues */
	struct watch wake;		  /* an eventfd that says: look at those above */

	/* The worker's own. */
	pthread_t thread;
	bool has_thread;
	bool stopping;
	struct listener *listeners;
	size_t listener_count;
	struct worker_view *view;
	struct list sessions; /* all of them */
	struct list waiting;  /* exchanges that wait for a name's first answer */
	struct list relays;   /* all of them */
	struct list waiting_relays;
	struct upstream_pools pools;
	struct addresses addresses;
	uint64_t quiet_until_ms; /* dial.c: no warning of denied addresses before */
	struct pipepool pipes;
	struct slab relay_slab, session_slab, redirected_slab, exchange_slab, upstream_slab, blocks;
	struct tlsconn_memory tls_memory;
	struct logwriter *log_writer; /* NULL: no access log */
	struct logwriter_ring *log;
	struct metrics metrics;
	uint64_t date_s; /* the second that `date` shows */
	char date[CLOCK_HTTP_DATE_LEN + 1];
	void (*on_stopped)(struct worker *w); /* called by the worker as its last act */
	void *on_stopped_context;
};

/*
 * Takes over the listeners (an array from the heap) and begins to watch them; the view is
 * referenced. No thread yet. After false, worker_fini is still due.
 */
bool worker_init(struct worker *w, const struct proxy_config *config, unsigned index,
		 struct listener *listeners, size_t listener_count, struct view *view,
		 struct error *e);
bool worker_start(struct worker *w, struct error *e);

/* From the control thread: a newer view. The mailbox takes its own reference. */
void worker_publish(struct worker *w, struct view *view);
/* From the control thread: finish what is under way and end; with `now` without finishing. */
void worker_stop(struct worker *w, bool now);
/* Waits for the thread to end. */
void worker_join(struct worker *w);
void worker_fini(struct worker *w);

/* The worker's newest view, counted; and back. */
struct worker_view *worker_view_ref(struct worker *w);
void worker_view_unref(struct worker_view *v);

/* No descriptors are left for another client: sessions and relays have two each. */
bool worker_is_full(const struct worker *w);

/* For a session or relay that has ended: a stopping worker ends with its last one. */
void worker_check_stopped(struct worker *w);

/* The present time for Date. */
struct span worker_http_date(struct worker *w);

#endif
