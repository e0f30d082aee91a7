/*
 * clustervalue: the text of a value that ought to be a range, or several, into what is known of a
 * cluster, or into a complaint that says where it stands.
 */
#ifndef KUBE_CLUSTERVALUE_H
#define KUBE_CLUSTERVALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "kube/clusterinfo.h"

/*
 * A place in a file. What stands in a text that is itself a value (a ConfigMap's) has the place of
 * that text, and of itself in it, unless its own in the file is known.
 */
struct clustervalue_pos {
	uint32_t line, col;
	uint32_t text_line, text_col; /* 0: not in such a text */
};

struct clustervalue {
	struct span text;
	struct span path; /* the keys to it, `spec.podCIDRs[0]`, for messages; may be empty */
	const struct clusterkeys_rule *rule;
	const char *file;
	struct clustervalue_pos at;
	const char *note; /* what is odd about it, or NULL */
	bool allows_any;  /* 0.0.0.0/0 and ::/0 are no errors */
};

/*
 * Takes all ranges of a value, with commas, semicolons or blanks between them, and reports what is
 * none; null, "" and the like mean "not known". Returns how many ranges and errors there were.
 */
size_t clustervalue_take(const struct clustervalue *v, struct clusterinfo *info, struct diag *diag);

#endif
