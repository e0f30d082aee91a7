#include "inject/template.h"

#include "base/ascii.h"
#include "base/hash.h"
#include "base/nearest.h"
#include "ydoc/yemit.h"
#include "ydoc/ykeys.h"
#include "ydoc/ynode.h"
#include "ydoc/yunique.h"

/* Annotations and labels, each: as many as a set of them can say which are new. */
#define MAX_LABELS 50

static const struct span variable_names[TEMPLATE_VARIABLE_COUNT] = {
#define X(member, name) [member] = {name, sizeof(name) - 1},
	TEMPLATE_VARIABLES(X)
#undef X
};

const char *const template_section_names[TEMPLATE_SECTION_COUNT] = {
	[TEMPLATE_INIT_CONTAINERS] = "initContainers",
	[TEMPLATE_CONTAINERS] = "containers",
	[TEMPLATE_VOLUMES] = "volumes",
	[TEMPLATE_ANNOTATIONS] = "annotations",
	[TEMPLATE_LABELS] = "labels",
};

/* ---- Variables in a text ---- */

/* Of a text, the next piece: what is before a variable, or a variable's name. */
struct piece {
	struct span text;
	bool is_variable;
};

/* NAME of a "$(NAME)" at the front of the text: letters, digits, "_", "-", "." for Kubernetes. */
static bool find_name(struct span text, struct span *name)
{
	size_t end = span_find(text, ')');

	if (!span_starts_with(text, SPAN("$(")) || end == SIZE_MAX || end == 2)
		return false;
	for (size_t i = 2; i < end; i++)
		if (!ascii_is_alnum(text.ptr[i]) && strchr("_-.", text.ptr[i]) == NULL)
			return false;
	*name = span_of(text.ptr + 2, end - 2);
	return true;
}

/* Takes the next piece off the front of a text that is not empty. */
static struct piece next_piece(struct span *text)
{
	struct piece piece = {.is_variable = false};
	struct span unused;
	size_t len = 0;

	if (find_name(*text, &piece.text)) {
		piece.is_variable = true;
		*text = span_from(*text, piece.text.len + 3);
		return piece;
	}
	do {
		/* Two: the second is none, and nor is what it begins. */
		len += span_starts_with(span_from(*text, len), SPAN("$$")) ? 2 : 1;
	} while (len < text->len && !find_name(span_from(*text, len), &unused));
	piece.text = span_first(*text, len);
	*text = span_from(*text, len);
	return piece;
}

static enum template_variable find_variable(struct span name)
{
	size_t i = 0;

	while (i < TEMPLATE_VARIABLE_COUNT && !span_eq(name, variable_names[i]))
		i++;
	return (enum template_variable)i;
}

/* The one variable that a scalar without quotes is; TEMPLATE_VARIABLE_COUNT when it is not one. */
static enum template_variable only_variable(const struct ydoc_node *node)
{
	struct span name;

	if (node->kind != YDOC_SCALAR || !node->is_plain || !find_name(node->text, &name) ||
	    name.len + 3 != node->text.len)
		return TEMPLATE_VARIABLE_COUNT;
	return find_variable(name);
}

/* ---- Reading ---- */

static bool is_env(const struct ydoc_node *container, struct span name)
{
	const struct ydoc_node *env = ydoc_get(container, SPAN("env"));

	if (ydoc_get(container, SPAN("envFrom")) != NULL)
		return true;
	if (env == NULL || env->kind != YDOC_SEQUENCE)
		return false;
	for (const struct ydoc_item *i = env->items; i != NULL; i = i->next) {
		const struct ydoc_node *found = ydoc_get(i->value, SPAN("name"));

		if (found != NULL && found->kind == YDOC_SCALAR && span_eq(found->text, name))
			return true;
	}
	return false;
}

static void check_text(const struct ykeys_context *context, const struct ydoc_node *container,
		       const struct ydoc_node *scalar)
{
	struct span rest = scalar->text;
	char shown[YDOC_ESCAPED_MAX];

	while (rest.len > 0) {
		struct piece piece = next_piece(&rest);
		struct nearest nearest;

		if (!piece.is_variable || find_variable(piece.text) != TEMPLATE_VARIABLE_COUNT ||
		    is_env(container, piece.text))
			continue;
		nearest_init(&nearest, piece.text);
		for (size_t i = 0; i < TEMPLATE_VARIABLE_COUNT; i++)
			nearest_offer(&nearest, variable_names[i]);
		ykeys_report(context, DIAG_ERROR, scalar->pos, NULL,
			     "$(%s) is no variable%s%.*s; write $$(...) for what Kubernetes is to "
			     "see",
			     ydoc_escape(piece.text, shown),
			     nearest.best.len > 0 ? ": did you mean " : "", SPAN_ARG(nearest.best));
	}
}

/* Each text below a node; a container's own environment counts in all of it. */
static void check_texts(const struct ykeys_context *context, const struct ydoc_node *container,
			const struct ydoc_node *node, unsigned depth)
{
	if (node->kind == YDOC_SCALAR) {
		check_text(context, container, node);
		return;
	}
	for (const struct ydoc_item *i = node->items; i != NULL && depth < YDOC_MAX_DEPTH;
	     i = i->next)
		check_texts(context, container, i->value, depth + 1);
}

struct span template_entry_name(const struct ydoc_item *entry)
{
	const struct ydoc_node *name = entry->key;

	if (name == NULL)
		name = ydoc_get(entry->value, SPAN("name"));
	return name != NULL && name->kind == YDOC_SCALAR ? name->text : SPAN("");
}

bool template_has(const struct ydoc_node *section, struct span name)
{
	if (section == NULL || section->kind == YDOC_SCALAR)
		return false;
	for (const struct ydoc_item *i = section->items; i != NULL; i = i->next)
		if (span_eq(template_entry_name(i), name))
			return true;
	return false;
}

static bool is_native_sidecar(const struct ydoc_node *container)
{
	const struct ydoc_node *policy = ydoc_get(container, SPAN("restartPolicy"));

	return policy != NULL && policy->kind == YDOC_SCALAR &&
	       span_eq(policy->text, SPAN("Always"));
}

static void check_name(const struct ykeys_context *context, const struct ydoc_node *section,
		       const struct ydoc_node *others, const struct ydoc_item *entry)
{
	struct span name = template_entry_name(entry);
	const struct ydoc_item *first = section->items;
	char shown[YDOC_ESCAPED_MAX];

	while (first != entry && !span_eq(template_entry_name(first), name))
		first = first->next;
	if (first != entry || template_has(others, name))
		ykeys_report(context, DIAG_ERROR, ydoc_get(entry->value, SPAN("name"))->pos, "name",
			     "\"%s\" is given twice", ydoc_escape(name, shown));
}

/*
 * Containers and volumes: each with a name of its own, so that it can be found again. `others` have
 * names that must be others, too; NULL: there are none.
 */
static void check_named(const struct ykeys_context *context, const struct ydoc_node *section,
			const struct ydoc_node *others)
{
	struct ydoc_path entry = {.parent = context->path};
	struct ykeys_context inner = {context->diag, context->file, &entry};

	for (const struct ydoc_item *i = section->items; i != NULL; i = i->next, entry.index++) {
		if (entry.index == TEMPLATE_ENTRIES_MAX) {
			ykeys_report(context, DIAG_ERROR, section->pos, NULL, "more than %d",
				     TEMPLATE_ENTRIES_MAX);
			return;
		}
		if (i->value->kind != YDOC_MAPPING) {
			ykeys_report(&inner, DIAG_ERROR, i->value->pos, NULL,
				     "expected a mapping, found %s", ydoc_describe(i->value));
		} else if (template_entry_name(i).len == 0) {
			ykeys_report(&inner, DIAG_ERROR, i->value->pos, "name", "missing");
		} else {
			check_name(&inner, section, others, i);
			check_texts(&inner, i->value, i->value, 0);
		}
	}
}

static void check_labels(const struct ykeys_context *context, const struct ydoc_node *section)
{
	unsigned count = 0;

	for (const struct ydoc_item *i = section->items; i != NULL; i = i->next) {
		if (++count == MAX_LABELS + 1)
			ykeys_report(context, DIAG_ERROR, section->pos, NULL, "more than %d",
				     MAX_LABELS);
		if (i->value->kind != YDOC_SCALAR || ydoc_scalar_type(i->value) != YDOC_TEXT)
			ykeys_report(context, DIAG_ERROR, i->value->pos, NULL,
				     "expected text, found %s", ydoc_describe(i->value));
		else
			check_texts(context, NULL, i->value, 0);
	}
}

static void check_sections(struct template *t, const char *file, struct diag *diag)
{
	for (size_t i = 0; i < TEMPLATE_SECTION_COUNT; i++) {
		struct ydoc_path path = {.key = template_section_names[i]};
		struct ykeys_context context = {diag, file, &path};

		if (t->sections[i] == NULL)
			continue;
		yunique_check(&context, t->sections[i]);
		if (t->sections[i]->kind == YDOC_SEQUENCE)
			check_named(&context, t->sections[i],
				    i == TEMPLATE_CONTAINERS ? t->sections[TEMPLATE_INIT_CONTAINERS]
							     : NULL);
		else
			check_labels(&context, t->sections[i]);
	}
}

static bool read_sections(struct template *t, const char *file, const struct ydoc_node *root,
			  struct diag *diag)
{
	struct ykeys_context context = {.diag = diag, .file = file};
	struct ykey keys[TEMPLATE_SECTION_COUNT];
	char shown[YDOC_ESCAPED_MAX];

	if (root->kind != YDOC_MAPPING)
		return ykeys_report(&context, DIAG_ERROR, root->pos, NULL,
				    "expected a mapping with initContainers, containers, volumes, "
				    "annotations, labels; found %s",
				    ydoc_describe(root));
	for (size_t i = 0; i < TEMPLATE_SECTION_COUNT; i++)
		keys[i] = (struct ykey){template_section_names[i],
					i < TEMPLATE_ANNOTATIONS ? YKEY_SEQUENCE : YKEY_MAPPING};
	ykeys_read(&context, root, keys, TEMPLATE_SECTION_COUNT, t->sections);
	for (const struct ydoc_item *i = root->items; i != NULL; i = i->next) {
		bool is_known = ydoc_is_merge(i);

		for (size_t k = 0; k < TEMPLATE_SECTION_COUNT; k++)
			is_known = is_known || (i->key->kind == YDOC_SCALAR &&
						span_eq(i->key->text,
							span_from_cstr(template_section_names[k])));
		if (!is_known)
			ykeys_report(&context, DIAG_ERROR, i->key->pos, NULL,
				     "\"%s\" is no section of a template",
				     i->key->kind == YDOC_SCALAR ? ydoc_escape(i->key->text, shown)
								 : "{}");
	}
	return true;
}

bool template_read(struct template *t, const char *file, struct span text, struct diag *diag)
{
	unsigned errors = diag->errors;
	const struct ydoc_node *root;
	const struct ydoc_node *init;

	*t = (struct template){.has_native_sidecar = false};
	ydoc_reader_init(&t->reader, file, text, diag);
	if (!ydoc_reader_next(&t->reader, &root))
		return diag->errors == errors
			       ? diag_report(diag, DIAG_ERROR, "%s: nothing in it", file)
			       : false;
	if (!read_sections(t, file, root, diag))
		return false;
	check_sections(t, file, diag);
	init = t->sections[TEMPLATE_INIT_CONTAINERS];
	for (const struct ydoc_item *i = init != NULL ? init->items : NULL; i != NULL; i = i->next)
		t->has_native_sidecar = t->has_native_sidecar || is_native_sidecar(i->value);
	return diag->errors == errors;
}

void template_fini(struct template *t)
{
	ydoc_reader_fini(&t->reader);
}

/* ---- Filling in ---- */

struct filler {
	const struct template_instance *instance;
	struct arena *arena;
	bool is_text; /* in annotations and labels, where `8080` must be text */
};

/* `port: $(ADMIN_PORT)` is a number. Others are text, even if it is `25`, or a namespace `123`. */
static bool is_number(const struct filler *f, enum template_variable v)
{
	return !f->is_text &&
	       (v == TEMPLATE_PROXY_PORT || v == TEMPLATE_ADMIN_PORT || v == TEMPLATE_PROXY_UID);
}

/* What is between variables, where `$$` is one `$`. */
static void add_plain(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		buf_add_byte(out, text.ptr[i]);
		i += span_starts_with(span_from(text, i), SPAN("$$"));
	}
}

static bool fill_text(const struct filler *f, const struct ydoc_node *scalar, struct span *out)
{
	struct span rest = scalar->text;
	struct buf b;
	bool ok;

	if (span_find(rest, '$') == SIZE_MAX) {
		*out = rest;
		return true;
	}
	buf_init_heap(&b, YDOC_MAX_BYTES);
	while (rest.len > 0) {
		struct piece piece = next_piece(&rest);
		enum template_variable v = find_variable(piece.text);

		if (!piece.is_variable)
			add_plain(&b, piece.text);
		else if (v != TEMPLATE_VARIABLE_COUNT)
			buf_add(&b, f->instance->values[v]);
		else
			buf_printf(&b, "$(%.*s)", SPAN_ARG(piece.text));
	}
	ok = !b.truncated && arena_copy(f->arena, buf_span(&b), out);
	buf_fini(&b);
	return ok;
}

/* An entry that is one variable: none for an empty one, in a list one for each of its lines. */
static bool fill_variable(const struct filler *f, struct ynode_list *list,
			  const struct ydoc_item *item, enum template_variable v)
{
	struct span rest = f->instance->values[v], line;
	bool is_list = v == TEMPLATE_SETUP_OPTIONS || v == TEMPLATE_PROXY_OPTIONS;

	if (rest.len == 0)
		return true;
	if (is_list && rest.ptr[rest.len - 1] == '\n')
		rest.len--;
	while (span_split(&rest, '\n', &line)) {
		const struct ydoc_node *node = is_number(f, v) ? ynode_plain(f->arena, line)
							       : ynode_text(f->arena, line);

		if (node == NULL || !ynode_hang(list, f->arena, item->key, node))
			return false;
	}
	return true;
}

static const struct ydoc_node *fill(const struct filler *f, const struct ydoc_node *node,
				    unsigned depth);

static bool fill_entry(const struct filler *f, struct ynode_list *list,
		       const struct ydoc_item *item, unsigned depth)
{
	enum template_variable v = only_variable(item->value);
	const struct ydoc_node *value;

	if (v != TEMPLATE_VARIABLE_COUNT)
		return fill_variable(f, list, item, v);
	value = fill(f, item->value, depth);
	return value != NULL && ynode_hang(list, f->arena, item->key, value);
}

/* A copy of the node with the values in it, without merge keys. */
static const struct ydoc_node *fill(const struct filler *f, const struct ydoc_node *node,
				    unsigned depth)
{
	const struct ydoc_node *flat = yemit_flatten(node, f->arena);
	struct ynode_list list = {.count = 0};
	struct span text;

	if (flat == NULL || depth > YDOC_MAX_DEPTH)
		return NULL;
	if (node->kind == YDOC_SCALAR) {
		if (!fill_text(f, node, &text))
			return NULL;
		/* A value may hold anything: with one in it, it is text. */
		return node->is_plain && !f->is_text && span_eq(text, node->text)
			       ? ynode_plain(f->arena, text)
			       : ynode_text(f->arena, text);
	}
	for (const struct ydoc_item *i = flat->items; i != NULL; i = i->next)
		if (!fill_entry(f, &list, i, depth + 1))
			return NULL;
	return ynode_collection(f->arena, (enum ydoc_kind)node->kind, &list);
}

static bool hash_sections(struct template_instance *instance, struct arena *arena)
{
	struct buf text;
	bool ok;

	buf_init_heap(&text, YDOC_MAX_BYTES);
	for (size_t i = 0; i < TEMPLATE_SECTION_COUNT; i++) {
		if (instance->sections[i] == NULL)
			continue;
		buf_printf(&text, "%s:\n", template_section_names[i]);
		yemit_lines(&text, instance->sections[i], &yemit_default_style, 0, arena);
	}
	instance->hash = hash_finish(hash_span(HASH_INIT, buf_span(&text)));
	ok = !text.truncated;
	buf_fini(&text);
	return ok;
}

bool template_instantiate(const struct template *t, struct template_instance *instance,
			  struct arena *arena)
{
	struct filler f = {instance, arena, false};

	for (size_t i = 0; i < TEMPLATE_SECTION_COUNT; i++) {
		instance->sections[i] = NULL;
		if (t->sections[i] == NULL)
			continue;
		f.is_text = i >= TEMPLATE_ANNOTATIONS;
		instance->sections[i] = fill(&f, t->sections[i], 0);
		if (instance->sections[i] == NULL)
			return false;
		if (instance->sections[i]->items == NULL)
			instance->sections[i] = NULL;
	}
	return hash_sections(instance, arena);
}
