#include "../unit.h"

#include "../ydoc/document.h"
#include "kube/workload.h"

static const char *const also[] = {"Rollout", "Service.serving.knative.dev", "Odd."};
static const struct kube_workload_kinds kinds = {also, 3};

static void add_path(struct buf *out, const struct ydoc_path *path)
{
	if (path == NULL)
		return;
	add_path(out, path->parent);
	if (path->key != NULL)
		buf_printf(out, "%s%s", out->len > 0 ? "." : "", path->key);
	else
		buf_printf(out, "[%zu]", path->index);
}

/* "KIND NAMESPACE/NAME at LINE:COL PATH [shared at LINE:COL]", or what else became of it. */
static void read_object(struct document *d, const struct kube_workload_object *object,
			struct buf *out)
{
	static const char *const words[] = {"none", "found", "bad", "empty"};
	struct kube_workload w;
	enum kube_workload_result result;
	char storage[100];
	struct buf path;

	result = kube_workload_read(&w, "f.yaml", &d->c.diag, object, &kinds);
	if (result != KUBE_WORKLOAD_FOUND) {
		buf_printf(out, "%s;", words[result]);
		return;
	}
	CHECK(w.template->kind == YDOC_MAPPING && w.spec->kind == YDOC_MAPPING);
	CHECK(w.containers->kind == YDOC_SEQUENCE && w.containers->items != NULL);
	CHECK(w.spec == ydoc_get(w.template, SPAN("spec")));
	CHECK(w.metadata == NULL || w.metadata == ydoc_get(w.template, SPAN("metadata")));
	BUF_INIT_ARRAY(&path, storage);
	add_path(&path, w.context.path);
	buf_printf(out, "%.*s %.*s/%.*s at %u:%u %s", SPAN_ARG(w.kind), SPAN_ARG(w.namespace),
		   SPAN_ARG(w.name), w.pos.line, w.pos.col, path.len > 0 ? storage : "-");
	if (w.is_shared)
		buf_printf(out, " shared at %u:%u", w.shared_at.line, w.shared_at.col);
	buf_add_byte(out, ';');
}

static void read_document(struct document *d, struct buf *out)
{
	const struct ydoc_node *list = kube_workload_list(d->root);
	struct kube_workload_object object = {.node = d->root};

	if (list == NULL) {
		read_object(d, &object, out);
		return;
	}
	object.list = d->root;
	for (const struct ydoc_item *i = list->items; i != NULL; i = i->next, object.index++) {
		object.item = i;
		object.node = i->value;
		read_object(d, &object, out);
	}
}

struct row {
	const char *text, *expected;
};

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char storage[2000];
		struct document d;
		struct buf out;

		BUF_INIT_ARRAY(&out, storage);
		document_open(&d, span_from_cstr(rows[i].text));
		read_document(&d, &out);
		buf_add(&out, buf_span(&d.c.text));
		document_close(&d);
		if (strcmp(storage, rows[i].expected) != 0)
			unit_fail(__FILE__, __LINE__, "[%s]\n got %s\nwant %s", rows[i].text,
				  storage, rows[i].expected);
	}
}
#define CHECK_ROWS(rows) check_rows((rows), sizeof(rows) / sizeof(rows)[0])

#define POD "spec: {containers: [{name: a}]}"
#define TEMPLATE "spec: {template: {" POD "}}\n"

static void finds_the_template_of_each_kind(void)
{
	static const struct row rows[] = {
		{"apiVersion: v1\nkind: Pod\n" POD "\n", "Pod / at 1:1 -;"},
		{"kind: Pod\n" POD "\n", "Pod / at 1:1 -;"},
		{"apiVersion: v1\nkind: ReplicationController\n" TEMPLATE,
		 "ReplicationController / at 1:1 spec.template;"},
		{"apiVersion: apps/v1\nkind: Deployment\n" TEMPLATE,
		 "Deployment / at 1:1 spec.template;"},
		{"apiVersion: apps/v1beta1\nkind: Deployment\n" TEMPLATE,
		 "Deployment / at 1:1 spec.template;"},
		{"apiVersion: extensions/v1beta1\nkind: Deployment\n" TEMPLATE,
		 "Deployment / at 1:1 spec.template;"},
		{"apiVersion: apps/v1\nkind: DaemonSet\n" TEMPLATE,
		 "DaemonSet / at 1:1 spec.template;"},
		{"apiVersion: extensions/v1beta1\nkind: DaemonSet\n" TEMPLATE,
		 "DaemonSet / at 1:1 spec.template;"},
		{"apiVersion: apps/v1\nkind: ReplicaSet\n" TEMPLATE,
		 "ReplicaSet / at 1:1 spec.template;"},
		{"apiVersion: extensions/v1beta1\nkind: ReplicaSet\n" TEMPLATE,
		 "ReplicaSet / at 1:1 spec.template;"},
		{"apiVersion: apps/v1beta2\nkind: StatefulSet\n" TEMPLATE,
		 "StatefulSet / at 1:1 spec.template;"},
		{"apiVersion: batch/v1\nkind: Job\n" TEMPLATE, "Job / at 1:1 spec.template;"},
		{"apiVersion: extensions/v1beta1\nkind: Job\n" TEMPLATE,
		 "Job / at 1:1 spec.template;"},
		{"apiVersion: batch/v2alpha1\nkind: CronJob\nspec: {jobTemplate: {" TEMPLATE "}}\n",
		 "CronJob / at 1:1 spec.jobTemplate.spec.template;"},
		{"apiVersion: v1\nkind: DeploymentConfig\n" TEMPLATE,
		 "DeploymentConfig / at 1:1 spec.template;"},
		{"apiVersion: apps.openshift.io/v1\nkind: DeploymentConfig\n" TEMPLATE,
		 "DeploymentConfig / at 1:1 spec.template;"},
	};

	CHECK_ROWS(rows);
}

static void passes_over_what_is_another_kind(void)
{
	static const struct row rows[] = {
		{"kind: Service\n" TEMPLATE, "none;"},
		{"apiVersion: serving.example/v1\nkind: Deployment\n" TEMPLATE, "none;"},
		{"apiVersion: apps/v1\nkind: Pod\n" POD "\n", "none;"},
		{"apiVersion: apps/v1\nkind: Job\n" TEMPLATE, "none;"},
		{"kind: pod\n" POD "\n", "none;"},
		{"kind: [Pod]\n" POD "\n", "none;"},
		{"kind: ~\n" POD "\n", "none;"},
		{POD "\n", "none;"},
		{"[" POD "]\n", "none;"},
		{"text\n", "none;"},
	};

	CHECK_ROWS(rows);
}

static void takes_kinds_that_are_asked_for_if_they_have_pods(void)
{
	static const struct row rows[] = {
		{"kind: Rollout\n" TEMPLATE, "Rollout / at 1:1 spec.template;"},
		{"apiVersion: argoproj.io/v1\nkind: Rollout\n" TEMPLATE,
		 "Rollout / at 1:1 spec.template;"},
		{"apiVersion: serving.knative.dev/v1\nkind: Service\n" TEMPLATE,
		 "Service / at 1:1 spec.template;"},
		{"apiVersion: v1\nkind: Service\n" TEMPLATE, "none;"},
		{"apiVersion: serving.knative.dev/v1\nkind: Service\nspec: {}\n", "none;"},
		{"kind: Rollout\nspec: {template: ~}\n", "none;"},
		{"kind: Rollout\nspec: {template: {spec: {}}}\n", "empty;"},
		{"kind: Rollout\nspec: {template: {a: b}}\n", "empty;"},
		{"kind: Rollout\nspec: {template: {spec: {containers: []}}}\n",
		 "bad;f.yaml:2:38: spec.template.spec.containers: empty: a pod has at least "
		 "one\n"},
		/* A dot with nothing behind it: only of the core's group. */
		{"apiVersion: v1\nkind: Odd\n" TEMPLATE, "Odd / at 1:1 spec.template;"},
		{"apiVersion: x/v1\nkind: Odd\n" TEMPLATE, "none;"},
	};

	CHECK_ROWS(rows);
}

static void opens_lists_once(void)
{
	static const struct row rows[] = {
		{"kind: List\nitems:\n- kind: Pod\n  " POD "\n- kind: Service\n- kind: Job\n"
		 "  metadata: {name: j}\n  " TEMPLATE,
		 "Pod / at 3:3 items[0];none;Job /j at 6:3 items[2].spec.template;"},
		{"kind: PodList\napiVersion: v1\nitems:\n- " POD "\n", "Pod / at 4:3 items[0];"},
		{"kind: DeploymentList\napiVersion: apps/v1\nitems:\n- " TEMPLATE,
		 "Deployment / at 4:3 items[0].spec.template;"},
		{"kind: DeploymentList\napiVersion: x/v1\nitems:\n- " TEMPLATE, "none;"},
		{"kind: PodList\nitems:\n- {apiVersion: apps/v1, " POD "}\n", "none;"},
		{"kind: List\nitems:\n- " POD "\n", "none;"},
		{"kind: List\nitems:\n- kind: List\n  items:\n  - kind: Pod\n    " POD "\n",
		 "none;"},
		{"kind: List\nitems: [1, [a], ~]\n", "none;none;none;"},
		{"kind: List\nitems: []\n", ""},
		{"kind: List\nitems: {}\n", "none;"},
		/* Whatever its kind. */
		{"kind: Pod\nitems:\n- kind: Pod\n  " POD "\n", "Pod / at 3:3 items[0];"},
	};

	CHECK_ROWS(rows);
}

static void knows_names_and_namespaces(void)
{
	static const struct row rows[] = {
		{"kind: Pod\nmetadata: {name: a, namespace: b}\n" POD "\n", "Pod b/a at 1:1 -;"},
		{"kind: Pod\nmetadata: {generateName: a-}\n" POD "\n", "Pod /a- at 1:1 -;"},
		{"kind: Pod\nmetadata: {name: a, generateName: b-}\n" POD "\n", "Pod /a at 1:1 -;"},
		{"kind: Pod\nmetadata: {name: 80, namespace: ~}\n" POD "\n", "Pod /80 at 1:1 -;"},
		{"kind: Pod\nmetadata: {name: [a], namespace: {}}\n" POD "\n", "Pod / at 1:1 -;"},
		/* Those of the object, not of its template. */
		{"kind: Job\nmetadata: {name: a}\nspec: {template: {metadata: {name: b, namespace: "
		 "c}, " POD "}}\n",
		 "Job /a at 1:1 spec.template;"},
	};

	CHECK_ROWS(rows);
}

static void says_what_is_missing_or_wrong(void)
{
	static const struct row rows[] = {
		{"kind: Pod\n", "bad;f.yaml:1:1: spec: missing\n"},
		{"kind: Pod\nspec:\n", "bad;f.yaml:1:1: spec: missing\n"},
		{"kind: Pod\nspec: [a]\n",
		 "bad;f.yaml:2:7: spec: expected a mapping, found a list\n"},
		{"kind: Pod\nspec: {}\n",
		 "bad;f.yaml:2:7: spec.containers: missing: a pod has at least one\n"},
		{"kind: Pod\nspec: {containers: ~}\n",
		 "bad;f.yaml:2:7: spec.containers: missing: a pod has at least one\n"},
		{"kind: Pod\nspec: {containers: []}\n",
		 "bad;f.yaml:2:20: spec.containers: empty: a pod has at least one\n"},
		{"kind: Pod\nspec: {containers: {a: b}}\n",
		 "bad;f.yaml:2:20: spec.containers: expected a list, found a mapping\n"},
		{"kind: Pod\nmetadata: 1\n" POD "\n",
		 "bad;f.yaml:2:11: metadata: expected a mapping, found a number\n"},
		{"kind: Deployment\n", "bad;f.yaml:1:1: spec: missing\n"},
		{"kind: Deployment\nspec: {}\n", "bad;f.yaml:2:7: spec.template: missing\n"},
		{"kind: Deployment\nspec: {template: a}\n",
		 "bad;f.yaml:2:18: spec.template: expected a mapping, found text\n"},
		{"kind: Deployment\nspec: {template: {}}\n",
		 "bad;f.yaml:2:18: spec.template.spec: missing\n"},
		{"kind: CronJob\nspec: {jobTemplate: {spec: {template: {spec: 1}}}}\n",
		 "bad;f.yaml:2:46: spec.jobTemplate.spec.template.spec: expected a mapping, found "
		 "a number\n"},
		{"kind: List\nitems:\n- kind: Pod\n- kind: Pod\n  " POD "\n- kind: CronJob\n"
		 "  spec: {jobTemplate: {spec: {template: {spec: {}}}}}\n",
		 "bad;Pod / at 4:3 items[1];bad;f.yaml:3:3: items[0].spec: missing\n"
		 "f.yaml:7:48: items[2].spec.jobTemplate.spec.template.spec.containers: missing: a "
		 "pod has at least one\n"},
	};

	CHECK_ROWS(rows);
}

static void knows_when_text_is_not_the_templates_alone(void)
{
	static const struct row rows[] = {
		{"x: &p {containers: [{name: a}]}\nkind: Pod\nspec: *p\n",
		 "Pod / at 1:1 - shared at 3:7;"},
		{"kind: Pod\nspec: &p {containers: [{name: a}]}\nx: *p\n",
		 "Pod / at 1:1 - shared at 2:7;"},
		{"x: &k spec\nkind: Pod\n*k : {containers: [{name: a}]}\n",
		 "Pod / at 1:1 - shared at 3:1;"},
		{"kind: Pod\n<<: {" POD "}\n", "Pod / at 1:1 - shared at 1:1;"},
		{"x: &t {" POD "}\nkind: Job\nspec:\n  template: *t\n",
		 "Job / at 1:1 spec.template shared at 4:13;"},
		{"x: &t {" POD "}\nkind: Job\nspec:\n  template:\n    <<: *t\n",
		 "Job / at 1:1 spec.template shared at 5:5;"},
		/* The first place counts. */
		{"x: &s {template: &t {" POD "}}\ny: *t\nkind: Job\nspec: *s\n",
		 "Job / at 1:1 spec.template shared at 4:7;"},
		{"kind: List\nitems:\n- &p {kind: Pod, " POD "}\n- *p\n",
		 "Pod / at 3:3 items[0] shared at 3:3;Pod / at 3:3 items[1] shared at 4:3;"},
		{"x: &i [{kind: Pod, " POD "}]\nitems: *i\n",
		 "Pod / at 1:8 items[0] shared at 2:8;"},
		{"items: &i [{kind: Pod, " POD "}]\nx: *i\n",
		 "Pod / at 1:12 items[0] shared at 1:8;"},
		{"a: b\n<<: {items: [{kind: Pod, " POD "}]}\n",
		 "Pod / at 2:14 items[0] shared at 1:1;"},
		/* Elsewhere it does not matter. */
		{"x: &m {name: a}\nkind: Pod\nmetadata: *m\nspec: &s {containers: &c [{name: a}], "
		 "y: *c}\n",
		 "Pod /a at 1:1 -;"},
	};

	CHECK_ROWS(rows);
}

UNIT_TESTS(TEST(finds_the_template_of_each_kind), TEST(passes_over_what_is_another_kind),
	   TEST(takes_kinds_that_are_asked_for_if_they_have_pods), TEST(opens_lists_once),
	   TEST(knows_names_and_namespaces), TEST(says_what_is_missing_or_wrong),
	   TEST(knows_when_text_is_not_the_templates_alone))
