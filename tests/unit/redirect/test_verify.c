#include "../unit.h"
#include "rules.h"

#include <netinet/in.h>

#include "redirect/apply.h"
#include "redirect/verify.h"

static void emit(struct diag *d, enum diag_level level, const char *text)
{
	(void)level;
	snprintf(d->context, 512, "%s", text);
}

static const struct ruleset none;

/* With only lo's own address there is no way out; another one on lo, and a route, is one. */
static void add_route(void)
{
	if (!run_ip("addr add 198.18.0.1/32 dev lo\n"
		    "route add default dev lo src 198.18.0.1\n"))
		unit_skip("no ip command");
}

static bool run(const struct made *m, struct verify_report *report, char said[static 512],
		struct error *e)
{
	struct diag d = {.emit = emit, .context = said};

	said[0] = '\0';
	return verify_run(&m->settings, &m->v4, &none, 300, &d, report, e);
}

static void put_in_force(const struct made *m)
{
	struct apply_wish wish = {.rules = {.v4 = &m->v4, .v6 = &none, .timeout_ms = 5000}};
	struct diag d = {.emit = NULL};
	struct apply_report report;
	struct error e;

	if (!apply_run(&wish, &d, &report, &e))
		unit_skip(e.text);
}

static void rules_that_hold_are_proven(void)
{
	struct verify_report report;
	struct error e = {""};
	char said[512];
	struct made m;

	enter_namespace();
	add_route();
	CHECK(made_from(&m, &WORDS(.gids = WORD("77"))));
	put_in_force(&m);
	if (!run(&m, &report, said, &e))
		unit_fail(__FILE__, __LINE__, "%s", e.text);
	/* Outside and the own address; loopback, and the own address by uid and by gid. */
	CHECK_INT(report.redirected, 2);
	CHECK(report.direct == 3 || strstr(said, "CAP_SETUID") != NULL);
	CHECK_INT(geteuid(), getuid());
	made_free(&m);
}

static void no_rules_and_other_rules_are_found_out(void)
{
	struct verify_report report;
	struct made m, other;
	struct error e = {""};
	char said[512];

	enter_namespace();
	add_route();
	CHECK(made_from(&m, &WORDS()));
	CHECK(!run(&m, &report, said, &e));
	CHECK(strstr(e.text, "was not redirected") != NULL);
	/* Rules that let another user past, and not the proxy's. */
	CHECK(made_from(&other,
			&(struct settings_words){.proxy_port = 15001, .uids = WORD("4242")}));
	put_in_force(&other);
	CHECK(!run(&m, &report, said, &e) || strstr(said, "CAP_SETUID") != NULL);
	CHECK(strstr(e.text, "by uid 1337") == NULL ||
	      strstr(e.text, "was redirected, and must not be") != NULL);
	made_free(&m);
	made_free(&other);
}

static void without_a_route_nothing_is_proven(void)
{
	struct verify_report report;
	struct error e = {""};
	char said[512];
	struct made m;

	enter_namespace();
	CHECK(made_from(&m, &WORDS()));
	CHECK(!run(&m, &report, said, &e));
	CHECK_TEXT(e.text, "no connection could be tried that is redirected: nothing is proven");
	CHECK_TEXT(said, "IPv4: there is no route, so nothing outside was tried");
	made_free(&m);
}

static void a_port_in_use_is_left_alone(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(15001)};
	int fd = -1;
	struct verify_report report;
	struct error e = {""};
	char said[512];
	struct made m;

	enter_namespace();
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 1) == 0);
	CHECK(made_from(&m, &WORDS()));
	CHECK(run(&m, &report, said, &e));
	CHECK(report.is_busy);
	CHECK_TEXT(said, "something listens on port 15001, so no connection was tried");
	close(fd);
	made_free(&m);
}

static void rules_that_redirect_nothing_need_no_proof_of_it(void)
{
	struct verify_report report;
	struct error e = {""};
	char said[512];
	struct made m;

	enter_namespace();
	CHECK(made_from(&m, &WORDS(.exclude = WORD("0.0.0.0/0,::/0"))));
	put_in_force(&m);
	CHECK(run(&m, &report, said, &e));
	CHECK_INT(report.redirected, 0);
	CHECK_INT(report.direct, 1);
	made_free(&m);
}

UNIT_TESTS(TEST(rules_that_hold_are_proven), TEST(no_rules_and_other_rules_are_found_out),
	   TEST(without_a_route_nothing_is_proven), TEST(a_port_in_use_is_left_alone),
	   TEST(rules_that_redirect_nothing_need_no_proof_of_it))
