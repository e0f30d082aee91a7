#include "base/num.h"

#include "base/ascii.h"

bool num_parse_u64(struct span text, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (text.len == 0)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!ascii_is_digit(text.ptr[i]) || __builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text.ptr[i] - '0'), &value))
			return false;
	}
	if (value < min || value > max)
		return false;
	*out = value;
	return true;
}

bool num_parse_port(struct span text, uint16_t *out)
{
	uint64_t port;

	if (text.len > 5 || !num_parse_u64(text, 1, UINT16_MAX, &port))
		return false;
	*out = (uint16_t)port;
	return true;
}
