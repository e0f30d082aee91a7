#include "../unit.h"

#include "proxy/config.h"

static void a_list_of_ranges_is_what_is_inside(void)
{
	struct proxy_config c = {.policy = VERDICT_POLICY_ANY};
	struct error e;

	CHECK(config_set_cluster(&c, "10.4.0.0/14,10.7.240.0/20,fd00::/8,192.0.2.7", &e));
	CHECK_INT(c.cluster.count4, 2);
	CHECK_INT(c.cluster.count6, 1);
	cidrset_fini(&c.cluster);
	CHECK(config_set_cluster(&c, CONFIG_CIDRS, &e));
	CHECK_INT(c.cluster.count4, 5);
	CHECK_INT(c.cluster.count6, 1);
	cidrset_fini(&c.cluster);
	CHECK(!config_set_cluster(&c, "10.4.0.0/14,", &e));
	CHECK_SPAN(span_first(span_from_cstr(e.text), 16), "--cluster-cidr: ");
	cidrset_fini(&c.cluster);
}

static void a_name_in_via_is_a_token(void)
{
	static const char *const bad[] = {
		"", "a b", "a,b", "(a)",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	struct proxy_config c = {.policy = VERDICT_POLICY_ANY};
	struct error e;

	CHECK(config_set_via(&c, "egress-1", &e));
	CHECK_SPAN(c.via, "egress-1");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK_ROW(bad[i], !config_set_via(&c, bad[i], &e));
	CHECK(config_set_via(&c, bad[4] + 1, &e));
}

static void a_gateway_has_a_port(void)
{
	struct hostport gateway;
	struct error e;

	CHECK(config_parse_gateway("egress-gateway:80", &gateway, &e));
	CHECK_SPAN(gateway.host, "egress-gateway");
	CHECK_INT(gateway.port, 80);
	CHECK(config_parse_gateway("[fd00::1]:8080", &gateway, &e));
	CHECK_SPAN(gateway.host, "fd00::1");
	CHECK(!config_parse_gateway("egress-gateway", &gateway, &e));
	CHECK_TEXT(e.text, "--gateway: \"egress-gateway\" is not HOST:PORT: the port is missing");
	CHECK(!config_parse_gateway("a:b:c", &gateway, &e));
}

UNIT_TESTS(TEST(a_list_of_ranges_is_what_is_inside), TEST(a_name_in_via_is_a_token),
	   TEST(a_gateway_has_a_port))
