#include "../unit.h"

#include "tls/constraints.h"

#define NOBODY SPAN("\x30\x00")
/* O=Test, and O=Test, CN=a */
#define O_TEST                                                                                     \
	"\x31\x0d\x30\x0b\x06\x03\x55\x04\x0a\x0c\x04"                                             \
	"Test"
#define CN_A                                                                                       \
	"\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01"                                             \
	"a"
#define MAIL_A                                                                                     \
	"\x31\x10\x30\x0e\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01\x16\x01"                     \
	"a"
#define SUBJECT_O_TEST SPAN("\x30\x0f" O_TEST)
#define SUBJECT_A SPAN("\x30\x1b" O_TEST CN_A)
#define SUBJECT_MAIL SPAN("\x30\x21" O_TEST MAIL_A)

enum { KEPT = CONSTRAINTS_KEPT, BROKEN = CONSTRAINTS_BROKEN, UNJUDGED = CONSTRAINTS_UNJUDGED };

/* Of subtrees: "+example.test" permits a DNS name, "-example.test" excludes it. */
static const struct row {
	const char *constraints[4];
	const char *name;
	int expected;
} rows[] = {
	{{"+example.test"}, "example.test", KEPT},
	{{"+example.test"}, "a.b.Example.test", KEPT},
	{{"+example.test"}, "xexample.test", BROKEN},
	{{"+example.test"}, "test", BROKEN},
	{{"+example.test"}, "example.test.evil", BROKEN},
	{{"+example.test"}, "*.example.test", KEPT},
	{{"+a.example.test"}, "*.example.test", BROKEN},
	{{"+.example.test"}, "example.test", BROKEN},
	{{"+.example.test"}, "a.example.test", KEPT},
	{{"+.example.test"}, "*.example.test", KEPT},
	{{"+"}, "anything.test", KEPT},
	{{"+a.test", "+b.test"}, "x.b.test", KEPT},
	{{"+a.test", "+b.test"}, "x.c.test", BROKEN},
	{{"-example.test"}, "example.test", BROKEN},
	{{"-example.test"}, "a.example.test", BROKEN},
	{{"-example.test"}, "*.example.test", BROKEN},
	{{"-example.test"}, "*.test", BROKEN},
	{{"-a.example.test"}, "*.example.test", BROKEN},
	{{"-a.b.example.test"}, "*.example.test", KEPT},
	{{"-example.test"}, "example.net", KEPT},
	{{"-"}, "anything.test", BROKEN},
	{{"+test", "-example.test"}, "a.test", KEPT},
	{{"+test", "-example.test"}, "a.example.test", BROKEN},
};

static size_t add(unsigned char *to, unsigned tag, const void *content, size_t len)
{
	CHECK(len < 128);
	to[0] = (unsigned char)tag;
	to[1] = (unsigned char)len;
	memcpy(to + 2, content, len);
	return len + 2;
}

/* All that begin with `sign`, in an element with this tag; nothing when there are none. */
static size_t add_subtrees(unsigned char *to, const struct row *row, char sign, unsigned tag)
{
	unsigned char subtrees[128], base[128];
	size_t len = 0;

	for (size_t i = 0; i < 4 && row->constraints[i] != NULL; i++) {
		const char *text = row->constraints[i];

		if (text[0] == sign)
			len += add(subtrees + len, 0x30, base,
				   add(base, 0x82, text + 1, strlen(text + 1)));
	}
	return len > 0 ? add(to, tag, subtrees, len) : 0;
}

static void compares_dns_names(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i];
		unsigned char constraints[256], name[128];
		size_t len = add_subtrees(constraints, row, '+', 0xa0), name_len;
		enum constraints_result result;
		char label[128];

		len += add_subtrees(constraints + len, row, '-', 0xa1);
		name_len = add(name, 0x82, row->name, strlen(row->name));
		result = constraints_check(span_of(constraints, len), span_of(name, name_len),
					   NOBODY);
		snprintf(label, sizeof label, "%s: %s", row->constraints[0], row->name);
		CHECK_ROW(label, (int)result == row->expected);
	}
}

#define PERMIT(len, subtree) "\xa0" len "\x30" subtree
#define EXCLUDE(len, subtree) "\xa1" len "\x30" subtree
#define NET_10 "\x0a\x87\x08\x0a\0\0\0\xff\0\0\0"
#define ALL_V4 "\x0a\x87\x08\0\0\0\0\0\0\0\0"
#define ALL_V6 "\x22\x87\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define IN_10 "\x87\x04\x0a\1\2\3"
#define IN_11 "\x87\x04\x0b\1\2\3"
#define V6_ONE "\x87\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
#define DNS_A                                                                                      \
	"\x82\x06"                                                                                 \
	"a.test"
#define URI_A                                                                                      \
	"\x86\x01"                                                                                 \
	"a"

static const struct {
	const char *label;
	struct span constraints, names, subject;
	int expected;
} others[] = {
	{"an address within", SPAN(PERMIT("\x0c", NET_10)), SPAN(IN_10), NOBODY, KEPT},
	{"an address without", SPAN(PERMIT("\x0c", NET_10)), SPAN(IN_11), NOBODY, BROKEN},
	{"the second without", SPAN(PERMIT("\x0c", NET_10)), SPAN(IN_10 IN_11), NOBODY, BROKEN},
	{"of the other family", SPAN(PERMIT("\x0c", NET_10)), SPAN(V6_ONE), NOBODY, BROKEN},
	{"no address", SPAN(PERMIT("\x0c", NET_10)), SPAN(DNS_A), NOBODY, KEPT},
	{"an excluded address", SPAN(EXCLUDE("\x0c", NET_10)), SPAN(IN_10), NOBODY, BROKEN},
	{"none that is excluded", SPAN(EXCLUDE("\x0c", NET_10)), SPAN(IN_11), NOBODY, KEPT},
	{"all excluded", SPAN(EXCLUDE("\x0c", ALL_V4)), SPAN(IN_11), NOBODY, BROKEN},
	{"all of IPv6 excluded", SPAN(EXCLUDE("\x24", ALL_V6)), SPAN(V6_ONE), NOBODY, BROKEN},
	{"all of IPv6, but not IPv4", SPAN(EXCLUDE("\x24", ALL_V6)), SPAN(IN_11), NOBODY, KEPT},

	{"its name", SPAN(PERMIT("\x15", "\x13\xa4\x11\x30\x0f" O_TEST)), SPAN(DNS_A),
	 SUBJECT_O_TEST, KEPT},
	{"below it", SPAN(PERMIT("\x15", "\x13\xa4\x11\x30\x0f" O_TEST)), SPAN(DNS_A), SUBJECT_A,
	 KEPT},
	{"beside it", SPAN(PERMIT("\x12", "\x10\xa4\x0e\x30\x0c" CN_A)), SPAN(DNS_A), SUBJECT_A,
	 BROKEN},
	{"nobody", SPAN(PERMIT("\x12", "\x10\xa4\x0e\x30\x0c" CN_A)), SPAN(DNS_A), NOBODY, KEPT},
	{"an excluded directory", SPAN(EXCLUDE("\x12", "\x10\xa4\x0e\x30\x0c" CN_A)), SPAN(DNS_A),
	 SUBJECT_A, UNJUDGED},

	{"mail, and none", SPAN(PERMIT("\x05", "\x03\x81\x01z")), SPAN(DNS_A), SUBJECT_A, KEPT},
	{"mail in the subject", SPAN(PERMIT("\x05", "\x03\x81\x01z")), SPAN(DNS_A), SUBJECT_MAIL,
	 UNJUDGED},
	{"mail among the names", SPAN(PERMIT("\x05", "\x03\x81\x01z")), SPAN("\x81\x01z"), NOBODY,
	 UNJUDGED},
	{"a URI", SPAN(PERMIT("\x05", "\x03\x86\x01z")), SPAN(DNS_A URI_A), NOBODY, UNJUDGED},
	{"no URI", SPAN(PERMIT("\x05", "\x03\x86\x01z")), SPAN(DNS_A), NOBODY, KEPT},

	{"a minimum",
	 SPAN(PERMIT("\x0b", "\x09\x82\x04"
			     "test"
			     "\x80\x01\x00")),
	 SPAN(DNS_A), NOBODY, UNJUDGED},
	{"a mask cut short", SPAN(PERMIT("\x0b", "\x09\x87\x07\x0a\0\0\0\xff\0\0")), SPAN(IN_10),
	 NOBODY, UNJUDGED},
	{"a third list", SPAN("\xa2\x00"), SPAN(DNS_A), NOBODY, UNJUDGED},
	{"an empty subtree", SPAN("\xa0\x02\x30\x00"), SPAN(DNS_A), NOBODY, UNJUDGED},
	{"a name cut short", SPAN(PERMIT("\x0c", NET_10)),
	 SPAN("\x82\x06"
	      "a.tes"),
	 NOBODY, UNJUDGED},
};

static void compares_addresses_and_directories_and_judges_nothing_else(void)
{
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		CHECK_ROW(others[i].label,
			  (int)constraints_check(others[i].constraints, others[i].names,
						 others[i].subject) == others[i].expected);
}

/* A hundred thousand comparisons are judged, and more are not. */
static void does_not_work_for_ever(void)
{
	static unsigned char constraints[4 + 1000 * 5], names[1000 * 3];

	memcpy(constraints, "\xa1\x82\x13\x88", 4);
	for (size_t i = 0; i < 1000; i++) {
		memcpy(constraints + 4 + i * 5, "\x30\x03\x82\x01x", 5);
		memcpy(names + i * 3, "\x82\x01y", 3);
	}
	CHECK_INT(constraints_check(span_of(constraints, sizeof constraints), span_of(names, 300),
				    NOBODY),
		  KEPT);
	CHECK_INT(constraints_check(span_of(constraints, sizeof constraints), span_of(names, 303),
				    NOBODY),
		  UNJUDGED);
}

UNIT_TESTS(TEST(compares_dns_names),
	   TEST(compares_addresses_and_directories_and_judges_nothing_else),
	   TEST(does_not_work_for_ever))
