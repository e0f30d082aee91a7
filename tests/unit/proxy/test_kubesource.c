#include "../kubeapi/standin.h"

#include "proxy/kubesource.h"
#include "sys/clock.h"
#include "sys/log.h"

static struct loop loop;
static struct resolver resolver;
static struct kubesource kube;
static struct kubesource_settings settings;
static struct talk *talk;
static char last[2048]; /* the table offered last */
static unsigned offers;

static void offer(void *context, struct route_table *table)
{
	struct buf out;

	CHECK(context == &loop);
	BUF_INIT_ARRAY(&out, last);
	for (size_t i = 0; i < table->route_count; i++) {
		const struct route *r = &table->routes[i];

		buf_printf(&out, "%.*s:%u>%.*s@%.*s ", SPAN_ARG(r->service->name), r->port,
			   SPAN_ARG(r->service->external_name), SPAN_ARG(r->pos));
	}
	route_table_free(table);
	offers++;
}

static void setup(const char *namespace)
{
	struct resolver_config config = {.server_count = 0};
	struct error e;

	log_set_level(LOG_ERROR - 1);
	last[0] = '\0';
	offers = 0;
	talk = talk_new("ip4", "https://127.0.0.1:%u");
	settings = (struct kubesource_settings){
		.client = talk->config,
		.watched = span_from_cstr(namespace),
		.routes = {.namespace = span_from_cstr("n"),
			   .cluster_domain = SPAN("cluster.local")},
	};
	CHECK(loop_init(&loop, &e));
	resolver_init(&resolver, &loop, &config);
	kubesource_init(&kube, &settings);
	kube.offer = offer;
	kube.context = &loop;
}

static void start(void)
{
	struct error e;

	CHECK(kubesource_start(&kube, &loop, &resolver, &e));
}

static void teardown(void)
{
	struct error e;

	kubesource_stop(&kube);
	kubesource_stop(&kube);
	resolver_fini(&resolver);
	CHECK(loop_turn(&loop, 0, &e));
	loop_fini(&loop);
	talk_free(talk);
	log_set_level(LOG_INFO);
}

static void turn_until_last_is(const char *expected)
{
	uint64_t until = clock_monotonic_ms() + 20000;
	struct error e;

	while (strcmp(last, expected) != 0 && clock_monotonic_ms() < until)
		CHECK(loop_turn(&loop, 20, &e));
	CHECK_TEXT(last, expected);
}

static void take_file(const char *text)
{
	struct diag diag = {.emit = NULL};
	struct kube_services services;

	kube_services_init(&services, SPAN("n"), &diag);
	kube_services_read(&services, "f.yaml", span_from_cstr(text));
	CHECK_INT(diag.errors, 0);
	kubesource_take_files(&kube, &services);
	CHECK_INT(services.count, 0);
	kube_services_fini(&services);
}

static const char *metric(const char *name)
{
	static char line[128];
	struct buf out;
	const char *found;

	buf_init_heap(&out, 65536);
	kubesource_print_metrics(&kube, &out);
	snprintf(line, sizeof line, "\negressbox_kube_%s ", name);
	found = strstr(buf_cstr(&out), line);
	CHECK(found != NULL);
	snprintf(line, sizeof line, "%.*s", (int)strcspn(found + 1, "\n") - (int)strlen(line) + 1,
		 found + strlen(line));
	buf_fini(&out);
	return line;
}

static void offers_whole_tables_that_follow_the_server(void)
{
	setup("external_names");
	start();
	CHECK(!kube.is_complete);
	turn_until_last_is("b:80>new.test@n/b@11 ");
	CHECK(kube.is_complete);
	/* The list and what came right behind it: at most two tables, never one for each event. */
	CHECK(offers <= 2);
	CHECK_TEXT(metric("services"), "2");
	CHECK_TEXT(metric("services_invalid"), "1");
	CHECK_TEXT(metric("lists_total"), "1");
	CHECK_TEXT(metric("watch_open"), "1");
	teardown();
}

#define FILE_SERVICE(name)                                                                         \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " name "}\nspec: {type: ExternalName, "   \
	"externalName: f.test, ports: [{port: 80, name: http}]}\n"

static void a_file_wins(void)
{
	struct diag diag = {.emit = NULL};
	struct route_table *table;
	struct error e;

	setup("external_names");
	take_file(FILE_SERVICE("b") "---\n" FILE_SERVICE("z"));
	table = kubesource_build(&kube, &kube.files, &settings.identities, &diag);
	CHECK(table != NULL);
	offer(&loop, table);
	CHECK_TEXT(last, "b:80>f.test@f.yaml:4:58 z:80>f.test@f.yaml:9:58 ");
	start();
	turn_until_last_is("b:80>f.test@f.yaml:4:58 z:80>f.test@f.yaml:9:58 ");
	while (kube.watch.stats.events < 2 || kube.conflicts == 0)
		CHECK(loop_turn(&loop, 20, &e));
	CHECK_TEXT(metric("services_shadowed"), "1");
	take_file("");
	table = kubesource_build(&kube, &kube.files, &settings.identities, &diag);
	CHECK(table != NULL);
	offer(&loop, table);
	CHECK_TEXT(last, "b:80>new.test@n/b@11 ");
	CHECK_TEXT(metric("services_shadowed"), "0");
	teardown();
}

static void without_a_list_there_is_no_table(void)
{
	struct error e;

	setup("nobody-knows-it");
	start();
	while (kube.watch.stats.failures < 2)
		CHECK(loop_turn(&loop, 20, &e));
	CHECK_INT(offers, 0);
	CHECK(!kube.is_complete);
	CHECK_TEXT(metric("watch_open"), "0");
	teardown();
}

static void never_started_it_has_nothing_to_stop(void)
{
	struct kubesource none = {.settings = NULL};

	kubesource_stop(&none);
	CHECK(kubesource_token_file(NULL) == NULL);
	setup("steady");
	CHECK(kubesource_token_file(&kube) == NULL);
	settings.client.token_file = "/run/token";
	CHECK_TEXT(kubesource_token_file(&kube), "/run/token");
	teardown();
}

UNIT_TESTS(TEST(offers_whole_tables_that_follow_the_server), TEST(a_file_wins),
	   TEST(without_a_list_there_is_no_table), TEST(never_started_it_has_nothing_to_stop))
