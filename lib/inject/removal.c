#include "inject/removal.h"

/* The mapping that a section is in. */
static const struct ydoc_node *parent_of(const struct kube_workload *w,
					 enum template_section section)
{
	return section < TEMPLATE_ANNOTATIONS ? w->spec : w->metadata;
}

static const struct ydoc_item *find_section(const struct kube_workload *w,
					    enum template_section section)
{
	return ydoc_find(parent_of(w, section), span_from_cstr(template_section_names[section]));
}

/* Of what a mapping has under a key: whether its text is there, and nowhere else. */
static bool is_reached_once(const struct ydoc_node *mapping, const char *key)
{
	const struct ydoc_item *item = ydoc_find(mapping, span_from_cstr(key));

	if (item == NULL)
		return ydoc_get(mapping, span_from_cstr(key)) == NULL;
	return item->key_alias == NULL && item->value_alias == NULL && !item->value->is_aliased;
}

bool removal_is_shared(const struct kube_workload *w, const struct status *status)
{
	const struct ydoc_node *annotations = ydoc_get(w->metadata, SPAN("annotations"));

	if (w->is_shared || !is_reached_once(w->template, "metadata") ||
	    !is_reached_once(annotations, STATUS_ANNOTATION))
		return true;
	for (int s = 0; s < TEMPLATE_SECTION_COUNT; s++) {
		bool is_changed = s == TEMPLATE_ANNOTATIONS || status->names[s] != NULL;

		if (is_changed && !is_reached_once(parent_of(w, (enum template_section)s),
						   template_section_names[s]))
			return true;
	}
	return false;
}

static bool is_collection(const struct ydoc_item *item)
{
	return item != NULL && item->value->kind != YDOC_SCALAR;
}

static bool is_ours(const struct status *status, enum template_section section,
		    const struct ydoc_item *entry)
{
	return status_has(status, section, template_entry_name(entry));
}

static bool is_all_ours(const struct status *status, enum template_section section,
			const struct ydoc_item *item)
{
	const struct ydoc_item *i = is_collection(item) ? item->value->items : NULL;

	if (i == NULL)
		return false;
	while (i != NULL && is_ours(status, section, i))
		i = i->next;
	return i == NULL;
}

/* Entries side by side go in one cut: the text between them is ours as well. */
static void cut_runs(struct yedit *e, const struct status *status, enum template_section section,
		     const struct ydoc_node *collection)
{
	const struct ydoc_item *i = collection->items;

	while (i != NULL) {
		const struct ydoc_item *last = i;

		if (!is_ours(status, section, i)) {
			i = i->next;
			continue;
		}
		while (last->next != NULL && is_ours(status, section, last->next))
			last = last->next;
		yedit_cut(e, collection, i, last);
		i = last->next;
	}
}

/* Whether a key of the spec or the metadata was made, and has nothing but ours under it. */
static bool is_key_ours(const struct kube_workload *w, const struct status *status,
			const struct ydoc_item *item)
{
	for (int s = 0; s < TEMPLATE_SECTION_COUNT; s++) {
		enum template_section section = (enum template_section)s;

		if (item == find_section(w, section))
			return status->is_created[section] && is_all_ours(status, section, item);
	}
	return false;
}

/* What is under a key that stays. */
static void take_out(struct yedit *e, const struct kube_workload *w, const struct status *status,
		     enum template_section section)
{
	const struct ydoc_item *item = find_section(w, section);

	if (!is_collection(item) || is_key_ours(w, status, item))
		return;
	if (status->replaced[section].len > 0 && is_all_ours(status, section, item))
		yedit_replace(e, item->value, status->replaced[section]);
	else
		cut_runs(e, status, section, item->value);
}

/* Keys that were made, of the spec or the metadata; those side by side in one cut. */
static void cut_keys(struct yedit *e, const struct kube_workload *w, const struct status *status,
		     const struct ydoc_node *parent)
{
	const struct ydoc_item *i = parent->items;

	while (i != NULL) {
		const struct ydoc_item *last = i;

		if (is_key_ours(w, status, i)) {
			while (last->next != NULL && is_key_ours(w, status, last->next))
				last = last->next;
			yedit_cut(e, parent, i, last);
		}
		i = last->next;
	}
}

static bool is_metadata_ours(const struct kube_workload *w, const struct status *status)
{
	const struct ydoc_item *i = w->metadata->items;

	while (i != NULL && is_key_ours(w, status, i))
		i = i->next;
	return i == NULL;
}

bool removal_add(struct yedit *e, const struct kube_workload *w, const struct status *status)
{
	const struct ydoc_item *metadata = ydoc_find(w->template, SPAN("metadata"));
	bool is_ours = is_metadata_ours(w, status);

	for (int s = 0; s < TEMPLATE_ANNOTATIONS; s++)
		take_out(e, w, status, (enum template_section)s);
	cut_keys(e, w, status, w->spec);
	if (is_ours && status->is_created[STATUS_METADATA]) {
		yedit_cut(e, w->template, metadata, metadata);
	} else if (is_ours && status->replaced[STATUS_METADATA].len > 0) {
		yedit_replace(e, w->metadata, status->replaced[STATUS_METADATA]);
	} else {
		take_out(e, w, status, TEMPLATE_ANNOTATIONS);
		take_out(e, w, status, TEMPLATE_LABELS);
		cut_keys(e, w, status, w->metadata);
	}
	return e->result == YEDIT_DONE && !e->edits->is_out_of_memory;
}

bool removal_is_complete(const struct kube_workload *w, const struct status *status)
{
	for (int s = 0; s < TEMPLATE_SECTION_COUNT; s++) {
		const struct ydoc_node *names = status->names[s];
		const struct ydoc_item *have = find_section(w, (enum template_section)s);

		if (names == NULL || names->kind != YDOC_SEQUENCE)
			continue;
		for (const struct ydoc_item *i = names->items; i != NULL; i = i->next)
			if (i->value->kind != YDOC_SCALAR ||
			    !template_has(have != NULL ? have->value : NULL, i->value->text))
				return false;
	}
	return true;
}
