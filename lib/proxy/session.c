#include "proxy/session.h"

#include <errno.h>
#include <sys/socket.h>

#include "proxy/dial.h"
#include "proxy/exchange.h"
#include "proxy/forward.h"
#include "proxy/reply.h"
#include "proxy/request.h"
#include "proxy/transparent.h"
#include "proxy/tunnel.h"
#include "proxy/worker.h"
#include "sys/fd.h"

/*
 * Requests of one connection served in one go; a client that pipelines more waits for the next
 * turn.
 */
#define REQUESTS_PER_TURN 32

/* What a client may still send after our last answer before we stop listening. */
#define LINGER_MAX (256u << 10)

/*
 * What a worker that stops leaves an idle client, to send the request that it has in mind; its
 * answer says that it is the last one. Whoever was silent for longer is not waited for.
 */
#define POLITE_MS 1000

/* How long a body's sender may pause before what there is of it is passed on. */
#define COLLECT_PAUSE_MS 200

static void release(struct deferred *d)
{
	struct session *s = LIST_OWNER(d, struct session, later);
	struct worker *w = s->worker;

	slab_put(s->is_redirected ? &w->redirected_slab : &w->session_slab, s);
	worker_check_stopped(w);
}

static void end_session(struct session *s)
{
	exchange_free(s->exchange);
	s->exchange = NULL;
	timer_cancel(&s->timer);
	list_remove(&s->node);
	s->state = SESSION_CLOSED;
	loop_undefer(&s->later);
	loop_defer(&s->worker->loop, &s->later, release);
}

static void close_session(struct session *s)
{
	loop_close(&s->worker->loop, &s->client.watch);
	metrics_sub(&s->worker->metrics.client_connections_open, 1);
	end_session(s);
}

int session_detach(struct session *s)
{
	int fd = s->client.watch.fd;

	loop_remove(&s->worker->loop, &s->client.watch);
	end_session(s);
	return fd;
}

void session_set_timer(struct session *s, uint64_t after_ms)
{
	loop_timer_set(&s->worker->loop, &s->timer, after_ms);
}

static uint64_t timeout_of(const struct proxy_timeouts *t, enum session_state state)
{
	switch (state) {
	case SESSION_DETECT:
		return t->detect_ms;
	case SESSION_IDLE:
		return t->idle_ms;
	case SESSION_HEAD:
		return t->header_ms;
	case SESSION_COLLECT:
		return COLLECT_PAUSE_MS;
	case SESSION_RESOLVE:
		return t->resolve_ms;
	case SESSION_CONNECT:
		return t->connect_ms;
	case SESSION_FORWARD:
	case SESSION_REPLY:
		return t->stream_ms;
	case SESSION_TUNNEL:
		return t->tunnel_ms;
	case SESSION_LINGER:
	case SESSION_CLOSED:
	case SESSION_STATES:
	default:
		return t->linger_ms;
	}
}

void session_enter(struct session *s, enum session_state state)
{
	uint64_t after_ms = timeout_of(&s->worker->config->timeouts, state);

	if (state == SESSION_IDLE && s->worker->stopping && after_ms > POLITE_MS)
		after_ms = POLITE_MS;
	s->state = (uint8_t)state;
	session_set_timer(s, after_ms);
}

/* The first byte of a request takes an exchange and a block; until then there is neither. */
static bool wait_for_request(struct session *s)
{
	if (!stream_may_read(&s->client))
		return false;
	s->exchange = exchange_new(s);
	if (s->exchange == NULL) {
		close_session(s);
		return false;
	}
	return request_read_head(s->exchange);
}

/* Reads and drops until the client has ended its side. */
static bool linger(struct session *s)
{
	char dropped[4096];
	size_t got, total = 0;
	enum stream_result r;

	do {
		r = stream_read(&s->client, dropped, sizeof dropped, &got);
		total += got;
	} while (r == STREAM_OK && total < LINGER_MAX);
	if (r != STREAM_AGAIN)
		close_session(s);
	return false;
}

static bool run_state(struct session *s)
{
	switch ((enum session_state)s->state) {
	case SESSION_DETECT:
		return transparent_detect(s);
	case SESSION_IDLE:
		return wait_for_request(s);
	case SESSION_HEAD:
		return request_read_head(s->exchange);
	case SESSION_COLLECT:
		return request_collect(s->exchange);
	case SESSION_RESOLVE:
		return dial_resolve(s->exchange);
	case SESSION_CONNECT:
		return dial_advance(s->exchange);
	case SESSION_FORWARD:
		return forward_run(s->exchange);
	case SESSION_TUNNEL:
		return tunnel_run(s->exchange);
	case SESSION_REPLY:
		return reply_run(s->exchange);
	case SESSION_LINGER:
		return linger(s);
	case SESSION_CLOSED:
	case SESSION_STATES:
	default:
		return false;
	}
}

void session_run(struct session *s)
{
	int requests = 0;

	while (run_state(s)) {
		if (s->state != SESSION_HEAD && s->state != SESSION_IDLE)
			continue;
		if (++requests >= REQUESTS_PER_TURN) {
			session_run_later(s);
			return;
		}
	}
}

static void run_deferred(struct deferred *d)
{
	session_run(LIST_OWNER(d, struct session, later));
}

void session_run_later(struct session *s)
{
	if (s->state != SESSION_CLOSED)
		loop_defer(&s->worker->loop, &s->later, run_deferred);
}

/*
 * Has the client gone altogether? Its half-close alone is none of our business (RFC 9112 section
 * 9.6).
 */
static bool was_reset(const struct session *s)
{
	char byte;
	ssize_t n = recv(s->client.watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n < 0 && errno != EAGAIN && errno != EINTR;
}

static void on_client_event(struct watch *watch, unsigned events)
{
	struct session *s = LIST_OWNER(watch, struct session, client.watch);

	stream_on_event(&s->client, events);
	if ((events & LOOP_HANGUP) != 0 && s->exchange != NULL && was_reset(s)) {
		exchange_abort(s->exchange, REASON_CLIENT_CLOSED, NULL);
		return;
	}
	session_run(s);
}

static void on_timeout(struct timer *t)
{
	struct session *s = LIST_OWNER(t, struct session, timer);

	if (s->state == SESSION_DETECT) {
		transparent_on_timeout(s);
		return;
	}
	if (s->exchange == NULL) {
		close_session(s);
		return;
	}
	exchange_on_timeout(s->exchange);
	session_run(s);
}

void session_start(struct worker *w, int fd, const struct addr *peer, const struct addr *original)
{
	struct slab *slab = original != NULL ? &w->redirected_slab : &w->session_slab;
	struct session *s = worker_is_full(w) ? NULL : slab_get(slab);
	struct error e;

	if (s == NULL) {
		metrics_add(&w->metrics.client_connections_refused, 1);
		fd_close(&fd);
		return;
	}
	stream_init(&s->client);
	timer_init(&s->timer, on_timeout);
	list_init(&s->node);
	loop_deferred_init(&s->later);
	s->worker = w;
	s->exchange = NULL;
	s->peer = *peer;
	s->is_redirected = original != NULL;
	if (original != NULL)
		LIST_OWNER(s, struct session_redirected, session)->original = *original;
	if (!loop_add(&w->loop, &s->client.watch, fd, on_client_event, &e)) {
		metrics_add(&w->metrics.client_connections_refused, 1);
		fd_close(&fd);
		slab_put(slab, s);
		return;
	}
	list_push_back(&w->sessions, &s->node);
	metrics_add(&w->metrics.client_connections, 1);
	metrics_add(&w->metrics.client_connections_open, 1);
	session_enter(s, original != NULL ? SESSION_DETECT : SESSION_IDLE);
}

static void reset_on_close(const struct session *s)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(s->client.watch.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void keep(struct session *s)
{
	/* What the client sent ahead is the next request, or the beginning of it. */
	if (!iobuf_is_empty(&s->exchange->request.in)) {
		exchange_restart(s->exchange);
		session_enter(s, SESSION_HEAD);
		return;
	}
	exchange_free(s->exchange);
	s->exchange = NULL;
	session_enter(s, SESSION_IDLE);
}

void session_next(struct session *s, enum session_end end)
{
	switch (end) {
	case SESSION_KEEP:
		keep(s);
		return;
	case SESSION_PART:
		exchange_free(s->exchange);
		s->exchange = NULL;
		shutdown(s->client.watch.fd, SHUT_WR);
		session_enter(s, SESSION_LINGER);
		return;
	case SESSION_RESET:
		reset_on_close(s);
		close_session(s);
		return;
	case SESSION_CLOSE:
	default:
		close_session(s);
		return;
	}
}

/* Calls `end` for each session of the worker; it may close the one it is called for. */
static void for_each(struct worker *w, void (*end)(struct session *))
{
	struct list *node = w->sessions.next;

	while (node != &w->sessions) {
		struct session *s = LIST_OWNER(node, struct session, node);

		node = node->next;
		end(s);
	}
}

static void close_if_idle(struct session *s)
{
	uint64_t idle_ms = s->worker->config->timeouts.idle_ms, left_ms;

	/* A request that is here but was not read yet would be lost. */
	if (s->state == SESSION_IDLE)
		session_run(s);
	if (s->state != SESSION_IDLE)
		return;
	left_ms = s->timer.deadline_ms - loop_now_ms(&s->worker->loop);
	if (left_ms <= POLITE_MS)
		return; /* that of one who has come just now */
	if (idle_ms - left_ms >= POLITE_MS)
		close_session(s);
	else
		session_set_timer(s, POLITE_MS - (idle_ms - left_ms));
}

static void close_now(struct session *s)
{
	if (s->exchange != NULL)
		exchange_abort(s->exchange, REASON_SHUTDOWN, NULL);
	if (s->state != SESSION_CLOSED)
		close_session(s);
}

void session_close_idle(struct worker *w)
{
	for_each(w, close_if_idle);
}

void session_close_all(struct worker *w)
{
	for_each(w, close_now);
}
