#include "../unit.h"

#include "kube/clusterguess.h"

static struct arena arena;
static struct clusterinfo info;

static void add_address(const char *text, bool is_first)
{
	struct clusterinfo_range r = {.role = CLUSTERKEYS_SERVICE,
				      .rank = CLUSTERKEYS_RANK_ADDRESSES,
				      .confidence = CLUSTERKEYS_DERIVED};
	struct error e;

	CHECK(range_parse(span_from_cstr(text), &r.range, NULL, &e));
	info.is_first = is_first;
	clusterinfo_add(&info, &r);
	info.is_first = false;
}

static void check_services(const char *first, const char *other, enum clusterinfo_guess guess,
			   const char *expected)
{
	char storage[RANGE_TEXT_MAX] = "";
	unsigned widest, narrowest;
	struct buf b;

	arena_init(&arena, 1 << 16);
	clusterinfo_init(&info, &arena);
	if (first != NULL)
		add_address(first, true);
	if (other != NULL)
		add_address(other, false);
	CHECK(clusterguess_services(&info, guess, &widest, &narrowest) == (expected[0] != '\0'));
	BUF_INIT_ARRAY(&b, storage);
	if (info.count > 0)
		range_format(&info.list[0].range, &b);
	CHECK_TEXT(storage, expected);
	clusterinfo_fini(&info);
	arena_fini(&arena);
}

static void the_first_address_says_where_services_begin(void)
{
	const enum clusterinfo_guess no = CLUSTERINFO_GUESS_NO, wide = CLUSTERINFO_GUESS_WIDE,
				     narrow = CLUSTERINFO_GUESS_NARROW;

	check_services("10.43.0.1", NULL, no, "10.43.0.0/16");
	check_services("34.118.224.1", NULL, no, "34.118.224.0/20");
	check_services("10.96.0.1", NULL, no, ""); /* kubeadm's and kind's begin there */
	check_services("10.96.0.1", NULL, wide, "10.96.0.0/12");
	check_services("10.96.0.1", "10.96.0.10", narrow, "10.96.0.0/28");
	check_services("10.96.0.1", "8.8.8.8", narrow, "10.96.0.0/31");
	check_services("10.7.240.1", NULL, wide, "10.7.240.0/20");
	check_services("10.0.0.2", NULL, wide, "");
	check_services("fd00:10:96::1", NULL, no, "fd00:10:96::/112");
	check_services("fd00:1::1", "fd00:1::a", narrow, "fd00:1::/124");
	check_services("fd00:1::1", NULL, wide, "fd00:1::/108");
	check_services(NULL, "10.43.0.7", wide, "");
}

static void check_routes(const char *routes, bool is_node, const char *expected)
{
	char storage[RANGE_TEXT_MAX] = "";
	struct buf b;

	arena_init(&arena, 1 << 16);
	clusterinfo_init(&info, &arena);
	CHECK(clusterguess_pods(span_from_cstr(routes), "f", is_node, &info) ==
	      (expected[0] != '\0'));
	BUF_INIT_ARRAY(&b, storage);
	if (info.count > 0)
		range_format(&info.list[0].range, &b);
	CHECK_TEXT(storage, expected);
	clusterinfo_fini(&info);
	arena_fini(&arena);
}

static void routes_say_where_pods_are(void)
{
	static const char k3s[] = "Iface\tDestination\tGateway "
				  "\tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
				  "eth0\t00000000\t01002A0A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
				  "eth0\t00002A0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
				  "eth0\t00002A0A\t01002A0A\t0003\t0\t0\t0\t0000FFFF\t0\t0\t0\n";
	static const char gke[] = "Iface\tDestination\tGateway "
				  "\tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
				  "eth0\t00000000\t0100040A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
				  "eth0\t0000040A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
	static const char k3s6[] =
		"fd420000000000000000000000000000 40 00000000000000000000000000000000 00 "
		"00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0\n"
		"fd420000000000000000000000000000 38 00000000000000000000000000000000 00 "
		"fd420000000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n"
		"00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
		"fd420000000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n";
	static const char weave[] = "weave\t0000280A\t00000000\t0001\t0\t0\t0\t0000F8FF\t0\t0\t0\n";
	static const char in_weave[] =
		"eth0\t0000200A\t00000000\t0001\t0\t0\t0\t0000F0FF\t0\t0\t0\n";

	check_routes("", false, "");
	check_routes(gke, false, "");
	check_routes(k3s, false, "10.42.0.0/16");
	/* A node may have such routes to anywhere. */
	check_routes(k3s, true, "");
	check_routes(k3s6, false, "fd42::/56");
	check_routes(weave, true, "10.40.0.0/13");
	check_routes(weave, false, "");
	check_routes(in_weave, false, "10.32.0.0/12");
	check_routes(in_weave, true, "");
	check_routes("eth0\t0000200A\t00000000\t0001\n", false, "");
	check_routes("eth0\tx000200A\t00000000\t0001\t0\t0\t0\t0000F0FF\t0\n", false, "");
}

UNIT_TESTS(TEST(the_first_address_says_where_services_begin), TEST(routes_say_where_pods_are))
