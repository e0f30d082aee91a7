#include "../unit.h"

#include "cidr/describe.h"

static void names_reverse_zones(void)
{
	static const struct {
		const char *range, *zones;
	} cases[] = {
		{"10.0.0.0/8", "10.in-addr.arpa"},
		{"192.0.2.0/24", "2.0.192.in-addr.arpa"},
		{"192.0.2.7", "7.2.0.192.in-addr.arpa"},
		{"192.0.2.64/26", "64/26.2.0.192.in-addr.arpa"},
		{"10.4.0.0/14", "4.10.in-addr.arpa 5.10.in-addr.arpa 6.10.in-addr.arpa "
				"7.10.in-addr.arpa"},
		{"10.128.0.0/9", "128.10.in-addr.arpa to 255.10.in-addr.arpa"},
		{"0.0.0.0/0", "in-addr.arpa"},
		{"::/0", "ip6.arpa"},
		{"2001:db8::/32", "8.b.d.0.1.0.0.2.ip6.arpa"},
		{"2001:db8::/30", "8.b.d.0.1.0.0.2.ip6.arpa 9.b.d.0.1.0.0.2.ip6.arpa "
				  "a.b.d.0.1.0.0.2.ip6.arpa b.b.d.0.1.0.0.2.ip6.arpa"},
		{"fd00::/127", "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f."
			       "ip6.arpa "
			       "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f."
			       "ip6.arpa"},
		{"fd00::/63", "0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa "
			      "1.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa"},
		{"10.0.0.1-10.0.0.2", ""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char storage[2048];
		struct range r;
		struct error e;
		struct buf b;

		CHECK(range_parse(span_from_cstr(cases[i].range), &r, NULL, &e));
		BUF_INIT_ARRAY(&b, storage);
		describe_reverse(&r, &b);
		CHECK_TEXT(buf_cstr(&b), cases[i].zones);
	}
}

static void describes_for_people_and_programs(void)
{
	const char *words[] = {"10.0.0.1/24,fd00::/8", "10.0.0.1-10.0.0.2"};
	const struct verb_words lists = {words, 2};
	char storage[4096];
	struct error e;
	struct buf b;

	BUF_INIT_ARRAY(&b, storage);
	CHECK(describe_lists(&lists, 4, RANGEWRITER_DESCRIBE, &b, &e));
	CHECK(strstr(storage, "network:     10.0.0.0/24\n") != NULL);
	CHECK(strstr(storage, "count:       256\n") != NULL);
	CHECK(strstr(storage, "\n\ninput:       10.0.0.1-10.0.0.2\nfirst:") != NULL);
	CHECK(strstr(storage, "fd00") == NULL);
	buf_clear(&b);
	CHECK(describe_lists(&lists, 0, RANGEWRITER_YAML, &b, &e));
	CHECK(strstr(storage, "- input: \"10.0.0.1/24\"\n  network: \"10.0.0.0/24\"\n") != NULL);
	buf_clear(&b);
	words[1] = "10.0.0.0/33";
	CHECK(!describe_lists(&lists, 0, RANGEWRITER_CSV, &b, &e));
}

UNIT_TESTS(TEST(names_reverse_zones), TEST(describes_for_people_and_programs))
