#include "kube/clusterinfo.h"

#include "base/alloc.h"
#include "net/special.h"

#define FIRST_CAPACITY 16

void clusterinfo_init(struct clusterinfo *info, struct arena *arena)
{
	*info = (struct clusterinfo){.arena = arena};
}

void clusterinfo_fini(struct clusterinfo *info)
{
	for (size_t i = 0; i < CLUSTERINFO_PILES; i++)
		cidrset_fini(&info->piles[i].set);
	alloc_put(info->list);
	info->list = NULL;
	info->count = info->capacity = 0;
}

/* Where such a range is kept, or NULL: in the list. */
static struct clusterinfo_pile *pile_of(struct clusterinfo *info,
					const struct clusterinfo_range *range)
{
	if (range->rank == CLUSTERKEYS_RANK_NODES)
		return &info->piles[CLUSTERINFO_SLICES];
	return range->rank == CLUSTERKEYS_RANK_ADDRESSES
		       ? &info->piles[CLUSTERINFO_POD_ADDRESSES + range->role]
		       : NULL;
}

static void add_to_pile(struct clusterinfo *info, struct clusterinfo_pile *pile,
			const struct clusterinfo_range *range)
{
	if (pile->count++ == 0)
		pile->first = *range;
	if (info->is_first && range->role == CLUSTERKEYS_SERVICE &&
	    info->first_address.range.family == 0)
		info->first_address = *range;
	info->is_out_of_memory |= !cidrset_add(&pile->set, &range->range);
}

static bool has_room(struct clusterinfo *info)
{
	size_t capacity = info->capacity > 0 ? info->capacity * 2 : FIRST_CAPACITY;
	struct clusterinfo_range *larger;

	if (info->count < info->capacity)
		return true;
	info->is_full |= info->count >= CLUSTERINFO_RANGES_MAX;
	if (info->is_full)
		return false;
	larger = alloc_resize(info->list, capacity * sizeof *larger);
	if (larger == NULL) {
		info->is_out_of_memory = true;
		return false;
	}
	info->list = larger;
	info->capacity = capacity;
	return true;
}

void clusterinfo_add(struct clusterinfo *info, const struct clusterinfo_range *range)
{
	struct clusterinfo_pile *pile = pile_of(info, range);

	if (pile != NULL) {
		add_to_pile(info, pile, range);
		return;
	}
	for (size_t i = 0; i < info->count; i++) {
		struct clusterinfo_range *known = &info->list[i];

		if (known->role != range->role || !range_eq(&known->range, &range->range))
			continue;
		if (range->rank < known->rank)
			*known = *range;
		return;
	}
	if (has_room(info))
		info->list[info->count++] = *range;
}

bool clusterinfo_has(const struct clusterinfo *info, enum clusterkeys_role role)
{
	for (size_t i = 0; i < info->count; i++)
		if (info->list[i].role == role)
			return true;
	return role == CLUSTERKEYS_POD && info->piles[CLUSTERINFO_SLICES].count > 0;
}

/* ---- Choosing ---- */

struct choosing {
	struct clusterinfo *info;
	const struct clusterinfo_choice *choice;
	struct clusterinfo_answer *answer;
	size_t capacity;
};

static void put(struct choosing *c, const struct clusterinfo_range *range)
{
	struct clusterinfo_answer *answer = c->answer;

	if (c->choice->family != 0 && range->range.family != c->choice->family)
		return;
	if (answer->count == c->capacity)
		return;
	answer->list[answer->count++] = *range;
	answer->counts[range->role]++;
}

static bool is_sure(const struct choosing *c, const struct clusterinfo_range *range)
{
	if (range->confidence <= c->choice->min_confidence)
		return true;
	c->answer->unsure[range->role]++;
	return false;
}

/* How much of an address what is around a few of a role is expected to leave free. */
static unsigned usual_bits(const struct range *cover, unsigned role)
{
	if (cover->family == 4)
		return 16;
	/* kube-apiserver takes no more for services. */
	return role == CLUSTERKEYS_SERVICE ? 20 : 80;
}

/* How much wider a range may well be: the usual size, or the known use that it is in. */
static struct range widened(const struct range *cover, unsigned role)
{
	unsigned known_role = role == CLUSTERKEYS_POD ? SPECIAL_POD : SPECIAL_SERVICE;
	struct wide ones = wide_ones(usual_bits(cover, role));
	struct special_kube known;
	struct range wide = *cover;
	struct special special;

	wide.first = wide_of(cover->first.high & ~ones.high, cover->first.low & ~ones.low);
	wide.last = wide_of(cover->last.high | ones.high, cover->last.low | ones.low);
	wide = range_cover(&wide, cover);
	/*
	 * Cilium's and Calico's pools are too wide to be taken for granted; what is around GKE's
	 * services is public.
	 */
	if (special_find_kube(cover, known_role, &known) &&
	    ((range_contains(&known.range, &wide) && range_length(&known.range) >= 12) ||
	     !special_find(&known.range, &special)))
		return known.range;
	return wide;
}

static void put_like(struct choosing *c, const struct clusterinfo_range *first,
		     const struct range *range, const char *note)
{
	struct clusterinfo_range one = *first;

	one.range = *range;
	one.note = note;
	put(c, &one);
}

static bool put_slice(void *context, const struct range *prefix)
{
	struct choosing *c = context;

	put_like(c, &c->info->piles[CLUSTERINFO_SLICES].first, prefix,
		 "slices of the nodes that are there now; those to come have others");
	return c->answer->count < c->capacity;
}

/* What is around a pile, of each family. */
static void put_cover(struct choosing *c, const struct clusterinfo_pile *pile)
{
	bool is_wide = c->choice->guess == CLUSTERINFO_GUESS_WIDE;

	for (unsigned family = 4; family <= 6; family += 2) {
		struct range cover;

		if (!cidrset_cover(&pile->set, (uint8_t)family, &cover))
			continue;
		if (is_wide)
			cover = widened(&cover, pile->first.role);
		put_like(c, &pile->first, &cover,
			 is_wide ? "guessed from what is there now, wide"
				 : "the smallest range around what is there now");
	}
}

static bool counts(const struct choosing *c, const struct clusterinfo_pile *pile, unsigned role)
{
	return pile->count > 0 && pile->first.role == role &&
	       (pile == c->info->piles || c->choice->guess != CLUSTERINFO_GUESS_NO);
}

static void put_piles(struct choosing *c, unsigned role, unsigned best)
{
	for (size_t i = 0; i < CLUSTERINFO_PILES; i++) {
		const struct clusterinfo_pile *pile = &c->info->piles[i];

		if (!counts(c, pile, role) || pile->first.rank != best || !is_sure(c, &pile->first))
			continue;
		if (c->choice->guess == CLUSTERINFO_GUESS_NO)
			cidrset_prefixes(&pile->set, put_slice, c);
		else
			put_cover(c, pile);
	}
}

/* The rank that counts for a role. */
static unsigned best_rank(const struct choosing *c, unsigned role)
{
	const struct clusterinfo *info = c->info;
	unsigned best = CLUSTERKEYS_RANK_PRESET + 1;

	for (size_t i = 0; i < info->count; i++)
		if (info->list[i].role == role && info->list[i].rank < best)
			best = info->list[i].rank;
	for (size_t i = 0; i < CLUSTERINFO_PILES; i++)
		if (counts(c, &info->piles[i], role) && info->piles[i].first.rank < best)
			best = info->piles[i].first.rank;
	return best;
}

static void choose_role(struct choosing *c, unsigned role)
{
	const struct clusterinfo *info = c->info;
	unsigned best = best_rank(c, role);

	for (unsigned family = 4; family <= 6; family += 2)
		for (size_t i = 0; i < info->count; i++) {
			const struct clusterinfo_range *one = &info->list[i];

			if (one->role == role && one->range.family == family && one->rank == best &&
			    is_sure(c, one))
				put(c, one);
		}
	put_piles(c, role, best);
}

bool clusterinfo_choose(struct clusterinfo *info, const struct clusterinfo_choice *choice,
			struct clusterinfo_answer *answer)
{
	struct choosing c;

	*answer = (struct clusterinfo_answer){.list = NULL};
	c = (struct choosing){info, choice, answer, 0};
	for (size_t i = 0; i < CLUSTERINFO_PILES; i++)
		info->is_out_of_memory |= !cidrset_merge(&info->piles[i].set);
	if (info->is_out_of_memory)
		return false;
	c.capacity = info->count + 2 * CLUSTERINFO_PILES +
		     cidrset_prefix_count(&info->piles[CLUSTERINFO_SLICES].set,
					  CLUSTERINFO_RANGES_MAX);
	answer->list = arena_get_array(info->arena, c.capacity + 1, sizeof *answer->list);
	if (answer->list == NULL)
		return false;
	for (unsigned role = 0; role < CLUSTERKEYS_ROLES; role++)
		if (choice->roles[role])
			choose_role(&c, role);
	return true;
}
