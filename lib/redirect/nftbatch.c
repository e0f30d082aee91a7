#include "redirect/nftbatch.h"

#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include "base/endian.h"

/* An attribute's length has 16 bits; a longer list of elements goes on in another message. */
#define LIST_BYTES_MAX 60000

/* As nft numbers the types of keys, so that it can list our sets: nftables' include/datatype.h. */
enum { TYPE_IPV4 = 7, TYPE_IPV6 = 8, TYPE_PORT = 13 };

#define ICMP_PORT_UNREACHABLE 3
#define ICMPV6_PORT_UNREACHABLE 4

uint8_t nftbatch_family(uint8_t family)
{
	return family == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
}

static void begin(struct nftbatch *b, int message, uint16_t flags, uint8_t family,
		  const struct chain *chain, const struct rule *rule)
{
	nlmsg_begin(&b->out, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message), flags,
		    nftbatch_family(family), 0);
	if (b->out.seq == b->wanted_seq) {
		b->found_family = family;
		b->found_chain = chain;
		b->found_rule = rule;
	}
}

/* ---- Expressions ------------------------------------------------------------------------ */

struct expression {
	size_t element, data;
};

static struct expression open_expression(struct nlmsg *m, const char *name)
{
	struct expression x;

	x.element = nlmsg_nest(m, NFTA_LIST_ELEM);
	nlmsg_put_text(m, NFTA_EXPR_NAME, name);
	x.data = nlmsg_nest(m, NFTA_EXPR_DATA);
	return x;
}

static void close_expression(struct nlmsg *m, struct expression x)
{
	nlmsg_end(m, x.data);
	nlmsg_end(m, x.element);
}

static void put_value(struct nlmsg *m, uint16_t type, const void *value, size_t size)
{
	size_t nest = nlmsg_nest(m, type);

	nlmsg_put(m, NFTA_DATA_VALUE, value, size);
	nlmsg_end(m, nest);
}

static void load_meta(struct nlmsg *m, uint32_t key)
{
	struct expression x = open_expression(m, "meta");

	nlmsg_put_u32(m, NFTA_META_KEY, key);
	nlmsg_put_u32(m, NFTA_META_DREG, NFT_REG_1);
	close_expression(m, x);
}

static void load_payload(struct nlmsg *m, uint32_t base, uint32_t offset, uint32_t size)
{
	struct expression x = open_expression(m, "payload");

	nlmsg_put_u32(m, NFTA_PAYLOAD_DREG, NFT_REG_1);
	nlmsg_put_u32(m, NFTA_PAYLOAD_BASE, base);
	nlmsg_put_u32(m, NFTA_PAYLOAD_OFFSET, offset);
	nlmsg_put_u32(m, NFTA_PAYLOAD_LEN, size);
	close_expression(m, x);
}

static void compare(struct nlmsg *m, uint32_t op, const void *value, size_t size)
{
	struct expression x = open_expression(m, "cmp");

	nlmsg_put_u32(m, NFTA_CMP_SREG, NFT_REG_1);
	nlmsg_put_u32(m, NFTA_CMP_OP, op);
	put_value(m, NFTA_CMP_DATA, value, size);
	close_expression(m, x);
}

static void mask(struct nlmsg *m, const void *bits, size_t size)
{
	static const uint8_t zeros[16];
	struct expression x = open_expression(m, "bitwise");

	nlmsg_put_u32(m, NFTA_BITWISE_SREG, NFT_REG_1);
	nlmsg_put_u32(m, NFTA_BITWISE_DREG, NFT_REG_1);
	nlmsg_put_u32(m, NFTA_BITWISE_LEN, (uint32_t)size);
	put_value(m, NFTA_BITWISE_MASK, bits, size);
	put_value(m, NFTA_BITWISE_XOR, zeros, size);
	close_expression(m, x);
}

static void look_up(struct nlmsg *m, const char *set)
{
	struct expression x = open_expression(m, "lookup");

	nlmsg_put_text(m, NFTA_LOOKUP_SET, set);
	nlmsg_put_u32(m, NFTA_LOOKUP_SREG, NFT_REG_1);
	close_expression(m, x);
}

static void put_interface(struct nlmsg *m, uint32_t key, const char *name)
{
	char padded[SETTINGS_INTERFACE_SIZE] = {0};

	if (name == NULL)
		return;
	/* All of it: a comparison of fewer bytes would match longer names. */
	memcpy(padded, name, strnlen(name, sizeof padded - 1));
	load_meta(m, key);
	compare(m, NFT_CMP_EQ, padded, sizeof padded);
}

static void put_owner(struct nlmsg *m, uint32_t key, uint32_t id)
{
	load_meta(m, key);
	compare(m, NFT_CMP_EQ, &id, sizeof id);
}

static void put_ct_state(struct nlmsg *m, uint32_t state)
{
	struct expression x = open_expression(m, "ct");
	uint32_t none = 0;

	nlmsg_put_u32(m, NFTA_CT_KEY, NFT_CT_STATE);
	nlmsg_put_u32(m, NFTA_CT_DREG, NFT_REG_1);
	close_expression(m, x);
	mask(m, &state, sizeof state);
	compare(m, NFT_CMP_NEQ, &none, sizeof none);
}

static void put_verdict(struct nlmsg *m, int code, const char *chain)
{
	struct expression x = open_expression(m, "immediate");
	size_t data, verdict;

	nlmsg_put_u32(m, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = nlmsg_nest(m, NFTA_IMMEDIATE_DATA);
	verdict = nlmsg_nest(m, NFTA_DATA_VERDICT);
	nlmsg_put_u32(m, NFTA_VERDICT_CODE, (uint32_t)code);
	if (chain != NULL)
		nlmsg_put_text(m, NFTA_VERDICT_CHAIN, chain);
	nlmsg_end(m, verdict);
	nlmsg_end(m, data);
	close_expression(m, x);
}

static void put_redirect(struct nlmsg *m, uint16_t port)
{
	struct expression x = open_expression(m, "immediate");
	uint16_t big = htons(port);

	nlmsg_put_u32(m, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	put_value(m, NFTA_IMMEDIATE_DATA, &big, sizeof big);
	close_expression(m, x);
	x = open_expression(m, "redir");
	nlmsg_put_u32(m, NFTA_REDIR_REG_PROTO_MIN, NFT_REG_1);
	nlmsg_put_u32(m, NFTA_REDIR_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
	close_expression(m, x);
}

static void put_reject(struct nlmsg *m, uint8_t family)
{
	struct expression x = open_expression(m, "reject");
	uint8_t code = family == 4 ? ICMP_PORT_UNREACHABLE : ICMPV6_PORT_UNREACHABLE;

	nlmsg_put_u32(m, NFTA_REJECT_TYPE, NFT_REJECT_ICMP_UNREACH);
	nlmsg_put(m, NFTA_REJECT_ICMP_CODE, &code, sizeof code);
	close_expression(m, x);
}

/* ---- Sets ------------------------------------------------------------------------------- */

struct set {
	char name[16];
	uint8_t family;
	uint32_t flags, key_type, key_size;
	size_t list, elements; /* nests of the message under way */
};

/* Anonymous: bound to the one rule that looks it up, and gone with it. */
static void begin_set(struct nftbatch *b, const struct set *s, uint32_t id,
		      const struct chain *chain, const struct rule *rule)
{
	begin(b, NFT_MSG_NEWSET, NLM_F_CREATE, s->family, chain, rule);
	nlmsg_put_text(&b->out, NFTA_SET_TABLE, RULESET_TABLE);
	nlmsg_put_text(&b->out, NFTA_SET_NAME, s->name);
	nlmsg_put_u32(&b->out, NFTA_SET_FLAGS, NFT_SET_ANONYMOUS | NFT_SET_CONSTANT | s->flags);
	nlmsg_put_u32(&b->out, NFTA_SET_KEY_TYPE, s->key_type);
	nlmsg_put_u32(&b->out, NFTA_SET_KEY_LEN, s->key_size);
	nlmsg_put_u32(&b->out, NFTA_SET_ID, id);
}

static void begin_elements(struct nftbatch *b, struct set *s, const struct chain *chain,
			   const struct rule *rule)
{
	begin(b, NFT_MSG_NEWSETELEM, NLM_F_CREATE, s->family, chain, rule);
	nlmsg_put_text(&b->out, NFTA_SET_ELEM_LIST_TABLE, RULESET_TABLE);
	nlmsg_put_text(&b->out, NFTA_SET_ELEM_LIST_SET, s->name);
	s->elements = nlmsg_nest(&b->out, NFTA_SET_ELEM_LIST_ELEMENTS);
}

static void put_element(struct nftbatch *b, struct set *s, const void *key, bool is_end,
			const struct chain *chain, const struct rule *rule)
{
	size_t element;

	if (b->out.bytes.len - s->elements > LIST_BYTES_MAX) {
		nlmsg_end(&b->out, s->elements);
		begin_elements(b, s, chain, rule);
	}
	element = nlmsg_nest(&b->out, NFTA_LIST_ELEM);
	if (is_end)
		nlmsg_put_u32(&b->out, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
	put_value(&b->out, NFTA_SET_ELEM_KEY, key, s->key_size);
	nlmsg_end(&b->out, element);
}

/* From its first key to one before `past`; NULL: to the last there is. */
static void put_interval(struct nftbatch *b, struct set *s, const void *first, const void *past,
			 const struct chain *chain, const struct rule *rule)
{
	put_element(b, s, first, false, chain, rule);
	if (past != NULL)
		put_element(b, s, past, true, chain, rule);
}

static void put_range_set(struct nftbatch *b, struct set *s, const struct chain *chain,
			  const struct rule *rule)
{
	static const uint8_t zeros[16];
	struct ranges_cidrs rest = rule->to;
	struct ranges_span run;
	bool is_first = true;

	while (ranges_next(&rest, &run)) {
		/* What lies before the first interval is no match. */
		if (is_first && memcmp(run.first, zeros, s->key_size) != 0)
			put_element(b, s, zeros, true, chain, rule);
		is_first = false;
		put_interval(b, s, run.first,
			     ranges_successor(run.last, s->key_size) ? run.last : NULL, chain,
			     rule);
	}
}

static void put_port_set(struct nftbatch *b, struct set *s, const struct chain *chain,
			 const struct rule *rule)
{
	const struct ranges_ports *ports = &rule->ports;
	uint8_t key[2] = {0, 0}, past[2];

	if (s->flags != 0)
		put_element(b, s, key, true, chain, rule);
	for (size_t i = 0; i < ports->count; i++) {
		endian_put_be16(key, ports->items[i].first);
		endian_put_be16(past, ports->items[i].last);
		if (s->flags == 0)
			put_element(b, s, key, false, chain, rule);
		else
			put_interval(b, s, key, ranges_successor(past, 2) ? past : NULL, chain,
				     rule);
	}
}

static bool has_runs(const struct ranges_ports *ports)
{
	for (size_t i = 0; i < ports->count; i++)
		if (ports->items[i].first != ports->items[i].last)
			return true;
	return false;
}

/* The set of a rule that has a list of ranges or of ports; no rule of ours has both. */
static void put_set(struct nftbatch *b, struct set *s, uint32_t id, const struct chain *chain,
		    const struct rule *rule)
{
	begin_set(b, s, id, chain, rule);
	begin_elements(b, s, chain, rule);
	if (rule->to.count > 0)
		put_range_set(b, s, chain, rule);
	else
		put_port_set(b, s, chain, rule);
	nlmsg_end(&b->out, s->elements);
}

/* ---- Rules ------------------------------------------------------------------------------ */

static void compare_range(struct nlmsg *m, const void *first, const void *last, size_t size)
{
	struct expression x = open_expression(m, "range");

	nlmsg_put_u32(m, NFTA_RANGE_SREG, NFT_REG_1);
	nlmsg_put_u32(m, NFTA_RANGE_OP, NFT_RANGE_EQ);
	put_value(m, NFTA_RANGE_FROM_DATA, first, size);
	put_value(m, NFTA_RANGE_TO_DATA, last, size);
	close_expression(m, x);
}

static void put_ports(struct nlmsg *m, const struct rule *rule, const struct set *set)
{
	const struct portrange *p = rule->ports.items;
	uint16_t first, last;

	if (rule->ports.count == 0)
		return;
	load_payload(m, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
	first = htons(p->first);
	last = htons(p->last);
	if (rule->ports.count > 1)
		look_up(m, set->name);
	else if (first == last)
		compare(m, NFT_CMP_EQ, &first, sizeof first);
	else
		compare_range(m, &first, &last, sizeof first);
}

static void compare_cidr(struct nlmsg *m, const struct cidr *c, uint32_t op, uint32_t size)
{
	uint8_t bits[16] = {0};

	for (unsigned bit = 0; bit < c->length; bit++)
		bits[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	if (c->length < size * 8)
		mask(m, bits, size);
	compare(m, op, c->network.bytes, size);
}

static void put_destination(struct nlmsg *m, const struct rule *rule, uint8_t family,
			    const struct set *set)
{
	uint32_t size = family == 4 ? 4 : 16;
	struct ranges_cidrs rest = rule->to;
	struct ranges_span run;

	if (rule->to.count == 0)
		return;
	load_payload(m, NFT_PAYLOAD_NETWORK_HEADER, family == 4 ? 16 : 24, size);
	if (rule->to.count == 1) {
		compare_cidr(m, rule->to.items, rule->not_to ? NFT_CMP_NEQ : NFT_CMP_EQ, size);
		return;
	}
	ranges_next(&rest, &run);
	if (rest.count == 0)
		compare_range(m, run.first, run.last, size);
	else
		look_up(m, set->name);
}

static void put_conditions(struct nlmsg *m, const struct rule *rule, uint8_t family,
			   const struct set *set)
{
	put_interface(m, NFT_META_IIFNAME, rule->in);
	put_interface(m, NFT_META_OIFNAME, rule->out);
	if (rule->protocol != 0) {
		load_meta(m, NFT_META_L4PROTO);
		compare(m, NFT_CMP_EQ, &rule->protocol, sizeof rule->protocol);
	}
	put_ports(m, rule, set);
	put_destination(m, rule, family, set);
	if (rule->has_uid)
		put_owner(m, NFT_META_SKUID, rule->uid);
	if (rule->has_gid)
		put_owner(m, NFT_META_SKGID, rule->gid);
	if (rule->ct_state != 0)
		put_ct_state(m, rule->ct_state);
}

static void put_action(struct nlmsg *m, const struct rule *rule, uint8_t family)
{
	struct expression counter = open_expression(m, "counter");

	close_expression(m, counter);
	switch (rule->verdict) {
	case RULESET_RETURN:
		put_verdict(m, NFT_RETURN, NULL);
		break;
	case RULESET_JUMP:
		put_verdict(m, NFT_JUMP, rule->target->name);
		break;
	case RULESET_REDIRECT:
		put_redirect(m, rule->port);
		break;
	case RULESET_REJECT:
		put_reject(m, family);
		break;
	case RULESET_DROP:
		put_verdict(m, NF_DROP, NULL);
		break;
	}
}

/* nft's own form of a comment: type 0, length with NUL, text. Nothing else: see the header. */
static void put_comment(struct nlmsg *m, const char *comment)
{
	char data[2 + RULESET_COMMENT_MAX + 1] = {0};
	size_t length = strnlen(comment, RULESET_COMMENT_MAX);

	data[1] = (char)(length + 1);
	memcpy(data + 2, comment, length);
	nlmsg_put(m, NFTA_RULE_USERDATA, data, 2 + length + 1);
}

static void put_rule(struct nftbatch *b, const struct ruleset *r, const struct chain *c,
		     const struct rule *rule, uint32_t *set_id)
{
	bool is_ranges = ranges_count(rule->to) > 1;
	struct set set = {
		.family = r->family,
		.flags = is_ranges || has_runs(&rule->ports) ? NFT_SET_INTERVAL : 0,
		.key_type = !is_ranges	     ? TYPE_PORT
			    : r->family == 4 ? TYPE_IPV4
					     : TYPE_IPV6,
		.key_size = !is_ranges	     ? 2
			    : r->family == 4 ? 4
					     : 16,
	};
	struct buf name;
	size_t nest;

	BUF_INIT_ARRAY(&name, set.name);
	if (is_ranges || rule->ports.count > 1) {
		buf_printf(&name, "__set%u", (unsigned)*set_id);
		put_set(b, &set, ++*set_id, c, rule);
	}
	begin(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, r->family, c, rule);
	nlmsg_put_text(&b->out, NFTA_RULE_TABLE, RULESET_TABLE);
	nlmsg_put_text(&b->out, NFTA_RULE_CHAIN, ruleset_base_name(c));
	nest = nlmsg_nest(&b->out, NFTA_RULE_EXPRESSIONS);
	put_conditions(&b->out, rule, r->family, &set);
	put_action(&b->out, rule, r->family);
	nlmsg_end(&b->out, nest);
	put_comment(&b->out, rule->comment);
}

static void put_chain(struct nftbatch *b, const struct ruleset *r, const struct chain *c)
{
	size_t nest;

	begin(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, r->family, c, NULL);
	nlmsg_put_text(&b->out, NFTA_CHAIN_TABLE, RULESET_TABLE);
	nlmsg_put_text(&b->out, NFTA_CHAIN_NAME, ruleset_base_name(c));
	if (c->hook == RULESET_NO_HOOK)
		return;
	nest = nlmsg_nest(&b->out, NFTA_CHAIN_HOOK);
	nlmsg_put_u32(&b->out, NFTA_HOOK_HOOKNUM,
		      c->hook == RULESET_OUTPUT ? NF_INET_LOCAL_OUT : NF_INET_PRE_ROUTING);
	nlmsg_put_u32(&b->out, NFTA_HOOK_PRIORITY, (uint32_t)ruleset_priority(c));
	nlmsg_end(&b->out, nest);
	nlmsg_put_u32(&b->out, NFTA_CHAIN_POLICY, NF_ACCEPT);
	nlmsg_put_text(&b->out, NFTA_CHAIN_TYPE, c->table == RULESET_NAT ? "nat" : "filter");
}

void nftbatch_put_table(struct nftbatch *b, const struct ruleset *r)
{
	uint32_t set_id = 0;

	begin(b, NFT_MSG_NEWTABLE, NLM_F_CREATE, r->family, NULL, NULL);
	nlmsg_put_text(&b->out, NFTA_TABLE_NAME, RULESET_TABLE);
	nlmsg_put_u32(&b->out, NFTA_TABLE_FLAGS, 0);
	for (size_t i = 0; i < r->chain_count; i++)
		put_chain(b, r, &r->chains[i]);
	for (size_t i = 0; i < r->chain_count; i++)
		for (size_t j = 0; j < r->chains[i].rule_count; j++)
			put_rule(b, r, &r->chains[i], &r->chains[i].rules[j], &set_id);
}

/* ---- Comparing -------------------------------------------------------------------------- */

static bool is_covered(struct span ours, struct span theirs);

static bool is_same(const struct nlmsg_attr *ours, const struct nlmsg_attr *theirs)
{
	return ours->type == theirs->type &&
	       (ours->is_nested ? is_covered(ours->value, theirs->value)
				: span_eq(ours->value, theirs->value));
}

/* Expressions, of which there are as many and in that order. */
static bool is_same_list(struct span ours, struct span theirs)
{
	struct nlmsg_attr a, b;

	while (nlmsg_next_attr(&ours, &a))
		if (!nlmsg_next_attr(&theirs, &b) || !is_same(&a, &b))
			return false;
	return !nlmsg_next_attr(&theirs, &b);
}

/*
 * Each attribute of ours is among theirs. Types of a nest are different, but for the expressions of
 * a rule. As deep as what we wrote, which is not deep.
 */
static bool is_covered(struct span ours, struct span theirs)
{
	struct nlmsg_attr a, b;

	while (nlmsg_next_attr(&ours, &a)) {
		struct span rest = theirs;
		bool found = false;

		while (!found && nlmsg_next_attr(&rest, &b))
			found = is_same(&a, &b);
		if (!found)
			return false;
	}
	return true;
}

static bool is_same_message(struct span ours, struct span theirs, int type)
{
	struct span a = nlmsg_find_attr(ours, NFTA_RULE_EXPRESSIONS);
	struct span b = nlmsg_find_attr(theirs, NFTA_RULE_EXPRESSIONS);

	return is_covered(ours, theirs) && (type != NFT_MSG_NEWRULE || is_same_list(a, b));
}

/* The kernel dumps the chains of all tables, whatever it was asked. */
static bool is_of_our_table(struct span attrs)
{
	/* NFTA_RULE_TABLE and NFTA_CHAIN_TABLE are one. */
	return span_eq(nlmsg_find_attr(attrs, NFTA_RULE_TABLE),
		       span_of(RULESET_TABLE, sizeof RULESET_TABLE));
}

static bool next_of_type(struct span *rest, int type, struct span *attrs)
{
	struct nlmsg_header h;
	uint8_t family;

	while (nlmsg_next(rest, &h)) {
		*attrs = nlmsg_attrs(&h, &family);
		if (h.type == (NFNL_SUBSYS_NFTABLES << 8 | type) && is_of_our_table(*attrs))
			return true;
	}
	return false;
}

bool nftbatch_is_dumped(struct span ours, struct span dump, int type)
{
	struct span a, b;

	while (next_of_type(&ours, type, &a))
		if (!next_of_type(&dump, type, &b) || !is_same_message(a, b, type))
			return false;
	return !next_of_type(&dump, type, &b);
}
