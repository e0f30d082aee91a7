#include "../unit.h"

#include "net/cidr.h"

static void reads_ranges_and_clears_host_bits(void)
{
	static const struct {
		const char *text, *range;
		bool had_host_bits;
	} cases[] = {
		{"10.4.0.0/14", "10.4.0.0/14", false},
		{"10.7.240.0/20", "10.7.240.0/20", false},
		{"10.0.0.1/24", "10.0.0.0/24", true}, /* the page's Minikube value */
		{"255.255.255.255/1", "128.0.0.0/1", true},
		{"10.255.255.255/31", "10.255.255.254/31", true},
		{"0.0.0.0/0", "0.0.0.0/0", false},
		{"1.2.3.4/0", "0.0.0.0/0", true},
		{"192.0.2.1", "192.0.2.1/32", false},
		{"192.0.2.1/32", "192.0.2.1/32", false},
		{"192.0.2.0/024", "192.0.2.0/24", false},
		{"2001:DB8::/32", "2001:db8::/32", false},
		{"2001:db8::1/64", "2001:db8::/64", true},
		{"2001:db8::ffff/125", "2001:db8::fff8/125", true},
		{"::/0", "::/0", false},
		{"::1", "::1/128", false},
		{"fc00::/7", "fc00::/7", false},
		{"64:ff9b::192.0.2.0/120", "64:ff9b::c000:200/120", false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *text = unit_guarded(cases[i].text, strlen(cases[i].text));
		char storage[CIDR_TEXT_MAX];
		bool had_host_bits;
		struct error e;
		struct cidr c;
		struct buf b;

		BUF_INIT_ARRAY(&b, storage);
		CHECK_ROW(cases[i].text,
			  cidr_parse(span_of(text, strlen(cases[i].text)), &c, &had_host_bits, &e));
		cidr_format(&c, &b);
		CHECK_TEXT(buf_cstr(&b), cases[i].range);
		CHECK_ROW(cases[i].text, had_host_bits == cases[i].had_host_bits);
		unit_guarded_free(text, strlen(cases[i].text));
	}
}

static void refuses_the_rest_and_says_why(void)
{
	static const char address[] =
		"expected an IPv4 or IPv6 address, without leading zeroes, before the /";
	static const char v4[] = "expected a length from 0 to 32 behind the /";
	static const char v6[] = "expected a length from 0 to 128 behind the /";
	static const char mapped[] = "write IPv4 addresses as such, not inside IPv6";
	static const struct {
		const char *text, *problem;
	} cases[] = {
		{"", "expected ADDRESS/LENGTH, such as 10.4.0.0/14"},
		{"/8", "expected ADDRESS/LENGTH, such as 10.4.0.0/14"},
		{"10.0.0.0/33", v4},
		{"10.0.0.0/", v4},
		{"10.0.0.0/-1", v4},
		{"10.0.0.0/8/8", v4},
		{"10.0.0.0/0008", v4},
		{"10.0.0.0/8 ", v4},
		{"::/129", v6},
		{"010.0.0.0/8", address},
		{"10.0.0.256", address},
		{"10.0.0/8", address},
		{"example.com/8", address},
		{" 10.0.0.0/8", address},
		{"[::1]/128", address},
		{"*", address},
		{"fe80::1%eth0/64", "zone ids have no meaning in a range"},
		{"::ffff:10.0.0.0/104", mapped},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char expected[256];
		struct error e;
		struct cidr c;

		snprintf(expected, sizeof expected, "\"%s\" is no range of addresses: %s",
			 cases[i].text, cases[i].problem);
		CHECK_ROW(cases[i].text, !cidr_parse(span_from_cstr(cases[i].text), &c, NULL, &e));
		CHECK_TEXT(e.text, expected);
	}
}

static void quotes_what_was_written_safely(void)
{
	struct error e;
	struct cidr c;

	CHECK(!cidr_parse(SPAN("10.0.0.0/8\n\x1b[2J"), &c, NULL, &e));
	CHECK(strstr(e.text, "\"10.0.0.0/8\\x0a\\x1b[2J\"") != NULL);
}

static void knows_what_is_inside(void)
{
	static const struct {
		const char *range, *address;
		bool is_inside;
	} cases[] = {
		{"10.4.0.0/14", "10.4.0.0", true},   {"10.4.0.0/14", "10.7.255.255", true},
		{"10.4.0.0/14", "10.8.0.0", false},  {"10.4.0.0/14", "10.3.255.255", false},
		{"0.0.0.0/0", "8.8.8.8", true},	     {"0.0.0.0/0", "::1", false},
		{"::/0", "2001:db8::1", true},	     {"::/0", "10.0.0.1", false},
		{"fc00::/7", "fdff::1", true},	     {"fc00::/7", "fe00::", false},
		{"192.0.2.1/32", "192.0.2.1", true},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct addr a;
		struct cidr c;

		CHECK(cidr_parse(span_from_cstr(cases[i].range), &c, NULL, &(struct error){0}));
		CHECK(addr_parse_ip(span_from_cstr(cases[i].address), &a));
		a.port = 80;
		CHECK_ROW(cases[i].range, cidr_contains(&c, &a) == cases[i].is_inside);
	}
}

UNIT_TESTS(TEST(reads_ranges_and_clears_host_bits), TEST(refuses_the_rest_and_says_why),
	   TEST(quotes_what_was_written_safely), TEST(knows_what_is_inside))
