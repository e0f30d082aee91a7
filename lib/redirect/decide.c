#include "redirect/decide.h"

#include <string.h>

static bool is_among(const struct ranges_cidrs *list, const struct addr *a)
{
	for (size_t i = 0; i < list->count; i++)
		if (cidr_contains(&list->items[i], a))
			return true;
	return false;
}

static bool is_interface(const char *wanted, const char *actual)
{
	return wanted == NULL || (actual != NULL && strcmp(wanted, actual) == 0);
}

static bool matches(const struct rule *rule, const struct decide_packet *p)
{
	return is_interface(rule->in, p->in) && is_interface(rule->out, p->out) &&
	       (rule->protocol == 0 || rule->protocol == p->protocol) &&
	       (!rule->has_uid || rule->uid == p->uid) && (!rule->has_gid || rule->gid == p->gid) &&
	       rule->ct_state != RULESET_CT_INVALID &&
	       (rule->to.count == 0 || is_among(&rule->to, &p->to) != rule->not_to) &&
	       (rule->ports.count == 0 || ranges_has_port(&rule->ports, p->to.port));
}

/* The rule that ends it; NULL when the chain's end is reached, or a return. */
static const struct rule *run(const struct chain *c, const struct decide_packet *p)
{
	for (size_t i = 0; i < c->rule_count; i++) {
		const struct rule *rule = &c->rules[i], *end;

		if (!matches(rule, p))
			continue;
		if (rule->verdict == RULESET_RETURN)
			return NULL;
		if (rule->verdict != RULESET_JUMP)
			return rule;
		/* Targets come first, so this ends. */
		end = run(rule->target, p);
		if (end != NULL)
			return end;
	}
	return NULL;
}

static const struct rule *ask(const struct ruleset *r, enum ruleset_table table,
			      enum ruleset_hook hook, const struct decide_packet *p)
{
	const struct rule *end = NULL;

	for (size_t i = 0; i < r->chain_count && end == NULL; i++)
		if (r->chains[i].table == table && r->chains[i].hook == hook)
			end = run(&r->chains[i], p);
	return end;
}

uint16_t decide_port(const struct ruleset *r, enum ruleset_hook hook, const struct decide_packet *p)
{
	const struct rule *end = ask(r, RULESET_NAT, hook, p);

	return end != NULL ? end->port : 0;
}

bool decide_is_refused(const struct ruleset *r, const struct decide_packet *p)
{
	return ask(r, RULESET_FILTER, RULESET_OUTPUT, p) != NULL;
}
