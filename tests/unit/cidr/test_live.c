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
	struct live_settings s = {.in_cluster = true,
				  .host = "10.43.0.1",
				  .port = "443",
				  .token_file = "/nonexistent/token",
				  .ca_file = "/nonexistent/ca",
				  .wants = {false, true}};
	struct diag diag = {.emit = emit};
	static struct discover d;
	struct arena arena;
	struct error e;

	arena_init(&arena, 1 << 20);
	discover_init(&d, &arena, &diag);
	CHECK_INT(live_read(&s, &d, &e), VERB_DONE);
	CHECK_INT(d.info.count, 1);
	CHECK_INT(d.info.list[0].confidence, CLUSTERKEYS_DERIVED);
	CHECK(said[0] != '\0');
	discover_fini(&d);
	arena_fini(&arena);
}

static void a_url_that_is_none_is_refused(void)
{
	struct live_settings s = {.server = "ftp://x", .wants = {true, true}};
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

UNIT_TESTS(TEST(a_pod_without_an_account_goes_by_its_environment),
	   TEST(a_url_that_is_none_is_refused))
