#include "../unit.h"

#include <fcntl.h>

#include "proxy/reload.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/log.h"

#define SERVICE(name)                                                                              \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " name "}\nspec:\n"                       \
	"  type: ExternalName\n  externalName: up.example\n  ports: [{port: 80, name: http}]\n"

static char path[64];
static const char *const paths[] = {path};
static struct loop loop;
static struct reload reload;
static bool adopts;
static char adopted[64]; /* the first Service of each table */

static void put_file(const char *text)
{
	struct error e;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd != -1 && fd_write_all(fd, span_from_cstr(text), &e));
	fd_close(&fd);
}

static bool adopt(void *context, struct route_table *table, struct error *e)
{
	size_t len = strlen(adopted);

	CHECK(context == &loop);
	if (adopts)
		snprintf(adopted + len, sizeof adopted - len, "%.*s ",
			 SPAN_ARG(table->services[0].name));
	route_table_free(table);
	return adopts || error_set(e, "not now");
}

static void setup(void)
{
	struct manifests m = {.inputs = {paths, 1, false},
			      .namespace = SPAN("default"),
			      .cluster_domain = SPAN("cluster.local")};
	struct diag diag = {.emit = NULL};
	struct route_table *table;
	struct error e;

	snprintf(path, sizeof path, "/tmp/test_reload.%d.yaml", (int)getpid());
	put_file(SERVICE("first"));
	adopted[0] = 0;
	adopts = true;
	log_set_level(LOG_ERROR - 1);
	CHECK(loop_init(&loop, &e));
	reload_init(&reload, &m);
	reload.adopt = adopt;
	reload.context = &loop;
	table = manifests_load(&m, &diag, NULL);
	CHECK(table != NULL);
	reload_start(&reload, &loop, table);
	route_table_free(table);
}

static void teardown(void)
{
	reload_stop(&reload);
	reload_stop(&reload);
	CHECK_INT(reload.files.fd, -1);
	loop_fini(&loop);
	unlink(path);
	log_set_level(LOG_INFO);
}

static void turn_until_count(uint64_t count)
{
	uint64_t until = clock_monotonic_ms() + 10000;
	struct error e;

	while (reload.count < count) {
		CHECK(clock_monotonic_ms() < until);
		CHECK(loop_turn(&loop, 10, &e));
	}
	CHECK_INT(reload.count, count);
}

static void a_change_is_adopted(void)
{
	setup();
	put_file(SERVICE("second"));
	turn_until_count(1);
	CHECK_TEXT(adopted, "second ");
	CHECK_INT(reload.generation, 2);
	/* The watch is a new one, and works. */
	put_file(SERVICE("third"));
	turn_until_count(2);
	CHECK_TEXT(adopted, "second third ");
	teardown();
}

static void changes_in_a_row_are_read_once(void)
{
	setup();
	for (int i = 0; i < 50; i++)
		put_file(SERVICE("second"));
	turn_until_count(1);
	CHECK_TEXT(adopted, "second ");
	teardown();
}

static void the_same_is_no_change(void)
{
	setup();
	reload_now(&reload);
	CHECK_TEXT(adopted, "");
	CHECK_INT(reload.count, 1);
	CHECK_INT(reload.generation, 1);
	CHECK(!reload.last_failed);
	teardown();
}

static void what_is_bad_is_not_adopted(void)
{
	setup();
	put_file(SERVICE("Second"));
	reload_now(&reload);
	CHECK_TEXT(adopted, "");
	CHECK(reload.last_failed);
	CHECK_INT(reload.failures, 1);
	unlink(path);
	reload_now(&reload);
	CHECK_INT(reload.failures, 2);
	put_file(SERVICE("first"));
	reload_now(&reload);
	CHECK(!reload.last_failed);
	CHECK_INT(reload.generation, 1);
	teardown();
}

static void what_was_not_adopted_is_tried_again(void)
{
	setup();
	put_file(SERVICE("second"));
	adopts = false;
	reload_now(&reload);
	CHECK(reload.last_failed);
	CHECK_INT(reload.generation, 1);
	adopts = true;
	reload_now(&reload);
	CHECK_TEXT(adopted, "second ");
	CHECK_INT(reload.generation, 2);
	teardown();
}

static void a_table_from_elsewhere_counts_as_what_is_in_force(void)
{
	struct diag diag = {.emit = NULL};

	setup();
	reload_offer(&reload, manifests_load(&reload.manifests, &diag, NULL));
	CHECK_TEXT(adopted, "");
	put_file(SERVICE("second"));
	reload_offer(&reload, manifests_load(&reload.manifests, &diag, NULL));
	CHECK_TEXT(adopted, "second ");
	CHECK_INT(reload.generation, 2);
	/* So reading the same from the file is no change. */
	reload_now(&reload);
	CHECK_TEXT(adopted, "second ");
	CHECK_INT(reload.generation, 2);
	teardown();
}

static void metrics_tell_of_it(void)
{
	char storage[2048];
	struct buf text;

	setup();
	put_file("kind: [");
	reload_now(&reload);
	BUF_INIT_ARRAY(&text, storage);
	reload_print_metrics(&reload, &text);
	CHECK(strstr(storage, "\negressbox_generation 1\n") != NULL);
	CHECK(strstr(storage, "\negressbox_reloads_total 1\n") != NULL);
	CHECK(strstr(storage, "\negressbox_reload_failures_total 1\n") != NULL);
	CHECK(strstr(storage, "\negressbox_last_reload_ok 0\n") != NULL);
	CHECK(strstr(storage, "\negressbox_last_reload_good_timestamp_seconds 1") != NULL);
	teardown();
}

UNIT_TESTS(TEST(a_change_is_adopted), TEST(changes_in_a_row_are_read_once),
	   TEST(the_same_is_no_change), TEST(what_is_bad_is_not_adopted),
	   TEST(what_was_not_adopted_is_tried_again),
	   TEST(a_table_from_elsewhere_counts_as_what_is_in_force), TEST(metrics_tell_of_it))
