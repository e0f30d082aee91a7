#include "../unit.h"
#include "remove.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "sys/fd.h"
#include "sys/filewatch.h"

static char dir[] = "/tmp/test_filewatch.XXXXXX";
static struct filewatch watch = {.fd = -1};

static void put_file(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd != -1 && write(fd, "x", 1) == 1);
	fd_close(&fd);
}

/* Everything is under one directory, which is the working directory meanwhile. */
static void setup(void)
{
	strcpy(dir + sizeof dir - 7, "XXXXXX");
	CHECK(mkdtemp(dir) != NULL && chdir(dir) == 0);
	CHECK(mkdir("d", 0700) == 0 && mkdir("there", 0700) == 0);
	put_file("d/a.yaml");
	put_file("there/real");
	put_file("there/other");
	CHECK(symlink("../there/real", "d/link.yaml") == 0);
}

static void teardown(void)
{
	filewatch_close(&watch);
	filewatch_close(&watch);
	CHECK(chdir("/") == 0);
	remove_all(dir);
}

static void open_watch(const char *path, const char *more)
{
	struct inputs in = {(const char *const[]){path}, 1, false};
	struct error e;

	filewatch_close(&watch);
	CHECK_ROW(path, filewatch_open(&watch, &in, &e));
	CHECK(more == NULL || filewatch_add(&watch, more, &e));
	CHECK(!filewatch_has_changed(&watch));
}

/* One row: what is watched, what is done, whether it matters. */
#define HAPPENS(path, action, matters)                                                             \
	do {                                                                                       \
		open_watch(path, NULL);                                                            \
		CHECK(action);                                                                     \
		CHECK_ROW(#action, filewatch_has_changed(&watch) == (matters));                    \
		CHECK(!filewatch_has_changed(&watch));                                             \
	} while (0)

static bool write_to(const char *name)
{
	put_file(name);
	return true;
}

static void sees_what_matters_to_a_directory(void)
{
	setup();
	HAPPENS("d", write_to("d/a.yaml"), true);
	HAPPENS("d", write_to("d/new.json"), true);
	HAPPENS("d", write_to("d/new.txt"), false);
	HAPPENS("d", rename("d/new.txt", "d/b.yml") == 0, true);
	HAPPENS("d", rename("d/b.yml", "d/b.txt") == 0, true);
	HAPPENS("d/", unlink("d/b.txt") == 0, false);
	HAPPENS("d", unlink("d/new.json") == 0, true);
	HAPPENS("d", link("d/a.yaml", "d/c.yaml") == 0, true);
	HAPPENS("d", symlink("nowhere", "d/..data") == 0, true);
	HAPPENS("d", write_to("there/real"), true);
	HAPPENS("d", write_to("there/other"), false);
	HAPPENS("d", write_to("else.yaml"), false);
	HAPPENS(".", write_to("else.yaml"), true);
	teardown();
}

static void sees_what_matters_to_a_file(void)
{
	setup();
	HAPPENS("d/a.yaml", write_to("d/a.yaml"), true);
	HAPPENS("d/a.yaml", write_to("d/b.yaml"), false);
	HAPPENS("d/a.yaml", rename("d/b.yaml", "d/a.yaml") == 0, true);
	HAPPENS("d/link.yaml", write_to("there/real"), true);
	HAPPENS("d/link.yaml", write_to("there/other"), false);
	HAPPENS("d/link.yaml", rename("there/other", "there/real") == 0, true);
	HAPPENS("d/link.yaml", unlink("d/link.yaml") == 0, true);
	teardown();
}

static void a_file_that_is_only_made_is_not_there_yet(void)
{
	int fd;

	setup();
	open_watch("d", NULL);
	fd = open("d/slow.yaml", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd != -1 && write(fd, "x", 1) == 1);
	CHECK(!filewatch_has_changed(&watch));
	fd_close(&fd);
	CHECK(filewatch_has_changed(&watch));
	teardown();
}

static void waits_for_what_does_not_exist(void)
{
	setup();
	HAPPENS("no/such/dir/a.yaml", mkdir("no", 0700) == 0, true);
	HAPPENS("no/such/dir/a.yaml", mkdir("no/such", 0700) == 0, true);
	HAPPENS("no/such/dir/a.yaml", mkdir("no/such/dir", 0700) == 0, true);
	HAPPENS("no/such/dir/a.yaml", write_to("no/such/dir/a.yaml"), true);
	HAPPENS("no/such/dir", rename("no/such", "no/other") == 0, true);
	teardown();
}

static void one_more_file_is_watched(void)
{
	struct pollfd wait = {.events = POLLIN};

	setup();
	open_watch("d", "there/other");
	put_file("there/other");
	wait.fd = watch.fd;
	CHECK_INT(poll(&wait, 1, 0), 1);
	CHECK(filewatch_has_changed(&watch));
	CHECK_INT(poll(&wait, 1, 0), 0);
	teardown();
}

static void opens_whole_or_not_at_all_without_memory(void)
{
	struct inputs in = {(const char *const[]){"d"}, 1, false};
	int failures = 0;

	setup();
	for (bool ok = false; !ok; failures++) {
		struct error e;

		alloc_fail_after(failures);
		ok = filewatch_open(&watch, &in, &e);
		alloc_fail_after(-1);
		CHECK(ok == (watch.fd != -1));
	}
	CHECK(failures > 1);
	teardown();
}

UNIT_TESTS(TEST(sees_what_matters_to_a_directory), TEST(sees_what_matters_to_a_file),
	   TEST(a_file_that_is_only_made_is_not_there_yet), TEST(waits_for_what_does_not_exist),
	   TEST(one_more_file_is_watched), TEST(opens_whole_or_not_at_all_without_memory))
