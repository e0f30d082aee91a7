#include "dns/dnsmsg.h"

#include <string.h>

#include "base/ascii.h"
#include "base/endian.h"
#include "net/hostname.h"

enum {
	HEADER_LEN = 12,
	LABEL_MAX = 63,
	HOPS_MAX = 127,
	CLASS_IN = 1,
	TYPE_NS = 2,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	TYPE_OPT = 41,
};

/* Bits of the header's second word, RFC 1035 section 4.1.1. */
enum {
	FLAG_QR = 0x8000,
	OPCODE_MASK = 0x7800,
	FLAG_AA = 0x0400,
	FLAG_TC = 0x0200,
	FLAG_RD = 0x0100,
	RCODE_MASK = 0x000f,
};

enum {
	RCODE_NOERROR = 0,
	RCODE_FORMERR = 1,
	RCODE_NXDOMAIN = 3,
	RCODE_NOTIMP = 4,
	RCODE_BADVERS = 16,
};

const char *const dnsmsg_result_names[] = {
#define X(member, name) [member] = name,
	DNSMSG_RESULTS(X)
#undef X
};

struct name {
	size_t len;
	uint8_t wire[DNSMSG_NAME_MAX];
};

struct record {
	size_t name_at;
	uint16_t type;
	uint16_t class;
	uint32_t ttl_s;	    /* as RFC 2181 section 8 wants it read */
	uint32_t ttl_field; /* as it stands: an OPT record keeps other things there */
	size_t rdata_at;
	size_t rdata_len;
};

struct alias {
	size_t owner_at;
	size_t target_at;
	uint32_t ttl_s;
	bool followed;
};

struct reader {
	struct span message;
	uint16_t flags;
	size_t answers_at; /* where the answer section begins */
	uint16_t answer_count;
	uint16_t rcode_high;
	bool has_soa;
	bool has_ns;
	uint32_t soa_ttl_s;
	unsigned alias_count;
	struct alias aliases[DNSMSG_MAX_CNAMES];
	struct dnsmsg_answer *answer;
};

static const uint8_t *byte_at(struct span message, size_t at)
{
	return (const uint8_t *)message.ptr + at;
}

static bool is_within(struct span message, size_t at, size_t len)
{
	return at <= message.len && len <= message.len - at;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static enum dnsmsg_result malformed(struct reader *r, const char *problem)
{
	r->answer->problem = problem;
	return DNSMSG_MALFORMED;
}

static enum dnsmsg_result mismatch(struct reader *r, const char *problem)
{
	r->answer->problem = problem;
	return DNSMSG_MISMATCH;
}

/* Moves *at behind the name there, without looking where a pointer leads. */
static bool skip_name(struct span message, size_t *at)
{
	size_t pos = *at;

	while (is_within(message, pos, 1)) {
		uint8_t len = *byte_at(message, pos);

		if (len == 0) {
			*at = pos + 1;
			return true;
		}
		if (len > LABEL_MAX) {
			*at = pos + 2;
			return (len & 0xc0) == 0xc0 && is_within(message, pos, 2);
		}
		pos += 1 + (size_t)len;
		if (pos - *at >= DNSMSG_NAME_MAX)
			return false;
	}
	return false;
}

/*
 * The name at `at`, pointers followed (RFC 1035 section 4.1.4). Each must lead to before the
 * stretch of labels that it ends, and past the header. A name has at most 127 labels, so more hops
 * than that serve nothing but to keep us busy.
 */
static bool expand_name(struct span message, size_t at, struct name *out)
{
	size_t start = at;
	unsigned hops = 0;

	out->len = 0;
	while (is_within(message, at, 1)) {
		uint8_t len = *byte_at(message, at);

		if (len > LABEL_MAX) {
			size_t target;

			if ((len & 0xc0) != 0xc0 || !is_within(message, at, 2))
				return false;
			target = endian_get_be16(byte_at(message, at)) & 0x3fffu;
			if (target >= start || target < HEADER_LEN || ++hops > HOPS_MAX)
				return false;
			start = at = target;
			continue;
		}
		if (!is_within(message, at, 1 + (size_t)len) ||
		    out->len + 1 + len > DNSMSG_NAME_MAX)
			return false;
		memcpy(out->wire + out->len, byte_at(message, at), 1 + (size_t)len);
		out->len += 1 + (size_t)len;
		if (len == 0)
			return true;
		at += 1 + (size_t)len;
	}
	return false;
}

/* Without regard to case. Length bytes, at most 63, are no letters, so all bytes may be folded. */
static bool name_eq(const struct name *a, const uint8_t *wire, size_t len)
{
	if (a->len != len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (ascii_to_lower((char)a->wire[i]) != ascii_to_lower((char)wire[i]))
			return false;
	}
	return true;
}

static bool read_record(struct span message, size_t *at, struct record *rec)
{
	const uint8_t *fixed;

	rec->name_at = *at;
	if (!skip_name(message, at) || !is_within(message, *at, 10))
		return false;
	fixed = byte_at(message, *at);
	rec->type = endian_get_be16(fixed);
	rec->class = endian_get_be16(fixed + 2);
	rec->ttl_field = endian_get_be32(fixed + 4);
	/* RFC 2181 section 8: the top bit set means zero. */
	rec->ttl_s = rec->ttl_field > INT32_MAX ? 0 : rec->ttl_field;
	rec->rdata_len = endian_get_be16(fixed + 8);
	rec->rdata_at = *at + 10;
	*at = rec->rdata_at + rec->rdata_len;
	return is_within(message, rec->rdata_at, rec->rdata_len);
}

static bool note_alias(struct reader *r, const struct record *rec)
{
	size_t end = rec->rdata_at;

	if (r->alias_count == DNSMSG_MAX_CNAMES) {
		malformed(r, "too many aliases");
		return false;
	}
	if (!skip_name(r->message, &end) || end != rec->rdata_at + rec->rdata_len) {
		malformed(r, "alias is no name");
		return false;
	}
	r->aliases[r->alias_count++] = (struct alias){
		.owner_at = rec->name_at,
		.target_at = rec->rdata_at,
		.ttl_s = rec->ttl_s,
	};
	return true;
}

/*
 * RFC 2308 section 5: a negative answer lives as long as the lesser of SOA's TTL and its MINIMUM.
 */
static bool note_soa(struct reader *r, const struct record *rec)
{
	size_t end = rec->rdata_at;
	size_t rdata_end = rec->rdata_at + rec->rdata_len;
	bool whole = skip_name(r->message, &end); /* MNAME, then RNAME, then five numbers */

	whole = whole && skip_name(r->message, &end);
	if (!whole || end + 20 != rdata_end) {
		malformed(r, "bad SOA record");
		return false;
	}
	r->soa_ttl_s = least(rec->ttl_s, endian_get_be32(byte_at(r->message, end + 16)));
	r->has_soa = true;
	return true;
}

/*
 * The first walk: every record of every section must be whole; aliases, SOA, NS and OPT are noted.
 */
static bool walk_records(struct reader *r)
{
	enum { ANSWER, AUTHORITY, ADDITIONAL };
	size_t at = r->answers_at;

	for (unsigned section = ANSWER; section <= ADDITIONAL; section++) {
		unsigned count = endian_get_be16(byte_at(r->message, 6 + 2 * section));

		for (unsigned i = 0; i < count; i++) {
			struct record rec;

			if (!read_record(r->message, &at, &rec)) {
				malformed(r, "record is cut off");
				return false;
			}
			if (section == ADDITIONAL && rec.type == TYPE_OPT)
				r->rcode_high = (uint16_t)(rec.ttl_field >> 24);
			if (rec.class != CLASS_IN)
				continue;
			if (section == ANSWER && rec.type == TYPE_CNAME && !note_alias(r, &rec))
				return false;
			if (section == AUTHORITY && rec.type == TYPE_SOA && !note_soa(r, &rec))
				return false;
			r->has_ns |= section == AUTHORITY && rec.type == TYPE_NS;
		}
	}
	return true;
}

/* The alias that `name` has, NULL when it has none; a broken owner name is nobody's. */
static struct alias *find_alias(struct reader *r, const struct name *name)
{
	struct name owner;

	for (unsigned i = 0; i < r->alias_count; i++) {
		if (expand_name(r->message, r->aliases[i].owner_at, &owner) &&
		    name_eq(&owner, name->wire, name->len))
			return &r->aliases[i];
	}
	return NULL;
}

/*
 * Goes from *name to what it is finally called, over aliases in any order (RFC 1034 section 3.6.2).
 */
static bool follow_aliases(struct reader *r, struct name *name)
{
	struct dnsmsg_answer *a = r->answer;
	struct alias *alias;

	while ((alias = find_alias(r, name)) != NULL) {
		if (alias->followed) {
			malformed(r, "alias loop");
			return false;
		}
		alias->followed = true;
		a->ttl_s = least(a->ttl_s, alias->ttl_s);
		if (!expand_name(r->message, alias->target_at, name)) {
			malformed(r, "alias is no name");
			return false;
		}
	}
	return true;
}

static bool take_addr(struct reader *r, const struct dnsmsg_query *q, const struct record *rec)
{
	struct dnsmsg_answer *a = r->answer;
	size_t len = q->type == DNSMSG_A ? 4 : 16;
	struct addr *addr;

	if (rec->rdata_len != len) {
		malformed(r, "address of the wrong length");
		return false;
	}
	a->ttl_s = least(a->ttl_s, rec->ttl_s);
	if (a->addr_count == DNSMSG_MAX_ADDRS)
		return true;
	addr = &a->addrs[a->addr_count++];
	*addr = (struct addr){.family = q->type == DNSMSG_A ? 4 : 6};
	memcpy(addr->bytes, byte_at(r->message, rec->rdata_at), len);
	return true;
}

/* The second walk: the addresses of the final name. */
static bool collect_addrs(struct reader *r, const struct dnsmsg_query *q, const struct name *name)
{
	size_t at = r->answers_at;

	for (unsigned i = 0; i < r->answer_count; i++) {
		struct record rec;
		struct name owner;

		if (!read_record(r->message, &at, &rec)) {
			malformed(r, "record is cut off");
			return false;
		}
		if (rec.type != q->type || rec.class != CLASS_IN)
			continue;
		if (!expand_name(r->message, rec.name_at, &owner)) {
			malformed(r, "bad name");
			return false;
		}
		if (name_eq(&owner, name->wire, name->len) && !take_addr(r, q, &rec))
			return false;
	}
	return true;
}

static enum dnsmsg_result negative(struct reader *r, enum dnsmsg_result result)
{
	struct dnsmsg_answer *a = r->answer;

	a->has_ttl = r->has_soa;
	a->ttl_s = r->has_soa ? least(a->ttl_s, r->soa_ttl_s) : 0;
	a->addr_count = 0;
	return result;
}

static enum dnsmsg_result read_answers(struct reader *r, const struct dnsmsg_query *q)
{
	struct dnsmsg_answer *a = r->answer;
	struct name name;

	if (!walk_records(r))
		return DNSMSG_MALFORMED;
	a->rcode |= (uint16_t)(r->rcode_high << 4);
	if (a->rcode == RCODE_BADVERS && q->edns)
		return DNSMSG_NOEDNS;
	if (a->rcode != RCODE_NOERROR && a->rcode != RCODE_NXDOMAIN)
		return DNSMSG_SERVFAIL;

	a->ttl_s = INT32_MAX;
	memcpy(name.wire, q->name, q->name_len);
	name.len = q->name_len;
	if (!follow_aliases(r, &name))
		return DNSMSG_MALFORMED;
	if (a->rcode == RCODE_NXDOMAIN)
		return negative(r, DNSMSG_NXDOMAIN);
	if (!collect_addrs(r, q, &name))
		return DNSMSG_MALFORMED;
	if (a->addr_count > 0) {
		a->has_ttl = true;
		return DNSMSG_OK;
	}
	/*
	 * RFC 2308 section 2.2: name servers without SOA, from one that is not the authority, are a
	 * referral. A server that does not recurse has not told us anything about the name.
	 */
	if (r->answer_count == 0 && r->has_ns && !r->has_soa && (r->flags & FLAG_AA) == 0)
		return DNSMSG_SERVFAIL;
	return negative(r, DNSMSG_NODATA);
}

/* Is it the response to our question? DNSMSG_OK: yes, go on reading at r->answers_at. */
static enum dnsmsg_result check_question(struct reader *r, const struct dnsmsg_query *q)
{
	size_t at = HEADER_LEN;
	const uint8_t *fixed;
	struct name name;

	if (!skip_name(r->message, &at) || !is_within(r->message, at, 4) ||
	    !expand_name(r->message, HEADER_LEN, &name))
		return mismatch(r, "no question in the answer");
	fixed = byte_at(r->message, at);
	r->answers_at = at + 4;
	if (endian_get_be16(fixed) != q->type || endian_get_be16(fixed + 2) != CLASS_IN)
		return mismatch(r, "answer to a question of another type");
	if (!name_eq(&name, q->name, q->name_len))
		return mismatch(r, "answer to a question for another name");
	if (q->exact_case && memcmp(name.wire, q->name, q->name_len) != 0)
		return DNSMSG_CASE_LOST;
	return DNSMSG_OK;
}

bool dnsmsg_query_init(struct dnsmsg_query *q, struct span name, enum dnsmsg_type type, uint16_t id)
{
	struct span rest = hostname_without_root(name);
	struct span label;

	*q = (struct dnsmsg_query){.id = id, .type = type, .edns = true};
	if (rest.len == 0 || rest.len > HOSTNAME_MAX)
		return false;
	while (span_split(&rest, '.', &label)) {
		if (label.len == 0 || label.len > LABEL_MAX)
			return false;
		q->name[q->name_len++] = (uint8_t)label.len;
		for (size_t i = 0; i < label.len; i++)
			q->name[q->name_len++] = (uint8_t)ascii_to_lower(label.ptr[i]);
	}
	q->name[q->name_len++] = 0;
	return true;
}

void dnsmsg_query_mix_case(struct dnsmsg_query *q, const uint8_t random[static DNSMSG_CASE_BYTES])
{
	q->exact_case = true;
	for (unsigned i = 0; i < q->name_len; i++) {
		if (ascii_is_alpha((char)q->name[i]) && (random[i / 8] >> (i % 8) & 1) != 0)
			q->name[i] ^= 'a' ^ 'A';
	}
}

size_t dnsmsg_query_write(const struct dnsmsg_query *q, uint8_t out[static DNSMSG_QUERY_MAX])
{
	uint8_t *at = out + HEADER_LEN;

	memset(out, 0, HEADER_LEN);
	endian_put_be16(out, q->id);
	endian_put_be16(out + 2, FLAG_RD);
	endian_put_be16(out + 4, 1);
	memcpy(at, q->name, q->name_len);
	at += q->name_len;
	endian_put_be16(at, (uint16_t)q->type);
	endian_put_be16(at + 2, CLASS_IN);
	at += 4;
	if (q->edns) {
		/*
		 * RFC 6891 section 6.1.2: root name, type, size in the class, no flags, no options.
		 */
		endian_put_be16(out + 10, 1);
		memset(at, 0, 11);
		endian_put_be16(at + 1, TYPE_OPT);
		endian_put_be16(at + 3, DNSMSG_UDP_SIZE);
		at += 11;
	}
	return (size_t)(at - out);
}

enum dnsmsg_result dnsmsg_read(const struct dnsmsg_query *q, struct span message,
			       struct dnsmsg_answer *a)
{
	struct reader r = {.message = message, .answer = a};
	enum dnsmsg_result result;
	unsigned question_count;

	a->rcode = 0;
	a->has_ttl = false;
	a->ttl_s = 0;
	a->addr_count = 0;
	a->problem = NULL;
	if (message.len < HEADER_LEN)
		return mismatch(&r, "shorter than a header");
	if (endian_get_be16(byte_at(message, 0)) != q->id)
		return mismatch(&r, "another id");
	r.flags = endian_get_be16(byte_at(message, 2));
	if ((r.flags & FLAG_QR) == 0 || (r.flags & OPCODE_MASK) != 0)
		return mismatch(&r, "not the response to a query");
	a->rcode = r.flags & RCODE_MASK;
	question_count = endian_get_be16(byte_at(message, 4));
	r.answer_count = endian_get_be16(byte_at(message, 6));

	/*
	 * A server that fails may leave the question out; there is no other way to know what it is
	 * about.
	 */
	if (question_count != 0 || a->rcode == RCODE_NOERROR || a->rcode == RCODE_NXDOMAIN) {
		if (question_count != 1)
			return mismatch(&r, "not one question in the answer");
		result = check_question(&r, q);
		if (result != DNSMSG_OK)
			return result;
	}
	if (a->rcode == RCODE_FORMERR || a->rcode == RCODE_NOTIMP)
		return q->edns ? DNSMSG_NOEDNS : DNSMSG_SERVFAIL;
	if (question_count == 0)
		return DNSMSG_SERVFAIL;
	/* RFC 2181 section 9: what a truncated answer holds is not used. */
	if ((r.flags & FLAG_TC) != 0)
		return DNSMSG_TRUNCATED;
	result = read_answers(&r, q);
	if (result > DNSMSG_NODATA) {
		a->ttl_s = 0;
		a->addr_count = 0;
	}
	return result;
}
