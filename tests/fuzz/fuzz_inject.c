/*
 * fuzz_inject: whatever manifests hold, what comes out of them is read, says what it said before
 * and what was added, is left alone the second time, and is as it was when that is taken out.
 */
#include <stdint.h>
#include <stdlib.h>

#include "inject/inject.h"
#include "inject/status.h"

/* Nodes compared; aliases may stand for very many. */
#define MAX_COMPARED 200000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static const char all_sections[] = "initContainers: [{name: egressbox-init, image: a}]\n"
				   "containers:\n"
				   "- name: egressbox-proxy\n"
				   "  args: [$(PROXY_OPTIONS), \"a: b # c\", 'it''s \"1\"']\n"
				   "  text: |\n"
				   "    one\n"
				   "\n"
				   "      two\n"
				   "  none: {}\n"
				   "volumes: [{name: egressbox-tmp, emptyDir: {}}]\n"
				   "annotations: {egressbox.io/a: \"1\", b: $(NAMESPACE)}\n"
				   "labels: {egressbox.io/l: \"yes\"}\n";

/* A way to inject, and the template that it is with. */
struct way {
	struct inject_settings settings;
	struct template template;
};

#define WAYS 3

static struct way ways[WAYS];

static void init_way(struct way *way, struct span text, bool is_native)
{
	struct diag silent = {.emit = NULL};

	way->settings = (struct inject_settings){
		.image = SPAN("egressbox:1"),
		.image_pull_policy = SPAN("IfNotPresent"),
		.version = SPAN("1.0"),
		.namespace = SPAN("shop"),
		.proxy_port = 15001,
		.admin_port = 15020,
		.proxy_uid = 1337,
		.is_native = is_native,
	};
	expect(template_read(&way->template, "template", text, &silent));
}

static void init_ways(void)
{
	static bool is_done;

	if (is_done)
		return;
	is_done = true;
	init_way(&ways[0], template_builtin(true), true);
	init_way(&ways[1], template_builtin(false), false);
	init_way(&ways[2], span_from_cstr(all_sections), false);
}

/* ---- A run over a file ---- */

struct result {
	struct buf text; /* what the file becomes; empty when it is refused */
	bool ok;
	bool is_written_out; /* a document */
	unsigned edits, verdicts[4];
};

static void emit(struct diag *d, enum diag_level level, const char *text)
{
	struct result *r = d->context;

	(void)level;
	expect(strncmp(text, "f.yaml:", 7) == 0);
	r->is_written_out = r->is_written_out || strstr(text, "written out anew") != NULL;
	for (; *text != '\0'; text++)
		expect((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void on_workload(void *context, const struct inject_event *event)
{
	struct result *r = context;

	r->verdicts[event->verdict]++;
}

static bool is_null_word(struct span text)
{
	return span_eq_nocase(text, SPAN("null")) || span_eq(text, SPAN("~"));
}

/* In order, within the text, not over each other. */
static void check_edits(const struct textedits *edits, struct span text, bool only_adds)
{
	size_t at = 0;

	for (size_t i = 0; i < edits->count; i++) {
		const struct textedit *e = &edits->list[i];

		expect(e->offset >= at && e->offset <= text.len &&
		       e->removed <= text.len - e->offset);
		at = e->offset + e->removed;
		expect(!only_adds || e->removed == 0 ||
		       is_null_word(span_first(span_from(text, e->offset), e->removed)));
	}
}

static void run(const struct way *way, bool is_uninject, struct span text, struct result *r)
{
	struct inject_settings settings = way->settings;
	struct diag diag = {.emit = emit, .context = r};
	struct textedits edits;
	struct inject in;

	*r = (struct result){.ok = false};
	buf_init_heap(&r->text, YDOC_MAX_BYTES);
	settings.is_uninject = is_uninject;
	textedit_init(&edits);
	inject_init(&in, &settings, &way->template, &diag);
	in.on_workload = on_workload;
	in.context = r;
	r->ok = inject_file(&in, "f.yaml", text, &edits);
	expect(r->ok == (diag.errors == 0));
	if (r->ok) {
		r->edits = (unsigned)edits.count;
		check_edits(&edits, text,
			    !is_uninject && !r->is_written_out && r->verdicts[INJECT_UPDATED] == 0);
		textedit_apply(&edits, text, &r->text);
		expect(!r->text.truncated);
	}
	inject_fini(&in);
	textedit_fini(&edits);
}

/* ---- What it says ---- */

static unsigned compared;

static bool says_too(const struct ydoc_node *before, const struct ydoc_node *after);

static bool has_entry(const struct ydoc_item *entry, const struct ydoc_node *after)
{
	for (const struct ydoc_item *i = after->items; i != NULL; i = i->next)
		if (says_too(entry->key, i->key) && says_too(entry->value, i->value))
			return true;
	return false;
}

/* Whether all that a tree says is said by another, which may say more, also where it said null. */
static bool says_too(const struct ydoc_node *before, const struct ydoc_node *after)
{
	const struct ydoc_item *at = after->kind == YDOC_SCALAR ? NULL : after->items;

	if (++compared > MAX_COMPARED || ydoc_is_absent(before))
		return true;
	if (before->kind != after->kind)
		return false;
	if (before->kind == YDOC_SCALAR)
		return span_eq(before->text, after->text) &&
		       ydoc_scalar_type(before) == ydoc_scalar_type(after);
	for (const struct ydoc_item *i = before->items; i != NULL; i = i->next) {
		if (i->key != NULL && !ydoc_is_merge(i) && !has_entry(i, after))
			return false;
		if (i->key != NULL)
			continue;
		while (at != NULL && !says_too(i->value, at->value))
			at = at->next;
		if (at == NULL)
			return false;
		at = at->next;
	}
	return true;
}

/* Both are read without errors, document for document. */
static void check_readings(struct span before, struct span after, bool is_to_compare)
{
	struct ydoc_reader readers[2];
	const struct ydoc_node *roots[2];
	struct diag diag = {.emit = NULL};

	ydoc_reader_init(&readers[0], "before", before, &diag);
	ydoc_reader_init(&readers[1], "after", after, &diag);
	compared = 0;
	while (ydoc_reader_next(&readers[0], &roots[0])) {
		expect(ydoc_reader_next(&readers[1], &roots[1]));
		expect(!is_to_compare || says_too(roots[0], roots[1]));
	}
	expect(!ydoc_reader_next(&readers[1], &roots[1]));
	expect(diag.errors == 0);
	ydoc_reader_fini(&readers[0]);
	ydoc_reader_fini(&readers[1]);
}

static void check_uninjected(const struct way *way, struct span text, const struct result *out)
{
	struct result back, twice;

	run(way, true, buf_span(&out->text), &back);
	expect(back.ok);
	check_readings(text, buf_span(&back.text), false);
	if (!out->is_written_out)
		expect(span_eq(buf_span(&back.text), text));
	run(way, true, buf_span(&back.text), &twice);
	expect(twice.ok && twice.edits == 0 && twice.verdicts[INJECT_REMOVED] == 0);
	buf_fini(&twice.text);
	buf_fini(&back.text);
}

/* What others have injected may be taken out, or not: but what is left is read. */
static bool is_injected(const struct way *way, struct span text)
{
	struct result r;
	bool is_injected;

	run(way, true, text, &r);
	is_injected = r.verdicts[INJECT_REMOVED] > 0;
	if (r.ok && is_injected)
		check_readings(text, buf_span(&r.text), false);
	buf_fini(&r.text);
	return is_injected;
}

static void check_way(const struct way *way, struct span text)
{
	bool was_injected = is_injected(way, text);
	struct result out, again;

	run(way, false, text, &out);
	if (out.ok && out.edits > 0) {
		check_readings(text, buf_span(&out.text), !was_injected);
		run(way, false, buf_span(&out.text), &again);
		expect(again.ok && again.edits == 0);
		buf_fini(&again.text);
		if (!was_injected)
			check_uninjected(way, text, &out);
	}
	buf_fini(&out.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	init_ways();
	for (size_t i = 0; i < WAYS; i++)
		check_way(&ways[i], span_of(data, size));
	return 0;
}
