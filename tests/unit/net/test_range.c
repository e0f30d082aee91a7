#include "../unit.h"

#include "net/cidr.h"
#include "net/range.h"

static struct range read_range(const char *text)
{
	struct range r = {.family = 0};
	struct error e;

	CHECK_ROW(text, range_parse(span_from_cstr(text), &r, NULL, &e));
	return r;
}

static void reads_and_writes_back(void)
{
	static const struct {
		const char *text, *written;
		bool had_host_bits;
	} cases[] = {
		{"10.4.0.0/14", "10.4.0.0/14", false},
		{"10.0.0.1/24", "10.0.0.0/24", true},
		{"0.0.0.0/0", "0.0.0.0/0", false},
		{"255.255.255.255", "255.255.255.255/32", false},
		{"10.0.0.5-10.0.0.77", "10.0.0.5-10.0.0.77", false},
		{"10.0.0.0-10.0.0.255", "10.0.0.0/24", false},
		{"0.0.0.0-255.255.255.255", "0.0.0.0/0", false},
		{"::/0", "::/0", false},
		{"::", "::/128", false},
		{"::1", "::1/128", false},
		{"1::", "1::/128", false},
		{"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0/128", false},
		{"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8/128", false},
		{"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8/128", false},
		{"2001:DB8::1/32", "2001:db8::/32", true},
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1/128", false},
		{"fd00:10:244::/64", "fd00:10:244::/64", false},
		{"64:ff9b::192.0.2.0/120", "64:ff9b::c000:200/120", false},
		{"::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0", false},
		{"2001:db8::5-2001:db8::6", "2001:db8::5-2001:db8::6", false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t len = strlen(cases[i].text);
		char *text = unit_guarded(cases[i].text, len);
		char storage[RANGE_TEXT_MAX];
		bool had_host_bits;
		struct range r;
		struct error e;
		struct buf b;

		CHECK_ROW(cases[i].text, range_parse(span_of(text, len), &r, &had_host_bits, &e));
		CHECK_ROW(cases[i].text, had_host_bits == cases[i].had_host_bits);
		BUF_INIT_ARRAY(&b, storage);
		range_format(&r, &b);
		CHECK_TEXT(buf_cstr(&b), cases[i].written);
		unit_guarded_free(text, len);
	}
}

static void refuses_what_is_none(void)
{
	static const char *const cases[] = {
		"",
		"10.0.0.0/33",
		"010.0.0.0/8",
		"10.0.0.256",
		"10.0.0.256/8",
		"10.0.0",
		"10.0.0.0/",
		"10.0.0.0/8/8",
		"10.0.0.0 /8",
		"10.0.0.0/8 ",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"1::2::3",
		"1:",
		":1",
		":::",
		"::/129",
		"12345::",
		"fe80::1%eth0",
		"::ffff:10.0.0.0/104",
		"::ffff:a00:0/104",
		"10.0.0.9-10.0.0.1",
		"10.0.0.0-::1",
		"10.0.0.0/8-10.0.0.1",
		"10.0.0.0-",
		"-10.0.0.0",
		"example.com",
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct range r;
		struct error e = {""};

		CHECK_ROW(cases[i], !range_parse(span_from_cstr(cases[i]), &r, NULL, &e));
		CHECK_ROW(cases[i], strstr(e.text, "is no range of addresses: ") != NULL);
	}
}

static void says_prefixes_of_a_range(void)
{
	struct range r = read_range("10.0.0.5-10.0.0.77"), prefix = range_first_prefix(&r);
	struct range cover;

	CHECK_INT(range_length(&r), -1);
	CHECK_INT(range_length(&prefix), 32);
	r = read_range("0.0.0.0/0");
	prefix = range_first_prefix(&r);
	CHECK(range_eq(&r, &prefix) && range_is_all(&r));
	r = read_range("::/0");
	prefix = range_first_prefix(&r);
	CHECK(range_eq(&r, &prefix) && range_is_all(&r));
	r = read_range("0.0.0.0/1");
	CHECK(!range_is_all(&r));
	r = read_range("10.0.0.1");
	prefix = read_range("10.0.0.9");
	cover = range_cover(&r, &prefix);
	CHECK_INT(range_length(&cover), 28);
}

static void compares(void)
{
	struct range pods = read_range("10.4.0.0/14"), services = read_range("10.7.240.0/20");
	struct range other = read_range("10.8.0.0/14"), v6 = read_range("::a04:0/110");

	CHECK(range_overlaps(&pods, &services) && range_contains(&pods, &services));
	CHECK(!range_contains(&services, &pods));
	CHECK(!range_overlaps(&pods, &other) && !range_overlaps(&pods, &v6));
}

UNIT_TESTS(TEST(reads_and_writes_back), TEST(refuses_what_is_none), TEST(says_prefixes_of_a_range),
	   TEST(compares))
