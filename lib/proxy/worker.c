#include "proxy/worker.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "proxy/dial.h"
#include "proxy/exchange.h"
#include "proxy/relay.h"
#include "proxy/session.h"
#include "sys/fd.h"
#include "sys/log.h"

/* Certificate verification goes deepest, some KiB; a log line is built in 15 KiB. */
#define STACK_SIZE (128u << 10)

/* Idle blocks kept by the slabs, per worker. What a burst needed beyond goes back to the heap. */
#define KEEP_SESSIONS 4096
#define KEEP_EXCHANGES 512
#define KEEP_BLOCKS 512

static struct worker_view *adopt(struct view *view)
{
	struct worker_view *v = alloc_get(sizeof *v);

	if (v == NULL)
		return NULL;
	v->view = view;
	v->refs = 1;
	return v;
}

struct worker_view *worker_view_ref(struct worker *w)
{
	w->view->refs++;
	return w->view;
}

void worker_view_unref(struct worker_view *v)
{
	if (v == NULL || --v->refs > 0)
		return;
	view_unref(v->view);
	alloc_put(v);
}

static void take_mail(struct worker *w)
{
	struct view *view = atomic_exchange_explicit(&w->mailbox, NULL, memory_order_acquire);
	struct worker_view *fresh;

	if (view == NULL)
		return;
	fresh = adopt(view);
	if (fresh == NULL) {
		/* The old one serves on; the next change tries again. */
		view_unref(view);
		return;
	}
	worker_view_unref(w->view);
	w->view = fresh;
	dial_wake_waiting(w);
	relay_wake_waiting(w);
}

static void stop_accepting(struct worker *w)
{
	for (size_t i = 0; i < w->listener_count; i++)
		listener_stop(&w->listeners[i]);
}

static void close_all(struct worker *w)
{
	session_close_all(w);
	relay_close_all(w);
}

static void on_wake(struct watch *watch, unsigned events)
{
	struct worker *w = LIST_OWNER(watch, struct worker, wake);
	uint64_t count;

	(void)events;
	while (read(watch->fd, &count, sizeof count) < 0 && errno == EINTR)
		;
	take_mail(w);
	if (atomic_load(&w->stop_asked) && !w->stopping) {
		w->stopping = true;
		if (atomic_load(&w->listeners_are_shared))
			stop_accepting(w);
		for (size_t i = 0; i < w->listener_count; i++)
			listener_end(&w->listeners[i]);
		session_close_idle(w);
	}
	if (atomic_load(&w->abort_asked)) {
		stop_accepting(w);
		close_all(w);
	}
	worker_check_stopped(w);
}

bool worker_is_full(const struct worker *w)
{
	return w->session_slab.in_use + w->redirected_slab.in_use + w->relay_slab.in_use >=
	       w->config->max_sessions;
}

void worker_check_stopped(struct worker *w)
{
	bool listens = false;

	for (size_t i = 0; i < w->listener_count; i++)
		listens = listens || w->listeners[i].fd != -1;
	if (w->stopping && !listens && list_is_empty(&w->sessions) && list_is_empty(&w->relays))
		loop_stop(&w->loop);
}

static void on_end_of_turn(struct loop *l)
{
	struct worker *w = LIST_OWNER(l, struct worker, loop);

	if (w->log_writer != NULL)
		logwriter_wake(w->log_writer, w->log);
}

static void init_memory(struct worker *w)
{
	size_t max = w->config->max_sessions;

	slab_init(&w->relay_slab, sizeof(struct relay), max, KEEP_SESSIONS);
	slab_init(&w->redirected_slab, sizeof(struct session_redirected), max, KEEP_SESSIONS);
	slab_init(&w->session_slab, sizeof(struct session), max, KEEP_SESSIONS);
	slab_init(&w->exchange_slab, sizeof(struct exchange), max, KEEP_EXCHANGES);
	slab_init(&w->upstream_slab, sizeof(struct upstream), 2 * max, KEEP_EXCHANGES);
	tlsconn_memory_init(&w->tls_memory, 2 * max);
	/* Two directions of at most two blocks each, and trailers. */
	slab_init(&w->blocks, IOBUF_SIZE, 5 * max, KEEP_BLOCKS);
}

bool worker_init(struct worker *w, const struct proxy_config *config, unsigned index,
		 struct listener *listeners, size_t listener_count, struct view *view,
		 struct error *e)
{
	int fd;

	*w = (struct worker){
		.config = config, .index = index, .wake = {.fd = -1}, .loop = {.epoll_fd = -1}};
	w->listeners = listeners;
	w->listener_count = listener_count;
	list_init(&w->sessions);
	list_init(&w->waiting);
	list_init(&w->relays);
	list_init(&w->waiting_relays);
	upstream_pools_init(&w->pools);
	init_memory(w);
	if (!loop_init(&w->loop, e))
		return false;
	pipepool_init(&w->pipes, &w->loop);
	w->loop.end_of_turn = on_end_of_turn;
	fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (fd == -1)
		return error_set_sys(e, "cannot make an event descriptor");
	if (!loop_add_level(&w->loop, &w->wake, fd, on_wake, e)) {
		fd_close(&fd);
		return false;
	}
	view_ref(view);
	w->view = adopt(view);
	if (w->view == NULL) {
		view_unref(view);
		return error_set(e, "out of memory");
	}
	for (size_t i = 0; i < listener_count; i++)
		if (!listener_start(&listeners[i], w, e))
			return false;
	return true;
}

static void *run(void *context)
{
	struct worker *w = context;
	struct error e;
	char name[16];
	struct buf text;

	BUF_INIT_ARRAY(&text, name);
	buf_printf(&text, "worker-%u", w->index);
	prctl(PR_SET_NAME, name);
	if (!loop_run(&w->loop, &e)) {
		struct log_line line;

		log_begin(&line, LOG_ERROR, "worker failed");
		log_u64(&line, "worker", w->index);
		log_cstr(&line, "error", e.text);
		log_end(&line);
	}
	w->on_stopped(w);
	return NULL;
}

bool worker_start(struct worker *w, struct error *e)
{
	pthread_attr_t attributes;
	int error;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	error = pthread_create(&w->thread, &attributes, run, w);
	pthread_attr_destroy(&attributes);
	if (error != 0) {
		errno = error;
		return error_set_sys(e, "cannot start a thread");
	}
	w->has_thread = true;
	return true;
}

static void wake(struct worker *w)
{
	uint64_t one = 1;

	/* It only fails when the counter is full, and then the worker is awake anyway. */
	(void)!write(w->wake.fd, &one, sizeof one);
}

void worker_publish(struct worker *w, struct view *view)
{
	view_ref(view);
	view_unref(atomic_exchange_explicit(&w->mailbox, view, memory_order_acq_rel));
	wake(w);
}

void worker_stop(struct worker *w, bool now)
{
	if (now)
		atomic_store(&w->abort_asked, true);
	atomic_store(&w->stop_asked, true);
	wake(w);
}

void worker_join(struct worker *w)
{
	if (!w->has_thread)
		return;
	pthread_join(w->thread, NULL);
	w->has_thread = false;
}

static void free_memory(struct worker *w)
{
	pipepool_fini(&w->pipes);
	slab_fini(&w->relay_slab);
	slab_fini(&w->session_slab);
	slab_fini(&w->redirected_slab);
	slab_fini(&w->exchange_slab);
	slab_fini(&w->upstream_slab);
	tlsconn_memory_fini(&w->tls_memory);
	slab_fini(&w->blocks);
}

void worker_fini(struct worker *w)
{
	struct error e;
	int wake_fd = w->wake.fd;

	stop_accepting(w);
	close_all(w);
	upstream_pools_fini(&w->pools);
	/* What was closed last is released in the deferred phase of a turn. */
	if (w->loop.epoll_fd != -1)
		loop_turn(&w->loop, 0, &e);
	loop_remove(&w->loop, &w->wake);
	fd_close(&wake_fd);
	loop_fini(&w->loop);
	worker_view_unref(w->view);
	w->view = NULL;
	view_unref(atomic_exchange(&w->mailbox, NULL));
	free_memory(w);
	alloc_put(w->listeners);
	w->listeners = NULL;
}

struct span worker_http_date(struct worker *w)
{
	uint64_t now_s = clock_realtime_ms() / 1000;

	if (now_s != w->date_s) {
		struct buf text;

		BUF_INIT_ARRAY(&text, w->date);
		clock_format_http_date(now_s * 1000, &text);
		w->date_s = now_s;
	}
	return span_of(w->date, CLOCK_HTTP_DATE_LEN);
}
