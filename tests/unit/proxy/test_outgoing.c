#include "../unit.h"

#include "proxy/outgoing.h"

static struct addr at(const char *text)
{
	struct addr a = {0};

	CHECK(addr_parse(span_from_cstr(text), 0, &a));
	return a;
}

static void knows_a_connection_by_both_its_ends(void)
{
	struct addr local = at("10.1.0.2:40000"), to = at("192.0.2.1:80");
	struct addr others[] = {at("10.1.0.2:40001"), at("10.1.0.3:40000")};
	struct addr elsewhere[] = {at("192.0.2.1:81"), at("192.0.2.2:80"), at("[2001:db8::1]:80")};
	struct outgoing o;

	CHECK(!outgoing_has(&local, &to));
	o = outgoing_add(&local, &to);
	CHECK(outgoing_has(&local, &to));
	for (size_t i = 0; i < 2; i++)
		CHECK(!outgoing_has(&others[i], &to));
	for (size_t i = 0; i < 3; i++)
		CHECK(!outgoing_has(&local, &elsewhere[i]));
	outgoing_remove(&o);
	CHECK(!outgoing_has(&local, &to));
	outgoing_remove(&o);
}

static void removing_one_leaves_a_newer_one_of_the_same_port(void)
{
	struct addr local = at("[fd01::2]:40000");
	struct addr to[] = {at("[2001:db8::1]:80"), at("[2001:db8::2]:80")};
	struct outgoing older = outgoing_add(&local, &to[0]), newer = outgoing_add(&local, &to[1]);

	outgoing_remove(&older);
	CHECK(outgoing_has(&local, &to[1]));
	outgoing_remove(&newer);
	CHECK(!outgoing_has(&local, &to[1]));
}

UNIT_TESTS(TEST(knows_a_connection_by_both_its_ends),
	   TEST(removing_one_leaves_a_newer_one_of_the_same_port))
