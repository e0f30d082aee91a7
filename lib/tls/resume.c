#include "tls/resume.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "tls/resume_inner.h"

/*
 * The first byte of a key, which is as good as random, says where in the table its session is: one
 * of few places, so that a look takes constant time, and holds the lock for no longer than that.
 */
#define SETS 256
#define WAYS 4

struct entry {
	int64_t end_s; /* seconds since 1970; 0: free */
	uint8_t key[RESUME_KEY_SIZE];
	br_ssl_session_parameters session;
};

struct resume {
	pthread_mutex_t lock;
	struct entry sets[SETS][WAYS];
};

struct resume *resume_new(void)
{
	struct resume *r = alloc_get_zeroed(sizeof *r);

	if (r != NULL)
		pthread_mutex_init(&r->lock, NULL);
	return r;
}

void resume_free(struct resume *r)
{
	if (r == NULL)
		return;
	pthread_mutex_destroy(&r->lock);
	/* Master secrets. */
	explicit_bzero(r, sizeof *r);
	alloc_put(r);
}

/* The key's entry, or else the free one or the one that ends first, to be written over. */
static struct entry *find(struct resume *r, const uint8_t *key, bool *is_there)
{
	struct entry *set = r->sets[key[0]], *first = set;

	for (struct entry *e = set; e < set + WAYS; e++) {
		*is_there = e->end_s != 0 && memcmp(e->key, key, RESUME_KEY_SIZE) == 0;
		if (*is_there)
			return e;
		if (e->end_s < first->end_s)
			first = e;
	}
	return first;
}

bool resume_get(struct resume *r, const uint8_t key[static RESUME_KEY_SIZE], int64_t now_s,
		br_ssl_session_parameters *out)
{
	struct entry *e;
	bool found;

	pthread_mutex_lock(&r->lock);
	e = find(r, key, &found);
	found = found && now_s < e->end_s;
	if (found)
		*out = e->session;
	pthread_mutex_unlock(&r->lock);
	return found;
}

void resume_put(struct resume *r, const uint8_t key[static RESUME_KEY_SIZE], int64_t end_s,
		const br_ssl_session_parameters *session)
{
	struct entry *e;
	bool found;

	pthread_mutex_lock(&r->lock);
	e = find(r, key, &found);
	e->end_s = end_s;
	memcpy(e->key, key, RESUME_KEY_SIZE);
	e->session = *session;
	pthread_mutex_unlock(&r->lock);
}

void resume_drop(struct resume *r, const uint8_t key[static RESUME_KEY_SIZE])
{
	struct entry *e;
	bool found;

	pthread_mutex_lock(&r->lock);
	e = find(r, key, &found);
	if (found)
		e->end_s = 0;
	pthread_mutex_unlock(&r->lock);
}
