#include "../unit.h"

#include "route/verdict.h"

static struct cidrset cluster;
static struct addr own[2];
static int asked;

static struct addr at(const char *text)
{
	struct addr a = {0};

	CHECK_ROW(text, addr_parse(span_from_cstr(text), 0, &a));
	return a;
}

static bool is_own(const struct addr *a)
{
	asked++;
	for (size_t i = 0; i < 2; i++)
		if (memcmp(a->bytes, own[i].bytes, sizeof a->bytes) == 0)
			return true;
	return false;
}

static void prepare(void)
{
	static const char *const cidrs[] = {"10.0.0.0/8", "fd00::/8"};
	struct range range;
	struct error e;

	cidrset_init(&cluster);
	for (size_t i = 0; i < 2; i++)
		CHECK(range_parse(span_from_cstr(cidrs[i]), &range, NULL, &e) &&
		      cidrset_add(&cluster, &range));
	CHECK(cidrset_merge(&cluster));
	own[0] = at("192.0.2.9:1");
	own[1] = at("[2001:db8::9]:1");
	asked = 0;
}

static struct verdict_decision decide(const char *original, const char *local, bool is_ours,
				      bool own_is_captured)
{
	struct verdict_facts f = {.cluster = &cluster,
				  .local = at(local),
				  .is_ours = is_ours,
				  .own_is_captured = own_is_captured,
				  .is_own = is_own};

	if (original != NULL)
		f.original = at(original);
	return verdict_decide(&f);
}

static void decides_by_the_destination(void)
{
	static const struct {
		const char *original;
		bool is_ours, own_is_captured;
		enum verdict verdict;
		const char *to;
	} rows[] = {
		{"10.1.2.3:80", false, false, VERDICT_INTERNAL, "10.1.2.3:80"},
		{"[fd01::1]:80", false, false, VERDICT_INTERNAL, "[fd01::1]:80"},
		{"11.0.0.1:80", false, false, VERDICT_EXTERNAL, NULL},
		{"9.255.255.255:80", false, false, VERDICT_EXTERNAL, NULL},
		{"[fe00::1]:80", false, false, VERDICT_EXTERNAL, NULL},
		{"[2001:db8::1]:443", false, false, VERDICT_EXTERNAL, NULL},
		{"169.254.169.254:80", false, false, VERDICT_EXTERNAL, NULL},
		{"192.0.2.9:80", false, false, VERDICT_INBOUND, "192.0.2.9:80"},
		{"[2001:db8::9]:80", false, false, VERDICT_INBOUND, "[2001:db8::9]:80"},
		{"127.0.0.2:80", false, false, VERDICT_INBOUND, "127.0.0.2:80"},
		{"[::1]:80", false, false, VERDICT_INBOUND, "[::1]:80"},
		/* Nothing of this pod's: the listener's port is anybody's elsewhere. */
		{"11.0.0.1:15001", false, false, VERDICT_EXTERNAL, NULL},
		{"10.1.2.3:15001", false, false, VERDICT_INTERNAL, "10.1.2.3:15001"},
		/* Our own that came back. */
		{"10.1.2.3:80", true, false, VERDICT_REFUSED, NULL},
		{"11.0.0.1:80", true, false, VERDICT_REFUSED, NULL},
		{"127.0.0.1:80", true, false, VERDICT_REFUSED, NULL},
		{"192.0.2.9:80", true, false, VERDICT_INBOUND, "127.0.0.1:80"},
		{"[2001:db8::9]:80", true, false, VERDICT_INBOUND, "[::1]:80"},
		{"192.0.2.9:80", false, true, VERDICT_INBOUND, "127.0.0.1:80"},
		{"10.1.2.3:80", false, true, VERDICT_INTERNAL, "10.1.2.3:80"},
		{"127.0.0.2:80", false, true, VERDICT_INBOUND, "127.0.0.2:80"},
	};

	prepare();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct verdict_decision d = decide(rows[i].original, "127.0.0.1:15001",
						   rows[i].is_ours, rows[i].own_is_captured);
		struct addr to = {0};

		CHECK_ROW(rows[i].original, d.verdict == rows[i].verdict);
		CHECK_ROW(rows[i].original, d.is_loop == (d.verdict == VERDICT_REFUSED));
		if (rows[i].to != NULL)
			to = at(rows[i].to);
		CHECK_ROW(rows[i].original, rows[i].to == NULL || addr_eq(&d.to, &to));
	}
	cidrset_fini(&cluster);
}

static void what_was_not_redirected_is_refused(void)
{
	static const char *const rows[][2] = {
		{NULL, "10.1.2.3:15001"},
		{"10.1.2.3:15001", "10.1.2.3:15001"},
		{"127.0.0.1:15001", "127.0.0.1:15001"},
		{"[fd01::1]:15001", "[fd01::1]:15001"},
		/* By another address of the pod. */
		{"192.0.2.9:15001", "127.0.0.1:15001"},
		{"127.0.0.2:15001", "127.0.0.1:15001"},
	};

	prepare();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct verdict_decision d = decide(rows[i][0], rows[i][1], false, false);

		CHECK_ROW(rows[i][1], d.verdict == VERDICT_REFUSED && !d.is_loop);
	}
	cidrset_fini(&cluster);
}

static void the_kernel_is_not_asked_for_what_is_inside(void)
{
	prepare();
	decide("10.1.2.3:80", "127.0.0.1:15001", false, false);
	decide("[fd01::1]:80", "127.0.0.1:15001", false, false);
	decide(NULL, "127.0.0.1:15001", false, false);
	CHECK_INT(asked, 0);
	cidrset_fini(&cluster);
}

UNIT_TESTS(TEST(decides_by_the_destination), TEST(what_was_not_redirected_is_refused),
	   TEST(the_kernel_is_not_asked_for_what_is_inside))
