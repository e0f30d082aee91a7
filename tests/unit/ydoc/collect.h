/*
 * collect: a diag that keeps its complaints as text, one per line, for tests.
 */
#ifndef COLLECT_H
#define COLLECT_H

#include "base/buf.h"
#include "base/diag.h"

struct collect {
	struct diag diag;
	struct buf text;
	char storage[8192];
};

static void collect_emit(struct diag *d, enum diag_level level, const char *text)
{
	struct collect *c = d->context;

	buf_printf(&c->text, "%s%s\n", level == DIAG_WARNING ? "warning: " : "", text);
}

/* In place, since the diag points at it. */
static inline void collect_init(struct collect *c)
{
	c->diag = (struct diag){.emit = collect_emit, .context = c};
	BUF_INIT_ARRAY(&c->text, c->storage);
}

#endif
