#include "tls/sigcache.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"

/* The first byte of a key says where it is: among few, the newest first. */
#define SETS 128
#define WAYS 4

struct sigcache {
	pthread_mutex_t lock;
	uint64_t hits;
	/* No SHA-256 of anything is known to be all zeroes: those are free. */
	uint8_t keys[SETS][WAYS][SIGCACHE_KEY_SIZE];
};

struct sigcache *sigcache_new(void)
{
	struct sigcache *c = alloc_get_zeroed(sizeof *c);

	if (c != NULL)
		pthread_mutex_init(&c->lock, NULL);
	return c;
}

void sigcache_free(struct sigcache *c)
{
	if (c == NULL)
		return;
	pthread_mutex_destroy(&c->lock);
	alloc_put(c);
}

bool sigcache_has(struct sigcache *c, const uint8_t key[static SIGCACHE_KEY_SIZE])
{
	bool found = false;

	pthread_mutex_lock(&c->lock);
	for (int i = 0; i < WAYS && !found; i++)
		found = memcmp(c->keys[key[0] % SETS][i], key, SIGCACHE_KEY_SIZE) == 0;
	c->hits += found;
	pthread_mutex_unlock(&c->lock);
	return found;
}

void sigcache_add(struct sigcache *c, const uint8_t key[static SIGCACHE_KEY_SIZE])
{
	uint8_t(*set)[SIGCACHE_KEY_SIZE] = c->keys[key[0] % SETS];

	pthread_mutex_lock(&c->lock);
	memmove(set[1], set[0], (WAYS - 1) * SIGCACHE_KEY_SIZE);
	memcpy(set[0], key, SIGCACHE_KEY_SIZE);
	pthread_mutex_unlock(&c->lock);
}

uint64_t sigcache_hits(struct sigcache *c)
{
	uint64_t hits;

	pthread_mutex_lock(&c->lock);
	hits = c->hits;
	pthread_mutex_unlock(&c->lock);
	return hits;
}
