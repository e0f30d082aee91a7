#include "../unit.h"
#include "rules.h"

#include <errno.h>
#include <sys/wait.h>

#include "redirect/nft.h"

static const struct ruleset none;

/* A namespace with nf_tables, or no test. */
static void enter(void)
{
	struct backend_wish wish = {.v4 = &none, .v6 = &none, .timeout_ms = 1000};
	struct error e;
	bool same;

	enter_namespace();
	if (nft_check(&wish, &same, &e) != BACKEND_DONE)
		unit_skip("no nf_tables here");
}

static bool apply(const struct ruleset *v4, const struct ruleset *v6, bool *changed,
		  struct error *e)
{
	struct backend_wish wish = {.v4 = v4, .v6 = v6, .timeout_ms = 5000};
	struct backend_outcome outcome;
	enum backend_result result = nft_apply(&wish, &outcome, e);

	*changed = outcome.changed;
	return result == BACKEND_DONE;
}

static bool has(uint8_t family, const char *chain)
{
	return nft_has_any(&(struct nft_place){family, RULESET_TABLE, chain}, 1);
}

static bool is_same(const struct ruleset *v4, const struct ruleset *v6)
{
	struct backend_wish wish = {.v4 = v4, .v6 = v6, .timeout_ms = 5000};
	bool same = false;
	struct error e;

	return nft_check(&wish, &same, &e) == BACKEND_DONE && same;
}

static void every_kind_of_rule_is_taken_and_recognized(void)
{
	const struct settings_words cases[] = {
		WORDS(),
		WORDS(.strict = true),
		WORDS(.ipv6 = SETTINGS_IPV6_OFF),
		WORDS(.ipv6 = SETTINGS_IPV6_DROP),
		WORDS(.include = WORD("11.0.0.0/8,12.0.0.0/8,fd00::/8")),
		WORDS(.include = WORD("0.0.0.0/1,255.255.255.255,::/1,ffff::/16"),
		      .exclude = WORD("0.0.0.0,::,1.0.0.0/24,f000::/8")),
		WORDS(.gids = WORD("5,4294967294"), .interfaces = WORD("eth1,lo"),
		      .exclude_ports = WORD("1,65535"), .include_ports = WORD("80-81,65000-65535"),
		      .dns_port = 15053, .block_quic = true, .drop_invalid = true,
		      .exclude_inbound_ports = WORD("9000-9100")),
	};

	enter();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		bool changed;
		struct error e = {""};
		struct made m;

		CHECK(made_from(&m, &cases[i]));
		if (!apply(&m.v4, &m.v6, &changed, &e))
			unit_fail(__FILE__, __LINE__, "case %zu: %s", i, e.text);
		CHECK(changed);
		CHECK(is_same(&m.v4, &m.v6));
		CHECK(apply(&m.v4, &m.v6, &changed, &e));
		CHECK(!changed);
		made_free(&m);
	}
}

static void a_refused_last_rule_leaves_everything_as_it_was(void)
{
	struct error e = {""};
	struct made old, new;
	bool changed;

	enter();
	CHECK(made_from(&old, &WORDS()));
	CHECK(apply(&old.v4, &old.v6, &changed, &e));
	CHECK(made_from(&new, &WORDS(.inbound_port = 15999, .drop_invalid = true)));
	/* Redirection is for NAT: reached from another hook, which is the last rule of all. */
	*made_chain(&new.v6, "EGRESSBOX_INVALID")->rules = (struct rule){
		.protocol = 6, .verdict = RULESET_REDIRECT, .port = 1, .comment = "x"};
	CHECK(!apply(&new.v4, &new.v6, &changed, &e));
	CHECK(!changed);
	CHECK(strstr(e.text, "the kernel refuses table ip6 egressbox chain MANGLE_PREROUTING rule "
			     "\"jump EGRESSBOX_INVALID\" (egressbox): ") != NULL);
	CHECK(is_same(&old.v4, &old.v6));
	made_free(&old);
	made_free(&new);
}

static void ipv6_alone_may_be_refused(void)
{
	struct backend_wish wish = {.v6_may_fail = true, .timeout_ms = 1000};
	struct backend_outcome outcome;
	struct error e = {""};
	struct made m;

	enter();
	CHECK(made_from(&m, &WORDS(.drop_invalid = true)));
	*made_chain(&m.v6, "EGRESSBOX_INVALID")->rules = (struct rule){
		.protocol = 6, .verdict = RULESET_REDIRECT, .port = 1, .comment = "x"};
	wish.v4 = &m.v4;
	wish.v6 = &m.v6;
	CHECK_INT(nft_apply(&wish, &outcome, &e), BACKEND_DONE);
	CHECK(outcome.v6_problem.text[0] != '\0');
	CHECK(is_same(&m.v4, &none));
	made_free(&m);
}

static void removing_is_for_what_is_there(void)
{
	bool changed, removed[2];
	struct error e = {""};
	struct made m;

	enter();
	CHECK(made_from(&m, &WORDS(.ipv6 = SETTINGS_IPV6_OFF)));
	CHECK_INT(nft_remove(removed, &e), BACKEND_DONE);
	CHECK(!removed[0] && !removed[1]);
	CHECK(apply(&m.v4, &m.v6, &changed, &e));
	CHECK(has(4, NULL) && has(4, "EGRESSBOX_OUTPUT"));
	CHECK(!has(6, NULL) && !has(4, "EGRESSBOX_DNS"));
	CHECK_INT(nft_remove(removed, &e), BACKEND_DONE);
	CHECK(removed[0] && !removed[1]);
	CHECK(!has(4, NULL));
	made_free(&m);
}

/* Two at once, hundreds of times: each transaction meets the other's, and is tried again. */
static void changes_by_others_are_retried(void)
{
	struct made a, b;
	pid_t child;
	int status;

	enter();
	CHECK(made_from(&a, &WORDS()) && made_from(&b, &WORDS(.inbound_port = 15002)));
	child = fork();
	for (int i = 0; i < 200; i++) {
		const struct made *m = (child == 0) == (i % 2 == 0) ? &a : &b;
		struct error e = {""};
		bool changed;

		if (!apply(&m->v4, &m->v6, &changed, &e) && child == 0)
			_exit(1);
		CHECK_TEXT(e.text, "");
	}
	if (child == 0)
		_exit(0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
	CHECK(is_same(&a.v4, &a.v6) || is_same(&b.v4, &b.v6));
	made_free(&a);
	made_free(&b);
}

UNIT_TESTS(TEST(every_kind_of_rule_is_taken_and_recognized),
	   TEST(a_refused_last_rule_leaves_everything_as_it_was), TEST(ipv6_alone_may_be_refused),
	   TEST(removing_is_for_what_is_there), TEST(changes_by_others_are_retried))
