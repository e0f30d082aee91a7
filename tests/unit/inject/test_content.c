#include "pod.h"

#include "../ydoc/dump.h"
#include "base/alloc.h"
#include "inject/content.h"

/* A template that is filled in, and the contents made of it. */
struct fixture {
	struct template t;
	struct template_instance instance;
	struct contents contents;
	struct arena arena;
};

static void open_fixture(struct fixture *f, const char *template_text)
{
	*f = (struct fixture){.contents = {.arena = &f->arena}};
	arena_init(&f->arena, 1 << 20);
	pod_template(&f->t, template_text);
	CHECK(template_instantiate(&f->t, &f->instance, &f->arena));
	f->instance.hash = 0xabc;
}

static void close_fixture(struct fixture *f)
{
	template_fini(&f->t);
	arena_fini(&f->arena);
}

static const struct ydoc_node *content_of(struct fixture *f, const char *text)
{
	const struct content *content;
	struct pod p;

	pod_open(&p, span_from_cstr(text));
	content = content_for(&f->contents, &p.w, &f->instance, SPAN("1.0"));
	/* What is made does not need the pod any longer. */
	pod_close(&p);
	return content != NULL ? content->root : NULL;
}

static struct span status_of(const struct ydoc_node *root)
{
	const struct ydoc_node *annotations = ydoc_get(ydoc_get(root, SPAN("metadata")),
						       SPAN("annotations"));
	const struct ydoc_node *status = ydoc_get(annotations, SPAN(STATUS_ANNOTATION));

	CHECK(status != NULL && !status->is_plain);
	return status->text;
}

static const char all[] = "initContainers: [{name: i}]\ncontainers: [{name: c}]\n"
			  "volumes: [{name: v}]\nannotations: {k: v, l: w}\nlabels: {m: x}\n";

#define BEGIN "{\"version\":\"1.0\",\"hash\":\"0000000000000abc\""

static void holds_what_is_added_and_the_status(void)
{
	struct fixture f;
	char storage[2000];
	struct buf out;

	open_fixture(&f, all);
	BUF_INIT_ARRAY(&out, storage);
	dump(content_of(&f, "kind: Pod\nspec: {containers: [{name: a}]}\n"), &out);
	CHECK_TEXT(storage,
		   "{\"metadata\"={\"annotations\"={\"egressbox.io/status\"=\"{\\\"version\\\":"
		   "\\\"1.0\\\",\\\"hash\\\":\\\"0000000000000abc\\\",\\\"initContainers\\\":"
		   "[\\\"i\\\"],\\\"containers\\\":[\\\"c\\\"],\\\"volumes\\\":[\\\"v\\\"],"
		   "\\\"annotations\\\":[\\\"k\\\",\\\"l\\\"],\\\"labels\\\":[\\\"m\\\"],"
		   "\\\"created\\\":[\\\"initContainers\\\",\\\"volumes\\\",\\\"annotations\\\","
		   "\\\"labels\\\",\\\"metadata\\\"]}\",k=\"v\",l=\"w\"},\"labels\"={m=\"x\"}},"
		   "\"spec\"={\"initContainers\"=[{name=i}],\"containers\"=[{name=c}],"
		   "\"volumes\"=[{name=v}]}}");
	close_fixture(&f);
}

static void the_status_says_what_was_missing(void)
{
	static const struct {
		const char *pod, *expected; /* behind the names */
	} rows[] = {
		{"kind: Pod\nmetadata: {}\nspec: {containers: [{name: a}]}\n",
		 "\"created\":[\"initContainers\",\"annotations\"]}"},
		{"kind: Pod\nmetadata: {annotations: {a: b}}\nspec: {containers: [{name: a}], "
		 "initContainers: []}\n",
		 ""},
		{"kind: Pod\nmetadata: {annotations: ~}\nspec: {containers: [{name: a}], "
		 "initContainers: null}\n",
		 "\"replaced\":{\"initContainers\":\"null\",\"annotations\":\"~\"}}"},
		{"kind: Pod\nmetadata: Null\nspec: {containers: [{name: a}], initContainers: []}\n",
		 "\"created\":[\"annotations\"],\"replaced\":{\"metadata\":\"Null\"}}"},
		/* Nothing to put back where there was nothing. */
		{"kind: Pod\nmetadata:\n  annotations:\nspec: {containers: [{name: a}], "
		 "initContainers: }\n",
		 ""},
	};
	struct fixture f;

	open_fixture(&f, "initContainers: [{name: i}]\n");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct span status = status_of(content_of(&f, rows[i].pod));
		char expected[300];

		snprintf(expected, sizeof expected, BEGIN ",\"initContainers\":[\"i\"]%s%s",
			 rows[i].expected[0] != '\0' ? "," : "}", rows[i].expected);
		CHECK_SPAN(status, expected);
	}
	close_fixture(&f);
}

static void labels_and_annotations_that_the_pod_has_stay_its_own(void)
{
	struct fixture f;

	open_fixture(&f, "annotations: {k: v, l: w}\nlabels: {m: x}\n");
	CHECK_SPAN(status_of(content_of(&f, "kind: Pod\nmetadata: {annotations: {k: mine}, labels: "
					    "{m: mine}}\nspec: {containers: [{name: a}]}\n")),
		   BEGIN ",\"annotations\":[\"l\"]}");
	CHECK_SPAN(status_of(content_of(&f, "kind: Pod\nmetadata: {annotations: {k: mine, l: "
					    "mine}, labels: {a: b}}\nspec: {containers: [{name: "
					    "a}]}\n")),
		   BEGIN ",\"labels\":[\"m\"]}");
	close_fixture(&f);
}

static void pods_that_are_alike_have_the_same_content(void)
{
	static const char one[] =
		"kind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: a}]}\n";
	static const char alike[] = "kind: Pod\nmetadata: {labels: {a: b}}\n"
				    "spec: {containers: [{name: c}], volumes: []}\n";
	static const char other[] = "kind: Pod\nmetadata: {annotations: {a: b}}\n"
				    "spec: {containers: [{name: a}]}\n";
	static const char null[] = "kind: Pod\nmetadata: {name: x, annotations: ~}\n"
				   "spec: {containers: [{name: a}]}\n";
	static const char own[] = "kind: Pod\nmetadata: {annotations: {k: mine}}\n"
				  "spec: {containers: [{name: a}]}\n";
	const struct ydoc_node *first;
	struct fixture f;

	open_fixture(&f, "initContainers: [{name: i}]\nannotations: {k: v}\n");
	first = content_of(&f, one);
	CHECK(content_of(&f, alike) == first);
	CHECK(content_of(&f, other) != first);
	CHECK(content_of(&f, null) != first);
	CHECK(content_of(&f, own) != content_of(&f, other));
	CHECK(content_of(&f, own) == content_of(&f, own));
	CHECK(content_of(&f, one) == first);
	close_fixture(&f);
}

static const struct yedit_place *place_of(bool is_native, const char *key)
{
	const struct yedit_place *p = content_places(is_native);

	while (p->key != NULL && strcmp(p->key, key) != 0)
		p++;
	CHECK_ROW(key, p->key != NULL);
	return p;
}

static void a_native_sidecar_goes_first_and_all_else_behind(void)
{
	CHECK(!place_of(true, "initContainers")->at_end);
	CHECK(place_of(false, "initContainers")->at_end);
	for (int is_native = 0; is_native < 2; is_native++) {
		CHECK(place_of(is_native != 0, "containers")->at_end);
		CHECK(place_of(is_native != 0, "volumes")->at_end);
		CHECK_TEXT(place_of(is_native != 0, "metadata")->before, "spec");
		CHECK_TEXT(place_of(is_native != 0, "initContainers")->before, "containers");
	}
}

static void survives_every_lack_of_memory(void)
{
	bool is_done = false;

	for (int64_t n = 0; !is_done; n++) {
		const struct ydoc_node *root;
		struct fixture f;
		struct pod p;

		CHECK(n < 1000);
		open_fixture(&f, all);
		pod_open(&p, SPAN("kind: Pod\nmetadata: {annotations: {k: mine}, labels: ~}\n"
				  "spec: {containers: [{name: a}]}\n"));
		alloc_fail_after(n);
		root = (content_for(&f.contents, &p.w, &f.instance, SPAN("1.0")) != NULL)
			       ? f.contents.newest->root
			       : NULL;
		alloc_fail_after(-1);
		is_done = root != NULL;
		CHECK(is_done || f.contents.newest == NULL);
		pod_close(&p);
		close_fixture(&f);
	}
}

UNIT_TESTS(TEST(holds_what_is_added_and_the_status), TEST(the_status_says_what_was_missing),
	   TEST(labels_and_annotations_that_the_pod_has_stay_its_own),
	   TEST(pods_that_are_alike_have_the_same_content),
	   TEST(a_native_sidecar_goes_first_and_all_else_behind),
	   TEST(survives_every_lack_of_memory))
