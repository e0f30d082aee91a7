/*
 * A certificate as it streams by, against the same rules applied to all of it at once; whole and
 * byte by byte. The address looked for is 127.0.0.1.
 */
#include <stdint.h>
#include <stdlib.h>

#include "tls/der.h"
#include "tls/sanscan.h"

static const struct addr home = {.family = 4, .bytes = {127, 0, 0, 1}};

struct found {
	bool has_san, has_address, has_match;
};

static bool take_any(struct span *rest, unsigned *tag, struct span *content)
{
	*tag = rest->len > 0 ? (unsigned char)rest->ptr[0] : 0x1f;
	return (*tag & 0x1f) != 0x1f && der_take(rest, *tag, content);
}

static bool read_names(struct span value, struct found *out)
{
	struct span names, name;
	unsigned tag;

	if (!der_take(&value, DER_SEQUENCE, &names) || value.len != 0 || names.len == 0)
		return false;
	while (names.len > 0) {
		if (!take_any(&names, &tag, &name) || (tag & 0xc0) != 0x80)
			return false;
		if (tag != DER_CONTEXT_PRIMITIVE + 7)
			continue;
		if (name.len != 4 && name.len != 16)
			return false;
		out->has_address = true;
		out->has_match |= span_eq(name, span_of(home.bytes, 4));
	}
	return true;
}

static bool read_extensions(struct span wrapped, struct found *out)
{
	struct span list, extension, oid, critical, value;

	if (!der_take(&wrapped, DER_SEQUENCE, &list) || wrapped.len != 0 || list.len == 0)
		return false;
	while (list.len > 0) {
		if (!der_take(&list, DER_SEQUENCE, &extension) ||
		    !der_take(&extension, DER_OID, &oid) ||
		    !der_take_optional(&extension, DER_BOOLEAN, &critical) ||
		    !der_take(&extension, DER_OCTET_STRING, &value) || extension.len != 0)
			return false;
		if (!span_eq(oid, SPAN("\x55\x1d\x11")))
			continue;
		if (out->has_san || !read_names(value, out))
			return false;
		out->has_san = true;
	}
	return true;
}

static bool read_tbs(struct span tbs, struct found *out)
{
	struct span content;
	unsigned tag;

	if (tbs.len == 0)
		return false;
	while (tbs.len > 0) {
		if (!take_any(&tbs, &tag, &content))
			return false;
		if (tag == DER_CONTEXT + 3 && (tbs.len != 0 || !read_extensions(content, out)))
			return false;
	}
	return true;
}

static bool read_certificate(struct span der, struct found *out)
{
	struct span parts, content;
	unsigned tag;

	if (!der_take(&der, DER_SEQUENCE, &parts) || der.len != 0 || parts.len == 0)
		return false;
	for (bool is_first = true; parts.len > 0; is_first = false) {
		if (!take_any(&parts, &tag, &content))
			return false;
		if (is_first && tag == DER_SEQUENCE && !read_tbs(content, out))
			return false;
	}
	return true;
}

static enum sanscan_result expected(struct span der)
{
	struct found found = {.has_san = false};

	if (!read_certificate(der, &found))
		return SANSCAN_MALFORMED;
	if (!found.has_address)
		return SANSCAN_NONE;
	return found.has_match ? SANSCAN_MATCH : SANSCAN_NO_MATCH;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sanscan whole, split;

	sanscan_init(&whole, &home, (uint32_t)size);
	sanscan_init(&split, &home, (uint32_t)size);
	sanscan_add(&whole, data, size);
	for (size_t i = 0; i < size; i++)
		sanscan_add(&split, data + i, 1);
	if (sanscan_result(&whole) != sanscan_result(&split) ||
	    sanscan_result(&whole) != expected(span_of(data, size)))
		abort();
	return 0;
}
