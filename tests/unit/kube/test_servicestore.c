#include "../unit.h"

#include "base/alloc.h"
#include "kube/servicestore.h"

static struct servicestore store;

static bool put(const char *namespace, const char *name, const char *host, const char *source)
{
	char gone[2][64], gone_names[] = "a.test,b.test";
	struct kube_tls tls = {
		.sni = SPAN("s.test"), .names = span_from_cstr(gone_names), .is_unverified = true};
	struct kube_port ports[2] = {{.name = SPAN("http"), .number = 80, .protocol = KUBE_HTTP},
				     {.number = 443, .protocol = KUBE_HTTPS}};
	struct kube_service service = {.namespace = span_from_cstr(namespace),
				       .external_name = span_from_cstr(host),
				       .tls = &tls,
				       .ports = ports,
				       .port_count = 2};
	bool ok;

	/* What was put must not be pointed at afterwards. */
	snprintf(gone[0], sizeof gone[0], "%s", name);
	snprintf(gone[1], sizeof gone[1], "%s", source);
	service.name = span_from_cstr(gone[0]);
	service.pos.file = gone[1];
	ok = servicestore_put(&store, &service);
	memset(gone, 'x', sizeof gone);
	memset(gone_names, 'x', sizeof gone_names - 1);
	memset(ports, 'x', sizeof ports);
	memset(&tls, 'x', sizeof tls);
	return ok;
}

/* "namespace/name>host@source ..." */
static const char *all(void)
{
	static char text[512];
	struct kube_service **sorted = servicestore_sorted(&store);
	size_t len = 0;

	text[0] = '\0';
	CHECK(sorted != NULL);
	for (size_t i = 0; i < store.count; i++) {
		const struct kube_service *s = sorted[i];

		CHECK_INT(s->port_count, 2);
		CHECK_SPAN(s->ports[0].name, "http");
		CHECK_INT(s->ports[1].number, 443);
		CHECK_SPAN(s->tls->sni, "s.test");
		CHECK_SPAN(s->tls->names, "a.test,b.test");
		CHECK(s->tls->is_unverified && s->tls->ca.path.ptr == NULL);
		CHECK(s->ports[1].pos.file == s->pos.file && s->pos.line == 0);
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s/%.*s>%.*s@%s",
					i > 0 ? " " : "", SPAN_ARG(s->namespace), SPAN_ARG(s->name),
					SPAN_ARG(s->external_name), s->pos.file);
	}
	return text;
}

static void keeps_the_last_of_each_name(void)
{
	CHECK_TEXT(all(), "");
	CHECK(put("b", "x", "one", "1") && put("a", "y", "two", "2") &&
	      put("a", "x", "three", "3"));
	CHECK_TEXT(all(), "a/x>three@3 a/y>two@2 b/x>one@1");
	CHECK(put("a", "y", "four", "4"));
	CHECK_TEXT(all(), "a/x>three@3 a/y>four@4 b/x>one@1");
	servicestore_remove(&store, SPAN("a"), SPAN("x"));
	servicestore_remove(&store, SPAN("a"), SPAN("nobody"));
	CHECK_TEXT(all(), "a/y>four@4 b/x>one@1");
	servicestore_fini(&store);
	CHECK_TEXT(all(), "");
	servicestore_remove(&store, SPAN("a"), SPAN("x"));
	servicestore_fini(&store);
}

static void names_that_run_together_are_not_the_same(void)
{
	CHECK(put("a", "bc", "h", "1") && put("ab", "c", "h", "2") && put("a", "b", "h", "3"));
	CHECK_TEXT(all(), "a/b>h@3 a/bc>h@1 ab/c>h@2");
	servicestore_fini(&store);
}

static void a_list_removes_what_it_did_not_name(void)
{
	CHECK(put("a", "x", "h", "1") && put("a", "y", "h", "2") && put("a", "z", "h", "3"));
	servicestore_begin(&store);
	CHECK(servicestore_renew(&store, SPAN("a"), SPAN("x"), "1"));
	CHECK(!servicestore_renew(&store, SPAN("a"), SPAN("y"), "9"));
	CHECK(put("a", "y", "new", "9"));
	servicestore_sweep(&store);
	CHECK_TEXT(all(), "a/x>h@1 a/y>new@9");
	servicestore_fini(&store);
}

static void says_what_changed_anything(void)
{
	CHECK(!store.changed);
	CHECK(put("a", "x", "h", "1") && store.changed);
	store.changed = false;
	servicestore_begin(&store);
	CHECK(servicestore_renew(&store, SPAN("a"), SPAN("x"), "1"));
	servicestore_sweep(&store);
	servicestore_remove(&store, SPAN("a"), SPAN("nobody"));
	CHECK(!store.changed);
	CHECK(put("a", "x", "h", "2") && store.changed);
	store.changed = false;
	servicestore_remove(&store, SPAN("a"), SPAN("x"));
	CHECK(store.changed);
	servicestore_fini(&store);
}

static void counts_those_without_a_host(void)
{
	CHECK(put("a", "x", "", "1") && put("a", "y", "h", "1"));
	CHECK_INT(store.unusable, 1);
	CHECK(put("a", "x", "h", "2") && put("a", "y", "", "2"));
	CHECK_INT(store.unusable, 1);
	servicestore_remove(&store, SPAN("a"), SPAN("y"));
	CHECK_INT(store.unusable, 0);
	servicestore_fini(&store);
}

static void holds_thousands_and_lets_all_of_them_go(void)
{
	char name[16];

	for (unsigned i = 0; i < 5000; i++) {
		snprintf(name, sizeof name, "s%u", i);
		CHECK(put(i % 2 == 0 ? "even" : "odd", name, "h", "1"));
	}
	CHECK_INT(store.count, 5000);
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(name, sizeof name, "s%u", i);
		CHECK(servicestore_renew(&store, i % 2 == 0 ? SPAN("even") : SPAN("odd"),
					 span_from_cstr(name), "1"));
		servicestore_remove(&store, i % 2 == 0 ? SPAN("even") : SPAN("odd"),
				    span_from_cstr(name));
	}
	CHECK_INT(store.count, 0);
	servicestore_fini(&store);
}

static void survives_without_memory(void)
{
	for (int allowed = 0; allowed < 3; allowed++) {
		bool ok;

		alloc_fail_after(allowed);
		ok = put("a", "x", "h", "1");
		alloc_fail_after(-1);
		CHECK(ok == (allowed >= 2));
		CHECK_INT(store.count, ok);
		servicestore_fini(&store);
	}
	CHECK(put("a", "x", "h", "1"));
	alloc_fail_after(0);
	CHECK(servicestore_sorted(&store) == NULL);
	alloc_fail_after(-1);
	CHECK_TEXT(all(), "a/x>h@1");
	servicestore_fini(&store);
}

UNIT_TESTS(TEST(keeps_the_last_of_each_name), TEST(names_that_run_together_are_not_the_same),
	   TEST(a_list_removes_what_it_did_not_name), TEST(says_what_changed_anything),
	   TEST(counts_those_without_a_host), TEST(holds_thousands_and_lets_all_of_them_go),
	   TEST(survives_without_memory))
