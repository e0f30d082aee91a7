#include "../unit.h"

#include "kube/clusterkeys.h"

static void one_key_in_every_spelling(void)
{
	static const char *const spellings[] = {"podSubnet",  "Pod Subnet",   "pod_subnet",
						"POD_SUBNET", "--pod-subnet", "pod.subnet"};

	for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
		char storage[CLUSTERKEYS_MAX];
		const struct clusterkeys_rule *rules;
		struct span key = clusterkeys_normal(span_from_cstr(spellings[i]), storage);

		CHECK_SPAN(key, "podsubnet");
		CHECK(clusterkeys_find(key, &rules) > 0 && rules->role == CLUSTERKEYS_POD);
	}
}

static void finds_each_of_its_rules(void)
{
	static const char *const keys[] = {
		"addressprefixes",
		"cidr",
		"cidrs",
		"clustercidr",
		"clusteriprange",
		"clusteripv4cidr",
		"clusteripv4cidrblock",
		"podcidr",
		"podsubnet",
		"pods",
		"serviceipv4cidr",
		"servicesipv4cidr",
		"servicesubnets",
		"subnet",
		"validipsis",
		"name",
		"ip",
		"podip",
		"clusterips",
		"default",
	};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		const struct clusterkeys_rule *rules;

		CHECK_ROW(keys[i], clusterkeys_find(span_from_cstr(keys[i]), &rules) > 0);
		CHECK_TEXT(rules->key, keys[i]);
	}
}

static void has_no_rule_for_the_rest(void)
{
	static const char *const keys[] = {"", "a", "names", "podcid", "podcidrx", "zzz"};
	const struct clusterkeys_rule *rules;
	char storage[CLUSTERKEYS_MAX], lengthy[CLUSTERKEYS_MAX + 1];

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		CHECK_INT(clusterkeys_find(span_from_cstr(keys[i]), &rules), 0);
	memset(lengthy, 'a', sizeof lengthy);
	CHECK_INT(clusterkeys_normal(span_of(lengthy, sizeof lengthy), storage).len, 0);
}

static void ignores_what_is_never_a_clusters(void)
{
	static const char *const ignored[] = {"publicaccesscidrs",
					      "masteripv4cidrblock",
					      "masterauthorizednetworksconfig",
					      "authorizedipranges",
					      "dockerbridgecidr",
					      "nodeipv4cidrblock",
					      "tpuipv4cidrblock",
					      "subnetipv6cidrblock",
					      "loadbalancersourceranges",
					      "ipblock",
					      "podipv4cidrsize",
					      "clusterpoolipv4masksize",
					      "hostprefix",
					      "blocksize",
					      "remotenodenetworks"};

	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		CHECK_ROW(ignored[i], clusterkeys_is_ignored(span_from_cstr(ignored[i])));
	CHECK(!clusterkeys_is_ignored(SPAN("nodepools")));
	CHECK(!clusterkeys_is_ignored(SPAN("podcidr")));
}

UNIT_TESTS(TEST(one_key_in_every_spelling), TEST(finds_each_of_its_rules),
	   TEST(has_no_rule_for_the_rest), TEST(ignores_what_is_never_a_clusters))
