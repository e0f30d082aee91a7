#include "ev/resolver.h"

#include <string.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "dns/resolvconf.h"
#include "net/hostname.h"
#include "sys/clock.h"

const char *const resolver_state_names[] = {
#define X(member, name) [member] = name,
	RESOLVER_STATES(X)
#undef X
};

const char *const resolver_source_names[] = {
#define X(member, name) [member] = name,
	RESOLVER_SOURCES(X)
#undef X
};

enum { HALF_A, HALF_AAAA, HALVES };

static const struct {
	enum dnsmsg_type type;
	uint8_t family;
} half_kinds[HALVES] = {
	[HALF_A] = {DNSMSG_A, 4},
	[HALF_AAAA] = {DNSMSG_AAAA, 6},
};

/* What is to be published: both families, IPv6 first. */
struct merged {
	struct addr addrs[RESOLVER_MAX_ADDRS];
	unsigned count;
};

static uint32_t clamp(uint32_t value, uint32_t min, uint32_t max)
{
	return value < min ? min : value > max ? max : value;
}

/* 0 to n - 1; xorshift64. */
static uint32_t jitter_below(struct resolver *r, uint32_t n)
{
	r->jitter ^= r->jitter << 13;
	r->jitter ^= r->jitter >> 7;
	r->jitter ^= r->jitter << 17;
	return (uint32_t)(r->jitter >> 32) % n;
}

static bool contains(const struct addr *addrs, unsigned count, const struct addr *addr)
{
	for (unsigned i = 0; i < count; i++) {
		if (addr_eq(&addrs[i], addr))
			return true;
	}
	return false;
}

static bool same_set(const struct resolver_name *n, const struct merged *m)
{
	if (n->addr_count != m->count)
		return false;
	for (unsigned i = 0; i < m->count; i++) {
		if (!contains(n->addrs, n->addr_count, &m->addrs[i]))
			return false;
	}
	return true;
}

static void drop_addrs(struct resolver_half *half)
{
	alloc_put(half->addrs);
	half->addrs = NULL;
	half->addr_count = 0;
}

/*
 * Puts state and addresses in place and tells the watcher if that changes anything. The last thing
 * done with a name: the watcher may take it away. Without memory the old set stays until the next
 * round.
 */
static void publish(struct resolver_name *n, enum resolver_state state, const struct merged *m)
{
	struct addr *addrs = NULL;

	if (n->state == state && same_set(n, m))
		return;
	if (m->count > 0) {
		addrs = alloc_get(m->count * sizeof *addrs);
		if (addrs == NULL)
			return;
		memcpy(addrs, m->addrs, m->count * sizeof *addrs);
	}
	alloc_put(n->addrs);
	n->addrs = addrs;
	n->addr_count = m->count;
	n->state = state;
	n->on_change(n);
}

/* Has this half no answer, in the end or so far? */
static bool is_unanswered(enum resolver_state state)
{
	return state == RESOLVER_PENDING || state == RESOLVER_SERVFAIL || state == RESOLVER_TIMEOUT;
}

static bool is_keepable(const struct resolver_name *n, unsigned which)
{
	return loop_now_ms(n->resolver->pool.loop) <
	       n->halves[which].good_until_ms + n->resolver->config.stale_max_ms;
}

/*
 * Adds at most `room` of the addresses. When there are more, those published already come first, so
 * that a server that turns a long list round does not make the set change each time; the order is
 * kept.
 */
static void add_addrs(struct merged *m, const struct addr *addrs, unsigned count, unsigned room,
		      const struct resolver_name *n)
{
	unsigned known = 0, fresh;

	for (unsigned i = 0; i < count; i++)
		known += contains(n->addrs, n->addr_count, &addrs[i]);
	known = known < room ? known : room;
	fresh = room - known;
	for (unsigned i = 0; i < count; i++) {
		unsigned *left = contains(n->addrs, n->addr_count, &addrs[i]) ? &known : &fresh;

		if (*left == 0)
			continue;
		m->addrs[m->count++] = addrs[i];
		--*left;
	}
}

/* A half without answer falls back on what is published of its family, while that may be kept. */
static void merge_halves(const struct resolver_name *n, struct merged *m)
{
	struct addr kept[HALVES][RESOLVER_MAX_ADDRS];
	const struct addr *addrs[HALVES];
	unsigned counts[HALVES], room[HALVES];

	for (unsigned h = 0; h < HALVES; h++) {
		const struct resolver_half *half = &n->halves[h];

		addrs[h] = half->addrs;
		counts[h] = half->addr_count;
		if (!is_unanswered(half->state) || !is_keepable(n, h))
			continue;
		addrs[h] = kept[h];
		for (unsigned i = 0; i < n->addr_count; i++) {
			if (n->addrs[i].family == half_kinds[h].family)
				kept[h][counts[h]++] = n->addrs[i];
		}
	}
	/* Half of the room each; what one family leaves is the other's. */
	for (unsigned h = 0; h < HALVES; h++) {
		unsigned other = counts[HALVES - 1 - h];

		room[h] = RESOLVER_MAX_ADDRS -
			  (other < RESOLVER_MAX_ADDRS / 2 ? other : RESOLVER_MAX_ADDRS / 2);
		room[h] = counts[h] < room[h] ? counts[h] : room[h];
	}
	m->count = 0;
	add_addrs(m, addrs[HALF_AAAA], counts[HALF_AAAA], room[HALF_AAAA], n);
	add_addrs(m, addrs[HALF_A], counts[HALF_A], room[HALF_A], n);
}

/* What both halves of a round say together. */
static enum resolver_state judge(const struct resolver_name *n)
{
	unsigned count[RESOLVER_TIMEOUT + 1] = {0};

	for (unsigned h = 0; h < HALVES; h++)
		count[n->halves[h].state]++;
	if (count[RESOLVER_OK] > 0)
		return RESOLVER_OK;
	/* NODATA for one type says nothing about the other; NXDOMAIN does (RFC 2308 section 5). */
	if (count[RESOLVER_NODATA] == HALVES ||
	    (count[RESOLVER_NODATA] > 0 && count[RESOLVER_NXDOMAIN] > 0))
		return RESOLVER_NODATA;
	if (count[RESOLVER_NXDOMAIN] > 0)
		return RESOLVER_NXDOMAIN;
	return count[RESOLVER_SERVFAIL] > 0 ? RESOLVER_SERVFAIL : RESOLVER_TIMEOUT;
}

/* The least TTL of the halves in this state. */
static uint32_t least_ttl_ms(const struct resolver_name *n, bool positive)
{
	uint32_t least = UINT32_MAX;

	for (unsigned h = 0; h < HALVES; h++) {
		const struct resolver_half *half = &n->halves[h];

		if (!is_unanswered(half->state) && (half->state == RESOLVER_OK) == positive &&
		    half->ttl_ms < least)
			least = half->ttl_ms;
	}
	return least;
}

static void ask_after(struct resolver_name *n, uint32_t delay_ms)
{
	loop_timer_set(n->resolver->pool.loop, &n->timer, delay_ms);
}

/* After a failure: twice as long each time, more or less, so that names don't ask in step. */
static uint32_t retry_delay_ms(struct resolver_name *n)
{
	const struct resolver_config *c = &n->resolver->config;
	uint64_t delay = c->retry_min_ms;

	for (unsigned i = 1; i < n->failures && delay < c->retry_max_ms; i++)
		delay *= 2;
	delay = delay < c->retry_max_ms ? delay : c->retry_max_ms;
	return (uint32_t)(delay - delay / 8 + jitter_below(n->resolver, (uint32_t)(delay / 8) + 1));
}

/* At 80 to 95 % of the TTL, so that the new answer is here before the old one ends. */
static uint32_t refresh_delay_ms(struct resolver_name *n, uint32_t ttl_ms)
{
	return (uint32_t)((uint64_t)ttl_ms * (80 + jitter_below(n->resolver, 16)) / 100);
}

static void publish_good(struct resolver_name *n, const struct merged *m)
{
	n->negatives = 0;
	n->stale = false;
	n->ttl_s = least_ttl_ms(n, true) / 1000;
	n->good_at_ms = loop_now_ms(n->resolver->pool.loop);
	publish(n, RESOLVER_OK, m);
}

static void end_good(struct resolver_name *n, const struct merged *m)
{
	uint32_t delay_ms = refresh_delay_ms(n, least_ttl_ms(n, true));

	if (n->failures > 0) {
		uint32_t retry_ms = retry_delay_ms(n);

		delay_ms = retry_ms < delay_ms ? retry_ms : delay_ms;
	}
	ask_after(n, delay_ms);
	publish_good(n, m);
}

static void end_negative(struct resolver_name *n, enum resolver_state verdict)
{
	const struct resolver_config *c = &n->resolver->config;
	static const struct merged none;

	if (n->state == RESOLVER_OK && ++n->negatives < c->negative_confirm &&
	    (is_keepable(n, HALF_A) || is_keepable(n, HALF_AAAA))) {
		n->stale = true;
		ask_after(n, c->negative_min_ms);
		return;
	}
	n->stale = false;
	ask_after(n,
		  least_ttl_ms(n, false) + jitter_below(n->resolver, c->negative_min_ms / 8 + 1));
	publish(n, verdict, &none);
}

static void end_failed(struct resolver_name *n, enum resolver_state verdict, const struct merged *m)
{
	n->stale = m->count > 0;
	ask_after(n, retry_delay_ms(n));
	publish(n, m->count > 0 ? RESOLVER_OK : verdict, m);
}

/* Both halves are in. */
static void end_round(struct resolver_name *n)
{
	enum resolver_state verdict = judge(n);
	struct merged m;

	timer_cancel(&n->timer);
	merge_halves(n, &m);
	n->failure = verdict;
	for (unsigned h = 0; h < HALVES; h++) {
		drop_addrs(&n->halves[h]);
		if (verdict == RESOLVER_OK && is_unanswered(n->halves[h].state))
			n->failure = n->halves[h].state;
	}
	n->failures = is_unanswered(n->failure) ? n->failures + 1 : 0;
	if (verdict == RESOLVER_OK)
		end_good(n, &m);
	else if (is_unanswered(verdict))
		end_failed(n, verdict, &m);
	else
		end_negative(n, verdict);
}

/* The addresses of an answer, each once. False when memory is out. */
static bool take_addrs(struct resolver_half *half, const struct dnsmsg_answer *answer)
{
	half->addrs = alloc_get(answer->addr_count * sizeof *half->addrs);
	if (half->addrs == NULL)
		return false;
	for (unsigned i = 0; i < answer->addr_count; i++) {
		if (!contains(half->addrs, half->addr_count, &answer->addrs[i]))
			half->addrs[half->addr_count++] = answer->addrs[i];
	}
	return true;
}

static uint32_t ttl_from_answer(const struct dnsmsg_answer *a, uint32_t min_ms, uint32_t max_ms)
{
	/* RFC 2308 section 5: without SOA a negative answer is not to be cached. */
	if (!a->has_ttl)
		return min_ms;
	return clamp(a->ttl_s > UINT32_MAX / 1000 ? UINT32_MAX : a->ttl_s * 1000, min_ms, max_ms);
}

static void settle_half(struct resolver_name *n, struct resolver_half *half, enum dnsquery_end how,
			const struct dnsmsg_answer *answer)
{
	static const enum resolver_state states[] = {
		[DNSQUERY_OK] = RESOLVER_OK,	       [DNSQUERY_NXDOMAIN] = RESOLVER_NXDOMAIN,
		[DNSQUERY_NODATA] = RESOLVER_NODATA,   [DNSQUERY_SERVFAIL] = RESOLVER_SERVFAIL,
		[DNSQUERY_TIMEOUT] = RESOLVER_TIMEOUT,
	};
	const struct resolver_config *c = &n->resolver->config;

	half->state = states[how];
	if (half->state == RESOLVER_OK && !take_addrs(half, answer))
		half->state = RESOLVER_SERVFAIL;
	if (half->state == RESOLVER_OK) {
		half->ttl_ms = ttl_from_answer(answer, c->ttl_min_ms, c->ttl_max_ms);
		half->good_until_ms = loop_now_ms(n->resolver->pool.loop) + half->ttl_ms;
	} else if (!is_unanswered(half->state)) {
		half->ttl_ms = ttl_from_answer(answer, c->negative_min_ms, c->negative_max_ms);
	}
}

static void start_waiting(struct deferred *d);

static void on_answer(void *context, enum dnsmsg_type type, enum dnsquery_end how,
		      const struct dnsmsg_answer *answer)
{
	struct resolver_name *n = context;
	struct resolver *r = n->resolver;
	unsigned h = type == DNSMSG_A ? HALF_A : HALF_AAAA;

	n->halves[h].query = NULL;
	settle_half(n, &n->halves[h], how, answer);
	if (!list_is_empty(&r->waiting))
		loop_defer(r->pool.loop, &r->start, start_waiting);

	if (n->halves[HALVES - 1 - h].query == NULL)
		end_round(n);
	else if (n->halves[h].state == RESOLVER_OK)
		loop_timer_set(r->pool.loop, &n->timer, RESOLVER_DELAY_MS);
}

static void start_round(struct resolver_name *n)
{
	bool asked = false;

	for (unsigned h = 0; h < HALVES; h++) {
		struct resolver_half *half = &n->halves[h];

		half->state = RESOLVER_PENDING;
		half->query = dnsquery_start(&n->resolver->pool, n->name, half_kinds[h].type,
					     on_answer, n);
		if (half->query == NULL)
			half->state = RESOLVER_SERVFAIL;
		asked |= half->query != NULL;
	}
	if (!asked)
		end_round(n);
}

static void leave_line(struct resolver_name *n)
{
	if (!list_is_linked(&n->wait_node))
		return;
	list_remove(&n->wait_node);
	n->resolver->waiting_count--;
}

/* Starts the rounds of those in line, as far as queries may be started; tells about fixed names. */
static void start_waiting(struct deferred *d)
{
	struct resolver *r = LIST_OWNER(d, struct resolver, start);

	while (!list_is_empty(&r->waiting)) {
		struct resolver_name *n = LIST_OWNER(r->waiting.next, struct resolver_name,
						     wait_node);

		if (n->source == RESOLVER_DNS && dnsquery_pool_room(&r->pool) < HALVES)
			return;
		leave_line(n);
		if (n->source == RESOLVER_DNS)
			start_round(n);
		else
			n->on_change(n);
	}
}

static void enter_line(struct resolver_name *n)
{
	struct resolver *r = n->resolver;

	/* Fixed names need no query and so wait for none. */
	if (n->source == RESOLVER_DNS)
		list_push_back(&r->waiting, &n->wait_node);
	else
		list_push_front(&r->waiting, &n->wait_node);
	r->waiting_count++;
	loop_defer(r->pool.loop, &r->start, start_waiting);
}

static void on_timer(struct timer *t)
{
	struct resolver_name *n = LIST_OWNER(t, struct resolver_name, timer);
	struct merged m;

	if (n->halves[HALF_A].query == NULL && n->halves[HALF_AAAA].query == NULL) {
		enter_line(n);
		return;
	}
	/* The resolution delay is over: one half is good, the other still out. */
	merge_halves(n, &m);
	publish_good(n, &m);
}

/* The name's addresses in a list of entries; false when it has none there. */
static bool find_entries(struct span name, const struct hosts_entry *entries, size_t count,
			 struct merged *m)
{
	static const uint8_t families[] = {6, 4};

	for (unsigned f = 0; f < 2; f++) {
		for (size_t i = 0; i < count && m->count < RESOLVER_MAX_ADDRS; i++) {
			const struct addr *addr = &entries[i].addr;

			if (addr->family == families[f] && span_eq_nocase(entries[i].name, name) &&
			    !contains(m->addrs, m->count, addr))
				m->addrs[m->count++] = *addr;
		}
	}
	return m->count > 0;
}

static enum resolver_source find_source(const struct resolver *r, struct span name,
					struct merged *m)
{
	const struct resolver_config *c = &r->config;

	m->count = 0;
	if (addr_parse_ip(name, &m->addrs[0])) {
		m->count = 1;
		return RESOLVER_LITERAL;
	}
	if (find_entries(name, c->pins, c->pin_count, m))
		return RESOLVER_PINNED;
	if (find_entries(name, c->hosts, c->host_count, m))
		return RESOLVER_HOSTS;
	return RESOLVER_DNS;
}

/* Copies of the name in lower case and of its fixed addresses. */
static bool copy_name(struct resolver_name *n, struct span name, const struct merged *m)
{
	n->text = alloc_get(name.len);
	if (m->count > 0)
		n->addrs = alloc_get(m->count * sizeof *n->addrs);
	if (n->text == NULL || (m->count > 0 && n->addrs == NULL)) {
		alloc_put(n->text);
		alloc_put(n->addrs);
		n->text = NULL;
		n->addrs = NULL;
		return false;
	}
	for (size_t i = 0; i < name.len; i++)
		n->text[i] = ascii_to_lower(name.ptr[i]);
	n->name = span_of(n->text, name.len);
	if (m->count > 0) {
		memcpy(n->addrs, m->addrs, m->count * sizeof *n->addrs);
		n->addr_count = m->count;
		n->state = RESOLVER_OK;
	}
	return true;
}

static void or_default(uint32_t *value, uint32_t initial)
{
	if (*value == 0)
		*value = initial;
}

void resolver_init(struct resolver *r, struct loop *loop, const struct resolver_config *config)
{
	struct resolver_config *c = &r->config;

	*r = (struct resolver){.config = *config};
	or_default(&c->timeout_ms, RESOLVCONF_TIMEOUT_MS);
	or_default(&c->attempts, RESOLVCONF_ATTEMPTS);
	or_default(&c->max_in_flight, 64);
	or_default(&c->ttl_min_ms, 1000);
	or_default(&c->ttl_max_ms, 300 * 1000);
	or_default(&c->negative_min_ms, 1000);
	or_default(&c->negative_max_ms, 30 * 1000);
	or_default(&c->negative_confirm, 3);
	or_default(&c->retry_min_ms, 1000);
	or_default(&c->retry_max_ms, 30 * 1000);
	or_default(&c->stale_max_ms, 3600 * 1000);

	dnsquery_pool_init(&r->pool, loop, c->max_in_flight < HALVES ? HALVES : c->max_in_flight);
	r->pool.timeout_ms = c->timeout_ms;
	r->pool.attempts = c->attempts;
	r->pool.rotate = c->rotate;
	for (unsigned i = 0; i < c->server_count && i < DNSQUERY_MAX_SERVERS; i++) {
		struct addr *addr = &r->pool.servers[r->pool.server_count++].addr;

		*addr = c->servers[i];
		if (addr->port == 0)
			addr->port = RESOLVCONF_PORT;
	}
	list_init(&r->names);
	list_init(&r->waiting);
	loop_deferred_init(&r->start);
	r->jitter = clock_monotonic_us() | 1;
}

void resolver_fini(struct resolver *r)
{
	while (!list_is_empty(&r->names))
		resolver_unwatch(LIST_OWNER(r->names.next, struct resolver_name, node));
	loop_undefer(&r->start);
	dnsquery_pool_fini(&r->pool);
}

bool resolver_watch(struct resolver *r, struct resolver_name *n, struct span name,
		    void (*on_change)(struct resolver_name *n), struct error *e)
{
	struct span absolute = hostname_without_root(name);
	const char *problem = hostname_problem(absolute);
	struct merged m;

	*n = (struct resolver_name){.context = n->context, .on_change = on_change, .resolver = r};
	n->source = find_source(r, absolute, &m);
	if (n->source != RESOLVER_LITERAL && problem != NULL)
		return error_set(e, "no host name: %s", problem);
	if (!copy_name(n, absolute, &m))
		return error_set(e, "out of memory");
	list_init(&n->wait_node);
	timer_init(&n->timer, on_timer);
	list_push_back(&r->names, &n->node);
	r->watched++;
	enter_line(n);
	return true;
}

void resolver_unwatch(struct resolver_name *n)
{
	if (n->name.len == 0)
		return;
	for (unsigned h = 0; h < HALVES; h++) {
		dnsquery_cancel(n->halves[h].query);
		drop_addrs(&n->halves[h]);
	}
	timer_cancel(&n->timer);
	leave_line(n);
	list_remove(&n->node);
	n->resolver->watched--;
	if (!list_is_empty(&n->resolver->waiting))
		loop_defer(n->resolver->pool.loop, &n->resolver->start, start_waiting);
	alloc_put(n->addrs);
	alloc_put(n->text);
	*n = (struct resolver_name){.context = n->context};
}
