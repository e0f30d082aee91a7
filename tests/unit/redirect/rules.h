/*
 * rules: what the tests of redirect/ share: settings from a few words, rulesets of them, and a
 * network namespace of their own.
 */
#ifndef TEST_REDIRECT_RULES_H
#define TEST_REDIRECT_RULES_H

#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <net/if.h>

#include "redirect/settings.h"
#include "redirect/ruleset.h"

/* One word of a list option. */
#define WORD(text)                                                                                 \
	(struct opt_list)                                                                          \
	{                                                                                          \
		(const char *[]){text}, 1                                                          \
	}

/* -p 15001 -u 1337, and what is said besides. */
#define WORDS(...)                                                                                 \
	(struct settings_words)                                                                    \
	{                                                                                          \
		.proxy_port = 15001, .uids = WORD("1337"), __VA_ARGS__                             \
	}

struct made {
	struct arena arena;
	struct settings settings;
	struct ruleset v4, v6;
	struct diag diag;
	char said[2048];
	struct buf words;
};

static void made_emit(struct diag *d, enum diag_level level, const char *text)
{
	struct made *m = d->context;

	buf_printf(&m->words, "%s%s\n",
		   level == DIAG_NOTE	   ? "note: "
		   : level == DIAG_WARNING ? "warning: "
					   : "",
		   text);
}

/* False when the words are wrong; m->said has what was said either way. made_free after it. */
__attribute__((unused)) static bool made_from(struct made *m, const struct settings_words *w)
{
	struct error e;

	*m = (struct made){.diag = {.emit = made_emit}};
	m->diag.context = m;
	BUF_INIT_ARRAY(&m->words, m->said);
	arena_init(&m->arena, 64 << 20);
	return settings_from_words(w, &m->arena, &m->diag, &m->settings) &&
	       ruleset_build(&m->settings, 4, &m->arena, &m->v4, &e) &&
	       ruleset_build(&m->settings, 6, &m->arena, &m->v6, &e);
}

__attribute__((unused)) static void made_free(struct made *m)
{
	arena_fini(&m->arena);
}

__attribute__((unused)) static struct chain *made_chain(struct ruleset *r, const char *name)
{
	for (size_t i = 0; i < r->chain_count; i++)
		if (strcmp(r->chains[i].name, name) == 0)
			return &r->chains[i];
	return NULL;
}

/* A network namespace of this test's own, with lo up. Skips the test where that is refused. */
__attribute__((unused)) static void enter_namespace(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	if (unshare(CLONE_NEWNET) != 0)
		unit_skip("no network namespaces here");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(fd >= 0);
	CHECK(ioctl(fd, SIOCSIFFLAGS, &lo) == 0);
	close(fd);
}

/* Gives these lines to `ip -batch -`; false when it fails, or there is none. */
__attribute__((unused)) static bool run_ip(const char *lines)
{
	int status = 1, ends[2];
	pid_t child;

	if (pipe(ends) != 0 || write(ends[1], lines, strlen(lines)) != (ssize_t)strlen(lines))
		return false;
	close(ends[1]);
	child = fork();
	if (child == 0) {
		dup2(ends[0], STDIN_FILENO);
		close(STDERR_FILENO);
		execlp("ip", "ip", "-batch", "-", (char *)NULL);
		_exit(127);
	}
	close(ends[0]);
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

#endif
