#include "../unit.h"

#include "base/alloc.h"
#include "tls/sigcache.h"

static const uint8_t *key_of(unsigned place, unsigned number)
{
	static uint8_t key[SIGCACHE_KEY_SIZE];

	memset(key, 0, sizeof key);
	key[0] = (uint8_t)place;
	memcpy(key + 1, &number, sizeof number);
	return key;
}

static void has_what_was_added(void)
{
	struct sigcache *c = sigcache_new();
	uint64_t count = alloc_count();

	CHECK(!sigcache_has(c, key_of(1, 1)));
	sigcache_add(c, key_of(1, 1));
	sigcache_add(c, key_of(129, 1));
	CHECK(sigcache_has(c, key_of(1, 1)) && sigcache_has(c, key_of(129, 1)));
	CHECK(!sigcache_has(c, key_of(1, 2)) && !sigcache_has(c, key_of(2, 1)));
	CHECK_INT(sigcache_hits(c), 2);
	CHECK_INT(alloc_count(), count);
	sigcache_free(c);
}

static void gives_up_the_oldest_of_a_place(void)
{
	struct sigcache *c = sigcache_new();

	for (unsigned i = 1; i <= 5; i++)
		sigcache_add(c, key_of(3, i));
	CHECK(!sigcache_has(c, key_of(3, 1)));
	for (unsigned i = 2; i <= 5; i++)
		CHECK(sigcache_has(c, key_of(3, i)));
	sigcache_free(c);
}

static void survives_a_lack_of_memory(void)
{
	alloc_fail_after(0);
	CHECK(sigcache_new() == NULL);
	alloc_fail_after(-1);
	sigcache_free(NULL);
}

UNIT_TESTS(TEST(has_what_was_added), TEST(gives_up_the_oldest_of_a_place),
	   TEST(survives_a_lack_of_memory))
