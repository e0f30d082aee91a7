#include "net/rangelist.h"

#include <stdlib.h>

#include "base/alloc.h"

#define FIRST_CAPACITY 16
#define COUNT_MAX ((size_t)1 << 28)

void rangelist_init(struct rangelist *l)
{
	*l = (struct rangelist){.list = NULL};
}

void rangelist_fini(struct rangelist *l)
{
	alloc_put(l->list);
	rangelist_init(l);
}

bool rangelist_add(struct rangelist *l, const struct range *r)
{
	if (l->count == l->capacity) {
		size_t capacity = l->capacity > 0 ? l->capacity * 2 : FIRST_CAPACITY;
		struct range *larger = capacity <= COUNT_MAX
					       ? alloc_resize(l->list, capacity * sizeof *larger)
					       : NULL;

		if (larger == NULL)
			return false;
		l->list = larger;
		l->capacity = capacity;
	}
	l->list[l->count++] = *r;
	return true;
}

static int compare(const void *left, const void *right)
{
	const struct range *a = left, *b = right;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (!wide_eq(a->first, b->first))
		return wide_is_less(a->first, b->first) ? -1 : 1;
	if (!wide_eq(a->last, b->last))
		return wide_is_less(b->last, a->last) ? -1 : 1;
	return 0;
}

void rangelist_sort(struct rangelist *l)
{
	if (l->count > 1)
		qsort(l->list, l->count, sizeof *l->list, compare);
}

bool rangelist_overlaps(const struct rangelist *l,
			bool (*each)(void *context, const struct range *a, const struct range *b),
			void *context)
{
	for (size_t i = 0; i < l->count; i++)
		for (size_t k = i + 1; k < l->count && range_overlaps(&l->list[i], &l->list[k]);
		     k++)
			if (!each(context, &l->list[i], &l->list[k]))
				return false;
	return true;
}
