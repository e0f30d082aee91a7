#include "http/h1char.h"

#include <string.h>

/* Sums of the classes: 1 token, 2 target, 4 value. */
/* clang-format off */
const uint8_t h1char_classes[256] = {
	/* 00 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0,
	/* 10 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	/* 20 */ 4, 7, 6, 5, 7, 7, 7, 7, 6, 6, 7, 7, 6, 7, 7, 6,
	/* 30 */ 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 6, 6, 6, 6, 6,
	/* 40 */ 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	/* 50 */ 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 6, 6, 7, 7,
	/* 60 */ 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	/* 70 */ 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 7, 6, 7, 0,
	/* 80 */ 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	/* 90 */ 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	/* A0 */ 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	/* B0 */ 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	/* C0 */ 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	/* D0 */ 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	/* E0 */ 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	/* F0 */ 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
};
/* clang-format on */

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/*
 * Whether any of eight bytes is below 0x20 or is 0x7f: never false when one is. HTAB counts as
 * well: the table looks at it.
 */
static bool has_control(uint64_t word)
{
	uint64_t del = word ^ ONES * 0x7f;

	return (((word - ONES * 0x20) & ~word) | ((del - ONES) & ~del)) & HIGHS;
}

size_t h1char_skip_value(const char *bytes, size_t at, size_t end)
{
	while (end - at >= sizeof(uint64_t)) {
		size_t stop = at + sizeof(uint64_t);
		uint64_t word;

		memcpy(&word, bytes + at, sizeof word);
		if (has_control(word)) {
			at = h1char_skip(bytes, at, stop, H1_CHAR_VALUE);
			if (at < stop)
				return at;
		}
		at = stop;
	}
	return h1char_skip(bytes, at, end, H1_CHAR_VALUE);
}

bool h1char_all(struct span text, enum h1_char_class class)
{
	return h1char_skip(text.ptr, 0, text.len, class) == text.len;
}
