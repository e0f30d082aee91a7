#include "../unit.h"

#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "ev/resolver.h"
#include "fakedns.h"

/* File scope, for longjmp leaves locals behind. */
static struct loop loop;
static struct resolver resolver;
static struct resolver_config config;
static struct fakedns server;
static struct resolver_name name;
static unsigned changes; /* calls of on_change for `name` */
static unsigned step;	 /* what the server answers now */
static unsigned fds_before;

static void on_change(struct resolver_name *n)
{
	CHECK(n->name.len > 0);
	changes++;
}

/* Times short enough for tests; a TTL of 60 seconds is drawn in to 40 ms. */
static void set_up(void (*answer)(struct fakedns *, const struct fakedns_query *))
{
	struct error e;

	fds_before = fakedns_open_fds();
	CHECK(loop_init(&loop, &e));
	fakedns_start(&server, &loop, answer);
	config = (struct resolver_config){
		.servers = {server.addr},
		.server_count = 1,
		.timeout_ms = FAKEDNS_NEVER_MS,
		.attempts = 1,
		.ttl_min_ms = 20,
		.ttl_max_ms = 40,
		.negative_min_ms = 20,
		.negative_max_ms = 40,
		.negative_confirm = 1,
		.retry_min_ms = 20,
		.retry_max_ms = 40,
	};
	name = (struct resolver_name){.context = &name};
	changes = 0;
	step = 0;
}

static void watch_name(const char *text)
{
	struct error e;

	CHECK(resolver_watch(&resolver, &name, span_from_cstr(text), on_change, &e));
	CHECK(name.context == &name);
	CHECK_INT(changes, 0);
}

static void start(const char *text)
{
	resolver_init(&resolver, &loop, &config);
	watch_name(text);
}

static void tear_down(void)
{
	alloc_fail_after(-1);
	resolver_fini(&resolver);
	CHECK_INT(resolver.watched, 0);
	CHECK_INT(resolver.waiting_count, 0);
	fakedns_stop(&server);
	loop_fini(&loop);
	CHECK_INT(fakedns_open_fds(), fds_before);
}

static const char *addrs_of(const struct resolver_name *n)
{
	static char text[RESOLVER_MAX_ADDRS * ADDR_TEXT_MAX];
	struct buf out;

	BUF_INIT_ARRAY(&out, text);
	for (unsigned i = 0; i < n->addr_count; i++) {
		if (i > 0)
			buf_add_byte(&out, ' ');
		addr_format(&n->addrs[i], &out);
	}
	return text;
}

static void run_until_changes(unsigned count)
{
	FAKEDNS_RUN_UNTIL(&loop, changes >= count);
	CHECK_INT(changes, count);
}

/* Until the server has been asked for both types `rounds` more times. */
static void run_rounds(unsigned rounds)
{
	unsigned a = server.asked_a + rounds, aaaa = server.asked_aaaa + rounds;

	FAKEDNS_RUN_UNTIL(&loop, server.asked_a >= a && server.asked_aaaa >= aaaa &&
					 resolver.pool.queries.in_use == 0);
}

static void publishes_both_families_at_once(void)
{
	set_up(fakedns_answer_both);
	start("Www.Example.COM.");
	CHECK_INT(name.state, RESOLVER_PENDING);
	CHECK_SPAN(name.name, "www.example.com");
	run_until_changes(1);
	CHECK_INT(name.state, RESOLVER_OK);
	CHECK_INT(name.source, RESOLVER_DNS);
	CHECK_TEXT(addrs_of(&name), "2001:db8::1 192.0.2.1");
	CHECK(!name.stale);
	CHECK_INT(name.failure, RESOLVER_OK);
	CHECK_INT(server.asked, 2);
	tear_down();
}

static void answer_only_v4(struct fakedns *f, const struct fakedns_query *q)
{
	struct fakedns_reply r;

	fakedns_begin(&r, q, FAKEDNS_NOERROR);
	if (q->type == DNSMSG_A)
		fakedns_add_addr(&r, NULL, 60, "192.0.2.1");
	else
		fakedns_add_soa(&r, 60);
	fakedns_send(f, q, &r);
}

static void one_family_is_enough(void)
{
	set_up(answer_only_v4);
	start("v4.example");
	run_until_changes(1);
	CHECK_TEXT(addrs_of(&name), "192.0.2.1");
	CHECK_INT(name.failure, RESOLVER_OK);
	tear_down();
}

static void asks_for_the_name_as_it_is_and_for_no_other(void)
{
	set_up(fakedns_answer_both);
	start("shop");
	run_until_changes(1);
	CHECK_INT(server.asked, 2);
	CHECK(span_eq_nocase(span_from_cstr(server.last.name), SPAN("shop")));
	tear_down();
}

static struct fakedns_query late;

static void answer_aaaa_late(struct fakedns *f, const struct fakedns_query *q)
{
	if (q->type == DNSMSG_A)
		fakedns_answer_both(f, q);
	else
		late = *q;
}

static void waits_for_the_other_family_no_longer_than_the_resolution_delay(void)
{
	uint64_t began = clock_monotonic_ms();

	set_up(answer_aaaa_late);
	start("slow.example");
	run_until_changes(1);
	CHECK(clock_monotonic_ms() - began >= RESOLVER_DELAY_MS);
	CHECK_INT(name.state, RESOLVER_OK);
	CHECK_TEXT(addrs_of(&name), "192.0.2.1");
	fakedns_answer_both(&server, &late);
	run_until_changes(2);
	CHECK_TEXT(addrs_of(&name), "2001:db8::1 192.0.2.1");
	tear_down();
}

static void a_family_that_stays_silent_does_not_hold_the_other_back(void)
{
	set_up(answer_aaaa_late);
	config.timeout_ms = FAKEDNS_SOON_MS;
	start("half.example");
	run_until_changes(1);
	CHECK_TEXT(addrs_of(&name), "192.0.2.1");
	/* Asked again, with nothing new to tell; what is missing can be seen. */
	run_rounds(3);
	CHECK_INT(changes, 1);
	CHECK_INT(name.state, RESOLVER_OK);
	CHECK_INT(name.failure, RESOLVER_TIMEOUT);
	CHECK(!name.stale);
	tear_down();
}

/* The same three addresses, each time in another order, one of them twice. */
static void answer_in_turn(struct fakedns *f, const struct fakedns_query *q)
{
	static const char *const texts[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3"};
	struct fakedns_reply r;

	fakedns_begin(&r, q, FAKEDNS_NOERROR);
	if (q->type == DNSMSG_A) {
		for (unsigned i = 0; i < 4; i++)
			fakedns_add_addr(&r, NULL, 60, texts[(i + f->asked / 2) % 3]);
	}
	fakedns_send(f, q, &r);
}

static void tells_only_of_changes(void)
{
	set_up(answer_in_turn);
	start("turn.example");
	run_until_changes(1);
	CHECK_INT(name.addr_count, 3);
	run_rounds(5);
	CHECK_INT(changes, 1);
	tear_down();
}

static void answer_by_step(struct fakedns *f, const struct fakedns_query *q)
{
	static const char *const sets[][2] = {
		{"192.0.2.1", "192.0.2.2"}, {"192.0.2.1", "192.0.2.3"}, {"192.0.2.1", NULL}};
	struct fakedns_reply r;

	fakedns_begin(&r, q, FAKEDNS_NOERROR);
	for (unsigned i = 0; i < 2 && q->type == DNSMSG_A; i++) {
		if (sets[step][i] != NULL)
			fakedns_add_addr(&r, NULL, 60, sets[step][i]);
	}
	fakedns_send(f, q, &r);
}

static void follows_the_servers_when_addresses_change(void)
{
	set_up(answer_by_step);
	start("flip.example");
	run_until_changes(1);
	CHECK_TEXT(addrs_of(&name), "192.0.2.1 192.0.2.2");
	step = 1;
	run_until_changes(2);
	CHECK_TEXT(addrs_of(&name), "192.0.2.1 192.0.2.3");
	step = 2;
	run_until_changes(3);
	CHECK_TEXT(addrs_of(&name), "192.0.2.1");
	tear_down();
}

static uint64_t asked_at_ms[2];

static void answer_for_a_second(struct fakedns *f, const struct fakedns_query *q)
{
	struct fakedns_reply r;

	if (q->type == DNSMSG_A && f->asked_a <= 2)
		asked_at_ms[f->asked_a - 1] = clock_monotonic_ms();
	fakedns_begin(&r, q, FAKEDNS_NOERROR);
	fakedns_add_addr(&r, NULL, 1, q->type == DNSMSG_A ? "192.0.2.1" : "2001:db8::1");
	fakedns_send(f, q, &r);
}

static void asks_again_shortly_before_the_ttl_ends(void)
{
	set_up(answer_for_a_second);
	config.ttl_min_ms = config.ttl_max_ms = 0;
	start("second.example");
	run_until_changes(1);
	CHECK_INT(name.ttl_s, 1);
	FAKEDNS_RUN_UNTIL(&loop, server.asked_a == 2);
	CHECK(asked_at_ms[1] - asked_at_ms[0] >= 800);
	/* In time, but for a machine that has other things to do. */
	CHECK(asked_at_ms[1] - asked_at_ms[0] < 3000);
	tear_down();
}

/* What the server says by `step`, and back. */
static void answer_state(struct fakedns *f, const struct fakedns_query *q)
{
	struct fakedns_reply r;

	switch ((enum resolver_state)step) {
	case RESOLVER_OK:
		fakedns_answer_both(f, q);
		break;
	case RESOLVER_NXDOMAIN:
	case RESOLVER_NODATA:
		fakedns_begin(&r, q, step == RESOLVER_NODATA ? FAKEDNS_NOERROR : FAKEDNS_NXDOMAIN);
		fakedns_add_soa(&r, 60);
		fakedns_send(f, q, &r);
		break;
	case RESOLVER_SERVFAIL:
		fakedns_answer_servfail(f, q);
		break;
	case RESOLVER_TIMEOUT:
	case RESOLVER_PENDING:
		break;
	}
}

static void tells_the_kinds_of_failure_apart_and_recovers_from_each(void)
{
	static const enum resolver_state states[] = {RESOLVER_NXDOMAIN, RESOLVER_NODATA,
						     RESOLVER_SERVFAIL, RESOLVER_TIMEOUT};

	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		const char *label = resolver_state_names[states[i]];

		set_up(answer_state);
		step = states[i];
		config.timeout_ms = FAKEDNS_SOON_MS;
		start("state.example");
		run_until_changes(1);
		CHECK_ROW(label, name.state == states[i]);
		CHECK_ROW(label, name.failure == states[i]);
		CHECK_ROW(label, name.addr_count == 0);
		/* The same again is nothing new. */
		run_rounds(2);
		CHECK_ROW(label, changes == 1);
		step = RESOLVER_OK;
		run_until_changes(2);
		CHECK_ROW(label, name.state == RESOLVER_OK);
		CHECK_ROW(label, name.failure == RESOLVER_OK);
		tear_down();
	}
}

/* A and AAAA disagree: `step` in tens is the answer for A, in ones for AAAA. */
static void answer_both_states(struct fakedns *f, const struct fakedns_query *q)
{
	unsigned both = step;

	step = q->type == DNSMSG_A ? both / 10 : both % 10;
	answer_state(f, q);
	step = both;
}

static void judges_both_halves_together(void)
{
	static const struct {
		enum resolver_state a, aaaa, together;
	} rows[] = {
		{RESOLVER_OK, RESOLVER_SERVFAIL, RESOLVER_OK},
		{RESOLVER_NXDOMAIN, RESOLVER_OK, RESOLVER_OK},
		{RESOLVER_NXDOMAIN, RESOLVER_NODATA, RESOLVER_NODATA},
		{RESOLVER_NXDOMAIN, RESOLVER_SERVFAIL, RESOLVER_NXDOMAIN},
		{RESOLVER_TIMEOUT, RESOLVER_NXDOMAIN, RESOLVER_NXDOMAIN},
		{RESOLVER_NODATA, RESOLVER_SERVFAIL, RESOLVER_SERVFAIL},
		{RESOLVER_NODATA, RESOLVER_TIMEOUT, RESOLVER_TIMEOUT},
		{RESOLVER_SERVFAIL, RESOLVER_TIMEOUT, RESOLVER_SERVFAIL},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		set_up(answer_both_states);
		step = rows[i].a * 10 + rows[i].aaaa;
		config.timeout_ms = FAKEDNS_SOON_MS;
		start("judge.example");
		run_until_changes(1);
		CHECK_INT(name.state, rows[i].together);
		tear_down();
	}
}

static void keeps_the_last_good_addresses_while_servers_fail(void)
{
	static const enum resolver_state failures[] = {RESOLVER_SERVFAIL, RESOLVER_TIMEOUT};

	for (size_t i = 0; i < 2; i++) {
		set_up(answer_state);
		step = RESOLVER_OK;
		config.timeout_ms = FAKEDNS_SOON_MS;
		start("stale.example");
		run_until_changes(1);
		step = failures[i];
		run_rounds(4);
		CHECK_INT(changes, 1);
		CHECK_INT(name.state, RESOLVER_OK);
		CHECK(name.stale);
		CHECK_INT(name.failure, failures[i]);
		CHECK_TEXT(addrs_of(&name), "2001:db8::1 192.0.2.1");
		step = RESOLVER_OK;
		FAKEDNS_RUN_UNTIL(&loop, !name.stale);
		CHECK_INT(changes, 1);
		tear_down();
	}
}

static void gives_up_stale_addresses_in_the_end(void)
{
	uint64_t began;

	set_up(answer_state);
	config.stale_max_ms = 300;
	step = RESOLVER_OK;
	start("stale.example");
	run_until_changes(1);
	step = RESOLVER_SERVFAIL;
	began = clock_monotonic_ms();
	run_until_changes(2);
	CHECK(clock_monotonic_ms() - began >= 100);
	CHECK_INT(name.state, RESOLVER_SERVFAIL);
	CHECK_INT(name.addr_count, 0);
	CHECK(!name.stale);
	tear_down();
}

static void keeps_the_addresses_of_the_one_family_that_fails(void)
{
	set_up(answer_both_states);
	step = RESOLVER_OK * 10 + RESOLVER_OK;
	start("mixed.example");
	run_until_changes(1);
	step = RESOLVER_OK * 10 + RESOLVER_SERVFAIL;
	run_rounds(3);
	CHECK_INT(changes, 1);
	CHECK_TEXT(addrs_of(&name), "2001:db8::1 192.0.2.1");
	/* An answer without addresses is an answer. */
	step = RESOLVER_OK * 10 + RESOLVER_NODATA;
	run_until_changes(2);
	CHECK_TEXT(addrs_of(&name), "192.0.2.1");
	tear_down();
}

static void believes_that_a_good_name_is_gone_only_when_told_several_times(void)
{
	unsigned asked;

	set_up(answer_state);
	config.negative_confirm = 3;
	step = RESOLVER_OK;
	start("gone.example");
	run_until_changes(1);
	run_rounds(1);
	step = RESOLVER_NXDOMAIN;
	run_rounds(2);
	CHECK_INT(changes, 1);
	CHECK(name.stale);
	CHECK_INT(name.failure, RESOLVER_NXDOMAIN);
	/* A good answer in between, and counting begins anew. */
	step = RESOLVER_OK;
	run_rounds(1);
	CHECK(!name.stale);
	step = RESOLVER_NXDOMAIN;
	asked = server.asked_a;
	run_until_changes(2);
	CHECK_INT(name.state, RESOLVER_NXDOMAIN);
	CHECK_INT(server.asked_a - asked, 3);
	tear_down();
}

static void asks_less_often_the_longer_servers_fail(void)
{
	unsigned asked;

	set_up(answer_state);
	config.retry_max_ms = 100000;
	step = RESOLVER_SERVFAIL;
	start("backoff.example");
	/* 20, 40, 80, 160, 320: no sixth within 400 ms, whatever the jitter. */
	FAKEDNS_RUN_FOR(&loop, 400);
	asked = server.asked_a;
	CHECK(asked >= 2);
	CHECK(asked <= 5);
	tear_down();
}

static void answer_by_aliases(struct fakedns *f, const struct fakedns_query *q)
{
	struct fakedns_reply r;

	fakedns_begin(&r, q, FAKEDNS_NOERROR);
	fakedns_add_alias(&r, NULL, 60, "\3cdn\7example");
	fakedns_add_alias(&r, "\3cdn\7example", 60, "\4edge\7example");
	if (step == 0)
		fakedns_add_addr(&r, "\4edge\7example", 60, "192.0.2.7");
	else
		fakedns_add_alias(&r, "\4edge\7example", 60, "\3cdn\7example");
	fakedns_send(f, q, &r);
}

static void follows_aliases_and_refuses_loops(void)
{
	set_up(answer_by_aliases);
	start("alias.example");
	run_until_changes(1);
	CHECK_TEXT(addrs_of(&name), "192.0.2.7");
	tear_down();

	set_up(answer_by_aliases);
	step = 1;
	start("alias.example");
	run_until_changes(1);
	CHECK_INT(name.state, RESOLVER_SERVFAIL);
	tear_down();
}

/* 200 addresses of each family, over TCP, beginning at another one each time. */
static void answer_with_hundreds(struct fakedns *f, const struct fakedns_query *q)
{
	struct fakedns_reply r;
	uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8};

	if (q->conn == NULL) {
		fakedns_answer_flags(f, q, FAKEDNS_TRUNCATED);
		return;
	}
	fakedns_begin(&r, q, FAKEDNS_NOERROR);
	for (unsigned i = 0; i < 200; i++) {
		bytes[3] = (uint8_t)((i + f->asked * 50) % 200);
		fakedns_record(&r, 0, NULL, q->type, 60, bytes, q->type == DNSMSG_A ? 4 : 16);
	}
	fakedns_send(f, q, &r);
}

static void keeps_the_same_few_of_hundreds_of_addresses(void)
{
	unsigned v4 = 0;

	set_up(answer_with_hundreds);
	start("many.example");
	run_until_changes(1);
	CHECK_INT(name.addr_count, RESOLVER_MAX_ADDRS);
	for (unsigned i = 0; i < name.addr_count; i++)
		v4 += name.addrs[i].family == 4;
	CHECK_INT(v4, RESOLVER_MAX_ADDRS / 2);
	run_rounds(4);
	CHECK_INT(changes, 1);
	tear_down();
}

static struct hosts_entry entry(const char *text, const char *ip)
{
	struct hosts_entry e = {.name = span_from_cstr(text)};

	CHECK(addr_parse_ip(span_from_cstr(ip), &e.addr));
	return e;
}

static void never_asks_for_what_is_known_already(void)
{
	static const struct {
		const char *name;
		enum resolver_source source;
		const char *addrs;
	} rows[] = {
		{"192.0.2.1", RESOLVER_LITERAL, "192.0.2.1"},
		{"2001:DB8::1", RESOLVER_LITERAL, "2001:db8::1"},
		{"pinned.example.", RESOLVER_PINNED, "2001:db8::5 192.0.2.5 192.0.2.6"},
		{"Hosts.Example", RESOLVER_HOSTS, "192.0.2.8"},
	};
	struct hosts_entry pins[] = {
		entry("PINNED.example", "192.0.2.5"), entry("other.example", "192.0.2.9"),
		entry("pinned.example", "192.0.2.6"), entry("pinned.example", "2001:db8::5"),
		entry("pinned.example", "192.0.2.5"),
	};
	struct hosts_entry hosts[] = {entry("pinned.example", "192.0.2.7"),
				      entry("hosts.example", "192.0.2.8")};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		set_up(fakedns_answer_both);
		config.pins = pins;
		config.pin_count = sizeof pins / sizeof pins[0];
		config.hosts = hosts;
		config.host_count = sizeof hosts / sizeof hosts[0];
		start(rows[i].name);
		CHECK_INT(name.state, RESOLVER_OK);
		CHECK_INT(name.source, rows[i].source);
		CHECK_TEXT(addrs_of(&name), rows[i].addrs);
		run_until_changes(1);
		FAKEDNS_RUN_FOR(&loop, 100);
		CHECK_INT(changes, 1);
		CHECK_INT(server.asked, 0);
		tear_down();
	}
}

static void refuses_what_is_no_name(void)
{
	static const char *const names[] = {"", ".", "a..b", "-a", "a b", "1.2.3.400", "a\x80.b"};
	struct error e;

	set_up(fakedns_answer_both);
	resolver_init(&resolver, &loop, &config);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		e.text[0] = '\0';
		CHECK_ROW(names[i], !resolver_watch(&resolver, &name, span_from_cstr(names[i]),
						    on_change, &e));
		CHECK_ROW(names[i], e.text[0] != '\0');
		resolver_unwatch(&name);
	}
	CHECK_INT(resolver.watched, 0);
	tear_down();
}

static struct resolver_name crowd[500];
static unsigned most_in_flight;

static void count_in_flight(struct loop *l)
{
	(void)l;
	if (resolver.pool.queries.in_use > most_in_flight)
		most_in_flight = (unsigned)resolver.pool.queries.in_use;
}

static void watch_crowd(void (*tell)(struct resolver_name *n))
{
	struct error e;
	char text[32];

	for (unsigned i = 0; i < sizeof crowd / sizeof crowd[0]; i++) {
		snprintf(text, sizeof text, "name-%u.example", i);
		CHECK(resolver_watch(&resolver, &crowd[i], span_from_cstr(text), tell, &e));
	}
}

static void a_crowd_of_names_waits_in_line(void)
{
	set_up(fakedns_answer_both);
	config.max_in_flight = 9;
	config.ttl_min_ms = config.ttl_max_ms = 100000;
	most_in_flight = 0;
	loop.end_of_turn = count_in_flight;
	start("first.example");
	watch_crowd(on_change);
	CHECK_INT(resolver.watched, 501);
	CHECK_INT(resolver.waiting_count, 501);
	run_until_changes(501);
	CHECK_INT(resolver.waiting_count, 0);
	CHECK(most_in_flight >= 8);
	CHECK(most_in_flight <= 9);
	tear_down();
}

static unsigned crowd_told;

/* Takes itself away, and the next one, and the one before. */
static void on_change_unwatch(struct resolver_name *n)
{
	size_t i = (size_t)(n - crowd);

	crowd_told++;
	resolver_unwatch(n);
	memset(n, 0xa5, sizeof *n);
	n->name.len = 0;
	if (i + 1 < sizeof crowd / sizeof crowd[0])
		resolver_unwatch(&crowd[i + 1]);
	if (i > 0)
		resolver_unwatch(&crowd[i - 1]);
}

static void names_can_be_taken_away_while_being_told_of(void)
{
	set_up(fakedns_answer_both);
	config.max_in_flight = 8;
	start("first.example");
	crowd_told = 0;
	watch_crowd(on_change_unwatch);
	FAKEDNS_RUN_UNTIL(&loop, resolver.watched == 1);
	CHECK(crowd_told >= 500 / 3);
	CHECK(crowd_told <= 500);
	tear_down();
}

static void names_can_be_taken_away_while_asked_for(void)
{
	set_up(fakedns_answer_nothing);
	start("away.example");
	FAKEDNS_RUN_UNTIL(&loop, server.asked == 2);
	resolver_unwatch(&name);
	CHECK_INT(name.name.len, 0);
	CHECK(name.context == &name);
	CHECK_INT(resolver.pool.queries.in_use, 0);
	resolver_unwatch(&name);
	CHECK_INT(changes, 0);

	/* Between rounds, in line, and in the resolution delay. */
	server.answer = answer_aaaa_late;
	watch_name("away.example");
	FAKEDNS_RUN_UNTIL(&loop, resolver.pool.stats.answers == 1);
	CHECK_INT(resolver.pool.queries.in_use, 1);
	resolver_unwatch(&name);
	watch_name("away.example");
	resolver_unwatch(&name);
	FAKEDNS_RUN_FOR(&loop, 100);
	CHECK_INT(changes, 0);
	CHECK_INT(server.asked, 4);
	tear_down();
}

static void ending_closes_everything_in_the_middle_of_a_query(void)
{
	set_up(fakedns_answer_nothing);
	config.max_in_flight = 16;
	start("end.example");
	watch_crowd(on_change);
	FAKEDNS_RUN_UNTIL(&loop, server.asked == 16);
	tear_down();
}

static void survives_every_failure_of_memory(void)
{
	struct error e;
	bool watched;

	for (int64_t n = 0; n < 12; n++) {
		set_up(fakedns_answer_both);
		resolver_init(&resolver, &loop, &config);
		alloc_fail_after(n);
		watched = resolver_watch(&resolver, &name, SPAN("memory.example"), on_change, &e);
		CHECK_INT(watched, n > 0);
		if (watched)
			FAKEDNS_RUN_FOR(&loop, 100);
		alloc_fail_after(-1);
		if (watched)
			FAKEDNS_RUN_UNTIL(&loop, name.state == RESOLVER_OK && name.addr_count == 2);
		tear_down();
	}
}

/* In steady state a round must not leave anything behind. */
static void a_round_frees_what_it_takes(void)
{
	set_up(answer_in_turn);
	start("steady.example");
	run_rounds(20);
	CHECK_INT(changes, 1);
	resolver_unwatch(&name);
	CHECK(name.addrs == NULL);
	CHECK_INT(resolver.pool.queries.in_use, 0);
	tear_down();
}

static void without_servers_the_state_says_so(void)
{
	set_up(fakedns_answer_both);
	config.server_count = 0;
	start("none.example");
	run_until_changes(1);
	CHECK_INT(name.state, RESOLVER_SERVFAIL);
	tear_down();
}

static pid_t dnsmasq_pid;

/* Runs dnsmasq on the port that `server` had; false when it is not installed. */
static bool start_dnsmasq(const char *hosts_path)
{
	static const char *const places[] = {"/usr/sbin/dnsmasq", "/usr/bin/dnsmasq"};
	char port[32], hosts[128];
	char *argv[] = {(char[]){"dnsmasq"},
			(char[]){"--keep-in-foreground"},
			(char[]){"--conf-file=/dev/null"},
			(char[]){"--no-resolv"},
			(char[]){"--no-hosts"},
			(char[]){"--pid-file="},
			(char[]){"--user="},
			(char[]){"--listen-address=127.0.0.1"},
			(char[]){"--bind-interfaces"},
			(char[]){"--local=/example/"},
			(char[]){"--local-ttl=1"},
			(char[]){"--cname=alias.example,one.example"},
			port,
			hosts,
			NULL};

	snprintf(port, sizeof port, "--port=%u", server.addr.port);
	snprintf(hosts, sizeof hosts, "--addn-hosts=%s", hosts_path);
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		if (access(places[i], X_OK) == 0)
			return posix_spawn(&dnsmasq_pid, places[i], NULL, NULL, argv, environ) == 0;
	}
	return false;
}

static void write_hosts(char *path)
{
	int fd = mkstemp(path);
	struct error e;
	char text[64];

	CHECK(fd != -1);
	CHECK(fd_write_all(fd, SPAN("192.0.2.1 one.example v4.example\n2001:db8::1 one.example\n"),
			   &e));
	for (unsigned i = 1; i <= 100; i++) {
		snprintf(text, sizeof text, "198.51.100.%u many.example\n", i);
		CHECK(fd_write_all(fd, span_from_cstr(text), &e));
	}
	fd_close(&fd);
	CHECK(chmod(path, 0644) == 0);
}

static const struct {
	const char *name;
	enum resolver_state state;
	const char *addrs; /* NULL: as many as there is room for */
} dnsmasq_rows[] = {
	{"one.example", RESOLVER_OK, "2001:db8::1 192.0.2.1"},
	{"v4.example", RESOLVER_OK, "192.0.2.1"},
	{"alias.example", RESOLVER_OK, "2001:db8::1 192.0.2.1"},
	{"nowhere.example", RESOLVER_NXDOMAIN, ""},
	{"many.example", RESOLVER_OK, NULL},
};

enum { DNSMASQ_ROWS = sizeof dnsmasq_rows / sizeof dnsmasq_rows[0] };

static void on_change_nothing(struct resolver_name *n)
{
	(void)n;
}

static bool dnsmasq_has_answered_all(void)
{
	for (unsigned i = 0; i < DNSMASQ_ROWS; i++) {
		if (crowd[i].state != dnsmasq_rows[i].state)
			return false;
	}
	return true;
}

static void agrees_with_dnsmasq(void)
{
	char path[] = "/tmp/test_resolver.XXXXXX";
	struct error e;

	set_up(fakedns_answer_nothing);
	config.timeout_ms = 1000;
	config.ttl_min_ms = config.ttl_max_ms = 0;
	fakedns_stop(&server); /* its port is free now, and dnsmasq's */
	resolver_init(&resolver, &loop, &config);
	write_hosts(path);
	if (!start_dnsmasq(path)) {
		unlink(path);
		resolver_fini(&resolver);
		loop_fini(&loop);
		unit_skip("dnsmasq is not installed");
	}
	/* Until it listens, queries are refused and tried again. */
	for (unsigned i = 0; i < DNSMASQ_ROWS; i++)
		CHECK(resolver_watch(&resolver, &crowd[i], span_from_cstr(dnsmasq_rows[i].name),
				     on_change_nothing, &e));
	FAKEDNS_RUN_UNTIL(&loop, dnsmasq_has_answered_all());
	kill(dnsmasq_pid, SIGKILL);
	waitpid(dnsmasq_pid, NULL, 0);
	unlink(path);
	for (unsigned i = 0; i < DNSMASQ_ROWS; i++) {
		const char *addrs = dnsmasq_rows[i].addrs;

		if (addrs == NULL)
			CHECK_INT(crowd[i].addr_count, RESOLVER_MAX_ADDRS);
		else
			CHECK_TEXT(addrs_of(&crowd[i]), addrs);
		CHECK_INT(crowd[i].ttl_s, crowd[i].state == RESOLVER_OK ? 1 : 0);
	}
	CHECK(resolver.pool.stats.over_tcp >= 1);
	resolver_fini(&resolver);
	loop_fini(&loop);
	CHECK_INT(fakedns_open_fds(), fds_before);
}

UNIT_TESTS(TEST(publishes_both_families_at_once), TEST(one_family_is_enough),
	   TEST(asks_for_the_name_as_it_is_and_for_no_other),
	   TEST(waits_for_the_other_family_no_longer_than_the_resolution_delay),
	   TEST(a_family_that_stays_silent_does_not_hold_the_other_back),
	   TEST(tells_only_of_changes), TEST(follows_the_servers_when_addresses_change),
	   TEST(asks_again_shortly_before_the_ttl_ends),
	   TEST(tells_the_kinds_of_failure_apart_and_recovers_from_each),
	   TEST(judges_both_halves_together),
	   TEST(keeps_the_last_good_addresses_while_servers_fail),
	   TEST(gives_up_stale_addresses_in_the_end),
	   TEST(keeps_the_addresses_of_the_one_family_that_fails),
	   TEST(believes_that_a_good_name_is_gone_only_when_told_several_times),
	   TEST(asks_less_often_the_longer_servers_fail), TEST(follows_aliases_and_refuses_loops),
	   TEST(keeps_the_same_few_of_hundreds_of_addresses),
	   TEST(never_asks_for_what_is_known_already), TEST(refuses_what_is_no_name),
	   TEST(a_crowd_of_names_waits_in_line), TEST(names_can_be_taken_away_while_being_told_of),
	   TEST(names_can_be_taken_away_while_asked_for),
	   TEST(ending_closes_everything_in_the_middle_of_a_query),
	   TEST(survives_every_failure_of_memory), TEST(a_round_frees_what_it_takes),
	   TEST(without_servers_the_state_says_so), TEST(agrees_with_dnsmasq))
