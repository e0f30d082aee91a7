/*
 * clusterinfo: what has been learnt of a cluster's ranges, from all sources, and what is made of
 * it.
 *
 * Of each role only the ranges of the source that is believed first count (clusterkeys_rank), in
 * the order in which they were found; nothing is aggregated. What there may be thousands of (slices
 * of nodes, addresses of pods and of Services) is kept as sets.
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
	bool roles[CLUSTERKEYS_ROLES];
};

enum clusterinfo_pile_kind {
	CLUSTERINFO_SLICES, /* of nodes */
	CLUSTERINFO_POD_ADDRESSES,
	CLUSTERINFO_SERVICE_ADDRESSES,
	CLUSTERINFO_PILES,
};

struct clusterinfo_pile {
	struct cidrset set;
	struct clusterinfo_range first; /* how it was found */
	size_t count;
};

struct clusterinfo {
	struct arena *arena; /* the caller's; file names and what is chosen live in it */
	struct clusterinfo_range *list;
	size_t count, capacity;
	struct clusterinfo_pile piles[CLUSTERINFO_PILES];
	/* The address of the Service `kubernetes`, the first of all; family 0: not known. */
	struct clusterinfo_range first_address;
	bool is_first; /* addresses of Services that are added are this one */
	bool is_out_of_memory, is_full;
};

void clusterinfo_init(struct clusterinfo *info, struct arena *arena);
void clusterinfo_fini(struct clusterinfo *info);

/*
 * Given twice, the one that is believed first stays. What it points to must live as long. Those of
 * RANK_NODES and RANK_ADDRESSES go to their piles.
 */
void clusterinfo_add(struct clusterinfo *info, const struct clusterinfo_range *range);

/* Whether anything but addresses was found for a role. */
bool clusterinfo_has(const struct clusterinfo *info, enum clusterkeys_role role);

struct clusterinfo_answer {
	struct clusterinfo_range *list; /* pods before services, IPv4 before IPv6, primary first */
	size_t count;
	size_t counts[CLUSTERKEYS_ROLES];
	size_t unsure[CLUSTERKEYS_ROLES]; /* found, but below the confidence that was asked for */
};

/*
 * May merge the piles. Addresses count when a guess is asked for, as what is around them. False
 * when memory is out.
 */
bool clusterinfo_choose(struct clusterinfo *info, const struct clusterinfo_choice *choice,
			struct clusterinfo_answer *answer);

#endif
