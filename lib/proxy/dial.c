#include "proxy/dial.h"

#include "net/guard.h"
#include "proxy/exchange.h"
#include "proxy/reply.h"
#include "proxy/session.h"
#include "proxy/worker.h"
#include "sys/log.h"

/* Between one address and the next, as long as none answers (RFC 8305 section 5). */
#define RACE_DELAY_MS 250

/* The access log tells of each request; a warning of one a second, for each worker. */
#define DENIAL_LOG_MS 1000

static const struct endpoints *endpoints_of(const struct exchange *x)
{
	return x->view->view->endpoints[x->route->target];
}

static const struct route_target *target_of(const struct exchange *x)
{
	return &view_table(x->view->view)->targets[x->route->target];
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
	x->pool = upstream_pool_for(w, target_of(x));
	if (x->pool == NULL) {
		reply_refuse(x, REASON_OVERLOAD, NULL, SPAN(""));
		return true;
	}
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
	const struct route_table *newest = view_table(w->view->view);

	if (x->view->view->generation != w->view->view->generation) {
		fresh = newest->gateway;
		if (old != view_table(x->view->view)->gateway)
			fresh = route_table_find(newest, old->service->name,
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

static uint64_t now_of(const struct exchange *x)
{
	return loop_now_ms(&exchange_worker(x)->loop);
}

static void use(struct exchange *x, struct upstream *u)
{
	x->upstream = u;
	x->address = u->addr;
	x->was_reused = u->requests > 0;
}

static bool has_untried_addresses(const struct exchange *x)
{
	unsigned count = endpoints_of(x)->count;

	return x->tried_addresses !=
	       (count < ADDRESSES_CHOICE_MAX ? (UINT32_C(1) << count) - 1 : UINT32_MAX);
}

/* What is told when no address is left: the last failure, and a denial when there was no other. */
static void note_failure(struct exchange *x, enum reason reason, const char *detail)
{
	if (reason == REASON_ADDRESS_DENIED && x->failure != REASON_OK)
		return;
	x->failure = reason;
	x->failure_detail = detail;
}

/* Whose name it is, and what became of it; not more often than anybody can read. */
static void log_denial(struct worker *w, const struct addr *addr, const struct dial_name *name,
		       enum guard_verdict verdict)
{
	uint64_t now = loop_now_ms(&w->loop);
	char storage[ADDR_TEXT_MAX];
	struct log_line line;
	struct buf text;

	if (now < w->quiet_until_ms)
		return;
	w->quiet_until_ms = now + DENIAL_LOG_MS;
	BUF_INIT_ARRAY(&text, storage);
	addr_format(addr, &text);
	log_begin(&line, LOG_WARN, "address denied");
	log_text(&line, "name", name->host);
	log_text(&line, "address", buf_span(&text));
	log_cstr(&line, "why", guard_verdict_names[verdict]);
	log_text(&line, "source", name->source);
	log_end(&line);
}

enum guard_verdict dial_judge(struct worker *w, const struct addr *addr,
			      const struct dial_name *name)
{
	enum guard_verdict verdict;

	if (w->config->guard == NULL || name->endpoints->trusted)
		return GUARD_ALLOWED;
	verdict = guard_judge(w->config->guard, addr);
	if (verdict == GUARD_ALLOWED)
		return GUARD_ALLOWED;
	metrics_add(&w->metrics.denied[verdict], 1);
	log_denial(w, addr, name, verdict);
	return verdict;
}

static bool is_denied(struct exchange *x, const struct addr *addr)
{
	const struct dial_name name = {
		.endpoints = endpoints_of(x),
		.host = x->route->service->external_name,
		.source = x->route->pos,
	};
	enum guard_verdict verdict;

	/* A gateway is the operator's own word, like the addresses of --resolve. */
	if (x->route == view_table(x->view->view)->gateway)
		return false;
	verdict = dial_judge(exchange_worker(x), addr, &name);
	if (verdict == GUARD_ALLOWED)
		return false;
	note_failure(x, REASON_ADDRESS_DENIED, guard_verdict_names[verdict]);
	return true;
}

static void rest_address(struct exchange *x, const struct addr *addr)
{
	struct worker *w = exchange_worker(x);

	addresses_failed(&w->addresses, addr, now_of(x));
	metrics_add(&w->metrics.address_failures, 1);
}

static struct dial_attempt *free_attempt(struct exchange *x)
{
	for (unsigned i = 0; i < DIAL_ATTEMPTS_MAX; i++)
		if (x->attempts[i].upstream == NULL)
			return &x->attempts[i];
	return NULL;
}

static bool is_racing(const struct exchange *x)
{
	for (unsigned i = 0; i < DIAL_ATTEMPTS_MAX; i++)
		if (x->attempts[i].upstream != NULL)
			return true;
	return false;
}

/* The next address that may be connected to, and its state; false when there is none. */
static bool next_address(struct exchange *x, struct addr *addr, enum addresses_state *state)
{
	const struct addresses *known = &exchange_worker(x)->addresses;
	struct addresses_choice choice = {
		.addrs = endpoints_of(x)->addrs,
		.count = endpoints_of(x)->count,
		.turn = x->turn,
		.port = x->pool->port,
		.family = x->next_family,
	};
	int index;

	do {
		choice.tried = x->tried_addresses;
		index = addresses_pick(known, &choice, now_of(x));
		if (index < 0)
			return false;
		x->tried_addresses |= UINT32_C(1) << index;
		*addr = addresses_at(&choice, (unsigned)index);
		x->address = *addr;
	} while (is_denied(x, addr));
	*state = addresses_state(known, addr, now_of(x));
	/* The families take turns (RFC 8305 section 4). */
	x->next_family = addr->family == 6 ? 4 : 6;
	return true;
}

/*
 * Begins to connect to the next address; to one more when that is on probation, and to the one
 * after when it fails at once.
 */
static void begin_next(struct exchange *x)
{
	struct dial_attempt *attempt;
	enum addresses_state state;
	struct addr addr;

	while ((attempt = free_attempt(x)) != NULL && next_address(x, &addr, &state)) {
		enum reason reason = REASON_CONNECT_FAILED;

		attempt->since_ms = now_of(x);
		attempt->upstream = upstream_connect(x->pool, exchange_worker(x),
						     target_of(x)->identity, &addr, x,
						     on_upstream_event, &reason);
		if (attempt->upstream != NULL && state != ADDRESSES_ON_PROBATION)
			return;
		if (attempt->upstream != NULL)
			continue;
		note_failure(x, reason, NULL);
		if (reason == REASON_OVERLOAD)
			return;
		rest_address(x, &addr);
	}
}

/* Until another address is to join in, or all have had their time. */
static void set_race_timer(struct exchange *x)
{
	uint64_t now = now_of(x), left;

	left = x->connect_until_ms > now ? x->connect_until_ms - now : 1;
	if (has_untried_addresses(x) && free_attempt(x) != NULL && left > RACE_DELAY_MS)
		left = RACE_DELAY_MS;
	session_set_timer(x->session, left);
}

static bool has_both_families(const struct endpoints *endpoints)
{
	/* IPv6 stands first. */
	return endpoints->addrs[0].family != endpoints->addrs[endpoints->count - 1].family;
}

void dial_stop(struct exchange *x)
{
	for (unsigned i = 0; i < DIAL_ATTEMPTS_MAX; i++) {
		if (x->attempts[i].upstream != NULL)
			upstream_close(x->attempts[i].upstream);
		x->attempts[i].upstream = NULL;
	}
}

/* The first to be connected is used; who had a head start and was not does rest. */
static void win(struct exchange *x, struct dial_attempt *winner)
{
	struct worker *w = exchange_worker(x);
	struct upstream *u = winner->upstream;

	winner->upstream = NULL;
	for (unsigned i = 0; i < DIAL_ATTEMPTS_MAX; i++) {
		const struct dial_attempt *other = &x->attempts[i];

		if (other->upstream == NULL)
			continue;
		if (now_of(x) >= other->since_ms + RACE_DELAY_MS)
			rest_address(x, &other->upstream->addr);
		else
			addresses_outrun(&w->addresses, &other->upstream->addr, now_of(x));
	}
	dial_stop(x);
	use(x, u);
	addresses_worked(&w->addresses, &u->addr);
	if (has_both_families(endpoints_of(x)))
		addresses_family_won(&w->addresses, &x->pool->family, u->addr.family, now_of(x));
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

static bool refuse(struct exchange *x)
{
	reply_refuse(x, x->failure, x->failure_detail, SPAN(""));
	return true;
}

void dial_start(struct exchange *x, bool may_reuse)
{
	struct worker *w = exchange_worker(x);
	struct upstream *u = may_reuse ? take_idle(x) : NULL;

	if (u != NULL) {
		use(x, u);
		session_enter(x->session, SESSION_FORWARD);
		return;
	}
	x->turn = x->pool->connections++;
	x->failure = REASON_OK;
	x->connect_until_ms = now_of(x) + w->config->timeouts.connect_ms;
	x->next_family = addresses_preferred_family(&w->addresses, &x->pool->family, now_of(x));
	begin_next(x);
	if (!is_racing(x)) {
		/* A retry when all addresses have had their chance before. */
		if (x->failure == REASON_OK)
			x->failure = REASON_CONNECT_FAILED;
		refuse(x);
		return;
	}
	session_enter(x->session, SESSION_CONNECT);
	set_race_timer(x);
}

void dial_on_timeout(struct exchange *x)
{
	if (x->upstream != NULL) {
		rest_address(x, &x->address);
		reply_refuse(x, REASON_TLS_TIMEOUT, NULL, SPAN(""));
		return;
	}
	if (now_of(x) < x->connect_until_ms) {
		begin_next(x);
		set_race_timer(x);
		return;
	}
	for (unsigned i = 0; i < DIAL_ATTEMPTS_MAX; i++)
		if (x->attempts[i].upstream != NULL)
			rest_address(x, &x->attempts[i].upstream->addr);
	reply_refuse(x, REASON_CONNECT_TIMEOUT, NULL, SPAN(""));
}

/* The network's fault, and this address's, so that another one may do better. */
static bool is_of_the_address(const struct upstream *u)
{
	switch (u->reason) {
	case REASON_CONNECT_REFUSED:
	case REASON_CONNECT_FAILED:
	case REASON_CONNECT_TIMEOUT:
		return true;
	case REASON_TLS_FAILED:
		return u->detail == tls_error_name(TLS_HANDSHAKE_CLOSED);
	default:
		return false;
	}
}

/* One connection has failed. True when that ends the search. */
static bool give_up(struct exchange *x, struct upstream *u)
{
	bool goes_on = is_of_the_address(u);

	note_failure(x, u->reason, u->detail);
	if (goes_on)
		rest_address(x, &u->addr);
	upstream_close(u);
	return !goes_on;
}

/* Others take the place of what has failed, at once. */
static bool go_on(struct exchange *x)
{
	if (now_of(x) < x->connect_until_ms)
		begin_next(x);
	if (!is_racing(x))
		return refuse(x);
	set_race_timer(x);
	return false;
}

static bool advance_race(struct exchange *x)
{
	bool has_failed = false;

	for (unsigned i = 0; i < DIAL_ATTEMPTS_MAX; i++) {
		struct upstream *u = x->attempts[i].upstream;

		if (u == NULL || upstream_advance(u) == UPSTREAM_CONNECTING)
			continue;
		if (u->phase != UPSTREAM_FAILED) {
			win(x, &x->attempts[i]);
			break;
		}
		x->attempts[i].upstream = NULL;
		if (give_up(x, u))
			return refuse(x);
		has_failed = true;
	}
	if (x->upstream == NULL)
		return has_failed && go_on(x);
	if (x->upstream->phase == UPSTREAM_READY) {
		session_enter(x->session, SESSION_FORWARD);
		return true;
	}
	session_set_timer(x->session, exchange_worker(x)->config->timeouts.tls_ms);
	return false;
}

static bool advance_handshake(struct exchange *x)
{
	struct upstream *u = x->upstream;

	switch (upstream_advance(u)) {
	case UPSTREAM_READY:
		session_enter(x->session, SESSION_FORWARD);
		return true;
	case UPSTREAM_FAILED:
		x->upstream = NULL;
		return give_up(x, u) ? refuse(x) : go_on(x);
	case UPSTREAM_HANDSHAKING:
	case UPSTREAM_CONNECTING:
	default:
		return false;
	}
}

bool dial_advance(struct exchange *x)
{
	return x->upstream != NULL ? advance_handshake(x) : advance_race(x);
}
