/*
 * What a run costs: runs COMMAND on one CPU to its end, its standard output thrown away, and prints
 * the microseconds that took, those of the CPU, and the most bytes it had in memory. That figure
 * counts from before exec, so only a small parent, such as this one, can ask for it.
 *
 * usage: spent CPU COMMAND...; exit status that of COMMAND, or 1
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static pid_t run(int cpu, char **command)
{
	pid_t pid = fork();
	if (pid == 0) {
		cpu_set_t set;
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		sched_setaffinity(0, sizeof(set), &set);
		dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
		execvp(command[0], command);
		_exit(127);
	}
	return pid;
}

static long us_of(struct timeval t)
{
	return t.tv_sec * 1000000 + t.tv_usec;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;

	if (argc < 3)
		return 2;
	long start = now_us();
	pid_t pid = run((int)strtoul(argv[1], NULL, 10), argv + 2);
	if (wait4(pid, &status, 0, &usage) != pid)
		return 1;
	printf("%ld %ld %ld\n", now_us() - start, us_of(usage.ru_utime) + us_of(usage.ru_stime),
	       usage.ru_maxrss * 1024);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
