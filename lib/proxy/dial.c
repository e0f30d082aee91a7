#include "proxy/dial.h"

#include "proxy/exchange.h"
#include "proxy/reply.h"
#include "proxy/session.h"
#include "proxy/worker.h"

static const struct endpoints *endpoints_of(const struct exchange *x)
{
	return x->view->view->endpoints[x->route->target];
}

enum reason dial_reason_of(enum resolver_state state)
{
	switch (state) {
	case RESOLVER_NXDOMAIN:
		return REASON_DNS_NXDOMAIN;
	case RESOLVER_NODATA:
		return REASON_DNS_NODATA;
	case RESOLVER_SERVFAIL:
		return REASON_DNS_SERVFAIL;
	case RESOLVER_PENDING:
	case RESOLVER_TIMEOUT:
	case RESOLVER_OK:
	default:
		return REASON_DNS_TIMEOUT;
	}
}

bool dial_resolve(struct exchange *x)
{
	const struct endpoints *endpoints = endpoints_of(x);
	struct worker *w = exchange_worker(x);

	if (endpoints->state == RESOLVER_PENDING) {
		if (!list_is_linked(&x->wait_node))
			list_push_back(&w->waiting, &x->wait_node);
		return false;
	}
	list_remove(&x->wait_node);
	if (endpoints->state != RESOLVER_OK) {
		reply_refuse(x, dial_reason_of(endpoints->state), NULL, SPAN(""));
		return true;
	}
	x->pool = upstream_pool_for(w, &view_table(x->view->view)->targets[x->route->target]);
	if (x->pool == NULL) {
		reply_refuse(x, REASON_OVERLOAD, NULL, SPAN(""));
		return true;
	}
	x->first_address = x->pool->next_address++;
	dial_start(x, true);
	return true;
}

/*
 * The newest view may be of another table than the one that the exchange waits with, which gets no
 * more answers: then it goes on by the new one, if that has the very same route.
 */
static void go_on_with_newest(struct exchange *x, struct worker *w)
{
	const struct route *old = x->route, *fresh;

	if (x->view->view->generation != w->view->view->generation) {
		fresh = route_table_find(view_table(w->view->view), old->service->name,
					 old->service->namespace, old->port);
		if (fresh == NULL || fresh->tls != old->tls ||
		    !span_eq(fresh->service->external_name, old->service->external_name))
			return;
		x->route = fresh;
	}
	worker_view_unref(x->view);
	x->view = worker_view_ref(w);
}

void dial_wake_waiting(struct worker *w)
{
	struct list woken;

	list_init(&woken);
	list_move_all(&w->waiting, &woken);
	while (!list_is_empty(&woken)) {
		struct exchange *x = LIST_OWNER(woken.next, struct exchange, wait_node);

		list_remove(&x->wait_node);
		go_on_with_newest(x, w);
		session_run(x->session);
	}
}

static void on_upstream_event(struct upstream *u)
{
	session_run(((struct exchange *)u->user)->session);
}

/* Sent twice, such a request might do its work twice (RFC 9110 section 9.2.2). */
static bool may_be_repeated(const struct exchange *x)
{
	return h1head_method_is_idempotent((enum h1_method)x->method);
}

static void use(struct exchange *x, struct upstream *u)
{
	x->upstream = u;
	x->address = u->addr;
	x->was_reused = u->requests > 0;
}

static bool has_more_addresses(const struct exchange *x)
{
	return x->tried_addresses < endpoints_of(x)->count;
}

static struct upstream *connect_next(struct exchange *x, enum reason *reason)
{
	const struct endpoints *endpoints = endpoints_of(x);
	struct upstream *u = NULL;

	while (u == NULL && has_more_addresses(x)) {
		unsigned index = (x->first_address + x->tried_addresses++) % endpoints->count;
		struct addr addr = endpoints->addrs[index];

		if (addr.port == 0)
			addr.port = x->pool->port;
		x->address = addr;
		u = upstream_connect(x->pool, exchange_worker(x), &addr, x, on_upstream_event,
				     reason);
	}
	return u;
}

static bool is_current(const struct endpoints *endpoints, const struct upstream *u)
{
	for (unsigned i = 0; i < endpoints->count; i++) {
		struct addr addr = endpoints->addrs[i];

		if (addr.port == 0)
			addr.port = u->pool->port;
		if (addr_eq(&addr, &u->addr))
			return true;
	}
	return false;
}

/* An idle connection to an address that is (still) the name's. */
static struct upstream *take_idle(struct exchange *x)
{
	struct upstream *u;

	while ((u = upstream_take_idle(x->pool, x, on_upstream_event, !may_be_repeated(x))) !=
	       NULL) {
		if (is_current(endpoints_of(x), u))
			return u;
		upstream_close(u);
	}
	return NULL;
}

void dial_start(struct exchange *x, bool may_reuse)
{
	enum reason reason = REASON_CONNECT_FAILED;
	struct upstream *u = NULL;

	if (may_reuse)
		u = take_idle(x);
	if (u == NULL)
		u = connect_next(x, &reason);
	if (u == NULL) {
		reply_refuse(x, reason, NULL, SPAN(""));
		return;
	}
	use(x, u);
	session_enter(x->session, u->phase == UPSTREAM_READY ? SESSION_FORWARD : SESSION_CONNECT);
}

void dial_on_timeout(struct exchange *x)
{
	bool connecting = x->upstream->phase == UPSTREAM_CONNECTING;

	if (!connecting || !has_more_addresses(x)) {
		reply_refuse(x, connecting ? REASON_CONNECT_TIMEOUT : REASON_TLS_TIMEOUT, NULL,
			     SPAN(""));
		return;
	}
	exchange_drop_upstream(x, false);
	dial_start(x, false);
}

bool dial_advance(struct exchange *x)
{
	struct upstream *u = x->upstream;
	enum upstream_phase before = u->phase;
	enum reason reason;
	const char *detail;

	switch (upstream_advance(u)) {
	case UPSTREAM_READY:
		session_enter(x->session, SESSION_FORWARD);
		return true;
	case UPSTREAM_FAILED:
		reason = u->reason;
		detail = u->detail;
		exchange_drop_upstream(x, false);
		if (reason == REASON_TLS_FAILED || !has_more_addresses(x))
			reply_refuse(x, reason, detail, SPAN(""));
		else
			dial_start(x, false);
		return true;
	case UPSTREAM_HANDSHAKING:
		if (before == UPSTREAM_CONNECTING)
			session_set_timer(x->session, exchange_worker(x)->config->timeouts.tls_ms);
		return false;
	case UPSTREAM_CONNECTING:
	default:
		return false;
	}
}
