#include "../unit.h"

#include "base/arena.h"
#include "proxy/options.h"

static struct arena arena;
static struct options options;

static bool parse(int argc, const char *const *argv, struct error *e)
{
	memset(&options, 0, sizeof options);
	return opt_parse(options_table, &options, argc, (char **)(uintptr_t)argv, &arena, NULL, e);
}

static void is_what_the_manual_says_without_a_word(void)
{
	const char *const argv[] = {OPTIONS_NAME, NULL};
	struct error e;

	arena_init(&arena, 1 << 20);
	unsetenv("POD_NAMESPACE");
	unsetenv("SSL_CERT_FILE");
	CHECK(parse(1, argv, &e));
	CHECK_TEXT(options.namespace, "default");
	CHECK_TEXT(options.cluster_domain, "cluster.local");
	CHECK_TEXT(options.admin, "127.0.0.1:15000");
	CHECK_INT(options.listen.count, 0);
	CHECK_INT(options.timeouts.header_ms, 10000);
	CHECK_INT(options.timeouts.upstream_idle_ms, 4000);
	CHECK_INT(options.drain_delay_ms, 5000);
	CHECK_INT(options.shutdown_timeout_ms, 25000);
	CHECK(!options.kube && !options.no_sandbox && !options.deny_private && !options.check);
	arena_fini(&arena);
}

static void takes_what_kube_inject_gives_a_sidecar(void)
{
	const char *const argv[] = {OPTIONS_NAME,	 "--transparent", "15001",
				    "--admin",		 "*:15000",	  "--cluster-cidr",
				    "10.0.0.0/8",	 "--gateway",	  "egress-gateway:80",
				    "--outbound-policy", "any",		  NULL};
	struct error e;

	arena_init(&arena, 1 << 20);
	CHECK(parse(11, argv, &e));
	CHECK_INT(options.transparent.count, 1);
	CHECK_TEXT(options.transparent.items[0], "15001");
	CHECK_TEXT(options.admin, "*:15000");
	CHECK_TEXT(options.cluster_cidr, "10.0.0.0/8");
	CHECK_TEXT(options.gateway, "egress-gateway:80");
	CHECK_INT(options.outbound_policy, VERDICT_POLICY_ANY);
	arena_fini(&arena);
}

static void tells_which_option_is_wrong(void)
{
	const char *const argv[] = {OPTIONS_NAME, "--workers", "257", NULL};
	struct error e;

	arena_init(&arena, 1 << 20);
	CHECK(!parse(3, argv, &e));
	CHECK(strstr(e.text, "--workers") != NULL);
	arena_fini(&arena);
}

UNIT_TESTS(TEST(is_what_the_manual_says_without_a_word),
	   TEST(takes_what_kube_inject_gives_a_sidecar), TEST(tells_which_option_is_wrong))
