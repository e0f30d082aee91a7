#include "../unit.h"

#include "base/ascii.h"

static void classes_hold_their_bytes_and_no_others(void)
{
	static const char digits[] = "0123456789";
	static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
			  lower[] = "abcdefghijklmnopqrstuvwxyz";

	for (int i = 0; i < 256; i++) {
		const char c = (char)i;
		bool digit = i != 0 && strchr(digits, c) != NULL;
		bool alpha = i != 0 && (strchr(upper, c) != NULL || strchr(lower, c) != NULL);

		CHECK(ascii_is_digit(c) == digit);
		CHECK(ascii_is_alpha(c) == alpha);
		CHECK(ascii_is_alnum(c) == (digit || alpha));
		CHECK(ascii_is_print(c) == (i >= ' ' && i <= '~'));
	}
}

static void lowers_capital_letters_only(void)
{
	for (int i = 0; i < 256; i++)
		CHECK_INT((unsigned char)ascii_to_lower((char)i),
			  i >= 'A' && i <= 'Z' ? i + 32 : i);
}

static void reads_hexadecimal_digits_of_both_cases(void)
{
	static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
	int count = 0;

	for (int i = 0; i < 16; i++) {
		CHECK_INT(ascii_hex_value(lower[i]), i);
		CHECK_INT(ascii_hex_value(upper[i]), i);
	}
	for (int i = 0; i < 256; i++)
		count += ascii_hex_value((char)i) != -1;
	CHECK_INT(count, 22);
}

UNIT_TESTS(TEST(classes_hold_their_bytes_and_no_others), TEST(lowers_capital_letters_only),
	   TEST(reads_hexadecimal_digits_of_both_cases))
