#include "../unit.h"

#include <sched.h>

#include "sys/cpu.h"

static void reads_a_cgroup_quota_rounded_up(void)
{
	static const struct {
		const char *text;
		unsigned count;
	} rows[] = {
		{"100000 100000\n", 1}, {"150000 100000\n", 2}, {"10000 100000", 1},
		{"400000 100000\n", 4}, {"max 100000\n", 0},	{"", 0},
		{"100000\n", 0},	{"100000 0\n", 0},	{"-1 100000\n", 0},
		{"x y\n", 0},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		CHECK_ROW(rows[i].text,
			  cpu_count_from_quota(span_from_cstr(rows[i].text)) == rows[i].count);
}

static void honours_the_affinity_mask(void)
{
	cpu_set_t before, one;
	int first = 0;

	CHECK_INT(sched_getaffinity(0, sizeof before, &before), 0);
	while (!CPU_ISSET(first, &before))
		first++;
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	CHECK_INT(sched_setaffinity(0, sizeof one, &one), 0);
	CHECK_INT(cpu_count(), 1);
	CHECK_INT(sched_setaffinity(0, sizeof before, &before), 0);
	CHECK((int)cpu_count() <= CPU_COUNT(&before));
}

UNIT_TESTS(TEST(reads_a_cgroup_quota_rounded_up), TEST(honours_the_affinity_mask))
