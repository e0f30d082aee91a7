#include "net/hostport.h"

#include <stdint.h>

#include "base/num.h"
#include "net/addr.h"

/* The bytes of names and dotted quads: letters, digits, "-", "." and "_". */
static const bool is_host_byte[256] = {
	['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
	['-'] = true,	      ['.'] = true,	    ['_'] = true,
};

/* "[" IPv6address "]": returns the length with brackets, 0 when it is none. */
static size_t bracketed_len(struct span text)
{
	size_t end = span_find(text, ']');
	struct addr a;

	if (end == SIZE_MAX || !addr_parse_ip(span_first(text, end + 1), &a) || a.family != 6)
		return 0;
	return end + 1;
}

/* Why the text behind the host is neither nothing nor ":" and a port. */
static const char *tail_problem(struct span text, struct span tail)
{
	if (span_find(text, '@') != SIZE_MAX)
		return "user information before the host";
	if (tail.ptr[0] == '%')
		return "percent-encoding in the host";
	if (tail.ptr[0] != ':')
		return "byte that no host has";
	return tail.len == 1 ? "port is empty" : "port is not a number from 1 to 65535";
}

/*
 * uri-host [ ":" port ], RFC 9110 section 7.2; of RFC 3986's reg-name only what a DNS name can be.
 */
bool hostport_parse(struct span text, struct hostport *out, const char **problem)
{
	struct hostport hp = {.is_ipv6 = text.len > 0 && text.ptr[0] == '['};
	size_t len = 0;

	if (hp.is_ipv6) {
		len = bracketed_len(text);
		if (len == 0) {
			*problem = "brackets without an IPv6 address";
			return false;
		}
		hp.host = span_of(text.ptr + 1, len - 2);
	} else {
		while (len < text.len && is_host_byte[(unsigned char)text.ptr[len]])
			len++;
		hp.host = span_first(text, len);
	}
	if (len < text.len &&
	    (text.ptr[len] != ':' || !num_parse_port(span_from(text, len + 1), &hp.port))) {
		*problem = tail_problem(text, span_from(text, len));
		return false;
	}
	if (len == 0) {
		*problem = "host is empty";
		return false;
	}
	*out = hp;
	return true;
}
