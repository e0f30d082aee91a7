#include "../unit.h"

#include "cidr/check.h"

static struct clusterinfo_range lists[2][4];
static struct buf out;
static char storage[4096];
static struct check state;

static struct check_cluster cluster(int at, const char *name, const char *pods,
				    const char *services)
{
	const char *const texts[] = {pods, services};
	size_t count = 0;
	struct error e;

	for (unsigned role = 0; role < 2; role++) {
		if (texts[role] == NULL)
			continue;
		lists[at][count].role = (uint8_t)role;
		CHECK(range_parse(span_from_cstr(texts[role]), &lists[at][count++].range, NULL,
				  &e));
	}
	return (struct check_cluster){name, lists[at], count, true};
}

static void begin(void)
{
	BUF_INIT_ARRAY(&out, storage);
	state = (struct check){.out = &out};
}

static void one(const char *pods, const char *services, const char *server, size_t problems,
		const char *said)
{
	struct check_cluster c = cluster(0, "a", pods, services);
	struct rangelist servers;
	struct range r;
	struct error e;

	rangelist_init(&servers);
	if (server != NULL)
		CHECK(range_parse(span_from_cstr(server), &r, NULL, &e) &&
		      rangelist_add(&servers, &r));
	begin();
	check_cluster(&state, &c, &servers);
	rangelist_fini(&servers);
	CHECK_INT(state.problems, problems);
	CHECK_ROW(storage, strstr(storage, said) != NULL);
}

static void finds_what_is_wrong_with_a_cluster(void)
{
	one("10.4.0.0/14", "10.7.240.0/20", NULL, 0,
	    "note: a: 10.7.240.0/20 is inside 10.4.0.0/14\n");
	one("10.4.0.0/14", "34.118.224.0/20", NULL, 0, "240.240.0.0/16");
	one("10.4.0.0/14", NULL, NULL, 1, "problem: a: no service range\n");
	one("10.4.0.0/14", "8.8.0.0/16", NULL, 1, "problem: a: 8.8.0.0/16 is public");
	one("0.0.0.0/0", "10.0.0.0/16", NULL, 2, "problem: a: 0.0.0.0/0 is everything");
	one("169.254.0.0/16", "10.0.0.0/16", NULL, 2, "169.254.169.254, the cloud's metadata");
	one("127.0.0.0/8", "10.0.0.0/16", NULL, 1, "is Loopback (RFC 1122, section 3.2.1.3)");
	one("10.4.0.0/14", "10.8.0.0/16", "10.4.0.2", 1,
	    "10.4.0.0/14 holds the name server 10.4.0.2");
	one("10.4.0.0/14", "10.8.0.0/16", "10.8.0.10", 0,
	    "note: a: 10.8.0.0/16 holds the name server");
	one("10.4.0.0/14", "240.240.0.0/16", NULL, 0, "");
	one("fd00::/64", "fd01::/108", NULL, 0, "note: ");
}

static void finds_clusters_that_overlap(void)
{
	struct check_cluster a = cluster(0, "a", "10.4.0.0/14", "34.118.224.0/20");
	struct check_cluster b = cluster(1, "b", "10.5.0.0/16", "34.118.224.0/20");

	begin();
	check_pair(&state, &a, &b);
	CHECK_TEXT(storage, "problem: a: 10.4.0.0/14 overlaps 10.5.0.0/16 of b\n");
	CHECK_INT(state.problems, 1);
}

static void finds_drift(void)
{
	struct check_cluster a = cluster(0, "a", "10.4.0.0/14", "10.8.0.0/20");
	struct rangelist in_use;
	struct range r;
	struct error e;

	rangelist_init(&in_use);
	CHECK(range_parse(SPAN("10.4.0.0/14"), &r, NULL, &e) && rangelist_add(&in_use, &r));
	CHECK(range_parse(SPAN("10.9.0.0/20"), &r, NULL, &e) && rangelist_add(&in_use, &r));
	begin();
	CHECK(check_drift(&state, &a, &in_use));
	rangelist_fini(&in_use);
	CHECK_TEXT(storage,
		   "problem: a: 10.8.0.0/20 is the cluster's, and not in the list of --against\n"
		   "problem: a: 10.9.0.0/20 is in the list of --against, and not the cluster's\n");
}

UNIT_TESTS(TEST(finds_what_is_wrong_with_a_cluster), TEST(finds_clusters_that_overlap),
	   TEST(finds_drift))
