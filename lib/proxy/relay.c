#include "proxy/relay.h"

#include <errno.h>
#include <sys/socket.h>

#include "proxy/dial.h"
#include "proxy/original.h"
#include "proxy/record.h"
#include "proxy/upstream.h"
#include "proxy/worker.h"
#include "sys/clock.h"
#include "sys/fd.h"

static void account(const struct relay *r, enum reason reason)
{
	struct worker *w = r->worker;
	bool logs = w->config->access_log != ACCESSLOG_OFF;
	uint64_t now_us = logs ? clock_monotonic_us() : 0;
	struct record_relay record = {
		.peer = r->peer,
		.original = r->original,
		.address = r->address,
		.pool = r->pool,
		.verdict = (enum verdict)r->verdict,
		.reason = reason,
		.received_bytes = r->out.moved,
		.sent_bytes = r->back.moved,
		.duration_us = now_us - r->started_us,
	};

	metrics_sub(&w->metrics.relays_open, 1);
	metrics_sub(&w->metrics.client_connections_open, 1);
	if (logs)
		record_write_relay(w, &record);
}

static void release(struct deferred *d)
{
	struct relay *r = LIST_OWNER(d, struct relay, later);
	struct worker *w = r->worker;

	slab_put(&w->relay_slab, r);
	worker_check_stopped(w);
}

static void close_stream(struct relay *r, struct stream *s, bool resets)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	if (s->watch.fd == -1)
		return;
	if (resets)
		setsockopt(s->watch.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	loop_close(&r->worker->loop, &s->watch);
}

static void drop_upstream(struct relay *r, bool resets)
{
	if (r->upstream.watch.fd != -1)
		metrics_sub(&r->worker->metrics.upstream_connections_open, 1);
	outgoing_remove(&r->outgoing);
	close_stream(r, &r->upstream, resets);
}

/* Both ends at once: in order when both have said all, else with a reset, which says the truth. */
static void finish(struct relay *r, enum reason reason)
{
	struct worker *w = r->worker;
	bool resets = reason != REASON_OK;

	account(r, reason);
	drop_upstream(r, resets);
	close_stream(r, &r->client, resets);
	flow_release(&r->out, w);
	flow_release(&r->back, w);
	worker_view_unref(r->view);
	r->view = NULL;
	timer_cancel(&r->timer);
	list_remove(&r->node);
	list_remove(&r->wait_node);
	r->state = RELAY_CLOSED;
	loop_undefer(&r->later);
	loop_defer(&w->loop, &r->later, release);
}

static void run(struct relay *r);

static void run_deferred(struct deferred *d)
{
	run(LIST_OWNER(d, struct relay, later));
}

/* What has become of one direction. False when the relay is over. */
static bool carry_out(struct relay *r)
{
	if (r->out_ended || r->out_lost)
		return true;
	switch (flow_run(&r->out, &r->client, &r->upstream, r->worker)) {
	case FLOW_AGAIN:
		return true;
	case FLOW_YIELD:
		loop_defer(&r->worker->loop, &r->later, run_deferred);
		return true;
	case FLOW_ENDED:
		r->out_ended = true;
		/* Closing both tells the upstream as well. */
		if (!r->back_ended)
			shutdown(r->upstream.watch.fd, SHUT_WR);
		return true;
	case FLOW_SINK_FAILED:
		/* Its last words may have come before: they are passed on first. */
		r->out_lost = true;
		r->upstream.readable = true;
		return true;
	case FLOW_SOURCE_FAILED:
		finish(r, REASON_CLIENT_CLOSED);
		return false;
	case FLOW_NO_BUFFER:
	default:
		finish(r, REASON_OVERLOAD);
		return false;
	}
}

static bool carry_back(struct relay *r)
{
	if (r->back_ended)
		return true;
	switch (flow_run(&r->back, &r->upstream, &r->client, r->worker)) {
	case FLOW_AGAIN:
		return true;
	case FLOW_YIELD:
		loop_defer(&r->worker->loop, &r->later, run_deferred);
		return true;
	case FLOW_ENDED:
		if (r->upstream.error != 0) {
			finish(r, REASON_UPSTREAM_RESET);
			return false;
		}
		r->back_ended = true;
		if (!r->out_ended && !r->out_lost)
			shutdown(r->client.watch.fd, SHUT_WR);
		return true;
	case FLOW_SOURCE_FAILED:
		finish(r, REASON_UPSTREAM_RESET);
		return false;
	case FLOW_SINK_FAILED:
		finish(r, REASON_CLIENT_CLOSED);
		return false;
	case FLOW_NO_BUFFER:
	default:
		finish(r, REASON_OVERLOAD);
		return false;
	}
}

static void flow_both_ways(struct relay *r)
{
	uint64_t moved;

	if (!carry_out(r) || !carry_back(r))
		return;
	if (r->back_ended && (r->out_ended || r->out_lost)) {
		finish(r, r->out_lost ? REASON_UPSTREAM_RESET : REASON_OK);
		return;
	}
	moved = r->out.moved + r->back.moved;
	if (moved != r->moved)
		loop_timer_set(&r->worker->loop, &r->timer, r->worker->config->timeouts.tunnel_ms);
	r->moved = moved;
}

/*
 * The failure of a socket that nobody reads from now, because what it sent before was not taken
 * yet: what is waited for has become pointless. Reading would find it as well, but later.
 */
static bool has_failed(const struct stream *s)
{
	int error = 0;
	socklen_t len = sizeof error;

	return getsockopt(s->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error != 0;
}

static void on_client_event(struct watch *watch, unsigned events)
{
	struct relay *r = LIST_OWNER(watch, struct relay, client.watch);
	bool waits = r->state != RELAY_FLOWING || flow_is_blocked(&r->out);

	stream_on_event(&r->client, events);
	if ((events & LOOP_HANGUP) != 0 && waits && has_failed(&r->client)) {
		finish(r, REASON_CLIENT_CLOSED);
		return;
	}
	if (r->state == RELAY_FLOWING)
		run(r);
}

static void on_upstream_event(struct watch *watch, unsigned events)
{
	struct relay *r = LIST_OWNER(watch, struct relay, upstream.watch);

	stream_on_event(&r->upstream, events);
	if (r->state == RELAY_FLOWING && (events & LOOP_HANGUP) != 0 && flow_is_blocked(&r->back) &&
	    has_failed(&r->upstream)) {
		finish(r, REASON_UPSTREAM_RESET);
		return;
	}
	run(r);
}

/* Our end of the new connection says whether it goes to this pod, and by what it is known again. */
static void note_local(struct relay *r)
{
	struct addr local = original_local(r->upstream.watch.fd);

	r->outgoing = outgoing_add(&local, &r->address);
	local.port = r->address.port;
	if (r->verdict == VERDICT_INTERNAL && addr_eq(&local, &r->address))
		r->verdict = VERDICT_INBOUND;
}

static bool connect_to(struct relay *r, const struct addr *to, enum reason *reason)
{
	struct worker *w = r->worker;
	int fd = upstream_dial(to);
	struct error e;

	r->address = *to;
	if (fd == -1) {
		*reason = upstream_connect_reason(errno);
		return false;
	}
	stream_init(&r->upstream);
	if (!loop_add(&w->loop, &r->upstream.watch, fd, on_upstream_event, &e)) {
		*reason = REASON_OVERLOAD;
		fd_close(&fd);
		return false;
	}
	metrics_add(&w->metrics.upstream_connections, 1);
	metrics_add(&w->metrics.upstream_connections_open, 1);
	note_local(r);
	r->state = RELAY_CONNECTING;
	loop_timer_set(&w->loop, &r->timer, w->config->timeouts.connect_ms);
	return true;
}

/* The next of the name's addresses, if there is one; else it is over, for `reason`. */
static void connect_next(struct relay *r, enum reason reason)
{
	struct addresses *known = &r->worker->addresses;
	uint64_t now = loop_now_ms(&r->worker->loop);
	struct addresses_choice choice;
	struct dial_name name;
	int index;

	/* One that was connecting has failed, and makes way. */
	if (r->pool != NULL && r->upstream.watch.fd != -1)
		addresses_failed(known, &r->address, now);
	drop_upstream(r, false);
	if (r->pool == NULL) {
		finish(r, reason);
		return;
	}
	name = (struct dial_name){
		.endpoints = r->view->view->endpoints[r->target],
		.host = view_table(r->view->view)->targets[r->target].host,
		.source = SPAN("SNI"),
	};
	choice = (struct addresses_choice){
		.addrs = name.endpoints->addrs,
		.count = name.endpoints->count,
		.turn = r->turn,
		.port = r->pool->port,
		.tried = r->tried_addresses,
		.family = addresses_preferred_family(known, &r->pool->family, now),
	};
	while ((index = addresses_pick(known, &choice, now)) >= 0) {
		struct addr to = addresses_at(&choice, (unsigned)index);

		choice.tried = r->tried_addresses |= UINT32_C(1) << index;
		if (dial_judge(r->worker, &to, &name) != GUARD_ALLOWED)
			reason = REASON_ADDRESS_DENIED;
		else if (connect_to(r, &to, &reason))
			return;
		else
			addresses_failed(known, &to, now);
	}
	finish(r, reason);
}

static void resolve(struct relay *r)
{
	const struct endpoints *endpoints = r->view->view->endpoints[r->target];

	if (endpoints->state == RESOLVER_PENDING) {
		list_push_back(&r->worker->waiting_relays, &r->wait_node);
		if (r->state != RELAY_RESOLVING)
			loop_timer_set(&r->worker->loop, &r->timer,
				       r->worker->config->timeouts.resolve_ms);
		r->state = RELAY_RESOLVING;
		return;
	}
	connect_next(r, dial_reason_of(endpoints->state));
}

static void finish_connect(struct relay *r)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (!r->upstream.writable && !r->upstream.hangup)
		return;
	/* A connection that did not come about is told with a hang-up. */
	if (r->upstream.hangup &&
	    getsockopt(r->upstream.watch.fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error != 0 && error != ECONNRESET && error != EPIPE) {
		connect_next(r, upstream_connect_reason(error));
		return;
	}
	if (r->pool != NULL)
		addresses_worked(&r->worker->addresses, &r->address);
	/* It did come about, and was reset since: what was sent before can still be read. */
	r->upstream.error = error;
	worker_view_unref(r->view);
	r->view = NULL;
	r->state = RELAY_FLOWING;
	loop_timer_set(&r->worker->loop, &r->timer, r->worker->config->timeouts.tunnel_ms);
}

static void run(struct relay *r)
{
	if (r->state == RELAY_CONNECTING)
		finish_connect(r);
	if (r->state == RELAY_FLOWING)
		flow_both_ways(r);
}

static void on_timeout(struct timer *t)
{
	struct relay *r = LIST_OWNER(t, struct relay, timer);

	if (r->state == RELAY_CONNECTING)
		connect_next(r, REASON_CONNECT_TIMEOUT);
	else
		finish(r, r->state == RELAY_RESOLVING ? REASON_DNS_TIMEOUT : REASON_TUNNEL_TIMEOUT);
}

/* Watches the client. NULL without room: it was reset. */
static struct relay *start(struct worker *w, const struct relay_client *client,
			   enum verdict verdict)
{
	struct relay *r = worker_is_full(w) ? NULL : slab_get(&w->relay_slab);
	struct linger now = {.l_onoff = 1, .l_linger = 0};
	int fd = client->fd;
	struct error e;

	if (r != NULL) {
		*r = (struct relay){.worker = w,
				    .peer = client->peer,
				    .original = client->original,
				    .verdict = (uint8_t)verdict,
				    .state = RELAY_CONNECTING};
		stream_init(&r->client);
		stream_init(&r->upstream);
		timer_init(&r->timer, on_timeout);
		list_init(&r->node);
		list_init(&r->wait_node);
		loop_deferred_init(&r->later);
		r->out.buf = client->first;
		if (loop_add(&w->loop, &r->client.watch, fd, on_client_event, &e)) {
			list_push_back(&w->relays, &r->node);
			metrics_add(&w->metrics.relays_open, 1);
			if (w->config->access_log != ACCESSLOG_OFF)
				r->started_us = clock_monotonic_us();
			return r;
		}
		slab_put(&w->relay_slab, r);
	}
	slab_put(&w->blocks, client->first.block);
	metrics_add(&w->metrics.client_connections_refused, 1);
	metrics_sub(&w->metrics.client_connections_open, 1);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	fd_close(&fd);
	return NULL;
}

void relay_start(struct worker *w, const struct relay_client *client, enum verdict verdict,
		 const struct addr *to)
{
	struct relay *r = start(w, client, verdict);
	enum reason reason;

	bool is_on_its_way;

	if (r == NULL)
		return;
	is_on_its_way = connect_to(r, to, &reason);
	metrics_add(&w->metrics.verdicts[r->verdict], 1);
	if (!is_on_its_way)
		finish(r, reason);
}

void relay_start_to_name(struct worker *w, const struct relay_client *client, uint32_t target)
{
	struct relay *r = start(w, client, VERDICT_SNI);
	struct upstream_pool *pool;

	if (r == NULL)
		return;
	metrics_add(&w->metrics.verdicts[VERDICT_SNI], 1);
	r->view = worker_view_ref(w);
	r->target = target;
	pool = upstream_pool_for(w, &view_table(r->view->view)->targets[target]);
	if (pool == NULL) {
		finish(r, REASON_OVERLOAD);
		return;
	}
	r->turn = pool->connections++;
	r->pool = pool;
	resolve(r);
}

/*
 * The newest view may be of another table than the one that the relay waits with, which gets no
 * more answers: then it goes on by the new one, if that has the same host and port.
 */
static void go_on_with_newest(struct relay *r)
{
	const struct route_table *old = view_table(r->view->view);
	const struct route_table *newest = view_table(r->worker->view->view);
	const struct route_target *target = &old->targets[r->target];

	if (old != newest &&
	    !route_table_find_target(newest, target->host, target->port, target->tls, &r->target))
		return;
	worker_view_unref(r->view);
	r->view = worker_view_ref(r->worker);
}

void relay_wake_waiting(struct worker *w)
{
	struct list woken;

	list_init(&woken);
	list_move_all(&w->waiting_relays, &woken);
	while (!list_is_empty(&woken)) {
		struct relay *r = LIST_OWNER(woken.next, struct relay, wait_node);

		list_remove(&r->wait_node);
		go_on_with_newest(r);
		resolve(r);
	}
}

void relay_close_all(struct worker *w)
{
	while (!list_is_empty(&w->relays))
		finish(LIST_OWNER(w->relays.next, struct relay, node), REASON_SHUTDOWN);
}
