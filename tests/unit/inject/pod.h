/*
 * pod: the workload of a document, and the settings and templates that it meets, for tests.
 */
#ifndef POD_H
#define POD_H

#include "../ydoc/document.h"
#include "inject/settings.h"
#include "inject/template.h"
#include "kube/workload.h"

struct pod {
	struct document document;
	struct kube_workload w; /* points into itself and the document */
};

/* In place. The text must hold a workload. */
static inline void pod_open(struct pod *p, struct span text)
{
	static const struct kube_workload_kinds none = {NULL, 0};
	struct kube_workload_object object = {.node = NULL};

	document_open(&p->document, text);
	object.node = p->document.root;
	if (kube_workload_read(&p->w, "f.yaml", &p->document.c.diag, &object, &none) !=
	    KUBE_WORKLOAD_FOUND)
		unit_fail(__FILE__, __LINE__, "[%.*s] is no workload: %s", SPAN_ARG(text),
			  p->document.c.storage);
}

static inline void pod_close(struct pod *p)
{
	document_close(&p->document);
}

/* What was complained of. */
static inline const char *pod_complaints(const struct pod *p)
{
	return p->document.c.storage;
}

static const struct inject_settings pod_settings __attribute__((unused)) = {
	.image = {"egressbox:1", 11},
	.image_pull_policy = {"Always", 6},
	.version = {"1.0", 3},
	.proxy_port = 15001,
	.admin_port = 15020,
	.proxy_uid = 1337,
	.is_native = true,
};

/* A template that must be good; template_fini is due. */
static inline void pod_template(struct template *t, const char *text)
{
	struct collect c;

	collect_init(&c);
	if (!template_read(t, "template", span_from_cstr(text), &c.diag))
		unit_fail(__FILE__, __LINE__, "[%s] is no template: %s", text, c.storage);
}

#endif
