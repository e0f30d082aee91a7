#include "../unit.h"
#include "rules.h"

#include <netinet/in.h>

static void targets_come_before_the_chains_that_jump_to_them(void)
{
	struct made m;

	CHECK(made_from(&m, &WORDS(.dns_port = 15053, .block_quic = true, .drop_invalid = true)));
	for (size_t i = 0; i < m.v4.chain_count; i++) {
		const struct chain *c = &m.v4.chains[i];

		CHECK_INT(c->number, i);
		for (size_t j = 0; j < c->rule_count; j++)
			if (c->rules[j].verdict == RULESET_JUMP)
				CHECK(c->rules[j].target->number < i);
	}
	made_free(&m);
}

static void hooks_hold_only_jumps(void)
{
	struct made m;

	CHECK(made_from(&m, &WORDS(.dns_port = 15053, .block_quic = true, .drop_invalid = true,
				   .interfaces = WORD("eth1"), .exclude_ports = WORD("22"))));
	for (size_t i = 0; i < m.v4.chain_count; i++)
		for (size_t j = 0; j < m.v4.chains[i].rule_count; j++)
			if (m.v4.chains[i].hook != RULESET_NO_HOOK)
				CHECK_INT(m.v4.chains[i].rules[j].verdict, RULESET_JUMP);
	made_free(&m);
}

static void the_owner_stands_first_but_in_strict_order(void)
{
	struct chain *c;
	struct made m;

	CHECK(made_from(&m, &WORDS()));
	c = made_chain(&m.v4, "EGRESSBOX_OUTPUT");
	CHECK(c->rules[0].has_uid);
	made_free(&m);
	CHECK(made_from(&m, &WORDS(.strict = true)));
	c = made_chain(&m.v4, "EGRESSBOX_OUTPUT");
	CHECK(!c->rules[0].has_uid && c->rules[0].not_to);
	CHECK(c->rules[1].has_uid);
	made_free(&m);
}

static void names_and_comments_fit(void)
{
	struct made m;

	CHECK(made_from(&m, &WORDS(.dns_port = 15053, .block_quic = true, .drop_invalid = true,
				   .gids = WORD("5"), .include = WORD("10.0.0.0/8,12.0.0.0/8"),
				   .include_ports = WORD("1,3,5"), .interfaces = WORD("eth1"),
				   .exclude = WORD("9.0.0.0/8,7.0.0.0/8"),
				   .ipv6 = SETTINGS_IPV6_DROP)));
	for (int f = 0; f < 2; f++) {
		const struct ruleset *r = f == 0 ? &m.v4 : &m.v6;

		for (size_t i = 0; i < r->chain_count; i++) {
			CHECK(strlen(r->chains[i].name) <= 28);
			CHECK((r->chains[i].hook == RULESET_NO_HOOK) ==
			      (strncmp(r->chains[i].name, RULESET_PREFIX, strlen(RULESET_PREFIX)) ==
			       0));
			for (size_t j = 0; j < r->chains[i].rule_count; j++) {
				const char *comment = r->chains[i].rules[j].comment;

				CHECK(strlen(comment) <= RULESET_COMMENT_MAX);
				CHECK(strpbrk(comment, "\"\\'\n") == NULL);
			}
		}
	}
	made_free(&m);
}

static void ipv6_off_has_no_rules_and_drop_has_no_nat(void)
{
	struct made m;

	CHECK(made_from(&m, &WORDS(.ipv6 = SETTINGS_IPV6_OFF)));
	CHECK_INT(m.v6.family, 0);
	CHECK_INT(m.v6.chain_count, 0);
	made_free(&m);
	CHECK(made_from(&m, &WORDS(.ipv6 = SETTINGS_IPV6_DROP)));
	CHECK_INT(m.v6.chain_count, 2);
	CHECK_INT(m.v6.chains[0].table, RULESET_FILTER);
	CHECK(made_chain(&m.v4, "EGRESSBOX_IPV6") == NULL);
	made_free(&m);
}

static void a_range_of_all_is_no_condition(void)
{
	struct chain *c;
	struct made m;

	CHECK(made_from(&m, &WORDS(.exclude = WORD("0.0.0.0/0,::/0"))));
	c = made_chain(&m.v4, "EGRESSBOX_OUTPUT");
	CHECK_INT(c->rules[1].verdict, RULESET_RETURN);
	CHECK_INT(c->rules[1].to.count, 0);
	made_free(&m);
}

static void quic_is_left_alone_where_443_is(void)
{
	struct made m;

	CHECK(made_from(&m, &WORDS(.block_quic = true, .exclude_ports = WORD("400-500"))));
	CHECK(made_chain(&m.v4, "EGRESSBOX_QUIC") == NULL);
	made_free(&m);
}

/* The rules a list becomes in legacy tables: 15 slots of ports, one range. */
static void slices_hold_what_a_legacy_rule_holds(void)
{
	struct portrange ports[20];
	struct cidr cidrs[3] = {{{0}, 1}, {{0}, 2}, {{0}, 3}};
	struct rule rule = {.protocol = IPPROTO_TCP, .comment = "c"};
	struct ruleset_slice at = {0};
	struct rule slice;

	for (uint16_t i = 0; i < 20; i++)
		ports[i] = (struct portrange){(uint16_t)(10 * i + 1),
					      (uint16_t)(10 * i + (i < 7 ? 5 : 1))};
	rule.ports = (struct ranges_ports){ports, 20};
	/* Seven runs make 14 slots, and one port the fifteenth; twelve are left. */
	CHECK(ruleset_next_slice(&rule, &at, &slice));
	CHECK_INT(slice.ports.count, 8);
	CHECK_TEXT(slice.comment, "c");
	CHECK(ruleset_next_slice(&rule, &at, &slice));
	CHECK_INT(slice.ports.count, 12);
	CHECK_INT(slice.ports.items[0].first, 81);
	CHECK(slice.comment == NULL);
	CHECK(!ruleset_next_slice(&rule, &at, &slice));

	rule.ports.count = 0;
	rule.to = (struct ranges_cidrs){cidrs, 3};
	at = (struct ruleset_slice){0};
	for (int i = 1; i <= 3; i++) {
		CHECK(ruleset_next_slice(&rule, &at, &slice));
		CHECK_INT(slice.to.count, 1);
		CHECK_INT(slice.to.items[0].length, i);
	}
	CHECK(!ruleset_next_slice(&rule, &at, &slice));

	rule.to.count = 0;
	at = (struct ruleset_slice){0};
	CHECK(ruleset_next_slice(&rule, &at, &slice));
	CHECK(!ruleset_next_slice(&rule, &at, &slice));
}

/* A run that does not fit the last slot goes to the next rule whole. */
static void a_run_is_not_split_between_slices(void)
{
	struct portrange ports[16];
	struct rule rule = {.protocol = IPPROTO_TCP, .ports = {ports, 16}};
	struct ruleset_slice at = {0};
	struct rule slice;

	for (uint16_t i = 0; i < 16; i++)
		ports[i] = (struct portrange){(uint16_t)(10 * i + 1),
					      (uint16_t)(10 * i + (i == 14 ? 5 : 1))};
	CHECK(ruleset_next_slice(&rule, &at, &slice));
	CHECK_INT(slice.ports.count, 14);
	CHECK(ruleset_next_slice(&rule, &at, &slice));
	CHECK_INT(slice.ports.count, 2);
	CHECK(!ruleset_next_slice(&rule, &at, &slice));
}

static void lists_that_differ_have_comments_that_differ(void)
{
	char first[RULESET_COMMENT_MAX + 1] = "";
	struct made m;

	CHECK(made_from(&m, &WORDS(.exclude_ports = WORD("22,25"))));
	strncpy(first, made_chain(&m.v4, "EGRESSBOX_OUTPUT")->rules[1].comment, sizeof first - 1);
	made_free(&m);
	CHECK(made_from(&m, &WORDS(.exclude_ports = WORD("22,26"))));
	CHECK(strcmp(first, made_chain(&m.v4, "EGRESSBOX_OUTPUT")->rules[1].comment) != 0);
	made_free(&m);
}

static void without_memory_it_fails(void)
{
	struct settings_words w = WORDS(.include = WORD("10.0.0.0/8,12.0.0.0/8"));
	struct ruleset r;
	struct error e;
	struct made m;

	CHECK(made_from(&m, &w));
	for (size_t bound = 0; bound < 2000; bound += 100) {
		struct arena small;

		arena_init(&small, bound);
		CHECK(!ruleset_build(&m.settings, 4, &small, &r, &e));
		CHECK_TEXT(e.text, "out of memory");
		arena_fini(&small);
	}
	made_free(&m);
}

UNIT_TESTS(TEST(targets_come_before_the_chains_that_jump_to_them), TEST(hooks_hold_only_jumps),
	   TEST(the_owner_stands_first_but_in_strict_order), TEST(names_and_comments_fit),
	   TEST(ipv6_off_has_no_rules_and_drop_has_no_nat), TEST(a_range_of_all_is_no_condition),
	   TEST(quic_is_left_alone_where_443_is), TEST(slices_hold_what_a_legacy_rule_holds),
	   TEST(a_run_is_not_split_between_slices),
	   TEST(lists_that_differ_have_comments_that_differ), TEST(without_memory_it_fails))
