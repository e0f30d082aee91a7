#include "../unit.h"

#include "tls/certname.h"

#define DNS_EXAMPLE                                                                                \
	"\x82\x0c"                                                                                 \
	"example.test"
#define DNS_WILD                                                                                   \
	"\x82\x0e"                                                                                 \
	"*.example.test"
#define IP_LOCAL "\x87\x04\x7f\0\0\1"
#define IP6_LOCAL "\x87\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
#define MAIL                                                                                       \
	"\x81\x03"                                                                                 \
	"a@b"
#define URI                                                                                        \
	"\x86\x0c"                                                                                 \
	"example.test"

static const struct row {
	const char *label;
	struct span names;
	const char *wanted;
	enum certname_result expected;
} rows[] = {
	{"the name", SPAN(DNS_EXAMPLE), "example.test", CERTNAME_MATCH},
	{"in other letters", SPAN(DNS_EXAMPLE), "EXAMPLE.Test", CERTNAME_MATCH},
	{"among others", SPAN(MAIL IP_LOCAL DNS_WILD DNS_EXAMPLE URI), "example.test",
	 CERTNAME_MATCH},
	{"another", SPAN(DNS_EXAMPLE), "example.tesu", CERTNAME_NO_MATCH},
	{"one that ends like it", SPAN(DNS_EXAMPLE), "xexample.test", CERTNAME_NO_MATCH},
	{"a label more", SPAN(DNS_EXAMPLE), "a.example.test", CERTNAME_NO_MATCH},
	{"a wildcard", SPAN(DNS_WILD), "a.example.test", CERTNAME_MATCH},
	{"a wildcard, in other letters", SPAN(DNS_WILD), "a.Example.test", CERTNAME_MATCH},
	{"a wildcard is one label", SPAN(DNS_WILD), "a.b.example.test", CERTNAME_NO_MATCH},
	{"a wildcard is not none", SPAN(DNS_WILD), "example.test", CERTNAME_NO_MATCH},
	{"a wildcard in a label",
	 SPAN("\x82\x0f"
	      "a*.example.test"),
	 "ab.example.test", CERTNAME_NO_MATCH},
	{"a wildcard further in",
	 SPAN("\x82\x10"
	      "a.*.example.test"),
	 "a.b.example.test", CERTNAME_NO_MATCH},
	{"two wildcards",
	 SPAN("\x82\x10"
	      "*.*.example.test"),
	 "a.b.example.test", CERTNAME_NO_MATCH},
	{"a wildcard alone",
	 SPAN("\x82\x01"
	      "*"),
	 "test", CERTNAME_NO_MATCH},
	{"cut by a NUL",
	 SPAN("\x82\x11"
	      "example.test\0evil"),
	 "example.test", CERTNAME_NO_MATCH},
	{"a URI is no name", SPAN(URI), "example.test", CERTNAME_NONE},
	{"no names", SPAN(""), "example.test", CERTNAME_NONE},
	{"only an address", SPAN(IP_LOCAL), "example.test", CERTNAME_NONE},

	{"an address", SPAN(IP_LOCAL), "127.0.0.1", CERTNAME_MATCH},
	{"an address of IPv6", SPAN(IP6_LOCAL), "::1", CERTNAME_MATCH},
	{"an address in brackets", SPAN(IP6_LOCAL), "[::1]", CERTNAME_MATCH},
	{"another address", SPAN(IP_LOCAL), "127.0.0.2", CERTNAME_NO_MATCH},
	{"mapped", SPAN("\x87\x10\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1"), "127.0.0.1",
	 CERTNAME_NO_MATCH},
	{"an address as a name",
	 SPAN("\x82\x09"
	      "127.0.0.1"),
	 "127.0.0.1", CERTNAME_NO_MATCH},
	{"an address for a wildcard",
	 SPAN("\x82\x07"
	      "*.0.0.1"),
	 "127.0.0.1", CERTNAME_NO_MATCH},
	{"no names for an address", SPAN(""), "127.0.0.1", CERTNAME_NO_MATCH},

	{"one of two", SPAN(DNS_EXAMPLE), "other.test,example.test", CERTNAME_MATCH},
	{"an address or a name", SPAN(IP_LOCAL), "other.test,127.0.0.1", CERTNAME_MATCH},
	{"none of two", SPAN(DNS_EXAMPLE), "other.test,127.0.0.1", CERTNAME_NO_MATCH},

	{"an address of three bytes", SPAN(DNS_EXAMPLE "\x87\x03\x7f\0\0"), "example.test",
	 CERTNAME_MALFORMED},
	{"longer than there is",
	 SPAN(DNS_EXAMPLE "\x82\x05"
			  "abcd"),
	 "example.test", CERTNAME_MALFORMED},
	{"of no kind",
	 SPAN(DNS_EXAMPLE "\x89\x01"
			  "a"),
	 "example.test", CERTNAME_MALFORMED},
	{"of another class",
	 SPAN("\x16\x0c"
	      "example.test"),
	 "example.test", CERTNAME_MALFORMED},
};

static void matches_as_it_should(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i];
		char *names = unit_guarded(row->names.ptr, row->names.len);

		CHECK_ROW(row->label, certname_match(span_of(names, row->names.len),
						     span_from_cstr(row->wanted)) == row->expected);
		unit_guarded_free(names, row->names.len);
	}
}

UNIT_TESTS(TEST(matches_as_it_should))
