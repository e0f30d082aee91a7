#include "../route/tables.h"

#include "base/alloc.h"
#include "proxy/tally.h"

#define FAMILY                                                                                     \
	"# HELP egressbox_service_requests_total Requests of each Service's port, by the first "   \
	"digit of the status and how they ended.\n"                                                \
	"# TYPE egressbox_service_requests_total counter\n"
#define SAMPLE(service, code, reason, value)                                                       \
	"egressbox_service_requests_total{service=\"" service "\",code=\"" code                    \
	"\",reason=\"" reason "\"} " value "\n"

static const char *const rows[] = {"web.default up.example 80:http,443:https", NULL};
static const char *const other_rows[] = {"new.default new.example 80:http",
					 "web.default other.example 80:http", NULL};
static struct tally tally;

static struct tally_part **routes_of(const char *const *which, struct route_table **table)
{
	struct tally_part **parts;

	*table = tables_new(which);
	parts = tally_routes(&tally, *table);
	CHECK(parts != NULL);
	return parts;
}

static struct span printed(void)
{
	static char storage[1 << 20];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	tally_print(&tally, &out);
	CHECK(!out.truncated);
	return buf_span(&out);
}

static void counts_by_code_and_reason_over_all_workers(void)
{
	struct route_table *table;
	struct tally_part **parts;

	tally_init(&tally, 2);
	CHECK_SPAN(printed(), FAMILY);
	parts = routes_of(rows, &table);
	CHECK(((uintptr_t)parts[0] | (uintptr_t)parts[1]) % 64 == 0);
	tally_add(&parts[1][0], REASON_OK, 200);
	tally_add(&parts[1][1], REASON_OK, 204);
	tally_add(&parts[1][1], REASON_OK, 404);
	tally_add(&parts[1][0], REASON_UPSTREAM_RESET, 200);
	tally_add(&parts[1][0], REASON_CLIENT_CLOSED, 0);
	CHECK_SPAN(printed(),
		   FAMILY SAMPLE("default/web:443", "2xx", "ok", "2")
			   SAMPLE("default/web:443", "2xx", "upstream_reset", "1")
				   SAMPLE("default/web:443", "none", "client_closed", "1")
					   SAMPLE("default/web:443", "4xx", "ok", "1"));
	alloc_put(parts);
	route_table_free(table);
	tally_fini(&tally);
}

static void a_service_goes_on_when_the_table_changes(void)
{
	struct route_table *table, *other;
	struct tally_part **before, **after;

	tally_init(&tally, 1);
	before = routes_of(rows, &table);
	after = routes_of(other_rows, &other);
	CHECK(after[1] == before[0]);
	CHECK(after[0] != before[0] && after[0] != before[1]);
	CHECK_INT(tally.count, 3);
	alloc_put(before);
	alloc_put(after);
	route_table_free(table);
	route_table_free(other);
	tally_fini(&tally);
}

static void the_number_of_ends_is_bounded(void)
{
	struct route_table *table;
	struct tally_part **parts;
	struct span text, line;
	int lines = 0;

	tally_init(&tally, 1);
	parts = routes_of(rows, &table);
	for (int r = 0; r < 20; r++)
		tally_add(&parts[0][0], (enum reason)r, 502);
	text = printed();
	while (span_split(&text, '\n', &line))
		lines += line.len > 0 && line.ptr[0] != '#';
	CHECK_INT(lines, TALLY_CELLS);
	CHECK(span_ends_with(printed(), SPAN(SAMPLE("default/web:80", "other", "other", "9"))));
	alloc_put(parts);
	route_table_free(table);
	tally_fini(&tally);
}

static void the_number_of_services_is_bounded(void)
{
	static char texts[TALLY_SERVICES_MAX + 9][64];
	static const char *many[TALLY_SERVICES_MAX + 10];
	struct route_table *table;
	struct tally_part **parts;

	for (int i = 0; i < TALLY_SERVICES_MAX + 9; i++) {
		snprintf(texts[i], sizeof texts[i], "s%d.default up.example 80:http", i);
		many[i] = texts[i];
	}
	tally_init(&tally, 1);
	parts = routes_of(many, &table);
	CHECK(parts[TALLY_SERVICES_MAX] == parts[TALLY_SERVICES_MAX + 8]);
	CHECK(parts[0] != parts[1] && parts[TALLY_SERVICES_MAX - 1] != parts[TALLY_SERVICES_MAX]);
	tally_add(parts[TALLY_SERVICES_MAX + 1], REASON_OK, 200);
	tally_add(parts[TALLY_SERVICES_MAX + 2], REASON_OK, 200);
	CHECK_SPAN(printed(), FAMILY SAMPLE("other", "2xx", "ok", "2"));
	alloc_put(parts);
	route_table_free(table);
	tally_fini(&tally);
}

static void without_memory_nothing_is_counted(void)
{
	struct route_table *table = tables_new(rows);
	struct tally_part **parts = NULL;

	for (int n = 0; parts == NULL; n++) {
		tally_init(&tally, 1);
		alloc_fail_after(n);
		parts = tally_routes(&tally, table);
		alloc_fail_after(-1);
		CHECK((parts != NULL) == (n == 3));
		if (parts == NULL)
			tally_fini(&tally);
	}
	alloc_put(parts);
	tally_fini(&tally);
	route_table_free(table);
}

UNIT_TESTS(TEST(counts_by_code_and_reason_over_all_workers),
	   TEST(a_service_goes_on_when_the_table_changes), TEST(the_number_of_ends_is_bounded),
	   TEST(the_number_of_services_is_bounded), TEST(without_memory_nothing_is_counted))
