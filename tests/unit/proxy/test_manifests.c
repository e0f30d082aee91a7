#include "../unit.h"

#include <fcntl.h>

#include "proxy/manifests.h"
#include "sys/fd.h"

#define SERVICE(name, external, port)                                                              \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " name "}\nspec:\n"                       \
	"  type: ExternalName\n  externalName: " external "\n  ports: [{port: " port               \
	", name: http}]\n---\n"

static char dir[64];

/* What was said, a line each. */
static char said[4096];

static void note(struct diag *d, enum diag_level level, const char *text)
{
	size_t len = strlen(said);

	(void)d;
	snprintf(said + len, sizeof said - len, "%c %s\n", "nwe"[level], text);
}

static const char *path_of(const char *name)
{
	static char paths[4][256];
	static int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", dir, name);
	return path;
}

static void put_file(const char *name, const char *text)
{
	struct error e;
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd != -1);
	CHECK(fd_write_all(fd, span_from_cstr(text), &e));
	fd_close(&fd);
}

static void setup(void)
{
	snprintf(dir, sizeof dir, "/tmp/test_manifests.XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	said[0] = 0;
}

static void teardown(const char *const *names)
{
	for (; *names != NULL; names++)
		CHECK(unlink(path_of(*names)) == 0);
	CHECK(rmdir(dir) == 0);
}

static struct route_table *load(const char *const *paths, size_t count, struct buf *summary)
{
	struct manifests m = {.inputs = {paths, count, false},
			      .namespace = SPAN("default"),
			      .cluster_domain = SPAN("cluster.local")};
	struct diag diag = {.emit = note};
	struct route_table *table = manifests_load(&m, &diag, summary);

	CHECK((table == NULL) == (diag.errors > 0));
	return table;
}

static void reads_files_and_the_manifests_of_directories_in_order(void)
{
	static const char *const names[] = {"b.yaml",  "a.yml",	 "c.json", "d.txt",
					    ".e.yaml", "z.yaml", "given",  NULL};
	char storage[200];
	struct buf summary;
	struct route_table *table;

	setup();
	put_file("b.yaml", SERVICE("b", "b.example", "80"));
	put_file("a.yml", SERVICE("a", "a.example", "80"));
	put_file("c.json", "{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": "
			   "{\"name\": \"c\"}, \"spec\": {\"type\": \"ExternalName\", "
			   "\"externalName\": \"c.example\", \"ports\": [{\"port\": 80, \"name\": "
			   "\"http\"}]}}");
	put_file("d.txt", "not: [a manifest");
	put_file(".e.yaml", "not: [a manifest");
	put_file("z.yaml",
		 SERVICE("z", "z.example", "80") "kind: Deployment\napiVersion: apps/v1\n");
	put_file("given", SERVICE("first", "f.example", "80"));
	BUF_INIT_ARRAY(&summary, storage);
	table = load((const char *[]){dir, path_of("given")}, 2, &summary);
	CHECK_TEXT(said, "");
	CHECK(table != NULL);
	CHECK_INT(table->service_count, 5);
	CHECK_SPAN(table->services[0].name, "a");
	CHECK_SPAN(table->services[1].name, "b");
	CHECK_SPAN(table->services[2].name, "c");
	CHECK_SPAN(table->services[3].name, "z");
	CHECK(span_ends_with(table->routes[1].pos, SPAN("/b.yaml:7:11")));
	CHECK_SPAN(table->services[4].name, "first");
	CHECK_TEXT(buf_cstr(&summary), "5 Services, 5 routes; ignored: 1 Deployment");
	route_table_free(table);
	teardown(names);
}

static void summarises_one_in_the_singular(void)
{
	static const char *const names[] = {"one.yaml", NULL};
	char storage[100];
	struct buf summary;
	struct route_table *table;

	setup();
	put_file("one.yaml", SERVICE("a", "a.example", "80"));
	BUF_INIT_ARRAY(&summary, storage);
	table = load((const char *[]){path_of("one.yaml")}, 1, &summary);
	CHECK_TEXT(buf_cstr(&summary), "1 Service, 1 route");
	route_table_free(table);
	table = load((const char *[]){path_of("one.yaml")}, 1, NULL);
	CHECK(table != NULL);
	route_table_free(table);
	teardown(names);
}

static void reads_standard_input_for_a_dash(void)
{
	static const char *const names[] = {"in.yaml", NULL};
	struct route_table *table;
	int fd, saved = dup(STDIN_FILENO);

	setup();
	put_file("in.yaml", SERVICE("a", "a.example", "80"));
	fd = open(path_of("in.yaml"), O_RDONLY | O_CLOEXEC);
	CHECK(dup2(fd, STDIN_FILENO) == STDIN_FILENO);
	table = load((const char *[]){"-"}, 1, NULL);
	CHECK(dup2(saved, STDIN_FILENO) == STDIN_FILENO);
	fd_close(&fd);
	fd_close(&saved);
	CHECK(table != NULL);
	CHECK_SPAN(table->routes[0].pos, "<stdin>:7:11");
	route_table_free(table);
	teardown(names);
}

static void warns_of_a_directory_with_nothing_in_it(void)
{
	static const char *const names[] = {NULL};
	char expected[200];
	struct route_table *table;

	setup();
	table = load((const char *[]){dir}, 1, NULL);
	snprintf(expected, sizeof expected, "w %s: no *.yaml, *.yml or *.json in it\n", dir);
	CHECK_TEXT(said, expected);
	CHECK(table != NULL);
	CHECK_INT(table->route_count, 0);
	route_table_free(table);
	teardown(names);
}

static void reports_every_problem_of_all_files(void)
{
	static const char *const names[] = {"bad.yaml", "good.yaml", NULL};
	int errors = 0;

	setup();
	put_file("bad.yaml", SERVICE("a", "not_a name", "80") SERVICE("b", "b.example", "80000"));
	put_file("good.yaml", SERVICE("c", "c.example", "80"));
	CHECK(load((const char *[]){path_of("bad.yaml"), path_of("missing.yaml"),
				    path_of("good.yaml")},
		   3, NULL) == NULL);
	for (const char *line = said; (line = strstr(line, "e ")) != NULL; line++)
		errors += line == said || line[-1] == '\n';
	CHECK_INT(errors, 3);
	CHECK(strstr(said, "bad.yaml:6:17: ") != NULL);
	CHECK(strstr(said, "bad.yaml:15:18: ") != NULL);
	CHECK(strstr(said, "missing.yaml") != NULL);
	teardown(names);
}

UNIT_TESTS(TEST(reads_files_and_the_manifests_of_directories_in_order),
	   TEST(summarises_one_in_the_singular), TEST(reads_standard_input_for_a_dash),
	   TEST(warns_of_a_directory_with_nothing_in_it), TEST(reports_every_problem_of_all_files))
