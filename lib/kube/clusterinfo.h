/*
 * clusterinfo: what has been learnt of a cluster's ranges, from all sources, and what is made of
 * it.
 *
 * Of each role only the ranges of the source that is believed first count (clusterkeys_rank), in
 * the order in which they were found; nothing is aggregated. The slices of nodes, which may be
 * thousands, are kept as a set.
 */
#ifndef KUBE_CLUSTERINFO_H
#define KUBE_CLUSTERINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "kube/clusterkeys.h"
#include "net/cidrset.h"

struct clusterinfo_range {
	struct range range;
	uint8_t role, confidence, rank;
	const char *source; /* "GKE cluster" */
	const char *file;   /* where it stands; NULL: nowhere */
	uint32_t line, col; /* 0: somewhere in the file */
	bool had_host_bits; /* was written with bits behind its length */
	const char *note;   /* what is odd about it, or NULL */
};

/* More are no answer. */
#define CLUSTERINFO_RANGES_MAX 4096

enum clusterinfo_guess {
	CLUSTERINFO_GUESS_NO,	  /* the slices of nodes as they are */
	CLUSTERINFO_GUESS_NARROW, /* the smallest prefix that holds what was seen */
	CLUSTERINFO_GUESS_WIDE,	  /* the largest that it may well be */
};

struct clusterinfo_choice {
	enum clusterkeys_confidence min_confidence;
	enum clusterinfo_guess guess;
	uint8_t family; /* 4, 6, or 0 for both */
	bool takes_all; /* everything that was found, whatever is believed first */
	bool roles[CLUSTERKEYS_ROLES];
};

struct clusterinfo {
	struct arena *arena; /* the caller's; file names and what is chosen live in it */
	struct clusterinfo_range *list;
	size_t count, capacity;
	struct cidrset slices; /* of nodes */
	struct clusterinfo_range first_slice;
	size_t slice_count;
	bool is_out_of_memory, is_full;
};

void clusterinfo_init(struct clusterinfo *info, struct arena *arena);
void clusterinfo_fini(struct clusterinfo *info);

/* Given twice, the one that is believed first stays. What it points to must live as long. */
void clusterinfo_add(struct clusterinfo *info, const struct clusterinfo_range *range);

/* Whether anything was found for a role. */
bool clusterinfo_has(const struct clusterinfo *info, enum clusterkeys_role role);

struct clusterinfo_answer {
	struct clusterinfo_range *list; /* pods before services, IPv4 before IPv6, primary first */
	size_t count;
	size_t counts[CLUSTERKEYS_ROLES];
	size_t unsure[CLUSTERKEYS_ROLES]; /* found, but below the confidence that was asked for */
};

/* May merge the set of slices. False when memory is out. */
bool clusterinfo_choose(struct clusterinfo *info, const struct clusterinfo_choice *choice,
			struct clusterinfo_answer *answer);

#endif
