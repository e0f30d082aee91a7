#include "redirect/ranges.h"

#include <stdlib.h>
#include <string.h>

static size_t size_of(uint8_t family)
{
	return family == 4 ? 4 : 16;
}

/* By address; of one address the larger range first, so that it swallows the others. */
static int compare_cidrs(const void *a, const void *b)
{
	const struct cidr *left = a, *right = b;
	int order = memcmp(left->network.bytes, right->network.bytes, sizeof left->network.bytes);

	return order != 0 ? order : left->length - right->length;
}

/* Do the two make one range that is twice as large? `low` comes before `high`. */
static bool are_halves(const struct cidr *low, const struct cidr *high)
{
	struct cidr whole = *low;
	unsigned bit;

	if (low->length != high->length || low->length == 0)
		return false;
	bit = low->length - 1u;
	if ((low->network.bytes[bit / 8] & 0x80 >> bit % 8) != 0)
		return false;
	whole.length--;
	return cidr_contains(&whole, &high->network);
}

void ranges_merge_cidrs(struct ranges_cidrs *list)
{
	struct cidr *items = list->items;
	size_t used = 0;

	if (list->count == 0)
		return;
	qsort(items, list->count, sizeof *items, compare_cidrs);
	for (size_t i = 0; i < list->count; i++) {
		if (used > 0 && cidr_contains(&items[used - 1], &items[i].network))
			continue;
		items[used++] = items[i];
		while (used > 1 && are_halves(&items[used - 2], &items[used - 1])) {
			used--;
			items[used - 1].length--;
		}
	}
	list->count = used;
}

static int compare_ports(const void *a, const void *b)
{
	const struct portrange *left = a, *right = b;

	return left->first - right->first;
}

void ranges_merge_ports(struct ranges_ports *list)
{
	struct portrange *items = list->items;
	size_t used = 0;

	if (list->count == 0)
		return;
	qsort(items, list->count, sizeof *items, compare_ports);
	for (size_t i = 0; i < list->count; i++) {
		if (used > 0 && items[i].first <= items[used - 1].last + 1) {
			if (items[i].last > items[used - 1].last)
				items[used - 1].last = items[i].last;
		} else {
			items[used++] = items[i];
		}
	}
	list->count = used;
}

bool ranges_has_port(const struct ranges_ports *list, uint16_t port)
{
	for (size_t i = 0; i < list->count; i++)
		if (portrange_contains(&list->items[i], port))
			return true;
	return false;
}

bool ranges_successor(uint8_t *bytes, size_t size)
{
	while (size-- > 0)
		if (++bytes[size] != 0)
			return true;
	return false;
}

static void set_last(const struct cidr *c, uint8_t last[static 16])
{
	memcpy(last, c->network.bytes, 16);
	for (unsigned bit = c->length; bit < size_of(c->network.family) * 8; bit++)
		last[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

bool ranges_next(struct ranges_cidrs *rest, struct ranges_span *run)
{
	uint8_t next[16];

	if (rest->count == 0)
		return false;
	memcpy(run->first, rest->items->network.bytes, sizeof run->first);
	do {
		set_last(rest->items, run->last);
		memcpy(next, run->last, sizeof next);
		rest->count--;
		rest->items++;
	} while (rest->count > 0 && ranges_successor(next, size_of(rest->items->network.family)) &&
		 memcmp(next, rest->items->network.bytes, sizeof next) == 0);
	return true;
}

size_t ranges_count(struct ranges_cidrs list)
{
	struct ranges_span run;
	size_t count = 0;

	while (ranges_next(&list, &run))
		count++;
	return count;
}

/* The length of the prefix that is exactly this run, or -1. */
static int prefix_length(const struct ranges_span *run, size_t size)
{
	unsigned length = 0, bits = (unsigned)size * 8;

	while (length < bits &&
	       ((run->first[length / 8] ^ run->last[length / 8]) & 0x80 >> length % 8) == 0)
		length++;
	for (unsigned bit = length; bit < bits; bit++)
		if ((run->first[bit / 8] & 0x80 >> bit % 8) != 0 ||
		    (run->last[bit / 8] & 0x80 >> bit % 8) == 0)
			return -1;
	return (int)length;
}

void ranges_format(const struct ranges_span *run, uint8_t family, struct buf *out)
{
	int length = prefix_length(run, size_of(family));
	struct addr a = {.family = family};

	memcpy(a.bytes, run->first, sizeof a.bytes);
	addr_format(&a, out);
	if (length == (int)size_of(family) * 8)
		return;
	if (length >= 0) {
		buf_add_byte(out, '/');
		buf_add_u64(out, (uint64_t)length);
		return;
	}
	memcpy(a.bytes, run->last, sizeof a.bytes);
	buf_add_byte(out, '-');
	addr_format(&a, out);
}
