#include "redirect/ruleset.h"

#include <netinet/in.h>

#include "base/endian.h"
#include "base/hash.h"

/* xt_multiport's XT_MULTI_PORTS. */
#define PORT_SLOTS 15

struct builder {
	const struct settings *s;
	struct ruleset *r;
	struct arena *arena;
	size_t rules_max; /* of a chain */
	bool is_v6;
	bool ok; /* false: out of memory */
	struct rule spare;
};

static const struct ranges_ports no_ports;

static struct chain *new_chain(struct builder *b, const char *name, enum ruleset_table table,
			       enum ruleset_hook hook)
{
	struct chain *c = &b->r->chains[b->r->chain_count];

	c->name = name;
	c->table = table;
	c->hook = hook;
	c->number = b->r->chain_count++;
	c->rules = arena_get_array(b->arena, hook == RULESET_NO_HOOK ? b->rules_max : 4,
				   sizeof *c->rules);
	b->ok = b->ok && c->rules != NULL;
	return c;
}

/* A rule for every packet, to be narrowed down; one that is thrown away when memory is out. */
static struct rule *add(struct builder *b, struct chain *c, enum ruleset_verdict verdict,
			const char *comment)
{
	struct rule *rule = b->ok ? &c->rules[c->rule_count++] : &b->spare;

	rule->verdict = verdict;
	rule->comment = comment;
	return rule;
}

static void add_jump(struct builder *b, struct chain *c, const struct chain *target,
		     const char *comment)
{
	add(b, c, RULESET_JUMP, comment)->target = target;
}

/*
 * nf_tables keeps a list beside its rule, where a dump of the rules does not show it: the comment
 * carries a sum, by which two lists are told apart.
 */
static const char *list_comment(struct builder *b, const char *what, uint64_t hash)
{
	struct span kept = {0};
	char storage[RULESET_COMMENT_MAX];
	struct buf text;

	BUF_INIT_ARRAY(&text, storage);
	buf_printf(&text, "%s; list %08x", what, (unsigned)hash_finish(hash));
	b->ok = b->ok && arena_copy(b->arena, buf_span(&text), &kept);
	return kept.ptr;
}

static uint64_t hash_ranges(struct ranges_cidrs list)
{
	uint64_t hash = HASH_INIT;

	for (size_t i = 0; i < list.count; i++) {
		const struct addr *a = &list.items[i].network;

		hash = hash_byte(hash, (char)list.items[i].length);
		hash = hash_span(hash, span_of(a->bytes, sizeof a->bytes));
	}
	return hash;
}

static uint64_t hash_ports(struct ranges_ports list)
{
	uint64_t hash = HASH_INIT;

	for (size_t i = 0; i < list.count; i++) {
		char pair[4];

		endian_put_be16(pair, list.items[i].first);
		endian_put_be16(pair + 2, list.items[i].last);
		hash = hash_span(hash, span_of(pair, sizeof pair));
	}
	return hash;
}

/*
 * One rule for a list of ranges, none when the list is empty; a range of all is no condition. A
 * target makes it a jump.
 */
static void add_ranges(struct builder *b, struct chain *c, struct ranges_cidrs list,
		       const char *comment, enum ruleset_verdict verdict,
		       const struct chain *target)
{
	struct rule *rule;

	if (list.count == 0)
		return;
	if (list.count > 1)
		comment = list_comment(b, comment, hash_ranges(list));
	rule = add(b, c, verdict, comment);
	rule->target = target;
	if (list.items[0].length > 0)
		rule->to = list;
}

static void add_ports(struct builder *b, struct chain *c, struct ranges_ports list,
		      const char *comment, enum ruleset_verdict verdict, const struct chain *target)
{
	struct rule *rule;

	if (list.count == 0)
		return;
	if (list.count > 1)
		comment = list_comment(b, comment, hash_ports(list));
	rule = add(b, c, verdict, comment);
	rule->target = target;
	rule->protocol = IPPROTO_TCP;
	rule->ports = list;
}

static void add_owners(struct builder *b, struct chain *c)
{
	const struct settings *s = b->s;
	struct rule *rule;

	for (size_t i = 0; i < s->uids.count; i++) {
		rule = add(b, c, RULESET_RETURN, "the proxy itself goes out");
		rule->has_uid = true;
		rule->uid = s->uids.ids[i];
	}
	for (size_t i = 0; i < s->gids.count; i++) {
		rule = add(b, c, RULESET_RETURN, "a group of the proxy goes out");
		rule->has_gid = true;
		rule->gid = s->gids.ids[i];
	}
}

static void add_interfaces(struct builder *b, struct chain *c, bool inbound)
{
	for (size_t i = 0; i < b->s->interface_count; i++) {
		struct rule *rule = add(b, c, RULESET_RETURN, "excluded interface");

		*(inbound ? &rule->in : &rule->out) = b->s->interfaces[i];
	}
}

static void add_excluded_ranges(struct builder *b, struct chain *c)
{
	add_ranges(b, c, b->s->exclude[b->is_v6], "excluded range", RULESET_RETURN, NULL);
}

/* Range rules point to it, so it is kept with the settings. */
static struct ranges_cidrs loopback(struct builder *b)
{
	struct cidr *kept = arena_get(b->arena, sizeof *kept);

	b->ok = b->ok && kept != NULL;
	if (kept == NULL)
		return (struct ranges_cidrs){0};
	*kept = b->s->loopback[b->is_v6];
	return (struct ranges_cidrs){kept, 1};
}

static struct ranges_ports one_port(struct builder *b, uint16_t port)
{
	struct portrange *kept = arena_get(b->arena, sizeof *kept);

	b->ok = b->ok && kept != NULL;
	if (kept == NULL)
		return no_ports;
	*kept = (struct portrange){port, port};
	return (struct ranges_ports){kept, 1};
}

static void add_redirect(struct builder *b, struct chain *c, uint8_t protocol, uint16_t port,
			 const char *comment)
{
	struct rule *rule = add(b, c, RULESET_REDIRECT, comment);

	rule->protocol = protocol;
	rule->port = port;
}

static struct chain *redirect_chain(struct builder *b, const char *name, uint16_t port,
				    const char *comment)
{
	struct chain *c = new_chain(b, name, RULESET_NAT, RULESET_NO_HOOK);

	add_redirect(b, c, IPPROTO_TCP, port, comment);
	return c;
}

/* What goes to an address of the pod's own leaves by lo. In strict order loopback comes later. */
static void add_own_address(struct builder *b, struct chain *c, const struct chain *to_proxy)
{
	struct rule *rule = add(b, c, RULESET_JUMP, "own address of the pod");

	rule->target = to_proxy;
	rule->out = "lo";
	rule->not_to = b->s->strict;
	if (b->s->strict)
		rule->to = loopback(b);
}

/*
 * What leaves. The owner stands first, so that no connection of the proxy comes back to it,
 * whatever follows; prepare_proxy.sh had the pod's own address first, and a proxy that dials the
 * original destination ran in a circle.
 */
static struct chain *outbound(struct builder *b)
{
	const struct settings *s = b->s;
	struct chain *to_proxy = redirect_chain(b, RULESET_PREFIX "REDIRECT", s->proxy_port,
						"to the proxy");
	struct chain *c = new_chain(b, RULESET_PREFIX "OUTPUT", RULESET_NAT, RULESET_NO_HOOK);

	if (s->strict)
		add_own_address(b, c, to_proxy);
	add_owners(b, c);
	add_interfaces(b, c, false);
	add_ports(b, c, s->exclude_ports, "excluded port", RULESET_RETURN, NULL);
	add_excluded_ranges(b, c);
	add_ranges(b, c, loopback(b), "loopback", RULESET_RETURN, NULL);
	if (!s->strict)
		add_own_address(b, c, to_proxy);
	add_ports(b, c, s->include_ports, "included port", RULESET_JUMP, to_proxy);
	add_ranges(b, c, s->include[b->is_v6], "included range", RULESET_JUMP, to_proxy);
	if (s->include_all)
		add_jump(b, c, to_proxy, "everything else");
	return c;
}

static struct chain *inbound(struct builder *b)
{
	const struct settings *s = b->s;
	struct chain *to_proxy = redirect_chain(b, RULESET_PREFIX "IN_REDIRECT", s->inbound_port,
						"what comes in, to the proxy");
	struct chain *c = new_chain(b, RULESET_PREFIX "INBOUND", RULESET_NAT, RULESET_NO_HOOK);

	add_interfaces(b, c, true);
	add_ports(b, c, s->exclude_inbound_ports, "excluded port", RULESET_RETURN, NULL);
	add_ports(b, c, s->include_inbound_ports, "included port", RULESET_JUMP, to_proxy);
	if (s->include_inbound_ports.count == 0)
		add_jump(b, c, to_proxy, "everything else");
	return c;
}

/* The agent that answers may ask on by itself; whose questions are excluded stays excluded. */
static struct chain *dns(struct builder *b)
{
	struct chain *c = new_chain(b, RULESET_PREFIX "DNS", RULESET_NAT, RULESET_NO_HOOK);

	add_owners(b, c);
	add_interfaces(b, c, false);
	add_excluded_ranges(b, c);
	add_redirect(b, c, IPPROTO_UDP, b->s->dns_port, "DNS");
	add_redirect(b, c, IPPROTO_TCP, b->s->dns_port, "DNS");
	return c;
}

/* How the chains of filters begin: what is never refused. */
static struct chain *filter_chain(struct builder *b, const char *name)
{
	struct chain *c = new_chain(b, name, RULESET_FILTER, RULESET_NO_HOOK);

	add_owners(b, c);
	add(b, c, RULESET_RETURN, "inside the pod")->out = "lo";
	add_interfaces(b, c, false);
	add_excluded_ranges(b, c);
	return c;
}

/*
 * HTTP/3 to where TCP to port 443 would be redirected. Refused rather than dropped: the client gets
 * EPERM at once and falls back to TCP.
 */
static struct chain *quic(struct builder *b)
{
	const struct settings *s = b->s;
	struct chain *c = filter_chain(b, RULESET_PREFIX "QUIC");

	if (s->include_all || ranges_has_port(&s->include_ports, 443))
		add(b, c, RULESET_REJECT, "no HTTP/3 past the proxy");
	else
		add_ranges(b, c, s->include[b->is_v6], "no HTTP/3 past the proxy", RULESET_REJECT,
			   NULL);
	return c;
}

/* Answers to what came in go out, and ICMPv6, without which there is no neighbour. */
static struct chain *no_ipv6(struct builder *b)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct chain *c = filter_chain(b, RULESET_PREFIX "IPV6");

	for (size_t i = 0; i < sizeof protocols; i++) {
		struct rule *rule = add(b, c, RULESET_REJECT, "no IPv6 past the proxy");

		rule->protocol = protocols[i];
		rule->ct_state = RULESET_CT_NEW;
	}
	return c;
}

static struct chain *invalid(struct builder *b)
{
	struct chain *c = new_chain(b, RULESET_PREFIX "INVALID", RULESET_MANGLE, RULESET_NO_HOOK);

	add(b, c, RULESET_DROP, "the application would reset the connection")
		->ct_state = RULESET_CT_INVALID;
	return c;
}

/* A jump from a hook. UDP and TCP of a port are two rules: one rule has one protocol. */
static void hook(struct builder *b, struct chain *base, struct chain *target, uint8_t protocol,
		 uint16_t port)
{
	struct rule *rule = add(b, base, RULESET_JUMP, "egressbox");

	rule->target = target;
	rule->protocol = protocol;
	if (port > 0)
		rule->ports = one_port(b, port);
}

static void build_nat(struct builder *b)
{
	const struct settings *s = b->s;
	struct chain *out = outbound(b), *base;

	if (s->inbound) {
		struct chain *in = inbound(b);

		base = new_chain(b, "PREROUTING", RULESET_NAT, RULESET_PREROUTING);
		hook(b, base, in, IPPROTO_TCP, 0);
	}
	if (s->dns_port == 0) {
		base = new_chain(b, "OUTPUT", RULESET_NAT, RULESET_OUTPUT);
	} else {
		struct chain *to_agent = dns(b);

		base = new_chain(b, "OUTPUT", RULESET_NAT, RULESET_OUTPUT);
		hook(b, base, to_agent, IPPROTO_UDP, 53);
		hook(b, base, to_agent, IPPROTO_TCP, 53);
	}
	hook(b, base, out, IPPROTO_TCP, 0);
}

static void build_filter(struct builder *b)
{
	const struct settings *s = b->s;
	struct chain *target, *base;

	if (b->is_v6 && s->ipv6 == SETTINGS_IPV6_DROP) {
		target = no_ipv6(b);
		base = new_chain(b, "OUTPUT", RULESET_FILTER, RULESET_OUTPUT);
		hook(b, base, target, 0, 0);
	} else if (s->block_quic && !ranges_has_port(&s->exclude_ports, 443)) {
		target = quic(b);
		base = new_chain(b, "OUTPUT", RULESET_FILTER, RULESET_OUTPUT);
		hook(b, base, target, IPPROTO_UDP, 443);
	}
}

bool ruleset_build(const struct settings *s, uint8_t family, struct arena *arena,
		   struct ruleset *out, struct error *e)
{
	struct builder b = {.s = s, .r = out, .arena = arena, .is_v6 = family == 6, .ok = true};

	*out = (struct ruleset){.family = family};
	if (b.is_v6 && s->ipv6 == SETTINGS_IPV6_OFF) {
		out->family = 0;
		return true;
	}
	/* Owners, interfaces, and the eight rules at most that a chain has besides. */
	b.rules_max = s->uids.count + s->gids.count + s->interface_count + 8;
	if (!b.is_v6 || s->ipv6 != SETTINGS_IPV6_DROP)
		build_nat(&b);
	build_filter(&b);
	if (s->drop_invalid) {
		struct chain *target = invalid(&b);
		struct chain *base = new_chain(&b, "PREROUTING", RULESET_MANGLE,
					       RULESET_PREROUTING);

		hook(&b, base, target, 0, 0);
	}
	return b.ok || error_set(e, "out of memory");
}

bool ruleset_next_slice(const struct rule *rule, struct ruleset_slice *at, struct rule *out)
{
	const struct ranges_ports *ports = &rule->ports;
	size_t slots = 0, first = at->next_port;

	if (at->is_done)
		return false;
	*out = *rule;
	if (at->next_cidr > 0 || at->next_port > 0)
		out->comment = NULL;
	if (rule->to.count > 0)
		out->to = (struct ranges_cidrs){&rule->to.items[at->next_cidr++], 1};
	while (at->next_port < ports->count) {
		const struct portrange *p = &ports->items[at->next_port];

		slots += p->first == p->last ? 1 : 2;
		if (slots > PORT_SLOTS)
			break;
		at->next_port++;
	}
	out->ports = (struct ranges_ports){ports->count > 0 ? &ports->items[first] : NULL,
					   at->next_port - first};
	at->is_done = at->next_cidr >= rule->to.count && at->next_port >= ports->count;
	return true;
}

const char *ruleset_base_name(const struct chain *c)
{
	if (c->hook == RULESET_NO_HOOK || c->table == RULESET_NAT)
		return c->name;
	return c->table == RULESET_FILTER ? "FILTER_OUTPUT" : "MANGLE_PREROUTING";
}

int ruleset_priority(const struct chain *c)
{
	static const int priorities[RULESET_TABLES] = {-101, 0, -150};

	return priorities[c->table];
}

size_t ruleset_rule_count(const struct ruleset *r)
{
	size_t count = 0;

	for (size_t i = 0; i < r->chain_count; i++)
		count += r->chains[i].rule_count;
	return count;
}
