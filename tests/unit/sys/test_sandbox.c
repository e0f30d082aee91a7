#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "sys/fd.h"
#include "sys/sandbox.h"

static char said[4096];

/* Runs in a process of its own, in the sandbox. Its status, as waitpid has it; -1: no sandbox here.
 */
static int inside(bool (*what)(void))
{
	int ends[2], status;
	ssize_t n, len = 0;
	struct error e;
	pid_t child;

	CHECK(pipe(ends) == 0);
	child = fork();
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		sandbox_begin();
		if (!sandbox_restrict_calls(&e))
			_exit(77);
		_exit(what() ? 0 : 1);
	}
	fd_close(&ends[1]);
	while ((n = read(ends[0], said + len, sizeof said - 1 - (size_t)len)) > 0)
		len += n;
	said[len] = 0;
	fd_close(&ends[0]);
	CHECK(waitpid(child, &status, 0) == child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		unit_skip("no seccomp here");
	return status;
}

static bool is_limited(void)
{
	struct rlimit limit;

	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
	       prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 && getrlimit(RLIMIT_CORE, &limit) == 0 &&
	       limit.rlim_cur == 0 && limit.rlim_max == 0;
}

static void nothing_is_dumped_and_no_privilege_gained(void)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		sandbox_begin();
		_exit(is_limited() ? 0 : 1);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static bool serve_a_little(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), file, ends[2];
	char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct stat st;

	file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return (fd != -1 || errno == EAFNOSUPPORT) && socket(AF_INET, SOCK_DGRAM, 0) != -1 &&
	       memory != MAP_FAILED && mprotect(memory, 4096, PROT_READ) == 0 &&
	       munmap(memory, 4096) == 0 && file != -1 && fstat(file, &st) == 0 &&
	       pipe2(ends, O_CLOEXEC) == 0 && prctl(PR_SET_NAME, "inside") == 0 &&
	       stat("/", &st) == 0 && malloc(1 << 20) != NULL;
}

static void what_serving_needs_is_allowed(void)
{
	CHECK_INT(inside(serve_a_little), 0);
	CHECK_TEXT(said, "");
}

static bool start_a_program(void)
{
	return execl("/bin/true", "true", NULL) == 0;
}

static bool write_a_file(void)
{
	return open("/tmp/test_sandbox", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) != -1;
}

static bool make_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
	       MAP_FAILED;
}

static bool turn_data_into_code(void)
{
	static _Alignas(4096) char page[4096];

	return mprotect(page, sizeof page, PROT_READ | PROT_EXEC) == 0;
}

static bool open_a_raw_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0) != -1;
}

static bool fork_once(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) != -1;
}

static bool become_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

static bool signal_another(void)
{
	return kill(1, 0) == 0;
}

static void everything_else_is_named_and_fatal(void)
{
	static const struct {
		const char *what;
		bool (*call)(void);
		long number;
	} rows[] = {
		{"exec", start_a_program, SYS_execve},
		{"write a file", write_a_file, -1},
		{"code", make_code, SYS_mmap},
		{"data to code", turn_data_into_code, SYS_mprotect},
		{"raw socket", open_a_raw_socket, SYS_socket},
		{"fork", fork_once, SYS_clone},
		{"dumpable", become_dumpable, SYS_prctl},
		{"kill", signal_another, SYS_kill},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int status = inside(rows[i].call);
		char expected[100];

		CHECK_ROW(rows[i].what, WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
		CHECK_ROW(rows[i].what, !WCOREDUMP(status));
		snprintf(expected, sizeof expected, "system call refused by the sandbox call=%ld\n",
			 rows[i].number);
		CHECK_ROW(said, strstr(said, rows[i].number != -1 ? expected : "call=") != NULL);
	}
}

static void *violate(void *unused)
{
	(void)unused;
	usleep(200000);
	become_dumpable();
	return NULL;
}

/* The filter is for threads that run already. */
static void threads_are_in_it_too(void)
{
	pid_t child = fork();
	struct error e;
	int status;

	if (child == 0) {
		pthread_t thread;
		bool ok;

		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
		sandbox_begin();
		pthread_create(&thread, NULL, violate, NULL);
		ok = sandbox_restrict_calls(&e);
		pthread_join(thread, NULL);
		_exit(ok ? 1 : 77);
	}
	CHECK(waitpid(child, &status, 0) == child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		unit_skip("no seccomp here");
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

UNIT_TESTS(TEST(nothing_is_dumped_and_no_privilege_gained), TEST(what_serving_needs_is_allowed),
	   TEST(everything_else_is_named_and_fatal), TEST(threads_are_in_it_too))
