/*
 * record: things with fields, written as YAML, JSON, CSV (RFC 4180), or `name: value` lines for
 * people.
 *
 *   record_init(&r, RANGEWRITER_JSON, names, count, add, &out);
 *   record_add(&r, thing) ...
 *   record_end(&r);
 *
 * All values are texts, numbers as well: most readers of JSON have numbers of 53 bits.
 */
#ifndef CIDR_RECORD_H
#define CIDR_RECORD_H

#include <stddef.h>

#include "base/buf.h"
#include "cidr/rangewriter.h"

struct record {
	enum rangewriter_format format;
	const char *const *names;
	unsigned field_count;
	/* Appends the value of a field; one without text is left out, but for CSV. */
	void (*add)(const void *thing, unsigned field, struct buf *out);
	struct buf *out;
	size_t count; /* of things so far */
};

/* All formats but YAML, JSON and CSV are for people. */
void record_init(struct record *r, enum rangewriter_format format, const char *const *names,
		 unsigned field_count,
		 void (*add)(const void *thing, unsigned field, struct buf *out), struct buf *out);
void record_add(struct record *r, const void *thing);
void record_end(struct record *r);

#endif
