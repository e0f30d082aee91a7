#include "tls/der.h"

#include <stddef.h>

static unsigned byte_at(struct span s, size_t at)
{
	return (unsigned char)s.ptr[at];
}

/* Length bytes (X.690 section 8.1.3) behind the tag: how many, or 0 if bad; and what they say. */
static size_t read_length(struct span rest, size_t *len)
{
	size_t count, value = 0;

	if (rest.len < 2)
		return 0;
	*len = byte_at(rest, 1);
	if (*len < 0x80)
		return 1;
	count = *len & 0x7f;
	if (count == 0 || count > 3 || rest.len < 2 + count || byte_at(rest, 2) == 0)
		return 0;
	for (size_t i = 0; i < count; i++)
		value = value << 8 | byte_at(rest, 2 + i);
	*len = value;
	return value < 0x80 ? 0 : 1 + count;
}

bool der_has(struct span rest, unsigned tag)
{
	return rest.len > 0 && byte_at(rest, 0) == tag;
}

bool der_take(struct span *rest, unsigned tag, struct span *content)
{
	size_t len, length_size;

	if (!der_has(*rest, tag))
		return false;
	length_size = read_length(*rest, &len);
	if (length_size == 0 || rest->len - 1 - length_size < len)
		return false;
	*content = span_of(rest->ptr + 1 + length_size, len);
	*rest = span_of(content->ptr + len, rest->len - 1 - length_size - len);
	return len > 0 || tag != DER_OID;
}

bool der_take_any(struct span *rest)
{
	unsigned tag = rest->len > 0 ? byte_at(*rest, 0) : 0;
	bool is_piecemeal = (tag & 0xe0) == 0x20 && tag != DER_SEQUENCE && tag != DER_SET;
	struct span ignored;

	/* Nor are there tags of several bytes, of applications' own, and texts in pieces. */
	return (tag & 0x1f) != 0x1f && (tag & 0x40) == 0 && !is_piecemeal &&
	       der_take(rest, tag, &ignored);
}

bool der_take_optional(struct span *rest, unsigned tag, struct span *content)
{
	*content = (struct span){NULL, 0};
	return !der_has(*rest, tag) || der_take(rest, tag, content);
}

bool der_take_bits(struct span *rest, struct span *bytes)
{
	/* The first byte says how many bits of the last are not used. */
	if (!der_take(rest, DER_BIT_STRING, bytes) || bytes->len == 0 || byte_at(*bytes, 0) != 0)
		return false;
	*bytes = span_from(*bytes, 1);
	return true;
}

bool der_take_unsigned(struct span *rest, struct span *bytes)
{
	if (!der_take(rest, DER_INTEGER, bytes) || bytes->len == 0 || byte_at(*bytes, 0) >= 0x80)
		return false;
	while (bytes->len > 0 && byte_at(*bytes, 0) == 0)
		*bytes = span_from(*bytes, 1);
	return true;
}
