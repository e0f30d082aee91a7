/*
 * inspect: clusters and lists of ranges, gathered to be checked (check.h) by themselves, beside
 * each other, and against a list that is in use.
 */
#ifndef CIDR_INSPECT_H
#define CIDR_INSPECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/error.h"
#include "cidr/check.h"
#include "cidr/discover.h"
#include "cidr/verb.h"

#define INSPECT_MAX 64

struct inspect {
	struct arena *arena;
	struct diag *diag; /* complaints about what is in files */
	enum clusterinfo_guess guess;
	struct check_cluster clusters[INSPECT_MAX];
	size_t count;
	struct rangelist in_use, servers;
	bool has_in_use;
	struct check check;
};

void inspect_init(struct inspect *in, struct arena *arena, struct diag *diag, struct buf *out);
void inspect_fini(struct inspect *in);

/* Name servers, from a file as resolv.conf(5) has it; one that is not there has none. */
bool inspect_servers(struct inspect *in, const char *path, struct error *e);
/* The list that is in use. */
bool inspect_against(struct inspect *in, const char *list, struct error *e);

/* A file with the description of a cluster, if there is one of that name; else a list of ranges. */
bool inspect_operand(struct inspect *in, const char *text, struct error *e);
bool inspect_file(struct inspect *in, const char *path, struct error *e);
/* What has been discovered otherwise. */
bool inspect_discovered(struct inspect *in, struct discover *d, const char *name, struct error *e);

/*
 * Checks all; the findings are in `out`. VERB_NO when there are problems, VERB_REFUSED with the
 * error, or with complaints and an empty one, when the input was bad.
 */
enum verb_answer inspect_run(struct inspect *in, struct error *e);

#endif
