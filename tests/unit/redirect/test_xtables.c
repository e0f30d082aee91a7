#include "../unit.h"
#include "rules.h"

#include <sys/wait.h>

#include "redirect/xtables.h"

static enum backend_result apply(const struct ruleset *v4, const struct ruleset *v6, bool *changed,
				 struct error *e)
{
	struct backend_wish wish = {.v4 = v4, .v6 = v6, .timeout_ms = 5000};
	struct backend_outcome outcome;
	enum backend_result result = xtables_apply(&wish, &outcome, e);

	*changed = outcome.changed;
	return result;
}

/* A namespace with legacy tables, or no test. */
static void enter(void)
{
	struct error e = {""};
	struct made m;
	bool changed, removed[2];

	enter_namespace();
	CHECK(made_from(&m, &WORDS()));
	if (apply(&m.v4, &m.v6, &changed, &e) == BACKEND_MISSING)
		unit_skip("no legacy tables here");
	CHECK_TEXT(e.text, "");
	CHECK_INT(xtables_remove(removed, &e), BACKEND_DONE);
	CHECK(removed[0] && removed[1]);
	made_free(&m);
}

static bool is_same(const struct ruleset *v4, const struct ruleset *v6)
{
	struct backend_wish wish = {.v4 = v4, .v6 = v6, .timeout_ms = 5000};
	bool same = false;
	struct error e;

	return xtables_check(&wish, &same, &e) == BACKEND_DONE && same;
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
		      .exclude_ports = WORD("1,65535"),
		      .include_ports = WORD("1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31,80-81,"
					    "65000-65535"),
		      .dns_port = 15053, .block_quic = true, .drop_invalid = true,
		      .exclude_inbound_ports = WORD("9000-9100")),
		WORDS(),
	};

	enter();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct error e = {""};
		struct made m;
		bool changed;

		CHECK(made_from(&m, &cases[i]));
		if (apply(&m.v4, &m.v6, &changed, &e) != BACKEND_DONE)
			unit_fail(__FILE__, __LINE__, "case %zu: %s", i, e.text);
		CHECK(changed);
		CHECK(is_same(&m.v4, &m.v6));
		CHECK_INT(apply(&m.v4, &m.v6, &changed, &e), BACKEND_DONE);
		CHECK(!changed);
		made_free(&m);
	}
}

/* IPv6 is swapped first, and the IPv4 NAT table too, before the refusal comes. */
static void a_refused_last_rule_leaves_everything_as_it_was(void)
{
	struct error e = {""};
	struct made old, new;
	bool changed;

	enter();
	CHECK(made_from(&old, &WORDS(.drop_invalid = true)));
	CHECK_INT(apply(&old.v4, &old.v6, &changed, &e), BACKEND_DONE);
	CHECK(made_from(&new, &WORDS(.inbound_port = 15999, .drop_invalid = true)));
	/* Redirection is for the NAT table alone. */
	*made_chain(&new.v4, "EGRESSBOX_INVALID")->rules = (struct rule){
		.protocol = 6, .verdict = RULESET_REDIRECT, .port = 1, .comment = "x"};
	CHECK_INT(apply(&new.v4, &new.v6, &changed, &e), BACKEND_FAILED);
	CHECK(!changed);
	CHECK(strstr(e.text, "ip_tables: the kernel refuses table mangle") != NULL);
	CHECK(is_same(&old.v4, &old.v6));
	made_free(&old);
	made_free(&new);
}

static void tables_that_are_not_needed_are_not_made(void)
{
	char names[64] = "";
	struct error e;
	struct made m;
	bool changed;
	FILE *f;

	enter();
	CHECK(made_from(&m, &WORDS()));
	CHECK_INT(apply(&m.v4, &m.v6, &changed, &e), BACKEND_DONE);
	f = fopen("/proc/thread-self/net/ip_tables_names", "r");
	CHECK(f != NULL);
	CHECK_INT(fread(names, 1, sizeof names - 1, f), 4);
	CHECK_TEXT(names, "nat\n");
	fclose(f);
	CHECK(xtables_has_chain("EGRESSBOX_"));
	CHECK(!xtables_has_chain("KUBE-"));
	made_free(&m);
}

/* Two at once: the number of entries changes under the other, which is EAGAIN. */
static void changes_by_others_are_retried(void)
{
	struct made a, b;
	pid_t child;
	int status;

	enter();
	CHECK(made_from(&a, &WORDS()));
	CHECK(made_from(&b, &WORDS(.inbound = SETTINGS_INBOUND_NONE)));
	child = fork();
	for (int i = 0; i < 200; i++) {
		const struct made *m = (child == 0) == (i % 2 == 0) ? &a : &b;
		struct error e = {""};
		bool changed;

		if (apply(&m->v4, &m->v6, &changed, &e) == BACKEND_DONE)
			continue;
		if (child == 0)
			_exit(1);
		CHECK_TEXT(e.text, "");
	}
	if (child == 0)
		_exit(0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
	made_free(&a);
	made_free(&b);
}

static void nothing_is_removed_where_nothing_is(void)
{
	bool removed[2];
	struct error e;

	enter_namespace();
	CHECK(!xtables_has_chain("EGRESSBOX_"));
	CHECK_INT(xtables_remove(removed, &e), BACKEND_DONE);
	CHECK(!removed[0] && !removed[1]);
}

UNIT_TESTS(TEST(every_kind_of_rule_is_taken_and_recognized),
	   TEST(a_refused_last_rule_leaves_everything_as_it_was),
	   TEST(tables_that_are_not_needed_are_not_made), TEST(changes_by_others_are_retried),
	   TEST(nothing_is_removed_where_nothing_is))
