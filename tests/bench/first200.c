/*
 * From exec to the first 200: runs COMMAND on one CPU, asks 127.0.0.1:PORT for / until the answer
 * is a 200, and prints the microseconds that took. Then leaves COMMAND running, to be looked at,
 * until standard input ends, and kills it.
 *
 * usage: first200 CPU PORT HOST COMMAND...; exit status 1 if COMMAND ended first or 10 s have
 * passed.
 */
#include <arpa/inet.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GIVE_UP_US 10000000
#define PAUSE_NS 50000

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
		execvp(command[0], command);
		_exit(127);
	}
	return pid;
}

static bool answers_200(const struct sockaddr_in *at, const char *host)
{
	char text[4096];
	ssize_t got = 0;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int length = snprintf(text, sizeof(text),
			      "GET /0 HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host);
	if (connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0 &&
	    send(fd, text, (size_t)length, MSG_NOSIGNAL) == length)
		got = recv(fd, text, sizeof(text), 0);
	close(fd);
	return got > 12 && memcmp(text, "HTTP/1.1 200", 12) == 0;
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 2;
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10))};
	long start = now_us();
	pid_t pid = run((int)strtoul(argv[1], NULL, 10), argv + 4);
	char byte;

	while (!answers_200(&at, argv[3])) {
		if (now_us() - start > GIVE_UP_US)
			kill(pid, SIGKILL);
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return 1;
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
	}
	printf("%ld\n", now_us() - start);
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	return 0;
}
