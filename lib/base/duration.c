#include "base/duration.h"

#include "base/num.h"

/* Smallest first. Read in this order as well: "ms" also ends in "s". */
static const struct {
	const char *name;
	uint64_t ms;
} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};

#define UNITS (sizeof units / sizeof units[0])

bool duration_parse(struct span text, uint64_t min_ms, uint64_t max_ms, uint64_t *ms)
{
	uint64_t factor = 1000, value;

	for (size_t i = 0; i < UNITS; i++) {
		struct span unit = span_from_cstr(units[i].name);

		if (span_ends_with(text, unit)) {
			factor = units[i].ms;
			text = span_first(text, text.len - unit.len);
			break;
		}
	}
	if (!num_parse_u64(text, 0, UINT64_MAX / factor, &value) || value * factor < min_ms ||
	    value * factor > max_ms)
		return false;
	*ms = value * factor;
	return true;
}

void duration_format(uint64_t ms, struct buf *out)
{
	size_t i = UNITS - 1;

	while (ms % units[i].ms != 0 || (ms == 0 && units[i].ms > 1000))
		i--;
	buf_add_u64(out, ms / units[i].ms);
	buf_add_cstr(out, units[i].name);
}
