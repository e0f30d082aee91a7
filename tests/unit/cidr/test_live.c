#include "../unit.h"

#include "cidr/live.h"

static char said[1024];

static void emit(struct diag *d, enum diag_level level, const char *text)
{
	(void)d;
	(void)level;
	strncat(said, text, sizeof said - strlen(said) - 1);
}

/* What a pod without a service account makes of its environment. */
static void a_pod_without_an_account_goes_by_its_environment(void)
{
	const char *hosts[] = {"10.43.9.9", "no-address"};
	struct live_settings s = {.in_cluster = true,
				  .access = {.host = "10.43.0.1",
					     .port = "443",
					     .token_file = "/nonexistent/token",
					     .ca_file = "/nonexistent/ca"},
				  .hosts = {hosts, 2},
				  .wants = {false, true}};
	struct diag diag = {.emit = emit};
	static struct discover d;
	struct arena arena;
	struct error e;

	arena_init(&arena, 1 << 20);
	discover_init(&d, &arena, &diag);
	CHECK_INT(live_read(&s, &d, &e), VERB_DONE);
	CHECK_INT(d.info.count, 0);
	CHECK_INT(d.info.first_address.range.first.low, 10u << 24 | 43u << 16 | 1);
	CHECK_INT(d.info.first_address.confidence, CLUSTERKEYS_DERIVED);
	/* Name servers of the machine come on top. */
	CHECK(d.info.piles[CLUSTERINFO_SERVICE_ADDRESSES].count >= 2);
	CHECK(said[0] != '\0');
	discover_fini(&d);
	arena_fini(&arena);
}

static void a_url_that_is_none_is_refused(void)
{
	struct live_settings s = {.access = {.server = "ftp://x"}, .wants = {true, true}};
	struct diag diag = {.emit = emit};
	static struct discover d;
	struct arena arena;
	struct error e;

	arena_init(&arena, 1 << 20);
	discover_init(&d, &arena, &diag);
	CHECK(live_read(&s, &d, &e) != VERB_DONE);
	CHECK(e.text[0] != '\0');
	discover_fini(&d);
	arena_fini(&arena);
}

static void finds_what_the_environment_says(void)
{
	static char shop[] = "SHOP_SERVICE_HOST=10.96.0.7", port[] = "SHOP_SERVICE_PORT=80",
		    odd[] = "_SERVICE_HOST";
	char *const environment[] = {shop, port, odd, NULL};
	struct verb_words words;
	struct arena arena;

	arena_init(&arena, 1 << 16);
	CHECK(live_find_hosts(&arena, environment, &words));
	CHECK_INT(words.count, 1);
	CHECK_TEXT(words.items[0], "10.96.0.7");
	arena_fini(&arena);
}

UNIT_TESTS(TEST(finds_what_the_environment_says),
	   TEST(a_pod_without_an_account_goes_by_its_environment),
	   TEST(a_url_that_is_none_is_refused))
