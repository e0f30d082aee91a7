#include "inject/content.h"

#include "ydoc/ynode.h"

/* Made contents that are looked through; with more kinds of pods than that they are made again. */
#define LOOKED_THROUGH 64

const struct yedit_place *content_places(bool is_native)
{
	static const struct yedit_place native[] = {
		{"metadata", false, "spec"}, {"initContainers", false, "containers"},
		{"containers", true, NULL},  {"volumes", true, "containers"},
		{NULL, false, NULL},
	};
	static const struct yedit_place last[] = {
		{"metadata", false, "spec"}, {"initContainers", true, "containers"},
		{"containers", true, NULL},  {"volumes", true, "containers"},
		{NULL, false, NULL},
	};

	return is_native ? native : last;
}

/* ---- What a pod needs ---- */

static void look_at_key(const struct ydoc_node *parent, struct content_need *need, unsigned key)
{
	const struct ydoc_node *value = ydoc_get(parent, span_from_cstr(status_key_name(key)));

	need->replaced[key] = SPAN("");
	if (value == NULL)
		need->is_created[key] = true;
	else if (value->kind == YDOC_SCALAR)
		need->replaced[key] = value->text;
}

/* By position, the entries of a section whose keys the pod has too. */
static uint64_t own_mask(const struct kube_workload *w, const struct ydoc_node *section,
			 const char *key)
{
	const struct ydoc_node *own = ydoc_get(w->metadata, span_from_cstr(key));
	uint64_t mask = 0, bit = 1;

	if (section == NULL || own == NULL)
		return 0;
	for (const struct ydoc_item *i = section->items; i != NULL; i = i->next, bit <<= 1)
		if (ydoc_get(own, i->key->text) != NULL)
			mask |= bit;
	return mask;
}

static struct content_need look_at_pod(const struct kube_workload *w,
				       const struct template_instance *instance)
{
	struct content_need need = {.instance = instance};

	look_at_key(w->template, &need, STATUS_METADATA);
	/* The status itself is always an annotation. */
	look_at_key(w->metadata, &need, TEMPLATE_ANNOTATIONS);
	if (instance->sections[TEMPLATE_LABELS] != NULL)
		look_at_key(w->metadata, &need, TEMPLATE_LABELS);
	if (instance->sections[TEMPLATE_INIT_CONTAINERS] != NULL)
		look_at_key(w->spec, &need, TEMPLATE_INIT_CONTAINERS);
	if (instance->sections[TEMPLATE_VOLUMES] != NULL)
		look_at_key(w->spec, &need, TEMPLATE_VOLUMES);
	need.own_annotations = own_mask(w, instance->sections[TEMPLATE_ANNOTATIONS], "annotations");
	need.own_labels = own_mask(w, instance->sections[TEMPLATE_LABELS], "labels");
	return need;
}

static bool is_same(const struct content_need *a, const struct content_need *b)
{
	for (unsigned key = 0; key < STATUS_KEY_COUNT; key++)
		if (a->is_created[key] != b->is_created[key] ||
		    !span_eq(a->replaced[key], b->replaced[key]))
			return false;
	return a->instance == b->instance && a->own_annotations == b->own_annotations &&
	       a->own_labels == b->own_labels;
}

/* ---- The tree ---- */

/* Once something fails, nothing more is made. */
struct maker {
	struct arena *arena;
	bool is_out_of_memory;
};

static const struct ydoc_node *check(struct maker *m, const struct ydoc_node *made)
{
	m->is_out_of_memory = m->is_out_of_memory || made == NULL;
	return made;
}

static void put(struct maker *m, struct ynode_list *list, const struct ydoc_node *key,
		const struct ydoc_node *value)
{
	if (key == NULL || value == NULL || !ynode_hang(list, m->arena, key, value))
		m->is_out_of_memory = true;
}

static void put_key(struct maker *m, struct ynode_list *list, const char *key,
		    const struct ydoc_node *value)
{
	put(m, list, ynode_text(m->arena, span_from_cstr(key)), value);
}

static void put_mapping(struct maker *m, struct ynode_list *list, const char *key,
			const struct ynode_list *entries)
{
	if (entries->first != NULL)
		put_key(m, list, key, ynode_collection(m->arena, YDOC_MAPPING, entries));
}

static const struct ydoc_node *make_root(struct maker *m, const struct template_instance *instance,
					 struct span status)
{
	const struct ydoc_node *own = instance->sections[TEMPLATE_ANNOTATIONS];
	struct ynode_list annotations = {.count = 0}, metadata = {.count = 0};
	struct ynode_list spec = {.count = 0}, root = {.count = 0};

	put_key(m, &annotations, STATUS_ANNOTATION, ynode_text(m->arena, status));
	for (const struct ydoc_item *i = own != NULL ? own->items : NULL; i != NULL; i = i->next)
		put(m, &annotations, i->key, i->value);
	put_mapping(m, &metadata, "annotations", &annotations);
	if (instance->sections[TEMPLATE_LABELS] != NULL)
		put_key(m, &metadata, "labels", instance->sections[TEMPLATE_LABELS]);
	for (unsigned i = 0; i < TEMPLATE_ANNOTATIONS; i++)
		if (instance->sections[i] != NULL)
			put_key(m, &spec, template_section_names[i], instance->sections[i]);
	put_mapping(m, &root, "metadata", &metadata);
	put_mapping(m, &root, "spec", &spec);
	return check(m, ynode_collection(m->arena, YDOC_MAPPING, &root));
}

/* A section without the entries of the mask: those are the pod's own, and stay so. */
static const struct ydoc_node *without(struct maker *m, const struct ydoc_node *section,
				       uint64_t mask)
{
	struct ynode_list left = {.count = 0};

	if (section == NULL || mask == 0)
		return section;
	for (const struct ydoc_item *i = section->items; i != NULL; i = i->next, mask >>= 1)
		if ((mask & 1) == 0)
			put(m, &left, i->key, i->value);
	if (left.first == NULL)
		return NULL;
	return check(m, ynode_collection(m->arena, YDOC_MAPPING, &left));
}

static struct span make_status(struct maker *m, const struct content_need *need,
			       const struct template_instance *instance, struct span version)
{
	struct status status = {.version = version};
	struct span copy = SPAN("");
	struct buf text;

	for (unsigned key = 0; key < STATUS_KEY_COUNT; key++) {
		status.is_created[key] = need->is_created[key];
		status.replaced[key] = need->replaced[key];
	}
	buf_init_heap(&text, YDOC_MAX_BYTES);
	status_format(&status, instance, &text);
	if (text.truncated || !arena_copy(m->arena, buf_span(&text), &copy))
		m->is_out_of_memory = true;
	buf_fini(&text);
	return copy;
}

static bool keep_words(struct content_need *need, struct arena *arena)
{
	for (unsigned key = 0; key < STATUS_KEY_COUNT; key++)
		if (!arena_copy(arena, need->replaced[key], &need->replaced[key]))
			return false;
	return true;
}

static const struct content *make(struct contents *made, const struct content_need *need,
				  struct span version)
{
	struct maker m = {.arena = made->arena};
	struct content *c = arena_get(made->arena, sizeof *c);
	struct template_instance rest = *need->instance;

	if (c == NULL)
		return NULL;
	c->need = *need;
	rest.sections[TEMPLATE_ANNOTATIONS] = without(&m, rest.sections[TEMPLATE_ANNOTATIONS],
						      need->own_annotations);
	rest.sections[TEMPLATE_LABELS] = without(&m, rest.sections[TEMPLATE_LABELS],
						 need->own_labels);
	c->root = make_root(&m, &rest, make_status(&m, need, &rest, version));
	if (m.is_out_of_memory || !keep_words(&c->need, made->arena))
		return NULL;
	c->next = made->newest;
	made->newest = c;
	return c;
}

const struct content *content_for(struct contents *made, const struct kube_workload *w,
				  const struct template_instance *instance, struct span version)
{
	struct content_need need = look_at_pod(w, instance);
	unsigned looked = 0;

	for (const struct content *c = made->newest; c != NULL && looked++ < LOOKED_THROUGH;
	     c = c->next)
		if (is_same(&c->need, &need))
			return c;
	return make(made, &need, version);
}
