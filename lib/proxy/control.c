#include "proxy/control.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "net/guard.h"
#include "proxy/admin.h"
#include "proxy/announce.h"
#include "proxy/kubesource.h"
#include "proxy/confine.h"
#include "proxy/names.h"
#include "proxy/pages.h"
#include "proxy/reload.h"
#include "proxy/tally.h"
#include "proxy/upgrade.h"
#include "proxy/view.h"
#include "proxy/worker.h"
#include "sys/fd.h"
#include "sys/log.h"

/* A name that nobody answers for should not keep a pod from being ready for the others. */
#define READY_AFTER_MS 10000
/* The one whose place we take may end before the API server is back. */
#define LIST_WAIT_MS 30000

struct control {
	const struct control_settings *settings;
	struct loop loop;
	struct watch signals;
	struct watch stopped; /* an eventfd that each worker adds 1 to when it ends */
	struct timer ready_timer;
	struct timer drain_timer;
	struct timer shutdown_timer;
	struct resolver resolver;
	bool has_resolver;
	struct names names;
	struct tally tally;
	struct generation *generation;
	struct view *view;
	struct admin admin;
	struct logwriter *log_writer; /* NULL: no access log */
	struct worker *workers;
	size_t worker_count; /* initialised */
	size_t workers_running;
	bool ready_by_time;
	bool was_ready;
	bool stopping;
	uint64_t started_ms;
};

/* The API server's first word is waited for, however long it takes. */
static bool is_listed(const struct control *c)
{
	return c->settings->kube == NULL || c->settings->kube->is_complete;
}

/* Once ready it stays so: what a reload adds keeps nobody else waiting. */
static bool is_ready(struct control *c)
{
	if (is_listed(c) && (c->ready_by_time || c->names.answered == c->names.count))
		c->was_ready = true;
	return !c->stopping && c->was_ready;
}

static struct admin_page render(void *context, struct span target, struct buf *body)
{
	struct control *c = context;
	const struct pages pages = {
		.names = {.names = &c->names,
			  .table = c->generation->table,
			  .resolver = &c->resolver,
			  .guard = c->settings->guard,
			  .workers = c->workers,
			  .worker_count = c->worker_count,
			  .now_ms = loop_now_ms(&c->loop)},
		.tally = &c->tally,
		.log_writer = c->log_writer,
		.reload = c->settings->reload,
		.kube = c->settings->kube,
		.is_ready = is_ready(c),
		.is_stopping = c->stopping,
		.up_s = (loop_now_ms(&c->loop) - c->started_ms) / 1000,
	};

	return pages_render(&pages, target, body);
}

/* Publishing */

static void publish(struct control *c)
{
	struct view *fresh = names_view(&c->names, c->generation);

	if (fresh == NULL)
		return;
	view_unref(c->view);
	c->view = fresh;
	for (size_t i = 0; i < c->worker_count; i++)
		worker_publish(&c->workers[i], fresh);
}

/* All names that changed in one turn are told together. */
static void on_end_of_turn(struct loop *l)
{
	struct control *c = LIST_OWNER(l, struct control, loop);

	if (c->names.changed)
		publish(c);
	if (c->settings->upgrade != NULL && is_ready(c))
		upgrade_ready(c->settings->upgrade);
}

/* Takes a table that was read again over, also when it fails. */
static bool adopt(void *context, struct route_table *table, struct error *e)
{
	struct control *c = context;
	struct generation *fresh = view_generation_new(table);

	if (fresh == NULL) {
		route_table_free(table);
		return error_set(e, "out of memory");
	}
	is_ready(c);
	if (!names_change(&c->names, &c->resolver, table, e)) {
		view_generation_unref(fresh);
		return false;
	}
	fresh->tallies = tally_routes(&c->tally, table);
	/* It is published at the end of the turn. */
	view_generation_unref(c->generation);
	c->generation = fresh;
	return true;
}

/* Ending */

static void stop_workers(struct control *c, bool now)
{
	for (size_t i = 0; i < c->worker_count; i++)
		worker_stop(&c->workers[i], now);
}

static void on_shutdown_timeout(struct timer *t)
{
	struct control *c = LIST_OWNER(t, struct control, shutdown_timer);

	log_event(LOG_WARN, "shutdown took too long, closing what is left");
	stop_workers(c, true);
}

static void finish(struct control *c)
{
	log_event(LOG_INFO, "stopping: no new connections, requests under way are finished");
	stop_workers(c, false);
}

static void on_drain_timeout(struct timer *t)
{
	finish(LIST_OWNER(t, struct control, drain_timer));
}

/* For upgrade: what we listen on. */
static size_t list_sockets(void *context, int *fds, size_t max)
{
	const struct control *c = context;
	size_t count = 0;

	for (size_t i = 0; i < c->worker_count; i++)
		for (size_t k = 0; k < c->workers[i].listener_count && count < max; k++)
			fds[count++] = c->workers[i].listeners[k].fd;
	if (c->admin.listener.fd != -1 && count < max)
		fds[count++] = c->admin.listener.fd;
	return count;
}

/* For upgrade: another process has them now, and is ready. */
static void on_handed_over(void *context)
{
	struct control *c = context;

	c->stopping = true;
	timer_cancel(&c->drain_timer);
	loop_timer_set(&c->loop, &c->shutdown_timer, c->settings->shutdown_timeout_ms);
	admin_stop(&c->admin);
	for (size_t i = 0; i < c->worker_count; i++)
		atomic_store(&c->workers[i].listeners_are_shared, true);
	finish(c);
}

static void on_ready_timeout(struct timer *t)
{
	LIST_OWNER(t, struct control, ready_timer)->ready_by_time = true;
}

static void on_signal(struct watch *watch, unsigned events)
{
	struct control *c = LIST_OWNER(watch, struct control, signals);
	struct signalfd_siginfo info;

	(void)events;
	if (read(watch->fd, &info, sizeof info) != sizeof info)
		return;
	if (info.ssi_signo == SIGHUP) {
		if (c->settings->reload != NULL && !c->stopping)
			reload_now(c->settings->reload);
		return;
	}
	if (c->stopping) {
		log_event(LOG_WARN, "second signal, closing what is left");
		stop_workers(c, true);
		return;
	}
	c->stopping = true;
	loop_timer_set(&c->loop, &c->shutdown_timer, c->settings->shutdown_timeout_ms);
	if (info.ssi_signo != SIGTERM || c->settings->drain_delay_ms == 0) {
		finish(c);
		return;
	}
	log_event(LOG_INFO, "stopping: not ready any more, serving on for --drain-delay");
	loop_timer_set(&c->loop, &c->drain_timer, c->settings->drain_delay_ms);
}

static void on_worker_stopped(struct watch *watch, unsigned events)
{
	struct control *c = LIST_OWNER(watch, struct control, stopped);
	uint64_t count;

	(void)events;
	if (read(watch->fd, &count, sizeof count) != sizeof count)
		return;
	c->workers_running -= (size_t)count;
	if (c->workers_running == 0)
		loop_stop(&c->loop);
}

/* Runs in the worker's thread. */
static void tell_stopped(struct worker *w)
{
	const struct control *c = w->on_stopped_context;
	uint64_t one = 1;

	(void)!write(c->stopped.fd, &one, sizeof one);
}

/* Starting */

static bool watch_new_fd(struct control *c, struct watch *watch, int fd, const char *what,
			 void (*on_event)(struct watch *, unsigned), struct error *e)
{
	if (fd == -1)
		return error_set_sys(e, "cannot make %s", what);
	if (loop_add_level(&c->loop, watch, fd, on_event, e))
		return true;
	fd_close(&fd);
	return false;
}

/*
 * Before any thread starts, so that all inherit the mask and the control thread alone gets the
 * signals.
 */
static bool watch_signals(struct control *c, struct error *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return watch_new_fd(c, &c->signals, signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC),
			    "a signal descriptor", on_signal, e);
}

/* A share of the sockets that the process before us had at this address, else one of our own. */
static bool open_listener(struct control *c, unsigned worker, struct control_listen *l,
			  struct listener *listeners, size_t *opened, struct error *e)
{
	struct upgrade *u = c->settings->upgrade;
	unsigned workers_left = c->settings->workers - worker;
	size_t share = 0;

	if (u != NULL)
		share = (upgrade_count(u, &l->at, l->any_family) + workers_left - 1) / workers_left;
	do {
		int fd = share > 0 ? upgrade_claim(u, &l->at, l->any_family)
				   : listener_open(&l->at, l->any_family, e);

		if (fd == -1)
			return false;
		listeners[(*opened)++] = (struct listener){
			.watch = {.fd = -1},
			.fd = fd,
			.port = l->at.port,
			.transparent = l->transparent,
		};
	} while (share-- > 1);
	return true;
}

/*
 * Sockets for one worker, at least one per address. `listen` learns the ports on the first call.
 */
static struct listener *open_listeners(struct control *c, unsigned worker,
				       struct control_listen *listen, size_t *opened,
				       struct error *e)
{
	const struct upgrade *u = c->settings->upgrade;
	size_t count = c->settings->listen_count, max = count + (u != NULL ? u->taken_count : 0);
	struct listener *listeners = alloc_get_zeroed(max * sizeof *listeners);

	*opened = 0;
	if (listeners == NULL) {
		error_set(e, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		if (open_listener(c, worker, &listen[i], listeners, opened, e))
			continue;
		while (*opened > 0)
			fd_close(&listeners[--*opened].fd);
		alloc_put(listeners);
		return NULL;
	}
	return listeners;
}

static bool start_log(struct control *c, struct error *e)
{
	const struct control_settings *s = c->settings;
	struct logwriter *w;

	if (s->config.access_log == ACCESSLOG_OFF)
		return true;
	w = alloc_get_zeroed(sizeof *w);
	if (w == NULL)
		return error_set(e, "out of memory");
	if (!logwriter_start(w, STDOUT_FILENO, s->workers, e)) {
		alloc_put(w);
		return false;
	}
	c->log_writer = w;
	return true;
}

static void stop_log(struct control *c)
{
	if (c->log_writer != NULL && logwriter_stop(c->log_writer))
		alloc_put(c->log_writer);
	c->log_writer = NULL;
}

static bool init_workers(struct control *c, struct control_listen *listen, struct error *e)
{
	const struct control_settings *s = c->settings;

	if (!start_log(c, e))
		return false;
	c->workers = alloc_get_zeroed(s->workers * sizeof *c->workers);
	if (c->workers == NULL)
		return error_set(e, "out of memory");
	for (unsigned i = 0; i < s->workers; i++) {
		size_t opened;
		struct listener *listeners = open_listeners(c, i, listen, &opened, e);
		struct worker *w = &c->workers[i];

		if (listeners == NULL)
			return false;
		c->worker_count++;
		if (!worker_init(w, &s->config, i, listeners, opened, c->view, e))
			return false;
		if (c->log_writer != NULL) {
			w->log_writer = c->log_writer;
			w->log = &c->log_writer->rings[i];
		}
		w->on_stopped = tell_stopped;
		w->on_stopped_context = c;
	}
	return true;
}

static bool start_admin(struct control *c, struct addr *at, struct error *e)
{
	struct upgrade *u = c->settings->upgrade;
	bool any_family = c->settings->admin_any_family;
	int fd;

	if (at->family == 0)
		return true;
	fd = u != NULL ? upgrade_claim(u, at, any_family) : -1;
	if (fd == -1)
		fd = listener_open(at, any_family, e);
	c->admin.render = render;
	c->admin.context = c;
	return fd != -1 && admin_start(&c->admin, &c->loop, fd, e);
}

/* Before the workers start, which read it. */
static void guard_listeners(const struct control_settings *s, const struct control_listen *listen,
			    const struct addr *admin)
{
	if (s->guard == NULL)
		return;
	for (size_t i = 0; i < s->listen_count; i++)
		guard_add_listener(s->guard, &listen[i].at);
	guard_add_listener(s->guard, admin);
}

static bool start_threads(struct control *c, struct error *e)
{
	for (size_t i = 0; i < c->worker_count; i++) {
		if (!worker_start(&c->workers[i], e))
			return false;
		c->workers_running++;
	}
	return true;
}

static bool start_upgrade(struct control *c, struct error *e)
{
	struct upgrade *u = c->settings->upgrade;

	if (u == NULL)
		return true;
	upgrade_claimed(u);
	u->list = list_sockets;
	u->on_handed_over = on_handed_over;
	u->context = c;
	return upgrade_start(u, &c->loop, e);
}

/* What changes the table from here on; `table` is the one in force. */
static bool start_sources(struct control *c, const struct route_table *table, struct error *e)
{
	const struct control_settings *s = c->settings;

	c->loop.end_of_turn = on_end_of_turn;
	if (s->reload != NULL) {
		s->reload->adopt = adopt;
		s->reload->context = c;
		reload_start(s->reload, &c->loop, table);
	}
	return s->kube == NULL || kubesource_start(s->kube, &c->loop, &c->resolver, e);
}

/*
 * Where we take another's place, it goes on alone until we know as much as it does: once we listen,
 * both take clients.
 */
static bool wait_for_list(struct control *c, struct error *e)
{
	const struct upgrade *u = c->settings->upgrade;
	uint64_t until_ms = loop_now_ms(&c->loop) + LIST_WAIT_MS;

	while (u != NULL && u->old != -1 && !is_listed(c) && !c->stopping &&
	       loop_now_ms(&c->loop) < until_ms)
		if (!loop_turn(&c->loop, 100, e))
			return false;
	return true;
}

static bool start(struct control *c, struct route_table *table, struct error *e)
{
	const struct control_settings *s = c->settings;
	struct control_listen listen[CONTROL_LISTENERS_MAX];
	struct addr admin = s->admin;

	c->generation = view_generation_new(table);
	if (c->generation == NULL) {
		route_table_free(table);
		return error_set(e, "out of memory");
	}
	tally_init(&c->tally, s->workers);
	c->generation->tallies = tally_routes(&c->tally, table);
	if (!loop_init(&c->loop, e) || !watch_signals(c, e) ||
	    !watch_new_fd(c, &c->stopped, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
			  "an event descriptor", on_worker_stopped, e))
		return false;
	c->started_ms = loop_now_ms(&c->loop);
	resolver_init(&c->resolver, &c->loop, &s->resolver);
	c->has_resolver = true;
	if (!names_change(&c->names, &c->resolver, table, e))
		return false;
	c->view = names_view(&c->names, c->generation);
	if (c->view == NULL)
		return error_set(e, "out of memory");
	memcpy(listen, s->listen, sizeof listen);
	if (s->sandbox)
		confine_files(s->reload, kubesource_token_file(s->kube));
	if (!start_sources(c, table, e) || !wait_for_list(c, e))
		return false;
	if (c->stopping) {
		loop_stop(&c->loop);
		return true;
	}
	if (!init_workers(c, listen, e) || !start_admin(c, &admin, e) || !start_upgrade(c, e))
		return false;
	guard_listeners(s, listen, &admin);
	if (!start_threads(c, e))
		return false;
	if (s->sandbox)
		confine_calls();
	loop_timer_set(&c->loop, &c->ready_timer, READY_AFTER_MS);
	announce_in_log(c->view, c->worker_count, c->names.count, listen, s->listen_count, &admin);
	announce_to_fd(s->ready_fd, listen, s->listen_count, &admin);
	return true;
}

static void close_watched(struct control *c, struct watch *watch)
{
	int fd = watch->fd;

	loop_remove(&c->loop, watch);
	fd_close(&fd);
}

static void fini(struct control *c)
{
	struct error e;

	stop_workers(c, true);
	for (size_t i = 0; i < c->worker_count; i++)
		worker_join(&c->workers[i]);
	for (size_t i = 0; i < c->worker_count; i++)
		worker_fini(&c->workers[i]);
	alloc_put(c->workers);
	stop_log(c);
	admin_stop(&c->admin);
	if (c->settings->reload != NULL)
		reload_stop(c->settings->reload);
	if (c->settings->kube != NULL)
		kubesource_stop(c->settings->kube);
	if (c->settings->upgrade != NULL)
		upgrade_stop(c->settings->upgrade);
	names_stop(&c->names);
	if (c->has_resolver)
		resolver_fini(&c->resolver);
	view_unref(c->view);
	view_generation_unref(c->generation);
	tally_fini(&c->tally);
	/* Signals have nobody to tell any more. */
	close_watched(c, &c->signals);
	close_watched(c, &c->stopped);
	/* What was closed last is released in the deferred phase of a turn. */
	c->loop.end_of_turn = NULL;
	if (c->loop.epoll_fd != -1)
		loop_turn(&c->loop, 0, &e);
	loop_fini(&c->loop);
}

bool control_run(const struct control_settings *settings, struct route_table *table,
		 struct error *e)
{
	struct control c = {
		.settings = settings,
		.loop = {.epoll_fd = -1},
		.signals = {.fd = -1},
		.stopped = {.fd = -1},
		.admin = {.listener = {.fd = -1}},
	};
	bool ok;

	timer_init(&c.ready_timer, on_ready_timeout);
	timer_init(&c.drain_timer, on_drain_timeout);
	timer_init(&c.shutdown_timer, on_shutdown_timeout);
	ok = start(&c, table, e) && loop_run(&c.loop, e);
	fini(&c);
	return ok;
}
