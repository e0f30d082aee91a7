/*
 * rangewriter: lists of ranges on their way out, in one of the formats of -o.
 *
 *   rangewriter_init(&w, STDOUT_FILENO, RANGEWRITER_COMMA);
 *   rangewriter_add(&w, &range) ...
 *   rangewriter_end(&w, &e);
 *
 * Written in large pieces; failures are kept and said at the end.
 */
#ifndef CIDR_RANGEWRITER_H
#define CIDR_RANGEWRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "net/range.h"

/* Member, name on the command line; from yaml on, those that have fields. */
#define RANGEWRITER_FORMATS(X)                                                                     \
	X(RANGEWRITER_DESCRIBE, "describe")                                                        \
	X(RANGEWRITER_FLAG, "flag")                                                                \
	X(RANGEWRITER_COMMA, "comma")                                                              \
	X(RANGEWRITER_LIST, "list")                                                                \
	X(RANGEWRITER_HELM, "helm")                                                                \
	X(RANGEWRITER_ANNOTATION, "annotation")                                                    \
	X(RANGEWRITER_ENV, "env")                                                                  \
	X(RANGEWRITER_YAML, "yaml")                                                                \
	X(RANGEWRITER_JSON, "json")                                                                \
	X(RANGEWRITER_CSV, "csv")

enum rangewriter_format {
#define X(member, name) member,
	RANGEWRITER_FORMATS(X)
#undef X
		RANGEWRITER_FORMAT_COUNT,
};

/* What stands around ranges and between them. */
struct rangewriter_form {
	const char *before, *between, *after;
};

extern const struct rangewriter_form rangewriter_forms[RANGEWRITER_FORMAT_COUNT];

/* With NULL behind the last. */
extern const char *const rangewriter_formats[RANGEWRITER_FORMAT_COUNT + 1];

struct rangewriter {
	int fd;
	enum rangewriter_format format;
	size_t count;
	struct buf *out; /* where to, instead of fd; set after init */
	bool has_ends;	 /* ranges are written FIRST-LAST, prefixes too */
	bool has_failed;
	struct error error;
	struct buf text;
	char storage[65536];
};

/* RANGEWRITER_DESCRIBE is a list, one range a line. */
void rangewriter_init(struct rangewriter *w, int fd, enum rangewriter_format format);
void rangewriter_add(struct rangewriter *w, const struct range *r);
/* Text as it is, between ranges or instead of them. */
void rangewriter_text(struct rangewriter *w, struct span text);
/* Closes the list and writes what is left; false when something could not be written. */
bool rangewriter_end(struct rangewriter *w, struct error *e);
/* The same without closing: for text only. */
bool rangewriter_flush(struct rangewriter *w, struct error *e);

#endif
