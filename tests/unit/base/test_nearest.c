#include "../unit.h"

#include "base/nearest.h"

static struct span nearest_of(const char *typed)
{
	static const char *const known[] = {"listen", "log-level", "log-format", "dns",
					    "check",  "namespace", "f"};
	struct nearest n;

	nearest_init(&n, span_from_cstr(typed));
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		nearest_offer(&n, span_from_cstr(known[i]));
	return n.best;
}

static void finds_what_was_meant(void)
{
	static const struct {
		const char *typed, *meant;
	} cases[] = {
		{"listn", "listen"},
		{"lisetn", "listen"},
		{"liisten", "listen"},
		{"listem", "listen"},
		{"loglevel", "log-level"},
		{"log-fromat", "log-format"},
		{"namspace", "namespace"},
		{"name-space", "namespace"},
		{"dsn", "dns"},
		{"chekc", "check"},
		{"listen", "listen"},
		{"log_level", "log-level"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		CHECK_SPAN(nearest_of(cases[i].typed), cases[i].meant);
}

static void finds_nothing_far_away(void)
{
	static const char *const typed[] = {"",	   "x",	 "lis",	    "workers",
					    "log", "--", "dnsmasq", "nonsense"};

	for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++)
		CHECK_SPAN(nearest_of(typed[i]), "");
}

static void the_first_of_equals_wins(void)
{
	struct nearest n;

	nearest_init(&n, SPAN("port"));
	nearest_offer(&n, SPAN("sort"));
	nearest_offer(&n, SPAN("fort"));
	CHECK_SPAN(n.best, "sort");
	CHECK_INT(n.distance, 1);
	nearest_offer(&n, SPAN("prot"));
	CHECK_SPAN(n.best, "sort");
	nearest_offer(&n, SPAN("port"));
	CHECK_SPAN(n.best, "port");
	CHECK_INT(n.distance, 0);
	nearest_init(&n, SPAN("port"));
	nearest_offer(&n, SPAN("prot"));
	CHECK_INT(n.distance, 1);
}

static void takes_long_names_for_far(void)
{
	char text[NEAREST_MAX + 1];
	struct nearest n;

	memset(text, 'a', sizeof text);
	nearest_init(&n, span_of(text, NEAREST_MAX));
	nearest_offer(&n, span_of(text, NEAREST_MAX + 1));
	CHECK_INT(n.best.len, 0);
	nearest_offer(&n, span_of(text, NEAREST_MAX - 1));
	CHECK_INT(n.best.len, NEAREST_MAX - 1);
	nearest_offer(&n, span_of(text, NEAREST_MAX));
	CHECK_INT(n.best.len, NEAREST_MAX);
	nearest_init(&n, span_of(text, NEAREST_MAX + 1));
	nearest_offer(&n, span_of(text, NEAREST_MAX));
	CHECK_INT(n.best.len, 0);
}

UNIT_TESTS(TEST(finds_what_was_meant), TEST(finds_nothing_far_away), TEST(the_first_of_equals_wins),
	   TEST(takes_long_names_for_far))
