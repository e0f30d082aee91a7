#include "net/wide.h"

/* Divides by ten in place, limb by limb of 32 bits; returns what is left over. */
static unsigned divide_by_ten(uint32_t limbs[static 5])
{
	uint64_t rest = 0;

	for (int i = 0; i < 5; i++) {
		rest = rest << 32 | limbs[i];
		limbs[i] = (uint32_t)(rest / 10);
		rest %= 10;
	}
	return (unsigned)rest;
}

void wide_format_count(struct wide last, struct buf *out)
{
	struct wide count = wide_next(last);
	bool is_all = count.high == 0 && count.low == 0;
	uint32_t limbs[5] = {is_all, (uint32_t)(count.high >> 32), (uint32_t)count.high,
			     (uint32_t)(count.low >> 32), (uint32_t)count.low};
	char digits[40];
	size_t at = sizeof digits;

	do
		digits[--at] = (char)('0' + divide_by_ten(limbs));
	while ((limbs[0] | limbs[1] | limbs[2] | limbs[3] | limbs[4]) != 0);
	buf_add(out, span_of(digits + at, sizeof digits - at));
}
