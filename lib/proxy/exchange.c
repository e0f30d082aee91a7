#include "proxy/exchange.h"

#include <string.h>

#include "proxy/dial.h"
#include "proxy/record.h"
#include "proxy/reply.h"
#include "proxy/session.h"
#include "proxy/tally.h"
#include "proxy/worker.h"
#include "sys/clock.h"

/* All but the blocks of the request's bytes, which restart keeps. */
static void start_over(struct exchange *x, struct session *s)
{
	struct iobuf in = x->request.in;

	memset(x, 0, offsetof(struct exchange, record));
	x->session = s;
	x->request.in = in;
	x->request.pipes = x->response.pipes = &s->worker->pipes;
	list_init(&x->wait_node);
	h1head_start(&x->scan, NULL);
	x->record.started_us = x->record.duration_us = 0;
	x->record.method_len = x->record.host_len = x->record.path_len = 0;
}

struct exchange *exchange_new(struct session *s)
{
	struct exchange *x = slab_get(&s->worker->exchange_slab);

	if (x == NULL)
		return NULL;
	x->request.in = (struct iobuf){0};
	start_over(x, s);
	metrics_add(&s->worker->metrics.requests_active, 1);
	return x;
}

static void release_parts(struct exchange *x)
{
	struct worker *w = exchange_worker(x);

	list_remove(&x->wait_node);
	exchange_drop_upstream(x, false);
	pump_release(&x->response, &w->blocks);
	iobuf_release(&x->request.out, &w->blocks);
	pump_release_pipe(&x->request);
	iobuf_release(&x->trailers_block, &w->blocks);
	worker_view_unref(x->view);
	x->view = NULL;
}

void exchange_restart(struct exchange *x)
{
	release_parts(x);
	start_over(x, x->session);
}

void exchange_free(struct exchange *x)
{
	struct worker *w;

	if (x == NULL)
		return;
	w = exchange_worker(x);
	release_parts(x);
	iobuf_release(&x->request.in, &w->blocks);
	metrics_sub(&w->metrics.requests_active, 1);
	slab_put(&w->exchange_slab, x);
}

/* Of the route's Service; the view, whose generation the route is of, is still held. */
static void tally(const struct exchange *x)
{
	const struct generation *g;
	size_t index;

	if (x->route == NULL)
		return;
	g = x->view->view->generation;
	index = x->route == g->table->gateway ? g->table->route_count
					      : (size_t)(x->route - g->table->routes);
	if (g->tallies != NULL)
		tally_add(&g->tallies[index][exchange_worker(x)->index], x->reason, x->status);
}

/* Log and counters, once per exchange. */
static void account(struct exchange *x)
{
	struct metrics *m = &exchange_worker(x)->metrics;

	if (x->record.started_us != 0)
		x->record.duration_us = clock_monotonic_us() - x->record.started_us;
	/* A connection that was upgraded says nothing of how long answers take. */
	if (x->record.started_us != 0 && x->status != 101)
		metrics_add_duration(m, x->record.duration_us);
	tally(x);
	metrics_add(&m->requests[x->reason], 1);
	metrics_add(&m->responses[x->status / 100 % 6], 1);
	metrics_add(&m->received_bytes, x->head_bytes + x->request.bytes_in);
	metrics_add(&m->sent_bytes, x->response.bytes_out);
	if (x->session->is_redirected)
		metrics_add(&m->verdicts[record_verdict(x)], 1);
	record_write(x);
}

void exchange_drop_upstream(struct exchange *x, bool reusable)
{
	struct upstream *u = x->upstream;

	if (u == NULL) {
		dial_stop(x);
		return;
	}
	x->upstream = NULL;
	if (reusable)
		upstream_give_back(u);
	else
		upstream_close(u);
}

/*
 * Closing at once loses nothing when the client has said that this was its last request and sent no
 * more; otherwise bytes that it sends meanwhile would make the kernel reset the connection, and our
 * answer might be lost with it (RFC 9112 section 9.6).
 */
static enum session_end how_to_end(const struct exchange *x)
{
	bool sends_more = !iobuf_is_empty(&x->request.in) || x->session->client.readable;

	/* Also of a worker that stops, when the client was not told: it may be sending. */
	if (x->keep_alive)
		return SESSION_KEEP;
	if (x->request_done && !x->framing.keep_alive && !sends_more)
		return SESSION_CLOSE;
	return SESSION_PART;
}

void exchange_finish(struct exchange *x)
{
	account(x);
	exchange_drop_upstream(x, x->upstream_keep_alive && x->request_done &&
					  !x->request_abandoned && iobuf_is_empty(&x->response.in));
	session_next(x->session, how_to_end(x));
}

void exchange_end(struct exchange *x, enum reason reason, const char *detail, enum session_end end)
{
	x->reason = reason;
	x->detail = detail;
	account(x);
	session_next(x->session, end);
}

void exchange_abort(struct exchange *x, enum reason reason, const char *detail)
{
	bool looks_whole = x->head_passed && x->resets_on_abort;

	exchange_end(x, reason, detail, looks_whole ? SESSION_RESET : SESSION_CLOSE);
}

static enum reason reason_of_forward_timeout(const struct exchange *x)
{
	/* Who is waited for? The client, when it doesn't take what is there or hasn't sent all. */
	if (!iobuf_is_empty(&x->response.out))
		return REASON_CLIENT_TIMEOUT;
	if (!x->request_done && !x->request_abandoned && !x->framing.expects_continue &&
	    iobuf_is_empty(&x->request.out) && !x->head_passed)
		return REASON_CLIENT_TIMEOUT;
	return x->head_passed ? REASON_UPSTREAM_TIMEOUT : REASON_RESPONSE_TIMEOUT;
}

void exchange_on_timeout(struct exchange *x)
{
	switch ((enum session_state)x->session->state) {
	case SESSION_HEAD:
		record_request(x, iobuf_span(&x->request.in).ptr, false);
		reply_refuse(x, REASON_HEADER_TIMEOUT, NULL, SPAN(""));
		return;
	case SESSION_COLLECT:
		session_enter(x->session, SESSION_RESOLVE);
		return;
	case SESSION_RESOLVE:
		reply_refuse(x, REASON_DNS_TIMEOUT, NULL, SPAN(""));
		return;
	case SESSION_CONNECT:
		dial_on_timeout(x);
		return;
	case SESSION_FORWARD:
		reply_refuse(x, reason_of_forward_timeout(x), NULL, SPAN(""));
		return;
	case SESSION_TUNNEL:
		exchange_abort(x, REASON_TUNNEL_TIMEOUT, NULL);
		return;
	case SESSION_REPLY:
	case SESSION_DETECT:
	case SESSION_IDLE:
	case SESSION_LINGER:
	case SESSION_CLOSED:
	case SESSION_STATES:
	default:
		exchange_abort(x, x->reason != REASON_OK ? x->reason : REASON_CLIENT_TIMEOUT,
			       x->detail);
		return;
	}
}
