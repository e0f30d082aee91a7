/*
 * rusage: runs a command and writes what it took to a file: CPU time and time in microseconds, and
 * its largest resident memory in KiB. A small process of its own, because memory that was resident
 * before exec counts as the command's.
 *
 *   rusage FILE COMMAND [ARGUMENT]...
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static long long us(struct timeval t)
{
	return t.tv_sec * 1000000LL + t.tv_usec;
}

int main(int argc, char **argv)
{
	FILE *out = argc > 2 ? fopen(argv[1], "w") : NULL;
	long long start = now_us(), elapsed;
	struct rusage used;
	int status;
	pid_t pid;

	if (out == NULL)
		return 2;
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (pid == -1 || wait4(pid, &status, 0, &used) == -1)
		return 1;
	elapsed = now_us() - start;
	fprintf(out, "%lld %lld %ld\n", us(used.ru_utime) + us(used.ru_stime), elapsed,
		used.ru_maxrss);
	fclose(out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
