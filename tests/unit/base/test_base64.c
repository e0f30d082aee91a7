#include "../unit.h"

#include "base/base64.h"

static enum base64_result decode(const char *text, char *out, size_t size, size_t *len,
				 size_t *bad_at)
{
	char *guarded = unit_guarded(text, strlen(text));
	enum base64_result result;

	result = base64_decode(span_of(guarded, strlen(text)), (uint8_t *)out, size, len, bad_at);
	unit_guarded_free(guarded, strlen(text));
	return result;
}

/* RFC 4648 section 10, and all of the alphabet. */
static void decodes_what_the_standard_has(void)
{
	static const struct {
		const char *text, *bytes;
		size_t len;
	} rows[] = {
		{"", "", 0},
		{"Zg==", "f", 1},
		{"Zm8=", "fo", 2},
		{"Zm9v", "foo", 3},
		{"Zm9vYg==", "foob", 4},
		{"Zm9vYmE=", "fooba", 5},
		{"Zm9vYmFy", "foobar", 6},
		{"AAAA", "\0\0\0", 3},
		{"////", "\xff\xff\xff", 3},
		{"+/+/", "\xfb\xff\xbf", 3},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
		 "\x00\x10\x83\x10\x51\x87\x20\x92\x8b\x30\xd3\x8f\x41\x14\x93\x51\x55\x97\x61\x96"
		 "\x9b\x71\xd7\x9f\x82\x18\xa3\x92\x59\xa7\xa2\x9a\xab\xb2\xdb\xaf\xc3\x1c\xb3\xd3"
		 "\x5d\xb7\xe3\x9e\xbb\xf3\xdf\xbf",
		 48},
		{" Z\tm\r\n9v\nYg\n=\n= ", "foob", 4},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char out[64];
		size_t len = 99, bad_at;

		/* Exactly as much room as is needed. */
		CHECK_ROW(rows[i].text,
			  decode(rows[i].text, out, rows[i].len, &len, &bad_at) == BASE64_OK);
		CHECK_ROW(rows[i].text, len == rows[i].len && memcmp(out, rows[i].bytes, len) == 0);
		CHECK_ROW(rows[i].text, base64_max(strlen(rows[i].text)) >= len);
		if (len > 0)
			CHECK_ROW(rows[i].text, decode(rows[i].text, out, len - 1, &len, &bad_at) ==
							BASE64_TOO_LARGE);
	}
}

static void refuses_what_is_none_and_says_where(void)
{
	static const struct {
		const char *text;
		enum base64_result expected;
		size_t bad_at;
	} rows[] = {
		{"Z", BASE64_CUT, 1},	    {"Zm9", BASE64_CUT, 3},    {"Zm9vYg", BASE64_CUT, 6},
		{"Zg=", BASE64_CUT, 3},	    {"Z===", BASE64_BAD, 3},   {"====", BASE64_BAD, 3},
		{"=", BASE64_CUT, 1},	    {"Zg=v", BASE64_BAD, 3},   {"Zg==Zg==", BASE64_BAD, 4},
		{"Zm-v", BASE64_BAD, 2},    {"Zm_v", BASE64_BAD, 2},   {"\nZm9v.", BASE64_BAD, 5},
		{"Zm9\xc3", BASE64_BAD, 3}, {"Zm9v\v", BASE64_BAD, 4},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char out[64];
		size_t len, bad_at = 99;

		CHECK_ROW(rows[i].text,
			  decode(rows[i].text, out, sizeof out, &len, &bad_at) == rows[i].expected);
		CHECK_ROW(rows[i].text, bad_at == rows[i].bad_at);
	}
}

UNIT_TESTS(TEST(decodes_what_the_standard_has), TEST(refuses_what_is_none_and_says_where))
