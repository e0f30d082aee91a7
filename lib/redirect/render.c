#include "redirect/render.h"

#include <netinet/in.h>

static const char *protocol_name(uint8_t protocol)
{
	return protocol == IPPROTO_TCP ? "tcp" : "udp";
}

static const char *ct_state_name(uint32_t state)
{
	return state == RULESET_CT_NEW ? "new" : "invalid";
}

/* ---- nft -------------------------------------------------------------------------------- */

/* "80", "{ 80, 8000-8100 }" */
static void add_nft_ports(struct ranges_ports ports, struct buf *out)
{
	buf_add_cstr(out, ports.count > 1 ? "{ " : "");
	for (size_t i = 0; i < ports.count; i++) {
		buf_add_cstr(out, i > 0 ? ", " : "");
		portrange_format(&ports.items[i], out);
	}
	buf_add_cstr(out, ports.count > 1 ? " }" : "");
}

static void add_nft_ranges(struct ranges_cidrs ranges, uint8_t family, struct buf *out)
{
	bool is_set = ranges_count(ranges) > 1;
	struct ranges_span run;
	const char *before = is_set ? "{ " : "";

	while (ranges_next(&ranges, &run)) {
		buf_add_cstr(out, before);
		ranges_format(&run, family, out);
		before = ", ";
	}
	buf_add_cstr(out, is_set ? " }" : "");
}

static void add_nft_conditions(const struct rule *rule, uint8_t family, struct buf *out)
{
	if (rule->in != NULL)
		buf_printf(out, "iifname \"%s\" ", rule->in);
	if (rule->out != NULL)
		buf_printf(out, "oifname \"%s\" ", rule->out);
	if (rule->ports.count > 0) {
		buf_printf(out, "%s dport ", protocol_name(rule->protocol));
		add_nft_ports(rule->ports, out);
		buf_add_byte(out, ' ');
	} else if (rule->protocol != 0) {
		buf_printf(out, "meta l4proto %s ", protocol_name(rule->protocol));
	}
	if (rule->to.count > 0) {
		buf_printf(out, "%s daddr %s", family == 4 ? "ip" : "ip6",
			   rule->not_to ? "!= " : "");
		add_nft_ranges(rule->to, family, out);
		buf_add_byte(out, ' ');
	}
	if (rule->has_uid)
		buf_printf(out, "meta skuid %u ", (unsigned)rule->uid);
	if (rule->has_gid)
		buf_printf(out, "meta skgid %u ", (unsigned)rule->gid);
	if (rule->ct_state != 0)
		buf_printf(out, "ct state %s ", ct_state_name(rule->ct_state));
}

static void add_nft_verdict(const struct rule *rule, uint8_t family, struct buf *out)
{
	switch (rule->verdict) {
	case RULESET_RETURN:
		buf_add_cstr(out, "return");
		break;
	case RULESET_JUMP:
		buf_printf(out, "jump %s", rule->target->name);
		break;
	case RULESET_REDIRECT:
		buf_printf(out, "redirect to :%u", (unsigned)rule->port);
		break;
	case RULESET_REJECT:
		buf_printf(out, "reject with %s port-unreachable", family == 4 ? "icmp" : "icmpv6");
		break;
	case RULESET_DROP:
		buf_add_cstr(out, "drop");
		break;
	}
}

void render_rule(const struct rule *rule, uint8_t family, struct buf *out)
{
	add_nft_conditions(rule, family, out);
	add_nft_verdict(rule, family, out);
}

static void add_nft_chain(const struct chain *c, uint8_t family, struct buf *out)
{
	static const char *const types[RULESET_TABLES] = {"nat", "filter", "filter"};

	buf_printf(out, "\tchain %s {\n", ruleset_base_name(c));
	if (c->hook != RULESET_NO_HOOK)
		buf_printf(out, "\t\ttype %s hook %s priority %d; policy accept;\n",
			   types[c->table], c->hook == RULESET_OUTPUT ? "output" : "prerouting",
			   ruleset_priority(c));
	for (size_t i = 0; i < c->rule_count; i++) {
		buf_add_cstr(out, "\t\t");
		add_nft_conditions(&c->rules[i], family, out);
		buf_add_cstr(out, "counter ");
		add_nft_verdict(&c->rules[i], family, out);
		buf_printf(out, " comment \"%s\"\n", c->rules[i].comment);
	}
	buf_add_cstr(out, "\t}\n");
}

void render_nft(const struct ruleset *r, struct buf *out)
{
	const char *family = r->family == 4 ? "ip" : "ip6";

	if (r->family == 0)
		return;
	buf_printf(out, "table %s " RULESET_TABLE "\n", family);
	buf_printf(out, "delete table %s " RULESET_TABLE "\n", family);
	buf_printf(out, "table %s " RULESET_TABLE " {\n", family);
	for (size_t i = 0; i < r->chain_count; i++)
		add_nft_chain(&r->chains[i], r->family, out);
	buf_add_cstr(out, "}\n");
}

/* ---- iptables --------------------------------------------------------------------------- */

static void add_iptables_ports(const struct rule *rule, struct buf *out)
{
	const char *name = protocol_name(rule->protocol);

	if (rule->ports.count > 1)
		buf_add_cstr(out, " -m multiport --dports ");
	else
		buf_printf(out, " -m %s --dport ", name);
	for (size_t i = 0; i < rule->ports.count; i++) {
		const struct portrange *p = &rule->ports.items[i];

		buf_add_cstr(out, i > 0 ? "," : "");
		buf_add_u64(out, p->first);
		if (p->last != p->first)
			buf_printf(out, ":%u", (unsigned)p->last);
	}
}

static void add_iptables_conditions(const struct rule *rule, struct buf *out)
{
	if (rule->to.count > 0) {
		buf_add_cstr(out, rule->not_to ? " ! -d " : " -d ");
		cidr_format(&rule->to.items[0], out);
	}
	if (rule->in != NULL)
		buf_printf(out, " -i %s", rule->in);
	if (rule->out != NULL)
		buf_printf(out, " -o %s", rule->out);
	if (rule->protocol != 0)
		buf_printf(out, " -p %s", protocol_name(rule->protocol));
	if (rule->ports.count > 0)
		add_iptables_ports(rule, out);
	if (rule->has_uid)
		buf_printf(out, " -m owner --uid-owner %u", (unsigned)rule->uid);
	if (rule->has_gid)
		buf_printf(out, " -m owner --gid-owner %u", (unsigned)rule->gid);
	if (rule->ct_state != 0)
		buf_printf(out, " -m conntrack --ctstate %s",
			   rule->ct_state == RULESET_CT_NEW ? "NEW" : "INVALID");
	if (rule->comment != NULL)
		buf_printf(out, " -m comment --comment \"%s\"", rule->comment);
}

static void add_iptables_verdict(const struct rule *rule, uint8_t family, struct buf *out)
{
	switch (rule->verdict) {
	case RULESET_RETURN:
		buf_add_cstr(out, " -j RETURN\n");
		break;
	case RULESET_JUMP:
		buf_printf(out, " -j %s\n", rule->target->name);
		break;
	case RULESET_REDIRECT:
		buf_printf(out, " -j REDIRECT --to-ports %u\n", (unsigned)rule->port);
		break;
	case RULESET_REJECT:
		buf_printf(out, " -j REJECT --reject-with %s\n",
			   family == 4 ? "icmp-port-unreachable" : "icmp6-port-unreachable");
		break;
	case RULESET_DROP:
		buf_add_cstr(out, " -j DROP\n");
		break;
	}
}

static void add_iptables_chain(const struct chain *c, uint8_t family, struct buf *out)
{
	unsigned place = 1;

	for (size_t i = 0; i < c->rule_count; i++) {
		struct ruleset_slice at = {0};
		struct rule slice;

		while (ruleset_next_slice(&c->rules[i], &at, &slice)) {
			if (c->hook == RULESET_NO_HOOK)
				buf_printf(out, "-A %s", c->name);
			else
				buf_printf(out, "-I %s %u", c->name, place++);
			add_iptables_conditions(&slice, out);
			add_iptables_verdict(&slice, family, out);
		}
	}
}

static void add_iptables_table(const struct ruleset *r, enum ruleset_table table, struct buf *out)
{
	static const char *const names[RULESET_TABLES] = {"nat", "filter", "mangle"};
	bool any = false;

	for (size_t i = 0; i < r->chain_count; i++) {
		const struct chain *c = &r->chains[i];

		if (c->table != table)
			continue;
		if (!any)
			buf_printf(out, "*%s\n", names[table]);
		any = true;
		if (c->hook == RULESET_NO_HOOK)
			buf_printf(out, ":%s - [0:0]\n", c->name);
	}
	for (size_t i = 0; i < r->chain_count; i++)
		if (r->chains[i].table == table)
			add_iptables_chain(&r->chains[i], r->family, out);
	buf_add_cstr(out, any ? "COMMIT\n" : "");
}

void render_iptables(const struct ruleset *r, struct buf *out)
{
	if (r->family == 0)
		return;
	buf_printf(out, "# %s --noflush\n",
		   r->family == 4 ? "iptables-restore" : "ip6tables-restore");
	for (int table = 0; table < RULESET_TABLES; table++)
		add_iptables_table(r, (enum ruleset_table)table, out);
}
