#include "tls/certname.h"

#include "tls/der.h"

/* Kinds of GeneralName with elements inside: otherName [0], x400Address, directoryName [4], [5]. */
#define CONSTRUCTED (1u << 0 | 1u << 3 | 1u << 4 | 1u << 5)

/* otherName: type-id OID, value [0] EXPLICIT ANY */
static bool is_other_name(struct span content)
{
	struct span type, value;

	return der_take(&content, DER_OID, &type) && der_take(&content, DER_CONTEXT + 0, &value) &&
	       content.len == 0 && der_take_any(&value) && value.len == 0;
}

bool certname_take(struct span *names, unsigned *tag, struct span *content)
{
	unsigned kind;

	*tag = names->len > 0 ? (unsigned char)names->ptr[0] : 0;
	kind = *tag & 0x1f;
	/* GeneralName ::= CHOICE of [0] to [8] */
	if (kind > 8 || *tag - kind != ((CONSTRUCTED >> kind & 1) != 0 ? 0xa0 : 0x80) ||
	    !der_take(names, *tag, content))
		return false;
	if (kind == 0)
		return is_other_name(*content);
	return *tag != DER_IP_ADDRESS || content->len == 4 || content->len == 16;
}

bool certname_is_addr(struct span bytes, const struct addr *addr)
{
	return span_eq(bytes, span_of(addr->bytes, addr->family == 4 ? 4 : 16));
}

static bool is_dns_match(struct span pattern, struct span name)
{
	size_t dot;

	if (span_eq_nocase(pattern, name))
		return true;
	dot = span_find(name, '.');
	return dot != SIZE_MAX && span_starts_with(pattern, SPAN("*.")) &&
	       span_eq_nocase(span_from(pattern, 1), span_from(name, dot));
}

static bool is_match(unsigned tag, struct span content, struct span wanted)
{
	struct addr addr;

	if (addr_parse_ip(wanted, &addr))
		return tag == DER_IP_ADDRESS && certname_is_addr(content, &addr);
	return tag == DER_DNS_NAME && is_dns_match(content, wanted);
}

static bool wants_dns(struct span wanted)
{
	struct span one;
	struct addr addr;

	while (span_split(&wanted, ',', &one))
		if (!addr_parse_ip(one, &addr))
			return true;
	return false;
}

enum certname_result certname_match(struct span names, struct span wanted)
{
	enum certname_result result = wants_dns(wanted) ? CERTNAME_NONE : CERTNAME_NO_MATCH;
	struct span content, rest, one;
	bool matches = false;
	unsigned tag;

	while (names.len > 0) {
		if (!certname_take(&names, &tag, &content))
			return CERTNAME_MALFORMED;
		if (tag == DER_DNS_NAME)
			result = CERTNAME_NO_MATCH;
		rest = wanted;
		while (span_split(&rest, ',', &one))
			matches |= is_match(tag, content, one);
	}
	return matches ? CERTNAME_MATCH : result;
}
