#include "redirect/xtrule.h"

#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_owner.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv4/ipt_REJECT.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <linux/netfilter_ipv6/ip6t_REJECT.h>

/* XT_ALIGN of the kernel: that of its 64-bit counters. */
#define ALIGNMENT 8u

struct xtrule_head xtrule_head_of(uint8_t family)
{
	if (family == 4)
		return (struct xtrule_head){
			sizeof(struct ipt_entry), offsetof(struct ipt_entry, target_offset),
			offsetof(struct ipt_entry, next_offset),
			offsetof(struct ipt_entry, comefrom), offsetof(struct ipt_entry, counters)};
	return (struct xtrule_head){
		sizeof(struct ip6t_entry), offsetof(struct ip6t_entry, target_offset),
		offsetof(struct ip6t_entry, next_offset), offsetof(struct ip6t_entry, comefrom),
		offsetof(struct ip6t_entry, counters)};
}

static size_t aligned(size_t size)
{
	return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void put_padded(struct buf *out, const void *bytes, size_t size)
{
	static const char zeros[ALIGNMENT];

	buf_add(out, span_of(bytes, size));
	buf_add(out, span_of(zeros, aligned(size) - size));
}

/* A match or a target: both have the same header. */
static void put_extension(struct buf *out, const char *name, uint8_t revision, const void *data,
			  size_t size)
{
	struct xt_entry_match head = {0};

	head.u.user.match_size = (uint16_t)aligned(sizeof head + size);
	head.u.user.revision = revision;
	memcpy(head.u.user.name, name, strlen(name));
	buf_add(out, span_of(&head, sizeof head));
	put_padded(out, data, size);
}

static void put_standard(struct buf *out, int32_t verdict)
{
	put_extension(out, XT_STANDARD_TARGET, 0, &verdict, sizeof verdict);
}

/* ---- The head --------------------------------------------------------------------------- */

/* Compared with its NUL, so that no longer name matches. */
static void set_interface(char name[static IFNAMSIZ], unsigned char mask[static IFNAMSIZ],
			  const char *wanted)
{
	size_t length = wanted != NULL ? strnlen(wanted, IFNAMSIZ - 1) : 0;

	if (wanted == NULL)
		return;
	memcpy(name, wanted, length);
	memset(mask, 0xff, length + 1);
}

static void set_prefix(void *mask, unsigned length)
{
	uint8_t *bits = mask;

	for (unsigned bit = 0; bit < length; bit++)
		bits[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

static void put_v4(struct buf *out, const struct rule *rule)
{
	struct ipt_entry e = {.target_offset = sizeof e, .next_offset = sizeof e};

	set_interface(e.ip.iniface, e.ip.iniface_mask, rule->in);
	set_interface(e.ip.outiface, e.ip.outiface_mask, rule->out);
	e.ip.proto = rule->protocol;
	if (rule->to.count > 0) {
		memcpy(&e.ip.dst, rule->to.items[0].network.bytes, sizeof e.ip.dst);
		set_prefix(&e.ip.dmsk, rule->to.items[0].length);
	}
	if (rule->not_to)
		e.ip.invflags = IPT_INV_DSTIP;
	buf_add(out, span_of(&e, sizeof e));
}

static void put_v6(struct buf *out, const struct rule *rule)
{
	struct ip6t_entry e = {.target_offset = sizeof e, .next_offset = sizeof e};

	set_interface(e.ipv6.iniface, e.ipv6.iniface_mask, rule->in);
	set_interface(e.ipv6.outiface, e.ipv6.outiface_mask, rule->out);
	e.ipv6.proto = rule->protocol;
	/* Without it the protocol is not looked at. */
	e.ipv6.flags = rule->protocol != 0 ? IP6T_F_PROTO : 0;
	if (rule->to.count > 0) {
		memcpy(&e.ipv6.dst, rule->to.items[0].network.bytes, sizeof e.ipv6.dst);
		set_prefix(&e.ipv6.dmsk, rule->to.items[0].length);
	}
	if (rule->not_to)
		e.ipv6.invflags = IP6T_INV_DSTIP;
	buf_add(out, span_of(&e, sizeof e));
}

/* ---- Matches ---------------------------------------------------------------------------- */

static void put_one_port(struct buf *out, const struct rule *rule)
{
	uint16_t first = rule->ports.items[0].first, last = rule->ports.items[0].last;
	struct xt_tcp tcp = {.spts = {0, 0xffff}, .dpts = {first, last}};
	struct xt_udp udp = {.spts = {0, 0xffff}, .dpts = {first, last}};

	if (rule->protocol == IPPROTO_TCP)
		put_extension(out, "tcp", 0, &tcp, sizeof tcp);
	else
		put_extension(out, "udp", 0, &udp, sizeof udp);
}

static void put_multiport(struct buf *out, const struct rule *rule)
{
	struct xt_multiport_v1 m = {.flags = XT_MULTIPORT_DESTINATION};

	for (size_t i = 0; i < rule->ports.count; i++) {
		const struct portrange *p = &rule->ports.items[i];

		m.ports[m.count] = p->first;
		m.pflags[m.count++] = p->first != p->last;
		if (p->first != p->last)
			m.ports[m.count++] = p->last;
	}
	put_extension(out, "multiport", 1, &m, sizeof m);
}

static void put_owner(struct buf *out, uint32_t uid, uint32_t gid, uint8_t which)
{
	struct xt_owner_match_info m = {
		.uid_min = uid, .uid_max = uid, .gid_min = gid, .gid_max = gid, .match = which};

	put_extension(out, "owner", 1, &m, sizeof m);
}

static void put_ct_state(struct buf *out, uint32_t state)
{
	struct xt_conntrack_mtinfo3 m = {.match_flags = XT_CONNTRACK_STATE,
					 .state_mask = (uint16_t)state};

	put_extension(out, "conntrack", 3, &m, sizeof m);
}

static void put_comment(struct buf *out, const char *comment)
{
	struct xt_comment_info m = {{0}};

	memcpy(m.comment, comment, strnlen(comment, sizeof m.comment - 1));
	put_extension(out, "comment", 0, &m, sizeof m);
}

/* ---- Targets ---------------------------------------------------------------------------- */

static void put_redirect(struct buf *out, uint16_t port, uint8_t family)
{
	struct nf_nat_ipv4_multi_range_compat v4 = {.rangesize = 1};
	struct nf_nat_range v6 = {.flags = NF_NAT_RANGE_PROTO_SPECIFIED};

	v4.range[0].flags = NF_NAT_RANGE_PROTO_SPECIFIED;
	v4.range[0].min.all = v4.range[0].max.all = htons(port);
	v6.min_proto.all = v6.max_proto.all = htons(port);
	if (family == 4)
		put_extension(out, "REDIRECT", 0, &v4, sizeof v4);
	else
		put_extension(out, "REDIRECT", 0, &v6, sizeof v6);
}

static void put_reject(struct buf *out, uint8_t family)
{
	struct ipt_reject_info v4 = {IPT_ICMP_PORT_UNREACHABLE};
	struct ip6t_reject_info v6 = {IP6T_ICMP6_PORT_UNREACH};

	if (family == 4)
		put_extension(out, "REJECT", 0, &v4, sizeof v4);
	else
		put_extension(out, "REJECT", 0, &v6, sizeof v6);
}

static void put_target(struct buf *out, const struct rule *rule, uint8_t family)
{
	switch (rule->verdict) {
	case RULESET_RETURN:
		put_standard(out, XT_RETURN);
		break;
	case RULESET_JUMP:
		put_standard(out, (int32_t)rule->target->number);
		break;
	case RULESET_REDIRECT:
		put_redirect(out, rule->port, family);
		break;
	case RULESET_REJECT:
		put_reject(out, family);
		break;
	case RULESET_DROP:
		put_standard(out, -NF_DROP - 1);
		break;
	}
}

/* ---- Entries ---------------------------------------------------------------------------- */

static void set_u16(struct buf *out, size_t at, size_t value)
{
	uint16_t v = (uint16_t)value;

	if (!out->truncated)
		memcpy(out->ptr + at, &v, sizeof v);
}

static const struct rule anything;

static size_t begin_entry(struct buf *out, const struct rule *rule, uint8_t family)
{
	size_t at = out->len;

	if (family == 4)
		put_v4(out, rule);
	else
		put_v6(out, rule);
	return at;
}

static void begin_target(struct buf *out, size_t entry, uint8_t family)
{
	set_u16(out, entry + xtrule_head_of(family).target_offset, out->len - entry);
}

static void end_entry(struct buf *out, size_t entry, uint8_t family)
{
	set_u16(out, entry + xtrule_head_of(family).next_offset, out->len - entry);
}

void xtrule_put(struct buf *out, const struct rule *rule, uint8_t family, bool with_comment)
{
	size_t at = begin_entry(out, rule, family);

	if (rule->ports.count == 1)
		put_one_port(out, rule);
	else if (rule->ports.count > 1)
		put_multiport(out, rule);
	if (rule->has_uid)
		put_owner(out, rule->uid, 0, XT_OWNER_UID);
	if (rule->has_gid)
		put_owner(out, 0, rule->gid, XT_OWNER_GID);
	if (rule->ct_state != 0)
		put_ct_state(out, rule->ct_state);
	if (rule->comment != NULL && with_comment)
		put_comment(out, rule->comment);
	begin_target(out, at, family);
	put_target(out, rule, family);
	end_entry(out, at, family);
}

void xtrule_put_head(struct buf *out, const char *chain, uint8_t family)
{
	size_t at = begin_entry(out, &anything, family);
	char name[XT_FUNCTION_MAXNAMELEN] = {0};

	memcpy(name, chain, strnlen(chain, sizeof name - 1));
	begin_target(out, at, family);
	put_extension(out, XT_ERROR_TARGET, 0, name, sizeof name);
	end_entry(out, at, family);
}

void xtrule_put_return(struct buf *out, uint8_t family)
{
	size_t at = begin_entry(out, &anything, family);

	begin_target(out, at, family);
	put_standard(out, XT_RETURN);
	end_entry(out, at, family);
}

void xtrule_set_verdict(char *entry, uint8_t family, int32_t verdict)
{
	uint16_t target;

	memcpy(&target, entry + xtrule_head_of(family).target_offset, sizeof target);
	memcpy(entry + target + offsetof(struct xt_standard_target, verdict), &verdict,
	       sizeof verdict);
}

size_t xtrule_extensions(const struct rule *rule, bool with_comment,
			 struct xtrule_extension out[static XTRULE_EXTENSIONS_MAX])
{
	size_t count = 0;

	if (rule->ports.count == 1)
		out[count++] = (struct xtrule_extension){
			rule->protocol == IPPROTO_TCP ? "tcp" : "udp", 0, false};
	if (rule->ports.count > 1)
		out[count++] = (struct xtrule_extension){"multiport", 1, false};
	if (rule->has_uid || rule->has_gid)
		out[count++] = (struct xtrule_extension){"owner", 1, false};
	if (rule->ct_state != 0)
		out[count++] = (struct xtrule_extension){"conntrack", 3, false};
	if (rule->comment != NULL && with_comment)
		out[count++] = (struct xtrule_extension){"comment", 0, false};
	if (rule->verdict == RULESET_REDIRECT)
		out[count++] = (struct xtrule_extension){"REDIRECT", 0, true};
	if (rule->verdict == RULESET_REJECT)
		out[count++] = (struct xtrule_extension){"REJECT", 0, true};
	return count;
}
