#include "../unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "net/addr.h"

static const char *text_of(const struct addr *a)
{
	static char texts[2][ADDR_TEXT_MAX];
	static unsigned next;
	char *text = texts[next++ % 2];
	struct buf b;

	buf_init(&b, text, ADDR_TEXT_MAX);
	addr_format(a, &b);
	CHECK(!b.truncated);
	return text;
}

/* Parses flush against an unreadable page. */
static bool parse_ip(const char *text, struct addr *out)
{
	size_t len = strlen(text);
	char *guarded = unit_guarded(text, len);
	bool ok = addr_parse_ip(span_of(guarded, len), out);

	unit_guarded_free(guarded, len);
	return ok;
}

static bool parse(const char *text, uint16_t default_port, struct addr *out)
{
	size_t len = strlen(text);
	char *guarded = unit_guarded(text, len);
	bool ok = addr_parse(span_of(guarded, len), default_port, out);

	unit_guarded_free(guarded, len);
	return ok;
}

static const char *const good_ipv4[] = {
	"0.0.0.0", "127.0.0.1", "10.20.30.40", "255.255.255.255", "1.2.3.4", "192.0.2.1",
};

static const char *const bad_ipv4[] = {
	"",	      "1",	    "1.2.3",	  "1.2.3.",    ".1.2.3",
	"1..2.3",     "1.2.3.4.",   "1.2.3.4.5",  "01.2.3.4",  "1.2.3.00",
	"1.2.3.256",  "1.2.3.999",  "1.2.3.1000", "0x1.2.3.4", "1.2.3.0x4",
	"1.2.3.-4",   "+1.2.3.4",   " 1.2.3.4",	  "1.2.3.4 ",  "1.2.3.4\n",
	"1.2.3.a",    "2130706433", "0x7f000001", "127.1",     "[127.0.0.1]",
	"1.2.3.4/32", "1.2.3,4",    "1.2.3.\xb2", "1:2",
};

static void reads_dotted_quads_as_they_are(void)
{
	for (size_t i = 0; i < sizeof good_ipv4 / sizeof good_ipv4[0]; i++) {
		struct addr a;
		uint8_t expected[4];

		CHECK_ROW(good_ipv4[i], parse_ip(good_ipv4[i], &a));
		CHECK_INT(inet_pton(AF_INET, good_ipv4[i], expected), 1);
		CHECK_ROW(good_ipv4[i], memcmp(a.bytes, expected, 4) == 0);
		CHECK_ROW(good_ipv4[i], a.family == 4 && a.port == 0);
		CHECK_TEXT(text_of(&a), good_ipv4[i]);
	}
}

static void refuses_quads_that_others_might_read_otherwise(void)
{
	for (size_t i = 0; i < sizeof bad_ipv4 / sizeof bad_ipv4[0]; i++) {
		struct addr a = {.family = 99};

		CHECK_ROW(bad_ipv4[i], !parse_ip(bad_ipv4[i], &a));
		CHECK_ROW(bad_ipv4[i], a.family == 99);
	}
}

/* Text, and RFC 5952's form of it. */
static const struct {
	const char *text, *canonical;
} good_ipv6[] = {
	{"::", "::"},
	{"::1", "::1"},
	{"1::", "1::"},
	{"[::1]", "::1"},
	{"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
	{"2001:DB8::00Ff", "2001:db8::ff"},
	{"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
	{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},	  /* first of equal runs */
	{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},	  /* the longest run */
	{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, /* not for one group */
	{"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
	{"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
	{"1::3:4:5:6:7:8", "1:0:3:4:5:6:7:8"},
	{"0:0:1::", "0:0:1::"},
	{"fe80::a:b", "fe80::a:b"},
	{"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
	{"::ffff:c000:201", "::ffff:192.0.2.1"},
	{"::192.0.2.1", "::c000:201"},
	{"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
	{"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
	{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
};

static const char *const bad_ipv6[] = {
	":",
	":::",
	"::::",
	"1",
	"1:",
	":1",
	"1:2:3:4:5:6:7",
	"1:2:3:4:5:6:7:8:9",
	"1:2:3:4:5:6:7:8::",
	"::1:2:3:4:5:6:7:8",
	"1::2:3:4:5:6:7:8",
	"1::2::3",
	"1:::2",
	"::1::",
	"1:2:3:4:5:6:7:",
	":1:2:3:4:5:6:7",
	"12345::",
	"::12345",
	"00001::",
	"g::",
	"::g",
	"::-1",
	"::+1",
	":: ",
	" ::",
	"::1%eth0",
	"fe80::1%1",
	"[::1",
	"::1]",
	"[]",
	"[[::1]]",
	"[::1]:",
	"::1.2.3",
	"::1.2.3.4.5",
	"::01.2.3.4",
	"::1.2.3.256",
	"1.2.3.4::",
	"::1.2.3.4:1",
	"1.2.3.4:1::",
	"1:2:3:4:5:6:7:1.2.3.4",
	"1:2:3:4:5:1.2.3.4",
	"1::2:3:4:5:6:1.2.3.4",
	"::/0",
	"::1\n",
	"0x1::",
	"::0x1",
	"1:2:3:4:5:6:7:8:",
	"[1.2.3.4]",
};

static void reads_and_writes_ipv6_as_rfc_5952_has_it(void)
{
	for (size_t i = 0; i < sizeof good_ipv6 / sizeof good_ipv6[0]; i++) {
		struct addr a, b;

		CHECK_ROW(good_ipv6[i].text, parse_ip(good_ipv6[i].text, &a));
		CHECK_ROW(good_ipv6[i].text, a.family == 6 && a.port == 0);
		CHECK_TEXT(text_of(&a), good_ipv6[i].canonical);
		CHECK_ROW(good_ipv6[i].text, parse_ip(good_ipv6[i].canonical, &b));
		CHECK_ROW(good_ipv6[i].text, addr_eq(&a, &b));
	}
}

static void refuses_bad_ipv6(void)
{
	for (size_t i = 0; i < sizeof bad_ipv6 / sizeof bad_ipv6[0]; i++) {
		struct addr a = {.family = 99};

		CHECK_ROW(bad_ipv6[i], !parse_ip(bad_ipv6[i], &a));
		CHECK_ROW(bad_ipv6[i], a.family == 99);
	}
}

/*
 * Is there one longest run of groups that are zero? With two, musl does not always shorten the
 * first.
 */
static bool has_one_longest_run(unsigned nonzero_groups)
{
	int length = 0, longest = 0, count = 0;

	for (int i = 0; i < 8; i++) {
		length = (nonzero_groups >> i & 1) == 0 ? length + 1 : 0;
		if (length > longest)
			count = 0;
		if (length >= longest)
			count++;
		longest = length > longest ? length : longest;
	}
	return count == 1;
}

/*
 * Every pattern of zero and other groups, against the C library: reading its text and writing the
 * same.
 */
static void agrees_with_the_c_library_on_all_runs_of_zeroes(void)
{
	int compared = 0;

	for (unsigned pattern = 0; pattern < 3 * 256; pattern++) {
		struct addr a = {.family = 6}, back;
		char expected[INET6_ADDRSTRLEN];

		for (unsigned i = 0; i < 8; i++) {
			if ((pattern >> i & 1) == 0)
				continue;
			a.bytes[2 * i] = (uint8_t)(pattern < 256 ? 0 : 0xa0 + i);
			a.bytes[2 * i + 1] = (uint8_t)(pattern < 512 ? i + 1 : 0);
		}
		CHECK(inet_ntop(AF_INET6, a.bytes, expected, sizeof expected) != NULL);
		CHECK_ROW(expected, addr_parse_ip(span_from_cstr(expected), &back));
		CHECK_ROW(expected, addr_eq(&a, &back));
		/*
		 * ::1.2.3.4 is written so by some C libraries; RFC 5952 section 5 does not want it.
		 */
		if (strchr(expected, '.') == NULL && has_one_longest_run(pattern % 256)) {
			CHECK_TEXT(text_of(&a), expected);
			compared++;
		}
	}
	CHECK(compared > 300);
}

/* Random texts of the right alphabet: both take the same ones for the same addresses. */
static void agrees_with_the_c_library_on_random_text(void)
{
	static const char alphabet[] = "::::::01f.";
	unsigned taken = 0;
	uint32_t seed = 1;

	for (int i = 0; i < 500000; i++) {
		char text[24];
		struct addr a;
		uint8_t expected[16];
		bool ok, ok_expected;
		size_t len;

		seed = seed * 1664525 + 1013904223;
		len = seed >> 28;
		for (size_t j = 0; j < len; j++) {
			seed = seed * 1664525 + 1013904223;
			text[j] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
		}
		text[len] = '\0';
		ok = addr_parse_ip(span_of(text, len), &a);
		ok_expected = inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, expected) ==
			      1;
		CHECK_ROW(text, ok == ok_expected);
		CHECK_ROW(text, !ok || memcmp(a.bytes, expected, a.family == 4 ? 4 : 16) == 0);
		taken += ok;
	}
	CHECK(taken > 5000);
}

static void reads_ports(void)
{
	static const struct {
		const char *text;
		uint16_t default_port;
		const char *result; /* NULL: refused */
	} cases[] = {
		{"192.0.2.1:80", 0, "192.0.2.1:80"},
		{"192.0.2.1:80", 53, "192.0.2.1:80"},
		{"192.0.2.1", 53, "192.0.2.1:53"},
		{"192.0.2.1", 0, NULL},
		{"192.0.2.1:", 53, NULL},
		{"192.0.2.1:0", 53, NULL},
		{"192.0.2.1:65536", 53, NULL},
		{"192.0.2.1:x", 53, NULL},
		{"192.0.2.1:80:80", 53, NULL},
		{":80", 53, NULL},
		{"80", 53, NULL},
		{"", 53, NULL},
		{"[::1]:80", 0, "[::1]:80"},
		{"[::1]:80", 53, "[::1]:80"},
		{"[::1]", 53, "[::1]:53"},
		{"[::1]", 0, NULL},
		{"::1", 53, "[::1]:53"},
		{"::1", 0, NULL},
		{"::1:80", 53, "[::1:80]:53"}, /* an address, not a port */
		{"1:2:3:4:5:6:7:8:80", 53, NULL},
		{"[::1]:", 53, NULL},
		{"[::1]80", 53, NULL},
		{"[::1]:080", 53, "[::1]:80"},
		{"[192.0.2.1]:80", 53, NULL},
		{"[::1%eth0]:80", 53, NULL},
		{"localhost:80", 53, NULL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct addr a = {.family = 99};
		bool ok = parse(cases[i].text, cases[i].default_port, &a);

		CHECK_ROW(cases[i].text, ok == (cases[i].result != NULL));
		if (ok)
			CHECK_TEXT(text_of(&a), cases[i].result);
		else
			CHECK_ROW(cases[i].text, a.family == 99);
	}
}

static void the_longest_text_fits(void)
{
	struct addr a = {.family = 6, .port = 65535};

	memset(a.bytes, 0xff, sizeof a.bytes);
	CHECK_TEXT(text_of(&a), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
	CHECK_TEXT(text_of(&(struct addr){0}), "none");
}

static void equal_means_family_port_and_address(void)
{
	static const char *const texts[] = {"192.0.2.1:80", "192.0.2.1:81",
					    "192.0.2.2:80", "[::1]:80",
					    "[::1]:81",	    "[::ffff:192.0.2.1]:80"};
	const size_t count = sizeof texts / sizeof texts[0];

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < count; j++) {
			struct addr a, b;

			CHECK(parse(texts[i], 0, &a) && parse(texts[j], 0, &b));
			CHECK_ROW(texts[i], addr_eq(&a, &b) == (i == j));
		}
	}
}

static void goes_to_the_kernel_and_back(void)
{
	struct sockaddr_storage ss;
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;
	struct addr a, back;

	CHECK(parse("192.0.2.1:258", 0, &a));
	CHECK_INT(addr_to_sockaddr(&a, &ss), sizeof sin);
	memcpy(&sin, &ss, sizeof sin);
	CHECK(sin.sin_family == AF_INET && sin.sin_port == htons(258));
	CHECK(sin.sin_addr.s_addr == htonl(0xc0000201));
	CHECK(addr_from_sockaddr(&ss, &back));
	CHECK(addr_eq(&a, &back));

	CHECK(parse("[2001:db8::1]:258", 0, &a));
	CHECK_INT(addr_to_sockaddr(&a, &ss), sizeof sin6);
	memcpy(&sin6, &ss, sizeof sin6);
	CHECK(sin6.sin6_family == AF_INET6 && sin6.sin6_port == htons(258));
	CHECK(sin6.sin6_scope_id == 0 && sin6.sin6_flowinfo == 0);
	CHECK(memcmp(&sin6.sin6_addr, a.bytes, 16) == 0);
	CHECK(addr_from_sockaddr(&ss, &back));
	CHECK(addr_eq(&a, &back));
}

static void other_families_are_refused(void)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNIX};
	struct addr a = {0};

	CHECK_INT(addr_to_sockaddr(&a, &ss), 0);
	ss.ss_family = AF_UNIX;
	CHECK(!addr_from_sockaddr(&ss, &a));
}

static void knows_loopback(void)
{
	static const struct {
		const char *text;
		bool is_loopback;
	} cases[] = {
		{"127.0.0.1", true},  {"127.255.255.255", true},
		{"126.0.0.1", false}, {"128.0.0.1", false},
		{"0.0.0.0", false},   {"::1", true},
		{"::", false},	      {"::2", false},
		{"7f00::1", false},   {"::ffff:127.0.0.1", false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct addr a;

		CHECK(parse_ip(cases[i].text, &a));
		CHECK_ROW(cases[i].text, addr_is_loopback(&a) == cases[i].is_loopback);
	}
	CHECK(!addr_is_loopback(&(struct addr){.bytes = {127}}));
}

static void unmaps_ipv4_in_ipv6_and_nothing_else(void)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{"[::ffff:192.0.2.1]:80", "192.0.2.1:80"},
		{"[::fffe:192.0.2.1]:80", "[::fffe:c000:201]:80"},
		{"[::192.0.2.1]:80", "[::c000:201]:80"},
		{"[1::ffff:192.0.2.1]:80", "[1::ffff:c000:201]:80"},
		{"192.0.2.1:80", "192.0.2.1:80"},
		{"[2001:db8::1]:443", "[2001:db8::1]:443"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[ADDR_TEXT_MAX];
		struct addr addr;
		struct buf out;

		CHECK_ROW(rows[i].from, addr_parse(span_from_cstr(rows[i].from), 0, &addr));
		addr_unmap(&addr);
		BUF_INIT_ARRAY(&out, text);
		addr_format(&addr, &out);
		CHECK_TEXT(buf_cstr(&out), rows[i].to);
	}
}

static void is_set_to_the_loopback_with_its_port(void)
{
	struct addr a;

	CHECK(addr_parse(SPAN("[2001:db8::1]:15000"), 0, &a));
	addr_set_loopback(&a);
	CHECK_INT(a.port, 15000);
	CHECK_INT(a.family, 4);
	CHECK(addr_is_loopback(&a));
}

UNIT_TESTS(TEST(unmaps_ipv4_in_ipv6_and_nothing_else), TEST(reads_dotted_quads_as_they_are),
	   TEST(refuses_quads_that_others_might_read_otherwise),
	   TEST(reads_and_writes_ipv6_as_rfc_5952_has_it), TEST(refuses_bad_ipv6),
	   TEST(agrees_with_the_c_library_on_all_runs_of_zeroes),
	   TEST(agrees_with_the_c_library_on_random_text), TEST(reads_ports),
	   TEST(the_longest_text_fits), TEST(equal_means_family_port_and_address),
	   TEST(goes_to_the_kernel_and_back), TEST(other_families_are_refused),
	   TEST(knows_loopback), TEST(is_set_to_the_loopback_with_its_port))
