#include "base/nearest.h"

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Optimal string alignment distance, three rows of the table at a time. Both texts are at most
 * NEAREST_MAX long. `row[j]` is the distance of the first i bytes of `a` from the first j of `b`.
 */
static size_t distance(struct span a, struct span b)
{
	size_t rows[3][NEAREST_MAX + 1] = {{0}};
	size_t *row = rows[0], *last = rows[1], *before_last = rows[2];

	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t *oldest = before_last;

		before_last = last;
		last = row;
		row = oldest;
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			char x = a.ptr[i - 1], y = b.ptr[j - 1];

			row[j] = min(min(last[j], row[j - 1]) + 1, last[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == b.ptr[j - 2] && a.ptr[i - 2] == y)
				row[j] = min(row[j], before_last[j - 2] + 1);
		}
	}
	return row[b.len];
}

void nearest_init(struct nearest *n, struct span typed)
{
	*n = (struct nearest){.typed = typed};
	n->distance = (typed.len < 3 ? 1 : typed.len / 3) + 1;
}

void nearest_offer(struct nearest *n, struct span known)
{
	size_t d;

	if (n->typed.len > NEAREST_MAX || known.len > NEAREST_MAX)
		return;
	d = distance(n->typed, known);
	/* Less than all of it: a name of which nothing is left was not meant. */
	if (d >= n->distance || d >= known.len)
		return;
	n->distance = d;
	n->best = known;
}
