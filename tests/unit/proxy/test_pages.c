#include "../route/tables.h"

#include "proxy/names.h"
#include "proxy/pages.h"
#include "proxy/worker.h"

static const char *const rows[] = {"web.default 192.0.2.1 80:http", NULL};
static struct loop loop;
static struct resolver resolver;
static struct names names;
static struct tally tally;
static struct route_table *table;
static struct buf body;

static struct pages setup(void)
{
	struct resolver_config config = {.server_count = 0};
	struct error e;

	CHECK(loop_init(&loop, &e));
	resolver_init(&resolver, &loop, &config);
	table = tables_new(rows);
	CHECK(names_change(&names, &resolver, table, &e));
	tally_init(&tally, 0);
	buf_init_heap(&body, 1 << 20);
	return (struct pages){
		.names = {.names = &names, .table = table, .resolver = &resolver},
		.tally = &tally,
		.is_ready = true,
		.up_s = 7,
	};
}

static void teardown(void)
{
	buf_fini(&body);
	tally_fini(&tally);
	names_stop(&names);
	resolver_fini(&resolver);
	route_table_free(table);
	loop_fini(&loop);
}

static void each_path_has_its_page(void)
{
	static const struct {
		const char *target;
		unsigned status;
		const char *type, *part;
	} rows_of[] = {
		{"/healthz", 200, "text/plain; charset=utf-8", "ok\n"},
		{"/readyz?x=1", 200, "text/plain; charset=utf-8", "ready\n"},
		{"/routes", 200, "text/plain; charset=utf-8", "192.0.2.1"},
		{"/routes?format=json", 200, "application/x-ndjson", "{\"host\":"},
		{"/metrics", 200, "text/plain; version=0.0.4; charset=utf-8",
		 "\negressbox_uptime_seconds 7\n"},
		{"/other", 404, "text/plain; charset=utf-8", ""},
	};
	struct pages pages = setup();

	for (size_t i = 0; i < sizeof rows_of / sizeof rows_of[0]; i++) {
		struct admin_page page;

		buf_clear(&body);
		page = pages_render(&pages, span_from_cstr(rows_of[i].target), &body);
		CHECK_ROW(rows_of[i].target, page.status == rows_of[i].status);
		CHECK_TEXT(page.content_type, rows_of[i].type);
		if (body.len > 0)
			CHECK_ROW(body.ptr, strstr(body.ptr, rows_of[i].part) != NULL);
		else
			CHECK_TEXT("", rows_of[i].part);
	}
	teardown();
}

static void readiness_says_why_not(void)
{
	struct pages pages = setup();

	pages.is_ready = false;
	CHECK_INT(pages_render(&pages, SPAN("/readyz"), &body).status, 503);
	CHECK_SPAN(buf_span(&body), "waiting for the first answers of name servers\n");
	pages.is_stopping = true;
	buf_clear(&body);
	CHECK_INT(pages_render(&pages, SPAN("/readyz"), &body).status, 503);
	CHECK_SPAN(buf_span(&body), "stopping\n");
	teardown();
}

UNIT_TESTS(TEST(each_path_has_its_page), TEST(readiness_says_why_not))
