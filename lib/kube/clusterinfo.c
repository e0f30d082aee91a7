#include "kube/clusterinfo.h"

#include "base/alloc.h"
#include "net/special.h"

#define FIRST_CAPACITY 16

void clusterinfo_init(struct clusterinfo *info, struct arena *arena)
{
	*info = (struct clusterinfo){.arena = arena};
	cidrset_init(&info->slices);
}

void clusterinfo_fini(struct clusterinfo *info)
{
	cidrset_fini(&info->slices);
	alloc_put(info->list);
	info->list = NULL;
	info->count = info->capacity = 0;
}

static bool is_slice(const struct clusterinfo_range *range)
{
	return range->rank == CLUSTERKEYS_RANK_NODES;
}

static void add_slice(struct clusterinfo *info, const struct clusterinfo_range *range)
{
	if (info->slice_count++ == 0)
		info->first_slice = *range;
	info->is_out_of_memory |= !cidrset_add(&info->slices, &range->range);
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
	if (is_slice(range)) {
		add_slice(info, range);
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
	return role == CLUSTERKEYS_POD && info->slice_count > 0;
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

/*
 * How much wider a range of nodes' slices may well be: the known use that it is in, else the
 * sizes that clusters rarely go below.
 */
static struct range widened(const struct range *cover)
{
	bool is_exact;
	const struct special_kube *known = special_find_kube(cover, SPECIAL_POD, &is_exact);
	struct range known_range, wide = *cover;
	struct wide ones = wide_ones(cover->family == 4 ? 16 : 80);

	if (known != NULL) {
		known_range = special_range(known->prefix);
		/* Cilium's and Calico's pools are too wide to be taken for granted. */
		if (range_length(&known_range) >= 12)
			return known_range;
	}
	wide.first = wide_of(cover->first.high & ~ones.high, cover->first.low & ~ones.low);
	wide.last = wide_of(cover->last.high | ones.high, cover->last.low | ones.low);
	return range_cover(&wide, cover);
}

static void put_slice(struct choosing *c, const struct range *range, const char *note)
{
	struct clusterinfo_range slice = c->info->first_slice;

	slice.range = *range;
	slice.note = note;
	put(c, &slice);
}

static bool put_prefix(void *context, const struct range *prefix)
{
	struct choosing *c = context;

	put_slice(c, prefix, "slices of the nodes that are there now; those to come have others");
	return c->answer->count < c->capacity;
}

static void put_slices(struct choosing *c)
{
	struct clusterinfo *info = c->info;
	static const uint8_t families[] = {4, 6};

	if (info->slice_count == 0 || !is_sure(c, &info->first_slice))
		return;
	if (c->choice->guess == CLUSTERINFO_GUESS_NO) {
		cidrset_prefixes(&info->slices, put_prefix, c);
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		struct range cover;

		if (!cidrset_cover(&info->slices, families[i], &cover))
			continue;
		if (c->choice->guess == CLUSTERINFO_GUESS_WIDE)
			cover = widened(&cover);
		put_slice(c, &cover,
			  c->choice->guess == CLUSTERINFO_GUESS_WIDE
				  ? "guessed from the slices of nodes, wide"
				  : "the smallest range around the slices of nodes");
	}
}

/* The rank that counts for a role; the slices of nodes have one of their own. */
static unsigned best_rank(const struct choosing *c, unsigned role)
{
	const struct clusterinfo *info = c->info;
	unsigned best = CLUSTERKEYS_RANK_PRESET + 1;

	for (size_t i = 0; i < info->count; i++)
		if (info->list[i].role == role && info->list[i].rank < best)
			best = info->list[i].rank;
	if (role == CLUSTERKEYS_POD && info->slice_count > 0 && best > CLUSTERKEYS_RANK_NODES)
		best = CLUSTERKEYS_RANK_NODES;
	return best;
}

static void choose_role(struct choosing *c, unsigned role)
{
	const struct clusterinfo *info = c->info;
	unsigned best = best_rank(c, role);

	for (unsigned family = 4; family <= 6; family += 2)
		for (size_t i = 0; i < info->count; i++) {
			const struct clusterinfo_range *one = &info->list[i];

			if (one->role == role && one->range.family == family &&
			    (one->rank == best || c->choice->takes_all) && is_sure(c, one))
				put(c, one);
		}
	if (role == CLUSTERKEYS_POD && (best == CLUSTERKEYS_RANK_NODES || c->choice->takes_all))
		put_slices(c);
}

bool clusterinfo_choose(struct clusterinfo *info, const struct clusterinfo_choice *choice,
			struct clusterinfo_answer *answer)
{
	struct choosing c;

	*answer = (struct clusterinfo_answer){.list = NULL};
	c = (struct choosing){info, choice, answer, 0};
	if (info->is_out_of_memory || !cidrset_merge(&info->slices))
		return false;
	c.capacity = info->count + cidrset_prefix_count(&info->slices, CLUSTERINFO_RANGES_MAX);
	answer->list = arena_get_array(info->arena, c.capacity + 1, sizeof *answer->list);
	if (answer->list == NULL)
		return false;
	for (unsigned role = 0; role < CLUSTERKEYS_ROLES; role++)
		if (choice->roles[role])
			choose_role(&c, role);
	return true;
}
