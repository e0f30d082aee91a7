#include "proxy/addresses.h"

#include "base/hash.h"

/* A slot is looked for among this many: a full table costs no more than an empty one. */
#define WAYS 4
/* Long after its rest, an address that nobody has asked for is as good as any other. */
#define FORGET_MS 600000

/* Two addresses with one key would share a rest: that does no harm, and 64 bits make it rare. */
static uint64_t key_of(const struct addr *a)
{
	uint64_t hash = hash_u64(HASH_INIT, (uint64_t)a->port << 8 | a->family);

	return hash_finish(hash_span(hash, span_of(a->bytes, sizeof a->bytes))) | 1;
}

static uint64_t get(const _Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

static void set(_Atomic uint64_t *to, uint64_t value)
{
	atomic_store_explicit(to, value, memory_order_relaxed);
}

/* The key's slot, or -1; *spare is the one to take for it. */
static int find(const struct addresses *m, uint64_t key, int *spare)
{
	int first = (int)(key / 2 % (ADDRESSES_SLOTS / WAYS) * WAYS);

	*spare = first;
	for (int i = first; i < first + WAYS; i++) {
		if (get(&m->slots[i].key) == key)
			return i;
		/* A free one has never rested: its end is 0. */
		if (get(&m->slots[i].until_ms) < get(&m->slots[*spare].until_ms))
			*spare = i;
	}
	return -1;
}

static uint64_t rest_end_ms(const struct addresses *m, const struct addr *a)
{
	int spare, slot = find(m, key_of(a), &spare);

	return slot >= 0 ? get(&m->slots[slot].until_ms) : 0;
}

uint64_t addresses_rest_ms(const struct addresses *m, const struct addr *a, uint64_t now_ms)
{
	uint64_t end_ms = rest_end_ms(m, a);

	return end_ms > now_ms ? end_ms - now_ms : 0;
}

enum addresses_state addresses_state(const struct addresses *m, const struct addr *a,
				     uint64_t now_ms)
{
	uint64_t end_ms = rest_end_ms(m, a);

	if (end_ms == 0 || now_ms >= end_ms + FORGET_MS)
		return ADDRESSES_FINE;
	return now_ms < end_ms ? ADDRESSES_RESTING : ADDRESSES_ON_PROBATION;
}

static void rest(struct addresses *m, const struct addr *a, uint64_t now_ms, bool longer)
{
	enum addresses_state state = addresses_state(m, a, now_ms);
	uint64_t key = key_of(a);
	int spare, known = find(m, key, &spare);
	struct addresses_slot *slot = &m->slots[known >= 0 ? known : spare];

	/* Of many attempts that were under way together, the first to fail says it for all. */
	if (state == ADDRESSES_RESTING || (state == ADDRESSES_FINE && !longer))
		return;
	if (state == ADDRESSES_FINE)
		slot->rest_ms = ADDRESSES_REST_MIN_MS;
	else if (longer)
		slot->rest_ms = slot->rest_ms < ADDRESSES_REST_MAX_MS / 2 ? slot->rest_ms * 2
									  : ADDRESSES_REST_MAX_MS;
	set(&slot->key, key);
	set(&slot->until_ms, now_ms + slot->rest_ms);
}

void addresses_failed(struct addresses *m, const struct addr *a, uint64_t now_ms)
{
	rest(m, a, now_ms, true);
}

void addresses_outrun(struct addresses *m, const struct addr *a, uint64_t now_ms)
{
	rest(m, a, now_ms, false);
}

void addresses_worked(struct addresses *m, const struct addr *a)
{
	int spare, slot = find(m, key_of(a), &spare);

	if (slot < 0)
		return;
	set(&m->slots[slot].key, 0);
	set(&m->slots[slot].until_ms, 0);
}

struct addr addresses_at(const struct addresses_choice *c, unsigned index)
{
	struct addr a = c->addrs[index];

	if (a.port == 0)
		a.port = c->port;
	return a;
}

int addresses_pick(const struct addresses *m, const struct addresses_choice *c, uint64_t now_ms)
{
	uint64_t best_rank = UINT64_MAX;
	uint8_t best[ADDRESSES_CHOICE_MAX];
	unsigned count = 0;

	for (unsigned i = 0; i < c->count && i < ADDRESSES_CHOICE_MAX; i++) {
		struct addr a = addresses_at(c, i);
		uint64_t rank;

		if ((c->tried >> i & 1) != 0)
			continue;
		/* Those that rest: the one that has nearly done so first, of either family. */
		rank = addresses_rest_ms(m, &a, now_ms) * 2 + (a.family != c->family);
		if (rank < best_rank) {
			best_rank = rank;
			count = 0;
		}
		if (rank == best_rank)
			best[count++] = (uint8_t)i;
	}
	return count > 0 ? best[c->turn % count] : -1;
}

uint8_t addresses_preferred_family(const struct addresses *m, const struct addresses_family *own,
				   uint64_t now_ms)
{
	if (own->family != 0 && now_ms < own->until_ms)
		return own->family;
	if (m->family.family != 0 && now_ms < m->family.until_ms)
		return m->family.family;
	return 6;
}

/* A family that goes on winning is not remembered for longer, or the other would never be tried. */
static void remember(struct addresses_family *f, uint8_t family, uint64_t now_ms)
{
	if (f->family == family && now_ms < f->until_ms)
		return;
	f->family = family;
	f->until_ms = now_ms + ADDRESSES_FAMILY_MS;
}

void addresses_family_won(struct addresses *m, struct addresses_family *own, uint8_t family,
			  uint64_t now_ms)
{
	remember(own, family, now_ms);
	remember(&m->family, family, now_ms);
}
