/*
 * clusterread: files of any kind into a clusterfind: YAML, JSON, or lines, told apart by what they
 * hold.
 *
 *   clusterread_begin(&r, &find, "cluster.json");
 *   clusterread_feed(&r, bytes, &e) ...
 *   clusterread_end(&r, &e);
 *   clusterread_fini(&r);                   also after a failure
 *
 * What begins with `{` or `[` is JSON, read as it comes in bounded memory. All else is kept (up to
 * YDOC_MAX_BYTES) and read as YAML; where that can't be read or has no range under a key that is
 * known, it is read line by line: grep's output, tables, flags, environment files.
 *
 * Broken JSON is an error, unless not even its first key or value could be read; text that is
 * neither is no error, and has no ranges.
 */
#ifndef KUBE_CLUSTERREAD_H
#define KUBE_CLUSTERREAD_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "json/jsonr.h"
#include "kube/clusterfind.h"

struct clusterread {
	struct clusterfind *find;
	const char *file;
	uint8_t form; /* enum of clusterread.c */
	bool is_committed;
	struct jsonr json;
	struct buf text;
};

/* `file`, which is printed as it is, must live as long as what is found. */
void clusterread_begin(struct clusterread *r, struct clusterfind *find, const char *file);
void clusterread_fini(struct clusterread *r);
/* False: the error is filled, with the file in it, and the file is of no use. */
bool clusterread_feed(struct clusterread *r, struct span bytes, struct error *e);
bool clusterread_end(struct clusterread *r, struct error *e);

#endif
