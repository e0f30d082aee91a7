#include "../unit.h"

#include "net/guard.h"

static struct addr at(const char *text)
{
	struct addr a;

	CHECK_ROW(text, addr_parse_ip(span_from_cstr(text), &a));
	return a;
}

static void expect(const struct guard *g, const char *text, enum guard_verdict expected)
{
	struct addr a = at(text);
	enum guard_verdict got = guard_judge(g, &a);

	if (got != expected)
		unit_fail(__FILE__, __LINE__, "%s is %s, expected %s", text,
			  guard_verdict_names[got], guard_verdict_names[expected]);
}

static const struct row {
	const char *address;
	enum guard_verdict by_default, private_denied;
} rows4[] = {
	{"0.0.0.0", GUARD_UNSPECIFIED, GUARD_UNSPECIFIED},
	{"0.255.255.255", GUARD_UNSPECIFIED, GUARD_UNSPECIFIED},
	{"1.0.0.0", GUARD_ALLOWED, GUARD_ALLOWED},
	{"8.8.8.8", GUARD_ALLOWED, GUARD_ALLOWED},
	{"9.255.255.255", GUARD_ALLOWED, GUARD_ALLOWED},
	{"10.0.0.0", GUARD_ALLOWED, GUARD_PRIVATE},
	{"10.255.255.255", GUARD_ALLOWED, GUARD_PRIVATE},
	{"11.0.0.0", GUARD_ALLOWED, GUARD_ALLOWED},
	{"100.63.255.255", GUARD_ALLOWED, GUARD_ALLOWED},
	{"100.64.0.0", GUARD_ALLOWED, GUARD_PRIVATE},
	{"100.100.100.200", GUARD_METADATA, GUARD_METADATA},
	{"100.127.255.255", GUARD_ALLOWED, GUARD_PRIVATE},
	{"100.128.0.0", GUARD_ALLOWED, GUARD_ALLOWED},
	{"126.255.255.255", GUARD_ALLOWED, GUARD_ALLOWED},
	{"127.0.0.0", GUARD_LOOPBACK, GUARD_LOOPBACK},
	{"127.0.0.1", GUARD_LOOPBACK, GUARD_LOOPBACK},
	{"127.255.255.255", GUARD_LOOPBACK, GUARD_LOOPBACK},
	{"128.0.0.0", GUARD_ALLOWED, GUARD_ALLOWED},
	{"168.63.129.16", GUARD_METADATA, GUARD_METADATA},
	{"169.253.255.255", GUARD_ALLOWED, GUARD_ALLOWED},
	{"169.254.0.0", GUARD_LINK_LOCAL, GUARD_LINK_LOCAL},
	{"169.254.169.254", GUARD_LINK_LOCAL, GUARD_LINK_LOCAL},
	{"169.254.255.255", GUARD_LINK_LOCAL, GUARD_LINK_LOCAL},
	{"169.255.0.0", GUARD_ALLOWED, GUARD_ALLOWED},
	{"172.15.255.255", GUARD_ALLOWED, GUARD_ALLOWED},
	{"172.16.0.0", GUARD_ALLOWED, GUARD_PRIVATE},
	{"172.31.255.255", GUARD_ALLOWED, GUARD_PRIVATE},
	{"172.32.0.0", GUARD_ALLOWED, GUARD_ALLOWED},
	{"192.0.0.1", GUARD_ALLOWED, GUARD_PRIVATE},
	{"192.0.0.192", GUARD_METADATA, GUARD_METADATA},
	{"192.0.1.0", GUARD_ALLOWED, GUARD_ALLOWED},
	{"192.0.2.1", GUARD_ALLOWED, GUARD_PRIVATE},
	{"192.167.255.255", GUARD_ALLOWED, GUARD_ALLOWED},
	{"192.168.0.0", GUARD_ALLOWED, GUARD_PRIVATE},
	{"192.168.255.255", GUARD_ALLOWED, GUARD_PRIVATE},
	{"192.169.0.0", GUARD_ALLOWED, GUARD_ALLOWED},
	{"198.17.255.255", GUARD_ALLOWED, GUARD_ALLOWED},
	{"198.18.0.0", GUARD_ALLOWED, GUARD_PRIVATE},
	{"198.19.255.255", GUARD_ALLOWED, GUARD_PRIVATE},
	{"198.51.100.1", GUARD_ALLOWED, GUARD_PRIVATE},
	{"203.0.113.1", GUARD_ALLOWED, GUARD_PRIVATE},
	{"223.255.255.255", GUARD_ALLOWED, GUARD_ALLOWED},
	{"224.0.0.0", GUARD_MULTICAST, GUARD_MULTICAST},
	{"239.255.255.255", GUARD_MULTICAST, GUARD_MULTICAST},
	{"240.0.0.0", GUARD_ALLOWED, GUARD_PRIVATE},
	{"255.255.255.254", GUARD_ALLOWED, GUARD_PRIVATE},
	{"255.255.255.255", GUARD_MULTICAST, GUARD_MULTICAST},
};

static const struct row rows6[] = {
	{"::", GUARD_UNSPECIFIED, GUARD_UNSPECIFIED},
	{"::1", GUARD_LOOPBACK, GUARD_LOOPBACK},
	{"2606:4700::1111", GUARD_ALLOWED, GUARD_ALLOWED},
	{"2a00:1450:4001::1", GUARD_ALLOWED, GUARD_ALLOWED},
	{"100::1", GUARD_ALLOWED, GUARD_PRIVATE},
	{"2001:2::1", GUARD_ALLOWED, GUARD_PRIVATE},
	{"2001:db8::1", GUARD_ALLOWED, GUARD_PRIVATE},
	{"3fff::1", GUARD_ALLOWED, GUARD_PRIVATE},
	{"5f00::1", GUARD_ALLOWED, GUARD_PRIVATE},
	{"fbff::1", GUARD_ALLOWED, GUARD_ALLOWED},
	{"fc00::", GUARD_ALLOWED, GUARD_PRIVATE},
	{"fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", GUARD_ALLOWED, GUARD_PRIVATE},
	{"fd00:ec2::254", GUARD_METADATA, GUARD_METADATA},
	{"fd00:ec2::23", GUARD_METADATA, GUARD_METADATA},
	{"fd20:ce::254", GUARD_METADATA, GUARD_METADATA},
	{"fd20:ce::255", GUARD_ALLOWED, GUARD_PRIVATE},
	{"fd00:c1::a9fe:a9fe", GUARD_METADATA, GUARD_METADATA},
	{"fd00:42::42", GUARD_METADATA, GUARD_METADATA},
	{"fe7f:ffff::1", GUARD_ALLOWED, GUARD_ALLOWED},
	{"fe80::1", GUARD_LINK_LOCAL, GUARD_LINK_LOCAL},
	{"febf:ffff::1", GUARD_LINK_LOCAL, GUARD_LINK_LOCAL},
	{"fec0::1", GUARD_ALLOWED, GUARD_PRIVATE},
	{"feff:ffff::1", GUARD_ALLOWED, GUARD_PRIVATE},
	{"ff00::", GUARD_MULTICAST, GUARD_MULTICAST},
	{"ff02::1", GUARD_MULTICAST, GUARD_MULTICAST},
	{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", GUARD_MULTICAST, GUARD_MULTICAST},
};

static const struct guard defaults, strict = {.deny_private = true};

static void judges_each_range_of_ipv4(void)
{
	for (size_t i = 0; i < sizeof rows4 / sizeof rows4[0]; i++) {
		expect(&defaults, rows4[i].address, rows4[i].by_default);
		expect(&strict, rows4[i].address, rows4[i].private_denied);
	}
}

static void judges_each_range_of_ipv6(void)
{
	for (size_t i = 0; i < sizeof rows6 / sizeof rows6[0]; i++) {
		expect(&defaults, rows6[i].address, rows6[i].by_default);
		expect(&strict, rows6[i].address, rows6[i].private_denied);
	}
}

/* The same verdict in whatever form an IPv6 address carries it. */
static void judges_what_is_inside_of_each_form(void)
{
	static const struct {
		const char *format; /* of the address's two halves in hexadecimal */
		unsigned flip;
		bool is_guess; /* of where it is; zeroes are a wrong one */
	} forms[] = {
		{"::ffff:%x:%x", 0, false},	    /* mapped */
		{"::ffff:0:%x:%x", 0, false},	    /* translated */
		{"64:ff9b::%x:%x", 0, false},	    /* NAT64 */
		{"64:ff9b:1::%x:%x", 0, true},	    /* NAT64 of a network's own */
		{"64:ff9b:1:fffe::%x:%x", 0, true}, /* a part of that */
		{"2002:%x:%x::1", 0, false},	    /* 6to4 */
		{"2002:%x:%x:1234:5678:9abc:def0:1234", 0, false},
		{"2001:0:808:808:0:4321:%x:%x", 0xffff, false}, /* Teredo's client */
		{"2001:0:%x:%x:0:0:f7f7:f7f7", 0, false},	/* Teredo's server */
		{"2a00:1450::5efe:%x:%x", 0, false},		/* ISATAP */
		{"2a00:1450::200:5efe:%x:%x", 0, false},
	};

	for (size_t i = 0; i < sizeof rows4 / sizeof rows4[0]; i++) {
		struct addr v4 = at(rows4[i].address);
		unsigned high = (unsigned)v4.bytes[0] << 8 | v4.bytes[1];
		unsigned low = (unsigned)v4.bytes[2] << 8 | v4.bytes[3];

		for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
			char text[64];

			if (forms[f].is_guess && v4.bytes[0] == 0)
				continue;
			snprintf(text, sizeof text, forms[f].format, high ^ forms[f].flip,
				 low ^ forms[f].flip);
			;
			expect(&strict, text, rows4[i].private_denied);
		}
	}
}

static void judges_compatible_addresses_but_for_the_two_that_are_not(void)
{
	expect(&defaults, "::127.0.0.1", GUARD_LOOPBACK);
	expect(&defaults, "::169.254.169.254", GUARD_LINK_LOCAL);
	expect(&defaults, "::10.0.0.1", GUARD_ALLOWED);
	expect(&strict, "::10.0.0.1", GUARD_PRIVATE);
	expect(&strict, "::8.8.8.8", GUARD_ALLOWED);
	expect(&defaults, "::2", GUARD_UNSPECIFIED);
}

/* Behind a /48, /56 or /64 of its own, a network's translator finds the address elsewhere. */
static void looks_at_all_places_where_a_translator_may_find_it(void)
{
	expect(&defaults, "64:ff9b:1:7f00:0:100::", GUARD_LOOPBACK);
	expect(&defaults, "64:ff9b:1:7f:0:1::", GUARD_LOOPBACK);
	expect(&defaults, "64:ff9b:1::7f:0:100:0", GUARD_LOOPBACK);
	expect(&defaults, "64:ff9b:1:a9fe:a9:fe00::", GUARD_LINK_LOCAL);
	expect(&strict, "64:ff9b:1:0a00:0:100::", GUARD_PRIVATE);
	expect(&strict, "64:ff9b:1:0a00:0:100:808:808", GUARD_PRIVATE);
	expect(&strict, "64:ff9b:1:808:8:800::", GUARD_ALLOWED);
	expect(&strict, "64:ff9b:1:8:8:808::", GUARD_ALLOWED);
	expect(&strict, "64:ff9b:1::808:808", GUARD_ALLOWED);
	expect(&defaults, "64:ff9b:1::", GUARD_UNSPECIFIED);
}

static void lists_come_before_the_ranges_and_allow_before_deny(void)
{
	struct cidr allow[4], deny[4];
	struct guard g = {.allow = allow, .deny = deny, .deny_private = true};
	struct error e;

	CHECK(guard_parse_list(SPAN("127.0.0.0/30,10.1.0.0/16"), allow, 4, &g.allow_count, &e));
	CHECK(guard_parse_list(SPAN("fd00:ec2::254"), allow, 4, &g.allow_count, &e));
	CHECK(guard_parse_list(SPAN("10.1.2.0/24,8.8.0.0/16,127.0.0.0/29"), deny, 4, &g.deny_count,
			       &e));
	CHECK_INT(g.allow_count, 3);
	CHECK_INT(g.deny_count, 3);
	expect(&g, "127.0.0.1", GUARD_ALLOWED);
	expect(&g, "127.0.0.4", GUARD_LISTED);
	expect(&g, "127.0.0.9", GUARD_LOOPBACK);
	expect(&g, "10.1.2.3", GUARD_ALLOWED);
	expect(&g, "10.2.2.3", GUARD_PRIVATE);
	expect(&g, "8.8.8.8", GUARD_LISTED);
	expect(&g, "fd00:ec2::254", GUARD_ALLOWED);
	expect(&g, "fd00:ec2::23", GUARD_METADATA);
	/* They hold for what is inside, too. */
	expect(&g, "::ffff:127.0.0.1", GUARD_ALLOWED);
	expect(&g, "64:ff9b::8.8.8.8", GUARD_LISTED);
	expect(&g, "64:ff9b::10.1.2.3", GUARD_ALLOWED);
	expect(&g, "2002:a02:203::", GUARD_PRIVATE);
}

static bool is_ten_seven(const struct addr *a)
{
	return a->family == 4 && a->bytes[0] == 10 && a->bytes[3] == 7;
}

static enum guard_verdict judge_port(const struct guard *g, const char *text, uint16_t port)
{
	struct addr a = at(text);

	a.port = port;
	return guard_judge(g, &a);
}

static void our_own_listeners_are_denied_whatever_is_allowed(void)
{
	struct cidr all[2] = {{{.family = 4}, 0}, {{.family = 6}, 0}};
	struct guard g = {.allow = all, .allow_count = 2, .is_own = is_ten_seven};
	struct addr everywhere = {.family = 6, .port = 8080};
	struct addr one = {.family = 4, .port = 15001, .bytes = {10, 0, 0, 9}};

	guard_add_listener(&g, &everywhere);
	guard_add_listener(&g, &one);
	CHECK_INT(judge_port(&g, "10.0.0.7", 8080), GUARD_LISTENER);
	CHECK_INT(judge_port(&g, "::ffff:10.0.0.7", 8080), GUARD_LISTENER);
	CHECK_INT(judge_port(&g, "64:ff9b::10.0.0.7", 8080), GUARD_ALLOWED);
	g.allow_count = 1;
	CHECK_INT(judge_port(&g, "64:ff9b::10.0.0.7", 8080), GUARD_LISTENER);
	CHECK_INT(judge_port(&g, "127.3.2.1", 8080), GUARD_LISTENER);
	CHECK_INT(judge_port(&g, "::1", 8080), GUARD_LISTENER);
	CHECK_INT(judge_port(&g, "10.0.0.8", 8080), GUARD_ALLOWED);
	CHECK_INT(judge_port(&g, "10.0.0.7", 8081), GUARD_ALLOWED);
	CHECK_INT(judge_port(&g, "10.0.0.9", 15001), GUARD_LISTENER);
	CHECK_INT(judge_port(&g, "10.0.0.7", 15001), GUARD_ALLOWED);
	CHECK_INT(judge_port(&g, "127.0.0.1", 15001), GUARD_ALLOWED);
	g.is_own = NULL;
	CHECK_INT(judge_port(&g, "10.0.0.7", 8080), GUARD_ALLOWED);
	for (unsigned i = 0; i < GUARD_LISTENERS_MAX; i++)
		guard_add_listener(&g, &one);
	CHECK_INT(g.listener_count, GUARD_LISTENERS_MAX);
}

static void refuses_lists_that_say_something_else_than_is_meant(void)
{
	static const struct {
		const char *text, *problem;
	} rows[] = {
		{"10.0.0.1/8", "\"10.0.0.1/8\" has bits behind its prefix: is 10.0.0.0/8 meant?"},
		{"10.0.0.0/8,,", "\"\" is no range of addresses"},
		{"10.0.0.0/8,example.com", "\"example.com\" is no range of addresses"},
		{"1.1.1.1,2.2.2.2,3.3.3.3", "at most 2 ranges"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cidr list[2];
		size_t count = 0;
		struct error e;

		CHECK_ROW(rows[i].text,
			  !guard_parse_list(span_from_cstr(rows[i].text), list, 2, &count, &e));
		CHECK_ROW(e.text, strncmp(e.text, rows[i].problem, strlen(rows[i].problem)) == 0);
	}
}

UNIT_TESTS(TEST(judges_each_range_of_ipv4), TEST(judges_each_range_of_ipv6),
	   TEST(judges_what_is_inside_of_each_form),
	   TEST(judges_compatible_addresses_but_for_the_two_that_are_not),
	   TEST(looks_at_all_places_where_a_translator_may_find_it),
	   TEST(lists_come_before_the_ranges_and_allow_before_deny),
	   TEST(our_own_listeners_are_denied_whatever_is_allowed),
	   TEST(refuses_lists_that_say_something_else_than_is_meant))
