#include "net/addr.h"

#include <netinet/in.h>

#include "base/num.h"
#include "net/iptext.h"

struct wide addr_number(const struct addr *a)
{
	struct wide number = {0, 0};

	for (size_t i = 0; i < (a->family == 4 ? 4 : 16); i++) {
		number = wide_shifted(number, 8);
		number.low |= a->bytes[i];
	}
	return number;
}

static void set_number(struct addr *a, uint8_t family, struct wide number)
{
	size_t size = family == 4 ? 4 : 16;

	*a = (struct addr){.family = family};
	for (size_t i = 0; i < size; i++)
		a->bytes[size - 1 - i] = (uint8_t)(i < 8 ? number.low >> 8 * i
							 : number.high >> (8 * i - 64));
}

static bool read_all(struct span text, uint8_t *family, struct wide *number)
{
	const char *at = text.ptr;

	return text.len > 0 && iptext_read(&at, text.ptr + text.len, family, number) &&
	       at == text.ptr + text.len;
}

bool addr_parse_ip(struct span text, struct addr *out)
{
	bool has_brackets = text.len > 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']';
	struct wide number;
	uint8_t family;

	if (has_brackets)
		text = span_of(text.ptr + 1, text.len - 2);
	if (!read_all(text, &family, &number) || (has_brackets && family == 4))
		return false;
	set_number(out, family, number);
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

void addr_format(const struct addr *a, struct buf *out)
{
	bool brackets = a->family == 6 && a->port != 0;
	char text[IPTEXT_MAX];

	if (brackets)
		buf_add_byte(out, '[');
	if (a->family == 0)
		buf_add(out, SPAN("none"));
	else
		buf_add(out, span_of(text, (size_t)(iptext_write(text, a->family, addr_number(a)) -
						    text)));
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
