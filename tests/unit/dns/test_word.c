#include "../unit.h"

#include "dns/word.h"

static void takes_words_between_blanks_of_all_kinds(void)
{
	struct span line = SPAN(" one\ttwo \r\v\f three"), word;

	CHECK(word_take(&line, &word));
	CHECK_SPAN(word, "one");
	CHECK(word_take(&line, &word));
	CHECK_SPAN(word, "two");
	CHECK(word_take(&line, &word));
	CHECK_SPAN(word, "three");
	CHECK(!word_take(&line, &word));
	CHECK_INT(line.len, 0);
}

static void finds_no_word_where_there_is_none(void)
{
	static const char *const lines[] = {"", " ", "\t \r"};

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		size_t len = strlen(lines[i]);
		char *copy = unit_guarded(lines[i], len);
		struct span line = span_of(copy, len), word;

		CHECK(!word_take(&line, &word));
		unit_guarded_free(copy, len);
	}
}

static void a_word_may_end_with_the_line(void)
{
	char *copy = unit_guarded("word", 4);
	struct span line = span_of(copy, 4), word;

	CHECK(word_take(&line, &word));
	CHECK_SPAN(word, "word");
	CHECK(!word_take(&line, &word));
	unit_guarded_free(copy, 4);
}

UNIT_TESTS(TEST(takes_words_between_blanks_of_all_kinds), TEST(finds_no_word_where_there_is_none),
	   TEST(a_word_may_end_with_the_line))
