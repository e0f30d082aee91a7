/*
 * ruleset: settings as rules, before any backend: chains of rules for IPv4 and for IPv6. Pure.
 *
 *   PREROUTING, OUTPUT (nat)      only jumps: what is ours is in chains of our own
 *   EGRESSBOX_OUTPUT              who and what goes past the proxy, then what does not
 *   EGRESSBOX_REDIRECT            to the proxy's port
 *   EGRESSBOX_INBOUND, EGRESSBOX_IN_REDIRECT    the same for what comes in
 *   EGRESSBOX_DNS                 port 53, with --dns-port
 *   OUTPUT (filter)               EGRESSBOX_QUIC with --block-quic, EGRESSBOX_IPV6 with --ipv6 drop
 *   PREROUTING (mangle)           EGRESSBOX_INVALID with --drop-invalid
 *
 * The printers (render) and the encoders (nft, xtables) take the same rules, so what is printed is
 * what is applied.
 */
#ifndef REDIRECT_RULESET_H
#define REDIRECT_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "redirect/ranges.h"
#include "redirect/settings.h"

/* Every chain of our own begins with it; at most 28 bytes are left to legacy tables' names. */
#define RULESET_PREFIX "EGRESSBOX_"
/* The table of our own that nf_tables has, one of each family. */
#define RULESET_TABLE "egressbox"
/* Longest comment, so that it fits nf_tables' user data with its header and NUL. */
#define RULESET_COMMENT_MAX 120

/* In which the chain is, for legacy; for nf_tables it is the kind of base chain. */
enum ruleset_table {
	RULESET_NAT,
	RULESET_FILTER,
	RULESET_MANGLE,
	RULESET_TABLES, /* how many */
};

enum ruleset_hook {
	RULESET_NO_HOOK, /* a chain of our own, reached by jumps */
	RULESET_PREROUTING,
	RULESET_OUTPUT,
};

enum ruleset_verdict {
	RULESET_RETURN,
	RULESET_JUMP,
	RULESET_REDIRECT,
	RULESET_REJECT, /* ICMP port unreachable */
	RULESET_DROP,
};

/* Connection tracking's states, as both backends number them. */
#define RULESET_CT_INVALID 1u
#define RULESET_CT_NEW 8u

/*
 * All that is said must hold. Nothing said: every packet. A socket that has no owner any more
 * (a late RST) has neither uid nor gid, so owners are only ever asked for, never excluded.
 */
struct rule {
	const char *in, *out; /* interface, NULL: any */
	uint8_t protocol;     /* IPPROTO_TCP, IPPROTO_UDP; 0: any */
	bool has_uid, has_gid, not_to;
	uint32_t uid, gid;
	uint32_t ct_state;	   /* one of RULESET_CT_*; 0: any */
	struct ranges_cidrs to;	   /* destination in one of these (not_to: in none); none: any */
	struct ranges_ports ports; /* destination port, then protocol is said; none: any */
	enum ruleset_verdict verdict;
	const struct chain *target; /* RULESET_JUMP */
	uint16_t port;		    /* RULESET_REDIRECT */
	const char *comment;
};

struct chain {
	const char *name; /* of a base chain: its hook, which is its name in legacy tables */
	enum ruleset_table table;
	enum ruleset_hook hook;
	struct rule *rules;
	size_t rule_count;
	size_t number; /* its place in the ruleset */
};

#define RULESET_CHAINS_MAX 12

/* The rules of one family; targets come before the chains that jump to them. */
struct ruleset {
	uint8_t family; /* 4 or 6; 0: leave the family alone */
	struct chain chains[RULESET_CHAINS_MAX];
	size_t chain_count;
};

/*
 * The rules of family 4 or 6 for the settings; a ruleset of family 0 when they want none. It points
 * into the settings and the arena, and must not be copied: rules point to its chains. False when
 * memory is out.
 */
bool ruleset_build(const struct settings *s, uint8_t family, struct arena *arena,
		   struct ruleset *out, struct error *e);

/*
 * Goes through the rules that legacy tables and their text need for one of ours: a rule of theirs
 * takes one range and fifteen ports (a run of ports counts as two). Start with a zeroed slice.
 */
struct ruleset_slice {
	size_t next_cidr, next_port;
	bool is_done;
};
bool ruleset_next_slice(const struct rule *rule, struct ruleset_slice *at, struct rule *out);

/* The chain's name in nf_tables, where all tables of legacy's are one. */
const char *ruleset_base_name(const struct chain *c);
/*
 * Of a base chain in nf_tables. NAT at -101: at the usual -100 the chain that was registered last
 * comes first, so the order against others would depend on who came when.
 */
int ruleset_priority(const struct chain *c);

size_t ruleset_rule_count(const struct ruleset *r);

#endif
