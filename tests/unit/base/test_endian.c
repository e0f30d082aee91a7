#include "../unit.h"

#include "base/endian.h"

static void reads_the_high_byte_first_at_any_alignment(void)
{
	static const unsigned char bytes[] = {0x00, 0x81, 0x92, 0xa3, 0xb4, 0xff};

	CHECK_INT(endian_get_be16(bytes + 1), 0x8192);
	CHECK_INT(endian_get_be24(bytes + 1), 0x8192a3);
	CHECK_INT(endian_get_be32(bytes + 1), 0x8192a3b4);
	CHECK_INT(endian_get_be32(bytes), 0x008192a3);
}

static void writes_what_it_reads(void)
{
	unsigned char bytes[6] = {0x55, 0x55, 0x55, 0x55, 0x55, 0x55};

	endian_put_be32(bytes + 1, 0xfedcba98);
	CHECK(memcmp(bytes, "\x55\xfe\xdc\xba\x98\x55", 6) == 0);
	CHECK_INT(endian_get_be32(bytes + 1), 0xfedcba98);
	endian_put_be16(bytes + 3, 0x0102);
	CHECK(memcmp(bytes, "\x55\xfe\xdc\x01\x02\x55", 6) == 0);
	CHECK_INT(endian_get_be16(bytes + 3), 0x0102);
}

UNIT_TESTS(TEST(reads_the_high_byte_first_at_any_alignment), TEST(writes_what_it_reads))
