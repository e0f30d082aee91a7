#include "net/addr.h"

#include <netinet/in.h>

#include "base/ascii.h"
#include "base/endian.h"
#include "base/num.h"

/*
 * IPv4address = dec-octet 3("." dec-octet), RFC 3986 section 3.2.2. No leading zeroes: some read
 * the octet as octal then, and two readers of one address are a hole.
 */
static bool parse_ipv4(struct span text, uint8_t out[static 4])
{
	struct span part;
	uint64_t value;

	for (int i = 0; i < 4; i++) {
		if (!span_split(&text, '.', &part) || part.len > 3 ||
		    (part.len > 1 && part.ptr[0] == '0') || !num_parse_u64(part, 0, 255, &value))
			return false;
		out[i] = (uint8_t)value;
	}
	return text.ptr == NULL;
}

/* h16 = 1*4HEXDIG */
static bool parse_h16(struct span text, uint16_t *out)
{
	unsigned value = 0;

	if (text.len < 1 || text.len > 4)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		int digit = ascii_hex_value(text.ptr[i]);

		if (digit < 0)
			return false;
		value = value << 4 | (unsigned)digit;
	}
	*out = (uint16_t)value;
	return true;
}

/* [ h16 *( ":" h16 ) ], where an IPv4address may stand for the last two when `ipv4_ends`. */
static bool parse_groups(struct span text, bool ipv4_ends, uint8_t out[static 16], size_t *len)
{
	struct span part;
	uint16_t group;

	*len = 0;
	if (text.len == 0)
		return true;
	while (span_split(&text, ':', &part)) {
		if (text.ptr == NULL && ipv4_ends && *len <= 12 && parse_ipv4(part, out + *len)) {
			*len += 4;
			return true;
		}
		if (*len > 14 || !parse_h16(part, &group))
			return false;
		endian_put_be16(out + *len, group);
		*len += 2;
	}
	return true;
}

/* Position of "::", or SIZE_MAX. */
static size_t find_gap(struct span text)
{
	for (size_t i = 1; i < text.len; i++)
		if (text.ptr[i - 1] == ':' && text.ptr[i] == ':')
			return i - 1;
	return SIZE_MAX;
}

/* RFC 4291 section 2.2: eight groups, or fewer on both sides of one "::" that stands for zeroes. */
static bool parse_ipv6(struct span text, uint8_t out[static 16])
{
	size_t gap = find_gap(text), head_len, tail_len;
	uint8_t tail[16];

	memset(out, 0, 16);
	if (gap == SIZE_MAX)
		return parse_groups(text, true, out, &head_len) && head_len == 16;
	if (!parse_groups(span_first(text, gap), false, out, &head_len) ||
	    !parse_groups(span_from(text, gap + 2), true, tail, &tail_len) ||
	    head_len + tail_len > 14)
		return false;
	memcpy(out + 16 - tail_len, tail, tail_len);
	return true;
}

bool addr_parse_ip(struct span text, struct addr *out)
{
	struct addr a = {0};

	if (parse_ipv4(text, a.bytes)) {
		a.family = 4;
	} else {
		if (text.len >= 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']')
			text = span_of(text.ptr + 1, text.len - 2);
		if (!parse_ipv6(text, a.bytes))
			return false;
		a.family = 6;
	}
	*out = a;
	return true;
}

bool addr_parse(struct span text, uint16_t default_port, struct addr *out)
{
	size_t colon = span_rfind(text, ':');
	struct addr a;

	/* An address alone first, so that "::1:80" is one and not ::1 with a port. */
	if (addr_parse_ip(text, &a)) {
		if (default_port == 0)
			return false;
		a.port = default_port;
	} else {
		uint16_t port;

		if (colon == SIZE_MAX || !addr_parse_ip(span_first(text, colon), &a) ||
		    (a.family == 6 && text.ptr[0] != '[') ||
		    !num_parse_port(span_from(text, colon + 1), &port))
			return false;
		a.port = port;
	}
	*out = a;
	return true;
}

static void format_ipv4(const uint8_t bytes[static 4], struct buf *out)
{
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			buf_add_byte(out, '.');
		buf_add_u64(out, bytes[i]);
	}
}

/*
 * RFC 5952 section 4: "::" for the first of the longest runs of zero groups, when it has two or
 * more.
 */
static void find_zero_run(const uint8_t bytes[static 16], int *start, int *end)
{
	int from = 0;

	*start = *end = -1;
	for (int i = 0; i <= 8; i++) {
		if (i < 8 && endian_get_be16(bytes + 2 * i) == 0)
			continue;
		if (i - from >= 2 && i - from > *end - *start) {
			*start = from;
			*end = i;
		}
		from = i + 1;
	}
}

static void format_ipv6(const uint8_t bytes[static 16], struct buf *out)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	int start, end;

	/* RFC 5952 section 5: dotted where the prefix says that an IPv4 address is inside. */
	if (memcmp(bytes, mapped, sizeof mapped) == 0) {
		buf_add(out, SPAN("::ffff:"));
		format_ipv4(bytes + 12, out);
		return;
	}
	find_zero_run(bytes, &start, &end);
	for (int i = 0; i < 8; i++) {
		if (i == start) {
			buf_add(out, SPAN("::"));
			i = end - 1;
			continue;
		}
		if (i > 0 && i != end)
			buf_add_byte(out, ':');
		buf_add_hex(out, endian_get_be16(bytes + 2 * i));
	}
}

void addr_format(const struct addr *a, struct buf *out)
{
	bool brackets = a->family == 6 && a->port != 0;

	if (brackets)
		buf_add_byte(out, '[');
	if (a->family == 6)
		format_ipv6(a->bytes, out);
	else if (a->family == 4)
		format_ipv4(a->bytes, out);
	else
		buf_add(out, SPAN("none"));
	if (brackets)
		buf_add_byte(out, ']');
	if (a->port != 0) {
		buf_add_byte(out, ':');
		buf_add_u64(out, a->port);
	}
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && a->port == b->port &&
	       memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof *out);
	if (a->family == 4) {
		struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(a->port)};

		memcpy(&sin.sin_addr, a->bytes, 4);
		memcpy(out, &sin, sizeof sin);
		return sizeof sin;
	}
	if (a->family == 6) {
		struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons(a->port)};

		memcpy(&sin6.sin6_addr, a->bytes, 16);
		memcpy(out, &sin6, sizeof sin6);
		return sizeof sin6;
	}
	return 0;
}

bool addr_from_sockaddr(const struct sockaddr_storage *ss, struct addr *out)
{
	struct addr a = {0};

	if (ss->ss_family == AF_INET) {
		struct sockaddr_in sin;

		memcpy(&sin, ss, sizeof sin);
		a.family = 4;
		a.port = ntohs(sin.sin_port);
		memcpy(a.bytes, &sin.sin_addr, 4);
	} else if (ss->ss_family == AF_INET6) {
		struct sockaddr_in6 sin6;

		memcpy(&sin6, ss, sizeof sin6);
		a.family = 6;
		a.port = ntohs(sin6.sin6_port);
		memcpy(a.bytes, &sin6.sin6_addr, 16);
	} else {
		return false;
	}
	*out = a;
	return true;
}

void addr_set_loopback(struct addr *a)
{
	*a = (struct addr){.family = 4, .port = a->port, .bytes = {127, 0, 0, 1}};
}

bool addr_is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = {[15] = 1};

	if (a->family == 4)
		return a->bytes[0] == 127;
	return a->family == 6 && memcmp(a->bytes, one, sizeof one) == 0;
}

void addr_unmap(struct addr *a)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	struct addr v4 = {.family = 4, .port = a->port};

	if (a->family != 6 || memcmp(a->bytes, mapped, sizeof mapped) != 0)
		return;
	memcpy(v4.bytes, a->bytes + sizeof mapped, 4);
	*a = v4;
}
