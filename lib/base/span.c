#include "base/span.h"

#include <stdint.h>

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* The high bit of each byte that is an ASCII letter; none of them may be above 0x7f. */
static uint64_t letters(uint64_t word)
{
	uint64_t lower = word | ONES * 0x20 | HIGHS;

	return (lower - ONES * 'a') & ~(lower - ONES * ('z' + 1)) & HIGHS;
}

/*
 * Two ASCII letters that differ by case differ in bit 0x20 and nothing else. Bytes are mostly
 * equal, so the difference is looked at first.
 */
static bool eq_nocase(uint64_t a, uint64_t b)
{
	uint64_t difference = a ^ b;

	if (difference == 0)
		return true;
	return (difference & ~(ONES * 0x20)) == 0 &&
	       (difference << 2 & ~letters(a & ~HIGHS)) == 0 && (difference << 2 & a) == 0;
}

static bool eight_are_eq(const char *a, const char *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return eq_nocase(x, y);
}

static bool four_are_eq(const char *a, const char *b)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return eq_nocase(x, y);
}

/*
 * On the request path (header names, hosts), hence several bytes at a time. The last step begins
 * early enough to end with the text, and so looks at some bytes twice.
 */
bool span_eq_nocase(struct span a, struct span b)
{
	size_t at = 0;

	if (a.len != b.len)
		return false;
	if (a.len < 4) {
		while (at < a.len && eq_nocase((unsigned char)a.ptr[at], (unsigned char)b.ptr[at]))
			at++;
		return at == a.len;
	}
	if (a.len < 8)
		return four_are_eq(a.ptr, b.ptr) &&
		       four_are_eq(a.ptr + a.len - 4, b.ptr + a.len - 4);
	for (; at + 8 <= a.len; at += 8)
		if (!eight_are_eq(a.ptr + at, b.ptr + at))
			return false;
	return eight_are_eq(a.ptr + a.len - 8, b.ptr + a.len - 8);
}

bool span_starts_with(struct span s, struct span prefix)
{
	return s.len >= prefix.len && span_eq(span_first(s, prefix.len), prefix);
}

bool span_ends_with(struct span s, struct span suffix)
{
	return s.len >= suffix.len && span_eq(span_from(s, s.len - suffix.len), suffix);
}

size_t span_find(struct span s, char byte)
{
	const char *at = s.len > 0 ? memchr(s.ptr, (unsigned char)byte, s.len) : NULL;

	return at != NULL ? (size_t)(at - s.ptr) : SIZE_MAX;
}

size_t span_rfind(struct span s, char byte)
{
	for (size_t i = s.len; i > 0; i--)
		if (s.ptr[i - 1] == byte)
			return i - 1;
	return SIZE_MAX;
}

bool span_split(struct span *rest, char separator, struct span *part)
{
	size_t at;

	if (rest->ptr == NULL)
		return false;
	at = span_find(*rest, separator);
	if (at == SIZE_MAX) {
		*part = *rest;
		*rest = (struct span){NULL, 0};
		return true;
	}
	*part = span_first(*rest, at);
	/* Not span_from: behind a separator at the end one empty part is still to come. */
	*rest = (struct span){rest->ptr + at + 1, rest->len - at - 1};
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct span span_trim(struct span s)
{
	while (s.len > 0 && is_blank(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}
