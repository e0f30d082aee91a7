#include "../unit.h"
#include "remove.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "sys/fd.h"
#include "sys/landlock.h"
#include "sys/sandbox.h"

static char dir[] = "/tmp/test_landlock.XXXXXX";

/* 0, or the error of opening it. */
static int try(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd == -1)
		return errno;
	fd_close(&fd);
	return 0;
}

/* In a process of its own, after `watched` ("": nothing) has been left to it. */
static int inside(const char *watched, bool (*what)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct inputs in = {&watched, watched[0] != 0, false};
		struct filewatch w = {.fd = -1};
		struct error e;

		if (watched[0] != 0 && !filewatch_open(&w, &in, &e))
			_exit(2);
		sandbox_begin();
		if (!landlock_restrict(&w, NULL, &e))
			_exit(77);
		filewatch_close(&w);
		_exit(what() ? 0 : 1);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		unit_skip("no Landlock here");
	return WEXITSTATUS(status);
}

static void setup(void)
{
	strcpy(dir + sizeof dir - 7, "XXXXXX");
	CHECK(mkdtemp(dir) != NULL && chdir(dir) == 0);
	CHECK(mkdir("in", 0700) == 0 && mkdir("out", 0700) == 0);
	CHECK(try("in/a.yaml", O_WRONLY | O_CREAT) == 0);
	CHECK(try("out/secret", O_WRONLY | O_CREAT) == 0);
}

static void teardown(void)
{
	CHECK(chdir("/") == 0);
	remove_all(dir);
}

static bool reads_what_is_watched(void)
{
	return try("in/a.yaml", O_RDONLY) == 0 && try("in", O_RDONLY | O_DIRECTORY) == 0 &&
	       try("in/missing", O_RDONLY) == ENOENT;
}

static bool reads_and_writes_nothing_else(void)
{
	return try("in/a.yaml", O_WRONLY) == EACCES && try("in/b", O_WRONLY | O_CREAT) == EACCES &&
	       try("out/secret", O_RDONLY) == EACCES && try("/etc/passwd", O_RDONLY) == EACCES &&
	       unlink("in/a.yaml") == -1 && mkdir("in/d", 0700) == -1;
}

static bool reads_nothing(void)
{
	return try("in/a.yaml", O_RDONLY) == EACCES && try("/etc/passwd", O_RDONLY) == EACCES;
}

static void only_what_is_watched_can_be_read(void)
{
	setup();
	CHECK_INT(inside("in/a.yaml", reads_what_is_watched), 0);
	CHECK_INT(inside("in/a.yaml", reads_and_writes_nothing_else), 0);
	CHECK_INT(inside("", reads_nothing), 0);
	teardown();
}

UNIT_TESTS(TEST(only_what_is_watched_can_be_read))
