#include "../route/tables.h"

#include "net/guard.h"
#include "proxy/names.h"
#include "proxy/namespage.h"
#include "proxy/worker.h"
#include "sys/log.h"

static const char *const rows[] = {"a.default pinned.example 80:http,443:https",
				   "b.default 127.0.0.7 80:http",
				   "c.default nowhere.example 80:http", NULL};
static const struct hosts_entry pins[] = {
	{.name = {"pinned.example", 14}, .addr = {.family = 4, .bytes = {192, 0, 2, 1}}},
	{.name = {"pinned.example", 14},
	 .addr = {.family = 4, .port = 8080, .bytes = {127, 0, 0, 1}}},
};
static const struct guard guard;
static struct loop loop;
static struct resolver resolver;
static struct names names;
static struct generation *table;
static struct worker workers[2];
static struct namespage page;
static struct buf out;

static void setup(void)
{
	struct resolver_config settings = {.pins = pins, .pin_count = 2};
	struct error e;

	log_set_level(LOG_ERROR);
	memset(workers, 0, sizeof workers);
	memset(&names, 0, sizeof names);
	CHECK(loop_init(&loop, &e));
	resolver_init(&resolver, &loop, &settings);
	table = view_generation_new(tables_new(rows));
	CHECK(names_change(&names, &resolver, table->table, &e));
	page = (struct namespage){
		.names = &names,
		.table = table->table,
		.resolver = &resolver,
		.guard = &guard,
		.workers = workers,
		.worker_count = 2,
		.now_ms = 10000,
	};
	buf_init_heap(&out, 65536);
}

static void teardown(void)
{
	buf_fini(&out);
	names_stop(&names);
	resolver_fini(&resolver);
	loop_fini(&loop);
	view_generation_unref(table);
	log_set_level(LOG_INFO);
}

static void shows_names_with_what_is_held_against_their_addresses(void)
{
	struct addr https = pins[0].addr;

	setup();
	https.port = 443;
	addresses_failed(&workers[1].addresses, &https, 9500);
	namespage_print(&page, false, &out);
	CHECK_TEXT(buf_cstr(&out),
		   "127.0.0.7 ok literal ttl 0: 127.0.0.7 (denied_loopback)\n"
		   "nowhere.example pending dns ttl 0:\n"
		   "pinned.example ok pinned ttl 0: 192.0.2.1 (resting 1s), 127.0.0.1:8080\n");
	teardown();
}

static void shows_the_same_in_json(void)
{
	setup();
	addresses_failed(&workers[0].addresses, &pins[1].addr, 9900);
	namespage_print(&page, true, &out);
	CHECK_TEXT(
		buf_cstr(&out),
		"{\"name\":\"127.0.0.7\",\"state\":\"ok\",\"stale\":false,\"source\":\"literal\","
		"\"ttl\":0,\"addresses\":[{\"address\":\"127.0.0.7\",\"resting_ms\":0,"
		"\"verdict\":\"denied_loopback\"}]}\n"
		"{\"name\":\"nowhere.example\",\"state\":\"pending\",\"stale\":false,\"source\":"
		"\"dns\","
		"\"ttl\":0,\"addresses\":[]}\n"
		"{\"name\":\"pinned.example\",\"state\":\"ok\",\"stale\":false,\"source\":"
		"\"pinned\","
		"\"ttl\":0,\"addresses\":[{\"address\":\"192.0.2.1\",\"resting_ms\":0,"
		"\"verdict\":\"allowed\"},{\"address\":\"127.0.0.1:8080\",\"resting_ms\":900,"
		"\"verdict\":\"allowed\"}]}\n");
	teardown();
}

static void without_a_guard_nothing_is_denied(void)
{
	setup();
	page.guard = NULL;
	namespage_print(&page, false, &out);
	CHECK(strstr(buf_cstr(&out), "denied") == NULL);
	teardown();
}

static void counts_states_addresses_and_rests(void)
{
	static const char *const lines[] = {
		"\negressbox_names_by_state{state=\"ok\"} 2\n",
		"\negressbox_names_by_state{state=\"pending\"} 1\n",
		"\negressbox_names_by_state{state=\"nxdomain\"} 0\n",
		"\negressbox_names_stale 0\n",
		"\negressbox_name_addresses 3\n",
		"\negressbox_name_addresses_resting 1\n",
		"\negressbox_dns_queries_total 11\n",
		"\negressbox_dns_tcp_queries_total 4\n",
		"\negressbox_dns_timeouts_total 2\n",
		"\negressbox_dns_errors_total 3\n",
		"\negressbox_dns_ignored_total 5\n",
	};

	setup();
	addresses_failed(&workers[0].addresses, &pins[1].addr, 9900);
	resolver.pool.stats = (struct dnsquery_stats){
		.over_udp = 7, .over_tcp = 4, .timeouts = 2, .errors = 3, .ignored = 5};
	namespage_print_metrics(&page, &out);
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		CHECK_ROW(lines[i], strstr(buf_cstr(&out), lines[i]) != NULL);
	teardown();
}

UNIT_TESTS(TEST(shows_names_with_what_is_held_against_their_addresses),
	   TEST(shows_the_same_in_json), TEST(without_a_guard_nothing_is_denied),
	   TEST(counts_states_addresses_and_rests))
