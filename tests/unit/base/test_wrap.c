#include "../unit.h"

#include "base/wrap.h"

#define TEN "0123456789"
#define SEVENTY TEN TEN TEN TEN TEN TEN TEN

static char wrapped[1024];

static struct buf *out(void)
{
	static struct buf b;

	BUF_INIT_ARRAY(&b, wrapped);
	return &b;
}

static void breaks_at_80_columns_and_not_before(void)
{
	wrap_line(SPAN(SEVENTY " 012345678 x"), 0, 4, out());
	CHECK_TEXT(wrapped, SEVENTY " 012345678\n    x\n");
	wrap_line(SPAN(SEVENTY " 0123456789 x"), 0, 4, out());
	CHECK_TEXT(wrapped, SEVENTY "\n    0123456789 x\n");
	wrap_line(SPAN(SEVENTY " x"), 8, 4, out());
	CHECK_TEXT(wrapped, SEVENTY " x\n");
	wrap_line(SPAN(SEVENTY " x"), 9, 4, out());
	CHECK_TEXT(wrapped, SEVENTY "\n    x\n");
	/* Blanks count: forty words of one byte make 79 columns. */
	wrap_line(SPAN("a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a "
		       "a a a b"),
		  0, 4, out());
	CHECK_TEXT(wrapped,
		   "a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a "
		   "a a\n    b\n");
	/* The second line is measured from its own start. */
	wrap_line(SPAN(SEVENTY " " SEVENTY " 01234 x"), 0, 4, out());
	CHECK_TEXT(wrapped, SEVENTY "\n    " SEVENTY " 01234\n    x\n");
	wrap_line(SPAN(SEVENTY " " SEVENTY " 012345 x"), 0, 4, out());
	CHECK_TEXT(wrapped, SEVENTY "\n    " SEVENTY "\n    012345 x\n");
}

static void leaves_long_words_whole(void)
{
	wrap_line(SPAN(SEVENTY SEVENTY " a " SEVENTY SEVENTY), 0, 2, out());
	CHECK_TEXT(wrapped, SEVENTY SEVENTY "\n  a\n  " SEVENTY SEVENTY "\n");
}

static void makes_one_blank_of_several_but_keeps_those_in_front(void)
{
	wrap_line(SPAN("a   b  "), 0, 0, out());
	CHECK_TEXT(wrapped, "a b\n");
	wrap_line(SPAN("  - " SEVENTY " 0123456"), 0, 2, out());
	CHECK_TEXT(wrapped, "  - " SEVENTY "\n    0123456\n");
	wrap_line(SPAN("   "), 0, 2, out());
	CHECK_TEXT(wrapped, "\n");
	wrap_line(SPAN(""), 0, 2, out());
	CHECK_TEXT(wrapped, "\n");
}

static void keeps_the_lines_of_a_text(void)
{
	wrap_text(SPAN("one\n\n  two\nthree"), 0, 2, out());
	CHECK_TEXT(wrapped, "  one\n\n    two\n  three\n");
	wrap_text(SPAN("one\ntwo"), 3, 5, out());
	CHECK_TEXT(wrapped, "  one\n     two\n");
	wrap_text(SPAN("\none"), 0, 2, out());
	CHECK_TEXT(wrapped, "\n  one\n");
	wrap_text(SPAN(SEVENTY " 0123456 x"), 0, 2, out());
	CHECK_TEXT(wrapped, "  " SEVENTY " 0123456\n  x\n");
}

UNIT_TESTS(TEST(breaks_at_80_columns_and_not_before), TEST(leaves_long_words_whole),
	   TEST(makes_one_blank_of_several_but_keeps_those_in_front),
	   TEST(keeps_the_lines_of_a_text))
