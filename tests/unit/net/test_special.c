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
		const struct special *s = special_find(&r);

		CHECK_ROW(cases[i].range, (s == NULL) == (cases[i].prefix == NULL));
		if (s != NULL)
			CHECK_TEXT(s->prefix, cases[i].prefix);
	}
}

static void finds_what_is_special_in_part(void)
{
	struct range r = of("8.0.0.0/6");

	CHECK_TEXT(special_find_inside(&r)->prefix, "10.0.0.0/8");
	r = of("8.8.8.0/24");
	CHECK(special_find_inside(&r) == NULL);
}

static void knows_uses_in_kubernetes(void)
{
	struct range r = of("34.118.224.0/20");
	bool is_exact;

	CHECK(special_find_kube(&r, SPECIAL_SERVICE, &is_exact) != NULL && is_exact);
	CHECK(special_find_kube(&r, SPECIAL_POD, &is_exact) == NULL);
	r = of("10.244.3.0/24");
	CHECK_TEXT(special_find_kube(&r, SPECIAL_POD, &is_exact)->prefix, "10.244.0.0/16");
	CHECK(!is_exact);
}

static void knows_a_base_that_only_one_has(void)
{
	struct range r = of("10.43.0.0/16");

	CHECK_TEXT(special_find_base(4, r.first, SPECIAL_SERVICE)->prefix, "10.43.0.0/16");
	r = of("10.96.0.0/16"); /* kubeadm's and kind's */
	CHECK(special_find_base(4, r.first, SPECIAL_SERVICE) == NULL);
}

UNIT_TESTS(TEST(finds_the_smallest_entry), TEST(finds_what_is_special_in_part),
	   TEST(knows_uses_in_kubernetes), TEST(knows_a_base_that_only_one_has))
