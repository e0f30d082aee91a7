#include "../unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "sys/fd.h"
#include "sys/inputs.h"

static char dir[] = "/tmp/test_inputs.XXXXXX";
static char seen[1024], said[1024];
static const char *refused;

static void note(struct diag *d, enum diag_level level, const char *text)
{
	size_t len = strlen(said);

	(void)d;
	snprintf(said + len, sizeof said - len, "%c %s\n", "nwe"[level], text);
}

/* What is behind the directory's name, and whether it is the one to refuse. */
static bool visit(void *context, const char *path)
{
	const char *end = strrchr(path, '/');
	size_t len = strlen(seen);

	CHECK(context == seen);
	end = end != NULL ? end + 1 : path;
	snprintf(seen + len, sizeof seen - len, "%s ", end);
	return refused == NULL || strcmp(refused, end) != 0;
}

static void put_file(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CHECK(fd != -1);
	fd_close(&fd);
}

static void setup(void)
{
	strcpy(dir + sizeof dir - 7, "XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	CHECK(chdir(dir) == 0);
	seen[0] = said[0] = 0;
	refused = NULL;
	CHECK(mkdir("d", 0700) == 0 && mkdir("d/sub", 0700) == 0 && mkdir("empty", 0700) == 0);
	put_file("d/b.yaml");
	put_file("d/a.json");
	put_file("d/c.txt");
	put_file("d/sub/s.yml");
	put_file("plain");
	CHECK(mkfifo("d/pipe.yaml", 0600) == 0);
}

static void teardown(void)
{
	static const char *const names[] = {"d/pipe.yaml", "plain",    "d/sub/s.yml", "d/c.txt",
					    "d/a.json",	   "d/b.yaml", "d/sub",	      "d",
					    "empty",	   NULL};

	for (const char *const *name = names; *name != NULL; name++)
		CHECK_ROW(*name, remove(*name) == 0);
	CHECK(chdir("/") == 0);
	CHECK(rmdir(dir) == 0);
}

static bool visit_all(const char *const *paths, size_t count, bool is_recursive)
{
	struct inputs in = {paths, count, is_recursive};
	struct diag diag = {.emit = note};
	struct arena arena;
	bool ok;

	arena_init(&arena, 1 << 20);
	ok = inputs_visit(&in, &arena, &diag, visit, seen);
	arena_fini(&arena);
	return ok;
}

static void visits_files_and_what_is_in_directories(void)
{
	setup();
	CHECK(visit_all((const char *[]){"plain", "d", "-"}, 3, false));
	CHECK_TEXT(seen, "plain a.json b.yaml - ");
	seen[0] = 0;
	CHECK(visit_all((const char *[]){"d"}, 1, true));
	CHECK_TEXT(seen, "a.json b.yaml s.yml ");
	CHECK_TEXT(said, "");
	teardown();
}

static void warns_of_a_directory_with_nothing_in_it(void)
{
	setup();
	CHECK(visit_all((const char *[]){"empty"}, 1, false));
	CHECK_TEXT(said, "w empty: no *.yaml, *.yml or *.json in it\n");
	teardown();
}

static void goes_on_after_a_failure_and_remembers_it(void)
{
	setup();
	refused = "a.json";
	CHECK(!visit_all((const char *[]){"d", "plain"}, 2, false));
	CHECK_TEXT(seen, "a.json b.yaml plain ");
	teardown();
}

static void only_files_and_directories_can_be_read_again(void)
{
	static const struct {
		const char *paths[2];
		bool can;
	} rows[] = {
		{{"plain", "d"}, true},	       {{"d", "missing"}, true},    {{"plain", "-"}, false},
		{{"d/pipe.yaml", "d"}, false}, {{"d", "/dev/null"}, false},
	};

	setup();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		CHECK_ROW(rows[i].paths[1], inputs_can_be_read_again(&(struct inputs){
						    rows[i].paths, 2, false}) == rows[i].can);
	CHECK_TEXT(inputs_name("-"), "<stdin>");
	CHECK_TEXT(inputs_name("./-"), "./-");
	teardown();
}

UNIT_TESTS(TEST(visits_files_and_what_is_in_directories),
	   TEST(warns_of_a_directory_with_nothing_in_it),
	   TEST(goes_on_after_a_failure_and_remembers_it),
	   TEST(only_files_and_directories_can_be_read_again))
