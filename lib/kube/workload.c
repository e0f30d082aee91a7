#include "kube/workload.h"

/* A kind, the API groups that it was ever in, and the way from the object to its pod template. */
struct kind {
	const char *name;
	const char *groups[3];
	const char *const *path; /* ends in NULL */
};

static const char *const no_path[] = {NULL};
static const char *const template_path[] = {"spec", "template", NULL};
static const char *const cron_path[] = {"spec", "jobTemplate", "spec", "template", NULL};

static const struct kind kinds[] = {
	{"Pod", {""}, no_path},
	{"ReplicationController", {""}, template_path},
	{"Deployment", {"apps", "extensions"}, template_path},
	{"DaemonSet", {"apps", "extensions"}, template_path},
	{"ReplicaSet", {"apps", "extensions"}, template_path},
	{"StatefulSet", {"apps"}, template_path},
	{"Job", {"batch", "extensions"}, template_path},
	{"CronJob", {"batch"}, cron_path},
	{"DeploymentConfig", {"apps.openshift.io", ""}, template_path},
};

static struct span text_of(const struct ydoc_node *node)
{
	return ydoc_is_value(node) ? node->text : SPAN("");
}

const struct ydoc_node *kube_workload_list(const struct ydoc_node *root)
{
	const struct ydoc_node *items = ydoc_get(root, SPAN("items"));

	return items != NULL && items->kind == YDOC_SEQUENCE ? items : NULL;
}

/* The group of an apiVersion: what is before the slash, nothing for `v1`. */
static struct span group_of(struct span api_version)
{
	size_t slash = span_find(api_version, '/');

	return slash == SIZE_MAX ? SPAN("") : span_first(api_version, slash);
}

static bool is_in_group(const struct kind *kind, struct span api_version)
{
	if (api_version.len == 0)
		return true;
	for (size_t i = 0; i < sizeof kind->groups / sizeof kind->groups[0]; i++)
		if (kind->groups[i] != NULL &&
		    span_eq(group_of(api_version), span_from_cstr(kind->groups[i])))
			return true;
	return false;
}

static const struct kind *find_kind(struct span name, struct span api_version)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (span_eq(name, span_from_cstr(kinds[i].name)))
			return is_in_group(&kinds[i], api_version) ? &kinds[i] : NULL;
	return NULL;
}

/* KIND, or KIND.GROUP */
static bool is_asked_for(const struct kube_workload_kinds *asked, struct span name,
			 struct span api_version)
{
	for (size_t i = 0; i < asked->count; i++) {
		struct span also = span_from_cstr(asked->also[i]);
		size_t dot = span_find(also, '.');

		if (span_eq(name, span_first(also, dot)) &&
		    (dot == SIZE_MAX || span_eq(group_of(api_version), span_from(also, dot + 1))))
			return true;
	}
	return false;
}

static void share(struct kube_workload *w, struct ydoc_pos pos)
{
	if (!w->is_shared)
		w->shared_at = pos;
	w->is_shared = true;
}

/* An entry's value, noting whether its text is there once and where it is read. */
static const struct ydoc_node *follow(struct kube_workload *w, const struct ydoc_item *item)
{
	if (item->key_alias != NULL)
		share(w, item->key_alias->pos);
	if (item->value_alias != NULL)
		share(w, item->value_alias->pos);
	else if (item->value->is_aliased)
		share(w, item->value->pos);
	return item->value;
}

/* The same for what a mapping has under a key, itself or by a merge. NULL when it is absent. */
static const struct ydoc_node *step(struct kube_workload *w, const struct ydoc_node *node,
				    struct span key)
{
	const struct ydoc_item *own = ydoc_find(node, key);
	const struct ydoc_node *value = own != NULL ? follow(w, own) : ydoc_get(node, key);

	if (ydoc_is_absent(value))
		return NULL;
	if (own == NULL)
		share(w, node->pos);
	return value;
}

static void enter(struct kube_workload *w, const char *key, size_t index)
{
	struct ydoc_path *path = &w->path[w->path_len];

	*path = (struct ydoc_path){.parent = w->context.path, .key = key, .index = index};
	w->context.path = path;
	w->path_len++;
}

/* A mapping that must be there. */
static const struct ydoc_node *need_mapping(struct kube_workload *w, const struct ydoc_node *node,
					    const char *key)
{
	const struct ydoc_node *value = step(w, node, span_from_cstr(key));

	if (value != NULL && value->kind == YDOC_MAPPING)
		return value;
	if (value != NULL)
		ykeys_report(&w->context, DIAG_ERROR, value->pos, key,
			     "expected a mapping, found %s", ydoc_describe(value));
	else
		ykeys_report(&w->context, DIAG_ERROR, node->pos, key, "missing");
	return NULL;
}

static bool read_template(struct kube_workload *w, const struct ydoc_node *object,
			  const char *const *path)
{
	const struct ydoc_node *node = object;

	for (; *path != NULL; path++) {
		node = need_mapping(w, node, *path);
		if (node == NULL)
			return false;
		enter(w, *path, 0);
	}
	w->template = node;
	return true;
}

static bool read_containers(struct kube_workload *w)
{
	struct ydoc_path path = {.parent = w->context.path, .key = "spec"};
	struct ykeys_context context = {w->context.diag, w->context.file, &path};
	const struct ydoc_node *containers;

	containers = ydoc_get(w->spec, SPAN("containers"));
	if (ydoc_is_absent(containers))
		return ykeys_report(&context, DIAG_ERROR, w->spec->pos, "containers",
				    "missing: a pod has at least one");
	if (containers->kind != YDOC_SEQUENCE)
		return ykeys_report(&context, DIAG_ERROR, containers->pos, "containers",
				    "expected a list, found %s", ydoc_describe(containers));
	if (containers->items == NULL)
		return ykeys_report(&context, DIAG_ERROR, containers->pos, "containers",
				    "empty: a pod has at least one");
	w->containers = containers;
	return true;
}

static bool read_metadata(struct kube_workload *w)
{
	const struct ydoc_node *metadata = ydoc_get(w->template, SPAN("metadata"));

	if (!ydoc_is_absent(metadata) && metadata->kind != YDOC_MAPPING)
		return ykeys_report(&w->context, DIAG_ERROR, metadata->pos, "metadata",
				    "expected a mapping, found %s", ydoc_describe(metadata));
	w->metadata = ydoc_is_absent(metadata) ? NULL : metadata;
	return true;
}

static void read_identity(struct kube_workload *w, const struct ydoc_node *object)
{
	const struct ydoc_node *metadata = ydoc_get(object, SPAN("metadata"));

	w->name = text_of(ydoc_get(metadata, SPAN("name")));
	if (w->name.len == 0)
		w->name = text_of(ydoc_get(metadata, SPAN("generateName")));
	w->namespace = text_of(ydoc_get(metadata, SPAN("namespace")));
}

/* A typed List, such as a DeploymentList from the API, leaves kind and version to its own. */
static void identify(const struct kube_workload_object *object, struct span *kind,
		     struct span *api_version)
{
	struct span of_list = text_of(ydoc_get(object->list, SPAN("kind")));

	*kind = text_of(ydoc_get(object->node, SPAN("kind")));
	*api_version = text_of(ydoc_get(object->node, SPAN("apiVersion")));
	if (kind->len > 0 || of_list.len <= 4 || !span_ends_with(of_list, SPAN("List")))
		return;
	*kind = span_first(of_list, of_list.len - 4);
	if (api_version->len == 0)
		*api_version = text_of(ydoc_get(object->list, SPAN("apiVersion")));
}

/* Of a kind that was asked for: what says whether it has pods to speak of. */
static enum kube_workload_result judge_asked(const struct ydoc_node *object)
{
	const struct ydoc_node *template = ydoc_get(ydoc_get(object, SPAN("spec")),
						    SPAN("template"));

	if (ydoc_is_absent(template))
		return KUBE_WORKLOAD_NONE;
	if (ydoc_is_absent(ydoc_get(ydoc_get(template, SPAN("spec")), SPAN("containers"))))
		return KUBE_WORKLOAD_EMPTY;
	return KUBE_WORKLOAD_FOUND;
}

static bool read_workload(struct kube_workload *w, const struct kube_workload_object *object,
			  const char *const *path)
{
	bool ok;

	if (object->item != NULL) {
		const struct ydoc_item *items = ydoc_find(object->list, SPAN("items"));

		if (items != NULL)
			follow(w, items);
		else
			share(w, object->list->pos);
		follow(w, object->item);
	}
	if (!read_template(w, object->node, path))
		return false;
	w->spec = need_mapping(w, w->template, "spec");
	/* All that is wrong is said in one run. */
	ok = w->spec != NULL && read_containers(w);
	return read_metadata(w) && ok;
}

enum kube_workload_result kube_workload_read(struct kube_workload *w, const char *file,
					     struct diag *diag,
					     const struct kube_workload_object *object,
					     const struct kube_workload_kinds *asked)
{
	struct span api_version;
	const struct kind *known;
	enum kube_workload_result result;
	bool is_asked;

	*w = (struct kube_workload){.pos = object->node->pos,
				    .context = {.diag = diag, .file = file}};
	if (object->node->kind != YDOC_MAPPING)
		return KUBE_WORKLOAD_NONE;
	identify(object, &w->kind, &api_version);
	known = find_kind(w->kind, api_version);
	is_asked = known == NULL && is_asked_for(asked, w->kind, api_version);
	if (known == NULL && !is_asked)
		return KUBE_WORKLOAD_NONE;
	read_identity(w, object->node);
	if (object->item != NULL) {
		enter(w, "items", 0);
		enter(w, NULL, object->index);
	}
	result = is_asked ? judge_asked(object->node) : KUBE_WORKLOAD_FOUND;
	if (result == KUBE_WORKLOAD_FOUND &&
	    !read_workload(w, object, known != NULL ? known->path : template_path))
		return KUBE_WORKLOAD_BAD;
	return result;
}
