#include "../unit.h"

#include "base/alloc.h"
#include "ev/dnsquery.h"
#include "fakedns.h"

struct outcome {
	unsigned ended;
	enum dnsquery_end how;
	enum dnsmsg_type type;
	unsigned addr_count;
	uint32_t ttl_s;
};

/* One pool and up to three servers; file scope, for longjmp leaves locals behind. */
static struct loop loop;
static struct dnsquery_pool pool;
static struct fakedns servers[3];
static struct outcome outcome;
static unsigned fds_before;
static unsigned step; /* of what the server does, for servers that do one thing after another */

static void on_end(void *context, enum dnsmsg_type type, enum dnsquery_end how,
		   const struct dnsmsg_answer *answer)
{
	struct outcome *o = context;

	o->ended++;
	o->how = how;
	o->type = type;
	o->addr_count = answer != NULL ? answer->addr_count : 0;
	o->ttl_s = answer != NULL ? answer->ttl_s : 0;
}

static void add_server(unsigned i, void (*answer)(struct fakedns *, const struct fakedns_query *))
{
	fakedns_start(&servers[i], &loop, answer);
	pool.servers[pool.server_count++].addr = servers[i].addr;
}

static void set_up(void)
{
	struct error e;

	fds_before = fakedns_open_fds();
	CHECK(loop_init(&loop, &e));
	dnsquery_pool_init(&pool, &loop, 4);
	pool.timeout_ms = FAKEDNS_NEVER_MS;
	pool.attempts = 2;
	step = 0;
}

/* No descriptor, no query and no timer must be left. */
static void tear_down(void)
{
	CHECK_INT(dnsquery_pool_room(&pool), 4);
	dnsquery_pool_fini(&pool);
	for (unsigned i = 0; i < 3; i++) {
		if (servers[i].loop != NULL)
			fakedns_stop(&servers[i]);
		servers[i].loop = NULL;
	}
	loop_fini(&loop);
	CHECK_INT(fakedns_open_fds(), fds_before);
}

static struct dnsquery *ask(void)
{
	struct dnsquery *q;

	outcome = (struct outcome){0};
	q = dnsquery_start(&pool, SPAN("www.example.com"), DNSMSG_A, on_end, &outcome);
	CHECK(q != NULL);
	CHECK_INT(outcome.ended, 0);
	return q;
}

static void ask_and_wait(void)
{
	ask();
	FAKEDNS_RUN_UNTIL(&loop, outcome.ended > 0);
	CHECK_INT(outcome.ended, 1);
	CHECK_INT(outcome.type, DNSMSG_A);
}

static void brings_the_answer(void)
{
	set_up();
	add_server(0, fakedns_answer_both);
	ask_and_wait();
	CHECK_INT(outcome.how, DNSQUERY_OK);
	CHECK_INT(outcome.addr_count, 1);
	CHECK_INT(outcome.ttl_s, 60);
	CHECK_INT(servers[0].asked, 1);
	CHECK(servers[0].last.edns);
	CHECK(span_eq_nocase(span_from_cstr(servers[0].last.name), SPAN("www.example.com")));
	CHECK_INT(pool.stats.over_udp, 1);
	CHECK_INT(pool.stats.answers, 1);
	tear_down();
}

static void answer_nxdomain(struct fakedns *f, const struct fakedns_query *q)
{
	struct fakedns_reply r;

	fakedns_begin(&r, q, FAKEDNS_NXDOMAIN);
	fakedns_add_soa(&r, 17);
	fakedns_send(f, q, &r);
}

static void believes_the_first_server_that_there_is_no_such_name(void)
{
	set_up();
	add_server(0, answer_nxdomain);
	add_server(1, fakedns_answer_both);
	ask_and_wait();
	CHECK_INT(outcome.how, DNSQUERY_NXDOMAIN);
	CHECK_INT(outcome.ttl_s, 17);
	CHECK_INT(servers[1].asked, 0);
	tear_down();
}

static void each_query_has_its_own_port_id_and_capitals(void)
{
	enum { COUNT = 16 };
	unsigned same_port = 0, same_id = 0, same_name = 0;
	struct fakedns_query before;

	set_up();
	add_server(0, fakedns_answer_both);
	ask_and_wait();
	for (unsigned i = 0; i < COUNT; i++) {
		before = servers[0].last;
		ask_and_wait();
		same_port += before.from.sin_port == servers[0].last.from.sin_port;
		same_id += before.id == servers[0].last.id;
		same_name += strcmp(before.name, servers[0].last.name) == 0;
	}
	/* Chance makes one of them equal now and then; half of them, never. */
	CHECK(same_port < COUNT / 2);
	CHECK(same_id < COUNT / 2);
	CHECK(same_name < COUNT / 2);
	tear_down();
}

/* Another id, another name, another type, no response at all; then the answer. */
static void answer_wrongly_first(struct fakedns *f, const struct fakedns_query *q)
{
	struct fakedns_reply r;

	for (unsigned wrong = 0; wrong < 5; wrong++) {
		fakedns_begin(&r, q, wrong == 3 ? 0x0100 : FAKEDNS_NOERROR);
		r.bytes[0] ^= wrong == 0;
		r.bytes[13] ^= wrong == 1;
		r.bytes[q->question_end - 3] ^= wrong == 2 ? 28 ^ 1 : 0;
		fakedns_add_addr(&r, NULL, 60, "198.51.100.66");
		fakedns_add_addr(&r, NULL, 60, "198.51.100.67");
		fakedns_send_bytes(f, q, r.bytes, wrong == 4 ? 0 : r.len);
	}
	fakedns_answer_both(f, q);
}

static void ignores_what_does_not_answer_the_question(void)
{
	set_up();
	add_server(0, answer_wrongly_first);
	ask_and_wait();
	CHECK_INT(outcome.how, DNSQUERY_OK);
	CHECK_INT(outcome.addr_count, 1);
	CHECK_INT(pool.stats.ignored, 5);
	CHECK_INT(servers[0].asked, 1);
	tear_down();
}

static void answer_with_a_flood_first(struct fakedns *f, const struct fakedns_query *q)
{
	struct fakedns_reply r;

	if (f->asked > 1) {
		fakedns_answer_both(f, q);
		return;
	}
	fakedns_begin(&r, q, FAKEDNS_NOERROR);
	r.bytes[0] ^= 1;
	for (unsigned i = 0; i < DNSQUERY_MAX_IGNORED; i++)
		fakedns_send(f, q, &r);
}

static void leaves_a_socket_where_someone_is_guessing(void)
{
	set_up();
	add_server(0, answer_with_a_flood_first);
	ask_and_wait();
	CHECK_INT(outcome.how, DNSQUERY_OK);
	CHECK_INT(pool.stats.ignored, DNSQUERY_MAX_IGNORED);
	CHECK_INT(servers[0].asked, 2);
	tear_down();
}

static void asks_the_next_server_when_one_is_silent_and_then_that_first(void)
{
	set_up();
	pool.timeout_ms = FAKEDNS_SOON_MS;
	add_server(0, fakedns_answer_nothing);
	add_server(1, fakedns_answer_both);
	ask_and_wait();
	CHECK_INT(outcome.how, DNSQUERY_OK);
	CHECK_INT(servers[0].asked, 1);
	CHECK_INT(servers[1].asked, 1);
	CHECK_INT(pool.stats.timeouts, 1);
	ask_and_wait();
	CHECK_INT(servers[0].asked, 1);
	CHECK_INT(servers[1].asked, 2);
	tear_down();
}

static void asks_the_next_server_at_once_when_one_is_not_there(void)
{
	set_up();
	pool.servers[pool.server_count++].addr = fakedns_dead_port();
	add_server(0, fakedns_answer_both);
	ask_and_wait();
	CHECK_INT(outcome.how, DNSQUERY_OK);
	CHECK_INT(pool.stats.timeouts, 1);
	tear_down();
}

static void asks_the_next_server_at_once_after_an_error_and_that_one_never_again(void)
{
	set_up();
	pool.timeout_ms = FAKEDNS_SOON_MS;
	add_server(0, fakedns_answer_servfail);
	add_server(1, fakedns_answer_nothing);
	ask_and_wait();
	CHECK_INT(outcome.how, DNSQUERY_SERVFAIL);
	CHECK_INT(servers[0].asked, 1);
	CHECK_INT(servers[1].asked, 2);
	CHECK_INT(pool.stats.errors, 1);
	tear_down();
}

static void ends_when_all_servers_have_failed(void)
{
	set_up();
	add_server(0, fakedns_answer_servfail);
	add_server(1, fakedns_answer_servfail);
	ask_and_wait();
	CHECK_INT(outcome.how, DNSQUERY_SERVFAIL);
	CHECK_INT(servers[0].asked + servers[1].asked, 2);
	tear_down();
}

static void tells_silence_from_errors(void)
{
	uint64_t began = clock_monotonic_ms();

	set_up();
	pool.timeout_ms = FAKEDNS_SOON_MS;
	add_server(0, fakedns_answer_nothing);
	add_server(1, fakedns_answer_nothing);
	ask_and_wait();
	CHECK_INT(outcome.how, DNSQUERY_TIMEOUT);
	CHECK_INT(servers[0].asked, 2);
	CHECK_INT(servers[1].asked, 2);
	CHECK(clock_monotonic_ms() - began >= 4 * pool.timeout_ms);
	tear_down();
}

static void tells_servers_that_are_not_there_from_errors(void)
{
	set_up();
	pool.servers[pool.server_count++].addr = fakedns_dead_port();
	ask_and_wait();
	CHECK_INT(outcome.how, DNSQUERY_TIMEOUT);
	tear_down();
}

static void without_a_server_there_is_no_answer(void)
{
	set_up();
	ask_and_wait();
	CHECK_INT(outcome.how, DNSQUERY_SERVFAIL);
	tear_down();
}

static void begins_at_another_server_each_time_if_told_so(void)
{
	set_up();
	pool.rotate = true;
	add_server(0, fakedns_answer_both);
	add_server(1, fakedns_answer_both);
	for (unsigned i = 0; i < 4; i++)
		ask_and_wait();
	CHECK_INT(servers[0].asked, 2);
	CHECK_INT(servers[1].asked, 2);
	tear_down();
}

static void answer_truncated(struct fakedns *f, const struct fakedns_query *q)
{
	struct fakedns_reply r;

	if (q->conn == NULL) {
		fakedns_answer_flags(f, q, FAKEDNS_TRUNCATED);
		return;
	}
	fakedns_begin(&r, q, FAKEDNS_NOERROR);
	for (unsigned i = 0; i < 200; i++)
		fakedns_record(&r, 0, NULL, 1, 60, (uint8_t[]){10, 0, 0, (uint8_t)i}, 4);
	fakedns_send(f, q, &r);
}

static void asks_over_tcp_when_the_answer_is_truncated(void)
{
	set_up();
	add_server(0, answer_truncated);
	ask_and_wait();
	CHECK_INT(outcome.how, DNSQUERY_OK);
	CHECK_INT(outcome.addr_count, 200);
	CHECK_INT(servers[0].asked_tcp, 1);
	CHECK_INT(pool.stats.over_tcp, 1);
	tear_down();
}

static void reads_an_answer_that_comes_byte_by_byte(void)
{
	static const size_t chunks[] = {1, 2, 3, 1000};

	for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
		set_up();
		add_server(0, answer_truncated);
		servers[0].tcp_chunk = chunks[i];
		ask_and_wait();
		CHECK_INT(outcome.how, DNSQUERY_OK);
		CHECK_INT(outcome.addr_count, 200);
		tear_down();
	}
}

static void answer_with_64_kib(struct fakedns *f, const struct fakedns_query *q)
{
	static const uint8_t text[65535];
	struct fakedns_reply r;

	if (q->conn == NULL) {
		fakedns_answer_flags(f, q, FAKEDNS_TRUNCATED);
		return;
	}
	fakedns_begin(&r, q, FAKEDNS_NOERROR);
	fakedns_add_addr(&r, NULL, 60, "192.0.2.1");
	fakedns_record(&r, 0, NULL, 16, 60, text, sizeof r.bytes - r.len - 12);
	fakedns_send(f, q, &r);
}

static void takes_the_longest_answer_there_is(void)
{
	set_up();
	add_server(0, answer_with_64_kib);
	ask_and_wait();
	CHECK_INT(outcome.how, DNSQUERY_OK);
	CHECK_INT(outcome.addr_count, 1);
	tear_down();
}

/* What goes wrong over TCP, by `step`. */
static void answer_badly_over_tcp(struct fakedns *f, const struct fakedns_query *q)
{
	struct fakedns_reply r;

	fakedns_begin(&r, q, q->conn == NULL || step == 0 ? FAKEDNS_TRUNCATED : FAKEDNS_NOERROR);
	if (q->conn == NULL) {
		fakedns_send(f, q, &r);
		return;
	}
	switch (step) {
	case 0: /* truncated again */
		fakedns_send(f, q, &r);
		break;
	case 1: /* closed without an answer */
		fakedns_close_conn(q->conn);
		break;
	case 2: /* another id, and there is nothing else to wait for */
		r.bytes[0] ^= 1;
		fakedns_send(f, q, &r);
		break;
	case 3: /* a length of zero */
		fakedns_send_bytes(f, q, r.bytes, 0);
		break;
	case 4: /* closed in the middle */
		if (send(q->conn->fd, "\0\x40half", 6, MSG_NOSIGNAL) != 6)
			abort();
		fakedns_close_conn(q->conn);
		break;
	}
}

static void gives_up_a_server_that_fails_over_tcp(void)
{
	for (unsigned i = 0; i < 5; i++) {
		set_up();
		step = i;
		add_server(0, answer_badly_over_tcp);
		add_server(1, fakedns_answer_both);
		ask_and_wait();
		CHECK_INT(outcome.how, DNSQUERY_OK);
		CHECK_INT(servers[0].asked_tcp, 1);
		CHECK_INT(servers[1].asked, 1);
		CHECK_INT(pool.stats.errors, 1);
		tear_down();
	}
}

static void answer_truncated_and_leave_tcp(struct fakedns *f, const struct fakedns_query *q)
{
	loop_remove(f->loop, &f->tcp);
	fd_close(&f->tcp_fd);
	fakedns_answer_flags(f, q, FAKEDNS_TRUNCATED);
}

static void gives_up_a_server_without_tcp(void)
{
	set_up();
	add_server(0, answer_truncated_and_leave_tcp);
	ask_and_wait();
	CHECK_INT(outcome.how, DNSQUERY_SERVFAIL);
	CHECK_INT(servers[0].asked, 1);
	tear_down();
}

static void answer_truncated_then_nothing(struct fakedns *f, const struct fakedns_query *q)
{
	if (q->conn == NULL)
		fakedns_answer_flags(f, q, FAKEDNS_TRUNCATED);
}

static void silence_over_tcp_ends_as_well(void)
{
	set_up();
	pool.timeout_ms = FAKEDNS_SOON_MS;
	add_server(0, answer_truncated_then_nothing);
	ask_and_wait();
	CHECK_INT(outcome.how, DNSQUERY_TIMEOUT);
	CHECK_INT(servers[0].asked_tcp, 2);
	tear_down();
}

static void fails_softly_without_memory_for_a_long_answer(void)
{
	set_up();
	add_server(0, answer_truncated);
	ask();
	alloc_fail_after(0);
	FAKEDNS_RUN_UNTIL(&loop, outcome.ended > 0);
	alloc_fail_after(-1);
	CHECK_INT(outcome.how, DNSQUERY_SERVFAIL);
	tear_down();
}

static void answer_in_lower_case(struct fakedns *f, const struct fakedns_query *q)
{
	struct fakedns_reply r;

	fakedns_begin(&r, q, FAKEDNS_NOERROR);
	for (size_t i = 12; i < q->question_end - 5; i++)
		r.bytes[i] = (uint8_t)(r.bytes[i] >= 'A' && r.bytes[i] <= 'Z' ? r.bytes[i] + 32
									      : r.bytes[i]);
	fakedns_add_addr(&r, NULL, 60, "192.0.2.1");
	fakedns_send(f, q, &r);
}

static void learns_that_a_server_folds_case(void)
{
	set_up();
	add_server(0, answer_in_lower_case);
	for (unsigned i = 0; i < 20; i++) {
		ask_and_wait();
		CHECK_INT(outcome.how, DNSQUERY_OK);
	}
	/* Once too often at most: thirteen letters are all lower by chance one time in 8192. */
	CHECK(servers[0].asked <= 21);
	CHECK(pool.servers[0].folds_case);
	CHECK_TEXT(servers[0].last.name, "www.example.com");
	tear_down();
}

static void answer_only_without_edns(struct fakedns *f, const struct fakedns_query *q)
{
	static const uint8_t zeroes[10];
	uint8_t formerr[12];

	if (!q->edns) {
		fakedns_answer_both(f, q);
		return;
	}
	/* Not even the question comes back, as from servers of old. */
	endian_put_be16(formerr, q->id);
	memcpy(formerr + 2, zeroes, sizeof zeroes);
	endian_put_be16(formerr + 2, FAKEDNS_FORMERR);
	fakedns_send_bytes(f, q, formerr, sizeof formerr);
}

static void learns_that_a_server_knows_no_edns(void)
{
	set_up();
	add_server(0, answer_only_without_edns);
	ask_and_wait();
	CHECK_INT(outcome.how, DNSQUERY_OK);
	CHECK_INT(servers[0].asked, 2);
	ask_and_wait();
	CHECK_INT(servers[0].asked, 3);
	tear_down();
}

static void answer_format_error(struct fakedns *f, const struct fakedns_query *q)
{
	fakedns_answer_flags(f, q, FAKEDNS_FORMERR);
}

static void a_server_that_knows_no_question_at_all_is_given_up(void)
{
	set_up();
	add_server(0, answer_format_error);
	ask_and_wait();
	CHECK_INT(outcome.how, DNSQUERY_SERVFAIL);
	CHECK_INT(servers[0].asked, 2);
	tear_down();
}

static void can_be_cancelled_at_any_point(void)
{
	struct dnsquery *q;

	set_up();
	dnsquery_cancel(NULL);
	/* With nothing but a deferred failure to come. */
	q = ask();
	dnsquery_cancel(q);
	FAKEDNS_RUN_FOR(&loop, 20);
	CHECK_INT(outcome.ended, 0);

	/* While waiting over UDP, then over TCP. */
	add_server(0, answer_truncated_then_nothing);
	q = ask();
	dnsquery_cancel(q);
	q = ask();
	FAKEDNS_RUN_UNTIL(&loop, servers[0].asked_tcp == 1);
	dnsquery_cancel(q);
	FAKEDNS_RUN_FOR(&loop, 100);
	CHECK_INT(outcome.ended, 0);
	tear_down();
}

static void starts_no_more_than_the_pool_allows(void)
{
	struct outcome outcomes[4] = {{0}};

	set_up();
	add_server(0, fakedns_answer_both);
	for (unsigned i = 0; i < 4; i++) {
		CHECK_INT(dnsquery_pool_room(&pool), 4 - i);
		CHECK(dnsquery_start(&pool, SPAN("a.example"), DNSMSG_A, on_end, &outcomes[i]));
	}
	CHECK(dnsquery_start(&pool, SPAN("a.example"), DNSMSG_A, on_end, &outcomes[0]) == NULL);
	FAKEDNS_RUN_UNTIL(&loop, dnsquery_pool_room(&pool) == 4);
	for (unsigned i = 0; i < 4; i++)
		CHECK_INT(outcomes[i].how, DNSQUERY_OK);
	tear_down();
}

UNIT_TESTS(TEST(brings_the_answer), TEST(believes_the_first_server_that_there_is_no_such_name),
	   TEST(each_query_has_its_own_port_id_and_capitals),
	   TEST(ignores_what_does_not_answer_the_question),
	   TEST(leaves_a_socket_where_someone_is_guessing),
	   TEST(asks_the_next_server_when_one_is_silent_and_then_that_first),
	   TEST(asks_the_next_server_at_once_when_one_is_not_there),
	   TEST(asks_the_next_server_at_once_after_an_error_and_that_one_never_again),
	   TEST(ends_when_all_servers_have_failed), TEST(tells_silence_from_errors),
	   TEST(tells_servers_that_are_not_there_from_errors),
	   TEST(without_a_server_there_is_no_answer),
	   TEST(begins_at_another_server_each_time_if_told_so),
	   TEST(asks_over_tcp_when_the_answer_is_truncated),
	   TEST(reads_an_answer_that_comes_byte_by_byte), TEST(takes_the_longest_answer_there_is),
	   TEST(gives_up_a_server_that_fails_over_tcp), TEST(gives_up_a_server_without_tcp),
	   TEST(silence_over_tcp_ends_as_well), TEST(fails_softly_without_memory_for_a_long_answer),
	   TEST(learns_that_a_server_folds_case), TEST(learns_that_a_server_knows_no_edns),
	   TEST(a_server_that_knows_no_question_at_all_is_given_up),
	   TEST(can_be_cancelled_at_any_point), TEST(starts_no_more_than_the_pool_allows))
