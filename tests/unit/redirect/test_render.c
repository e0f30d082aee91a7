#include "../unit.h"
#include "rules.h"

#include "redirect/render.h"

static void nft_text_replaces_the_table_in_one_go(void)
{
	char storage[4096];
	struct buf out;
	struct made m;

	CHECK(made_from(&m, &WORDS(.inbound = SETTINGS_INBOUND_NONE, .ipv6 = SETTINGS_IPV6_OFF,
				   .include = WORD("11.0.0.0/8,12.0.0.0/8,192.0.2.1"))));
	BUF_INIT_ARRAY(&out, storage);
	render_nft(&m.v4, &out);
	render_nft(&m.v6, &out);
	CHECK(span_starts_with(buf_span(&out),
			       SPAN("table ip egressbox\ndelete table ip egressbox\n"
				    "table ip egressbox {\n")));
	CHECK(strstr(storage, "\t\tip daddr { 11.0.0.0-12.255.255.255, 192.0.2.1 } counter jump "
			      "EGRESSBOX_REDIRECT comment \"included range; list ") != NULL);
	CHECK(strstr(storage, "type nat hook output priority -101; policy accept;") != NULL);
	CHECK(strstr(storage, "prerouting") == NULL);
	made_free(&m);
}

static void iptables_text_has_our_jumps_first(void)
{
	char storage[8192];
	struct buf out;
	struct made m;

	CHECK(made_from(&m, &WORDS(.dns_port = 15053)));
	BUF_INIT_ARRAY(&out, storage);
	render_iptables(&m.v4, &out);
	CHECK(span_starts_with(buf_span(&out),
			       SPAN("# iptables-restore --noflush\n*nat\n:EGRESSBOX_")));
	CHECK(strstr(storage, "-I OUTPUT 1 -p udp -m udp --dport 53 ") != NULL);
	CHECK(strstr(storage, "-I OUTPUT 2 -p tcp -m tcp --dport 53 ") != NULL);
	CHECK(strstr(storage, "-I OUTPUT 3 -p tcp -m comment ") != NULL);
	CHECK(strstr(storage, "-I PREROUTING 1 -p tcp ") != NULL);
	made_free(&m);
}

static void a_rule_in_words_is_what_nft_writes(void)
{
	char storage[256];
	struct chain *c;
	struct buf out;
	struct made m;

	CHECK(made_from(&m, &WORDS(.exclude_ports = WORD("22,8000-8100"))));
	c = made_chain(&m.v4, "EGRESSBOX_OUTPUT");
	BUF_INIT_ARRAY(&out, storage);
	render_rule(&c->rules[0], 4, &out);
	CHECK_TEXT(storage, "meta skuid 1337 return");
	buf_clear(&out);
	render_rule(&c->rules[1], 4, &out);
	CHECK_TEXT(storage, "tcp dport { 22, 8000-8100 } return");
	made_free(&m);
}

UNIT_TESTS(TEST(nft_text_replaces_the_table_in_one_go), TEST(iptables_text_has_our_jumps_first),
	   TEST(a_rule_in_words_is_what_nft_writes))
