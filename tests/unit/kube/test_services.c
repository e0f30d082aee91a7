#include "../unit.h"

#include "../ydoc/collect.h"
#include "base/alloc.h"
#include "kube/services.h"

#define SERVICE(name)                                                                              \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " name "}\nspec: {type: ExternalName, "   \
	"externalName: b.c, ports: [{port: 80, name: http}]}\n"

/* "NAMESPACE/NAME ..." of all, "; ignored: ..." when something was, then the complaints. */
static void read_files(const char *const *texts, struct buf *out)
{
	static const char *const names[] = {"a.yaml", "b.yaml", "c.yaml"};
	struct kube_services s;
	struct collect c;

	collect_init(&c);
	kube_services_init(&s, SPAN("default"), &c.diag);
	for (size_t i = 0; texts[i] != NULL; i++)
		kube_services_read(&s, names[i], span_from_cstr(texts[i]));
	for (size_t i = 0; i < s.count; i++)
		buf_printf(out, "%s%.*s/%.*s", i > 0 ? " " : "", SPAN_ARG(s.list[i]->namespace),
			   SPAN_ARG(s.list[i]->name));
	if (s.ignored != NULL) {
		buf_add_cstr(out, "; ignored: ");
		kube_services_print_ignored(&s, out);
	}
	buf_add_byte(out, '\n');
	buf_add(out, buf_span(&c.text));
	kube_services_fini(&s);
}

struct row {
	const char *text, *expected;
};

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *texts[] = {rows[i].text, NULL};
		char storage[8192];
		struct buf out;

		BUF_INIT_ARRAY(&out, storage);
		read_files(texts, &out);
		if (strcmp(storage, rows[i].expected) != 0)
			unit_fail(__FILE__, __LINE__, "[%s]\n got %s\nwant %s", rows[i].text,
				  storage, rows[i].expected);
	}
}
#define CHECK_ROWS(rows) check_rows((rows), sizeof(rows) / sizeof(rows)[0])

static void reads_external_name_services_and_counts_the_rest(void)
{
	static const struct row rows[] = {
		{"", "\n"},
		{"# nothing\n", "\n"},
		{SERVICE("a"), "default/a\n"},
		{SERVICE("a") "---\n" SERVICE("b"), "default/a default/b\n"},
		{"apiVersion: v1\nkind: ConfigMap\n---\n" SERVICE(
			 "a") "---\nkind: Deployment\n---\nkind: "
			      "Deployment\n",
		 "default/a; ignored: 1 ConfigMap, 2 Deployment\n"},
		{"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"a\"},"
		 "\"spec\":{"
		 "\"type\":\"ExternalName\",\"externalName\":\"b.c\",\"ports\":[{\"port\":80,"
		 "\"name\":"
		 "\"http\"}]}}",
		 "default/a\n"},
		{"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: "
		 "80}]}\n",
		 "; ignored: 1 Service of type ClusterIP\n"},
		{"apiVersion: v1\nkind: Service\nspec: {type: NodePort}\n---\nkind: Service\n",
		 "; ignored: 1 Service of type NodePort, 1 Service of type ClusterIP\n"},
		{"apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: A}\n",
		 "; ignored: 1 Service of serving.knative.dev/v1\n"},
		{"apiVersion: v1\nkind: \"Odd\\n\\\"Kind\\\"\"\n",
		 "; ignored: 1 Odd\\x0a\\\"Kind\\\"\n"},
	};

	CHECK_ROWS(rows);
}

static void opens_lists_as_kubectl_does(void)
{
	static const struct row rows[] = {
		{"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n"
		 "  metadata: {name: a}\n  spec: {type: ExternalName, externalName: b.c, ports: "
		 "[{port: 80, "
		 "name: http}]}\n- kind: Pod\n",
		 "default/a; ignored: 1 Pod\n"},
		{"kind: ServiceList\nitems: [{apiVersion: v1, kind: Service, metadata: {name: a, "
		 "namespace: "
		 "b}, spec: {type: ExternalName, externalName: b.c, ports: [{port: 80, name: "
		 "http}]}}]\n",
		 "b/a\n"},
		{"apiVersion: v1\nkind: List\nitems: []\n", "\n"},
		{"apiVersion: v1\nkind: List\nitems:\n", "; ignored: 1 List\n"},
		{"kind: List\nitems: [{kind: List, items: []}, 1]\n",
		 "; ignored: 1 List\na.yaml:2:34: items[1]: expected an object with apiVersion and "
		 "kind, "
		 "found a number\n"},
		{"kind: List\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: A}, spec: "
		 "{type: "
		 "ExternalName, ports: [{port: 0}]}}\n",
		 "\na.yaml:3:52: items[0].metadata.name: \"A\" is no name: byte other than lower "
		 "case "
		 "letters, digits and \"-\"\n"
		 "a.yaml:3:62: items[0].spec.externalName: missing: expected the DNS name to call\n"
		 "a.yaml:3:98: items[0].spec.ports[0].port: expected a number from 1 to 65535, "
		 "found "
		 "\"0\"\n"},
	};

	CHECK_ROWS(rows);
}

static void names_likely_slips(void)
{
	static const struct row rows[] = {
		{"apiVersion: v1\nkind: Servcie\nspec: {externalName: b.c}\n",
		 "; ignored: 1 Servcie\nwarning: a.yaml:2:7: kind: \"Servcie\" is ignored: did you "
		 "mean "
		 "Service\n"},
		{"apiVersion: v1\nkind: Device\nspec: {}\n", "; ignored: 1 Device\n"},
		{"apiVersion: v1\nkind: Service\nspec:\n externalName: b.c\n",
		 "; ignored: 1 Service of type ClusterIP\nwarning: a.yaml:4:16: spec.externalName: "
		 "has no "
		 "meaning for type ClusterIP, so the Service is ignored: expected type: "
		 "ExternalName\n"},
		{"apiVersion: v1\nkind: Service\nspec:\n type: External\n externalName: b.c\n",
		 "; ignored: 1 Service of type External\nwarning: a.yaml:5:16: spec.externalName: "
		 "has no "
		 "meaning for type External, so the Service is ignored: expected type: "
		 "ExternalName\n"},
		{"apiVersion: v1\nkind: Service\nspec:\n type: externalname\n externalName: b.c\n",
		 "\na.yaml:4:8: spec.type: \"externalname\" is no type of Service: did you mean "
		 "ExternalName\n"},
		{"apiVersion: v1\nkind: Service\nspec:\n type: ExternalNmae\n",
		 "\na.yaml:4:8: spec.type: \"ExternalNmae\" is no type of Service: did you mean "
		 "ExternalName\n"},
		{"apiVersion: v2\nkind: Service\nspec:\n type: ExternalName\n",
		 "\na.yaml:1:13: apiVersion: expected v1, found \"v2\"\n"},
		{"apiVersion: v2\nkind: Service\n", "; ignored: 1 Service of v2\n"},
		{"foo: bar\n",
		 "; ignored: 1 without kind\nwarning: a.yaml:1:1: kind: missing: the object is "
		 "ignored\n"},
		{"- a\n",
		 "\na.yaml:1:1: expected an object with apiVersion and kind, found a list\n"},
		{"text\n",
		 "\na.yaml:1:1: expected an object with apiVersion and kind, found text\n"},
	};

	CHECK_ROWS(rows);
}

static void a_service_given_twice_is_an_error_that_names_the_first(void)
{
	static const char *const texts[] = {
		SERVICE("a") "---\n" SERVICE("b"),
		SERVICE("b"),
		"apiVersion: v1\nkind: Service\nmetadata:\n  namespace: other\n  name: b\nspec: "
		"{type: "
		"ExternalName, externalName: b.c, ports: [{port: 80, name: http}]}\n",
		NULL,
	};
	char storage[4096];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	read_files(texts, &out);
	CHECK_TEXT(storage,
		   "default/a default/b other/b\n"
		   "b.yaml:3:18: metadata.name: Service b of namespace default is given twice, "
		   "first at a.yaml:8:18\n");
}

static void errors_of_all_documents_and_files_come_in_one_run(void)
{
	static const char *const texts[] = {
		"a: [\n---\n" SERVICE("A") "---\n" SERVICE("b"),
		SERVICE("1"),
		NULL,
	};
	char storage[4096];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	read_files(texts, &out);
	CHECK_TEXT(
		storage,
		"default/b\n"
		"a.yaml:2:1: did not find expected node content while parsing a flow node that "
		"starts "
		"on line 2\n"
		"a.yaml:5:18: metadata.name: \"A\" is no name: byte other than lower case letters, "
		"digits and \"-\"\n"
		"b.yaml:3:18: metadata.name: expected text, found a number: put it in quotes\n"
		"b.yaml:3:11: metadata.name: missing\n");
}

static void finds_every_one_of_many(void)
{
	struct kube_services s;
	struct collect c;
	struct buf text;

	collect_init(&c);
	buf_init_heap(&text, 4 << 20);
	for (int i = 0; i < 1000; i++)
		buf_printf(&text, "---\n" SERVICE("s%d"), i);
	kube_services_init(&s, SPAN("default"), &c.diag);
	kube_services_read(&s, "a.yaml", buf_span(&text));
	CHECK_INT(s.count, 1000);
	CHECK_TEXT(c.storage, "");
	for (int i = 0; i < 1000; i++) {
		char name[16];

		snprintf(name, sizeof name, "s%d", i);
		CHECK_SPAN(s.list[i]->name, name);
		CHECK_INT(s.list[i]->pos.line, 5 * i + 4);
	}
	c.diag.emit = NULL;
	kube_services_read(&s, "b.yaml", buf_span(&text));
	CHECK_INT(s.count, 1000);
	CHECK_INT(c.diag.errors, 1000);
	kube_services_fini(&s);
	buf_fini(&text);
}

static void tells_a_bounded_number_of_kinds_apart(void)
{
	struct kube_services s;
	struct collect c;
	struct buf text, out;

	collect_init(&c);
	buf_init_heap(&text, 1 << 20);
	buf_init_heap(&out, 1 << 20);
	for (int i = 0; i < 60; i++)
		buf_printf(&text, "---\nkind: K%d\n", i);
	kube_services_init(&s, SPAN("default"), &c.diag);
	kube_services_read(&s, "a.yaml", buf_span(&text));
	kube_services_print_ignored(&s, &out);
	CHECK(strstr(buf_cstr(&out), "1 K48, 11 other") != NULL);
	CHECK_TEXT(strstr(buf_cstr(&out), "1 K48"), "1 K48, 11 other");
	kube_services_fini(&s);
	buf_fini(&text);
	buf_fini(&out);
}

static void survives_every_failed_allocation(void)
{
	static const char text[] = "kind: Pod\n---\n" SERVICE("a") "---\n" SERVICE("b");
	bool was_complete = false;

	for (int64_t n = 0; !was_complete; n++) {
		struct kube_services s;
		struct collect c;

		collect_init(&c);
		kube_services_init(&s, SPAN("default"), &c.diag);
		alloc_fail_after(n);
		kube_services_read(&s, "a.yaml", span_from_cstr(text));
		alloc_fail_after(-1);
		was_complete = c.diag.errors == 0;
		CHECK(!was_complete || s.count == 2);
		kube_services_fini(&s);
		/* With AddressSanitizer libyaml's memory comes block by block. */
		CHECK(n < 2000);
	}
}

static void takes_services_from_elsewhere_behind_those_of_its_own(void)
{
	struct kube_service other = {.name = SPAN("b"), .namespace = SPAN("default")};
	struct kube_service same = {.name = SPAN("a"), .namespace = SPAN("default")};
	struct kube_service prod = {.name = SPAN("a"), .namespace = SPAN("prod")};
	struct kube_services s;
	struct collect c;

	collect_init(&c);
	kube_services_init(&s, SPAN("default"), &c.diag);
	kube_services_read(&s, "a.yaml", SPAN(SERVICE("a")));
	CHECK(kube_services_add(&s, &other) == NULL);
	CHECK(kube_services_add(&s, &prod) == NULL);
	CHECK(kube_services_add(&s, &same) == s.list[0]);
	CHECK(kube_services_add(&s, &other) == &other);
	CHECK_INT(s.count, 3);
	CHECK(s.list[1] == &other && s.list[2] == &prod);
	CHECK_INT(c.diag.errors, 0);
	kube_services_fini(&s);
}

UNIT_TESTS(TEST(reads_external_name_services_and_counts_the_rest),
	   TEST(opens_lists_as_kubectl_does), TEST(names_likely_slips),
	   TEST(a_service_given_twice_is_an_error_that_names_the_first),
	   TEST(errors_of_all_documents_and_files_come_in_one_run), TEST(finds_every_one_of_many),
	   TEST(takes_services_from_elsewhere_behind_those_of_its_own),
	   TEST(tells_a_bounded_number_of_kinds_apart), TEST(survives_every_failed_allocation))
