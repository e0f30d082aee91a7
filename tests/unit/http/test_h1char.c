#include "../unit.h"
#include "http/h1char.h"

/* From the grammar of RFC 9110 section 5.6.2, not from the table. */
static void tokens_are_tchar(void)
{
	static const char tchar[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	for (int c = 0; c < 256; c++)
		CHECK_INT(h1char_is((char)c, H1_CHAR_TOKEN), c != 0 && strchr(tchar, c) != NULL);
}

static void targets_are_visible_ascii_without_number_sign(void)
{
	for (int c = 0; c < 256; c++)
		CHECK_INT(h1char_is((char)c, H1_CHAR_TARGET), c >= 33 && c <= 126 && c != '#');
}

static void values_have_no_controls_but_tab(void)
{
	for (int c = 0; c < 256; c++)
		CHECK_INT(h1char_is((char)c, H1_CHAR_VALUE), c == '\t' || (c >= 32 && c != 127));
}

/*
 * Eight bytes are looked at together: each byte value, at each place of two such words and a rest.
 */
static void a_value_ends_at_each_control_wherever_it_is(void)
{
	static const char text[19];
	char *copy = unit_guarded(text, sizeof text);

	for (size_t at = 0; at < sizeof text; at++) {
		for (int c = 0; c < 256; c++) {
			memset(copy, 'x', sizeof text);
			copy[at / 2] = '\t';
			copy[at] = (char)c;
			CHECK_INT(h1char_skip_value(copy, 0, sizeof text),
				  h1char_is((char)c, H1_CHAR_VALUE) ? sizeof text : at);
			CHECK_INT(h1char_skip_value(copy, at, sizeof text),
				  h1char_is((char)c, H1_CHAR_VALUE) ? sizeof text : at);
		}
	}
	unit_guarded_free(copy, sizeof text);
}

static void all_of_nothing_is_of_any_class(void)
{
	CHECK(h1char_all(SPAN(""), H1_CHAR_TOKEN));
	CHECK(h1char_all((struct span){NULL, 0}, H1_CHAR_VALUE));
	CHECK(h1char_all(SPAN("a-b"), H1_CHAR_TOKEN));
	CHECK(!h1char_all(SPAN("a b"), H1_CHAR_TOKEN));
}

UNIT_TESTS(TEST(tokens_are_tchar), TEST(targets_are_visible_ascii_without_number_sign),
	   TEST(values_have_no_controls_but_tab), TEST(a_value_ends_at_each_control_wherever_it_is),
	   TEST(all_of_nothing_is_of_any_class))
