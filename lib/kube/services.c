#include "kube/services.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/nearest.h"
#include "ydoc/ydoc.h"
#include "ydoc/ykeys.h"

/* Far beyond what anybody keeps in manifests. */
#define MAX_TEXT_BYTES ((size_t)512 << 20)

/* Kinds that are told apart in the summary; what comes after them counts as one. */
#define MAX_IGNORED 50

/* A kind or type farther than this from the right one is another, not a slip. */
#define MAX_SLIPS 2

#define EXTERNAL_NAME "ExternalName"

struct kube_ignored {
	struct kube_ignored *next;
	struct span label;
	unsigned count;
};

static void fail_for_memory(struct kube_services *s)
{
	if (!s->is_out_of_memory)
		diag_report(s->diag, DIAG_ERROR, "out of memory");
	s->is_out_of_memory = true;
}

static uint64_t hash_of(struct span namespace, struct span name)
{
	return hash_finish(hash_span(hash_byte(hash_span(HASH_INIT, namespace), '/'), name));
}

/* The slot of a Service, or the free one where it belongs. */
static uint32_t *find_slot(const struct kube_services *s, struct span namespace, struct span name)
{
	size_t mask = s->index_size - 1;
	size_t at = (size_t)hash_of(namespace, name) & mask;

	for (; s->index[at] != 0; at = (at + 1) & mask) {
		const struct kube_service *service = s->list[s->index[at] - 1];

		if (span_eq(service->name, name) && span_eq(service->namespace, namespace))
			break;
	}
	return &s->index[at];
}

/* Room for one more Service in list and index, which is kept at most half full. */
static bool make_room(struct kube_services *s)
{
	size_t capacity = s->capacity > 0 ? s->capacity * 2 : 64;
	struct kube_service **list;
	uint32_t *index;

	if (s->count < s->capacity)
		return true;
	list = alloc_resize(s->list, capacity * sizeof(struct kube_service *));
	if (list == NULL)
		return false;
	s->list = list;
	index = alloc_get_zeroed(capacity * 2 * sizeof index[0]);
	if (index == NULL)
		return false;
	alloc_put(s->index);
	s->index = index;
	s->index_size = capacity * 2;
	s->capacity = capacity;
	for (size_t i = 0; i < s->count; i++)
		*find_slot(s, list[i]->namespace, list[i]->name) = (uint32_t)(i + 1);
	return true;
}

const struct kube_service *kube_services_add(struct kube_services *s, struct kube_service *service)
{
	uint32_t *slot;

	if (!make_room(s)) {
		fail_for_memory(s);
		return NULL;
	}
	slot = find_slot(s, service->namespace, service->name);
	if (*slot != 0)
		return s->list[*slot - 1];
	s->list[s->count++] = service;
	*slot = (uint32_t)s->count;
	return NULL;
}

/* Adds a Service to the list, or reports that there is one of its name. */
static void add_service(struct kube_services *s, const struct ykeys_context *context,
			struct kube_service *service)
{
	const struct kube_service *first = kube_services_add(s, service);

	if (first == NULL)
		return;
	ykeys_report(context, DIAG_ERROR,
		     (struct ydoc_pos){.line = service->pos.line, .col = service->pos.col},
		     "metadata.name",
		     "Service %.*s of namespace %.*s is given twice, first at %s:%u:%u",
		     SPAN_ARG(service->name), SPAN_ARG(service->namespace), first->pos.file,
		     first->pos.line, first->pos.col);
}

/* Counts an object that is none of ours: the kind, then `detail` when it says more. */
static void count_ignored(struct kube_services *s, struct span kind, const char *detail_name,
			  struct span detail)
{
	struct kube_ignored **at = &s->ignored;
	char storage[YDOC_ESCAPED_MAX];
	struct buf label;
	size_t seen = 0;

	BUF_INIT_ARRAY(&label, storage);
	buf_add_escaped(&label, kind, 60);
	buf_add_cstr(&label, detail_name);
	buf_add_escaped(&label, detail, 60);
	while (*at != NULL && ++seen < MAX_IGNORED && !span_eq((*at)->label, buf_span(&label)))
		at = &(*at)->next;
	if (*at == NULL) {
		struct span text = seen + 1 < MAX_IGNORED ? buf_span(&label) : SPAN("other");

		*at = arena_get(&s->arena, sizeof **at);
		if (*at == NULL || !arena_copy(&s->arena, text, &(*at)->label)) {
			*at = NULL;
			fail_for_memory(s);
			return;
		}
	}
	(*at)->count++;
}

static bool is_nearly(struct span typed, struct span known)
{
	struct nearest nearest;

	nearest_init(&nearest, typed);
	nearest_offer(&nearest, known);
	return nearest.best.len > 0 && nearest.distance <= MAX_SLIPS;
}

/* A Service of another type; or one that was to be an ExternalName. */
static void ignore_type(struct kube_services *s, const struct ykeys_context *context,
			const struct ydoc_node *spec, const struct ydoc_node *type)
{
	struct ydoc_path path = {.parent = context->path, .key = "spec"};
	struct ykeys_context inner = {context->diag, context->file, &path};
	const struct ydoc_node *external_name = ydoc_get(spec, SPAN("externalName"));
	struct span name = ydoc_is_value(type) ? type->text : SPAN("ClusterIP");
	char shown[YDOC_ESCAPED_MAX];

	if (type != NULL &&
	    (is_nearly(name, SPAN(EXTERNAL_NAME)) || span_eq_nocase(name, SPAN(EXTERNAL_NAME)))) {
		ykeys_report(&inner, DIAG_ERROR, type->pos, "type",
			     "\"%s\" is no type of Service: did you mean " EXTERNAL_NAME,
			     ydoc_escape(name, shown));
		return;
	}
	if (!ydoc_is_absent(external_name))
		ykeys_report(&inner, DIAG_WARNING, external_name->pos, "externalName",
			     "has no meaning for type %s, so the Service is ignored: expected "
			     "type: " EXTERNAL_NAME,
			     ydoc_escape(name, shown));
	count_ignored(s, SPAN("Service"), " of type ", name);
}

/* kind: Service of whatever API group and type. */
static void read_service(struct kube_services *s, const struct ykeys_context *context,
			 const struct ydoc_node *object)
{
	const struct ydoc_node *api = ydoc_get(object, SPAN("apiVersion"));
	const struct ydoc_node *spec = ydoc_get(object, SPAN("spec"));
	const struct ydoc_node *type = ydoc_get(spec, SPAN("type"));
	bool is_external = ydoc_is_value(type) && span_eq(type->text, SPAN(EXTERNAL_NAME));
	struct kube_service *service;
	char shown[YDOC_ESCAPED_MAX];

	/* Other groups have Services too: serving.knative.dev/v1. */
	if (ydoc_is_value(api) && !span_eq(api->text, SPAN("v1"))) {
		if (is_external && span_find(api->text, '/') == SIZE_MAX)
			ykeys_report(context, DIAG_ERROR, api->pos, "apiVersion",
				     "expected v1, found \"%s\"", ydoc_escape(api->text, shown));
		else
			count_ignored(s, SPAN("Service"), " of ", api->text);
		return;
	}
	if (!is_external) {
		ignore_type(s, context, spec, type);
		return;
	}
	service = kube_service_read(context, object, s->default_namespace, &s->arena);
	if (service != NULL)
		add_service(s, context, service);
}

static void read_object(struct kube_services *s, const struct ykeys_context *context,
			const struct ydoc_node *object)
{
	const struct ydoc_node *kind = ydoc_get(object, SPAN("kind"));
	char shown[YDOC_ESCAPED_MAX];

	if (object->kind != YDOC_MAPPING) {
		ykeys_report(context, DIAG_ERROR, object->pos, NULL,
			     "expected an object with apiVersion and kind, found %s",
			     ydoc_describe(object));
	} else if (!ydoc_is_value(kind)) {
		ykeys_report(context, DIAG_WARNING, object->pos, "kind",
			     "missing: the object is ignored");
		count_ignored(s, SPAN("without kind"), "", SPAN(""));
	} else if (span_eq(kind->text, SPAN("Service"))) {
		read_service(s, context, object);
	} else {
		if (is_nearly(kind->text, SPAN("Service")) &&
		    ydoc_get(ydoc_get(object, SPAN("spec")), SPAN("externalName")) != NULL)
			ykeys_report(context, DIAG_WARNING, kind->pos, "kind",
				     "\"%s\" is ignored: did you mean Service",
				     ydoc_escape(kind->text, shown));
		count_ignored(s, kind->text, "", SPAN(""));
	}
}

/*
 * An object or a List of them. As to kubectl, whatever has `items` is a List; Lists in it are not
 * opened.
 */
static void read_document(struct kube_services *s, const char *file, const struct ydoc_node *root)
{
	const struct ydoc_node *items = ydoc_get(root, SPAN("items"));
	struct ydoc_path list = {.key = "items"};
	struct ydoc_path entry = {.parent = &list};
	struct ykeys_context context = {.diag = s->diag, .file = file};

	if (items == NULL || items->kind != YDOC_SEQUENCE) {
		read_object(s, &context, root);
		return;
	}
	context.path = &entry;
	for (const struct ydoc_item *i = items->items; i != NULL; i = i->next, entry.index++)
		read_object(s, &context, i->value);
}

void kube_services_init(struct kube_services *s, struct span default_namespace, struct diag *diag)
{
	*s = (struct kube_services){.default_namespace = default_namespace, .diag = diag};
	arena_init(&s->arena, MAX_TEXT_BYTES);
}

void kube_services_fini(struct kube_services *s)
{
	alloc_put(s->list);
	alloc_put(s->index);
	arena_fini(&s->arena);
	*s = (struct kube_services){.diag = s->diag};
}

void kube_services_read(struct kube_services *s, const char *file, struct span text)
{
	const struct ydoc_node *root;
	struct ydoc_reader reader;
	struct span name;

	if (!arena_copy(&s->arena, span_from_cstr(file), &name)) {
		fail_for_memory(s);
		return;
	}
	ydoc_reader_init(&reader, name.ptr, text, s->diag);
	while (ydoc_reader_next(&reader, &root))
		read_document(s, name.ptr, root);
	ydoc_reader_fini(&reader);
}

void kube_services_print_ignored(const struct kube_services *s, struct buf *out)
{
	for (const struct kube_ignored *i = s->ignored; i != NULL; i = i->next) {
		buf_printf(out, "%s%u ", i == s->ignored ? "" : ", ", i->count);
		buf_add(out, i->label);
	}
}
