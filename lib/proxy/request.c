#include "proxy/request.h"

#include "http/h1write.h"
#include "proxy/exchange.h"
#include "proxy/record.h"
#include "proxy/reply.h"
#include "proxy/session.h"
#include "proxy/transparent.h"
#include "proxy/worker.h"
#include "route/match.h"
#include "sys/log.h"
#include "tls/hello.h"

/* Longest line of an answer about a head that breaks a rule. */
#define LINE_MAX 256

/*
 * TLS where plain HTTP is spoken: the client means to encrypt itself, to a port that we encrypt. An
 * alert tells it no in its own language; the log says which name it asked for.
 */
static void refuse_tls(struct exchange *x)
{
	static const char access_denied[] = {0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x31};
	struct session *s = x->session;
	struct log_line line;
	struct hello hello;
	size_t put;

	hello_parse(iobuf_span(&x->request.in), &hello);
	x->record.host_len = record_text(x->record.host, sizeof x->record.host, hello.sni);
	log_begin(&line, LOG_WARN,
		  "TLS on a plain port: call http://, the proxy originates TLS itself");
	if (line.on) {
		char storage[ADDR_TEXT_MAX];
		struct buf text;

		BUF_INIT_ARRAY(&text, storage);
		addr_format(&s->peer, &text);
		log_text(&line, "client", buf_span(&text));
		log_text(&line, "sni", hello.sni);
	}
	log_end(&line);
	stream_write(&s->client, span_of(access_denied, sizeof access_denied), &put);
	exchange_end(x, REASON_TLS_ON_PLAIN_PORT, NULL, SESSION_PART);
}

static void refuse_bad(struct exchange *x, enum h1_problem problem)
{
	char storage[LINE_MAX];
	struct buf line;

	BUF_INIT_ARRAY(&line, storage);
	buf_printf(&line, "%s: %s", h1problem_name(problem), h1problem_text(problem));
	reply_refuse_as(x, REASON_BAD_REQUEST, h1problem_status(problem), h1problem_name(problem),
			buf_span(&line));
}

static bool is_refused_method(const struct h1_head *head)
{
	return head->method == H1_METHOD_CONNECT || head->method == H1_METHOD_TRACE;
}

/*
 * What the request is to be routed by. An absolute https target without a port means 443, not 80.
 */
static struct span routing_authority(const struct exchange *x, const char *bytes,
				     struct buf *storage)
{
	struct span authority = h1head_text(bytes, x->framing.authority);

	if (!x->head.target_is_https || x->framing.port != 0)
		return authority;
	buf_add(storage, authority);
	buf_add_cstr(storage, ":443");
	return buf_span(storage);
}

/* Finds the route or refuses. */
static bool find_route(struct exchange *x, const char *bytes)
{
	char with_port[HOSTNAME_MAX + 16], storage[ROUTE_EXPLAIN_MAX];
	bool is_redirected = x->session->is_redirected;
	const struct route_table *table;
	struct route_decision decision;
	struct buf port_text, line;
	struct span authority;

	BUF_INIT_ARRAY(&port_text, with_port);
	authority = routing_authority(x, bytes, &port_text);
	x->view = worker_view_ref(exchange_worker(x));
	table = view_table(x->view->view);
	if (is_redirected && table->gateway != NULL) {
		x->route = table->gateway;
		return true;
	}
	decision = route_match(table, authority);
	x->route = decision.route;
	if (decision.verdict == ROUTE_FOUND)
		return true;
	BUF_INIT_ARRAY(&line, storage);
	route_match_explain(table, authority, &decision, &line);
	reply_refuse(x,
		     decision.verdict == ROUTE_UNKNOWN_PORT ? REASON_UNKNOWN_PORT
							    : REASON_UNKNOWN_HOST,
		     NULL, buf_span(&line));
	return false;
}

/* The request as the upstream will get it, in the block that leaves for it. */
static bool write_request(struct exchange *x, const char *bytes)
{
	const struct proxy_config *config = exchange_worker(x)->config;
	char with_port[HOSTNAME_MAX + 16];
	struct h1_request_rewrite rewrite = {
		.host = x->route->host_header,
		.via = config->via,
		.keep_internal = config->keep_internal_headers,
	};
	struct buf out;
	bool written;

	if (rewrite.host.len == 0) {
		BUF_INIT_ARRAY(&out, with_port);
		rewrite.host = routing_authority(x, bytes, &out);
	}
	if (!iobuf_hold(&x->request.out, &exchange_worker(x)->blocks))
		return false;
	out = iobuf_writer(&x->request.out);
	written = h1write_request(&x->head, bytes, &x->framing, &rewrite, &out);
	iobuf_wrote(&x->request.out, &out);
	return written;
}

/* OPTIONS with Max-Forwards: 0 is for us (RFC 9110 section 7.6.2). */
static void answer_as_last_hop(struct exchange *x)
{
	reply_refuse(x, REASON_LAST_HOP, NULL, SPAN("egressbox"));
}

/* For no registered host, on a connection that may then be passed on as it is: it is. */
static bool passes_as_it_is(struct exchange *x, const char *bytes)
{
	char with_port[HOSTNAME_MAX + 16];
	struct buf storage;
	struct span authority;

	if (!transparent_may_pass(x))
		return false;
	BUF_INIT_ARRAY(&storage, with_port);
	authority = routing_authority(x, bytes, &storage);
	if (route_match(view_table(exchange_worker(x)->view->view), authority).verdict ==
	    ROUTE_FOUND)
		return false;
	transparent_pass(x);
	return true;
}

/* A head that breaks a rule. */
static void reject(struct exchange *x, enum h1_problem problem)
{
	if (transparent_may_pass(x))
		transparent_pass(x);
	else if (problem == H1_PROBLEM_TLS_RECORD)
		refuse_tls(x);
	else
		refuse_bad(x, problem);
}

/* A whole head is here: refuse it or send it on its way. */
static void begin(struct exchange *x)
{
	const char *bytes = iobuf_span(&x->request.in).ptr;
	const struct proxy_config *config = exchange_worker(x)->config;
	enum h1_problem problem = H1_PROBLEM_NONE;
	bool framed = h1frame_request(&x->head, bytes, &x->framing, &problem);

	x->method = x->head.method;
	record_request(x, bytes, framed);
	if (!framed) {
		reject(x, problem);
		return;
	}
	if (passes_as_it_is(x, bytes))
		return;
	/* `bytes` stay where they are until more is read. */
	iobuf_consume(&x->request.in, x->head.head_len);
	x->head_bytes = x->head.head_len;
	x->offer_len = record_text(x->offer, sizeof x->offer,
				   h1head_text(bytes, x->framing.upgrade_offer));
	/* A gateway need not keep connections of 1.0 clients, and so can't be fooled by one. */
	x->client_is_11 = x->head.version_minor == 1;
	x->keep_alive = x->framing.keep_alive && x->client_is_11;
	if (is_refused_method(&x->head)) {
		reply_refuse(x, REASON_METHOD_REFUSED, NULL, SPAN(""));
		return;
	}
	if (config->via.len > 0 && h1frame_via_has(&x->head, bytes, config->via)) {
		reply_refuse(x, REASON_LOOP, NULL, SPAN(""));
		return;
	}
	if (!find_route(x, bytes))
		return;
	if (x->framing.is_last_hop) {
		answer_as_last_hop(x);
		return;
	}
	if (!write_request(x, bytes)) {
		reply_refuse(x, REASON_OVERLOAD, NULL, SPAN(""));
		return;
	}
	h1head_start(&x->scan, NULL);
	pump_start(&x->request, x->framing.body, x->framing.length,
		   x->framing.body == H1_BODY_CHUNKED, NULL);
	/* Who expects 100 sends its body only when the upstream has agreed. */
	if (x->framing.body == H1_BODY_CHUNKED && !x->framing.expects_continue) {
		x->collect_until_ms = loop_now_ms(&exchange_worker(x)->loop) +
				      config->timeouts.header_ms;
		session_enter(x->session, SESSION_COLLECT);
	} else {
		session_enter(x->session, SESSION_RESOLVE);
	}
}

/* Reads more of the head; false when there is no more now. */
static bool read_more(struct exchange *x)
{
	struct session *s = x->session;
	struct iobuf *in = &x->request.in;
	enum stream_result r;
	size_t got;

	if (!iobuf_hold(in, &s->worker->blocks)) {
		exchange_abort(x, REASON_OVERLOAD, NULL);
		return false;
	}
	if (iobuf_room(in) == 0)
		iobuf_compact(in);
	r = stream_read(&s->client, in->block + in->end, iobuf_room(in), &got);
	in->end += (uint32_t)got;
	if (r == STREAM_OK)
		return true;
	if (r == STREAM_AGAIN && !iobuf_is_empty(in)) {
		if (s->state == SESSION_IDLE)
			session_enter(s, SESSION_HEAD);
		return false;
	}
	if (iobuf_is_empty(in)) {
		/* Nothing has been asked: back to idle, or closed in silence. */
		session_next(s, r == STREAM_AGAIN ? SESSION_KEEP : SESSION_CLOSE);
		return false;
	}
	exchange_abort(x, REASON_CLIENT_CLOSED, NULL);
	return false;
}

bool request_read_head(struct exchange *x)
{
	for (;;) {
		struct iobuf *in = &x->request.in;
		enum h1_result result = H1_MORE;

		if (!iobuf_is_empty(in))
			result = h1head_parse_request(&x->scan, iobuf_span(in), &x->head);
		if (result == H1_OK) {
			begin(x);
			return true;
		}
		if (result == H1_BAD) {
			record_request(x, iobuf_span(in).ptr, false);
			reject(x, x->head.problem);
			return true;
		}
		if (!read_more(x))
			return false;
	}
}

/*
 * A chunked body is looked at before anybody is told of it, as far as it comes without a pause and
 * fits one block: a small one that is malformed never reaches an upstream, not even in part.
 */
bool request_collect(struct exchange *x)
{
	struct session *s = x->session;

	switch (pump_collect(&x->request, &s->client, &s->worker->blocks)) {
	case PUMP_DONE:
	case PUMP_YIELD:
		session_enter(s, SESSION_RESOLVE);
		return true;
	case PUMP_AGAIN:
		/* More has come, or we would not be here: the pause begins anew. */
		if (loop_now_ms(&s->worker->loop) < x->collect_until_ms)
			session_enter(s, SESSION_COLLECT);
		return false;
	case PUMP_MALFORMED:
		refuse_bad(x, (enum h1_problem)x->request.body.problem);
		return true;
	case PUMP_NO_BUFFER:
		reply_refuse(x, REASON_OVERLOAD, NULL, SPAN(""));
		return true;
	case PUMP_SOURCE_ENDED:
	case PUMP_SOURCE_FAILED:
	case PUMP_SINK_FAILED:
	default:
		exchange_abort(x, REASON_CLIENT_CLOSED, NULL);
		return true;
	}
}
