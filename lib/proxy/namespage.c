#include "proxy/namespage.h"

#include "net/guard.h"
#include "proxy/metrics.h"
#include "proxy/names.h"
#include "proxy/worker.h"

/* One name, and the targets that it is for. */
struct entry {
	const struct resolver_name *name;
	const uint32_t *targets;
	size_t target_count;
};

static struct entry entry_at(const struct namespage *p, size_t index)
{
	struct entry e;

	e.name = names_at(p->names, index, &e.targets, &e.target_count);
	return e;
}

/* The longest rest that any worker gives the address, on any port that the name is called on. */
static uint64_t rest_ms(const struct namespage *p, const struct entry *e, const struct addr *addr)
{
	uint64_t longest = 0;

	for (size_t i = 0; i < e->target_count * p->worker_count; i++) {
		struct addr a = *addr;
		uint64_t ms;

		if (a.port == 0)
			a.port = p->table->targets[e->targets[i / p->worker_count]].port;
		ms = addresses_rest_ms(&p->workers[i % p->worker_count].addresses, &a, p->now_ms);
		longest = ms > longest ? ms : longest;
	}
	return longest;
}

static enum guard_verdict judge(const struct namespage *p, const struct entry *e,
				const struct addr *addr)
{
	if (p->guard == NULL || e->name->source == RESOLVER_PINNED)
		return GUARD_ALLOWED;
	return guard_judge(p->guard, addr);
}

static void add_address(const struct namespage *p, const struct entry *e, const struct addr *addr,
			bool json, struct buf *out)
{
	enum guard_verdict verdict = judge(p, e, addr);
	uint64_t rest = rest_ms(p, e, addr);

	buf_add_cstr(out, json ? "{\"address\":\"" : " ");
	addr_format(addr, out);
	if (json) {
		buf_printf(out, "\",\"resting_ms\":%llu,\"verdict\":\"%s\"}",
			   (unsigned long long)rest, guard_verdict_names[verdict]);
		return;
	}
	if (verdict != GUARD_ALLOWED)
		buf_printf(out, " (%s)", guard_verdict_names[verdict]);
	else if (rest > 0)
		buf_printf(out, " (resting %llus)", (unsigned long long)((rest + 999) / 1000));
}

static void add_name(const struct namespage *p, const struct entry *e, bool json, struct buf *out)
{
	const struct resolver_name *n = e->name;

	buf_printf(out,
		   json ? "{\"name\":\"%.*s\",\"state\":\"%s\",\"stale\":%s,\"source\":\"%s\","
			  "\"ttl\":%u,\"addresses\":["
			: "%.*s %s%s %s ttl %u:",
		   SPAN_ARG(n->name), resolver_state_names[n->state],
		   json ? (n->stale ? "true" : "false") : (n->stale ? " (stale)" : ""),
		   resolver_source_names[n->source], n->ttl_s);
	for (unsigned i = 0; i < n->addr_count; i++) {
		if (i > 0)
			buf_add_byte(out, ',');
		add_address(p, e, &n->addrs[i], json, out);
	}
	buf_add_cstr(out, json ? "]}\n" : "\n");
}

void namespage_print(const struct namespage *p, bool json, struct buf *out)
{
	for (size_t i = 0; i < p->names->count; i++) {
		struct entry e = entry_at(p, i);

		add_name(p, &e, json, out);
	}
}

void namespage_print_metrics(const struct namespage *p, struct buf *out)
{
	const struct dnsquery_stats *stats = &p->resolver->pool.stats;
	uint64_t states[RESOLVER_TIMEOUT + 1] = {0}, stale = 0, known = 0, resting = 0;

	for (size_t i = 0; i < p->names->count; i++) {
		struct entry e = entry_at(p, i);

		states[e.name->state]++;
		stale += e.name->stale;
		known += e.name->addr_count;
		for (unsigned k = 0; k < e.name->addr_count; k++)
			resting += rest_ms(p, &e, &e.name->addrs[k]) > 0;
	}
	metrics_print_head("names_by_state", "gauge",
			   "External names, by the state of their answer.", out);
	for (size_t s = 0; s < sizeof states / sizeof states[0]; s++)
		buf_printf(out, METRICS_PREFIX "names_by_state{state=\"%s\"} %llu\n",
			   resolver_state_names[s], (unsigned long long)states[s]);
	metrics_print_one("names_stale", "gauge",
			  "External names whose addresses have outlived their TTL.", stale, out);
	metrics_print_one("name_addresses", "gauge", "Addresses known of external names.", known,
			  out);
	metrics_print_one("name_addresses_resting", "gauge",
			  "Those of them that a worker gives a rest now.", resting, out);
	metrics_print_one("dns_queries_total", "counter", "Questions sent to name servers.",
			  stats->over_udp + stats->over_tcp, out);
	metrics_print_one("dns_tcp_queries_total", "counter", "Those of them sent over TCP.",
			  stats->over_tcp, out);
	metrics_print_one("dns_timeouts_total", "counter",
			  "Questions that a name server did not answer in time.", stats->timeouts,
			  out);
	metrics_print_one("dns_errors_total", "counter",
			  "Answers of name servers that were errors or malformed.", stats->errors,
			  out);
	metrics_print_one("dns_ignored_total", "counter",
			  "Datagrams that did not answer the question.", stats->ignored, out);
}
