/*
 * diag: many complaints in one run. A reader of a file reports each problem to a sink and goes on;
 * whoever owns the sink prints them and looks at the counts.
 *
 * Complaints about a file read `file:line:col: path: text`, line and column from 1.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdbool.h>

enum diag_level {
	DIAG_NOTE,
	DIAG_WARNING,
	DIAG_ERROR,
};

struct diag {
	/* Called once per complaint, text without a line end; may be NULL to only count. */
	void (*emit)(struct diag *d, enum diag_level level, const char *text);
	void *context; /* the owner's; not touched here */
	unsigned warnings;
	unsigned errors;
};

/* Formats, counts and emits. Text over 1023 bytes is cut. False for DIAG_ERROR, else true. */
bool diag_report(struct diag *d, enum diag_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
