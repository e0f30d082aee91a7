#include "sys/cpu.h"

#include <sched.h>

#include "base/arena.h"
#include "base/num.h"
#include "sys/file.h"

unsigned cpu_count_from_quota(struct span text)
{
	struct span quota_text, period_text, rest = text;
	uint64_t quota, period;

	while (rest.len > 0 && rest.ptr[rest.len - 1] == '\n')
		rest.len--;
	if (!span_split(&rest, ' ', &quota_text) || !span_split(&rest, ' ', &period_text))
		return 0;
	if (!num_parse_u64(quota_text, 1, UINT32_MAX, &quota) ||
	    !num_parse_u64(period_text, 1, UINT32_MAX, &period))
		return 0;
	return (unsigned)((quota + period - 1) / period);
}

/* In a container the cgroup's own directory is the root of this mount. */
static unsigned quota_count(void)
{
	struct arena arena;
	struct span text;
	struct error e;
	unsigned count = 0;

	arena_init(&arena, 8192);
	if (file_read(&arena, "/sys/fs/cgroup/cpu.max", 256, &text, &e))
		count = cpu_count_from_quota(text);
	arena_fini(&arena);
	return count;
}

unsigned cpu_count(void)
{
	unsigned quota = quota_count();
	unsigned count = 1;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
		count = (unsigned)CPU_COUNT(&set);
	return quota > 0 && quota < count ? quota : count;
}
