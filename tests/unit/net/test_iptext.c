#include "../unit.h"

#include "net/iptext.h"

static size_t read_len(const char *text, uint8_t *family, struct wide *number)
{
	size_t len = strlen(text);
	char *guarded = unit_guarded(text, len);
	const char *at = guarded;
	bool ok = iptext_read(&at, guarded + len, family, number);
	size_t read = ok ? (size_t)(at - guarded) : 0;

	unit_guarded_free(guarded, len);
	return read;
}

static void reads_up_to_what_is_no_address(void)
{
	static const struct {
		const char *text;
		size_t len; /* 0: no address */
		unsigned family;
		uint64_t high, low;
	} cases[] = {
		{"10.0.0.1/8", 8, 4, 0, 0x0a000001},
		{"1.2.3.1234", 9, 4, 0, 0x0102037b},
		{"fd00::1-", 7, 6, UINT64_C(0xfd00) << 48, 1},
		{"::/0", 2, 6, 0, 0},
		{"1:2:3:4:5:6:7:8/9", 15, 6, UINT64_C(0x0001000200030004),
		 UINT64_C(0x0005000600070008)},
		{"64:ff9b::1.2.3.4", 16, 6, UINT64_C(0x0064ff9b00000000), 0x01020304},
		{"1:2:3:4:5:6:1.2.3.4", 19, 6, UINT64_C(0x0001000200030004),
		 UINT64_C(0x0005000601020304)},
		{"1:2:3:4:5:6:7:1.2.3.4", 0, 0, 0, 0},
		{"1.2.3", 0, 0, 0, 0},
		{"01.2.3.4", 0, 0, 0, 0},
		{"1:2", 0, 0, 0, 0},
		{"1::2::3", 0, 0, 0, 0},
		{"", 0, 0, 0, 0},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wide number = {0, 0};
		uint8_t family = 0;

		CHECK_INT(read_len(cases[i].text, &family, &number), cases[i].len);
		if (cases[i].len == 0)
			continue;
		CHECK_INT(family, cases[i].family);
		CHECK_ROW(cases[i].text,
			  number.high == cases[i].high && number.low == cases[i].low);
	}
}

static void writes_no_more_than_it_says(void)
{
	char text[IPTEXT_MAX + 1];
	char *end = iptext_write(text, 6, wide_of(UINT64_MAX, UINT64_MAX));

	CHECK_INT(end - text, 39);
	end = iptext_write(text, 6, wide_of(0, UINT64_C(0xffffffffffff)));
	*end = '\0';
	CHECK_TEXT(text, "::ffff:255.255.255.255");
	end = iptext_write(text, 4, wide_of(0, UINT32_MAX));
	*end = '\0';
	CHECK_TEXT(text, "255.255.255.255");
}

UNIT_TESTS(TEST(reads_up_to_what_is_no_address), TEST(writes_no_more_than_it_says))
