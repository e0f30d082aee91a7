#include "inject/policy.h"

#define OURS "egressbox.io/"
#define ISTIO_TRAFFIC "traffic.sidecar.istio.io/"
#define ISTIO_INJECT "sidecar.istio.io/inject"

/* Those of Istio, then and now, and of Kubernetes and its tools. */
static const char *const system_namespaces[] = {"kube-system", "kube-public", "kube-node-lease",
						"local-path-storage", "istio-system"};

/* Where the template's labels or annotations are, for complaints. */
struct map {
	const struct ydoc_node *node; /* NULL: there is none */
	struct ydoc_path metadata, path;
	struct ykeys_context context;
};

static bool find_map(const struct kube_workload *w, const char *key, struct map *m)
{
	const struct ydoc_node *node = ydoc_get(w->metadata, span_from_cstr(key));

	m->metadata = (struct ydoc_path){.parent = w->context.path, .key = "metadata"};
	m->path = (struct ydoc_path){.parent = &m->metadata, .key = key};
	m->context = (struct ykeys_context){w->context.diag, w->context.file, &m->path};
	m->node = ydoc_is_absent(node) ? NULL : node;
	if (m->node == NULL || m->node->kind == YDOC_MAPPING)
		return true;
	return ykeys_report(&m->context, DIAG_ERROR, m->node->pos, NULL,
			    "expected a mapping, found %s", ydoc_describe(m->node));
}

/* The value of a label or annotation, NULL when there is none. False when it is no text. */
static bool get_text(const struct map *m, const char *key, const struct ydoc_node **value)
{
	*value = ydoc_get(m->node, span_from_cstr(key));
	if (*value == NULL)
		return true;
	if ((*value)->kind == YDOC_SCALAR && ydoc_scalar_type(*value) == YDOC_TEXT)
		return true;
	return ykeys_report(&m->context, DIAG_ERROR, (*value)->pos, key,
			    "expected text, found %s: put it in quotes", ydoc_describe(*value));
}

enum answer {
	NO_ANSWER,
	ANSWER_YES,
	ANSWER_NO,
};

static bool ask(const struct map *m, const char *key, enum answer *answer)
{
	const struct ydoc_node *value;
	char shown[YDOC_ESCAPED_MAX];

	if (*answer != NO_ANSWER)
		return true;
	if (!get_text(m, key, &value))
		return false;
	if (value == NULL || value->text.len == 0)
		return true;
	if (span_eq(value->text, SPAN("true")))
		*answer = ANSWER_YES;
	else if (span_eq(value->text, SPAN("false")))
		*answer = ANSWER_NO;
	else
		return ykeys_report(&m->context, DIAG_WARNING, value->pos, key,
				    "\"%s\" is no answer and is not counted: expected \"true\" or "
				    "\"false\"",
				    ydoc_escape(value->text, shown));
	return true;
}

static bool is_system(struct span namespace)
{
	size_t count = sizeof system_namespaces / sizeof system_namespaces[0];

	for (size_t i = 0; i < count; i++)
		if (span_eq(namespace, span_from_cstr(system_namespaces[i])))
			return true;
	return false;
}

static bool read_host_network(const struct kube_workload *w, bool *is_host)
{
	const struct ydoc_node *node = ydoc_get(w->spec, SPAN("hostNetwork"));
	struct ydoc_path path = {.parent = w->context.path, .key = "spec"};
	struct ykeys_context context = {w->context.diag, w->context.file, &path};

	*is_host = false;
	if (ydoc_is_absent(node))
		return true;
	if (node->kind != YDOC_SCALAR || ydoc_scalar_type(node) != YDOC_BOOL)
		return ykeys_report(&context, DIAG_ERROR, node->pos, "hostNetwork",
				    "expected true or false, found %s", ydoc_describe(node));
	*is_host = ydoc_is_true(node);
	return true;
}

static bool says_windows(const struct ydoc_node *mapping, const char *key)
{
	const struct ydoc_node *os = ydoc_get(mapping, span_from_cstr(key));

	return os != NULL && os->kind == YDOC_SCALAR && span_eq(os->text, SPAN("windows"));
}

static bool is_windows(const struct kube_workload *w)
{
	const struct ydoc_node *selector = ydoc_get(w->spec, SPAN("nodeSelector"));

	return says_windows(ydoc_get(w->spec, SPAN("os")), "name") ||
	       says_windows(selector, "kubernetes.io/os") ||
	       says_windows(selector, "beta.kubernetes.io/os");
}

static bool read_skip(const struct kube_workload *w, const struct inject_settings *settings,
		      const struct map *labels, const struct map *annotations, const char **reason)
{
	struct span namespace = w->namespace.len > 0 ? w->namespace : settings->namespace;
	enum answer ours = NO_ANSWER, istio = NO_ANSWER;
	bool is_host, ok;

	ok = ask(labels, OURS "inject", &ours);
	ok = ask(annotations, OURS "inject", &ours) && ok;
	ok = ask(labels, ISTIO_INJECT, &istio) && ok;
	ok = ask(annotations, ISTIO_INJECT, &istio) && ok;
	ok = read_host_network(w, &is_host) && ok;
	if (!ok)
		return false;
	if (is_host)
		*reason = "it is on the host's network (hostNetwork: true)";
	else if (is_system(namespace))
		*reason = "its namespace is the system's";
	else if (is_windows(w))
		*reason = "its operating system is Windows";
	else if (ours == ANSWER_NO)
		*reason = OURS "inject says \"false\"";
	else if (ours == NO_ANSWER && istio == ANSWER_NO)
		*reason = ISTIO_INJECT " says \"false\"";
	return true;
}

/* One annotation, ours or Istio's, into the place of the flag. */
static bool read_capture(const struct map *annotations, const char *prefix,
			 enum capture_field field, struct arena *arena, struct capture *capture)
{
	const struct ydoc_node *value;
	char key_storage[96], note_storage[512];
	struct buf key, note;
	struct error e;

	BUF_INIT_ARRAY(&key, key_storage);
	BUF_INIT_ARRAY(&note, note_storage);
	buf_printf(&key, "%s%s", prefix, capture_annotations[field]);
	if (!get_text(annotations, buf_cstr(&key), &value))
		return false;
	if (value == NULL)
		return true;
	if (!capture_parse(capture, field, value->text, arena, &note, &e))
		return ykeys_report(&annotations->context, DIAG_ERROR, value->pos, buf_cstr(&key),
				    "%s", e.text);
	if (note.len > 0)
		ykeys_report(&annotations->context, DIAG_NOTE, value->pos, buf_cstr(&key), "%s",
			     buf_cstr(&note));
	return true;
}

static bool read_captures(const struct map *annotations, struct arena *arena,
			  struct capture *capture)
{
	bool ok = true;

	if (annotations->node == NULL)
		return true;
	for (int i = 0; i < CAPTURE_FIELD_COUNT; i++) {
		enum capture_field field = (enum capture_field)i;

		ok = read_capture(annotations, ISTIO_TRAFFIC, field, arena, capture) && ok;
		ok = read_capture(annotations, OURS, field, arena, capture) && ok;
	}
	return ok;
}

bool policy_read(const struct kube_workload *w, const struct inject_settings *settings,
		 struct arena *arena, struct policy *out)
{
	struct map labels, annotations;
	bool ok;

	*out = (struct policy){.capture = settings->capture};
	/* One after the other, whatever it says: all that is wrong is said in one run. */
	ok = find_map(w, "labels", &labels);
	ok = find_map(w, "annotations", &annotations) && ok;
	if (!ok)
		return false;
	ok = read_skip(w, settings, &labels, &annotations, &out->skip_reason);
	if (out->skip_reason == NULL)
		ok = read_captures(&annotations, arena, &out->capture) && ok;
	return ok;
}
