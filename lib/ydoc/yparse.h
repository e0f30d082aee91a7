/*
 * yparse: libyaml's events into a ybuild, and the only door to libyaml. Private to lib/ydoc.
 */
#ifndef YDOC_YPARSE_H
#define YDOC_YPARSE_H

#include "ydoc/ybuild.h"
#include "ydoc/ycursor.h"

enum yparse_result {
	YPARSE_DOCUMENT, /* the build holds one */
	YPARSE_END,
	YPARSE_BAD, /* the build's problem says why; the yparse is then of no further use */
};

struct yparse;

/*
 * A parser of the YAML stream that begins at the cursor. NULL when memory is out. Takes NULL to
 * free.
 */
struct yparse *yparse_new(struct ycursor at);
void yparse_free(struct yparse *p);

/* Reads the next document and moves the cursor behind it. */
enum yparse_result yparse_read(struct yparse *p, struct ybuild *b, struct ycursor *at);

#endif
