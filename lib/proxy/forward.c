#include "proxy/forward.h"

#include "http/h1write.h"
#include "proxy/dial.h"
#include "proxy/exchange.h"
#include "proxy/reply.h"
#include "proxy/session.h"
#include "proxy/worker.h"

/* Interim responses of one request: 100, 102, 103 and some room; more is an attack. */
#define INTERIM_MAX 16

enum progress {
	GOES_ON, /* all that can be done now is done */
	MOVED,	 /* the session is in another state */
	PASSED,	 /* the response's head is on its way: its body is next */
};

/* Bytes of the upstream's last flight may be here although writing to it failed: look at them. */
static void abandon_request(struct exchange *x)
{
	x->request_abandoned = true;
	x->upstream->stream.readable = true;
}

/*
 * A connection that was kept for reuse may have been closed by the upstream just when we used it.
 * If nothing of an answer has come and the request can be repeated without harm, it gets one fresh
 * connection (RFC 9110 section 9.2.2, RFC 9112 section 9.3.1).
 */
static bool retry(struct exchange *x)
{
	bool repeatable = h1head_method_is_idempotent((enum h1_method)x->method) &&
			  x->request.ended && !x->request.recycled;

	if (!x->was_reused || x->retried || !repeatable || x->interim_responses > 0 ||
	    !iobuf_is_empty(&x->response.in))
		return false;
	x->retried = true;
	x->request_done = x->request_abandoned = false;
	x->request.out.start = 0;
	x->request.bytes_out = 0;
	metrics_add(&exchange_worker(x)->metrics.upstream_retries, 1);
	exchange_drop_upstream(x, false);
	dial_start(x, false);
	return true;
}

/* The upstream has ended or failed before the response was whole. */
static void on_upstream_gone(struct exchange *x, enum stream_result r)
{
	const struct stream *stream = &x->upstream->stream;
	enum reason reason = REASON_UPSTREAM_CLOSED;
	const char *detail = NULL;

	if (!x->head_passed && retry(x))
		return;
	if (r == STREAM_FAILED && stream->error != 0) {
		reason = REASON_UPSTREAM_RESET;
	} else if (r == STREAM_FAILED && stream->tls != NULL) {
		enum tls_error error = tlsconn_error(stream->tls);

		if (error != TLS_OK && error != TLS_CLOSED) {
			metrics_add(&exchange_worker(x)->metrics.tls_failures[error], 1);
			detail = tls_error_name(error);
		}
	}
	reply_refuse(x, reason, detail, SPAN(""));
}

/* The request's way. */
static enum progress forward_request(struct exchange *x)
{
	struct session *s = x->session;

	switch (pump_run(&x->request, &s->client, &x->upstream->stream, &s->worker->blocks)) {
	case PUMP_AGAIN:
		return GOES_ON;
	case PUMP_YIELD:
		session_run_later(s);
		return GOES_ON;
	case PUMP_DONE:
		x->request_done = true;
		return GOES_ON;
	case PUMP_SINK_FAILED:
		abandon_request(x);
		return GOES_ON;
	case PUMP_MALFORMED:
		reply_refuse(x, REASON_BODY_MALFORMED,
			     h1problem_name((enum h1_problem)x->request.body.problem), SPAN(""));
		return MOVED;
	case PUMP_NO_BUFFER:
		reply_refuse(x, REASON_OVERLOAD, NULL, SPAN(""));
		return MOVED;
	case PUMP_SOURCE_ENDED:
	case PUMP_SOURCE_FAILED:
	default:
		exchange_abort(x, REASON_CLIENT_CLOSED, NULL);
		return MOVED;
	}
}

/* The framing that the body gets towards the client. */
static enum h1_body_kind framing_for_client(const struct exchange *x, enum h1_body_kind body)
{
	bool is_11 = x->client_is_11;

	switch (body) {
	case H1_BODY_CHUNKED:
	case H1_BODY_UNTIL_CLOSE:
		return is_11 ? H1_BODY_CHUNKED : H1_BODY_UNTIL_CLOSE;
	case H1_BODY_NONE:
		/* Without a body by what it says, not by what it is: then it must say so. */
		return x->method == H1_METHOD_HEAD || x->head.status == 204 || x->head.status == 304
			       ? H1_BODY_NONE
			       : H1_BODY_LENGTH;
	case H1_BODY_LENGTH:
	default:
		return body;
	}
}

static bool write_head(struct exchange *x, const struct h1_response_rewrite *rewrite)
{
	struct iobuf *to = &x->response.out;
	struct buf out;
	bool written;

	if (!iobuf_hold(to, &exchange_worker(x)->blocks))
		return false;
	iobuf_compact(to);
	out = iobuf_writer(to);
	written = h1write_response(&x->head, iobuf_span(&x->response.in).ptr, rewrite, &out);
	if (written)
		iobuf_wrote(to, &out);
	return written;
}

/* Trailers are forwarded to a client that said it can take them (RFC 9110 section 6.5.1). */
static struct buf *prepare_trailers(struct exchange *x, enum h1_body_kind from,
				    enum h1_body_kind to)
{
	if (from != H1_BODY_CHUNKED || to != H1_BODY_CHUNKED || !x->framing.trailers_ok)
		return NULL;
	if (!iobuf_hold(&x->trailers_block, &exchange_worker(x)->blocks))
		return NULL;
	buf_init(&x->trailers, x->trailers_block.block, H1_TRAILERS_MAX + 1);
	return &x->trailers;
}

static enum progress pass_final_head(struct exchange *x, const struct h1_framing *framing)
{
	struct worker *w = exchange_worker(x);
	enum h1_body_kind body = framing_for_client(x, framing->body);
	struct buf *trailers = prepare_trailers(x, framing->body, body);
	struct h1_response_rewrite rewrite = {
		.body = body,
		.length = framing->length,
		.date = worker_http_date(w),
		.is_head = x->method == H1_METHOD_HEAD,
		.keep_internal = w->config->keep_internal_headers,
		.keep_trailers = trailers != NULL,
	};

	/*
	 * An answer ahead of the request's end: the rest may never be read, so this is the last
	 * one.
	 */
	if (!x->request_done || body == H1_BODY_UNTIL_CLOSE || w->stopping)
		x->keep_alive = false;
	rewrite.connection = x->keep_alive ? H1_CONNECTION_DEFAULT : H1_CONNECTION_CLOSE;
	if (!write_head(x, &rewrite)) {
		reply_refuse(x, REASON_BAD_RESPONSE, NULL, SPAN(""));
		return MOVED;
	}
	x->status = x->head.status;
	x->head_passed = true;
	x->upstream_keep_alive = framing->keep_alive;
	x->resets_on_abort = body == H1_BODY_UNTIL_CLOSE;
	iobuf_consume(&x->response.in, x->head.head_len);
	pump_start(&x->response, framing->body, framing->length, body == H1_BODY_CHUNKED, trailers);
	return PASSED;
}

/* 101 to a client that has asked for it: from here on it is only bytes (RFC 9110 section 7.8). */
static enum progress pass_switch(struct exchange *x, const struct h1_framing *framing)
{
	struct h1_response_rewrite rewrite = {.body = H1_BODY_NONE};

	struct span accepted = h1head_text(iobuf_span(&x->response.in).ptr, framing->upgrade_offer);
	bool asked = x->framing.upgrade && x->request_done && framing->upgrade &&
		     h1frame_upgrade_was_offered(span_of(x->offer, x->offer_len), accepted);

	if (!asked || !write_head(x, &rewrite)) {
		reply_refuse(x, REASON_BAD_RESPONSE, "unasked_upgrade", SPAN(""));
		return MOVED;
	}
	x->status = x->head.status;
	x->head_passed = true;
	x->keep_alive = false;
	iobuf_consume(&x->response.in, x->head.head_len);
	pump_start(&x->response, H1_BODY_UNTIL_CLOSE, 0, false, NULL);
	pump_start(&x->request, H1_BODY_UNTIL_CLOSE, 0, false, NULL);
	iobuf_release(&x->request.out, &exchange_worker(x)->blocks);
	session_enter(x->session, SESSION_TUNNEL);
	return MOVED;
}

/* Sends what is in `out` as far as it goes; the rest leaves with what follows. */
static void send_interim(struct exchange *x)
{
	struct iobuf *out = &x->response.out;
	size_t put;

	while (!iobuf_is_empty(out) &&
	       stream_write(&x->session->client, iobuf_span(out), &put) == STREAM_OK)
		iobuf_consume(out, put);
}

/*
 * 100, 103 and their like: passed on, except to a 1.0 client, which knows none (RFC 9110 section
 * 15.2).
 */
static enum progress pass_interim(struct exchange *x)
{
	struct h1_response_rewrite rewrite = {
		.body = H1_BODY_NONE,
		.keep_internal = exchange_worker(x)->config->keep_internal_headers};
	bool passes = x->client_is_11;

	if (++x->interim_responses > INTERIM_MAX || (passes && !write_head(x, &rewrite))) {
		reply_refuse(x, REASON_BAD_RESPONSE, "too_many_interim_responses", SPAN(""));
		return MOVED;
	}
	iobuf_consume(&x->response.in, x->head.head_len);
	h1head_start(&x->scan, NULL);
	if (passes)
		send_interim(x);
	return GOES_ON;
}

static enum progress on_head(struct exchange *x)
{
	const char *bytes = iobuf_span(&x->response.in).ptr;
	enum h1_problem problem = H1_PROBLEM_NONE;
	struct h1_framing framing;

	if (!h1frame_response(&x->head, bytes, (enum h1_method)x->method, &framing, &problem)) {
		reply_refuse(x, REASON_BAD_RESPONSE, h1problem_name(problem), SPAN(""));
		return MOVED;
	}
	if (x->head.status == 101)
		return pass_switch(x, &framing);
	if (x->head.status < 200)
		return pass_interim(x);
	return pass_final_head(x, &framing);
}

/* Reads more of the response's head. */
static enum progress read_more(struct exchange *x, bool *got_more)
{
	struct slab *blocks = &exchange_worker(x)->blocks;
	struct iobuf *in = &x->response.in;
	enum stream_result r;
	size_t got;

	*got_more = false;
	if (!stream_may_read(&x->upstream->stream))
		return GOES_ON;
	if (!iobuf_hold(in, blocks)) {
		reply_refuse(x, REASON_OVERLOAD, NULL, SPAN(""));
		return MOVED;
	}
	iobuf_compact(in);
	r = stream_read(&x->upstream->stream, in->block + in->end, iobuf_room(in), &got);
	in->end += (uint32_t)got;
	if (r == STREAM_OK) {
		*got_more = true;
		return GOES_ON;
	}
	if (r == STREAM_AGAIN) {
		if (iobuf_is_empty(in))
			iobuf_release(in, blocks);
		return GOES_ON;
	}
	on_upstream_gone(x, r);
	return MOVED;
}

/*
 * On a connection that was kept for reuse, bytes that are no response may be the rest of the last
 * one, a body where none may be: nobody asked for them (RFC 9112 section 6.3), and they answer
 * nothing.
 */
static void on_bad_head(struct exchange *x)
{
	const char *problem = h1problem_name(x->head.problem);

	iobuf_release(&x->response.in, &exchange_worker(x)->blocks);
	h1head_start(&x->scan, NULL);
	if (!retry(x))
		reply_refuse(x, REASON_BAD_RESPONSE, problem, SPAN(""));
}

static enum progress read_head(struct exchange *x)
{
	for (;;) {
		struct iobuf *in = &x->response.in;
		enum h1_result result = H1_MORE;
		enum progress p;
		bool got_more;

		if (!iobuf_is_empty(in))
			result = h1head_parse_response(&x->scan, iobuf_span(in), &x->head);
		if (result == H1_BAD) {
			on_bad_head(x);
			return MOVED;
		}
		if (result == H1_OK) {
			p = on_head(x);
			if (p != GOES_ON)
				return p;
			continue;
		}
		p = read_more(x, &got_more);
		if (p == MOVED || !got_more)
			return p;
	}
}

/* The response's way. */
static enum progress forward_response(struct exchange *x)
{
	struct session *s = x->session;

	if (!x->head_passed) {
		enum progress p = read_head(x);

		if (p != PASSED)
			return p;
	}
	switch (pump_run(&x->response, &x->upstream->stream, &s->client, &s->worker->blocks)) {
	case PUMP_AGAIN:
		return GOES_ON;
	case PUMP_YIELD:
		session_run_later(s);
		return GOES_ON;
	case PUMP_DONE:
		exchange_finish(x);
		return MOVED;
	case PUMP_SOURCE_ENDED:
		on_upstream_gone(x, STREAM_EOF);
		return MOVED;
	case PUMP_SOURCE_FAILED:
		on_upstream_gone(x, STREAM_FAILED);
		return MOVED;
	case PUMP_MALFORMED:
		reply_refuse(x, REASON_BAD_RESPONSE,
			     h1problem_name((enum h1_problem)x->response.body.problem), SPAN(""));
		return MOVED;
	case PUMP_NO_BUFFER:
		exchange_abort(x, REASON_OVERLOAD, NULL);
		return MOVED;
	case PUMP_SINK_FAILED:
	default:
		exchange_abort(x, REASON_CLIENT_CLOSED, NULL);
		return MOVED;
	}
}

/*
 * While the request is whole and no response has begun, the upstream has response_ms; else it is
 * progress.
 */
static void set_timer(struct exchange *x)
{
	const struct proxy_timeouts *t = &exchange_worker(x)->config->timeouts;
	bool awaits_response = !x->head_passed && (x->request_done || x->request_abandoned ||
						   x->framing.expects_continue);
	uint64_t moved = x->request.bytes_out + x->response.bytes_out + 1;

	if (moved == x->moved)
		return;
	x->moved = moved;
	session_set_timer(x->session, awaits_response ? t->response_ms : t->stream_ms);
}

bool forward_run(struct exchange *x)
{
	if (!x->request_done && !x->request_abandoned && forward_request(x) == MOVED)
		return true;
	if (forward_response(x) == MOVED)
		return true;
	set_timer(x);
	return false;
}
