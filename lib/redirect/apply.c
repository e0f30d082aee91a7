#include "redirect/apply.h"

#include "redirect/nft.h"
#include "redirect/xtables.h"

const char *const apply_backend_names[] = {"auto", "nft", "legacy", NULL};

struct backend {
	enum apply_backend id;
	const char *modules; /* what a node must have loaded, by itself or by somebody */
	enum backend_result (*apply)(const struct backend_wish *wish,
				     struct backend_outcome *outcome, struct error *e);
	enum backend_result (*check)(const struct backend_wish *wish, bool *same, struct error *e);
	enum backend_result (*remove)(bool removed[static 2], struct error *e);
};

/* In the order in which they are tried. */
static const struct backend backends[] = {
	{APPLY_NFT, "nf_tables nft_chain_nat nft_redir nft_ct nft_reject_inet", nft_apply,
	 nft_check, nft_remove},
	{APPLY_LEGACY,
	 "iptable_nat ip6table_nat xt_REDIRECT xt_owner xt_tcpudp xt_multiport xt_comment",
	 xtables_apply, xtables_check, xtables_remove},
};

static bool is_allowed(const struct backend *b, enum apply_backend wanted)
{
	return wanted == APPLY_AUTO || wanted == b->id;
}

static void fill_report(const struct apply_wish *wish, const struct backend *b,
			const struct backend_outcome *outcome, struct diag *d,
			struct apply_report *report)
{
	const char *problem = outcome->v6_problem.text;

	*report = (struct apply_report){
		.backend = b->id,
		.changed = outcome->changed,
		.has_v6 = wish->rules.v6->family != 0 && problem[0] == '\0',
	};
	if (problem[0] != '\0')
		diag_report(d, DIAG_WARNING, "IPv6 is left alone: %s", problem);
}

/* Of an earlier run with the other backend. The new rules are in force already. */
static bool sweep_other(const struct backend *b, struct apply_report *report, struct error *e)
{
	const struct backend *other = &backends[b == &backends[0]];
	bool removed[2] = {false, false};

	if (other->remove(removed, e) == BACKEND_FAILED)
		return error_prefix(e, "the rules are in force, but older ones of ours are too");
	report->changed = report->changed || removed[0] || removed[1];
	return true;
}

/* "CAUSE; on the node, load: MODULES", behind what was said of the backend before. */
static void add_missing(struct error *all, const struct error *cause, const char *modules)
{
	struct error before = *all;

	error_set(all, "%s%s%s; on the node, load: %s", before.text,
		  before.text[0] != '\0' ? "; and " : "", cause->text, modules);
}

bool apply_run(const struct apply_wish *wish, struct diag *d, struct apply_report *report,
	       struct error *e)
{
	struct error missing = {""};

	for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++) {
		const struct backend *b = &backends[i];
		struct backend_outcome outcome;

		if (!is_allowed(b, wish->backend))
			continue;
		switch (b->apply(&wish->rules, &outcome, e)) {
		case BACKEND_DONE:
			fill_report(wish, b, &outcome, d, report);
			if (missing.text[0] != '\0')
				diag_report(d, DIAG_NOTE, "legacy tables are used: %s",
					    missing.text);
			return sweep_other(b, report, e);
		case BACKEND_FAILED:
			return false;
		case BACKEND_MISSING:
			add_missing(&missing, e, b->modules);
		}
	}
	*e = missing;
	return false;
}

bool apply_check(const struct apply_wish *wish, struct apply_report *report, struct error *e)
{
	for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++) {
		const struct backend *b = &backends[i];
		bool same = false;

		if (!is_allowed(b, wish->backend))
			continue;
		if (b->check(&wish->rules, &same, e) == BACKEND_FAILED)
			return false;
		*report = (struct apply_report){.backend = b->id,
						.has_v6 = wish->rules.v6->family != 0};
		if (same)
			return true;
	}
	return error_set(e, "the rules in force are not those that these options make");
}

bool apply_cleanup(struct buf *out, struct error *e)
{
	for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++) {
		bool removed[2] = {false, false};

		if (backends[i].remove(removed, e) == BACKEND_FAILED)
			return false;
		buf_printf(out, "%s%s=%s%s%s%s", i > 0 ? " " : "",
			   apply_backend_names[backends[i].id], removed[0] ? "ip" : "",
			   removed[0] && removed[1] ? "," : "", removed[1] ? "ip6" : "",
			   removed[0] || removed[1] ? "" : "none");
	}
	return true;
}
