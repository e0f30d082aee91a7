#include "base/span.h"

#include <stdint.h>

#include "base/ascii.h"

/*
 * On the request path (header names, hosts). Bytes are mostly equal, so the difference is looked at
 * first: two ASCII letters that differ by case differ in bit 0x20 and nothing else.
 */
bool span_eq_nocase(struct span a, struct span b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		int difference = a.ptr[i] ^ b.ptr[i];

		if (difference != 0 && (difference != 0x20 || !ascii_is_alpha(a.ptr[i])))
			return false;
	}
	return true;
}

bool span_starts_with(struct span s, struct span prefix)
{
	return s.len >= prefix.len && span_eq(span_first(s, prefix.len), prefix);
}

bool span_ends_with(struct span s, struct span suffix)
{
	return s.len >= suffix.len && span_eq(span_from(s, s.len - suffix.len), suffix);
}

size_t span_find(struct span s, char byte)
{
	const char *at = s.len > 0 ? memchr(s.ptr, (unsigned char)byte, s.len) : NULL;

	return at != NULL ? (size_t)(at - s.ptr) : SIZE_MAX;
}

size_t span_rfind(struct span s, char byte)
{
	for (size_t i = s.len; i > 0; i--)
		if (s.ptr[i - 1] == byte)
			return i - 1;
	return SIZE_MAX;
}

bool span_split(struct span *rest, char separator, struct span *part)
{
	size_t at;

	if (rest->ptr == NULL)
		return false;
	at = span_find(*rest, separator);
	if (at == SIZE_MAX) {
		*part = *rest;
		*rest = (struct span){NULL, 0};
		return true;
	}
	*part = span_first(*rest, at);
	/* Not span_from: behind a separator at the end one empty part is still to come. */
	*rest = (struct span){rest->ptr + at + 1, rest->len - at - 1};
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct span span_trim(struct span s)
{
	while (s.len > 0 && is_blank(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}
