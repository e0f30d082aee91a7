#include "ev/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fd.h"

/* Events fetched by one epoll_wait: enough to share the call, few enough to keep timers prompt. */
#define BATCH_MAX 256

struct batch {
	struct epoll_event events[BATCH_MAX];
	int next; /* the event told next */
	int count;
};

bool loop_init(struct loop *l, struct error *e)
{
	*l = (struct loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
	if (l->epoll_fd == -1)
		return error_set_sys(e, "cannot create an epoll set");
	l->now_ms = clock_monotonic_ms();
	timer_wheel_init(&l->timers, l->now_ms);
	list_init(&l->deferred);
	return true;
}

void loop_fini(struct loop *l)
{
	fd_close(&l->epoll_fd);
}

static bool add(struct loop *l, struct watch *w, int fd, void (*on_event)(struct watch *, unsigned),
		uint32_t interest, struct error *e)
{
	struct epoll_event event = {.events = interest, .data.ptr = w};

	w->fd = fd;
	w->on_event = on_event;
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
		return true;
	w->fd = -1;
	return error_set_sys(e, "cannot watch a descriptor");
}

bool loop_add(struct loop *l, struct watch *w, int fd, void (*on_event)(struct watch *, unsigned),
	      struct error *e)
{
	return add(l, w, fd, on_event, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, e);
}

bool loop_add_level(struct loop *l, struct watch *w, int fd,
		    void (*on_event)(struct watch *, unsigned), struct error *e)
{
	return add(l, w, fd, on_event, EPOLLIN, e);
}

/* Events of this turn that are not told yet are for nobody now. */
static void drop_fetched(struct loop *l, const struct watch *w)
{
	struct batch *batch = l->batch;

	for (int i = batch != NULL ? batch->next : 0; batch != NULL && i < batch->count; i++)
		if (batch->events[i].data.ptr == w)
			batch->events[i].data.ptr = NULL;
}

void loop_remove(struct loop *l, struct watch *w)
{
	if (w->fd == -1)
		return;
	epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
	w->fd = -1;
	drop_fetched(l, w);
}

void loop_close(struct loop *l, struct watch *w)
{
	/* The kernel takes it out of the set when it is closed. */
	fd_close(&w->fd);
	drop_fetched(l, w);
}

void loop_deferred_init(struct deferred *d)
{
	list_init(&d->node);
}

void loop_defer(struct loop *l, struct deferred *d, void (*call)(struct deferred *))
{
	if (list_is_linked(&d->node))
		return;
	d->call = call;
	list_push_back(&l->deferred, &d->node);
}

void loop_undefer(struct deferred *d)
{
	list_remove(&d->node);
}

static unsigned events_from_epoll(uint32_t events)
{
	unsigned told = 0;

	if ((events & EPOLLIN) != 0)
		told |= LOOP_READABLE;
	if ((events & EPOLLOUT) != 0)
		told |= LOOP_WRITABLE;
	/* A failed connection is told as all three: reading or writing yields its errno. */
	if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
		told |= LOOP_HANGUP | LOOP_READABLE;
	if ((events & (EPOLLHUP | EPOLLERR)) != 0)
		told |= LOOP_WRITABLE;
	if ((events & EPOLLERR) != 0)
		told |= LOOP_FAILED;
	return told;
}

static void tell_batch(struct loop *l, struct batch *batch)
{
	l->batch = batch;
	while (batch->next < batch->count) {
		struct epoll_event *event = &batch->events[batch->next++];
		struct watch *w = event->data.ptr;

		if (w != NULL)
			w->on_event(w, events_from_epoll(event->events));
	}
	l->batch = NULL;
}

static void call_deferred(struct loop *l)
{
	struct list due;

	list_init(&due);
	list_move_all(&l->deferred, &due);
	while (!list_is_empty(&due)) {
		struct deferred *d = LIST_OWNER(due.next, struct deferred, node);

		list_remove(&d->node);
		d->call(d);
	}
}

bool loop_turn(struct loop *l, int max_wait_ms, struct error *e)
{
	struct batch batch = {.next = 0};
	int wait_ms = timer_wheel_wait_ms(&l->timers, l->now_ms);

	if (max_wait_ms >= 0 && (wait_ms < 0 || wait_ms > max_wait_ms))
		wait_ms = max_wait_ms;
	if (!list_is_empty(&l->deferred))
		wait_ms = 0;
	batch.count = epoll_wait(l->epoll_fd, batch.events, BATCH_MAX, wait_ms);
	if (batch.count < 0 && errno != EINTR)
		return error_set_sys(e, "cannot wait for events");

	l->now_ms = clock_monotonic_ms();
	tell_batch(l, &batch);
	timer_wheel_run(&l->timers, l->now_ms);
	call_deferred(l);
	if (l->end_of_turn != NULL)
		l->end_of_turn(l);
	return true;
}

bool loop_run(struct loop *l, struct error *e)
{
	while (!l->stop)
		if (!loop_turn(l, -1, e))
			return false;
	return true;
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}
