#include "../unit.h"
#include "rules.h"

#include "redirect/nftbatch.h"

/* Of <linux/netfilter/nf_tables.h>. */
enum { NEWCHAIN = 3, NEWRULE = 6, NEWSET = 9, NEWSETELEM = 12 };

static void put(struct nftbatch *b, const struct ruleset *r, uint32_t wanted)
{
	*b = (struct nftbatch){.wanted_seq = wanted};
	buf_init_heap(&b->out.bytes, 1 << 24);
	nftbatch_put_table(b, r);
	CHECK(!b->out.bytes.truncated);
}

static size_t count(const struct nftbatch *b, int message)
{
	struct span rest = buf_span(&b->out.bytes);
	struct nlmsg_header h;
	size_t n = 0;

	while (nlmsg_next(&rest, &h))
		n += h.type == (10 << 8 | message);
	return n;
}

static void chains_and_rules_are_a_message_each(void)
{
	struct nftbatch b;
	struct made m;

	CHECK(made_from(&m, &WORDS(.exclude_ports = WORD("22,25"),
				   .include = WORD("10.0.0.0/8,12.0.0.0/8"))));
	put(&b, &m.v4, 0);
	CHECK_INT(count(&b, NEWCHAIN), m.v4.chain_count);
	CHECK_INT(count(&b, NEWRULE), ruleset_rule_count(&m.v4));
	CHECK_INT(count(&b, NEWSET), 2);
	CHECK_INT(count(&b, NEWSETELEM), 2);
	buf_fini(&b.out.bytes);
	made_free(&m);
}

/* An attribute is at most 65535 bytes long. */
static void a_long_list_is_several_messages(void)
{
	char text[65536] = "";
	struct buf words;
	struct nftbatch b;
	struct made m;

	BUF_INIT_ARRAY(&words, text);
	for (unsigned i = 0; i < 2000; i++)
		buf_printf(&words, "%sfd00:%x::/32", i > 0 ? "," : "", i * 2);
	CHECK(!words.truncated);
	CHECK(made_from(&m, &WORDS(.include = WORD(text))));
	put(&b, &m.v6, 0);
	CHECK(count(&b, NEWSETELEM) > 1);
	CHECK_INT(count(&b, NEWSET), 1);
	buf_fini(&b.out.bytes);
	made_free(&m);
}

static void the_origin_of_each_message_is_found(void)
{
	struct nftbatch b;
	struct made m;

	CHECK(made_from(&m, &WORDS()));
	put(&b, &m.v4, 1);
	CHECK(b.found_family == 4 && b.found_chain == NULL);
	buf_fini(&b.out.bytes);
	put(&b, &m.v4, 2);
	CHECK(b.found_chain == &m.v4.chains[0] && b.found_rule == NULL);
	buf_fini(&b.out.bytes);
	put(&b, &m.v4, 2 + (uint32_t)m.v4.chain_count);
	CHECK(b.found_rule == &m.v4.chains[0].rules[0]);
	buf_fini(&b.out.bytes);
	made_free(&m);
}

static void a_dump_is_the_same_only_if_every_rule_is(void)
{
	const struct settings_words others[] = {
		WORDS(.inbound_port = 15002), WORDS(.dns_port = 15053),
		WORDS(.gids = WORD("5")),     WORDS(.inbound = SETTINGS_INBOUND_NONE),
		WORDS(.strict = true),	      WORDS(.exclude_ports = WORD("22,25"))};
	struct nftbatch a, b;
	struct made m, other;

	CHECK(made_from(&m, &WORDS(.exclude_ports = WORD("22,26"))));
	put(&a, &m.v4, 0);
	CHECK(nftbatch_is_dumped(buf_span(&a.out.bytes), buf_span(&a.out.bytes), NEWRULE));
	CHECK(nftbatch_is_dumped(buf_span(&a.out.bytes), buf_span(&a.out.bytes), NEWCHAIN));
	CHECK(!nftbatch_is_dumped(buf_span(&a.out.bytes), (struct span){0}, NEWRULE));
	CHECK(!nftbatch_is_dumped((struct span){0}, buf_span(&a.out.bytes), NEWRULE));
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		CHECK(made_from(&other, &others[i]));
		put(&b, &other.v4, 0);
		CHECK(!nftbatch_is_dumped(buf_span(&a.out.bytes), buf_span(&b.out.bytes), NEWRULE));
		buf_fini(&b.out.bytes);
		made_free(&other);
	}
	buf_fini(&a.out.bytes);
	made_free(&m);
}

UNIT_TESTS(TEST(chains_and_rules_are_a_message_each), TEST(a_long_list_is_several_messages),
	   TEST(the_origin_of_each_message_is_found),
	   TEST(a_dump_is_the_same_only_if_every_rule_is))
