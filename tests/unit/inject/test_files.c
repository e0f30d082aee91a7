#include "../unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "inject/files.h"

/* A directory of its own for each test, and what a descriptor was written. */
static char dir[64];
static char written[8192];

static const char *path_of(const char *name)
{
	static char paths[8][160];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof paths[0], "%s/%s", dir, name);
	return path;
}

static void put(const char *name, const char *text)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static const char *content_of(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	CHECK(fd != -1);
	got = read(fd, written, sizeof written - 1);
	close(fd);
	CHECK(got >= 0);
	written[got] = '\0';
	return written;
}

static char complaint[256];

static void emit(struct diag *d, enum diag_level level, const char *text)
{
	(void)d;
	(void)level;
	snprintf(complaint, sizeof complaint, "%s", text);
}

struct stage {
	struct arena arena;
	struct files files;
	struct diag diag;
};

static void begin(struct stage *s)
{
	snprintf(dir, sizeof dir, "/tmp/test_files.XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	arena_init(&s->arena, 64 << 20);
	files_init(&s->files, &s->arena);
	s->diag = (struct diag){.emit = emit};
}

static void end(struct stage *s, const char *const *names)
{
	for (; *names != NULL; names++)
		unlink(path_of(*names));
	/* Fails when a temporary file was left. */
	CHECK(rmdir(dir) == 0);
	files_fini(&s->files);
	arena_fini(&s->arena);
}

static void read_two(struct stage *s, const char *a, const char *b)
{
	const char *paths[2];

	put("a", a);
	put("b", b);
	paths[0] = path_of("a");
	paths[1] = path_of("b");
	CHECK(files_read(&s->files, paths, 2, false, &s->diag));
	CHECK_INT(s->files.count, 2);
}

static void add_edit(struct stage *s, size_t file, size_t offset, const char *text)
{
	textedit_add(&s->files.list[file].edits,
		     (struct textedit){.offset = offset, .inserted = span_from_cstr(text)});
}

static const char *const two[] = {"a", "b", "out", NULL};

static const char *write_stream(struct stage *s)
{
	int fd = open(path_of("out"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct error e;

	CHECK(fd != -1 && files_write(&s->files, fd, &e));
	close(fd);
	return content_of(path_of("out"));
}

static void joins_files_to_one_stream_of_documents(void)
{
	static const struct {
		const char *a, *b, *joined;
	} cases[] = {
		{"a: 1\n", "b: 2\n", "a: 1\n---\nb: 2\n"},
		{"a: 1", "b: 2", "a: 1\n---\nb: 2"},
		{"a: 1\n", "---\nb: 2\n", "a: 1\n---\nb: 2\n"},
		{"a: 1\n", "\xef\xbb\xbf---\nb: 2\n", "a: 1\n---\nb: 2\n"},
		{"\xef\xbb\xbf"
		 "a: 1",
		 "\xef\xbb\xbf"
		 "b: 2",
		 "\xef\xbb\xbf"
		 "a: 1\n---\nb: 2"},
		{"{}", " [1]", "{}\n [1]"},
		{"{}\n", "b: 2\n", "{}\n---\nb: 2\n"},
		{"", "b: 2\n", "b: 2\n"},
		{"a: 1", "", "a: 1"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct stage s;

		begin(&s);
		read_two(&s, cases[i].a, cases[i].b);
		CHECK_TEXT(write_stream(&s), cases[i].joined);
		end(&s, two);
	}
}

static void writes_edits_to_one_of_the_files_that_were_read(void)
{
	struct stage s;
	struct error e;

	begin(&s);
	read_two(&s, "a: 1\n", "b: 2\n");
	add_edit(&s, 0, 0, "new\n");
	CHECK(files_write_to(&s.files, path_of("a"), &e));
	CHECK_TEXT(content_of(path_of("a")), "new\na: 1\n---\nb: 2\n");
	end(&s, two);
}

static void writes_back_what_changed_and_only_that(void)
{
	struct stat before, after;
	struct stage s;
	struct error e;

	begin(&s);
	read_two(&s, "a: 1\n", "b: 2\n");
	add_edit(&s, 1, 5, "new\n");
	CHECK(stat(path_of("a"), &before) == 0);
	CHECK(files_write_back(&s.files, &e));
	CHECK(stat(path_of("a"), &after) == 0 && before.st_ino == after.st_ino);
	CHECK_TEXT(content_of(path_of("a")), "a: 1\n");
	CHECK_TEXT(content_of(path_of("b")), "b: 2\nnew\n");
	end(&s, two);
}

static void writes_back_all_or_none(void)
{
	struct stage s;
	struct error e;

	begin(&s);
	read_two(&s, "a: 1\n", "b: 2\n");
	add_edit(&s, 0, 0, "new\n");
	add_edit(&s, 1, 0, "new\n");
	/* The second has nowhere to go. */
	s.files.list[1].path = path_of("none/b");
	CHECK(!files_write_back(&s.files, &e));
	CHECK(strstr(e.text, "none/b") != NULL);
	CHECK_TEXT(content_of(path_of("a")), "a: 1\n");
	end(&s, two);
}

static void prints_what_changes(void)
{
	char expected[512];
	struct stage s;
	struct error e;
	int fd;

	begin(&s);
	read_two(&s, "a: 1\n", "b: 2\n");
	add_edit(&s, 1, 5, "new\n");
	fd = open(path_of("out"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	CHECK(fd != -1 && files_write_diff(&s.files, fd, &e));
	close(fd);
	snprintf(expected, sizeof expected, "--- %s\n+++ %s\n@@ -1 +1,2 @@\n b: 2\n+new\n",
		 path_of("b"), path_of("b"));
	CHECK_TEXT(content_of(path_of("out")), expected);
	end(&s, two);
}

static void finds_manifests_in_directories(void)
{
	static const char *const names[] = {"x.yaml", "y.json", "z.txt", "sub/w.yml", NULL};
	struct stage s;
	const char *path;

	begin(&s);
	CHECK(mkdir(path_of("sub"), 0755) == 0);
	for (size_t i = 0; names[i] != NULL; i++)
		put(names[i], "a: 1\n");
	path = dir;
	CHECK(files_read(&s.files, &path, 1, false, &s.diag));
	CHECK_INT(s.files.count, 2);
	CHECK(files_read(&s.files, &path, 1, true, &s.diag));
	CHECK_INT(s.files.count, 5);
	path = path_of("sub");
	unlink(path_of("sub/w.yml"));
	CHECK(files_read(&s.files, &path, 1, false, &s.diag));
	CHECK_INT(s.diag.warnings, 1);
	CHECK(strstr(complaint, "no *.yaml, *.yml or *.json in it") != NULL);
	CHECK(rmdir(path_of("sub")) == 0);
	end(&s, names);
}

static void names_all_that_cannot_be_read(void)
{
	static const char *const none[] = {NULL};
	const char *paths[2];
	struct stage s;

	begin(&s);
	paths[0] = path_of("x");
	paths[1] = path_of("y");
	CHECK(!files_read(&s.files, paths, 2, false, &s.diag));
	CHECK_INT(s.diag.errors, 2);
	CHECK(strstr(complaint, "/y: cannot be opened") != NULL);
	end(&s, none);
}

UNIT_TESTS(TEST(joins_files_to_one_stream_of_documents),
	   TEST(writes_edits_to_one_of_the_files_that_were_read),
	   TEST(writes_back_what_changed_and_only_that), TEST(writes_back_all_or_none),
	   TEST(prints_what_changes), TEST(finds_manifests_in_directories),
	   TEST(names_all_that_cannot_be_read))
