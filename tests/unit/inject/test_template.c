#include "pod.h"

#include "../ydoc/dump.h"
#include "base/alloc.h"

struct row {
	const char *text, *expected;
};

/* "ok" or the complaints. */
static void check_readings(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(rows[i].text);
		char *guarded = unit_guarded(rows[i].text, len);
		struct collect c;
		struct template t;
		bool ok;

		collect_init(&c);
		ok = template_read(&t, "t.yaml", span_of(guarded, len), &c.diag);
		CHECK_ROW(rows[i].text, ok == (c.diag.errors == 0));
		if (strcmp(c.storage, rows[i].expected) != 0)
			unit_fail(__FILE__, __LINE__, "[%s]\n got %s\nwant %s", rows[i].text,
				  c.storage, rows[i].expected);
		template_fini(&t);
		unit_guarded_free(guarded, len);
	}
}
#define CHECK_READINGS(rows) check_readings((rows), sizeof(rows) / sizeof(rows)[0])

static void takes_what_is_right(void)
{
	static const struct row rows[] = {
		{"containers: [{name: a}]\n", ""},
		{"containers: []\nvolumes:\n", ""},
		{"{\"volumes\": [{\"name\": \"v\"}]}", ""},
		{"initContainers: [{name: a, args: [$(IMAGE), \"x$(NAMESPACE)y$(VERSION)\"]}]\n",
		 ""},
		{"annotations: {a: $(IMAGE), b: 'c'}\nlabels: {d: e}\n", ""},
		/* Kubernetes's own variables. */
		{"containers: [{name: a, env: [{name: HOST}], args: [$(HOST)]}]\n", ""},
		{"containers: [{name: a, envFrom: [x], args: [$(ANY)]}]\n", ""},
		{"containers: [{name: a, args: [$$(ANY), $ANY, $(a b), $()]}]\n", ""},
		{"containers: [{name: a, args: ['$(', '$(A', '$)', '$$', '$']}]\n", ""},
	};

	CHECK_READINGS(rows);
}

static void says_all_that_is_wrong(void)
{
	static const struct row rows[] = {
		{"", "t.yaml: nothing in it\n"},
		{"# c\n", "t.yaml: nothing in it\n"},
		{"containers: [\n",
		 "t.yaml:2:1: did not find expected node content while parsing a "
		 "flow node that starts on line 2\n"},
		{"containers: [1, {}, {name: ''}, {name: [a]}]\n",
		 "t.yaml:1:14: containers[0]: expected a mapping, found a number\n"
		 "t.yaml:1:17: containers[1].name: missing\n"
		 "t.yaml:1:21: containers[2].name: missing\n"
		 "t.yaml:1:33: containers[3].name: missing\n"},
		{"containers: [{name: a, args: [$(IMGAE), '$(X)']}]\n",
		 "t.yaml:1:31: containers[0]: $(IMGAE) is no variable: did you mean IMAGE; write "
		 "$$(...) for what Kubernetes is to see\n"
		 "t.yaml:1:41: containers[0]: $(X) is no variable; write $$(...) for what "
		 "Kubernetes is to see\n"},
		/* The environment of one is not that of another. */
		{"containers: [{name: a, env: [{name: X}]}, {name: b, args: [$(X)]}]\n",
		 "t.yaml:1:60: containers[1]: $(X) is no variable; write $$(...) for what "
		 "Kubernetes is to see\n"},
		{"annotations: {a: 1, b: yes, c: , d: [e], f: $(X)}\n",
		 "t.yaml:1:18: annotations: expected text, found a number\n"
		 "t.yaml:1:24: annotations: expected text, found true or false\n"
		 "t.yaml:1:32: annotations: expected text, found nothing\n"
		 "t.yaml:1:37: annotations: expected text, found a list\n"
		 "t.yaml:1:45: annotations: $(X) is no variable; write $$(...) for what Kubernetes "
		 "is to see\n"},
	};

	CHECK_READINGS(rows);
}

static void sections_are_what_they_must_be(void)
{
	static const char *const texts[] = {
		"containers: {name: a}\n",
		"volumes: a\n",
		"annotations: [a]\n",
		"labels: a\n",
		"[a]\n",
		"text\n",
		"a: b\n",

	};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct collect c;
		struct template t;

		collect_init(&c);
		CHECK_ROW(texts[i],
			  !template_read(&t, "t.yaml", span_from_cstr(texts[i]), &c.diag));
		CHECK_ROW(texts[i], c.diag.errors > 0);
		CHECK_ROW(texts[i], strncmp(c.storage, "t.yaml:", 7) == 0);
		template_fini(&t);
	}
}

static void labels_are_as_many_as_a_set_can_tell(void)
{
	struct collect c;
	struct template t;
	struct buf text;

	buf_init_heap(&text, 1 << 20);
	buf_add_cstr(&text, "labels:\n");
	for (int i = 0; i < 50; i++)
		buf_printf(&text, "  l%d: a\n", i);
	collect_init(&c);
	CHECK(template_read(&t, "t.yaml", buf_span(&text), &c.diag));
	template_fini(&t);
	buf_add_cstr(&text, "  l50: a\n");
	CHECK(!template_read(&t, "t.yaml", buf_span(&text), &c.diag));
	CHECK_TEXT(c.storage, "t.yaml:2:3: labels: more than 50\n");
	template_fini(&t);
	buf_fini(&text);
}

static void knows_a_native_sidecar(void)
{
	static const struct {
		const char *text;
		bool is_native;
	} rows[] = {
		{"initContainers: [{name: a}, {name: b, restartPolicy: Always}]\n", true},
		{"initContainers: [{name: a}]\n", false},
		{"initContainers: [{name: a, restartPolicy: Never}]\n", false},
		{"containers: [{name: a, restartPolicy: Always}]\n", false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct template t;

		pod_template(&t, rows[i].text);
		CHECK_ROW(rows[i].text, t.has_native_sidecar == rows[i].is_native);
		template_fini(&t);
	}
}

/* ---- Filling in ---- */

static void set_values(struct template_instance *instance)
{
	*instance = (struct template_instance){.hash = 0};
	instance->values[TEMPLATE_IMAGE] = SPAN("egressbox:1");
	instance->values[TEMPLATE_PROXY_PORT] = SPAN("15001");
	instance->values[TEMPLATE_SETUP_OPTIONS] = SPAN("-i\n10.0.0.0/8\n--80\n");
	instance->values[TEMPLATE_VERSION] = SPAN("1.0");
}

static void instantiate(const char *text, struct buf *out)
{
	struct template_instance instance;
	struct template t;
	struct arena arena;

	pod_template(&t, text);
	arena_init(&arena, 1 << 20);
	set_values(&instance);
	CHECK(template_instantiate(&t, &instance, &arena));
	for (int i = 0; i < TEMPLATE_SECTION_COUNT; i++) {
		if (instance.sections[i] == NULL)
			continue;
		buf_printf(out, "%s=", template_section_names[i]);
		dump(instance.sections[i], out);
	}
	template_fini(&t);
	arena_fini(&arena);
}

static void variables_become_their_values(void)
{
	static const struct row rows[] = {
		{"volumes: [{name: a, b: $(IMAGE)}]\n", "volumes=[{name=a,b=\"egressbox:1\"}]"},
		{"volumes: [{name: a, b: \"$(IMAGE)\"}]\n", "volumes=[{name=a,b=\"egressbox:1\"}]"},
		/* A number without quotes, text in them. */
		{"volumes: [{name: a, b: $(PROXY_PORT), c: '$(PROXY_PORT)'}]\n",
		 "volumes=[{name=a,b=15001,c=\"15001\"}]"},
		{"volumes: [{name: a, b: \"*:$(PROXY_PORT)/$(VERSION)$(IMAGE)\"}]\n",
		 "volumes=[{name=a,b=\"*:15001/1.0egressbox:1\"}]"},
		{"volumes: [{name: x$(VERSION)}]\n", "volumes=[{name=\"x1.0\"}]"},
		/* Empty: left out without quotes, and with what is in it; text in them. */
		{"volumes: [{name: a, b: $(GATEWAY), c: '$(GATEWAY)', d: x$(GATEWAY)}]\n",
		 "volumes=[{name=a,c=\"\",d=\"x\"}]"},
		{"volumes: [{name: a, b: [$(GATEWAY), c], d: [$(GATEWAY)]}]\n",
		 "volumes=[{name=a,b=[c],d=[]}]"},
		/* As many as there are, as text. */
		{"containers: [{name: a, args: [x, $(SETUP_OPTIONS), y]}]\n",
		 "containers=[{name=a,args=[x,\"-i\",\"10.0.0.0/8\",\"--80\",y]}]"},
		{"containers: [{name: a, args: [$(PROXY_OPTIONS)]}]\n",
		 "containers=[{name=a,args=[]}]"},
		/* Not ours. */
		{"containers: [{name: a, env: [{name: X}], args: [$(X), a$(X)b$(VERSION)]}]\n",
		 "containers=[{name=a,env=[{name=X}],args=[$(X),\"a$(X)b1.0\"]}]"},
		{"containers: [{name: a, args: [$$(IMAGE), $$$(IMAGE), $$$$(IMAGE), $IMAGE]}]\n",
		 "containers=[{name=a,args=[\"$(IMAGE)\",\"$egressbox:1\",\"$$(IMAGE)\",$IMAGE]}]"},
		/* Keys are no text to fill in. */
		{"volumes: [{name: a, $(IMAGE): b}]\n", "volumes=[{name=a,$(IMAGE)=b}]"},
		{"annotations: {a: $(VERSION), b: $(GATEWAY)}\nlabels: {c: $(GATEWAY)}\n",
		 "annotations={a=\"1.0\"}"},
		/* Merges are written out, nulls and numbers stay. */
		{"volumes: [{name: a, <<: {b: [$(VERSION)], c: ~, d: 80}}]\n",
		 "volumes=[{name=a,b=[\"1.0\"],c=~,d=80}]"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char storage[500];
		struct buf out;

		BUF_INIT_ARRAY(&out, storage);
		instantiate(rows[i].text, &out);
		if (strcmp(storage, rows[i].expected) != 0)
			unit_fail(__FILE__, __LINE__, "[%s]\n got %s\nwant %s", rows[i].text,
				  storage, rows[i].expected);
	}
}

static uint64_t hash_of(const struct template *t, const struct template_instance *like)
{
	struct template_instance instance = *like;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	CHECK(template_instantiate(t, &instance, &arena));
	arena_fini(&arena);
	return instance.hash;
}

static void the_hash_is_of_what_is_injected(void)
{
	struct template_instance instance;
	struct template a, b, c, d;
	uint64_t hash;

	set_values(&instance);
	pod_template(&a, "containers: [{name: a, b: $(PROXY_PORT), c: $(VERSION)}]\n");
	pod_template(&b, "# other words\ncontainers:\n- name: \"a\"\n  b: $(PROXY_PORT)\n  c: "
			 "'$(VERSION)'\n");
	pod_template(&c, "containers: [{name: a, b: '$(PROXY_PORT)', c: $(VERSION)}]\n");
	pod_template(&d, "initContainers: [{name: a, b: $(PROXY_PORT), c: $(VERSION)}]\n");
	hash = hash_of(&a, &instance);
	CHECK(hash == hash_of(&b, &instance));
	CHECK(hash != hash_of(&c, &instance));
	CHECK(hash != hash_of(&d, &instance));
	/* A value that is not used makes no difference. */
	instance.values[TEMPLATE_GATEWAY] = SPAN("g:1");
	CHECK(hash == hash_of(&a, &instance));
	instance.values[TEMPLATE_VERSION] = SPAN("1.1");
	CHECK(hash != hash_of(&a, &instance));
	template_fini(&a);
	template_fini(&b);
	template_fini(&c);
	template_fini(&d);
}

static void entries_are_found_by_name_or_key(void)
{
	struct document d;

	document_open(&d, SPAN("l: [{name: a}, {b: c}, 1, {name: [x]}, {name: 80}]\nm: {k: v, 1: "
			       "w}\ns: x\n"));
	CHECK(template_has(document_at(&d, "l"), SPAN("a")));
	CHECK(template_has(document_at(&d, "l"), SPAN("80")));
	CHECK(!template_has(document_at(&d, "l"), SPAN("x")));
	CHECK(!template_has(document_at(&d, "l"), SPAN("b")));
	CHECK(template_has(document_at(&d, "m"), SPAN("k")));
	CHECK(template_has(document_at(&d, "m"), SPAN("1")));
	CHECK(!template_has(document_at(&d, "m"), SPAN("v")));
	CHECK(!template_has(NULL, SPAN("a")));
	CHECK_SPAN(template_entry_name(document_at(&d, "l")->items->next), "");
	document_close(&d);
}

static void a_scalar_has_no_entries(void)
{
	struct document d;

	document_open(&d, SPAN("s: abc\n"));
	CHECK(!template_has(document_at(&d, "s"), SPAN("abc")));
	document_close(&d);
}

static void survives_every_lack_of_memory(void)
{
	static const char text[] = "containers: [{name: a, <<: {b: \"$(VERSION)$(IMAGE)\"}, args: "
				   "[$(SETUP_OPTIONS)]}]\n";
	struct template_instance instance;
	struct template t;
	bool is_done = false;

	set_values(&instance);
	for (int64_t n = 0; !is_done; n++) {
		struct diag silent = {.emit = NULL};

		CHECK(n < 1000);
		alloc_fail_after(n);
		is_done = template_read(&t, "t.yaml", span_from_cstr(text), &silent);
		alloc_fail_after(-1);
		CHECK(is_done || silent.errors > 0);
		if (!is_done)
			template_fini(&t);
	}
	is_done = false;
	for (int64_t n = 0; !is_done; n++) {
		struct arena arena;

		CHECK(n < 1000);
		arena_init(&arena, 1 << 20);
		alloc_fail_after(n);
		is_done = template_instantiate(&t, &instance, &arena);
		alloc_fail_after(-1);
		arena_fini(&arena);
	}
	template_fini(&t);
}

UNIT_TESTS(TEST(takes_what_is_right), TEST(says_all_that_is_wrong),
	   TEST(sections_are_what_they_must_be), TEST(labels_are_as_many_as_a_set_can_tell),
	   TEST(knows_a_native_sidecar), TEST(variables_become_their_values),
	   TEST(the_hash_is_of_what_is_injected), TEST(entries_are_found_by_name_or_key),
	   TEST(a_scalar_has_no_entries), TEST(survives_every_lack_of_memory))
