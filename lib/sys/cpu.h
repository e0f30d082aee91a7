/*
 * cpu: how many processors this process may use.
 */
#ifndef SYS_CPU_H
#define SYS_CPU_H

#include "base/span.h"

/* The lower of the affinity mask's size and the cgroup's quota, rounded up; at least 1. */
unsigned cpu_count(void);

/* The processors that the text of a cgroup v2 cpu.max allows ("150000 100000": 2); 0: no limit. */
unsigned cpu_count_from_quota(struct span text);

#endif
