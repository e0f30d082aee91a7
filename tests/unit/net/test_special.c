#include "../unit.h"

#include "net/special.h"

static struct range of(const char *text)
{
	struct range r;
	struct error e;

	CHECK_ROW(text, range_parse(span_from_cstr(text), &r, NULL, &e));
	return r;
}

static void finds_the_smallest_entry(void)
{
	static const struct {
		const char *range, *prefix; /* NULL: none */
	} cases[] = {
		{"10.4.0.0/14", "10.0.0.0/8"},
		{"0.0.0.0", "0.0.0.0/32"},
		{"0.1.0.0", "0.0.0.0/8"},
		{"192.0.0.9", "192.0.0.9/32"},
		{"192.88.99.2", "192.88.99.2/32"},
		{"192.88.99.1", "192.88.99.0/24"},
		{"192.0.0.0/29", "192.0.0.0/29"},
		{"192.0.0.0/24", "192.0.0.0/24"},
		{"255.255.255.255", "255.255.255.255/32"},
		{"224.0.0.1", "224.0.0.0/4"},
		{"8.8.8.8", NULL},
		{"0.0.0.0/0", NULL},
		{"2001::1", "2001::/32"},
		{"2001:1::1", "2001:1::1/128"},
		{"2001:db8::/48", "2001:db8::/32"},
		{"fd00::/8", "fc00::/7"},
		{"2a00::/16", NULL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct range r = of(cases[i].range);
		struct special s;

		CHECK_ROW(cases[i].range, special_find(&r, &s) == (cases[i].prefix != NULL));
		if (cases[i].prefix != NULL)
			CHECK_ROW(cases[i].range,
				  span_eq(s.prefix, span_from_cstr(cases[i].prefix)));
	}
}

static void knows_what_is_reachable(void)
{
	struct range r = of("192.0.0.9");
	struct special s;

	CHECK(special_find(&r, &s) && s.is_reachable && !s.is_reserved);
	r = of("127.0.0.1");
	CHECK(special_find(&r, &s) && s.is_unreachable && s.is_reserved);
	CHECK(span_eq(s.rfc, SPAN("RFC 1122, section 3.2.1.3")));
	r = of("2002::/16");
	CHECK(special_find(&r, &s) && !s.is_reachable && !s.is_unreachable);
}

static void finds_what_is_special_in_part(void)
{
	struct range r = of("8.0.0.0/6");
	struct special s;

	CHECK(special_find_inside(&r, &s) && span_eq(s.prefix, SPAN("10.0.0.0/8")));
	r = of("8.8.8.0/24");
	CHECK(!special_find_inside(&r, &s));
}

static void knows_uses_in_kubernetes(void)
{
	struct range r = of("34.118.224.0/20");
	struct special_kube k;

	CHECK(special_find_kube(&r, SPECIAL_SERVICE, &k) && k.is_exact);
	CHECK(!special_find_kube(&r, SPECIAL_POD, &k));
	r = of("10.244.3.0/24");
	CHECK(special_find_kube(&r, SPECIAL_POD, &k) && !k.is_exact);
	CHECK(span_eq(k.prefix, SPAN("10.244.0.0/16")));
	r = of("100.64.0.0/10");
	CHECK(special_find_kube(&r, SPECIAL_POD, &k) && special_find_kube(&r, SPECIAL_SERVICE, &k));
}

static void knows_a_base_that_only_one_has(void)
{
	struct range r = of("10.43.0.0/16"), found;

	CHECK(special_find_base(4, r.first, SPECIAL_SERVICE, &found) && range_eq(&found, &r));
	r = of("10.96.0.0/16"); /* kubeadm's and kind's */
	CHECK(!special_find_base(4, r.first, SPECIAL_SERVICE, &found));
}

UNIT_TESTS(TEST(finds_the_smallest_entry), TEST(knows_what_is_reachable),
	   TEST(finds_what_is_special_in_part), TEST(knows_uses_in_kubernetes),
	   TEST(knows_a_base_that_only_one_has))
