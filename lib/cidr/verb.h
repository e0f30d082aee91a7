/*
 * verb: what can be computed of ranges.
 *
 * One set, of all operands and files, or of standard input when there are none:
 *   normalize   each range as prefixes, in the order given
 *   aggregate   the fewest prefixes that are exactly the set
 *   cover       the smallest single prefix of each family that holds it; how many addresses that
 *               adds is said as a note
 *   split /N    each range cut into prefixes of length N
 *   range       FIRST-LAST of each prefix, the prefixes of each FIRST-LAST
 *   overlaps    each pair with an address in common, and whether there is one
 * Two sets, the first operand (or all files, or standard input when there is one operand) and the
 * other operands:
 *   exclude     what is in the first and not in the others
 *   intersect   what is in the first and in the others
 *   contains    of each of the others, whether it is all in the first; and whether all are
 */
#ifndef CIDR_VERB_H
#define CIDR_VERB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/error.h"
#include "cidr/rangewriter.h"

#define VERBS(X)                                                                                   \
	X(VERB_NORMALIZE, "normalize")                                                             \
	X(VERB_AGGREGATE, "aggregate")                                                             \
	X(VERB_COVER, "cover")                                                                     \
	X(VERB_EXCLUDE, "exclude")                                                                 \
	X(VERB_INTERSECT, "intersect")                                                             \
	X(VERB_CONTAINS, "contains")                                                               \
	X(VERB_OVERLAPS, "overlaps")                                                               \
	X(VERB_SPLIT, "split")                                                                     \
	X(VERB_RANGE, "range")

enum verb {
#define X(member, name) member,
	VERBS(X)
#undef X
		VERB_COUNT,
};

extern const char *const verb_names[VERB_COUNT];

/* VERB_COUNT when it is none. */
enum verb verb_find(const char *word);

/* For a word that is no verb but nearly one: fills the error and returns true. */
bool verb_suggest(const char *word, struct error *e);

struct verb_words {
	const char *const *items;
	size_t count;
};

struct verb_job {
	enum verb verb;
	struct verb_words operands, files;
	bool may_read_stdin; /* there is something to read */
	uint8_t family;	     /* 4, 6, or 0 for both */
	uint64_t max_results;
	enum rangewriter_format format;
	int out;
	struct diag *diag; /* for notes */
};

enum verb_answer {
	VERB_DONE, /* or "yes" */
	VERB_NO,
	VERB_FAILED,  /* could not be written, or memory is out; the error is filled, as below */
	VERB_REFUSED, /* bad input or usage, or too many results; nothing was written */
};

enum verb_answer verb_run(const struct verb_job *job, struct error *e);

#endif
