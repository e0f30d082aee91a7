#include "../unit.h"

#include "base/alloc.h"
#include "route/match.h"
#include "tables.h"

static const char *const services[] = {
	"externalbin.default httpbin.org 80:http",
	"securegoogle.default www.google.com 443:https",
	"multi.default multi.example 80:http,443:https,8080:http-alt",
	"elsewhere.prod prod.example 80:http,8443:https",
	"x.svc svc.example 80:http",
	"svc.default default.example 80:http",
	"twice.prod one.example 80:http",
	"twice.default two.example 80:http",
	"grpc.default grpc.example 50051:grpc",
	NULL,
};

/* "UPSTREAM-HOST-HEADER" of what is found, else the verdict's name. */
static const char *match(const struct route_table *t, const char *authority)
{
	size_t len = strlen(authority);
	char *guarded = unit_guarded(authority, len);
	struct route_decision d = route_match(t, span_of(guarded, len));

	CHECK_ROW(authority, (d.route != NULL) == (d.verdict == ROUTE_FOUND));
	CHECK_ROW(authority, (d.problem != NULL) == (d.verdict == ROUTE_BAD_AUTHORITY));
	CHECK_ROW(authority, (d.service != NULL) ==
				     (d.verdict == ROUTE_FOUND || d.verdict == ROUTE_UNKNOWN_PORT ||
				      d.verdict == ROUTE_WRONG_NAMESPACE));
	unit_guarded_free(guarded, len);
	return d.route != NULL ? d.route->host_header.ptr : route_match_verdict_names[d.verdict];
}

struct row {
	const char *authority, *expected;
};

static void check_rows(const struct row *rows, size_t count)
{
	struct route_table *t = tables_new(services);

	for (size_t i = 0; i < count; i++) {
		const char *found = match(t, rows[i].authority);

		if (strcmp(found, rows[i].expected) != 0)
			unit_fail(__FILE__, __LINE__, "\"%s\" gives %s, expected %s",
				  rows[i].authority, found, rows[i].expected);
	}
	route_table_free(t);
}
#define CHECK_ROWS(rows) check_rows((rows), sizeof(rows) / sizeof(rows)[0])

static void takes_every_form_of_a_name(void)
{
	static const char *const forms[] = {"externalbin",
					    "externalbin.default",
					    "externalbin.default.svc",
					    "externalbin.default.svc.cluster.local",
					    "ExternalBin",
					    "EXTERNALBIN.DEFAULT.SVC.CLUSTER.LOCAL"};
	struct route_table *t = tables_new(services);

	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		static const char *const tails[] = {"", ".", ":80", ".:80"};

		for (size_t j = 0; j < sizeof tails / sizeof tails[0]; j++) {
			char authority[100];

			snprintf(authority, sizeof authority, "%s%s", forms[i], tails[j]);
			CHECK_TEXT(match(t, authority), "httpbin.org");
		}
	}
	route_table_free(t);
}

static void takes_nothing_that_only_looks_like_a_form(void)
{
	static const struct row rows[] = {
		{"externalbin.default.svc.cluster", "unknown_host"},
		{"externalbin.default.svc.cluster.local.example", "unknown_host"},
		{"externalbin.default.svc.example.com", "unknown_host"},
		{"externalbin.default.cluster.local", "unknown_host"},
		{"externalbin.svc.cluster.local", "unknown_host"},
		{"externalbin.default.pod", "unknown_host"},
		{"externalbin.default.svc.", "httpbin.org"},
		{"externalbin..", "wrong_namespace"},
		{"externalbin.default..", "unknown_host"},
		{"externalbin..svc", "wrong_namespace"},
		{".externalbin", "unknown_host"},
		{".default", "unknown_host"},
		{".", "unknown_host"},
		{"xexternalbin", "unknown_host"},
		{"externalbinx", "unknown_host"},
		{"www.externalbin", "unknown_host"},
		{"httpbin.org", "unknown_host"},
		{"www.google.com", "unknown_host"},
		{"default", "unknown_host"},
		{"192.0.2.1", "unknown_host"},
		{"[2001:db8::1]", "unknown_host"},
		{"[::1]:80", "unknown_host"},
	};

	CHECK_ROWS(rows);
}

static void tells_names_of_the_words_of_a_form_apart(void)
{
	static const struct row rows[] = {
		{"x.svc", "svc.example"},
		{"x.svc.svc", "svc.example"},
		{"x.svc.svc.cluster.local", "svc.example"},
		{"x", "wrong_namespace"},
		{"x.default", "wrong_namespace"},
		{"svc", "default.example"},
		{"svc.default", "default.example"},
		{"svc.default.svc", "default.example"},
		{"svc.svc", "wrong_namespace"},
	};

	CHECK_ROWS(rows);
}

static void the_port_counts_and_no_port_is_80(void)
{
	static const struct row rows[] = {
		{"securegoogle:443", "www.google.com"},
		{"securegoogle.default.svc.cluster.local.:443", "www.google.com"},
		{"securegoogle", "unknown_port"},
		{"securegoogle:80", "unknown_port"},
		{"externalbin:443", "unknown_port"},
		{"externalbin:8080", "unknown_port"},
		{"multi", "multi.example"},
		{"multi:80", "multi.example"},
		{"multi:443", "multi.example"},
		{"multi:8080", "multi.example:8080"},
		{"multi:8081", "unknown_port"},
		{"grpc:50051", "unknown_port"},
		{"nobody:443", "unknown_host"},
	};

	CHECK_ROWS(rows);
}

static void the_bare_name_is_for_the_own_namespace_only(void)
{
	static const struct row rows[] = {
		{"elsewhere", "wrong_namespace"},
		{"elsewhere.", "wrong_namespace"},
		{"elsewhere.default", "wrong_namespace"},
		{"elsewhere.prod", "prod.example"},
		{"elsewhere.prod:8443", "prod.example:8443"},
		{"elsewhere.PROD.svc", "prod.example"},
		{"elsewhere.prod:443", "unknown_port"},
		{"twice", "two.example"},
		{"twice.default", "two.example"},
		{"twice.prod", "one.example"},
		{"twice.test", "wrong_namespace"},
	};

	CHECK_ROWS(rows);
}

static void refuses_what_is_no_authority(void)
{
	static const struct row rows[] = {
		{"", "bad_authority"},
		{":80", "bad_authority"},
		{"externalbin:", "bad_authority"},
		{"externalbin:0", "bad_authority"},
		{"externalbin:65536", "bad_authority"},
		{"externalbin:http", "bad_authority"},
		{"externalbin:80:80", "bad_authority"},
		{"user@externalbin", "bad_authority"},
		{"http://externalbin", "bad_authority"},
		{"externalbin/", "bad_authority"},
		{"external bin", "bad_authority"},
		{"externalbin\t", "bad_authority"},
		{"external%62in", "bad_authority"},
		{"externalbin,securegoogle", "bad_authority"},
		{"::1", "bad_authority"},
		{"[::1", "bad_authority"},
		{"externalb\xc4\xb1n", "bad_authority"},
	};

	CHECK_ROWS(rows);
}

static void matching_allocates_nothing(void)
{
	static const char *const asked[] = {"externalbin", "elsewhere", "securegoogle", "nobody",
					    "a b"};
	struct route_table *t = tables_new(services);
	uint64_t before = alloc_count();

	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
		route_match(t, span_from_cstr(asked[i]));
	CHECK_INT(alloc_count() - before, 0);
	route_table_free(t);
}

static void explain(const struct route_table *t, struct span authority, struct buf *out)
{
	struct route_decision d = route_match(t, authority);

	buf_clear(out);
	route_match_explain(t, authority, &d, out);
}

static void explains_what_was_asked_and_what_would_match(void)
{
	static const struct row rows[] = {
		{"externalbin", "externalbin goes to httpbin.org:80"},
		{"securegoogle", "securegoogle has port 443 only: use http://securegoogle:443"},
		{"SecureGoogle.default.:80",
		 "SecureGoogle.default has port 443 only: use http://SecureGoogle.default:443"},
		{"externalbin:443", "externalbin has port 80 only: use http://externalbin"},
		{"multi:81", "multi has ports 80, 443 and 8080 only: use http://multi"},
		{"grpc", "grpc is registered, but none of its ports is routed"},
		{"elsewhere", "elsewhere is in namespace prod: use http://elsewhere.prod"},
		{"elsewhere:8443",
		 "elsewhere is in namespace prod: use http://elsewhere.prod:8443"},
		{"elsewhere:99", "elsewhere is in namespace prod: use http://elsewhere.prod"},
		{"EXTERNALBIN.test", "externalbin is in namespace default: use http://externalbin"},
		{"securegoogle.test:443",
		 "securegoogle is in namespace default: use http://securegoogle:443"},
		{"grpc.test", "grpc is in namespace default: none of its ports is routed"},
		{"externalbim", "\"externalbim\" is not registered: did you mean externalbin?"},
		{"ExternalBim:443", "\"ExternalBim\" is not registered: did you mean externalbin?"},
		{"externalbni.default.svc",
		 "\"externalbni.default.svc\" is not registered: did you mean externalbin?"},
		{"elsewhree", "\"elsewhree\" is not registered: did you mean elsewhere.prod?"},
		{"httpbin.org",
		 "\"httpbin.org\" is not registered by that name: use http://externalbin"},
		{"WWW.google.com.:443",
		 "\"WWW.google.com\" is not registered by that name: use http://securegoogle:443"},
		{"grpc.example", "grpc is in namespace default: none of its ports is routed"},
		{"nobody",
		 "\"nobody\" is not registered, known are externalbin:80, securegoogle:443, "
		 "multi:80, multi:443, multi:8080 and 6 more"},
		{"[2001:db8::1]", "\"2001:db8::1\" is not registered, known are externalbin:80, "
				  "securegoogle:443, multi:80, multi:443, multi:8080 and 6 more"},
		{"", "\"\" is not HOST or HOST:PORT: host is empty"},
		{"a@b", "\"a@b\" is not HOST or HOST:PORT: user information before the host"},
	};
	struct route_table *t = tables_new(services);
	char storage[ROUTE_EXPLAIN_MAX];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		explain(t, span_from_cstr(rows[i].authority), &out);
		if (strcmp(storage, rows[i].expected) != 0)
			unit_fail(__FILE__, __LINE__, "\"%s\"\n got %s\nwant %s", rows[i].authority,
				  storage, rows[i].expected);
	}
	route_table_free(t);
}

static void explains_small_tables(void)
{
	static const char *const none[] = {NULL}, *const one[] = {"a.prod b.c 81:http", NULL};
	char storage[ROUTE_EXPLAIN_MAX];
	struct route_table *t;
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	t = tables_new(none);
	explain(t, SPAN("nobody"), &out);
	CHECK_TEXT(storage, "\"nobody\" is not registered, nothing is");
	route_table_free(t);
	t = tables_new(one);
	explain(t, SPAN("nobody"), &out);
	CHECK_TEXT(storage, "\"nobody\" is not registered, known are a.prod:81");
	route_table_free(t);
}

static void lists_many_ports_in_a_bounded_way(void)
{
	static const char *const rows[] = {
		"a.default b.c 1:http,2:http,3:http,4:http,5:http,6:http,7:http,"
		"8:http",
		"b.default b.c 1:http,2:http,3:http,4:http,5:http,6:http,7:http,"
		"8:http,9:http",
		NULL};
	struct route_table *t = tables_new(rows);
	char storage[ROUTE_EXPLAIN_MAX];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	explain(t, SPAN("a"), &out);
	CHECK_TEXT(storage, "a has ports 1, 2, 3, 4, 5, 6, 7 and 8 only: use http://a:1");
	explain(t, SPAN("b"), &out);
	CHECK_TEXT(storage, "b has ports 1, 2, 3, 4, 5, 6, 7 and 2 more only: use http://b:1");
	route_table_free(t);
}

static void explanations_are_one_short_printable_line(void)
{
	static const char bytes[] = "a\n\r\0\"\\\xff\x7f";
	struct route_table *t = tables_new(services);
	char storage[ROUTE_EXPLAIN_MAX], authority[2000];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	for (size_t b = 0; b < sizeof bytes; b++) {
		memset(authority, bytes[b], sizeof authority);
		explain(t, span_of(authority, sizeof authority), &out);
		CHECK(!out.truncated);
		CHECK(out.len > 0 && out.len < 600);
		for (size_t i = 0; i < out.len; i++)
			CHECK(storage[i] >= 0x20 && storage[i] < 0x7f);
	}
	route_table_free(t);
}

static void the_longest_names_fit_into_an_explanation(void)
{
	char label[64], row[400], storage[ROUTE_EXPLAIN_MAX];
	const char *rows[12] = {NULL};
	char texts[11][400];
	struct route_table *t;
	struct buf out;

	memset(label, 'a', sizeof label);
	label[63] = '\0';
	for (int i = 0; i < 11; i++) {
		label[0] = (char)('a' + i);
		snprintf(texts[i], sizeof texts[i], "%s.%s %s.%s.%s.example 65000:http,65001:http",
			 label, label, label, label, label);
		rows[i] = texts[i];
	}
	t = tables_new(rows);
	BUF_INIT_ARRAY(&out, storage);
	explain(t, SPAN("nobody"), &out);
	CHECK(!out.truncated);
	snprintf(row, sizeof row, "%s", label);
	explain(t, span_from_cstr(row), &out);
	CHECK(!out.truncated);
	CHECK(strstr(storage, "is in namespace") != NULL);
	route_table_free(t);
}

UNIT_TESTS(TEST(takes_every_form_of_a_name), TEST(takes_nothing_that_only_looks_like_a_form),
	   TEST(tells_names_of_the_words_of_a_form_apart), TEST(the_port_counts_and_no_port_is_80),
	   TEST(the_bare_name_is_for_the_own_namespace_only), TEST(refuses_what_is_no_authority),
	   TEST(matching_allocates_nothing), TEST(explains_what_was_asked_and_what_would_match),
	   TEST(explains_small_tables), TEST(lists_many_ports_in_a_bounded_way),
	   TEST(explanations_are_one_short_printable_line),
	   TEST(the_longest_names_fit_into_an_explanation))
