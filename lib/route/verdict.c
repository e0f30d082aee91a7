#include "route/verdict.h"

const char *const verdict_names[] = {
#define X(member, name) name,
	VERDICTS(X)
#undef X
};

const char *const verdict_policy_names[] = {
#define X(member, name) name,
	VERDICT_POLICIES(X)
#undef X
		NULL,
};

static bool is_inside(const struct cidrset *cluster, const struct addr *a)
{
	struct range one = range_of_addr(a);

	return cidrset_contains(cluster, &one);
}

static struct addr loopback_of(const struct addr *a)
{
	struct addr to = {.family = a->family, .port = a->port};

	if (a->family == 4)
		addr_set_loopback(&to);
	else
		to.bytes[15] = 1;
	return to;
}

struct verdict_decision verdict_decide(const struct verdict_facts *f)
{
	struct verdict_decision refused = {.verdict = VERDICT_REFUSED, .is_loop = f->is_ours};
	struct verdict_decision d = {.to = f->original};
	bool loopback = addr_is_loopback(&f->original);

	if (f->original.family == 0 || addr_eq(&f->original, &f->local))
		return refused;
	/* Through any address of the pod it is the same listener. */
	if (f->original.port == f->local.port && (loopback || f->is_own(&f->original)))
		return refused;
	if (f->is_ours && (loopback || !f->is_own(&f->original)))
		return refused;
	if (f->is_ours || loopback) {
		d.verdict = VERDICT_INBOUND;
	} else if (is_inside(f->cluster, &f->original)) {
		d.verdict = f->own_is_captured && f->is_own(&f->original) ? VERDICT_INBOUND
									  : VERDICT_INTERNAL;
	} else {
		d.verdict = f->is_own(&f->original) ? VERDICT_INBOUND : VERDICT_EXTERNAL;
	}
	if (d.verdict == VERDICT_INBOUND && !loopback && (f->is_ours || f->own_is_captured))
		d.to = loopback_of(&f->original);
	return d;
}
