#include "proxy/transparent.h"

#include <stdatomic.h>
#include <sys/socket.h>

#include "proxy/exchange.h"
#include "proxy/listener.h"
#include "proxy/original.h"
#include "proxy/outgoing.h"
#include "proxy/ownaddr.h"
#include "proxy/record.h"
#include "proxy/relay.h"
#include "proxy/session.h"
#include "proxy/sniff.h"
#include "proxy/worker.h"
#include "sys/fd.h"
#include "sys/log.h"

/*
 * Set once one of our own connections to an address of this pod has come back to us. Rules don't
 * change while a pod runs; and if they did, the loopback address would still do.
 */
static atomic_bool own_is_captured;

static void log_addr(struct log_line *line, const char *key, const struct addr *a)
{
	char storage[ADDR_TEXT_MAX];
	struct buf text;

	BUF_INIT_ARRAY(&text, storage);
	if (a->family != 0)
		addr_format(a, &text);
	else
		buf_add_byte(&text, '-');
	log_text(line, key, buf_span(&text));
}

/* One line for each: whoever looks for the reason should find it. `name`: a host or an SNI. */
static void note(struct worker *w, const struct addr *peer, const struct addr *original,
		 enum reason reason, const char *name_kind, struct span name)
{
	struct log_line line;

	metrics_add(&w->metrics.refused[reason], 1);
	log_begin(&line, LOG_WARN, "refused");
	if (line.on) {
		log_addr(&line, "client", peer);
		log_addr(&line, "destination", original);
		if (name.len > 0)
			log_text(&line, name_kind, name);
		log_cstr(&line, "reason", reason_name(reason));
		log_cstr(&line, "text", reason_text(reason));
	}
	log_end(&line);
}

void transparent_note_refusal(const struct exchange *x)
{
	const struct session *s = x->session;

	note(s->worker, &s->peer, session_original(s), x->reason, "host",
	     span_of(x->record.host, x->record.host_len));
}

static void refuse(struct worker *w, int fd, const struct addr *peer, const struct addr *original,
		   enum reason reason)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	note(w, peer, original, reason, "", SPAN(""));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	fd_close(&fd);
}

static void pass(struct worker *w, int fd, const struct addr *peer, const struct addr *original,
		 const struct verdict_decision *d)
{
	struct relay_client client = {.fd = fd, .peer = *peer, .original = *original};

	metrics_add(&w->metrics.client_connections, 1);
	metrics_add(&w->metrics.client_connections_open, 1);
	relay_start(w, &client, d->verdict, &d->to);
}

void transparent_accept(struct listener *l, int fd, const struct addr *peer)
{
	struct worker *w = l->worker;
	struct verdict_facts facts = {
		.cluster = &w->config->cluster,
		.original = original_of(fd, peer->family),
		.is_own = ownaddr_is,
		.own_is_captured = atomic_load_explicit(&own_is_captured, memory_order_relaxed),
	};
	struct verdict_decision d;

	/* Our own address costs a call, and only matters to who asked for our own port. */
	facts.local.port = l->port;
	if (facts.original.port == l->port)
		facts.local = original_local(fd);
	facts.is_ours = outgoing_has(peer, &facts.original);
	d = verdict_decide(&facts);
	if (facts.is_ours && d.verdict == VERDICT_INBOUND)
		atomic_store_explicit(&own_is_captured, true, memory_order_relaxed);
	if (d.verdict == VERDICT_REFUSED)
		refuse(w, fd, peer, &facts.original,
		       d.is_loop ? REASON_PROXY_REDIRECTED : REASON_NOT_REDIRECTED);
	else if (d.verdict == VERDICT_EXTERNAL)
		session_start(w, fd, peer, &facts.original);
	else
		pass(w, fd, peer, &facts.original, &d);
}

/* The session's connection and what was read of it, for a relay; the session is gone then. */
static struct relay_client take_over(struct session *s)
{
	struct relay_client client = {.peer = s->peer, .original = *session_original(s)};

	if (s->exchange != NULL) {
		client.first = s->exchange->request.in;
		s->exchange->request.in = (struct iobuf){0};
	}
	client.fd = session_detach(s);
	return client;
}

static void pass_session(struct session *s)
{
	struct worker *w = s->worker;
	struct addr to = *session_original(s);
	struct relay_client client = take_over(s);

	relay_start(w, &client, VERDICT_ANY, &to);
}

/* What is neither HTTP nor for a registered name. */
static bool follow_policy(struct session *s, enum reason reason, struct span sni)
{
	if (s->worker->config->policy == VERDICT_POLICY_ANY) {
		pass_session(s);
		return false;
	}
	note(s->worker, &s->peer, session_original(s), reason, "sni", sni);
	session_next(s, SESSION_RESET);
	return false;
}

bool transparent_may_pass(const struct exchange *x)
{
	const struct worker *w = x->session->worker;

	return x->session->is_redirected && w->config->policy == VERDICT_POLICY_ANY &&
	       view_table(w->view->view)->gateway == NULL;
}

void transparent_pass(struct exchange *x)
{
	pass_session(x->session);
}

/* A whole ClientHello: to the name's own addresses, never to the one that the client chose. */
static bool on_hello(struct session *s, const struct hello *hello)
{
	const struct route_table *table = view_table(s->worker->view->view);
	struct relay_client client;
	uint32_t target;

	if (hello->sni.len == 0 ||
	    !route_table_find_target(table, hello->sni, session_original(s)->port, true, &target))
		return follow_policy(s, REASON_UNKNOWN_SNI, hello->sni);
	client = take_over(s);
	relay_start_to_name(s->worker, &client, target);
	return false;
}

/* The client has ended or failed before it could be told what it speaks. */
static bool on_early_end(struct session *s, enum stream_result r)
{
	bool silent = iobuf_is_empty(&s->exchange->request.in);

	if (r == STREAM_EOF && (!silent || s->worker->config->policy == VERDICT_POLICY_ANY))
		return follow_policy(s, REASON_UNRECOGNISED, SPAN(""));
	session_next(s, SESSION_CLOSE);
	return false;
}

/* For more. Nothing is held when nothing came after all. */
static bool wait_on(struct session *s)
{
	if (iobuf_is_empty(&s->exchange->request.in)) {
		exchange_free(s->exchange);
		s->exchange = NULL;
	}
	return false;
}

bool transparent_detect(struct session *s)
{
	struct hello hello;
	struct iobuf *in;

	if (!stream_may_read(&s->client))
		return false;
	if (s->exchange == NULL)
		s->exchange = exchange_new(s);
	in = s->exchange != NULL ? &s->exchange->request.in : NULL;
	if (in == NULL || !iobuf_hold(in, &s->worker->blocks)) {
		note(s->worker, &s->peer, session_original(s), REASON_OVERLOAD, "", SPAN(""));
		session_next(s, SESSION_RESET);
		return false;
	}
	for (;;) {
		enum stream_result r;
		size_t got;

		r = stream_read(&s->client, in->block + in->end, iobuf_room(in), &got);
		in->end += (uint32_t)got;
		if (r == STREAM_AGAIN)
			return wait_on(s);
		if (r != STREAM_OK)
			return on_early_end(s, r);
		switch (sniff_bytes(iobuf_span(in), &hello)) {
		case SNIFF_MORE:
			continue;
		case SNIFF_HTTP:
			session_enter(s, SESSION_HEAD);
			return true;
		case SNIFF_TLS:
			return on_hello(s, &hello);
		case SNIFF_OTHER:
		default:
			return follow_policy(s, REASON_UNRECOGNISED, SPAN(""));
		}
	}
}

void transparent_on_timeout(struct session *s)
{
	follow_policy(s, REASON_DETECT_TIMEOUT, SPAN(""));
}
