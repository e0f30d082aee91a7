#include "../unit.h"

#include "base/alloc.h"
#include "tables.h"

static void keeps_every_port_of_every_service(void)
{
	static const char *const rows[] = {
		"a.default httpbin.org 80:http,443:https,8080:http-x,8443:https-x",
		"b.prod www.google.com 443:https",
		NULL,
	};
	static const struct {
		const char *name, *namespace, *host_header, *pos;
		uint16_t port;
		bool tls;
	} expected[] = {
		{"a", "default", "httpbin.org", "f.yaml:9:5", 80, false},
		{"a", "default", "httpbin.org", "f.yaml:10:5", 443, true},
		{"a", "default", "httpbin.org:8080", "f.yaml:11:5", 8080, false},
		{"a", "default", "httpbin.org:8443", "f.yaml:12:5", 8443, true},
		{"b", "prod", "www.google.com", "f.yaml:21:5", 443, true},
	};
	struct route_table *t = tables_new(rows);

	CHECK_INT(t->route_count, 5);
	CHECK_INT(t->service_count, 2);
	for (size_t i = 0; i < t->route_count; i++) {
		const struct route *r = &t->routes[i];

		CHECK_SPAN(r->service->name, expected[i].name);
		CHECK_SPAN(r->service->namespace, expected[i].namespace);
		CHECK_TEXT(r->host_header.ptr, expected[i].host_header);
		CHECK_TEXT(r->pos.ptr, expected[i].pos);
		CHECK_INT(r->port, expected[i].port);
		CHECK_INT(r->tls, expected[i].tls);
		CHECK_SPAN(t->targets[r->target].host, r->service->external_name.ptr);
		CHECK_INT(t->targets[r->target].port, r->port);
		CHECK_INT(t->targets[r->target].tls, r->tls);
		CHECK(route_table_find(t, r->service->name, r->service->namespace, r->port) == r);
	}
	route_table_free(t);
}

static void a_source_without_lines_is_all_of_the_position(void)
{
	struct kube_port port = {
		.number = 80, .protocol = KUBE_HTTP, .pos = {.file = "default/web@4711"}};
	struct kube_service service = {.name = SPAN("web"),
				       .namespace = SPAN("default"),
				       .external_name = SPAN("b.c"),
				       .ports = &port,
				       .port_count = 1};
	struct route_options options = {.namespace = SPAN("default"),
					.cluster_domain = SPAN("cluster.local")};
	struct diag diag = {.emit = NULL};
	struct kube_services services;
	struct route_table *t;
	struct error e;

	kube_services_init(&services, SPAN("default"), &diag);
	CHECK(kube_services_add(&services, &service) == NULL);
	t = route_table_new(&services, &options, &e);
	CHECK(t != NULL);
	CHECK_TEXT(t->routes[0].pos.ptr, "default/web@4711");
	route_table_free(t);
	kube_services_fini(&services);
}

static void the_default_port_of_the_other_scheme_is_named(void)
{
	static const char *const rows[] = {"a.default b.c 443:http,80:https", NULL};
	struct route_table *t = tables_new(rows);

	CHECK_TEXT(t->routes[0].host_header.ptr, "b.c:443");
	CHECK_TEXT(t->routes[1].host_header.ptr, "b.c:80");
	route_table_free(t);
}

static void looks_up_by_name_namespace_and_port_in_any_case(void)
{
	static const char *const rows[] = {
		"a.default b.c 80:http",
		"a.prod b.c 81:http",
		"c.prod b.c 80:http,9:tcp",
		"d.prod b.c 9:tcp",
		NULL,
	};
	struct route_table *t = tables_new(rows);

	CHECK(route_table_find(t, SPAN("A"), SPAN("Default"), 80) == &t->routes[0]);
	CHECK(route_table_find(t, SPAN("a"), SPAN("prod"), 81) == &t->routes[1]);
	CHECK(route_table_find(t, SPAN("a"), SPAN("default"), 81) == NULL);
	CHECK(route_table_find(t, SPAN("a"), SPAN("prod"), 80) == NULL);
	CHECK(route_table_find(t, SPAN("c"), SPAN("prod"), 9) == NULL);
	CHECK(route_table_find(t, SPAN("c"), SPAN("default"), 80) == NULL);
	CHECK(route_table_find(t, SPAN(""), SPAN("default"), 80) == NULL);
	CHECK(route_table_find(t, SPAN("adefault"), SPAN(""), 80) == NULL);
	CHECK(route_table_find_service(t, SPAN("C"), SPAN("PROD")) == &t->services[2]);
	CHECK(route_table_find_service(t, SPAN("d"), SPAN("prod")) == &t->services[3]);
	CHECK_INT(t->services[3].route_count, 0);
	CHECK(route_table_find_service(t, SPAN("d"), SPAN("default")) == NULL);
	/* The first of a name. */
	CHECK(route_table_find_name(t, SPAN("A")) == &t->services[0]);
	CHECK(route_table_find_name(t, SPAN("d")) == &t->services[3]);
	CHECK(route_table_find_name(t, SPAN("e")) == NULL);
	route_table_free(t);
}

static void an_empty_table_finds_nothing(void)
{
	static const char *const rows[] = {NULL};
	struct route_table *t = tables_new(rows);
	char storage[16];
	struct buf out;

	CHECK_INT(t->route_count, 0);
	CHECK(route_table_find(t, SPAN("a"), SPAN("default"), 80) == NULL);
	CHECK(route_table_find_service(t, SPAN("a"), SPAN("default")) == NULL);
	CHECK(route_table_find_name(t, SPAN("a")) == NULL);
	BUF_INIT_ARRAY(&out, storage);
	route_table_print(t, ROUTE_FORMAT_TEXT, &out);
	route_table_print(t, ROUTE_FORMAT_JSON, &out);
	CHECK_INT(out.len, 0);
	route_table_free(t);
	route_table_free(NULL);
}

static void routes_with_the_same_upstream_share_a_target(void)
{
	static const char *const rows[] = {
		"a.default b.c 80:http,443:https",
		"b.default b.c 80:http,443:http",
		"c.default b.d 80:http",
		"d.default B.C. 443:https",
		NULL,
	};
	static const uint32_t targets[] = {0, 1, 0, 2, 3, 1};
	struct route_table *t = tables_new(rows);

	CHECK_INT(t->route_count, 6);
	CHECK_INT(t->target_count, 4);
	for (size_t i = 0; i < t->route_count; i++)
		CHECK_INT(t->routes[i].target, targets[i]);
	route_table_free(t);
}

static void hash_tells_tables_apart(void)
{
	static const char *const rows[][2] = {
		{"a.default b.c 80:http", NULL},
		{"a.default b.c 81:http", NULL},
		{"a.default b.c 80:https", NULL},
		{"a.default b.d 80:http", NULL},
		{"b.default b.c 80:http", NULL},
		{"a.prod b.c 80:http", NULL},
		{"a.default b.c 80:http,81:http", NULL},
		{"a.default b.c 9:tcp", NULL},
		{NULL, NULL},
	};
	uint64_t hashes[sizeof rows / sizeof rows[0]];
	struct route_table *t;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		t = tables_new(rows[i]);
		hashes[i] = t->hash;
		route_table_free(t);
		for (size_t j = 0; j < i; j++)
			CHECK(hashes[i] != hashes[j]);
	}
	t = tables_new(rows[0]);
	CHECK(t->hash == hashes[0]);
	route_table_free(t);
}

static void refuses_options_that_are_no_names(void)
{
	static const struct {
		struct span namespace, cluster_domain;
		const char *expected;
	} rows[] = {
		{{"", 0}, {"cluster.local", 13}, "namespace \"\": label is empty"},
		{{"a.b", 3},
		 {"cluster.local", 13},
		 "namespace \"a.b\": byte other than lower case letters, digits and \"-\""},
		{{"default", 7}, {"", 0}, "cluster domain \"\": name is empty"},
		{{"default", 7}, {"a..b", 4}, "cluster domain \"a..b\": label is empty"},
	};
	struct kube_services services;
	struct diag diag = {.emit = NULL};

	kube_services_init(&services, SPAN("default"), &diag);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct error e;
		struct route_options options = {.namespace = rows[i].namespace,
						.cluster_domain = rows[i].cluster_domain};

		CHECK(route_table_new(&services, &options, &e) == NULL);
		CHECK_TEXT(e.text, rows[i].expected);
	}
	kube_services_fini(&services);
}

static void prints_columns_that_fit(void)
{
	static const char *const rows[] = {
		"externalbin.default httpbin.org 80:http",
		"securegoogle.production www.google.com 443:https,8443:https-x",
		"grpc.default b.c 9:grpc",
		NULL,
	};
	struct route_table *t = tables_new(rows);
	char storage[2048];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	route_table_print(t, ROUTE_FORMAT_TEXT, &out);
	CHECK_TEXT(storage,
		   "HOST                          PROTOCOL  UPSTREAM             SOURCE\n"
		   "externalbin:80                http      httpbin.org:80       f.yaml:9:5\n"
		   "securegoogle.production:443   https     www.google.com:443   f.yaml:18:5\n"
		   "securegoogle.production:8443  https     www.google.com:8443  f.yaml:19:5\n");
	route_table_free(t);
}

static void prints_json_one_object_per_line(void)
{
	static const char text[] =
		"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"a\"},"
		"\"spec\":{\"type\":\"ExternalName\",\"externalName\":\"b.c\",\"ports\":[{"
		"\"port\":80,\"name\":\"http\"},{\"port\":443,\"name\":\"https\"}]}}";
	struct route_options options = {.namespace = SPAN("default"),
					.cluster_domain = SPAN("cluster.local.")};
	struct kube_services services;
	struct diag diag = {.emit = NULL};
	struct route_table *t;
	char storage[1024];
	struct error e;
	struct buf out;

	kube_services_init(&services, SPAN("prod"), &diag);
	kube_services_read(&services, "odd \"\\\n\x01.json", span_from_cstr(text));
	t = route_table_new(&services, &options, &e);
	CHECK(t != NULL);
	BUF_INIT_ARRAY(&out, storage);
	route_table_print(t, ROUTE_FORMAT_JSON, &out);
	CHECK_TEXT(storage,
		   "{\"host\":\"a.prod:80\",\"service\":\"a\",\"namespace\":\"prod\",\"port\":80,"
		   "\"protocol\":\"http\",\"upstream\":\"b.c:80\","
		   "\"source\":\"odd \\\"\\\\\\u000a\\u0001.json:1:121\"}\n"
		   "{\"host\":\"a.prod:443\",\"service\":\"a\",\"namespace\":\"prod\",\"port\":443,"
		   "\"protocol\":\"https\",\"upstream\":\"b.c:443\","
		   "\"source\":\"odd \\\"\\\\\\u000a\\u0001.json:1:147\"}\n");
	CHECK_SPAN(t->cluster_domain, "cluster.local");
	route_table_free(t);
	kube_services_fini(&services);
}

static void ten_thousand_routes_take_less_than_three_mebibytes(void)
{
	struct route_options options = {.namespace = SPAN("default"),
					.cluster_domain = SPAN("cluster.local")};
	struct kube_services services;
	struct diag diag = {.emit = NULL};
	struct route_table *t;
	struct error e;
	struct buf yaml;

	buf_init_heap(&yaml, 64 << 20);
	for (int i = 0; i < 10000; i++) {
		char row[100];

		snprintf(row, sizeof row,
			 "service-%05d.default upstream-%05d.example.com 443:https", i, i);
		tables_add(&yaml, row);
	}
	kube_services_init(&services, options.namespace, &diag);
	kube_services_read(&services, "services.yaml", buf_span(&yaml));
	t = route_table_new(&services, &options, &e);
	CHECK(t != NULL);
	CHECK_INT(t->route_count, 10000);
	CHECK_INT(t->target_count, 10000);
	if (t->arena.used > 3 << 20)
		unit_fail(__FILE__, __LINE__, "%zu bytes", t->arena.used);
	for (size_t i = 0; i < t->route_count; i++)
		CHECK(route_table_find(t, t->routes[i].service->name, SPAN("default"), 443) ==
		      &t->routes[i]);
	route_table_free(t);
	kube_services_fini(&services);
	buf_fini(&yaml);
}

static void survives_every_failed_allocation(void)
{
	struct route_options options = {.namespace = SPAN("default"),
					.cluster_domain = SPAN("cluster.local")};
	struct route_table *t = NULL;
	struct kube_services services;
	struct diag diag = {.emit = NULL};
	struct buf yaml;

	buf_init_heap(&yaml, 1 << 20);
	for (int i = 0; i < 100; i++)
		tables_add(&yaml, "a.default b.c 443:https,80:http");
	tables_add(&yaml, "b.prod b.c 443:https,80:http");
	kube_services_init(&services, options.namespace, &diag);
	kube_services_read(&services, "f", buf_span(&yaml));
	for (int64_t n = 0; t == NULL; n++) {
		struct error e = {""};

		alloc_fail_after(n);
		t = route_table_new(&services, &options, &e);
		alloc_fail_after(-1);
		CHECK(n < 100);
		CHECK(t != NULL || strcmp(e.text, "out of memory") == 0);
		CHECK(t == NULL || n > 0);
	}
	route_table_free(t);
	kube_services_fini(&services);
	buf_fini(&yaml);
}

static void finds_an_upstream_by_its_name_port_and_protocol(void)
{
	static const char *const rows[] = {"a.default a.example 80:http,443:https",
					   "b.default a.example 443:https", NULL};
	struct route_table *t = tables_new(rows);
	uint32_t index = 9;

	CHECK(route_table_find_target(t, SPAN("A.Example"), 443, true, &index));
	CHECK_INT(index, t->routes[1].target);
	CHECK_INT(index, t->routes[2].target);
	CHECK(!route_table_find_target(t, SPAN("a.example"), 443, false, &index));
	CHECK(!route_table_find_target(t, SPAN("a.example"), 80, true, &index));
	CHECK(!route_table_find_target(t, SPAN("a.exampl"), 443, true, &index));
	route_table_free(t);
}

static void a_gateway_is_a_target_that_no_host_leads_to(void)
{
	static const char *const rows[][2] = {
		{"gw", "gw.prod.svc.cluster.local"},
		{"gw.mesh", "gw.mesh.svc.cluster.local"},
		{"gw.mesh.svc", "gw.mesh.svc.cluster.local"},
		{"gw.mesh.svc.cluster.local", "gw.mesh.svc.cluster.local"},
		{"gw.example.com", "gw.example.com"},
		{"gw.corp.", "gw.corp"},
		{"192.0.2.7", "192.0.2.7"},
		{"2001:db8::1", "2001:db8::1"},
	};
	struct kube_services services;
	struct diag diag = {.emit = NULL};
	struct error e;

	kube_services_init(&services, SPAN("prod"), &diag);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct route_options options = {.namespace = SPAN("prod"),
						.cluster_domain = SPAN("cluster.local."),
						.gateway_host = span_from_cstr(rows[i][0]),
						.gateway_port = 81};
		struct route_table *t = route_table_new(&services, &options, &e);

		CHECK_ROW(rows[i][0], t != NULL && t->gateway != NULL && t->route_count == 0);
		CHECK_INT(t->target_count, 1);
		CHECK_SPAN(t->targets[t->gateway->target].host, rows[i][1]);
		CHECK_INT(t->targets[t->gateway->target].port, 81);
		CHECK_INT(t->gateway->host_header.len, 0);
		route_table_free(t);
	}
	kube_services_fini(&services);
}

UNIT_TESTS(TEST(a_source_without_lines_is_all_of_the_position),
	   TEST(finds_an_upstream_by_its_name_port_and_protocol),
	   TEST(a_gateway_is_a_target_that_no_host_leads_to),
	   TEST(keeps_every_port_of_every_service),
	   TEST(the_default_port_of_the_other_scheme_is_named),
	   TEST(looks_up_by_name_namespace_and_port_in_any_case),
	   TEST(an_empty_table_finds_nothing), TEST(routes_with_the_same_upstream_share_a_target),
	   TEST(hash_tells_tables_apart), TEST(refuses_options_that_are_no_names),
	   TEST(prints_columns_that_fit), TEST(prints_json_one_object_per_line),
	   TEST(ten_thousand_routes_take_less_than_three_mebibytes),
	   TEST(survives_every_failed_allocation))
