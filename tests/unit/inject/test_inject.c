#include "pod.h"

#include "base/alloc.h"
#include "inject/inject.h"

static const char native[] =
	"initContainers: [{name: i, image: $(IMAGE), restartPolicy: Always}]\n";
static const char last[] = "initContainers: [{name: i}]\ncontainers: [{name: c}]\n"
			   "volumes: [{name: v}]\nannotations: {k: \"1\"}\nlabels: {l: m}\n";

/* A run over one file: what becomes of it, who was looked at, what was complained of. */
struct run {
	struct inject_settings settings;
	struct template template;
	struct collect c;
	struct buf out, events;
	char event_storage[4000];
	size_t edits;
	bool ok;
};

static void on_workload(void *context, const struct inject_event *event)
{
	struct buf *out = context;

	CHECK_TEXT(event->file, "f.yaml");
	buf_printf(out, "%s %.*s %.*s/%.*s at %u:%u", inject_verdict_names[event->verdict],
		   SPAN_ARG(event->kind), SPAN_ARG(event->namespace), SPAN_ARG(event->name),
		   event->pos.line, event->pos.col);
	if (event->reason != NULL)
		buf_printf(out, ": %s", event->reason);
	buf_add_byte(out, ';');
}

/* Digits of hashes are H's. */
static void hide_hashes(struct buf *out)
{
	char *at = out->ptr;

	while (out->len > 0 && (at = strstr(at, "hash")) != NULL) {
		at += strcspn(at, ":") + 1;
		for (; *at == '"' || *at == '\\'; at++)
			;
		memset(at, 'H', 16);
	}
}

static void start(struct run *r, const char *template_text)
{
	r->settings = pod_settings;
	pod_template(&r->template, template_text);
	collect_init(&r->c);
	BUF_INIT_ARRAY(&r->events, r->event_storage);
	buf_init_heap(&r->out, 64 << 20);
}

static void inject(struct run *r, struct span text)
{
	char *guarded = unit_guarded(text.ptr, text.len);
	struct textedits edits;
	struct inject in;

	collect_init(&r->c);
	buf_clear(&r->events);
	buf_clear(&r->out);
	textedit_init(&edits);
	inject_init(&in, &r->settings, &r->template, &r->c.diag);
	in.on_workload = on_workload;
	in.context = &r->events;
	r->ok = inject_file(&in, "f.yaml", span_of(guarded, text.len), &edits);
	r->edits = edits.count;
	CHECK_INT(r->ok, r->c.diag.errors == 0);
	if (r->ok)
		textedit_apply(&edits, span_of(guarded, text.len), &r->out);
	textedit_fini(&edits);
	inject_fini(&in);
	unit_guarded_free(guarded, text.len);
}

static void end(struct run *r)
{
	template_fini(&r->template);
	buf_fini(&r->out);
}

static struct span keep(const struct run *r, struct arena *arena)
{
	struct span copy;

	CHECK(arena_copy(arena, buf_span(&r->out), &copy));
	return copy;
}

/* The text of a file, what it becomes, and what is said. */
struct row {
	const char *text, *expected, *events;
};

#define NAMES_NATIVE "\"initContainers\":[\"i\"]"
#define NAMES_LAST                                                                                 \
	"\"initContainers\":[\"i\"],\"containers\":[\"c\"],\"volumes\":[\"v\"],"                   \
	"\"annotations\":[\"k\"],\"labels\":[\"l\"]"
#define STATUS(names, more)                                                                        \
	"egressbox.io/status: '{\"version\":\"1.0\",\"hash\":\"HHHHHHHHHHHHHHHH\"," names more "}" \
	"'"

static void check_row(const struct row *row, const char *template_text)
{
	struct span text = span_from_cstr(row->text), injected;
	struct arena arena;
	struct run r;

	arena_init(&arena, 1 << 20);
	start(&r, template_text);
	inject(&r, text);
	CHECK_TEXT(r.c.storage, "");
	injected = keep(&r, &arena);
	hide_hashes(&r.out);
	if (strcmp(buf_cstr(&r.out), row->expected) != 0)
		unit_fail(__FILE__, __LINE__, "[%s]\n got %s\nwant %s", row->text, buf_cstr(&r.out),
			  row->expected);
	CHECK_TEXT(r.event_storage, row->events);

	/* Again: nothing more. */
	inject(&r, injected);
	CHECK_ROW(row->text, r.ok && r.edits == 0);
	CHECK_TEXT(r.c.storage, "");

	/* And back. */
	r.settings.is_uninject = true;
	inject(&r, injected);
	if (!r.ok || !span_eq(buf_span(&r.out), text))
		unit_fail(__FILE__, __LINE__, "[%s]\n came back as %s", row->text,
			  buf_cstr(&r.out));
	end(&r);
	arena_fini(&arena);
}

static void check_rows(const struct row *rows, size_t count, const char *template_text)
{
	for (size_t i = 0; i < count; i++)
		check_row(&rows[i], template_text);
}
#define CHECK_ROWS(rows, template_text)                                                            \
	check_rows((rows), sizeof(rows) / sizeof(rows)[0], (template_text))

static void a_native_sidecar_is_put_before_what_can_use_it(void)
{
	static const struct row rows[] = {
		{"kind: Pod\nspec:\n  containers:\n  - name: a\n",
		 "kind: Pod\nmetadata:\n  annotations:\n    " STATUS(
			 NAMES_NATIVE, ",\"created\":[\"initContainers\",\"annotations\","
				       "\"metadata\"]") "\n"
							"spec:\n  initContainers:\n  - name: i\n   "
							" image: egressbox:1\n"
							"    restartPolicy: Always\n  "
							"containers:\n  - name: a\n",
		 "inject Pod / at 1:1;"},
		{"kind: Deployment\nmetadata: {name: d, namespace: n}\nspec:\n  template:\n"
		 "    metadata:\n      labels:\n        app: d\n    spec:\n      initContainers:\n"
		 "        - name: first\n      containers:\n        - name: a\n",
		 "kind: Deployment\nmetadata: {name: d, namespace: n}\nspec:\n  template:\n"
		 "    metadata:\n      annotations:\n        " STATUS(
			 NAMES_NATIVE,
			 ",\"created\":[\"annotations\"]") "\n"
							   "      labels:\n        app: d\n    "
							   "spec:\n      initContainers:\n"
							   "        - name: i\n          image: "
							   "egressbox:1\n          restartPolicy: "
							   "Always\n"
							   "        - name: first\n      "
							   "containers:\n        - name: a\n",
		 "inject Deployment n/d at 1:1;"},
		{"{\"kind\":\"Pod\",\"metadata\":{},\"spec\":{\"containers\":[{\"name\":\"a\"}]}}",
		 "{\"kind\":\"Pod\",\"metadata\":{\"annotations\":{\"egressbox.io/status\":"
		 "\"{\\\"version\\\":\\\"1.0\\\",\\\"hash\\\":\\\"HHHHHHHHHHHHHHHH\\\","
		 "\\\"initContainers\\\":[\\\"i\\\"],\\\"created\\\":[\\\"initContainers\\\","
		 "\\\"annotations\\\"]}\"}},\"spec\":{\"initContainers\":[{\"name\":\"i\","
		 "\"image\":\"egressbox:1\",\"restartPolicy\":\"Always\"}],"
		 "\"containers\":[{\"name\":\"a\"}]}}",
		 "inject Pod / at 1:1;"},
		{"kind: Pod\nmetadata: ~\nspec: {containers: [{name: a}], initContainers: null}\n",
		 "kind: Pod\nmetadata: {annotations: {" STATUS(
			 NAMES_NATIVE,
			 ",\"created\":[\"annotations\"],\"replaced\":"
			 "{\"initContainers\":\"null\",\"metadata\":\"~\"}") "}}\n"
									     "spec: {containers: "
									     "[{name: a}], "
									     "initContainers: "
									     "[{name: i, image: "
									     "egressbox:1, "
									     "restartPolicy: "
									     "Always}]}\n",
		 "inject Pod / at 1:1;"},
	};

	CHECK_ROWS(rows, native);
}

static void everything_else_is_put_behind_what_is_there(void)
{
	static const struct row rows[] = {
		{"kind: Pod\nmetadata:\n  annotations:\n    k: mine\nspec:\n  initContainers:\n"
		 "  - name: first\n  volumes: [{name: b}]\n  containers:\n  - name: a\n",
		 "kind: Pod\nmetadata:\n  labels:\n    l: m\n  annotations:\n    " STATUS(
			 "\"initContainers\":[\"i\"],\"containers\":[\"c\"],\"volumes\":[\"v\"],"
			 "\"labels\":[\"l\"]",
			 ",\"created\":[\"labels\"]") "\n"
						      "    k: mine\nspec:\n  initContainers:\n  - "
						      "name: first\n  - name: i\n"
						      "  volumes: [{name: b}, {name: v}]\n  "
						      "containers:\n  - name: a\n  - name: c\n",
		 "inject Pod / at 1:1;"},
		{"kind: Pod\r\nspec:\r\n  containers:\r\n  - name: a",
		 "kind: Pod\r\nmetadata:\r\n  annotations:\r\n    " STATUS(
			 NAMES_LAST,
			 ",\"created\":[\"initContainers\",\"volumes\",\"annotations\","
			 "\"labels\",\"metadata\"]") "\r\n"
						     "    k: \"1\"\r\n  labels:\r\n    l: "
						     "m\r\nspec:\r\n  initContainers:\r\n"
						     "  - name: i\r\n  volumes:\r\n  - name: v\r\n "
						     " containers:\r\n  - name: a\r\n"
						     "  - name: c",
		 "inject Pod / at 1:1;"},
	};

	CHECK_ROWS(rows, last);
}

static void every_document_and_every_item_is_looked_at(void)
{
	static const struct row rows[] = {
		{"# top\n---\nkind: Service\n---\nkind: List\nitems:\n- kind: Pod\n"
		 "  spec: {hostNetwork: true, containers: [{name: a}]}\n- kind: Pod\n"
		 "  metadata: {name: b, annotations: {}}\n  spec: {containers: [{name: a}], "
		 "initContainers: []}\n- kind: ConfigMap\n---\n# end\n",
		 "# top\n---\nkind: Service\n---\nkind: List\nitems:\n- kind: Pod\n"
		 "  spec: {hostNetwork: true, containers: [{name: a}]}\n- kind: Pod\n"
		 "  metadata: {name: b, annotations: {" STATUS(
			 NAMES_NATIVE,
			 "") "}}\n"
			     "  spec: {containers: [{name: a}], initContainers: [{name: i, image: "
			     "egressbox:1, "
			     "restartPolicy: Always}]}\n- kind: ConfigMap\n---\n# end\n",
		 "skip Pod / at 7:3: it is on the host's network (hostNetwork: true);inject Pod /b "
		 "at 9:3;"},
	};

	CHECK_ROWS(rows, native);
}

static void everything_else_passes_as_it_is(void)
{
	static const char *const texts[] = {
		"",
		"# only\n",
		"---\n---\n",
		"kind: Service\n",
		"kind: Service\nkind: Service\n",
		"{\"kind\": \"List\", \"items\": []}",
		"kind: Deployment\napiVersion: other/v1\n",
	};
	struct run r;

	start(&r, native);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		inject(&r, span_from_cstr(texts[i]));
		CHECK_ROW(texts[i], r.ok && r.edits == 0);
		CHECK_TEXT(r.c.storage, "");
		CHECK_TEXT(r.event_storage, "");
	}
	inject(&r, SPAN("- a\n---\nb\n"));
	CHECK(r.ok && r.edits == 0);
	CHECK_TEXT(r.c.storage, "warning: f.yaml:1:1: expected an object with apiVersion and kind, "
				"found a list: left as it is\n"
				"warning: f.yaml:3:1: expected an object with apiVersion and kind, "
				"found text: left as it is\n");
	end(&r);
}

static void kinds_that_are_asked_for_may_be_without_pods(void)
{
	static const char *const also[] = {"Rollout"};
	struct run r;

	start(&r, native);
	r.settings.also = (struct kube_workload_kinds){also, 1};
	inject(&r, SPAN("kind: Rollout\nspec: {template: {spec: {}}}\n"));
	CHECK(r.ok && r.edits == 0);
	CHECK_TEXT(r.event_storage,
		   "skip Rollout / at 1:1: it has no spec.template.spec.containers;");
	inject(&r, SPAN("kind: Rollout\nspec: {template: {spec: {containers: [{name: a}]}}}\n"));
	CHECK(r.ok && r.edits > 0);
	end(&r);
}

static void the_pods_words_and_the_flags_fill_the_template_in(void)
{
	struct run r;

	start(&r, "containers: [{name: c, args: [$(SETUP_OPTIONS), $(PROXY_OPTIONS)], a: "
		  "$(INCLUDE_IP_RANGES), b: $(NAMESPACE), d: $(PROXY_PORT), e: $(ADMIN_PORT), f: "
		  "$(PROXY_UID), g: $(LOG_LEVEL), h: $(VERSION), p: $(IMAGE_PULL_POLICY)}]\n");
	r.settings.namespace = SPAN("flag");
	r.settings.cluster_cidr = SPAN("10.0.0.0/8");
	r.settings.gateway = SPAN("g:80");
	r.settings.outbound_policy = SPAN("any");
	r.settings.log_level = SPAN("debug");
	inject(&r, SPAN("kind: Pod\nmetadata: {namespace: own, annotations: "
			"{egressbox.io/excludeOutboundPorts: '25'}}\nspec: {containers: []}\n"));
	CHECK(!r.ok);
	inject(&r, SPAN("kind: Pod\nmetadata: {namespace: own, annotations: "
			"{egressbox.io/excludeOutboundPorts: '25'}}\nspec:\n  containers:\n"
			"  - name: a\n"));
	CHECK(strstr(buf_cstr(&r.out),
		     "  - name: c\n    args:\n    - --inbound\n    - none\n    - --exclude-port\n"
		     "    - \"25\"\n    - --cluster-cidr\n    - \"10.0.0.0/8\"\n    - --gateway\n"
		     "    - g:80\n    - --outbound-policy\n    - any\n    - --namespace\n    - "
		     "own\n"
		     "    - --log-level\n    - debug\n    a: \"*\"\n    b: own\n    d: 15001\n"
		     "    e: 15020\n    f: 1337\n    g: debug\n    h: \"1.0\"\n    p: Always\n") !=
	      NULL);
	/* The flag's where the manifest names none. */
	inject(&r, SPAN("kind: Pod\nspec:\n  containers:\n  - name: a\n"));
	CHECK(strstr(buf_cstr(&r.out), "    b: flag\n") != NULL);
	end(&r);
}

static void what_was_injected_otherwise_is_brought_up_to_date(void)
{
	static const char *const texts[] = {
		"kind: Pod\nspec:\n  containers:\n  - name: a\n",
		"# c\nkind: Pod\nmetadata: # d\n  name: x\nspec:\n  initContainers:\n  # e\n"
		"  - name: first\n\n  containers: [{name: a}]\n---\nkind: Service\n",
		"{\"kind\":\"Pod\",\"spec\":{\"containers\":[{\"name\":\"a\"}]}}\n",
		"kind: List\nitems:\n- kind: Pod\n  spec: {containers: [{name: a}]}\n"
		"- kind: Pod\n  spec: {containers: [{name: a}]}\n",
	};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct span before, after;
		struct arena arena;
		struct run r;

		arena_init(&arena, 1 << 20);
		start(&r, native);
		inject(&r, span_from_cstr(texts[i]));
		before = keep(&r, &arena);
		r.settings.image = SPAN("egressbox:2");
		inject(&r, span_from_cstr(texts[i]));
		after = keep(&r, &arena);
		CHECK(!span_eq(before, after));
		inject(&r, before);
		CHECK_ROW(texts[i], r.ok && span_eq(buf_span(&r.out), after));
		CHECK(strncmp(r.event_storage, "update Pod /", 12) == 0);
		CHECK_TEXT(r.c.storage, "");
		/* Another version alone, too. */
		r.settings.version = SPAN("1.1");
		inject(&r, after);
		CHECK(r.ok && r.edits > 0);
		CHECK(strncmp(r.event_storage, "update Pod /", 12) == 0);
		/* And another template. */
		template_fini(&r.template);
		pod_template(&r.template, last);
		inject(&r, before);
		CHECK(r.ok && strstr(buf_cstr(&r.out), "egressbox:1") == NULL);
		end(&r);
		arena_fini(&arena);
	}
}

static void what_is_missing_of_it_is_put_back(void)
{
	struct span injected, behind;
	struct arena arena;
	struct buf text;
	struct run r;
	char *from;

	arena_init(&arena, 1 << 20);
	start(&r, native);
	inject(&r, SPAN("kind: Pod\nspec:\n  containers:\n  - name: a\n"));
	injected = keep(&r, &arena);
	from = strstr(r.out.ptr, "  - name: i\n");
	CHECK(from != NULL);
	behind = span_from_cstr(strstr(from, "  containers:"));
	buf_init_heap(&text, 10000);
	buf_add(&text, span_first(injected, (size_t)(from - r.out.ptr)));
	buf_add(&text, behind);
	inject(&r, buf_span(&text));
	CHECK(r.ok && strstr(buf_cstr(&r.out), "  initContainers:\n  - name: i\n") != NULL);
	CHECK_TEXT(r.event_storage, "update Pod / at 1:1;");
	buf_fini(&text);
	end(&r);
	arena_fini(&arena);
}

static void what_is_reached_by_more_than_one_way_is_written_out(void)
{
	static const struct {
		const char *text, *expected, *warning;
	} rows[] = {
		{"x: &t\n  spec:\n    containers: # c\n    - name: a\nkind: Job\nspec:\n"
		 "  template: *t\n",
		 "x:\n  spec:\n    containers:\n    - name: a\nkind: Job\nspec:\n  template:\n"
		 "    metadata:\n      annotations:\n        " STATUS(
			 NAMES_NATIVE, ",\"created\":[\"initContainers\",\"annotations\","
				       "\"metadata\"]") "\n"
							"    spec:\n      initContainers:\n      - "
							"name: i\n        image: egressbox:1\n"
							"        restartPolicy: Always\n      "
							"containers:\n      - name: a\n",
		 "7:13"},
		/* Only the document that needs it. */
		{"kind: Service # one\n---\n# two\nkind: Pod\n<<: {spec: {containers: [{name: "
		 "a}]}}\n"
		 "---\nkind: Service # three\n",
		 "kind: Service # one\n---\n# two\nkind: Pod\nmetadata:\n  annotations:\n   "
		 " " STATUS(NAMES_NATIVE, ",\"created\":[\"initContainers\",\"annotations\","
					  "\"metadata\"]") "\n"
							   "spec:\n  initContainers:\n  - name: "
							   "i\n    image: egressbox:1\n"
							   "    restartPolicy: Always\n  "
							   "containers:\n  - name: a\n---\n"
							   "kind: Service # three\n",
		 "4:1"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char warning[300];
		struct arena arena;
		struct span injected;
		struct run r;

		arena_init(&arena, 1 << 20);
		start(&r, native);
		inject(&r, span_from_cstr(rows[i].text));
		injected = keep(&r, &arena);
		hide_hashes(&r.out);
		CHECK_TEXT(buf_cstr(&r.out), rows[i].expected);
		snprintf(warning, sizeof warning,
			 "warning: f.yaml:%s: more than one place leads here (an alias or a merge "
			 "key): the document is written out anew, without comments\n",
			 rows[i].warning);
		CHECK_TEXT(r.c.storage, warning);
		CHECK(strncmp(r.event_storage, "inject ", 7) == 0);
		inject(&r, injected);
		CHECK(r.ok && r.edits == 0);
		CHECK_TEXT(r.c.storage, "");
		r.settings.is_uninject = true;
		inject(&r, injected);
		CHECK(r.ok && r.c.text.len == 0);
		CHECK(strstr(buf_cstr(&r.out), "egressbox") == NULL);
		end(&r);
		arena_fini(&arena);
	}
}

static void what_nothing_is_put_into_may_be_shared(void)
{
	static const struct row rows[] = {
		{"kind: Deployment\nspec:\n  selector:\n    matchLabels: "
		 "&l {a: b}\n  template:\n"
		 "    metadata:\n      labels: *l\n    spec:\n      "
		 "containers:\n      - &c {name: a}\n"
		 "      - <<: *c\n        name: b\n",
		 "kind: Deployment\nspec:\n  selector:\n    matchLabels: "
		 "&l {a: b}\n  template:\n"
		 "    metadata:\n      annotations:\n        " STATUS(
			 NAMES_NATIVE, ",\"created\":[\"initContainers\","
				       "\"annotations\"]") "\n"
							   "      labels: *l\n    "
							   "spec:\n      "
							   "initContainers:\n      - "
							   "name: i\n"
							   "        image: egressbox:1\n "
							   "       restartPolicy: "
							   "Always\n      containers:\n"
							   "      - &c {name: a}\n      "
							   "- <<: *c\n        name: b\n",
		 "inject Deployment / at 1:1;"},
	};

	CHECK_ROWS(rows, native);
}

#define HOSTILE(status)                                                                            \
	"kind: Pod\n<<: {metadata: {annotations: {egressbox.io/status: '" status                   \
	"'}}}\nspec: {initContainers: [{name: i}], containers: [{name: a}]}\n"

static void what_is_taken_out_by_more_than_one_way_is_written_out_first(void)
{
	static const char text[] = HOSTILE(
		"{\"version\":\"1\",\"hash\":\"2\",\"initContainers\":"
		"[\"i\"],\"created\":[\"initContainers\",\"annotations\","
		"\"metadata\"]}");
	struct run r;

	start(&r, native);
	r.settings.is_uninject = true;
	inject(&r, span_from_cstr(text));
	CHECK(r.ok);
	CHECK_TEXT(buf_cstr(&r.out), "kind: Pod\nspec:\n  containers:\n  - name: a\n");
	CHECK_TEXT(r.event_storage, "uninject Pod / at 1:1;");
	r.settings.is_uninject = false;
	inject(&r, span_from_cstr(text));
	CHECK(r.ok && strstr(buf_cstr(&r.out), "image: egressbox:1\n") != NULL);
	CHECK_TEXT(r.event_storage, "update Pod / at 1:1;");
	end(&r);
}

static void only_what_was_injected_is_taken_out(void)
{
	struct run r;

	start(&r, native);
	r.settings.is_uninject = true;
	inject(&r,
	       SPAN("kind: Pod\nspec: {containers: [{name: a}], initContainers: [{name: i}]}\n"));
	CHECK(r.ok && r.edits == 0);
	CHECK_TEXT(r.event_storage, "skip Pod / at 1:1: it is not injected;");
	/* Whatever the pod says about being injected. */
	inject(&r,
	       SPAN("kind: Pod\nmetadata: {labels: {egressbox.io/inject: 'false'}, annotations: "
		    "{egressbox.io/status: '{\"version\":\"1\",\"hash\":\"2\"}'}}\n"
		    "spec: {hostNetwork: true, containers: [{name: a}]}\n"));
	CHECK(r.ok && strstr(buf_cstr(&r.out), "status") == NULL);
	CHECK_TEXT(r.event_storage, "uninject Pod / at 1:1;");
	end(&r);
}

static void all_that_is_wrong_is_said_in_one_run(void)
{
	static const char text[] =
		"kind: Pod\nspec: {containers: []}\n"
		"---\nkind: Pod\nmetadata: {labels: {egressbox.io/inject: no}}\n"
		"spec: {containers: [{name: a}]}\n"
		"---\nkind: Pod\nspec: {containers: [{name: i}]}\n"
		"---\nkind: Pod\nkind: Pod\nspec: {containers: [{name: a}]}\n"
		"---\na: b: c\n"
		"---\nkind: List\nitems:\n- kind: Pod\n  spec: {containers: [{name: a, name: b}]}\n"
		"- kind: Pod\n  metadata: {annotations: {egressbox.io/status: mine}}\n"
		"  spec: {containers: [{name: a}]}\n"
		"---\nkind: Pod\nspec: {containers: [{name: a}]}\n";
	struct run r;

	start(&r, native);
	inject(&r, span_from_cstr(text));
	CHECK(!r.ok);
	CHECK_TEXT(
		r.c.storage,
		"f.yaml:2:20: spec.containers: empty: a pod has at least one\n"
		"f.yaml:5:42: metadata.labels.egressbox.io/inject: expected text, found true or "
		"false: put it in quotes\n"
		"f.yaml:9:28: spec.containers[0].name: \"i\" is a name of what is injected: rename "
		"it, or take it out\n"
		"f.yaml:12:1: kind: key is given twice, first on line 11\n"
		"f.yaml:15:5: mapping values are not allowed in this context\n"
		"f.yaml:20:33: items[0].spec.containers[0].name: key is given twice, first on line "
		"20\n"
		"f.yaml:22:49: items[1].metadata.annotations.egressbox.io/status: not as "
		"kube-inject writes it: take out the annotation, and what was injected\n");
	CHECK_TEXT(r.event_storage, "inject Pod / at 25:1;");
	end(&r);
}

static void keys_are_given_once_in_all_of_a_document(void)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		/* Behind an alias, outside of what is injected. */
		{"x: &x\n  spec: {containers: [{name: a}]}\n  spec: 1\nitems:\n- kind: Job\n"
		 "  spec: {template: *x }\n",
		 "f.yaml:3:3: x.spec: key is given twice, first on line 2\n"},
		{"items:\n- kind: Pod\n  spec: {containers: [{name: a}]}\nitems: []\n",
		 "f.yaml:4:1: items: key is given twice, first on line 1\n"},
		/* Said once, and nothing else of it. */
		{"x: 1\nx: 2\nitems:\n- kind: Pod\n  spec: {containers: [{name: a}]}\n"
		 "- kind: Pod\n  spec: {containers: [{name: a}]}\n",
		 "f.yaml:2:1: x: key is given twice, first on line 1\n"},
		/* Without workloads it is nobody's business. */
		{"x: 1\nx: 2\nitems:\n- kind: Service\n", ""},
	};
	struct run r;

	start(&r, native);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		inject(&r, span_from_cstr(rows[i].text));
		CHECK_ROW(rows[i].text, r.ok == (rows[i].expected[0] == '\0'));
		CHECK_TEXT(r.c.storage, rows[i].expected);
		CHECK_TEXT(r.event_storage, "");
	}
	end(&r);
}

static void documents_that_become_too_deep_are_refused(void)
{
	struct buf text;
	struct run r;

	buf_init_heap(&text, 1 << 20);
	buf_add_cstr(&text, "x0: &x0 [a]\n");
	for (int i = 1; i < 100; i++)
		buf_printf(&text, "x%d: &x%d [*x%d ]\n", i, i, i - 1);
	buf_add_cstr(&text, "kind: Pod\n<<: {spec: {containers: [{name: a}]}}\n---\na: b: c\n");
	start(&r, native);
	inject(&r, buf_span(&text));
	CHECK(!r.ok);
	CHECK_TEXT(r.c.storage,
		   "warning: f.yaml:1:1: more than one place leads here (an alias or a merge key): "
		   "the document is written out anew, without comments\n"
		   "f.yaml:1:1: written out, the document is larger than 64 MiB, or nested deeper "
		   "than "
		   "100 levels\n"
		   "f.yaml:104:5: mapping values are not allowed in this context\n");
	end(&r);
	buf_fini(&text);
}

static void pods_that_are_alike_cost_no_more_than_their_edits(void)
{
	struct textedits edits;
	struct buf text;
	struct inject in;
	struct run r;

	buf_init_heap(&text, 1 << 20);
	for (int i = 0; i < 2000; i++)
		buf_printf(&text,
			   "---\nkind: Pod\nmetadata:\n  name: p%d\nspec:\n  containers:\n"
			   "  - name: a\n",
			   i);
	start(&r, native);
	textedit_init(&edits);
	inject_init(&in, &r.settings, &r.template, &r.c.diag);
	CHECK(inject_file(&in, "f.yaml", buf_span(&text), &edits));
	CHECK_INT(edits.count, 4000);
	CHECK(in.arena.used < 20000);
	inject_fini(&in);
	textedit_fini(&edits);
	end(&r);
	buf_fini(&text);
}

static void survives_every_lack_of_memory(void)
{
	static const char *const texts[] = {
		"kind: Pod\nmetadata: {annotations: ~}\nspec:\n  containers:\n  - name: a\n",
		"kind: Pod\n<<: {spec: {containers: [{name: a}]}}\n",
		"kind: Pod\nmetadata: {annotations: {egressbox.io/status: '{\"version\":\"1\","
		"\"hash\":\"2\",\"initContainers\":[\"i\"],\"replaced\":{\"annotations\":\"~\"}}'}}"
		"\n"
		"spec: {initContainers: [{name: i}], containers: [{name: a}]}\n",
	};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0] * 2; i++) {
		struct span text = span_from_cstr(texts[i / 2]), expected;
		struct arena arena;
		struct run r;
		int64_t n = 0;

		arena_init(&arena, 1 << 20);
		start(&r, last);
		r.settings.is_uninject = i % 2 == 1;
		inject(&r, text);
		CHECK_ROW(texts[i / 2], r.ok);
		expected = keep(&r, &arena);
		for (bool is_done = false; !is_done; n++) {
			struct textedits edits;
			struct inject in;

			CHECK(n < 2000);
			textedit_init(&edits);
			collect_init(&r.c);
			inject_init(&in, &r.settings, &r.template, &r.c.diag);
			alloc_fail_after(n);
			is_done = inject_file(&in, "f.yaml", text, &edits);
			alloc_fail_after(-1);
			CHECK_INT(is_done, r.c.diag.errors == 0);
			if (is_done) {
				buf_clear(&r.out);
				textedit_apply(&edits, text, &r.out);
				CHECK(span_eq(buf_span(&r.out), expected));
			}
			inject_fini(&in);
			textedit_fini(&edits);
		}
		end(&r);
		arena_fini(&arena);
	}
}

UNIT_TESTS(TEST(a_native_sidecar_is_put_before_what_can_use_it),
	   TEST(everything_else_is_put_behind_what_is_there),
	   TEST(every_document_and_every_item_is_looked_at), TEST(everything_else_passes_as_it_is),
	   TEST(kinds_that_are_asked_for_may_be_without_pods),
	   TEST(the_pods_words_and_the_flags_fill_the_template_in),
	   TEST(what_was_injected_otherwise_is_brought_up_to_date),
	   TEST(what_is_missing_of_it_is_put_back),
	   TEST(what_is_reached_by_more_than_one_way_is_written_out),
	   TEST(what_nothing_is_put_into_may_be_shared),
	   TEST(what_is_taken_out_by_more_than_one_way_is_written_out_first),
	   TEST(only_what_was_injected_is_taken_out), TEST(all_that_is_wrong_is_said_in_one_run),
	   TEST(keys_are_given_once_in_all_of_a_document),
	   TEST(documents_that_become_too_deep_are_refused),
	   TEST(pods_that_are_alike_cost_no_more_than_their_edits),
	   TEST(survives_every_lack_of_memory))
