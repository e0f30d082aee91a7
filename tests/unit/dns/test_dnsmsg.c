#include "../unit.h"

#include "base/endian.h"
#include "dns/dnsmsg.h"

/* Messages by hand: id 0x1234, counts as "\0\1". */
#define ID "\x12\x34"
#define HEAD(flags, an, ns, ar) ID flags "\0\1" an ns ar
#define ANSWERS "\x81\x80" /* QR RD RA, NOERROR */
#define NONE "\0\0"
#define ONE "\0\1"
#define TWO "\0\2"
#define WWW "\3www\7example\3com\0" /* at 12; example at 16; com at 24 */
#define QUESTION WWW "\0\1\0\1"	    /* ends at 33 */
#define TO_WWW "\xc0\x0c"
#define TO_EXAMPLE "\xc0\x10"
#define A_RR(owner, ttl, ip) owner "\0\1\0\1" ttl "\0\4" ip
#define MINUTE "\0\0\0\x3c"
#define HOUR "\0\0\x0e\x10"
/* mname "ns" + pointer (5), rname root (1), five words (20): 26 = 0x1a. */
#define SOA(ttl, minimum)                                                                          \
	TO_EXAMPLE "\0\6\0\1" ttl "\0\x1a"                                                         \
		   "\2ns" TO_EXAMPLE "\0"                                                          \
		   "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4" minimum
#define CNAME_RR(owner, ttl, len, target) owner "\0\5\0\1" ttl len target
#define OPT_RR(upper_rcode) "\0\0\x29\x04\xd0" upper_rcode "\0\0\0\0\0"
#define NS_RR TO_EXAMPLE "\0\2\0\1" MINUTE "\0\5\2ns" TO_EXAMPLE

static void make_query(struct dnsmsg_query *q, enum dnsmsg_type type)
{
	CHECK(dnsmsg_query_init(q, SPAN("www.example.com"), type, 0x1234));
}

/* The same bytes flush against an unreadable page. */
static enum dnsmsg_result read_guarded(const struct dnsmsg_query *q, struct span message,
				       struct dnsmsg_answer *a)
{
	char *copy = unit_guarded(message.ptr, message.len);
	enum dnsmsg_result result = dnsmsg_read(q, span_of(copy, message.len), a);

	unit_guarded_free(copy, message.len);
	return result;
}

static void check_addrs(const char *label, const struct dnsmsg_answer *a, const char *expected)
{
	char text[512];
	struct buf out;

	BUF_INIT_ARRAY(&out, text);
	for (unsigned i = 0; i < a->addr_count; i++) {
		if (i > 0)
			buf_add_byte(&out, ' ');
		addr_format(&a->addrs[i], &out);
	}
	if (!span_eq(buf_span(&out), span_from_cstr(expected)))
		unit_fail(__FILE__, __LINE__, "[%s] addresses are \"%s\", expected \"%s\"", label,
			  buf_cstr(&out), expected);
}

struct row {
	const char *label;
	enum dnsmsg_type type;
	struct span message;
	enum dnsmsg_result result;
	uint32_t ttl_s;
	const char *addrs;
};

#define ROW(label, result, ttl, addrs, message)                                                    \
	{                                                                                          \
		label, DNSMSG_A, SPAN(message), result, ttl, addrs                                 \
	}
#define ROW6(label, result, ttl, addrs, message)                                                   \
	{                                                                                          \
		label, DNSMSG_AAAA, SPAN(message), result, ttl, addrs                              \
	}

static const struct row answered[] = {
	ROW("one address", DNSMSG_OK, 60, "192.0.2.1",
	    HEAD(ANSWERS, ONE, NONE, NONE) QUESTION A_RR(TO_WWW, MINUTE, "\xc0\0\2\1")),
	ROW("least TTL of two, order kept", DNSMSG_OK, 60, "192.0.2.9 192.0.2.1",
	    HEAD(ANSWERS, TWO, NONE, NONE) QUESTION A_RR(TO_WWW, HOUR, "\xc0\0\2\x09")
		    A_RR(TO_WWW, MINUTE, "\xc0\0\2\1")),
	ROW("owner uncompressed and in capitals", DNSMSG_OK, 60, "192.0.2.1",
	    HEAD(ANSWERS, ONE, NONE, NONE)
		    QUESTION A_RR("\3WwW\7EXAMPLE\3com\0", MINUTE, "\xc0\0\2\1")),
	ROW6("IPv6", DNSMSG_OK, 60, "2001:db8::7",
	     HEAD(ANSWERS, ONE, NONE, NONE) WWW "\0\x1c\0\1" TO_WWW "\0\x1c\0\1" MINUTE "\0\x10"
						"\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\7"),
	ROW("addresses of other names and types are not ours", DNSMSG_OK, 60, "192.0.2.1",
	    HEAD(ANSWERS, "\0\4", NONE, NONE) QUESTION A_RR(TO_EXAMPLE, MINUTE, "\xc0\0\2\2")
		    A_RR(TO_WWW, MINUTE, "\xc0\0\2\1") TO_WWW "\0\x10\0\1" MINUTE "\0\2\1x" TO_WWW
							      "\0\1\0\3" MINUTE "\0\4\1\2\3\4"),
	ROW("alias, then address: TTL is the least", DNSMSG_OK, 60, "192.0.2.1",
	    HEAD(ANSWERS, TWO, NONE, NONE)
		    QUESTION CNAME_RR(TO_WWW, MINUTE, "\0\6", "\3cdn" TO_EXAMPLE)
			    A_RR("\3cdn" TO_EXAMPLE, HOUR, "\xc0\0\2\1")),
	ROW("address in front of its alias", DNSMSG_OK, 60, "192.0.2.1",
	    HEAD(ANSWERS, TWO, NONE, NONE) QUESTION A_RR("\3cdn" TO_EXAMPLE, MINUTE, "\xc0\0\2\1")
		    CNAME_RR(TO_WWW, HOUR, "\0\6", "\3cdn" TO_EXAMPLE)),
	ROW("aliases in the wrong order", DNSMSG_OK, 60, "192.0.2.1",
	    HEAD(ANSWERS, "\0\3", NONE, NONE) QUESTION CNAME_RR("\1b\0", HOUR, "\0\3", "\1c\0")
		    CNAME_RR(TO_WWW, HOUR, "\0\3", "\1b\0") A_RR("\1c\0", MINUTE, "\xc0\0\2\1")),
	/* The alias's target begins at 45; the address's owner points there. */
	ROW("owner points into the alias", DNSMSG_OK, 60, "192.0.2.1",
	    HEAD(ANSWERS, TWO, NONE, NONE)
		    QUESTION CNAME_RR(TO_WWW, MINUTE, "\0\6", "\3cdn" TO_EXAMPLE)
			    A_RR("\xc0\x2d", HOUR, "\xc0\0\2\1")),
	/* The alias's target is a pointer, at 45, and the owner points at that. */
	ROW("pointer to a pointer", DNSMSG_OK, 60, "192.0.2.1",
	    HEAD(ANSWERS, TWO, NONE, NONE) QUESTION CNAME_RR(TO_WWW, MINUTE, "\0\2", TO_EXAMPLE)
		    A_RR("\xc0\x2d", HOUR, "\xc0\0\2\1")),
	ROW("TTL with the top bit is zero", DNSMSG_OK, 0, "192.0.2.1",
	    HEAD(ANSWERS, ONE, NONE, NONE) QUESTION A_RR(TO_WWW, "\x80\0\0\1", "\xc0\0\2\1")),
	ROW("OPT record behind", DNSMSG_OK, 60, "192.0.2.1",
	    HEAD(ANSWERS, ONE, NONE, ONE) QUESTION A_RR(TO_WWW, MINUTE, "\xc0\0\2\1") OPT_RR("\0")),
	ROW("no such name, TTL of the SOA", DNSMSG_NXDOMAIN, 60, "",
	    HEAD("\x81\x83", NONE, ONE, NONE) QUESTION SOA(MINUTE, HOUR)),
	ROW("no such name, MINIMUM of the SOA", DNSMSG_NXDOMAIN, 60, "",
	    HEAD("\x81\x83", NONE, ONE, NONE) QUESTION SOA(HOUR, MINUTE)),
	ROW("no such name without SOA has no TTL", DNSMSG_NXDOMAIN, 0, "",
	    HEAD("\x81\x83", NONE, NONE, NONE) QUESTION),
	ROW("alias of no name", DNSMSG_NXDOMAIN, 60, "",
	    HEAD("\x81\x83", ONE, ONE, NONE) QUESTION CNAME_RR(TO_WWW, MINUTE, "\0\3", "\1b\0")
		    SOA(HOUR, HOUR)),
	ROW("no data", DNSMSG_NODATA, 60, "",
	    HEAD(ANSWERS, NONE, ONE, NONE) QUESTION SOA(MINUTE, HOUR)),
	ROW("alias of a name without addresses", DNSMSG_NODATA, 60, "",
	    HEAD(ANSWERS, ONE, ONE, NONE) QUESTION CNAME_RR(TO_WWW, HOUR, "\0\3", "\1b\0")
		    SOA(MINUTE, HOUR)),
	ROW("no data without authority", DNSMSG_NODATA, 0, "",
	    HEAD(ANSWERS, NONE, NONE, NONE) QUESTION),
	ROW("no data from the authority itself", DNSMSG_NODATA, 0, "",
	    HEAD("\x85\x00", NONE, ONE, NONE) QUESTION NS_RR),
	ROW("mere referral", DNSMSG_SERVFAIL, 0, "",
	    HEAD("\x81\x00", NONE, ONE, NONE) QUESTION NS_RR),
	ROW("server failure", DNSMSG_SERVFAIL, 0, "", HEAD("\x81\x82", NONE, NONE, NONE) QUESTION),
	ROW("refused", DNSMSG_SERVFAIL, 0, "", HEAD("\x81\x85", NONE, NONE, NONE) QUESTION),
	ROW("server failure that leaves the question out", DNSMSG_SERVFAIL, 0, "",
	    ID "\x81\x82" NONE NONE NONE NONE),
	ROW("format error", DNSMSG_NOEDNS, 0, "", HEAD("\x81\x81", NONE, NONE, NONE) QUESTION),
	ROW("format error that leaves the question out", DNSMSG_NOEDNS, 0, "",
	    ID "\x81\x81" NONE NONE NONE NONE),
	ROW("not implemented", DNSMSG_NOEDNS, 0, "", HEAD("\x81\x84", NONE, NONE, NONE) QUESTION),
	ROW("bad EDNS version, upper bits in the OPT", DNSMSG_NOEDNS, 0, "",
	    HEAD("\x81\x80", NONE, NONE, ONE) QUESTION OPT_RR("\1")),
	ROW("truncated, addresses unused", DNSMSG_TRUNCATED, 0, "",
	    HEAD("\x83\x80", ONE, NONE, NONE) QUESTION A_RR(TO_WWW, MINUTE, "\xc0\0\2\1")),
	ROW("truncated in the middle of a record", DNSMSG_TRUNCATED, 0, "",
	    HEAD("\x83\x80", ONE, NONE, NONE) QUESTION TO_WWW "\0\1"),
};

static void reads_what_servers_answer(void)
{
	for (size_t i = 0; i < sizeof answered / sizeof answered[0]; i++) {
		const struct row *row = &answered[i];
		struct dnsmsg_query q;
		struct dnsmsg_answer a;

		make_query(&q, row->type);
		CHECK_ROW(row->label, read_guarded(&q, row->message, &a) == row->result);
		CHECK_ROW(row->label, a.ttl_s == row->ttl_s);
		check_addrs(row->label, &a, row->addrs);
	}
}

/* What is cut anywhere is never taken for the whole. */
static void takes_no_cut_answer_for_a_whole_one(void)
{
	for (size_t i = 0; i < sizeof answered / sizeof answered[0]; i++) {
		const struct row *row = &answered[i];
		struct dnsmsg_query q;
		struct dnsmsg_answer a;

		if (row->result > DNSMSG_NODATA)
			continue;
		make_query(&q, row->type);
		for (size_t len = 0; len < row->message.len; len++) {
			enum dnsmsg_result result = read_guarded(&q, span_first(row->message, len),
								 &a);

			CHECK_ROW(row->label,
				  result == DNSMSG_MALFORMED || result == DNSMSG_MISMATCH);
			CHECK_ROW(row->label, a.problem != NULL);
		}
	}
}

/*
 * Each byte set to values that lead pointers and lengths astray: nothing is read that is not there.
 */
static void stays_within_bounds_whatever_byte_changes(void)
{
	static const uint8_t values[] = {0x00, 0x01, 0x0c, 0x2d, 0x3f, 0x40, 0x80, 0xc0, 0xff};

	for (size_t i = 0; i < sizeof answered / sizeof answered[0]; i++) {
		struct span message = answered[i].message;
		char *copy = unit_guarded(message.ptr, message.len);
		struct dnsmsg_query q;
		struct dnsmsg_answer a;

		make_query(&q, answered[i].type);
		for (size_t at = 0; at < message.len; at++) {
			char was = copy[at];

			for (size_t v = 0; v < sizeof values; v++) {
				copy[at] = (char)values[v];
				dnsmsg_read(&q, span_of(copy, message.len), &a);
				CHECK_ROW(answered[i].label, a.addr_count <= DNSMSG_MAX_ADDRS);
			}
			copy[at] = was;
		}
		unit_guarded_free(copy, message.len);
	}
}

#define CNAMES_4                                                                                   \
	CNAME_RR("\1x\0", MINUTE, "\0\3", "\1y\0")                                                 \
	CNAME_RR("\1x\0", MINUTE, "\0\3", "\1y\0")                                                 \
	CNAME_RR("\1x\0", MINUTE, "\0\3", "\1y\0")                                                 \
	CNAME_RR("\1x\0", MINUTE, "\0\3", "\1y\0")

static const struct {
	const char *label;
	struct span message;
	const char *problem;
} malformed[] = {
	{"alias of itself",
	 SPAN(HEAD(ANSWERS, ONE, NONE, NONE) QUESTION CNAME_RR(TO_WWW, MINUTE, "\0\2", TO_WWW)),
	 "alias loop"},
	{"aliases in a ring",
	 SPAN(HEAD(ANSWERS, TWO, NONE, NONE) QUESTION CNAME_RR(TO_WWW, MINUTE, "\0\3", "\1b\0")
		      CNAME_RR("\1b\0", MINUTE, "\0\2", TO_WWW)),
	 "alias loop"},
	{"17 aliases",
	 SPAN(HEAD(ANSWERS, "\0\x11", NONE, NONE) QUESTION CNAMES_4 CNAMES_4 CNAMES_4 CNAMES_4
		      CNAME_RR("\1x\0", MINUTE, "\0\3", "\1y\0")),
	 "too many aliases"},
	{"alias with bytes behind its name",
	 SPAN(HEAD(ANSWERS, ONE, NONE, NONE) QUESTION CNAME_RR(TO_WWW, MINUTE, "\0\4", "\1b\0x")),
	 "alias is no name"},
	{"alias that points forwards",
	 SPAN(HEAD(ANSWERS, ONE, NONE, NONE) QUESTION CNAME_RR(TO_WWW, MINUTE, "\0\2", "\xc0\x40")),
	 "alias is no name"},
	{"alias that points at itself",
	 SPAN(HEAD(ANSWERS, ONE, NONE, NONE) QUESTION CNAME_RR(TO_WWW, MINUTE, "\0\2", "\xc0\x2d")),
	 "alias is no name"},
	{"alias that points back into its own labels",
	 SPAN(HEAD(ANSWERS, ONE, NONE, NONE)
		      QUESTION CNAME_RR(TO_WWW, MINUTE, "\0\4", "\1b\xc0\x2d")),
	 "alias is no name"},
	{"alias that points into the header",
	 SPAN(HEAD(ANSWERS, ONE, NONE, NONE) QUESTION CNAME_RR(TO_WWW, MINUTE, "\0\2", "\xc0\0")),
	 "alias is no name"},
	{"label type 01",
	 SPAN(HEAD(ANSWERS, ONE, NONE, NONE) QUESTION CNAME_RR(TO_WWW, MINUTE, "\0\3", "\x41x\0")),
	 "alias is no name"},
	{"address of three bytes behind a good one",
	 SPAN(HEAD(ANSWERS, TWO, NONE, NONE) QUESTION A_RR(TO_WWW, MINUTE, "\xc0\0\2\1") TO_WWW
	      "\0\1\0\1" MINUTE "\0\3\1\2\3"),
	 "address of the wrong length"},
	{"owner that points at itself, at 33",
	 SPAN(HEAD(ANSWERS, ONE, NONE, NONE) QUESTION A_RR("\xc0\x21", MINUTE, "\1\2\3\4")),
	 "bad name"},
	{"fewer records than counted",
	 SPAN(HEAD(ANSWERS, TWO, NONE, NONE) QUESTION A_RR(TO_WWW, MINUTE, "\xc0\0\2\1")),
	 "record is cut off"},
	{"record longer than the message",
	 SPAN(HEAD(ANSWERS, ONE, NONE, NONE) QUESTION TO_WWW "\0\1\0\1" MINUTE "\xff\xff\1\2\3\4"),
	 "record is cut off"},
	{"additional record cut off",
	 SPAN(HEAD(ANSWERS, ONE, NONE, ONE) QUESTION A_RR(TO_WWW, MINUTE, "\xc0\0\2\1") "\0\0\x29"),
	 "record is cut off"},
	{"SOA without its numbers",
	 SPAN(HEAD("\x81\x83", NONE, ONE, NONE) QUESTION TO_EXAMPLE "\0\6\0\1" MINUTE "\0\2\0\0"),
	 "bad SOA record"},
};

static void refuses_broken_answers_and_says_why(void)
{
	for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
		struct dnsmsg_query q;
		struct dnsmsg_answer a;

		make_query(&q, DNSMSG_A);
		CHECK_ROW(malformed[i].label,
			  read_guarded(&q, malformed[i].message, &a) == DNSMSG_MALFORMED);
		CHECK_TEXT(a.problem, malformed[i].problem);
		CHECK_INT(a.addr_count, 0);
	}
}

static const struct {
	const char *label;
	struct span message;
} mismatched[] = {
	{"nothing", SPAN("")},
	{"eleven bytes", SPAN(ID "\x81\x80\0\1\0\0\0\0\0")},
	{"another id", SPAN("\x12\x35" ANSWERS ONE NONE NONE NONE QUESTION)},
	{"a query", SPAN(HEAD("\x01\x00", NONE, NONE, NONE) QUESTION)},
	{"another opcode", SPAN(HEAD("\xa9\x80", NONE, NONE, NONE) QUESTION)},
	{"no question", SPAN(ID ANSWERS NONE NONE NONE NONE)},
	{"no such name, and no question", SPAN(ID "\x81\x83" NONE NONE NONE NONE)},
	{"two questions", SPAN(ID ANSWERS TWO NONE NONE NONE QUESTION QUESTION)},
	{"another type", SPAN(HEAD(ANSWERS, NONE, NONE, NONE) WWW "\0\x1c\0\1")},
	{"another class", SPAN(HEAD(ANSWERS, NONE, NONE, NONE) WWW "\0\1\0\3")},
	{"another name", SPAN(HEAD(ANSWERS, NONE, NONE, NONE) "\3www\7exbmple\3com\0\0\1\0\1")},
	{"a name that only starts so", SPAN(HEAD(ANSWERS, NONE, NONE, NONE) "\3www\0\0\1\0\1")},
	{"question that points at itself",
	 SPAN(HEAD(ANSWERS, NONE, NONE, NONE) "\xc0\x0c\0\1\0\1")},
};

static void ignores_what_does_not_answer_the_question(void)
{
	for (size_t i = 0; i < sizeof mismatched / sizeof mismatched[0]; i++) {
		struct dnsmsg_query q;
		struct dnsmsg_answer a;

		make_query(&q, DNSMSG_A);
		CHECK_ROW(mismatched[i].label,
			  read_guarded(&q, mismatched[i].message, &a) == DNSMSG_MISMATCH);
	}
}

static void writes_the_question(void)
{
	struct span expected = SPAN(ID "\1\0\0\1\0\0\0\0\0\1" QUESTION
				       "\0\0\x29\4\xd0\0\0\0\0\0\0");
	uint8_t out[DNSMSG_QUERY_MAX];
	struct dnsmsg_query q;

	CHECK(dnsmsg_query_init(&q, SPAN("WWW.Example.com."), DNSMSG_A, 0x1234));
	CHECK(span_eq(span_of(out, dnsmsg_query_write(&q, out)), expected));
	/* Without OPT: eleven bytes less, and none counted. */
	q.edns = false;
	CHECK_INT(dnsmsg_query_write(&q, out), expected.len - 11);
	CHECK_INT(endian_get_be16(out + 10), 0);
}

static void without_edns_a_format_error_is_a_failure(void)
{
	struct span formerr = SPAN(HEAD("\x81\x81", NONE, NONE, NONE) QUESTION);
	struct span badvers = SPAN(HEAD("\x81\x80", NONE, NONE, ONE) QUESTION OPT_RR("\1"));
	struct dnsmsg_query q;
	struct dnsmsg_answer a;

	make_query(&q, DNSMSG_A);
	q.edns = false;
	CHECK_INT(dnsmsg_read(&q, formerr, &a), DNSMSG_SERVFAIL);
	CHECK_INT(a.rcode, 1);
	CHECK_INT(dnsmsg_read(&q, badvers, &a), DNSMSG_SERVFAIL);
	CHECK_INT(a.rcode, 16);
}

static void takes_names_of_any_legal_length_and_no_other(void)
{
	char name[300];
	struct dnsmsg_query q;
	uint8_t out[DNSMSG_QUERY_MAX];

	/* 63.63.63.61 is 253 bytes, 255 on the wire. */
	memset(name, 'a', sizeof name);
	name[63] = name[127] = name[191] = '.';
	CHECK(dnsmsg_query_init(&q, span_of(name, 253), DNSMSG_A, 1));
	CHECK_INT(q.name_len, 255);
	CHECK_INT(dnsmsg_query_write(&q, out), DNSMSG_QUERY_MAX);
	CHECK(!dnsmsg_query_init(&q, span_of(name, 254), DNSMSG_A, 1));

	memset(name, 'a', sizeof name);
	CHECK(dnsmsg_query_init(&q, span_of(name, 63), DNSMSG_A, 1));
	CHECK(!dnsmsg_query_init(&q, span_of(name, 64), DNSMSG_A, 1));
	CHECK(!dnsmsg_query_init(&q, SPAN(""), DNSMSG_A, 1));
	CHECK(!dnsmsg_query_init(&q, SPAN("."), DNSMSG_A, 1));
	CHECK(!dnsmsg_query_init(&q, SPAN("a..b"), DNSMSG_A, 1));
	CHECK(!dnsmsg_query_init(&q, SPAN(".a"), DNSMSG_A, 1));
	CHECK(!dnsmsg_query_init(&q, SPAN("a.."), DNSMSG_A, 1));
}

static void mixed_case_must_come_back_as_sent(void)
{
	static const uint8_t all[DNSMSG_CASE_BYTES] = {0xff, 0xff, 0xff};
	struct span lower = SPAN(HEAD(ANSWERS, NONE, NONE, NONE) QUESTION);
	struct span upper = SPAN(HEAD(ANSWERS, NONE, NONE, NONE) "\3WWW\7EXAMPLE\3COM\0\0\1\0\1");
	struct dnsmsg_query q;
	struct dnsmsg_answer a;

	make_query(&q, DNSMSG_A);
	CHECK_INT(dnsmsg_read(&q, upper, &a), DNSMSG_NODATA);
	dnsmsg_query_mix_case(&q, all);
	CHECK(memcmp(q.name, "\3WWW\7EXAMPLE\3COM\0", 17) == 0);
	CHECK_INT(dnsmsg_read(&q, upper, &a), DNSMSG_NODATA);
	CHECK_INT(dnsmsg_read(&q, lower, &a), DNSMSG_CASE_LOST);
}

static void each_letter_has_a_random_bit_of_its_own(void)
{
	for (unsigned bit = 0; bit < 16; bit++) {
		uint8_t random[DNSMSG_CASE_BYTES] = {0};
		struct dnsmsg_query plain, mixed;
		unsigned changed = 0;

		make_query(&plain, DNSMSG_A);
		make_query(&mixed, DNSMSG_A);
		random[bit / 8] = (uint8_t)(1u << bit % 8);
		dnsmsg_query_mix_case(&mixed, random);
		for (unsigned i = 0; i < plain.name_len; i++)
			changed += plain.name[i] != mixed.name[i];
		/* The bytes at 0, 4 and 12 are lengths. */
		CHECK_INT(changed, bit == 0 || bit == 4 || bit == 12 ? 0 : 1);
	}
}

static void put(char *at, struct span bytes)
{
	memcpy(at, bytes.ptr, bytes.len);
}

static void keeps_as_many_addresses_as_there_is_room(void)
{
	enum { COUNT = 300 };
	static char message[33 + COUNT * 16];
	struct dnsmsg_query q;
	struct dnsmsg_answer a;

	put(message, SPAN(HEAD(ANSWERS, "\x01\x2c", NONE, NONE) QUESTION));
	for (unsigned i = 0; i < COUNT; i++) {
		char *rr = message + 33 + i * 16;

		put(rr, SPAN(A_RR(TO_WWW, MINUTE, "\x0a\0\0\0")));
		endian_put_be16(rr + 14, (uint16_t)i);
	}
	/* One that is not kept counts for the TTL all the same. */
	message[33 + (COUNT - 1) * 16 + 9] = 7;
	make_query(&q, DNSMSG_A);
	CHECK_INT(read_guarded(&q, span_of(message, sizeof message), &a), DNSMSG_OK);
	CHECK_INT(a.addr_count, DNSMSG_MAX_ADDRS);
	CHECK_INT(a.addrs[DNSMSG_MAX_ADDRS - 1].bytes[3], 255);
	CHECK_INT(a.ttl_s, 7);
}

/* 64 KiB of aliases to names at the end of the longest possible chains of pointers. */
static void work_is_bounded_however_the_pointers_lead(void)
{
	enum { CHAIN = 8000 };
	static char message[65535];
	size_t at = 33, records = 0;
	struct dnsmsg_query q;
	struct dnsmsg_answer a;

	put(message, SPAN(HEAD(ANSWERS, NONE, NONE, NONE) QUESTION));
	/* One record of another type whose data is a chain of pointers, each to the one before. */
	put(message + at, SPAN("\0\0\x10\0\1\0\0\0\0\x3e\x80"));
	at += 11;
	endian_put_be16(message + at, 0xc00c);
	for (unsigned i = 1; i < CHAIN; i++)
		endian_put_be16(message + at + 2 * i, (uint16_t)(0xc000 | (at + 2 * (i - 1))));
	at += 2 * CHAIN;
	for (records = 1; at + 16 <= sizeof message; records++, at += 16) {
		put(message + at, SPAN(A_RR(TO_WWW, MINUTE, "\x0a\0\0\0")));
		endian_put_be16(message + at, (uint16_t)(0xc000 | (33 + 11 + 2 * (CHAIN - 1))));
	}
	endian_put_be16(message + 6, (uint16_t)records);
	make_query(&q, DNSMSG_A);
	CHECK_INT(read_guarded(&q, span_of(message, at), &a), DNSMSG_MALFORMED);
	CHECK_TEXT(a.problem, "bad name");
}

static void every_result_has_a_name(void)
{
	CHECK_TEXT(dnsmsg_result_names[DNSMSG_OK], "ok");
	CHECK_TEXT(dnsmsg_result_names[DNSMSG_MALFORMED], "malformed");
}

UNIT_TESTS(TEST(reads_what_servers_answer), TEST(takes_no_cut_answer_for_a_whole_one),
	   TEST(stays_within_bounds_whatever_byte_changes),
	   TEST(refuses_broken_answers_and_says_why),
	   TEST(ignores_what_does_not_answer_the_question), TEST(writes_the_question),
	   TEST(without_edns_a_format_error_is_a_failure),
	   TEST(takes_names_of_any_legal_length_and_no_other),
	   TEST(mixed_case_must_come_back_as_sent), TEST(each_letter_has_a_random_bit_of_its_own),
	   TEST(keeps_as_many_addresses_as_there_is_room),
	   TEST(work_is_bounded_however_the_pointers_lead), TEST(every_result_has_a_name))
