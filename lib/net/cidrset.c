#include "net/cidrset.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define FIRST_CAPACITY 16

void cidrset_init(struct cidrset *s)
{
	*s = (struct cidrset){.v4 = NULL};
}

void cidrset_fini(struct cidrset *s)
{
	alloc_put(s->v4);
	alloc_put(s->v6);
	cidrset_init(s);
}

/* ---- Adding ---- */

/* Twice the room of a list with entries of `size` bytes; NULL when memory is out. */
static void *grown(void *list, size_t *capacity, size_t size)
{
	size_t wanted = *capacity > 0 ? *capacity * 2 : FIRST_CAPACITY;
	void *larger = wanted <= CIDRSET_MAX ? alloc_resize(list, wanted * size) : NULL;

	if (larger != NULL)
		*capacity = wanted;
	return larger;
}

static bool add4(struct cidrset *s, uint32_t first, uint32_t last)
{
	if (s->count4 == s->capacity4) {
		uint64_t *larger = grown(s->v4, &s->capacity4, sizeof *s->v4);

		if (larger == NULL)
			return false;
		s->v4 = larger;
	}
	s->v4[s->count4++] = (uint64_t)first << 32 | last;
	return true;
}

static bool add6(struct cidrset *s, struct wide first, struct wide last)
{
	if (s->count6 == s->capacity6) {
		struct cidrset_wide *larger = grown(s->v6, &s->capacity6, sizeof *s->v6);

		if (larger == NULL)
			return false;
		s->v6 = larger;
	}
	s->v6[s->count6++] = (struct cidrset_wide){first, last};
	return true;
}

bool cidrset_add(struct cidrset *s, const struct range *r)
{
	return r->family == 4 ? add4(s, (uint32_t)r->first.low, (uint32_t)r->last.low)
			      : add6(s, r->first, r->last);
}

/* ---- Sorting ---- */

/*
 * Passes over digits of 11 bits, lowest first. Three take a whole address of IPv4. For IPv6 two
 * take the 22 bits that follow what all have in common, which leaves little to sort by comparing:
 * of a million addresses at random, every fifth has the 22 bits of another.
 */
#define DIGIT 11
#define DIGITS ((size_t)1 << DIGIT)
#define PASSES 3
#define PASSES6 2
#define WINDOW (PASSES6 * DIGIT)

/* Where each digit's entries begin, from how many there are. */
static void sum_up(uint32_t counts[static DIGITS])
{
	uint32_t at = 0;

	for (size_t i = 0; i < DIGITS; i++) {
		uint32_t count = counts[i];

		counts[i] = at;
		at += count;
	}
}

/* All entries have one digit: the pass would move nothing. */
static bool is_needless(const uint32_t counts[static DIGITS], size_t digit, size_t total)
{
	return counts[digit] == total;
}

static size_t digit4(uint64_t key, int pass)
{
	return key >> (32 + DIGIT * pass) & (DIGITS - 1);
}

/* By the first address; what comes behind it may stand in any order, merging does not mind. */
static bool sort4(uint64_t **list, size_t count)
{
	static const size_t bytes = sizeof(uint32_t) * PASSES * DIGITS;
	uint64_t *from = *list, *to = alloc_get(count * sizeof *to);
	uint32_t(*counts)[DIGITS] = alloc_get_zeroed(bytes);
	bool ok = to != NULL && counts != NULL;

	for (size_t i = 0; ok && i < count; i++)
		for (int pass = 0; pass < PASSES; pass++)
			counts[pass][digit4(from[i], pass)]++;
	for (int pass = 0; ok && pass < PASSES; pass++) {
		uint64_t *swap = from;

		if (is_needless(counts[pass], digit4(from[0], pass), count))
			continue;
		sum_up(counts[pass]);
		for (size_t i = 0; i < count; i++)
			to[counts[pass][digit4(from[i], pass)]++] = from[i];
		from = to;
		to = swap;
	}
	*list = from;
	alloc_put(to);
	alloc_put(counts);
	return ok;
}

/* The WINDOW bits of an address that begin `skip` bits from the top; skip <= 128 - WINDOW. */
static uint32_t window(struct wide address, unsigned skip)
{
	uint64_t top = skip == 0   ? address.high
		       : skip < 64 ? address.high << skip | address.low >> (64 - skip)
				   : address.low << (skip - 64);

	return (uint32_t)(top >> (64 - WINDOW));
}

static size_t digit6(const struct cidrset_wide *entry, unsigned skip, int pass)
{
	return window(entry->first, skip) >> (DIGIT * pass) & (DIGITS - 1);
}

static int compare6(const void *left, const void *right)
{
	const struct cidrset_wide *a = left, *b = right;

	return wide_is_less(a->first, b->first) ? -1 : wide_is_less(b->first, a->first) ? 1 : 0;
}

/* Runs that agree in the window are short, or else they are sorted by comparing. */
#define SHORT_RUN 12

static void sort_run(struct cidrset_wide *run, size_t count)
{
	if (count > SHORT_RUN) {
		qsort(run, count, sizeof *run, compare6);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		struct cidrset_wide entry = run[i];
		size_t at = i;

		for (; at > 0 && wide_is_less(entry.first, run[at - 1].first); at--)
			run[at] = run[at - 1];
		run[at] = entry;
	}
}

/* How many bits all first addresses have in common. */
static unsigned common_bits(const struct cidrset_wide *list, size_t count)
{
	struct wide differing = {0, 0};

	for (size_t i = 1; i < count; i++) {
		struct wide one = wide_xor(list[i].first, list[0].first);

		differing = wide_of(differing.high | one.high, differing.low | one.low);
	}
	return 128 - wide_bits(differing);
}

static void finish_runs(struct cidrset_wide *list, size_t count, unsigned skip)
{
	for (size_t i = 0; i < count;) {
		uint32_t key = window(list[i].first, skip);
		size_t end = i + 1;

		while (end < count && window(list[end].first, skip) == key)
			end++;
		if (end - i > 1)
			sort_run(list + i, end - i);
		i = end;
	}
}

static bool sort6(struct cidrset_wide **list, size_t count)
{
	static const size_t bytes = sizeof(uint32_t) * PASSES6 * DIGITS;
	struct cidrset_wide *from = *list, *to = alloc_get(count * sizeof *to);
	uint32_t(*counts)[DIGITS] = alloc_get_zeroed(bytes);
	bool ok = to != NULL && counts != NULL;
	unsigned skip = common_bits(from, count);

	if (skip > 128 - WINDOW)
		skip = 128 - WINDOW;
	for (size_t i = 0; ok && i < count; i++)
		for (int pass = 0; pass < PASSES6; pass++)
			counts[pass][digit6(&from[i], skip, pass)]++;
	for (int pass = 0; ok && pass < PASSES6; pass++) {
		struct cidrset_wide *swap = from;

		if (is_needless(counts[pass], digit6(&from[0], skip, pass), count))
			continue;
		sum_up(counts[pass]);
		for (size_t i = 0; i < count; i++)
			to[counts[pass][digit6(&from[i], skip, pass)]++] = from[i];
		from = to;
		to = swap;
	}
	if (ok)
		finish_runs(from, count, skip);
	*list = from;
	alloc_put(to);
	alloc_put(counts);
	return ok;
}

/* ---- Merging ---- */

static bool is_sorted4(const struct cidrset *s)
{
	for (size_t i = 1; i < s->count4; i++)
		if (s->v4[i - 1] >> 32 > s->v4[i] >> 32)
			return false;
	return true;
}

static bool is_sorted6(const struct cidrset *s)
{
	for (size_t i = 1; i < s->count6; i++)
		if (wide_is_less(s->v6[i].first, s->v6[i - 1].first))
			return false;
	return true;
}

static void merge4(struct cidrset *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count4; i++) {
		uint32_t first = (uint32_t)(s->v4[i] >> 32), last = (uint32_t)s->v4[i];
		uint32_t end = kept > 0 ? (uint32_t)s->v4[kept - 1] : 0;

		if (kept > 0 && (end == UINT32_MAX || first <= end + 1)) {
			if (last > end)
				s->v4[kept - 1] += last - end;
		} else {
			s->v4[kept++] = s->v4[i];
		}
	}
	s->count4 = kept;
}

static bool touches(const struct cidrset_wide *before, struct wide first)
{
	struct wide next = wide_next(before->last);

	return !wide_is_less(before->last, first) || wide_eq(next, first);
}

static void merge6(struct cidrset *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count6; i++) {
		if (kept == 0 || !touches(&s->v6[kept - 1], s->v6[i].first))
			s->v6[kept++] = s->v6[i];
		else if (wide_is_less(s->v6[kept - 1].last, s->v6[i].last))
			s->v6[kept - 1].last = s->v6[i].last;
	}
	s->count6 = kept;
}

bool cidrset_merge(struct cidrset *s)
{
	/* The scratch of a sort is as large as the list, which may have grown to twice its use. */
	if (!is_sorted4(s)) {
		if (!sort4(&s->v4, s->count4))
			return false;
		s->capacity4 = s->count4;
	}
	if (!is_sorted6(s)) {
		if (!sort6(&s->v6, s->count6))
			return false;
		s->capacity6 = s->count6;
	}
	merge4(s);
	merge6(s);
	return true;
}

/* ---- Sets against sets ---- */

struct range cidrset_at(const struct cidrset *s, size_t index)
{
	if (index < s->count4)
		return (struct range){wide_of(0, s->v4[index] >> 32),
				      wide_of(0, s->v4[index] & UINT32_MAX), 4};
	return (struct range){s->v6[index - s->count4].first, s->v6[index - s->count4].last, 6};
}

/* Is all of `a` before `b`, IPv4 before IPv6? */
static bool is_before(const struct range *a, const struct range *b)
{
	return a->family != b->family ? a->family < b->family : wide_is_less(a->last, b->first);
}

bool cidrset_exclude(const struct cidrset *a, const struct cidrset *b, struct cidrset *out)
{
	size_t at = 0;

	for (size_t i = 0; i < cidrset_count(a); i++) {
		struct range rest = cidrset_at(a, i);
		bool is_left = true;

		for (; is_left && at < cidrset_count(b); at++) {
			struct range hole = cidrset_at(b, at), piece = rest;

			if (is_before(&hole, &rest))
				continue;
			if (is_before(&rest, &hole))
				break;
			if (wide_is_less(rest.first, hole.first)) {
				piece.last = wide_prev(hole.first);
				if (!cidrset_add(out, &piece))
					return false;
			}
			is_left = wide_is_less(hole.last, rest.last);
			if (!is_left)
				break;
			rest.first = wide_next(hole.last);
		}
		if (is_left && !cidrset_add(out, &rest))
			return false;
	}
	return true;
}

bool cidrset_intersect(const struct cidrset *a, const struct cidrset *b, struct cidrset *out)
{
	size_t i = 0, k = 0;

	while (i < cidrset_count(a) && k < cidrset_count(b)) {
		struct range x = cidrset_at(a, i), y = cidrset_at(b, k);

		if (range_overlaps(&x, &y)) {
			struct range both = {
				wide_is_less(x.first, y.first) ? y.first : x.first,
				wide_is_less(x.last, y.last) ? x.last : y.last,
				x.family,
			};

			if (!cidrset_add(out, &both))
				return false;
		}
		if (is_before(&x, &y) || (x.family == y.family && wide_is_less(x.last, y.last)))
			i++;
		else
			k++;
	}
	return true;
}

/* The first range that does not end before `r` begins. */
static size_t find(const struct cidrset *s, const struct range *r)
{
	size_t low = r->family == 4 ? 0 : s->count4;
	size_t high = r->family == 4 ? s->count4 : cidrset_count(s);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct range one = cidrset_at(s, middle);

		if (wide_is_less(one.last, r->first))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool cidrset_contains(const struct cidrset *s, const struct range *r)
{
	size_t at = find(s, r);
	struct range found;

	if (at >= cidrset_count(s))
		return false;
	found = cidrset_at(s, at);
	return range_contains(&found, r);
}

bool cidrset_cover(const struct cidrset *s, uint8_t family, struct range *out)
{
	size_t count = family == 4 ? s->count4 : s->count6, from = family == 4 ? 0 : s->count4;
	struct range first, last;

	if (count == 0)
		return false;
	first = cidrset_at(s, from);
	last = cidrset_at(s, from + count - 1);
	*out = range_cover(&first, &last);
	return true;
}

bool cidrset_size(const struct cidrset *s, uint8_t family, struct wide *less_one)
{
	size_t count = family == 4 ? s->count4 : s->count6, from = family == 4 ? 0 : s->count4;
	/* Starts one below nothing, so that the sum is one below the count. */
	struct wide sum = wide_prev(wide_of(0, 0));

	for (size_t i = from; i < from + count; i++) {
		struct range r = cidrset_at(s, i);

		sum = wide_add(sum, wide_next(wide_sub(r.last, r.first)));
	}
	*less_one = sum;
	return count > 0;
}

/* ---- Prefixes ---- */

bool cidrset_prefixes(const struct cidrset *s,
		      bool (*each)(void *context, const struct range *prefix), void *context)
{
	for (size_t i = 0; i < cidrset_count(s); i++) {
		struct range rest = cidrset_at(s, i);

		for (;;) {
			struct range prefix = range_first_prefix(&rest);

			if (!each(context, &prefix))
				return false;
			if (wide_eq(prefix.last, rest.last))
				break;
			rest.first = wide_next(prefix.last);
		}
	}
	return true;
}

struct counting {
	size_t count, max;
};

static bool count_one(void *context, const struct range *prefix)
{
	struct counting *c = context;

	(void)prefix;
	return ++c->count < c->max;
}

size_t cidrset_prefix_count(const struct cidrset *s, size_t max)
{
	struct counting c = {0, max};

	cidrset_prefixes(s, count_one, &c);
	return c.count;
}
