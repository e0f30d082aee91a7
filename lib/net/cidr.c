#include "net/cidr.h"

#include <string.h>

#include "base/num.h"

static bool refuse(struct error *e, struct span text, const char *problem)
{
	return error_quote(e, text, " is no range of addresses: %s", problem);
}

/* Clears the bits behind the prefix; true when one was set. */
static bool clear_host_bits(uint8_t *bytes, size_t count, unsigned length)
{
	bool was_set = false;

	for (size_t i = length / 8; i < count; i++) {
		uint8_t keep = (uint8_t)(i == length / 8 ? 0xff00 >> length % 8 : 0);

		was_set = was_set || (bytes[i] & ~keep) != 0;
		bytes[i] &= keep;
	}
	return was_set;
}

static bool is_mapped(const struct addr *a)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return a->family == 6 && memcmp(a->bytes, prefix, sizeof prefix) == 0;
}

static const char *address_problem(struct span address, struct addr *parsed)
{
	if (address.len == 0)
		return "expected ADDRESS/LENGTH, such as 10.4.0.0/14";
	if (span_find(address, '%') != SIZE_MAX)
		return "zone ids have no meaning in a range";
	if (address.ptr[0] == '[' || !addr_parse_ip(address, parsed))
		return "expected an IPv4 or IPv6 address, without leading zeroes, before the /";
	if (is_mapped(parsed))
		return "write IPv4 addresses as such, not inside IPv6";
	return NULL;
}

bool cidr_parse(struct span text, struct cidr *out, bool *had_host_bits, struct error *e)
{
	size_t slash = span_find(text, '/');
	struct span address = span_first(text, slash);
	uint64_t max, length;
	const char *problem;
	struct addr a = {0};
	bool was_set;

	problem = address_problem(address, &a);
	if (problem != NULL)
		return refuse(e, text, problem);
	length = max = a.family == 4 ? 32 : 128;
	if (slash != SIZE_MAX && (text.len - slash - 1 > 3 ||
				  !num_parse_u64(span_from(text, slash + 1), 0, max, &length)))
		return refuse(e, text,
			      max == 32 ? "expected a length from 0 to 32 behind the /"
					: "expected a length from 0 to 128 behind the /");
	was_set = clear_host_bits(a.bytes, max / 8, (unsigned)length);
	if (had_host_bits != NULL)
		*had_host_bits = was_set;
	*out = (struct cidr){a, (uint8_t)length};
	return true;
}

void cidr_format(const struct cidr *c, struct buf *out)
{
	addr_format(&c->network, out);
	buf_add_byte(out, '/');
	buf_add_u64(out, c->length);
}

bool cidr_contains(const struct cidr *c, const struct addr *a)
{
	struct addr network = *a;

	network.port = 0;
	if (network.family != c->network.family)
		return false;
	clear_host_bits(network.bytes, network.family == 4 ? 4 : 16, c->length);
	return addr_eq(&network, &c->network);
}
