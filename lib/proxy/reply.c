#include "proxy/reply.h"

#include "http/h1write.h"
#include "proxy/exchange.h"
#include "proxy/record.h"
#include "proxy/session.h"
#include "proxy/transparent.h"
#include "proxy/worker.h"

/* Longest line of an answer of ours. */
#define LINE_MAX 1536

static const char *name_of(const struct exchange *x)
{
	return x->detail != NULL ? x->detail : reason_name(x->reason);
}

/* "cert_expired: a certificate has expired (https://www.google.com:443, services.yaml:14:5)" */
static void explain(const struct exchange *x, struct buf *line)
{
	char service_text[RECORD_SERVICE_MAX], upstream_text[RECORD_UPSTREAM_MAX];
	struct buf service, upstream;

	buf_printf(line, "%s: %s", name_of(x), reason_text(x->reason));
	if (x->route == NULL)
		return;
	BUF_INIT_ARRAY(&service, service_text);
	BUF_INIT_ARRAY(&upstream, upstream_text);
	record_route(x, &service, &upstream);
	buf_printf(line, " (%s, Service %s, %s)", buf_cstr(&upstream), buf_cstr(&service),
		   x->route->pos.ptr);
}

static bool write_reply(struct exchange *x, struct span line)
{
	struct h1_error_reply reply = {
		.line = line,
		.date = worker_http_date(exchange_worker(x)),
		.connection = x->keep_alive ? H1_CONNECTION_DEFAULT : H1_CONNECTION_CLOSE,
		.is_head = x->method == H1_METHOD_HEAD,
	};
	struct iobuf *to = &x->response.out;
	struct buf out;
	bool written;

	if (x->status >= 400) {
		reply.extra_name = SPAN("X-Egressbox-Error");
		reply.extra_value = span_from_cstr(name_of(x));
	}
	if (!iobuf_hold(to, &exchange_worker(x)->blocks))
		return false;
	/* Interim responses may be on their way still: the answer goes behind them. */
	iobuf_compact(to);
	out = iobuf_writer(to);
	written = h1write_error(x->status, &reply, &out);
	iobuf_wrote(to, &out);
	return written;
}

/*
 * Whether the connection can carry another request after a refusal: all of this one has been read.
 */
static bool survives_refusal(const struct exchange *x)
{
	bool no_body = x->framing.body == H1_BODY_NONE ||
		       (x->framing.body == H1_BODY_LENGTH && x->framing.length == 0);

	return x->keep_alive && no_body && x->reason != REASON_BAD_REQUEST &&
	       !exchange_worker(x)->stopping;
}

/*
 * A response that was not sent a byte of can still be taken back: what is wrong with it was found
 * in time. False when it is too late.
 */
static bool take_back_response(struct exchange *x)
{
	if (!x->head_passed)
		return true;
	if (x->response.bytes_out > 0 || x->response.out.start > 0)
		return false;
	x->response.out.end = 0;
	x->head_passed = false;
	return true;
}

void reply_refuse_as(struct exchange *x, enum reason reason, unsigned status, const char *detail,
		     struct span line)
{
	char storage[LINE_MAX];
	struct buf text;

	if (status == 0 || !take_back_response(x)) {
		exchange_abort(x, reason, detail);
		return;
	}
	list_remove(&x->wait_node);
	exchange_drop_upstream(x, false);
	iobuf_release(&x->response.in, &exchange_worker(x)->blocks);
	x->reason = reason;
	x->detail = detail;
	x->status = status;
	if (x->route == NULL && x->session->is_redirected)
		transparent_note_refusal(x);
	x->keep_alive = survives_refusal(x);
	if (line.len == 0) {
		BUF_INIT_ARRAY(&text, storage);
		explain(x, &text);
		line = buf_span(&text);
	}
	pump_start(&x->response, H1_BODY_NONE, 0, false, NULL);
	if (!write_reply(x, line)) {
		x->status = 0;
		exchange_abort(x, reason, detail);
		return;
	}
	x->head_passed = true;
	session_enter(x->session, SESSION_REPLY);
}

/* A gateway that is not there is a service that is not available, and will be again. */
static bool is_gateway_away(const struct exchange *x, enum reason reason)
{
	return x->route != NULL && x->route->host_header.len == 0 &&
	       ((reason >= REASON_CONNECT_REFUSED && reason <= REASON_CONNECT_TIMEOUT) ||
		reason == REASON_UPSTREAM_CLOSED || reason == REASON_UPSTREAM_RESET);
}

void reply_refuse(struct exchange *x, enum reason reason, const char *detail, struct span line)
{
	unsigned status = is_gateway_away(x, reason) ? 503 : (unsigned)reason_status(reason);

	reply_refuse_as(x, reason, status, detail, line);
}

bool reply_run(struct exchange *x)
{
	struct session *s = x->session;

	switch (pump_run(&x->response, &s->client, &s->client, &s->worker->blocks)) {
	case PUMP_AGAIN:
		return false;
	case PUMP_YIELD:
		session_run_later(s);
		return false;
	case PUMP_DONE:
		/* A request without a body has been read to its end. */
		x->request_done = x->framing.body == H1_BODY_NONE &&
				  x->reason != REASON_BAD_REQUEST;
		exchange_finish(x);
		return true;
	case PUMP_SOURCE_ENDED:
	case PUMP_SOURCE_FAILED:
	case PUMP_SINK_FAILED:
	case PUMP_MALFORMED:
	case PUMP_NO_BUFFER:
	default:
		exchange_abort(x, x->reason, x->detail);
		return true;
	}
}
