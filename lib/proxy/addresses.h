/*
 * addresses: what one worker has learnt of upstreams' addresses, and which of a name's to try next.
 *
 * An address that could not be connected to is given a rest, longer each time it fails again, so
 * that requests do not run into it one after the other; when nothing else is left it is tried all
 * the same. After its rest it is on probation: tried, but together with another one, so that no
 * request waits for it.
 *
 * The worker alone writes; the control thread may ask addresses_rest_ms at any time.
 */
#ifndef PROXY_ADDRESSES_H
#define PROXY_ADDRESSES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/addr.h"

/* Of failing addresses known at a time; the one whose rest ends first makes way for another. */
#define ADDRESSES_SLOTS 128
#define ADDRESSES_REST_MIN_MS 1000
#define ADDRESSES_REST_MAX_MS 60000
/* How long the family that won a race is tried first (RFC 8305 section 4: at most 10 minutes). */
#define ADDRESSES_FAMILY_MS 600000

struct addresses_slot {
	_Atomic uint64_t key;	   /* 0: free */
	_Atomic uint64_t until_ms; /* of loop_now_ms(): end of the rest */
	uint32_t rest_ms;	   /* how long that was, to begin with */
};

/* Which family connected first, when a name had both. */
struct addresses_family {
	uint8_t family; /* 0: not known */
	uint64_t until_ms;
};

struct addresses {
	struct addresses_slot slots[ADDRESSES_SLOTS];
	struct addresses_family family; /* of any name: for those that have none of their own yet */
};

enum addresses_state {
	ADDRESSES_FINE,
	ADDRESSES_ON_PROBATION, /* has failed, and its rest is over */
	ADDRESSES_RESTING,
};

/* All of them with their port. */
enum addresses_state addresses_state(const struct addresses *m, const struct addr *a,
				     uint64_t now_ms);
/* What is left of its rest; 0: none. */
uint64_t addresses_rest_ms(const struct addresses *m, const struct addr *a, uint64_t now_ms);

/* It could not be connected to, or took much longer than another. */
void addresses_failed(struct addresses *m, const struct addr *a, uint64_t now_ms);
/* Another one was quicker: if it is on probation, it rests as long as it did last. */
void addresses_outrun(struct addresses *m, const struct addr *a, uint64_t now_ms);
void addresses_worked(struct addresses *m, const struct addr *a);

/* A name's addresses from the point of view of one connection to be made. */
#define ADDRESSES_CHOICE_MAX 32
struct addresses_choice {
	const struct addr *addrs;
	unsigned count;
	unsigned turn;	/* counts connections, so that equals get the same share of them */
	uint16_t port;	/* of those that have none */
	uint32_t tried; /* bit per index */
	uint8_t family; /* to be preferred now */
};

/* Not tried yet: those that do not rest, then of the preferred family, then in turn. -1: none. */
int addresses_pick(const struct addresses *m, const struct addresses_choice *c, uint64_t now_ms);
/* The address at `index`, with its port. */
struct addr addresses_at(const struct addresses_choice *c, unsigned index);

/* IPv6, unless IPv4 has won lately, with this name or else with any. */
uint8_t addresses_preferred_family(const struct addresses *m, const struct addresses_family *own,
				   uint64_t now_ms);
/* A connection of this family came about, of a name that has both. */
void addresses_family_won(struct addresses *m, struct addresses_family *own, uint8_t family,
			  uint64_t now_ms);

#endif
