#include "../unit.h"

#include "dns/resolvconf.h"
#include "ev/systemnames.h"
#include "sys/file.h"

/* What the file of this machine says, read another way; none without the file. */
static unsigned servers_of_this_machine(struct arena *arena)
{
	struct resolvconf conf;
	struct span text;
	struct error e;

	if (!file_read(arena, SYSTEMNAMES_RESOLV_CONF, 65536, &text, &e))
		return 0;
	resolvconf_parse(text, &conf);
	return conf.server_count < RESOLVER_MAX_SERVERS ? conf.server_count : RESOLVER_MAX_SERVERS;
}

static void takes_hosts_and_servers_of_the_machine(void)
{
	struct resolver_config config = {.server_count = 0};
	struct arena arena;

	arena_init(&arena, 16 << 20);
	systemnames_read(&config, true, &arena);
	CHECK_INT(config.server_count, servers_of_this_machine(&arena));
	CHECK((config.hosts != NULL) || config.host_count == 0);
	if (config.server_count > 0)
		CHECK(config.timeout_ms > 0 && config.attempts > 0);
	arena_fini(&arena);
}

static void servers_that_were_given_stay_alone(void)
{
	struct resolver_config config = {.server_count = 1, .timeout_ms = 7, .attempts = 3};
	struct arena arena;

	arena_init(&arena, 16 << 20);
	systemnames_read(&config, false, &arena);
	CHECK_INT(config.server_count, 1);
	CHECK_INT(config.timeout_ms, 7);
	CHECK_INT(config.attempts, 3);
	arena_fini(&arena);
}

static void without_memory_nothing_is_added(void)
{
	struct resolver_config config = {.server_count = 0};
	struct arena arena;

	arena_init(&arena, 0);
	systemnames_read(&config, true, &arena);
	CHECK(config.hosts == NULL);
	CHECK_INT(config.server_count, 0);
	arena_fini(&arena);
}

UNIT_TESTS(TEST(takes_hosts_and_servers_of_the_machine), TEST(servers_that_were_given_stay_alone),
	   TEST(without_memory_nothing_is_added))
