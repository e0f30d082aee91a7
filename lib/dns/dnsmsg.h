/*
 * dnsmsg: one question to a recursive name server, and what its answer says (RFC 1035, 6891, 2308).
 *
 * Bytes in, values out: no sockets, no allocation, no clock. Over UDP a message is the datagram,
 * over TCP what follows the two bytes of length (RFC 1035 section 4.2.2).
 *
 * What comes in is hostile. A compression pointer must point in front of the name part that holds
 * it (so each hop goes strictly backwards), the records are walked twice whatever they hold, at
 * most DNSMSG_MAX_CNAMES aliases are followed, in whatever order they stand, and a loop is an
 * error.
 */
#ifndef DNS_DNSMSG_H
#define DNS_DNSMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "net/addr.h"

/* RFC 1035 section 2.3.4: in wire form, the root's zero byte included. */
#define DNSMSG_NAME_MAX 255
/* Header, name, type and class, OPT record. */
#define DNSMSG_QUERY_MAX (12 + DNSMSG_NAME_MAX + 4 + 11)
/* What we offer to take over UDP: fits an IPv6 packet of 1280 bytes, so it is never fragmented. */
#define DNSMSG_UDP_SIZE 1232
#define DNSMSG_MAX_ADDRS 256
#define DNSMSG_MAX_CNAMES 16
/* Random bytes that dnsmsg_query_mix_case wants: a bit per byte of the name. */
#define DNSMSG_CASE_BYTES 32

enum dnsmsg_type {
	DNSMSG_A = 1,
	DNSMSG_AAAA = 28,
};

struct dnsmsg_query {
	uint16_t id;
	enum dnsmsg_type type;
	bool edns;	 /* carry an OPT record; true after init */
	bool exact_case; /* the answer must echo the name's letters as sent; false after init */
	uint8_t name_len;
	uint8_t name[DNSMSG_NAME_MAX]; /* wire form, uncompressed */
};

/*
 * A question for `name`, which is absolute with or without a trailing dot. Labels may hold any
 * bytes. False when a label is empty or over 63 bytes, or the name is over 253; the root alone is
 * refused too. The letters are asked in lower case.
 */
bool dnsmsg_query_init(struct dnsmsg_query *q, struct span name, enum dnsmsg_type type,
		       uint16_t id);
/*
 * Random capitals in the name, and exact_case: an answer from someone who did not see the question
 * has to guess them too ("0x20"). A few servers fold case: see DNSMSG_CASE_LOST.
 */
void dnsmsg_query_mix_case(struct dnsmsg_query *q, const uint8_t random[static DNSMSG_CASE_BYTES]);
/* Writes the message, recursion desired; returns its length. */
size_t dnsmsg_query_write(const struct dnsmsg_query *q, uint8_t out[static DNSMSG_QUERY_MAX]);

/*
 * OK         addresses of the type asked for, at least one
 * NXDOMAIN   the name, or what it is an alias of, does not exist
 * NODATA     it exists, but has no address of this type
 * SERVFAIL   the server could not or would not say (`rcode` has the number), or sent a referral
 * NOEDNS     the server did not understand the question: ask it again without EDNS (RFC 6891
 *            section 7)
 * TRUNCATED  the answer did not fit: ask over TCP
 * CASE_LOST  our answer but for the case of the name: ask again without dnsmsg_query_mix_case
 * MISMATCH   not the answer to this question (id, name, type, or no response at all): go on waiting
 * MALFORMED  the answer to this question, but broken; `problem` says how
 */
#define DNSMSG_RESULTS(X)                                                                          \
	X(DNSMSG_OK, "ok")                                                                         \
	X(DNSMSG_NXDOMAIN, "nxdomain")                                                             \
	X(DNSMSG_NODATA, "nodata")                                                                 \
	X(DNSMSG_SERVFAIL, "servfail")                                                             \
	X(DNSMSG_NOEDNS, "noedns")                                                                 \
	X(DNSMSG_TRUNCATED, "truncated")                                                           \
	X(DNSMSG_CASE_LOST, "case_lost")                                                           \
	X(DNSMSG_MISMATCH, "mismatch")                                                             \
	X(DNSMSG_MALFORMED, "malformed")

enum dnsmsg_result {
#define X(member, name) member,
	DNSMSG_RESULTS(X)
#undef X
};

extern const char *const dnsmsg_result_names[];

struct dnsmsg_answer {
	uint16_t rcode; /* with the upper bits from the OPT record; 0 until known */
	bool has_ttl;	/* false for a negative answer without SOA, which is not to be cached */
	uint32_t ttl_s; /* least over aliases and addresses; negative: RFC 2308 section 5 */
	unsigned addr_count; /* only with DNSMSG_OK; those beyond DNSMSG_MAX_ADDRS are dropped */
	const char *problem; /* only with DNSMSG_MALFORMED and DNSMSG_MISMATCH: a constant text */
	struct addr addrs[DNSMSG_MAX_ADDRS]; /* in the server's order, port 0; may repeat itself */
};

/* Reads what came in reply to `q`. Fills *a whatever the result. */
enum dnsmsg_result dnsmsg_read(const struct dnsmsg_query *q, struct span message,
			       struct dnsmsg_answer *a);

#endif
