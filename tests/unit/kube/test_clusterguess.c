#include "../unit.h"

#include "kube/clusterguess.h"

static struct arena arena;
static struct clusterinfo info;

static void check_services(const char *first, const char *other, enum clusterinfo_guess guess,
			   const char *expected)
{
	struct span others[1] = {other != NULL ? span_from_cstr(other) : span_of(NULL, 0)};
	char storage[RANGE_TEXT_MAX] = "";
	unsigned widest, narrowest;
	struct buf b;

	arena_init(&arena, 1 << 16);
	clusterinfo_init(&info, &arena);
	clusterguess_services(span_from_cstr(first), others, other != NULL, guess, &info, &widest,
			      &narrowest);
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
	check_services("example.com", NULL, wide, "");
	check_services("", NULL, wide, "");
}

static void a_route_by_a_gateway_says_where_pods_are(void)
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
	char storage[RANGE_TEXT_MAX];
	struct buf b;

	arena_init(&arena, 1 << 16);
	clusterinfo_init(&info, &arena);
	CHECK(!clusterguess_pods(SPAN(""), "f", &info));
	CHECK(!clusterguess_pods(span_from_cstr(gke), "f", &info));
	CHECK(clusterguess_pods(span_from_cstr(k3s), "f", &info));
	BUF_INIT_ARRAY(&b, storage);
	range_format(&info.list[0].range, &b);
	CHECK_TEXT(storage, "10.42.0.0/16");
	CHECK_INT(info.list[0].confidence, CLUSTERKEYS_CONFIGURED);
	clusterinfo_fini(&info);
	arena_fini(&arena);
}

UNIT_TESTS(TEST(the_first_address_says_where_services_begin),
	   TEST(a_route_by_a_gateway_says_where_pods_are))
