#include "cidr/check.h"

#include "net/cidrset.h"
#include "net/special.h"

static void add_range(struct check *c, const struct range *r)
{
	range_format(r, c->out);
}

/* "problem: NAME: RANGE" or the same as a note; the caller says what and ends the line. */
static void begin(struct check *c, bool is_problem, const char *name, const struct range *r)
{
	*(is_problem ? &c->problems : &c->notes) += 1;
	buf_printf(c->out, "%s: %s: ", is_problem ? "problem" : "note", name);
	if (r != NULL)
		add_range(c, r);
}

static void end(struct check *c, const char *text)
{
	buf_printf(c->out, "%s\n", text);
}

/* ---- One range ---- */

/* Space that pods and services may well have: private, shared, or left to nobody but Istio. */
static bool is_usual(const struct special *s)
{
	static const char *const names[] = {"Private-Use", "Shared Address Space", "Unique-Local",
					    "Benchmarking"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (span_eq(s->name, span_from_cstr(names[i])))
			return true;
	return span_eq(s->prefix, SPAN("240.0.0.0/4"));
}

static void check_space(struct check *c, const struct check_cluster *cluster,
			const struct clusterinfo_range *one)
{
	bool is_all = range_is_all(&one->range), is_special;
	struct special_kube known;
	struct special s;

	is_special = !is_all && special_find(&one->range, &s);
	if (is_special ? is_usual(&s)
		       : !is_all && special_find_kube(&one->range, SPECIAL_SERVICE, &known))
		return;
	begin(c, true, cluster->name, &one->range);
	if (is_special)
		buf_printf(c->out, " is %.*s (%.*s), which no cluster has\n", SPAN_ARG(s.name),
			   SPAN_ARG(s.rfc));
	else if (is_all)
		end(c, " is everything: nothing would go out directly");
	else
		end(c, " is public, in part at least: traffic to the outside would be redirected");
}

static void check_spelling(struct check *c, const struct check_cluster *cluster,
			   const struct clusterinfo_range *one)
{
	if (!one->had_host_bits)
		return;
	begin(c, true, cluster->name, &one->range);
	end(c, " is written with bits behind its length");
}

static void check_metadata(struct check *c, const struct check_cluster *cluster,
			   const struct clusterinfo_range *one)
{
	struct range metadata = special_range(SPAN("169.254.169.254/32"));

	if (!range_contains(&one->range, &metadata))
		return;
	begin(c, true, cluster->name, &one->range);
	end(c, " holds 169.254.169.254, the cloud's metadata service");
}

static void check_servers(struct check *c, const struct check_cluster *cluster,
			  const struct clusterinfo_range *one, const struct rangelist *servers)
{
	for (size_t i = 0; i < servers->count; i++) {
		bool is_service = cluster->has_roles && one->role == CLUSTERKEYS_SERVICE;

		if (!range_contains(&one->range, &servers->list[i]))
			continue;
		/* In a pod the name server is a Service, and meant to be. */
		begin(c, !is_service, cluster->name, &one->range);
		buf_add_cstr(c->out, " holds the name server ");
		range_format_address(servers->list[i].family, servers->list[i].first, c->out);
		end(c, "");
	}
}

/* ---- One cluster ---- */

static void check_roles(struct check *c, const struct check_cluster *cluster)
{
	size_t counts[CLUSTERKEYS_ROLES] = {0};

	for (size_t i = 0; i < cluster->count; i++)
		counts[cluster->list[i].role]++;
	for (unsigned role = 0; cluster->has_roles && role < CLUSTERKEYS_ROLES; role++)
		if (counts[role] == 0) {
			begin(c, true, cluster->name, NULL);
			buf_printf(c->out, "no %s range\n", clusterkeys_roles[role]);
		}
}

static void check_nesting(struct check *c, const struct check_cluster *cluster)
{
	for (size_t i = 0; i < cluster->count; i++)
		for (size_t k = 0; k < cluster->count; k++) {
			const struct range *a = &cluster->list[i].range;
			const struct range *b = &cluster->list[k].range;

			/* Of two that are one, and of two that cross, once. */
			bool is_inside = range_contains(a, b) && (i < k || !range_eq(a, b));
			bool is_across = i < k && range_overlaps(a, b) && !range_contains(a, b) &&
					 !range_contains(b, a);

			if (i == k || (!is_inside && !is_across))
				continue;
			begin(c, is_across, cluster->name, b);
			buf_add_cstr(c->out, is_across ? " overlaps " : " is inside ");
			add_range(c, a);
			end(c, "");
		}
}

static void check_istio(struct check *c, const struct check_cluster *cluster)
{
	struct range istio = special_range(SPAN("240.240.0.0/16"));

	for (size_t i = 0; i < cluster->count; i++)
		if (range_contains(&cluster->list[i].range, &istio))
			return;
	begin(c, false, cluster->name, &istio);
	end(c, ", addresses that Istio makes up for ServiceEntries, is not among the ranges");
}

/* Nesting is told of pairs: of more ranges than these, nobody reads it. */
#define NESTING_MAX 64

void check_cluster(struct check *c, const struct check_cluster *cluster,
		   const struct rangelist *servers)
{
	check_roles(c, cluster);
	for (size_t i = 0; i < cluster->count; i++) {
		check_spelling(c, cluster, &cluster->list[i]);
		check_space(c, cluster, &cluster->list[i]);
		check_metadata(c, cluster, &cluster->list[i]);
		check_servers(c, cluster, &cluster->list[i], servers);
	}
	if (cluster->count <= NESTING_MAX)
		check_nesting(c, cluster);
	if (cluster->count > 0)
		check_istio(c, cluster);
}

/* ---- Two ---- */

void check_pair(struct check *c, const struct check_cluster *a, const struct check_cluster *b)
{
	for (size_t i = 0; i < a->count; i++)
		for (size_t k = 0; k < b->count; k++) {
			struct special_kube known;
			struct special special;

			if (!range_overlaps(&a->list[i].range, &b->list[k].range))
				continue;
			/* The same in every cluster of GKE, and seen from none of them. */
			if (range_eq(&a->list[i].range, &b->list[k].range) &&
			    !special_find(&a->list[i].range, &special) &&
			    special_find_kube(&a->list[i].range, SPECIAL_SERVICE, &known))
				continue;
			begin(c, true, a->name, &a->list[i].range);
			buf_add_cstr(c->out, " overlaps ");
			add_range(c, &b->list[k].range);
			buf_printf(c->out, " of %s\n", b->name);
		}
}

struct drift {
	struct check *check;
	const char *name, *text;
};

static bool add_drift(void *context, const struct range *prefix)
{
	struct drift *d = context;

	begin(d->check, true, d->name, prefix);
	end(d->check, d->text);
	return d->check->problems < 1000;
}

bool check_drift(struct check *c, const struct check_cluster *cluster,
		 const struct rangelist *in_use)
{
	struct cidrset now, used, missing, extra;
	bool ok = true;

	cidrset_init(&now);
	cidrset_init(&used);
	cidrset_init(&missing);
	cidrset_init(&extra);
	for (size_t i = 0; ok && i < cluster->count; i++)
		ok = cidrset_add(&now, &cluster->list[i].range);
	for (size_t i = 0; ok && i < in_use->count; i++)
		ok = cidrset_add(&used, &in_use->list[i]);
	ok = ok && cidrset_merge(&now) && cidrset_merge(&used) &&
	     cidrset_exclude(&now, &used, &missing) && cidrset_exclude(&used, &now, &extra);
	if (ok) {
		struct drift d = {c, cluster->name,
				  " is the cluster's, and not in the list of --against"};

		cidrset_prefixes(&missing, add_drift, &d);
		d.text = " is in the list of --against, and not the cluster's";
		cidrset_prefixes(&extra, add_drift, &d);
	}
	cidrset_fini(&now);
	cidrset_fini(&used);
	cidrset_fini(&missing);
	cidrset_fini(&extra);
	return ok;
}
