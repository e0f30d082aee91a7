#include "sys/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/span.h"
#include "sys/fd.h"

/* linux/landlock.h, which is younger than many a machine that we are built on. */
#define CREATE_RULESET_VERSION 1
#define RULE_PATH_BENEATH 1
#define ACCESS_READ_FILE (1u << 2)
#define ACCESS_READ_DIR (1u << 3)
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

struct ruleset_attr {
	uint64_t handled_access_fs;
};

struct path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

/* All kinds of access that this version of the kernel's interface knows; more in each. */
static uint64_t all_access(long version)
{
	/* 1: execute ... make links; 2: refer; 3: truncate; 5: ioctl of devices. */
	static const uint8_t bits[] = {13, 14, 15, 15, 16};
	size_t last = sizeof bits - 1;

	return (1ull << bits[version > (long)last ? last : (size_t)version - 1]) - 1;
}

/* One that has gone meanwhile, or can't be opened, can't be read later either. */
static void allow(void *ruleset, const char *dir)
{
	int fd = open(dir, O_PATH | O_CLOEXEC);
	struct path_beneath_attr rule = {.allowed_access = ACCESS_READ_FILE | ACCESS_READ_DIR,
					 .parent_fd = fd};

	if (fd != -1)
		syscall(SYS_landlock_add_rule, *(int *)ruleset, RULE_PATH_BENEATH, &rule, 0);
	fd_close(&fd);
}

/* The directory, not the file itself: there may be another one in its place tomorrow. */
static void allow_dir_of(int ruleset, const char *file)
{
	char storage[4096];
	struct span path = span_from_cstr(file);
	size_t slash = span_rfind(path, '/');
	struct buf dir;

	BUF_INIT_ARRAY(&dir, storage);
	if (slash == SIZE_MAX)
		buf_add_byte(&dir, '.');
	else
		buf_add(&dir, span_first(path, slash + 1));
	allow(&ruleset, buf_cstr(&dir));
}

bool landlock_restrict(const struct filewatch *w, const char *file, struct error *e)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	struct ruleset_attr attr;
	int ruleset;
	bool ok;

	if (version < 1)
		return error_set_sys(e, "cannot restrict files");
	attr.handled_access_fs = all_access(version);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	if (ruleset == -1)
		return error_set_sys(e, "cannot restrict files");
	filewatch_visit_dirs(w, allow, &ruleset);
	if (file != NULL)
		allow_dir_of(ruleset, file);
	ok = syscall(SYS_landlock_restrict_self, ruleset, 0) == 0 ||
	     error_set_sys(e, "cannot restrict files");
	fd_close(&ruleset);
	return ok;
}
