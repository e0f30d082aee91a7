#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "proxy/confine.h"
#include "proxy/reload.h"
#include "sys/log.h"

/* In a process of its own: the error of opening `path` after files were confined, or 0. */
static int error_after_confining(const struct reload *r, const char *token, const char *path)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		log_set_level(LOG_ERROR);
		confine_files(r, token);
		_exit(open(path, O_RDONLY | O_CLOEXEC) == -1 ? errno : 0);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void leaves_the_token_and_nothing_else(void)
{
	if (error_after_confining(NULL, NULL, "/etc/passwd") == 0)
		unit_skip("no Landlock here, or a sanitizer");
	CHECK_INT(error_after_confining(NULL, NULL, "/etc/passwd"), EACCES);
	CHECK_INT(error_after_confining(NULL, "/etc/token", "/etc/passwd"), 0);
	CHECK_INT(error_after_confining(NULL, "/etc/token", "/proc/version"), EACCES);
}

/* A reload that does not know where its files are needs them all. */
static void leaves_all_to_a_reload_without_a_watch(void)
{
	struct reload r = {.is_possible = true, .files = {.fd = -1}};

	CHECK_INT(error_after_confining(&r, NULL, "/etc/passwd"), 0);
}

UNIT_TESTS(TEST(leaves_the_token_and_nothing_else), TEST(leaves_all_to_a_reload_without_a_watch))
