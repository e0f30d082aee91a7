#include "../unit.h"

#include "sys/relr.h"

#define WORDS 300
#define WORD_BITS (8 * sizeof(uintptr_t))
#define BITMAP(bits) ((uintptr_t)(bits) << 1 | 1)

static uintptr_t words[WORDS];
static char *const base = (char *)words;

static void clear(void)
{
	for (size_t i = 0; i < WORDS; i++)
		words[i] = i;
}

static bool is_moved(size_t i)
{
	CHECK(words[i] == i || words[i] == i + (uintptr_t)base);
	return words[i] != i;
}

static void moves_single_words(void)
{
	static const uintptr_t entries[] = {0, 5 * sizeof(uintptr_t), 299 * sizeof(uintptr_t)};

	clear();
	relr_apply(base, entries, 3);
	for (size_t i = 0; i < WORDS; i++)
		CHECK(is_moved(i) == (i == 0 || i == 5 || i == 299));
}

static void moves_what_the_bits_behind_a_word_say(void)
{
	const uintptr_t entries[] = {10 * sizeof(uintptr_t),
				     BITMAP(1),
				     BITMAP(UINTPTR_MAX >> 1),
				     BITMAP(0),
				     BITMAP(6),
				     250 * sizeof(uintptr_t),
				     BITMAP((uintptr_t)1 << (WORD_BITS - 2))};
	size_t second = 11 + (WORD_BITS - 1), third = second + (WORD_BITS - 1);
	size_t fourth = third + (WORD_BITS - 1);

	clear();
	relr_apply(base, entries, 7);
	for (size_t i = 0; i < WORDS; i++)
		CHECK(is_moved(i) == (i == 10 || i == 11 || (i >= second && i < third) ||
				      i == fourth + 1 || i == fourth + 2 || i == 250 ||
				      i == 251 + WORD_BITS - 2));
}

static void moves_nothing_without_entries(void)
{
	clear();
	relr_apply(base, NULL, 0);
	for (size_t i = 0; i < WORDS; i++)
		CHECK(!is_moved(i));
}

/* This program has been started that way too, where the linker packs. */
static void own_pointers_are_right(void)
{
	static const char *const texts[] = {"a", "b"};
	static const char *const *volatile table = texts;

	CHECK_TEXT(table[0], "a");
	CHECK_TEXT(table[1], "b");
}

UNIT_TESTS(TEST(moves_single_words), TEST(moves_what_the_bits_behind_a_word_say),
	   TEST(moves_nothing_without_entries), TEST(own_pointers_are_right))
