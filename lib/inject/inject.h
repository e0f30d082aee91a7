/*
 * inject: the changes of manifests that put a sidecar into their pods, or take it out.
 *
 *   struct inject in;
 *
 *   inject_init(&in, &settings, &template, &diag);
 *   for each file: inject_file(&in, "sleep.yaml", text, &edits)
 *   diag.errors == 0: textedit_write(&edits, text, ...) is what it becomes
 *   inject_fini(&in);
 *
 * From text and settings to edits; no file is touched. What is no workload passes as it is. A pod
 * that has been injected before is left alone when the same would be injected again, else it is
 * brought up to date: what was injected is taken out and put in anew.
 *
 * Where a template is reached by an alias or a merge key, its document is written out first
 * (yexpand.h), with a warning.
 */
#ifndef INJECT_INJECT_H
#define INJECT_INJECT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/textedit.h"
#include "inject/content.h"
#include "inject/settings.h"
#include "inject/template.h"
#include "ydoc/yedit.h"

/* What became of a workload, in words that follow its name. */
#define INJECT_VERDICTS(X)                                                                         \
	X(INJECT_ADDED, "inject")                                                                  \
	X(INJECT_UPDATED, "update")                                                                \
	X(INJECT_REMOVED, "uninject")                                                              \
	X(INJECT_SKIPPED, "skip")

enum inject_verdict {
#define X(member, name) member,
	INJECT_VERDICTS(X)
#undef X
};

extern const char *const inject_verdict_names[];

/* A workload that was looked at, in the order of the files. */
struct inject_event {
	const char *file;
	struct ydoc_pos pos;
	struct span kind, namespace, name; /* namespace and name may be empty */
	enum inject_verdict verdict;
	const char *reason; /* why it is skipped; NULL else */
};

#define INJECT_BUCKETS 256

struct inject {
	const struct inject_settings *settings;
	const struct template *template;
	struct diag *diag;
	/* Called for each workload without errors; may be NULL. The event is gone afterwards. */
	void (*on_workload)(void *context, const struct inject_event *event);
	void *context;

	/* inject.c's own */
	struct arena arena; /* what is inserted, and what it is made from */
	struct contents contents;
	struct template_instance *instances[INJECT_BUCKETS]; /* by the hash of their values */
	struct yedit editor;
	struct textedits edits; /* of one document */
};

/* All three must stay until inject_fini. */
void inject_init(struct inject *in, const struct inject_settings *settings,
		 const struct template *template, struct diag *diag);
/* The edits that were made borrow from it. */
void inject_fini(struct inject *in);

/*
 * Adds the edits of one file's bytes, in order. All that is wrong in the file is reported, and then
 * it is false and the edits are of no use. `file` and `text` must stay until inject_fini.
 */
bool inject_file(struct inject *in, const char *file, struct span text, struct textedits *edits);

#endif
