#include "inject/inject.h"

#include "base/hash.h"
#include "inject/checks.h"
#include "inject/policy.h"
#include "inject/removal.h"
#include "inject/status.h"
#include "kube/workload.h"
#include "ydoc/yexpand.h"
#include "ydoc/yunique.h"

/* What is inserted in all files of a run. */
#define MAX_INSERTED ((size_t)1 << 30)

/* Of a bucket of instances; when there are more, they are made again. */
#define LOOKED_THROUGH 32

/* Written out, taken out, put in, and one to see that nothing is left to do. */
#define MAX_PASSES 4

const char *const inject_verdict_names[] = {
#define X(member, name) name,
	INJECT_VERDICTS(X)
#undef X
		NULL,
};

/* What a pass over a document asks for next. */
enum outcome {
	OUTCOME_DONE,	/* its edits are all there is to do */
	OUTCOME_AGAIN,	/* once its edits are made, there is more */
	OUTCOME_EXPAND, /* the document must be written out first; no edits */
	OUTCOME_FAILED, /* reported */
};

/* One look at a document, in the file's text or in what an earlier pass made of it. */
struct pass {
	struct inject *in;
	const char *file;
	struct span text;
	const struct ydoc_node *root;
	struct diag *diag;  /* the owner's, and after the first pass: */
	struct diag silent; /* what there is to say was said */
	bool is_first;
	bool is_looked_through; /* for keys that are given twice */
	enum outcome outcome;
	/* What takes OUTCOME_EXPAND first, and whether the way it is written is why. */
	struct ydoc_pos expand_at;
	bool is_unfit;
	bool is_told;	       /* that it is written out */
	struct ydoc_pos begin; /* of the document in the file, where later passes know no better */
};

/* ---- A pod's values ---- */

static void set_capture_values(struct template_instance *instance, const struct capture *c)
{
	static const enum template_variable variables[CAPTURE_FIELD_COUNT] = {
		[CAPTURE_INCLUDE_RANGES] = TEMPLATE_INCLUDE_IP_RANGES,
		[CAPTURE_EXCLUDE_RANGES] = TEMPLATE_EXCLUDE_IP_RANGES,
		[CAPTURE_INCLUDE_INBOUND] = TEMPLATE_INCLUDE_INBOUND_PORTS,
		[CAPTURE_EXCLUDE_INBOUND] = TEMPLATE_EXCLUDE_INBOUND_PORTS,
		[CAPTURE_INCLUDE_OUTBOUND] = TEMPLATE_INCLUDE_OUTBOUND_PORTS,
		[CAPTURE_EXCLUDE_OUTBOUND] = TEMPLATE_EXCLUDE_OUTBOUND_PORTS,
		[CAPTURE_EXCLUDE_INTERFACES] = TEMPLATE_EXCLUDE_INTERFACES,
	};

	for (int i = 0; i < CAPTURE_FIELD_COUNT; i++)
		instance->values[variables[i]] = c->list[i];
	/* Where nothing is said, all is meant. */
	if (!c->is_set[CAPTURE_INCLUDE_RANGES])
		instance->values[TEMPLATE_INCLUDE_IP_RANGES] = SPAN("*");
}

static void add_option(struct buf *out, const char *option, struct span value)
{
	if (value.len == 0)
		return;
	buf_printf(out, "%s\n", option);
	buf_add(out, value);
	buf_add_byte(out, '\n');
}

static void add_proxy_options(const struct inject_settings *s, struct span namespace,
			      struct buf *out)
{
	add_option(out, "--cluster-cidr", s->cluster_cidr);
	add_option(out, "--gateway", s->gateway);
	add_option(out, "--outbound-policy", s->outbound_policy);
	add_option(out, "--namespace", namespace);
	add_option(out, "--log-level", s->log_level);
}

/* Values in buffers of the caller's; they are copied once it is known that they are new. */
struct values {
	struct template_instance instance;
	char numbers[3][16];
	struct buf setup, proxy;
};

static struct span number_text(char storage[static 16], uint64_t number)
{
	struct buf b;

	buf_init(&b, storage, 16);
	buf_add_u64(&b, number);
	return buf_span(&b);
}

static void make_values(struct values *v, const struct inject_settings *s,
			const struct capture *capture, struct span namespace)
{
	struct span *values = v->instance.values;

	buf_init_heap(&v->setup, YDOC_MAX_BYTES);
	buf_init_heap(&v->proxy, YDOC_MAX_BYTES);
	capture_arguments(capture, s->admin_port, &v->setup);
	add_proxy_options(s, namespace, &v->proxy);
	set_capture_values(&v->instance, capture);
	values[TEMPLATE_IMAGE] = s->image;
	values[TEMPLATE_IMAGE_PULL_POLICY] = s->image_pull_policy;
	values[TEMPLATE_PROXY_PORT] = number_text(v->numbers[0], s->proxy_port);
	values[TEMPLATE_ADMIN_PORT] = number_text(v->numbers[1], s->admin_port);
	values[TEMPLATE_PROXY_UID] = number_text(v->numbers[2], s->proxy_uid);
	values[TEMPLATE_SETUP_OPTIONS] = buf_span(&v->setup);
	values[TEMPLATE_PROXY_OPTIONS] = buf_span(&v->proxy);
	values[TEMPLATE_CLUSTER_CIDR] = s->cluster_cidr;
	values[TEMPLATE_GATEWAY] = s->gateway;
	values[TEMPLATE_OUTBOUND_POLICY] = s->outbound_policy;
	values[TEMPLATE_NAMESPACE] = namespace;
	values[TEMPLATE_LOG_LEVEL] = s->log_level;
	values[TEMPLATE_VERSION] = s->version;
}

static bool values_eq(const struct template_instance *a, const struct template_instance *b)
{
	for (int i = 0; i < TEMPLATE_VARIABLE_COUNT; i++)
		if (!span_eq(a->values[i], b->values[i]))
			return false;
	return true;
}

static uint64_t values_hash(const struct template_instance *instance)
{
	uint64_t hash = HASH_INIT;

	for (int i = 0; i < TEMPLATE_VARIABLE_COUNT; i++)
		hash = hash_byte(hash_span(hash, instance->values[i]), '\0');
	return hash_finish(hash);
}

static struct template_instance *keep_instance(struct inject *in,
					       const struct template_instance *like)
{
	struct template_instance *new = arena_get(&in->arena, sizeof *new);

	if (new == NULL)
		return NULL;
	for (int i = 0; i < TEMPLATE_VARIABLE_COUNT; i++)
		if (!arena_copy(&in->arena, like->values[i], &new->values[i]))
			return NULL;
	return template_instantiate(in->template, new, &in->arena) ? new : NULL;
}

/* The template with a pod's values, made or known. NULL when memory is out. */
static const struct template_instance *instance_for(struct inject *in,
						    const struct capture *capture,
						    struct span namespace)
{
	struct template_instance *found, **bucket;
	struct values v = {.numbers = {""}};
	unsigned looked = 0;

	make_values(&v, in->settings, capture, namespace);
	bucket = &in->instances[values_hash(&v.instance) % INJECT_BUCKETS];
	found = *bucket;
	while (found != NULL && !values_eq(found, &v.instance))
		found = ++looked < LOOKED_THROUGH ? found->next : NULL;
	if (found == NULL && !v.setup.truncated && !v.proxy.truncated) {
		found = keep_instance(in, &v.instance);
		if (found != NULL) {
			found->next = *bucket;
			*bucket = found;
		}
	}
	buf_fini(&v.setup);
	buf_fini(&v.proxy);
	return found;
}

/* ---- One workload ---- */

static void tell(const struct pass *p, const struct kube_workload *w, enum inject_verdict verdict,
		 const char *reason)
{
	struct inject_event event = {
		.file = p->file,
		.pos = w->pos,
		.kind = w->kind,
		.namespace = w->namespace,
		.name = w->name,
		.verdict = verdict,
		.reason = reason,
	};

	if (p->is_first && p->outcome != OUTCOME_FAILED && p->in->on_workload != NULL)
		p->in->on_workload(p->in->context, &event);
}

static void fail(struct pass *p)
{
	p->outcome = OUTCOME_FAILED;
}

static void fail_for_memory(struct pass *p, const struct kube_workload *w)
{
	ydoc_report(p->in->diag, DIAG_ERROR, p->file, w->pos, NULL, "out of memory");
	fail(p);
}

/* Writing the document out comes before everything else. */
static void ask_to_expand(struct pass *p, struct ydoc_pos at, bool is_unfit)
{
	if (p->outcome == OUTCOME_FAILED || p->outcome == OUTCOME_EXPAND)
		return;
	p->outcome = OUTCOME_EXPAND;
	p->expand_at = at;
	p->is_unfit = is_unfit;
}

/* The text is to be looked at by yedit. */
static void begin_edits(struct pass *p, const struct kube_workload *w)
{
	yedit_begin(&p->in->editor, p->text, w->template, w->spec);
}

static void take_out(struct pass *p, const struct kube_workload *w, const struct status *status,
		     enum outcome then)
{
	if (removal_is_shared(w, status)) {
		ask_to_expand(p, w->is_shared ? w->shared_at : w->template->pos, false);
		return;
	}
	begin_edits(p, w);
	if (!removal_add(&p->in->editor, w, status))
		fail_for_memory(p, w);
	else if (p->outcome == OUTCOME_DONE)
		p->outcome = then;
}

static void put_in(struct pass *p, const struct kube_workload *w,
		   const struct template_instance *instance)
{
	const struct content *content;
	enum yedit_result result;

	/* When something is to be taken out first, positions will be others. */
	if (p->outcome != OUTCOME_DONE)
		return;
	if (w->is_shared) {
		ask_to_expand(p, w->shared_at, false);
		return;
	}
	content = content_for(&p->in->contents, w, instance, p->in->settings->version);
	if (content == NULL) {
		fail_for_memory(p, w);
		return;
	}
	begin_edits(p, w);
	result = yedit_graft(&p->in->editor, w->template, content->root,
			     content_places(p->in->template->has_native_sidecar));
	if (result == YEDIT_SHARED)
		ask_to_expand(p, p->in->editor.stopped_at, p->in->editor.is_unfit);
	else if (result == YEDIT_NO_MEMORY)
		fail_for_memory(p, w);
}

static bool is_current(const struct pass *p, const struct kube_workload *w,
		       const struct status *status, const struct template_instance *instance)
{
	char storage[STATUS_HASH_MAX];
	struct buf hash;

	BUF_INIT_ARRAY(&hash, storage);
	status_format_hash(instance->hash, &hash);
	return span_eq(status->version, p->in->settings->version) &&
	       span_eq(status->hash, buf_span(&hash)) && removal_is_complete(w, status);
}

static void inject_pod(struct pass *p, const struct kube_workload *w, const struct status *status)
{
	const struct inject_settings *settings = p->in->settings;
	struct span namespace = w->namespace.len > 0 ? w->namespace : settings->namespace;
	const struct template_instance *instance;
	struct policy policy;
	bool ok = policy_read(w, settings, &p->in->arena, &policy);

	if (policy.skip_reason != NULL) {
		tell(p, w, INJECT_SKIPPED, policy.skip_reason);
		return;
	}
	/* All that is wrong is said in one run. */
	if (!checks_run(w, settings, p->in->template, status) || !ok) {
		fail(p);
		return;
	}
	instance = instance_for(p->in, &policy.capture, namespace);
	if (instance == NULL) {
		fail_for_memory(p, w);
	} else if (status == NULL) {
		tell(p, w, INJECT_ADDED, NULL);
		put_in(p, w, instance);
	} else if (is_current(p, w, status, instance)) {
		tell(p, w, INJECT_SKIPPED, "it is injected already");
	} else {
		tell(p, w, INJECT_UPDATED, NULL);
		take_out(p, w, status, OUTCOME_AGAIN);
	}
}

static void uninject_pod(struct pass *p, const struct kube_workload *w, const struct status *status)
{
	if (status == NULL) {
		tell(p, w, INJECT_SKIPPED, "it is not injected");
		return;
	}
	tell(p, w, INJECT_REMOVED, NULL);
	take_out(p, w, status, OUTCOME_DONE);
}

static bool report_bad_status(const struct kube_workload *w, const struct ydoc_node *value)
{
	struct ydoc_path metadata = {.parent = w->context.path, .key = "metadata"};
	struct ydoc_path annotations = {.parent = &metadata, .key = "annotations"};
	struct ykeys_context context = {w->context.diag, w->context.file, &annotations};

	return ykeys_report(&context, DIAG_ERROR, value->pos, STATUS_ANNOTATION,
			    "not as kube-inject writes it: take out the annotation, and what was "
			    "injected");
}

static void look_at_pod(struct pass *p, const struct kube_workload *w)
{
	const struct ydoc_node *annotations = ydoc_get(w->metadata, SPAN("annotations"));
	const struct ydoc_node *value = ydoc_get(annotations, SPAN(STATUS_ANNOTATION));
	struct status status;

	if (value != NULL && (value->kind != YDOC_SCALAR || !status_read(&status, value->text))) {
		report_bad_status(w, value);
		fail(p);
	} else if (p->in->settings->is_uninject) {
		uninject_pod(p, w, value != NULL ? &status : NULL);
	} else {
		inject_pod(p, w, value != NULL ? &status : NULL);
	}
	if (value != NULL && value->kind == YDOC_SCALAR)
		status_fini(&status);
}

/* In the whole document, once it is known to be of concern. */
static void look_for_repeated_keys(struct pass *p)
{
	struct ykeys_context context = {.diag = p->diag, .file = p->file};

	if (p->is_first && !p->is_looked_through && !yunique_check(&context, p->root))
		fail(p);
	p->is_looked_through = true;
}

static void look_at_object(struct pass *p, const struct kube_workload_object *object)
{
	struct kube_workload w;

	switch (kube_workload_read(&w, p->file, p->diag, object, &p->in->settings->also)) {
	case KUBE_WORKLOAD_NONE:
		break;
	case KUBE_WORKLOAD_EMPTY:
		tell(p, &w, INJECT_SKIPPED, "it has no spec.template.spec.containers");
		break;
	case KUBE_WORKLOAD_BAD:
		fail(p);
		break;
	case KUBE_WORKLOAD_FOUND:
		look_for_repeated_keys(p);
		look_at_pod(p, &w);
		break;
	}
}

/* ---- One document ---- */

static void run_pass(struct pass *p)
{
	const struct ydoc_node *list = kube_workload_list(p->root);
	struct kube_workload_object object = {.node = p->root};

	p->in->edits.count = 0;
	p->outcome = OUTCOME_DONE;
	if (list == NULL) {
		look_at_object(p, &object);
		return;
	}
	object.list = p->root;
	for (const struct ydoc_item *i = list->items; i != NULL; i = i->next, object.index++) {
		object.item = i;
		object.node = i->value;
		look_at_object(p, &object);
	}
}

/* The edits of a pass, made in the document alone. */
static void apply(struct inject *in, struct span text, size_t begin, size_t end, struct buf *out)
{
	textedit_sort(&in->edits);
	for (size_t i = 0; i < in->edits.count; i++)
		in->edits.list[i].offset -= begin;
	textedit_apply(&in->edits, span_of(text.ptr + begin, end - begin), out);
}

/* What the pass makes of its document, for the next one. */
static bool advance(struct pass *p, size_t begin, size_t end, struct buf *out)
{
	struct arena arena;
	bool ok;

	if (p->outcome != OUTCOME_EXPAND) {
		apply(p->in, p->text, begin, end, out);
		return !out->truncated ||
		       ydoc_report(p->in->diag, DIAG_ERROR, p->file, p->expand_at, NULL,
				   "the document becomes larger than %zu MiB, or memory is out",
				   YDOC_MAX_BYTES >> 20);
	}
	if (!p->is_told)
		ydoc_report(p->in->diag, DIAG_WARNING, p->file,
			    p->is_first ? p->expand_at : p->begin, NULL,
			    "%s: the document is written out anew, without comments",
			    p->is_unfit ? "nothing can be put in here as it is written"
					: "more than one place leads here (an alias or a merge "
					  "key)");
	p->is_told = true;
	arena_init(&arena, (size_t)512 << 20);
	ok = yexpand_document(p->text, p->root, begin, end, &arena, out);
	arena_fini(&arena);
	return ok ||
	       ydoc_report(p->in->diag, DIAG_ERROR, p->file, p->expand_at, NULL,
			   "written out, the document is larger than %zu MiB, or nested deeper "
			   "than %d levels",
			   YDOC_MAX_BYTES >> 20, YDOC_MAX_DEPTH);
}

/*
 * The passes after the first, over what was made of the document: until one is done. The text that
 * it ends with goes to `out`.
 */
static bool run_further_passes(struct pass *p, struct buf *out)
{
	struct ydoc_pos at = p->expand_at;
	struct buf made;
	unsigned passes = 1;

	p->is_first = false;
	p->diag = &p->silent;
	p->outcome = OUTCOME_AGAIN;
	while (p->outcome == OUTCOME_AGAIN || p->outcome == OUTCOME_EXPAND) {
		struct ydoc_reader reader;
		bool ok;

		buf_init_heap(&made, YDOC_MAX_BYTES);
		p->text = buf_span(out);
		ydoc_reader_init(&reader, p->file, p->text, &p->silent);
		ok = ydoc_reader_next(&reader, &p->root);
		if (ok)
			run_pass(p);
		ok = ok && p->outcome != OUTCOME_FAILED && ++passes <= MAX_PASSES &&
		     advance(p, 0, p->text.len, &made);
		ydoc_reader_fini(&reader);
		buf_fini(out);
		*out = made;
		if (!ok)
			return ydoc_report(p->in->diag, DIAG_ERROR, p->file, at, NULL,
					   "there is no way to change this document");
	}
	return true;
}

/* More than one pass: the document's whole text is one edit. */
static bool rewrite(struct pass *p, size_t begin, size_t end, struct textedits *edits)
{
	struct textedit whole = {.offset = begin, .removed = end - begin};
	struct span before = span_of(p->text.ptr + begin, end - begin);
	struct buf text;
	bool ok;

	buf_init_heap(&text, YDOC_MAX_BYTES);
	ok = advance(p, begin, end, &text) && run_further_passes(p, &text);
	if (ok && !span_eq(buf_span(&text), before)) {
		ok = arena_copy(&p->in->arena, buf_span(&text), &whole.inserted);
		if (ok)
			textedit_add(edits, whole);
		else
			diag_report(p->in->diag, DIAG_ERROR, "%s: out of memory", p->file);
	}
	buf_fini(&text);
	return ok;
}

static bool inject_document(struct inject *in, const char *file, struct span text,
			    const struct ydoc_reader *reader, const struct ydoc_node *root,
			    struct textedits *edits)
{
	struct pass p = {
		.in = in,
		.file = file,
		.text = text,
		.root = root,
		.diag = in->diag,
		.is_first = true,
		.expand_at = root->pos,
		.begin = root->pos,
	};

	if (root->kind != YDOC_MAPPING) {
		ydoc_report(in->diag, DIAG_WARNING, file, root->pos, NULL,
			    "expected an object with apiVersion and kind, found %s: left as it is",
			    ydoc_describe(root));
		return true;
	}
	run_pass(&p);
	if (p.outcome == OUTCOME_FAILED)
		return false;
	if (p.outcome != OUTCOME_DONE)
		return rewrite(&p, reader->begin, reader->end, edits);
	textedit_sort(&in->edits);
	for (size_t i = 0; i < in->edits.count; i++)
		textedit_add(edits, in->edits.list[i]);
	return true;
}

bool inject_file(struct inject *in, const char *file, struct span text, struct textedits *edits)
{
	unsigned errors = in->diag->errors;
	const struct ydoc_node *root;
	struct ydoc_reader reader;
	bool ok = true;

	ydoc_reader_init(&reader, file, text, in->diag);
	while (ydoc_reader_next(&reader, &root))
		ok = inject_document(in, file, text, &reader, root, edits) && ok;
	ydoc_reader_fini(&reader);
	if (ok && edits->is_out_of_memory)
		ok = diag_report(in->diag, DIAG_ERROR, "%s: out of memory", file);
	return ok && in->diag->errors == errors;
}

void inject_init(struct inject *in, const struct inject_settings *settings,
		 const struct template *template, struct diag *diag)
{
	*in = (struct inject){.settings = settings, .template = template, .diag = diag};
	arena_init(&in->arena, MAX_INSERTED);
	in->contents.arena = &in->arena;
	textedit_init(&in->edits);
	yedit_init(&in->editor, &in->edits, &in->arena);
}

void inject_fini(struct inject *in)
{
	textedit_fini(&in->edits);
	arena_fini(&in->arena);
}
