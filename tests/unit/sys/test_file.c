#include "../unit.h"
#include "remove.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "base/alloc.h"
#include "sys/file.h"

static char dir[64];

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
	snprintf(dir, sizeof dir, "/tmp/test_file.XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
}

static void remove_dir(void)
{
	remove_all(dir);
}

static void make_file(const char *name, const char *text, size_t len)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd != -1);
	CHECK_INT(write(fd, text, len), len);
	close(fd);
}

static void reads_whole_files_up_to_the_bound(void)
{
	static char big[100000];
	static const size_t sizes[] = {0, 1, 2, 4095, 4096, 16383, 16384, 16385, sizeof big};

	memset(big, 'x', sizeof big);
	make_dir();
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		char expected[128];
		struct span text;
		struct arena a;
		struct error e;

		arena_init(&a, SIZE_MAX);
		make_file("f", big, sizes[i]);
		CHECK(file_read(&a, in_dir("f"), sizes[i], &text, &e));
		CHECK(span_eq(text, span_of(big, sizes[i])));
		CHECK(text.ptr[text.len] == '\0');
		CHECK(file_read(&a, in_dir("f"), SIZE_MAX, &text, &e));
		CHECK_INT(text.len, sizes[i]);
		if (sizes[i] > 0) {
			CHECK(!file_read(&a, in_dir("f"), sizes[i] - 1, &text, &e));
			snprintf(expected, sizeof expected, "%s/f: is larger than %zu bytes", dir,
				 sizes[i] - 1);
			CHECK_TEXT(e.text, expected);
		}
		arena_fini(&a);
	}
	remove_dir();
}

static void reads_files_without_a_size_and_never_without_end(void)
{
	struct span text;
	struct arena a;
	struct error e;

	arena_init(&a, SIZE_MAX);
	CHECK(file_read(&a, "/proc/self/stat", 10000, &text, &e));
	CHECK(text.len > 10);
	CHECK(!file_read(&a, "/dev/zero", 100000, &text, &e));
	CHECK_TEXT(e.text, "/dev/zero: is larger than 100000 bytes");
	arena_fini(&a);
}

static void takes_no_more_memory_than_the_file_has(void)
{
	enum { SIZE = 3000000 };
	struct span text;
	struct arena a;
	struct error e;

	make_dir();
	make_file("f", "", 0);
	CHECK_INT(truncate(in_dir("f"), SIZE), 0);
	arena_init(&a, SIZE + 64);
	CHECK(file_read(&a, in_dir("f"), SIZE, &text, &e));
	CHECK_INT(text.len, SIZE);
	arena_fini(&a);
	/* No growing buffer beside it: the arena's chunk is the only allocation. */
	alloc_fail_after(1);
	CHECK(file_read(&a, in_dir("f"), SIZE, &text, &e));
	alloc_fail_after(-1);
	arena_fini(&a);
	remove_dir();
}

static void reads_files_that_say_more_than_they_hold(void)
{
	struct span text;
	struct arena a;
	struct error e;

	if (access("/sys/kernel/mm/transparent_hugepage/enabled", R_OK) != 0)
		unit_skip("there is no such file in /sys");
	arena_init(&a, SIZE_MAX);
	/* It says 4096 bytes, whatever the bound. */
	for (size_t bound = 100; bound < 10000; bound *= 10) {
		CHECK(file_read(&a, "/sys/kernel/mm/transparent_hugepage/enabled", bound, &text,
				&e));
		CHECK(text.len > 3 && text.len < 100);
		CHECK(text.ptr[text.len] == '\0');
	}
	arena_fini(&a);
}

static atomic_bool is_read;

/* Until it has been read: the reader meets more than the size said when it was opened. */
static void *append_to(void *fd)
{
	static const char block[4096] = "grown";

	for (int i = 0; i < 4000 && !is_read; i++)
		if (write(*(const int *)fd, block, sizeof block) != sizeof block)
			break;
	return NULL;
}

static void reads_files_that_grow_meanwhile(void)
{
	pthread_t thread;
	struct span text;
	struct arena a;
	struct error e;
	int fd;

	make_dir();
	fd = open(in_dir("f"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	CHECK(fd != -1);
	CHECK_INT(write(fd, "old\0", 4), 4);
	arena_init(&a, SIZE_MAX);
	is_read = false;
	CHECK_INT(pthread_create(&thread, NULL, append_to, &fd), 0);
	for (int i = 0; i < 10; i++) {
		arena_fini(&a);
		CHECK(file_read(&a, in_dir("f"), SIZE_MAX, &text, &e));
		CHECK(text.len >= 4 && memcmp(text.ptr, "old\0", 4) == 0);
		for (size_t at = 4; at + 6 <= text.len; at += 4096)
			CHECK_TEXT(text.ptr + at, "grown");
		CHECK(text.ptr[text.len] == '\0');
	}
	is_read = true;
	CHECK_INT(pthread_join(thread, NULL), 0);
	close(fd);
	arena_fini(&a);
	remove_dir();
}

static void check_error(const char *path, const char *expected)
{
	struct span text;
	struct arena a;
	struct error e;

	arena_init(&a, SIZE_MAX);
	CHECK(!file_read(&a, path, 1000, &text, &e));
	CHECK_TEXT(e.text, expected);
	arena_fini(&a);
}

static void names_the_path_in_errors(void)
{
	char expected[512];

	make_dir();
	snprintf(expected, sizeof expected, "%s/none: cannot be opened: %s", dir, strerror(ENOENT));
	check_error(in_dir("none"), expected);
	snprintf(expected, sizeof expected, "%s: is a directory", dir);
	check_error(dir, expected);
	snprintf(expected, sizeof expected, "%s/a\\x0ab: cannot be opened: %s", dir,
		 strerror(ENOENT));
	check_error(in_dir("a\nb"), expected);
	snprintf(expected, sizeof expected, "/proc/self/mem: cannot be read: %s", strerror(EIO));
	check_error("/proc/self/mem", expected);
	remove_dir();
}

static int feeding_end;

/* Interrupts the read, gives it something, and the third time nothing more ever. */
static void on_alarm(int signal_number)
{
	static int calls;

	(void)signal_number;
	if (++calls < 3)
		(void)!write(feeding_end, "ab", 2);
	else if (calls == 3)
		close(feeding_end);
}

static void reads_standard_input_through_signals(void)
{
	struct sigaction action = {.sa_handler = on_alarm};
	struct itimerval timer = {{0, 2000}, {0, 2000}}, off = {{0, 0}, {0, 0}};
	int saved = dup(STDIN_FILENO), ends[2];
	struct span text;
	struct arena a;
	struct error e;
	bool ok;

	arena_init(&a, SIZE_MAX);
	CHECK_INT(pipe(ends), 0);
	feeding_end = ends[1];
	CHECK_INT(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	CHECK_INT(sigaction(SIGALRM, &action, NULL), 0);
	CHECK_INT(setitimer(ITIMER_REAL, &timer, NULL), 0);
	ok = file_read(&a, "-", 100, &text, &e);
	CHECK_INT(setitimer(ITIMER_REAL, &off, NULL), 0);
	CHECK(ok);
	CHECK_SPAN(text, "abab");
	/* It stays open, and is the standard input's in errors. */
	CHECK(fcntl(STDIN_FILENO, F_GETFD) != -1);
	ends[0] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	CHECK_INT(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	CHECK(!file_read(&a, "-", 5, &text, &e));
	CHECK_TEXT(e.text, "standard input: is larger than 5 bytes");
	dup2(saved, STDIN_FILENO);
	close(saved);
	arena_fini(&a);
}

static int count_open_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

static void make_tree(void)
{
	make_dir();
	make_file("b.yaml", "", 0);
	make_file("a.yml", "", 0);
	make_file("B.yaml", "", 0);
	make_file("c.json", "", 0);
	make_file("c.txt", "", 0);
	make_file("yaml", "", 0);
	make_file("a.yaml~", "", 0);
	make_file(".hidden.yaml", "", 0);
	CHECK_INT(mkdir(in_dir("dir.yaml"), 0700), 0);
	CHECK_INT(symlink("c.txt", in_dir("link.yaml")), 0);
	CHECK_INT(symlink("dir.yaml", in_dir("dirlink.yaml")), 0);
	CHECK_INT(symlink("nowhere", in_dir("dangling.yaml")), 0);
}

static const char *const suffixes[] = {".yaml", ".yml", ".json", NULL};

static void lists_files_by_suffix_in_byte_order(void)
{
	static const char *const expected[] = {"B.yaml", "a.yml",	  "b.yaml",
					       "c.json", "dangling.yaml", "link.yaml"};
	int fds = count_open_fds();
	struct span *paths;
	struct arena a;
	struct error e;
	size_t count;

	make_tree();
	arena_init(&a, SIZE_MAX);
	for (int with_slash = 0; with_slash < 2; with_slash++) {
		CHECK(file_list_dir(&a, with_slash ? in_dir("") : dir, suffixes, &paths, &count,
				    &e));
		CHECK_INT(count, sizeof expected / sizeof expected[0]);
		for (size_t i = 0; i < count; i++) {
			CHECK_SPAN(paths[i], in_dir(expected[i]));
			CHECK_INT(strlen(paths[i].ptr), paths[i].len);
		}
	}
	arena_fini(&a);
	CHECK_INT(count_open_fds(), fds);
	remove_dir();
}

static void lists_a_mounted_config_map(void)
{
	struct span *paths, text;
	struct arena a;
	struct error e;
	size_t count;

	make_dir();
	CHECK_INT(mkdir(in_dir("..2026_11_23"), 0700), 0);
	make_file("..2026_11_23/services.yaml", "kind: Service\n", 14);
	CHECK_INT(symlink("..2026_11_23", in_dir("..data")), 0);
	CHECK_INT(symlink("..data/services.yaml", in_dir("services.yaml")), 0);
	arena_init(&a, SIZE_MAX);
	CHECK(file_list_dir(&a, dir, suffixes, &paths, &count, &e));
	CHECK_INT(count, 1);
	CHECK_SPAN(paths[0], in_dir("services.yaml"));
	CHECK(file_read(&a, paths[0].ptr, 100, &text, &e));
	CHECK_SPAN(text, "kind: Service\n");
	arena_fini(&a);
	remove_dir();
}

static void check_tree(const char *const *expected, size_t expected_count)
{
	struct span *paths;
	struct arena a;
	struct error e;
	size_t count;

	arena_init(&a, SIZE_MAX);
	CHECK(file_list_tree(&a, dir, suffixes, &paths, &count, &e));
	for (size_t i = 0; i < count && i < expected_count; i++) {
		CHECK_SPAN(paths[i], in_dir(expected[i]));
		CHECK_INT(strlen(paths[i].ptr), paths[i].len);
	}
	CHECK_INT(count, expected_count);
	arena_fini(&a);
}

static void lists_a_tree_in_byte_order_of_the_full_paths(void)
{
	static const char *const expected[] = {"B.yaml",      "a.yml",	       "b.yaml",
					       "c.json",      "dangling.yaml", "dir.yaml/x.yaml",
					       "link.yaml",   "sub-a.yaml",    "sub/b.yaml",
					       "sub/b/a.yml", "sub0.yaml"};
	int fds = count_open_fds();

	make_tree();
	CHECK_INT(mkdir(in_dir("sub"), 0700), 0);
	CHECK_INT(mkdir(in_dir("sub/b"), 0700), 0);
	CHECK_INT(mkdir(in_dir("sub/empty"), 0700), 0);
	CHECK_INT(mkdir(in_dir(".hidden"), 0700), 0);
	make_file("dir.yaml/x.yaml", "", 0);
	make_file("sub/b/a.yml", "", 0);
	make_file("sub/b.yaml", "", 0);
	make_file("sub/.b.yaml", "", 0);
	make_file("sub/c.txt", "", 0);
	make_file("sub-a.yaml", "", 0);
	make_file("sub0.yaml", "", 0);
	make_file(".hidden/h.yaml", "", 0);
	/* Circles, to the top and to itself. */
	CHECK_INT(symlink("..", in_dir("sub/up")), 0);
	CHECK_INT(symlink("self.yaml", in_dir("sub/self")), 0);
	check_tree(expected, sizeof expected / sizeof expected[0]);
	CHECK_INT(count_open_fds(), fds);
	remove_dir();
}

/* Makes `levels` directories below each other; the working directory is then the last. */
static void make_levels(int levels)
{
	CHECK_INT(chdir(dir), 0);
	for (int i = 0; i < levels; i++) {
		CHECK_INT(mkdir("d", 0700), 0);
		CHECK_INT(chdir("d"), 0);
	}
}

static void a_tree_has_a_bound_and_names_what_it_cannot_list(void)
{
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
	struct span *paths;
	struct arena a;
	struct error e;
	size_t count;

	make_dir();
	arena_init(&a, SIZE_MAX);
	make_levels(FILE_DEPTH_MAX);
	fd = open("f.yaml", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd != -1);
	close(fd);
	CHECK(file_list_tree(&a, dir, suffixes, &paths, &count, &e));
	CHECK_INT(count, 1);
	CHECK_INT(mkdir("d", 0700), 0);
	CHECK(!file_list_tree(&a, dir, suffixes, &paths, &count, &e));
	CHECK(strncmp(e.text, in_dir("d/d/d/"), strlen(dir) + 7) == 0);
	CHECK(strstr(e.text, "/d: holds directories that are nested too deep") != NULL);
	CHECK_INT(fchdir(here), 0);
	close(here);
	CHECK(!file_list_tree(&a, in_dir("none"), suffixes, &paths, &count, &e));
	CHECK(strstr(e.text, "/none: cannot be opened: ") != NULL);
	CHECK_INT(chmod(in_dir("d"), 0), 0);
	if (geteuid() == 0)
		CHECK_INT(chown(dir, 65534, 65534) | seteuid(65534), 0);
	CHECK(!file_list_tree(&a, dir, suffixes, &paths, &count, &e));
	if (getuid() == 0)
		CHECK_INT(seteuid(0), 0);
	CHECK_INT(chmod(in_dir("d"), 0700), 0);
	CHECK(strstr(e.text, "/d: cannot be opened: ") != NULL);
	arena_fini(&a);
	remove_dir();
}

static void an_empty_directory_is_no_error_and_a_missing_one_is(void)
{
	char expected[128];
	struct span *paths;
	struct arena a;
	struct error e;
	size_t count = 9;

	make_dir();
	arena_init(&a, SIZE_MAX);
	CHECK(file_list_dir(&a, dir, suffixes, &paths, &count, &e));
	CHECK_INT(count, 0);
	CHECK(!file_list_dir(&a, in_dir("none"), suffixes, &paths, &count, &e));
	snprintf(expected, sizeof expected, "%s/none: cannot be opened: %s", dir, strerror(ENOENT));
	CHECK_TEXT(e.text, expected);
	arena_fini(&a);
	remove_dir();
}

static void tells_directories_from_the_rest(void)
{
	make_tree();
	CHECK(file_is_dir(dir));
	CHECK(file_is_dir(in_dir("dir.yaml")));
	CHECK(file_is_dir(in_dir("dirlink.yaml")));
	CHECK(!file_is_dir(in_dir("b.yaml")));
	CHECK(!file_is_dir(in_dir("dangling.yaml")));
	CHECK(!file_is_dir(in_dir("none")));
	CHECK(!file_is_dir("-"));
	remove_dir();
}

/* Fails the n-th allocation for every n, and then the arena's bound in steps. */
static void survives_every_lack_of_memory(void)
{
	int fds = count_open_fds(), failures = 0;
	struct span text, *paths;
	struct error e;
	size_t count;

	make_tree();
	make_file("big.yaml", dir, sizeof dir);
	for (int n = 0, ok = 0; !ok; n++) {
		struct arena a;

		CHECK(n < 100);
		arena_init(&a, SIZE_MAX);
		e.text[0] = '\0';
		alloc_fail_after(n);
		ok = file_read(&a, in_dir("big.yaml"), 1000, &text, &e) &&
		     file_list_dir(&a, dir, suffixes, &paths, &count, &e) &&
		     file_list_tree(&a, dir, suffixes, &paths, &count, &e) &&
		     file_read(&a, "/proc/self/stat", 10000, &text, &e);
		alloc_fail_after(-1);
		failures += !ok;
		CHECK(ok || strstr(e.text, ": out of memory") != NULL);
		CHECK(ok || e.text[0] == '/');
		arena_fini(&a);
	}
	CHECK_INT(failures,
		  2); /* the arena's first chunk, and the buffer of a file without a size */
	for (size_t bound = 0, ok = 0; !ok; bound += 16) {
		struct arena a;

		CHECK(bound < 10000);
		e.text[0] = '\0';
		arena_init(&a, bound);
		ok = file_read(&a, in_dir("big.yaml"), 1000, &text, &e) &&
		     file_list_dir(&a, dir, suffixes, &paths, &count, &e) &&
		     file_list_tree(&a, dir, suffixes, &paths, &count, &e) &&
		     file_read(&a, "/proc/self/stat", 10000, &text, &e);
		CHECK(ok || strstr(e.text, ": out of memory") != NULL);
		arena_fini(&a);
	}
	CHECK_INT(count_open_fds(), fds);
	remove_dir();
}

UNIT_TESTS(TEST(reads_whole_files_up_to_the_bound),
	   TEST(reads_files_without_a_size_and_never_without_end),
	   TEST(takes_no_more_memory_than_the_file_has),
	   TEST(reads_files_that_say_more_than_they_hold), TEST(reads_files_that_grow_meanwhile),
	   TEST(lists_a_tree_in_byte_order_of_the_full_paths),
	   TEST(a_tree_has_a_bound_and_names_what_it_cannot_list), TEST(names_the_path_in_errors),
	   TEST(reads_standard_input_through_signals), TEST(lists_files_by_suffix_in_byte_order),
	   TEST(lists_a_mounted_config_map),
	   TEST(an_empty_directory_is_no_error_and_a_missing_one_is),
	   TEST(tells_directories_from_the_rest), TEST(survives_every_lack_of_memory))
