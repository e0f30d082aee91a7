#include "../unit.h"
#include "rules.h"

#include "redirect/hostns.h"

static void a_fresh_namespace_is_no_node(void)
{
	char sign[128];
	struct buf b;

	enter_namespace();
	BUF_INIT_ARRAY(&b, sign);
	if (hostns_is_here(&b))
		unit_fail(__FILE__, __LINE__, "taken for a node: %s", sign);
	CHECK_TEXT(sign, "");
}

static void an_interface_of_a_node_gives_it_away(void)
{
	char sign[128];
	struct buf b;

	enter_namespace();
	if (!run_ip("link add cni0 type veth peer name peer\n"))
		unit_skip("no veth interfaces here");
	BUF_INIT_ARRAY(&b, sign);
	CHECK(hostns_is_here(&b));
	CHECK_TEXT(sign, "it has an interface cni0");
}

UNIT_TESTS(TEST(a_fresh_namespace_is_no_node), TEST(an_interface_of_a_node_gives_it_away))
