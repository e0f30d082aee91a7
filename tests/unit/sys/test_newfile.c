#include "../unit.h"
#include "remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "sys/newfile.h"

static char dir[64];
static struct arena arena;
static struct error e;

/* A path in the test's directory; good until the fourth call after. */
static const char *in_dir(const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", dir, name);
	return path;
}

static void make_dir(void)
{
	umask(022);
	arena_init(&arena, SIZE_MAX);
	snprintf(dir, sizeof dir, "/tmp/test_newfile.XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
}

static void remove_dir(void)
{
	remove_all(dir);
	arena_fini(&arena);
}

static void make_file(const char *name, const char *text, mode_t mode)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd != -1);
	CHECK_INT(write(fd, text, strlen(text)), strlen(text));
	CHECK_INT(fchmod(fd, mode), 0);
	close(fd);
}

/* The content, up to 255 bytes. */
static const char *content(const char *name)
{
	static char text[256];
	int fd = open(in_dir(name), O_RDONLY | O_CLOEXEC);
	ssize_t n;

	CHECK(fd != -1);
	n = read(fd, text, sizeof text - 1);
	CHECK(n >= 0);
	text[n] = '\0';
	close(fd);
	return text;
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	CHECK_INT(stat(in_dir(name), &st), 0);
	return st.st_mode & 07777;
}

/* Names in the directory, hidden ones too. */
static int count_names(void)
{
	DIR *d = opendir(dir);
	int count = -2; /* . and .. */

	CHECK(d != NULL);
	while (readdir(d) != NULL)
		count++;
	closedir(d);
	return count;
}

static int count_open_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

static bool replace(const char *path, struct span text)
{
	struct newfile f = {0};
	bool ok = newfile_open(&f, &arena, path, &e) && newfile_write(&f, text, &e) &&
		  newfile_finish(&f, &e) && newfile_commit(&f, &e);

	newfile_abort(&f);
	return ok;
}

static void check_error(const char *path, const char *shown, const char *expected)
{
	char text[ERROR_TEXT_MAX];

	CHECK(!replace(path, SPAN("new")));
	snprintf(text, sizeof text, "%s: %s", shown, expected);
	CHECK_TEXT(e.text, text);
}

static void makes_a_new_file_with_the_umask(void)
{
	make_dir();
	CHECK(replace(in_dir("f"), SPAN("new\n")));
	CHECK_TEXT(content("f"), "new\n");
	CHECK_INT(mode_of("f"), 0644);
	umask(027);
	CHECK(replace(in_dir("g"), SPAN("")));
	CHECK_TEXT(content("g"), "");
	CHECK_INT(mode_of("g"), 0640);
	CHECK_INT(count_names(), 2);
	remove_dir();
}

static void keeps_permissions_and_owner(void)
{
	static const mode_t modes[] = {0600, 0666, 0444, 0755, 04755};
	struct stat st;

	make_dir();
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		bool has_owner;

		make_file("f", "old", modes[i]);
		has_owner = chown(in_dir("f"), 12, 34) == 0 && chmod(in_dir("f"), modes[i]) == 0;
		CHECK(replace(in_dir("f"), SPAN("new")));
		CHECK_TEXT(content("f"), "new");
		CHECK_INT(mode_of("f"), modes[i]);
		CHECK_INT(stat(in_dir("f"), &st), 0);
		CHECK(!has_owner || (st.st_uid == 12 && st.st_gid == 34));
		CHECK_INT(unlink(in_dir("f")), 0);
	}
	remove_dir();
}

static void works_in_the_current_directory(void)
{
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	make_dir();
	CHECK_INT(chdir(dir), 0);
	CHECK(replace("f", SPAN("new")));
	CHECK(replace("./f", SPAN("newer")));
	CHECK_TEXT(content("f"), "newer");
	CHECK_INT(count_names(), 1);
	CHECK_INT(fchdir(here), 0);
	close(here);
	remove_dir();
}

static void follows_links_and_keeps_them(void)
{
	struct stat st;

	make_dir();
	CHECK_INT(mkdir(in_dir("sub"), 0700), 0);
	make_file("sub/f", "old", 0640);
	CHECK_INT(symlink("sub/f", in_dir("relative")), 0);
	CHECK_INT(symlink(in_dir("relative"), in_dir("absolute")), 0);
	CHECK_INT(symlink("sub/new", in_dir("dangling")), 0);
	CHECK(replace(in_dir("absolute"), SPAN("new")));
	CHECK_TEXT(content("sub/f"), "new");
	CHECK_INT(mode_of("sub/f"), 0640);
	CHECK(replace(in_dir("dangling"), SPAN("made")));
	CHECK_TEXT(content("sub/new"), "made");
	CHECK(lstat(in_dir("absolute"), &st) == 0 && S_ISLNK(st.st_mode));
	CHECK(lstat(in_dir("relative"), &st) == 0 && S_ISLNK(st.st_mode));
	CHECK(lstat(in_dir("dangling"), &st) == 0 && S_ISLNK(st.st_mode));
	CHECK_INT(count_names(), 4);
	remove_dir();
}

static void the_target_changes_at_commit_and_not_before(void)
{
	struct newfile f;
	int fds = count_open_fds();

	make_dir();
	make_file("f", "old", 0600);
	CHECK(newfile_open(&f, &arena, in_dir("f"), &e));
	CHECK_INT(count_names(), 2);
	CHECK(newfile_write(&f, SPAN("n"), &e));
	CHECK(newfile_write(&f, SPAN(""), &e));
	CHECK(newfile_write(&f, SPAN("ew"), &e));
	CHECK_TEXT(content("f"), "old");
	CHECK(newfile_finish(&f, &e));
	CHECK_TEXT(content("f"), "old");
	CHECK_INT(count_open_fds(), fds);
	CHECK(newfile_commit(&f, &e));
	CHECK_TEXT(content("f"), "new");
	newfile_abort(&f);
	newfile_abort(&f);
	CHECK_TEXT(content("f"), "new");
	CHECK_INT(count_names(), 1);
	remove_dir();
}

static void abort_leaves_the_target_and_nothing_else(void)
{
	int fds = count_open_fds();
	struct newfile f = {0};

	newfile_abort(&f);
	make_dir();
	make_file("f", "old", 0600);
	for (int steps = 0; steps < 3; steps++) {
		CHECK(newfile_open(&f, &arena, in_dir("f"), &e));
		CHECK(steps < 1 || newfile_write(&f, SPAN("new"), &e));
		CHECK(steps < 2 || newfile_finish(&f, &e));
		errno = EDOM;
		newfile_abort(&f);
		CHECK_INT(errno, EDOM);
		newfile_abort(&f);
		CHECK_TEXT(content("f"), "old");
		CHECK_INT(count_names(), 1);
		CHECK_INT(count_open_fds(), fds);
	}
	remove_dir();
}

static void several_files_are_finished_before_the_first_is_replaced(void)
{
	static const char *const names[] = {"a", "b", "c"};
	struct newfile files[3] = {{0}};

	make_dir();
	make_file("a", "old", 0600);
	make_file("b", "old", 0600);
	for (int i = 0; i < 3; i++) {
		CHECK(newfile_open(&files[i], &arena, in_dir(names[i]), &e));
		CHECK(newfile_write(&files[i], span_from_cstr(names[i]), &e));
		CHECK(newfile_finish(&files[i], &e));
	}
	CHECK_TEXT(content("a"), "old");
	CHECK_INT(count_names(), 5);
	for (int i = 0; i < 3; i++)
		CHECK(newfile_commit(&files[i], &e));
	for (int i = 0; i < 3; i++)
		CHECK_TEXT(content(names[i]), names[i]);
	CHECK_INT(count_names(), 3);
	remove_dir();
}

static void writes_pieces_of_any_size_in_order(void)
{
	static const size_t sizes[] = {1, 65535, 1, 65536, 65537, 2, 200000, 0, 3, 65534, 65535};
	static char expected[600000], found[600000];
	size_t len = 0;
	struct newfile f;
	int fd;

	for (size_t i = 0; i < sizeof expected; i++)
		expected[i] = (char)(i * 7 + i / 251);
	make_dir();
	CHECK(newfile_open(&f, &arena, in_dir("f"), &e));
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		CHECK(newfile_write(&f, span_of(expected + len, sizes[i]), &e));
		len += sizes[i];
	}
	CHECK(newfile_finish(&f, &e) && newfile_commit(&f, &e));
	fd = open(in_dir("f"), O_RDONLY | O_CLOEXEC);
	CHECK_INT(read(fd, found, sizeof found), len);
	close(fd);
	CHECK(memcmp(found, expected, len) == 0);
	remove_dir();
}

/* RLIMIT_FSIZE stands for the full disk: the write is short first, then fails. */
static void a_failed_write_leaves_the_target_and_nothing_else(void)
{
	struct rlimit saved, small;
	static char text[200000];
	char expected[512];

	make_dir();
	make_file("f", "old", 0600);
	signal(SIGXFSZ, SIG_IGN);
	CHECK_INT(getrlimit(RLIMIT_FSIZE, &saved), 0);
	for (size_t size = 5000; size <= sizeof text; size += sizeof text - 5000) {
		struct newfile f = {0};
		bool ok;

		small = (struct rlimit){.rlim_cur = 1000, .rlim_max = saved.rlim_max};
		CHECK_INT(setrlimit(RLIMIT_FSIZE, &small), 0);
		ok = newfile_open(&f, &arena, in_dir("f"), &e) &&
		     newfile_write(&f, span_of(text, size), &e) && newfile_finish(&f, &e);
		newfile_abort(&f);
		CHECK_INT(setrlimit(RLIMIT_FSIZE, &saved), 0);
		CHECK(!ok);
		snprintf(expected, sizeof expected, "%s/f: cannot write: %s", dir, strerror(EFBIG));
		CHECK_TEXT(e.text, expected);
		CHECK_TEXT(content("f"), "old");
		CHECK_INT(count_names(), 1);
	}
	signal(SIGXFSZ, SIG_DFL);
	remove_dir();
}

static void a_failed_commit_leaves_the_target_and_nothing_else(void)
{
	struct newfile f;

	make_dir();
	CHECK(newfile_open(&f, &arena, in_dir("f"), &e));
	CHECK(newfile_write(&f, SPAN("new"), &e));
	CHECK(newfile_finish(&f, &e));
	CHECK_INT(mkdir(in_dir("f"), 0700), 0);
	CHECK(!newfile_commit(&f, &e));
	CHECK(strstr(e.text, "/f: cannot be replaced: ") != NULL);
	newfile_abort(&f);
	CHECK_INT(count_names(), 1);
	remove_dir();
}

static void names_the_path_in_errors(void)
{
	int fds = count_open_fds();
	char text[128];

	make_dir();
	make_file("f", "old", 0600);
	CHECK_INT(symlink("loop", in_dir("loop")), 0);
	CHECK_INT(symlink(dir, in_dir("dirlink")), 0);
	check_error(dir, dir, "is a directory");
	check_error(in_dir("dirlink"), in_dir("dirlink"), "is a directory");
	check_error("", "", "names no file");
	check_error(in_dir("none/"), in_dir("none/"), "names no file");
	snprintf(text, sizeof text, "cannot be written: no file can be made beside it: %s",
		 strerror(ENOENT));
	check_error(in_dir("no\tne/f"), in_dir("no\\x09ne/f"), text);
	snprintf(text, sizeof text, "cannot be opened: %s", strerror(ENOTDIR));
	check_error(in_dir("f/g"), in_dir("f/g"), text);
	snprintf(text, sizeof text, "cannot be opened: %s", strerror(ELOOP));
	check_error(in_dir("loop"), in_dir("loop"), text);
	CHECK_INT(count_names(), 3);
	CHECK_INT(count_open_fds(), fds);
	remove_dir();
}

/* As a user who is not root, whom permissions don't stop. */
static void a_directory_that_cannot_be_written_is_an_error(void)
{
	char text[128];

	make_dir();
	make_file("f", "old", 0666);
	CHECK_INT(chmod(dir, 0555), 0);
	if (geteuid() == 0)
		CHECK_INT(seteuid(65534), 0);
	snprintf(text, sizeof text, "cannot be written: no file can be made beside it: %s",
		 strerror(EACCES));
	check_error(in_dir("f"), in_dir("f"), text);
	if (getuid() == 0)
		CHECK_INT(seteuid(0), 0);
	CHECK_INT(chmod(dir, 0755), 0);
	CHECK_TEXT(content("f"), "old");
	CHECK_INT(count_names(), 1);
	remove_dir();
}

/* Someone else's file in a directory that all may write: it becomes ours, without its group's. */
static void rights_of_a_group_that_is_not_ours_are_not_given(void)
{
	if (geteuid() != 0)
		unit_skip("only root can give files away");
	make_dir();
	make_file("f", "old", 0600);
	CHECK_INT(chown(in_dir("f"), 12, 34), 0);
	CHECK_INT(chmod(in_dir("f"), 06764), 0);
	CHECK_INT(chmod(dir, 0777), 0);
	CHECK_INT(setegid(65534), 0);
	CHECK_INT(seteuid(65534), 0);
	CHECK(replace(in_dir("f"), SPAN("new")));
	CHECK_INT(seteuid(0), 0);
	CHECK_INT(setegid(0), 0);
	CHECK_INT(mode_of("f"), 0744);
	remove_dir();
}

static void what_is_no_regular_file_is_written_as_it_comes(void)
{
	struct newfile f;
	char text[8];
	int reader;
	struct stat st;

	make_dir();
	CHECK(replace("/dev/null", SPAN("new")));
	CHECK(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode));
	CHECK_INT(mkfifo(in_dir("pipe"), 0600), 0);
	reader = open(in_dir("pipe"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	CHECK(replace(in_dir("pipe"), SPAN("new")));
	CHECK_INT(read(reader, text, sizeof text), 3);
	CHECK(newfile_open(&f, &arena, in_dir("pipe"), &e));
	newfile_abort(&f);
	close(reader);
	CHECK(stat(in_dir("pipe"), &st) == 0 && S_ISFIFO(st.st_mode));
	CHECK_INT(count_names(), 1);
	CHECK(!replace("/dev/full", SPAN("new")));
	CHECK(strncmp(e.text, "/dev/full: cannot write: ", 25) == 0);
	remove_dir();
}

static void an_open_file_named_through_proc_is_appended_to(void)
{
	char path[64];
	int fd;

	make_dir();
	make_file("f", "old ", 0600);
	fd = open(in_dir("f"), O_WRONLY | O_CLOEXEC);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	CHECK(replace(path, SPAN("new")));
	CHECK_INT(symlink(path, in_dir("stdout")), 0);
	CHECK(replace(in_dir("stdout"), SPAN("er")));
	close(fd);
	CHECK_TEXT(content("f"), "old newer");
	CHECK_INT(count_names(), 2);
	remove_dir();
}

static void long_names_are_no_trouble(void)
{
	char name[256] = {0};

	make_dir();
	memset(name, 'n', 255);
	CHECK(replace(in_dir(name), SPAN("new")));
	CHECK_TEXT(content(name), "new");
	CHECK_INT(count_names(), 1);
	remove_dir();
}

static void survives_every_lack_of_memory(void)
{
	int fds = count_open_fds(), failures = 0;

	make_dir();
	make_file("f", "old", 0600);
	CHECK_INT(symlink("f", in_dir("link")), 0);
	for (int n = 0, ok = 0; !ok; n++) {
		CHECK(n < 20);
		arena_fini(&arena);
		alloc_fail_after(n);
		ok = replace(in_dir("link"), SPAN("new"));
		alloc_fail_after(-1);
		failures += !ok;
		CHECK(ok || strstr(e.text, "/link: out of memory") != NULL);
		CHECK_TEXT(content("f"), ok ? "new" : "old");
		CHECK_INT(count_names(), 2);
	}
	CHECK_INT(failures, 2); /* the arena's first chunk, and what gathers */
	make_file("f", "old", 0600);
	for (size_t bound = 0, ok = 0; !ok; bound += 16) {
		CHECK(bound < 10000);
		arena_fini(&arena);
		arena_init(&arena, bound);
		ok = replace(in_dir("link"), SPAN("new"));
		CHECK(ok || strstr(e.text, "/link: out of memory") != NULL);
		CHECK_INT(count_names(), 2);
	}
	CHECK_INT(count_open_fds(), fds);
	remove_dir();
}

UNIT_TESTS(TEST(makes_a_new_file_with_the_umask), TEST(keeps_permissions_and_owner),
	   TEST(works_in_the_current_directory), TEST(follows_links_and_keeps_them),
	   TEST(the_target_changes_at_commit_and_not_before),
	   TEST(abort_leaves_the_target_and_nothing_else),
	   TEST(several_files_are_finished_before_the_first_is_replaced),
	   TEST(writes_pieces_of_any_size_in_order),
	   TEST(a_failed_write_leaves_the_target_and_nothing_else),
	   TEST(a_failed_commit_leaves_the_target_and_nothing_else), TEST(names_the_path_in_errors),
	   TEST(a_directory_that_cannot_be_written_is_an_error),
	   TEST(rights_of_a_group_that_is_not_ours_are_not_given),
	   TEST(what_is_no_regular_file_is_written_as_it_comes),
	   TEST(an_open_file_named_through_proc_is_appended_to), TEST(long_names_are_no_trouble),
	   TEST(survives_every_lack_of_memory))
