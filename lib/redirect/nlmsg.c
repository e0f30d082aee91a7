#include "redirect/nlmsg.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

static void put_bytes(struct nlmsg *m, const void *bytes, size_t size)
{
	static const char zeros[NLMSG_ALIGNTO];

	buf_add(&m->bytes, span_of(bytes, size));
	if (size % NLMSG_ALIGNTO != 0)
		buf_add(&m->bytes, span_of(zeros, NLMSG_ALIGNTO - size % NLMSG_ALIGNTO));
}

/* The message's length grows with what is put. */
static void set_length(struct nlmsg *m)
{
	uint32_t length = (uint32_t)(m->bytes.len - m->start);

	if (!m->bytes.truncated)
		memcpy(m->bytes.ptr + m->start, &length, sizeof length);
}

void nlmsg_begin(struct nlmsg *m, uint16_t type, uint16_t flags, uint8_t family, uint16_t res_id)
{
	struct {
		struct nlmsghdr header;
		struct nfgenmsg generic;
	} head = {
		.header = {.nlmsg_type = type,
			   .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
			   .nlmsg_seq = ++m->seq},
		.generic = {.nfgen_family = family,
			    .version = NFNETLINK_V0,
			    .res_id = htons(res_id)},
	};

	m->start = m->bytes.len;
	put_bytes(m, &head, sizeof head);
	set_length(m);
}

void nlmsg_put(struct nlmsg *m, uint16_t type, const void *value, size_t size)
{
	struct nlattr attr = {(uint16_t)(sizeof attr + size), type};

	put_bytes(m, &attr, sizeof attr);
	put_bytes(m, value, size);
	set_length(m);
}

void nlmsg_put_text(struct nlmsg *m, uint16_t type, const char *text)
{
	nlmsg_put(m, type, text, strlen(text) + 1);
}

void nlmsg_put_u32(struct nlmsg *m, uint16_t type, uint32_t value)
{
	uint32_t big = htonl(value);

	nlmsg_put(m, type, &big, sizeof big);
}

size_t nlmsg_nest(struct nlmsg *m, uint16_t type)
{
	size_t at = m->bytes.len;

	nlmsg_put(m, type | NLA_F_NESTED, NULL, 0);
	return at;
}

void nlmsg_end(struct nlmsg *m, size_t nest)
{
	uint16_t length = (uint16_t)(m->bytes.len - nest);

	if (!m->bytes.truncated)
		memcpy(m->bytes.ptr + nest, &length, sizeof length);
}

bool nlmsg_next(struct span *rest, struct nlmsg_header *out)
{
	struct nlmsghdr h;

	if (rest->len < sizeof h)
		return false;
	memcpy(&h, rest->ptr, sizeof h);
	if (h.nlmsg_len < sizeof h || h.nlmsg_len > rest->len)
		return false;
	*out = (struct nlmsg_header){h.nlmsg_type, h.nlmsg_flags, h.nlmsg_seq,
				     span_of(rest->ptr + sizeof h, h.nlmsg_len - sizeof h)};
	*rest = span_from(*rest, NLMSG_ALIGN(h.nlmsg_len));
	return true;
}

bool nlmsg_next_attr(struct span *rest, struct nlmsg_attr *out)
{
	struct nlattr a;

	if (rest->len < sizeof a)
		return false;
	memcpy(&a, rest->ptr, sizeof a);
	if (a.nla_len < sizeof a || a.nla_len > rest->len)
		return false;
	out->type = a.nla_type & NLA_TYPE_MASK;
	out->is_nested = (a.nla_type & NLA_F_NESTED) != 0;
	out->value = span_of(rest->ptr + sizeof a, a.nla_len - sizeof a);
	*rest = span_from(*rest, NLMSG_ALIGN(a.nla_len));
	return true;
}

struct span nlmsg_find_attr(struct span attrs, uint16_t type)
{
	struct nlmsg_attr a;

	while (nlmsg_next_attr(&attrs, &a))
		if (a.type == type)
			return a.value;
	return (struct span){0};
}

struct span nlmsg_attrs(const struct nlmsg_header *h, uint8_t *family)
{
	if (h->payload.len < sizeof(struct nfgenmsg)) {
		*family = 0;
		return (struct span){0};
	}
	*family = (uint8_t)h->payload.ptr[0];
	return span_from(h->payload, sizeof(struct nfgenmsg));
}
